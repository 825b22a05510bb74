"""What is known beside the samples: class names, mask targets, skeletons, and what is true of fields."""

from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any

from .. import stages
from ..errors import FieldKindError, FieldNotFoundError
from ..labels import KeypointSkeleton
from ..schema import EmbeddedDocumentField, Field, ListField
from .base import Base


class Facts(Base):
    """Methods that look up what the dataset says about a field; those of a view ask its dataset."""

    def get_classes(self, field: str) -> list[str] | None:
        """The class names of a field: its own, else the default ones; None if there are neither."""
        return self._root.classes.get(field) or self._root.default_classes or None

    def has_classes(self, field: str) -> bool:
        """Whether there are class names for a field."""
        return self.get_classes(field) is not None

    def get_mask_targets(self, field: str) -> dict[Any, str] | None:
        """What the values of a field's masks mean: its own, else the default; None if neither is known."""
        return self._root.mask_targets.get(field) or self._root.default_mask_targets or None

    def has_mask_targets(self, field: str) -> bool:
        """Whether it is known what the values of a field's masks mean."""
        return self.get_mask_targets(field) is not None

    def get_skeleton(self, field: str) -> KeypointSkeleton | None:
        """The skeleton of a field of keypoints: its own, else the default one; None if there is neither."""
        return self._root.skeletons.get(field) or self._root.default_skeleton

    def has_skeleton(self, field: str) -> bool:
        """Whether there is a skeleton for a field."""
        return self.get_skeleton(field) is not None

    def make_unique_field_name(self, root: str = "") -> str:
        """A name that no field has: the root itself, else the first of `root_1`, `root_2`, ...

        Args:
            root: what the name begins with; "field" if it is empty.
        """
        taken = set(self._root._current_schema())
        base = root or "field"
        names = (base if number == 0 else f"{base}_{number}" for number in count())
        return next(name for name in names if name not in taken)

    def validate_fields_exist(self, fields: str | Iterable[str]) -> None:
        """Check that fields exist.

        Raises:
            FieldNotFoundError: if one does not.
        """
        schema = self._schema()
        for path in [fields] if isinstance(fields, str) else fields:
            schema.resolve(path, self._title())

    def validate_field_type(
        self,
        path: str,
        ftype: type[Field] | Iterable[type[Field]] | None = None,
        embedded_doc_type: type | Iterable[type] | None = None,
        subfield: type[Field] | Iterable[type[Field]] | None = None,
    ) -> None:
        """Check that a field exists and what it is.

        Args:
            path: the field.
            ftype: the class, or classes, that it must be of.
            embedded_doc_type: the class, or classes, that its documents must be of.
            subfield: the class, or classes, that its elements must be of.

        Raises:
            FieldNotFoundError: if it does not exist.
            FieldKindError: if it is something else.
        """
        field = self._schema().resolve(path, self._title()).field
        held = field.subfield if isinstance(field, ListField) else None
        document = field.document_type if isinstance(field, EmbeddedDocumentField) else None
        checks = [
            (ftype, isinstance(field, _classes(ftype))), (subfield, isinstance(held, _classes(subfield))),
            (embedded_doc_type, document in {kind.__name__ for kind in _classes(embedded_doc_type)}),
        ]  # fmt: skip
        for wanted, is_so in checks:
            if wanted is not None and not is_so:
                names = " or ".join(kind.__name__ for kind in _classes(wanted))
                raise FieldKindError(f"{path!r} of {self._title()} is a {field}; {names} was expected.")

    def get_dynamic_field_schema(self, fields: str | Iterable[str] | None = None) -> dict[str, Field | list[Field]]:
        """The attributes that labels have and nobody declared; `add_dynamic_sample_fields` declares them.

        Args:
            fields: look only into these fields; None looks into all that hold labels.

        Returns:
            For each path its kind, or the kinds of its values where they do not go together.

        Raises:
            FieldNotFoundError: if a field does not exist.
        """
        schema = self._schema()
        named = stages.label_fields(schema) if fields is None else [fields] if isinstance(fields, str) else list(fields)
        found: dict[str, Field | list[Field]] = {}
        for name in named:
            if name not in schema:
                raise FieldNotFoundError.among(name, schema.names(), self._title())
            path = stages.label_field(schema, name).root_path
            attributes: Mapping[str, Any] = self.schema(path, dynamic_only=True)  # type: ignore[attr-defined]  # Aggregating supplies it
            found |= {f"{path}.{attribute}": kind for attribute, kind in attributes.items()}
        return found


def _classes(given: Any) -> tuple[type, ...]:
    return () if given is None else (given,) if isinstance(given, type) else tuple(given)
