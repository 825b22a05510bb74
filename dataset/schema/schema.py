"""The schema of a dataset: which field lies under which path."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from keyword import iskeyword
from types import MappingProxyType

from ..errors import FieldKindError, FieldNotFoundError, SchemaError, hint
from .documents import attributes, documents
from .fields import DictField, EmbeddedDocumentField, Field, ListField, ObjectIdField, StringField

SAMPLE_FIELDS: Mapping[str, Field] = MappingProxyType(
    {
        "id": ObjectIdField(description="identifies the sample"),
        "filepath": StringField(description="path or address of the sample's media file"),
        "tags": ListField(StringField(), description="free words about the sample"),
        "metadata": EmbeddedDocumentField("Metadata", description="what was read from the media file"),
    }
)
"""The fields that every sample has."""

SAMPLE_ID = ObjectIdField(description="identifies the sample that the patch is part of")
"""The field `sample_id` of patches, by which they are known for what they are."""

RESERVED_NAMES = frozenset(
    {
        *("add_labels", "clear_field", "compute_metadata", "copy", "created_at", "dataset", "dataset_id"),
        *("field_names", "fields", "filename", "from_dict", "from_json", "get_field", "has_field", "in_dataset"),
        *("iter_fields", "media_type", "merge", "reload", "save", "set_field", "to_dict", "to_json", "to_mongo_dict"),
        "update_fields",
    }
)
"""Names that mean something else on a sample and cannot name a field."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a path means.

    Attributes:
        path: the path as users write it.
        db_path: the path as it is stored.
        field: the field at its end; None where anything may lie, such as inside a dict.
        list_parts: the paths of the lists that are crossed before the end, outermost first.
    """

    path: str
    db_path: str
    field: Field | None
    list_parts: tuple[str, ...] = ()


class Schema:
    """An immutable mapping from paths to fields, in the order in which they were added.

    It holds the top-level fields and the declared attributes below them ("predictions.detections.mood"). Iteration and
    `len` give the top-level names; `in` and `[]` take both.
    """

    __slots__ = ("_fields",)

    def __init__(self, fields: Mapping[str, Field]) -> None:
        self._fields: dict[str, Field] = dict(fields)

    def names(self) -> tuple[str, ...]:
        """Give the top-level names."""
        return tuple(path for path in self._fields if "." not in path)

    def paths(self) -> tuple[str, ...]:
        """Give the top-level names and the declared paths below them."""
        return tuple(self._fields)

    def get(self, path: str) -> Field | None:
        """Give the field at a top-level or declared `path`, or None."""
        return self._fields.get(path)

    def __getitem__(self, path: str) -> Field:
        try:
            return self._fields[path]
        except KeyError:
            raise FieldNotFoundError.among(path, self._fields, "this schema") from None

    def __contains__(self, path: object) -> bool:
        return path in self._fields

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __len__(self) -> int:
        return len(self.names())

    def __eq__(self, other: object) -> bool:
        return self._fields == other._fields if isinstance(other, Schema) else NotImplemented

    def __hash__(self) -> int:
        return hash(frozenset(self._fields))

    def __repr__(self) -> str:
        return f"Schema({self._fields})"

    def with_field(self, path: str, field: Field) -> "Schema":
        """Give the schema with `field` at `path`, new or in place of another.

        Raises:
            SchemaError: if the name cannot be used, or if nothing can lie below the path's parent.
            FieldNotFoundError: if the path's parent does not exist.
        """
        parent, _, name = path.rpartition(".")
        if path not in self._fields:
            check_field_name(name if parent else path, reserved=frozenset() if parent else RESERVED_NAMES)
        if parent:
            above = self.resolve(parent).field
            if not isinstance(_element(above), EmbeddedDocumentField | DictField | None):
                raise SchemaError(
                    f"{name!r} cannot lie inside {parent!r}, of kind {above}. Labels and dicts have attributes."
                )
        return Schema(self._fields | {path: field})

    def without(self, path: str) -> "Schema":
        """Give the schema without `path` and what lies below it."""
        if path not in self._fields:
            raise FieldNotFoundError.among(path, self._fields, "the dataset")
        return Schema({name: field for name, field in self._fields.items() if not _is_at(name, path)})

    def only(self, names: Iterable[str]) -> "Schema":
        """Give the schema with no other top-level fields than `names`."""
        kept = set(names)
        for name in kept - set(self.names()):
            raise FieldNotFoundError.among(name, self.names(), "the dataset")
        return Schema({path: field for path, field in self._fields.items() if path.partition(".")[0] in kept})

    def renamed(self, old: str, new: str) -> "Schema":
        """Give the schema with the field `old`, and what lies below it, under the path `new`.

        Raises:
            FieldNotFoundError: if there is no `old`.
            SchemaError: if `new` exists, cannot be used as a name, or lies elsewhere than `old`.
        """
        if old not in self._fields:
            raise FieldNotFoundError.among(old, self._fields, "the dataset")
        parent, _, name = new.rpartition(".")
        inside = old.rpartition(".")[0]
        if inside != parent:
            raise SchemaError(f"{old!r} cannot become {new!r}: a field stays inside {inside or 'the sample'}.")
        if new in self._fields:
            raise SchemaError(
                f"{old!r} cannot become {new!r}: there is such a field. Delete it first, or choose another name."
            )
        check_field_name(name, reserved=frozenset() if parent else RESERVED_NAMES)
        moved = {new + path[len(old) :] if _is_at(path, old) else path: field for path, field in self._fields.items()}
        return Schema(moved)

    def flat(self) -> dict[str, Field]:
        """Give every path, attributes of labels included, with its field."""
        found: dict[str, Field] = {}
        for name in self.names():
            self._flatten(name, self._fields[name], found, ())
        return found | {path: field for path, field in self._fields.items() if path not in found}

    def _flatten(self, path: str, field: Field, found: dict[str, Field], above: tuple[str, ...]) -> None:
        found[path] = field
        element = _element(field)
        known: Mapping[str, Field] = {}
        if isinstance(element, EmbeddedDocumentField) and element.document_type not in above:
            known = documents.get(element.document_type, {})
            above = (*above, element.document_type)
        for name, attribute in known.items():
            self._flatten(f"{path}.{name}", self._fields.get(f"{path}.{name}", attribute), found, above)
        for other, declared in self._fields.items():
            if other.rpartition(".")[0] == path and other not in found:
                self._flatten(other, declared, found, above)

    def resolve(self, path: str, owner: str = "the dataset") -> Resolved:
        """Find what `path` means: a field, an attribute of a label, or something inside a dict.

        Args:
            path: names joined by dots; lists are crossed without an index.
            owner: what the path is looked for on, for the message.

        Raises:
            FieldNotFoundError: if there is nothing of that name, listing what there is.

        Example:
            >>> Schema(SAMPLE_FIELDS).resolve("id").db_path
            '_id'
        """
        first, *below = path.split(".")
        here = "id" if first == "_id" else first
        if here not in self._fields:
            raise FieldNotFoundError.among(path, self.names(), owner)
        field: Field | None = self._fields[here]
        db_path = "_id" if here == "id" else here
        list_parts: list[str] = []
        for part in below:
            while isinstance(field, ListField):
                list_parts.append(here)
                field = field.subfield
            name = stored = part
            if isinstance(field, EmbeddedDocumentField) and part in {"id", "_id"}:
                name, stored = "id", "_id"
            field = self._step(field, here, name, owner)
            here, db_path = f"{here}.{name}", f"{db_path}.{stored}"
        return Resolved(here, db_path, field, tuple(list_parts))

    def _step(self, field: Field | None, here: str, part: str, owner: str) -> Field | None:
        declared = self._fields.get(f"{here}.{part}")
        if declared is not None:
            return declared
        if field is None or isinstance(field, DictField):
            if not part or part.startswith("$"):
                raise FieldNotFoundError(
                    f"no field {part!r} in {here!r} of {owner}: names are text without leading '$'."
                )
            return None if field is None else field.subfield
        if not isinstance(field, EmbeddedDocumentField):
            raise FieldNotFoundError(
                f"no field {part!r} in {here!r} of {owner}: it is of kind {field}, with nothing inside."
            )
        known = attributes(field.document_type)
        if known is None:
            return None
        if part == "_cls":
            return StringField()
        if part not in known:
            raise self._no_attribute(field.document_type, here, part, known, owner)
        return known[part]

    def _no_attribute(
        self, document_type: str, here: str, part: str, known: Mapping[str, Field], owner: str
    ) -> FieldNotFoundError:
        names = [*known, *(path[len(here) + 1 :] for path in self._fields if path.rpartition(".")[0] == here)]
        message = f"no field {part!r} on the {document_type} in {here!r} of {owner}. {hint(part, names, 'Fields')}"
        deeper = [f"{here}.{name}.{part}" for name in known if self._leads_to(f"{here}.{name}", part)]
        if deeper:
            return FieldNotFoundError(f"{message} Did you mean {deeper[0]!r}?")
        return FieldNotFoundError(f"{message} Attributes of your own must be declared: add_dynamic_sample_fields().")

    def _leads_to(self, path: str, part: str) -> bool:
        element = _element(self.resolve(path).field)
        return isinstance(element, EmbeddedDocumentField) and part in (attributes(element.document_type) or {})


def _element(field: Field | None) -> Field | None:
    while isinstance(field, ListField):
        field = field.subfield
    return field


def _is_at(path: str, top: str) -> bool:
    return path == top or path.startswith(f"{top}.")


def check_field_name(name: object, *, reserved: frozenset[str] = RESERVED_NAMES) -> None:
    """Check that `name` can name a field: a Python identifier that is neither private nor taken.

    Args:
        name: the name, without dots.
        reserved: names that mean something else on the owner.

    Raises:
        FieldKindError: if it is no text.
        SchemaError: if it cannot be used.
    """
    if not isinstance(name, str):
        raise FieldKindError(f"a field name is text; got {name!r}")
    if not name.isidentifier() or name.startswith("_"):
        suggestion = _identifier(name)
        raise SchemaError(
            f"{name!r} cannot name a field. Names are letters, digits and underscores and do not begin with a digit "
            f"or an underscore{f', such as {suggestion!r}' if suggestion else ''}."
        )
    if name in reserved:
        raise SchemaError(f"{name!r} cannot name a field: it means something else here. Try {name + '_'!r}.")


def _identifier(name: str) -> str:
    cleaned = "".join(c if c.isidentifier() or c.isdigit() else "_" for c in name).strip("_").lstrip("0123456789_")
    return cleaned if cleaned.isidentifier() and not iskeyword(cleaned) else ""
