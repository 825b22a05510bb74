"""Stages that show some of the fields: select_fields, exclude_fields."""

from collections.abc import Iterable
from dataclasses import dataclass

from ..errors import ViewError
from ..schema import SAMPLE_FIELDS, EmbeddedDocumentField, Schema
from ..types import Bson
from .base import Stage, names_of
from .patches import is_of_patches


@dataclass(frozen=True)
class SelectFields(Stage):
    """Show only the named fields, and those that every sample has: id, filepath, tags and metadata.

    Args:
        field_names: a field or several; None shows only those that every sample has. An attribute of a label
            ("predictions.detections.label") shows only that, with the labels' ids and tags.

    Example:
        >>> print(SelectFields(["ground_truth", "uniqueness"]))
        select_fields(field_names=["ground_truth", "uniqueness"])
    """

    name = "select_fields"
    shapes_documents = True

    field_names: str | Iterable[str] | None = None

    def __post_init__(self) -> None:
        self._settle(field_names=names_of(self.field_names or (), "the name of a field"))

    def to_mongo(self, schema: Schema) -> list[Bson]:
        """Give the steps of the pipeline."""
        wanted = {_stored(name, schema) for name in (*_given(schema), *_names(self.field_names))}
        for name in _names(self.field_names):
            wanted |= _identifying(name, schema)
        # A path beside one that holds it would be refused.
        kept = [path for path in sorted(wanted) if not any(path.startswith(f"{other}.") for other in wanted)]
        return [{"$project": dict.fromkeys(kept, 1)}]

    def schema_after(self, schema: Schema) -> Schema:
        """Give the fields of the samples that leave."""
        names = [name.partition(".")[0] for name in _names(self.field_names)]
        return schema.only([*_given(schema), *names])

    def filtered_lists(self, schema: Schema) -> tuple[str, ...]:
        """Give the paths of the lists of labels that leave without some attributes."""
        return _lists_around(self.field_names, schema)


@dataclass(frozen=True)
class ExcludeFields(Stage):
    """Show all but the named fields.

    Args:
        field_names: a field or several; an attribute of a label ("predictions.detections.mask") hides only that.

    Example:
        >>> print(ExcludeFields("predictions"))
        exclude_fields(["predictions"])
    """

    name = "exclude_fields"
    shapes_documents = True

    field_names: str | Iterable[str]

    def __post_init__(self) -> None:
        names = names_of(self.field_names, "the name of a field")
        for name in names:
            if name in SAMPLE_FIELDS:
                raise ViewError(f"exclude_fields() was given {name!r}, which every sample has. It is always shown.")
        self._settle(field_names=names)

    def to_mongo(self, schema: Schema) -> list[Bson]:
        """Give the steps of the pipeline."""
        if is_of_patches(schema) and "sample_id" in _names(self.field_names):
            raise ViewError("exclude_fields() was given 'sample_id', which every patch has. It is always shown.")
        hidden = {_stored(name, schema) for name in _names(self.field_names)}
        for path in hidden:
            if path.rpartition(".")[2] in {"_id", "_cls"}:
                raise ViewError(f"exclude_fields() was given {path!r}, which every label needs. It is always shown.")
        kept = [path for path in sorted(hidden) if not any(path.startswith(f"{other}.") for other in hidden)]
        return [{"$unset": kept}] if kept else []

    def schema_after(self, schema: Schema) -> Schema:
        """Give the fields of the samples that leave."""
        for name in _names(self.field_names):
            if name in schema:
                schema = schema.without(name)
        return schema

    def filtered_lists(self, schema: Schema) -> tuple[str, ...]:
        """Give the paths of the lists of labels that leave without some attributes."""
        return _lists_around(self.field_names, schema)


def _names(field_names: str | Iterable[str] | None) -> tuple[str, ...]:
    assert isinstance(field_names, tuple)
    return field_names


def _lists_around(field_names: str | Iterable[str] | None, schema: Schema) -> tuple[str, ...]:
    """Give the paths of the lists in which the named attributes lie."""
    return tuple(path for name in _names(field_names) for path in schema.resolve(name).list_parts)


def _given(schema: Schema) -> list[str]:
    """Give the fields that every sample or patch has, as far as earlier stages left them."""
    return [*(name for name in SAMPLE_FIELDS if name in schema), *(["sample_id"] if is_of_patches(schema) else [])]


def _stored(path: str, schema: Schema) -> str:
    return schema.resolve(path).db_path


def _identifying(path: str, schema: Schema) -> set[str]:
    """Give what must be read beside `path` so that the documents around it can still be told apart."""
    parents = path.split(".")[:-1]
    above = [".".join(parents[: end + 1]) for end in range(len(parents))]
    found = set()
    for parent in above:
        field = schema.resolve(parent).field
        while field is not None and hasattr(field, "subfield"):
            field = field.subfield
        if isinstance(field, EmbeddedDocumentField):
            found |= {f"{parent}._cls", f"{parent}._id", f"{parent}.tags"}
    return found
