"""What a strategy may read: fields of the right kind, which some sample has a value in. Nothing is read here."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from ...dataset.errors import FieldNotFoundError, SelectionError
from ...dataset.schema import (
    BooleanField,
    DateField,
    DateTimeField,
    EmbeddedDocumentField,
    Field,
    FloatField,
    IntField,
    ListField,
    ObjectIdField,
    StringField,
    VectorField,
)
from ...dataset.stages.labels import label_fields
from ..selection.inputs import Embeddings, Metadata, Predictions, Scores

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection

Kinds: TypeAlias = tuple[type[Field], ...]

NUMBERS: Kinds = (IntField, FloatField)
POSITIONS: Kinds = (*NUMBERS, DateField, DateTimeField)
CATEGORIES: Kinds = (StringField, IntField, BooleanField, ObjectIdField, ListField)
GROUPS: Kinds = (*POSITIONS, StringField, BooleanField, ObjectIdField)

_NEEDS: Mapping[Kinds, str] = {
    NUMBERS: "a number of each sample",
    POSITIONS: "a number or a time of each sample",
    CATEGORIES: "categories: text, whole numbers, true or false",
    GROUPS: "one value of each sample",
}
_MAKERS = {
    "lightly": "compute_quality(samples)",
    "metadata": "compute_metadata(samples)",
    "uniqueness": "compute_uniqueness(samples)",
    "representativeness": "compute_representativeness(samples)",
    "hardness": "compute_hardness(samples, <field of predictions>)",
    "mistakenness": "compute_mistakenness(samples, <field of predictions>)",
}
_SHORT = (str, bool, int, float)


def check_samples(samples: Any) -> None:
    """Refuse what is no dataset or view of samples.

    Raises:
        SelectionError, ViewError: saying what it is.
    """
    if not hasattr(samples, "_require_samples"):
        advice = f" load_dataset({samples!r}) gives the dataset." if isinstance(samples, str) else ""
        raise SelectionError(f"samples is a {type(samples).__name__}. Give a dataset, or a view of one.{advice}")
    samples._require_samples("'select'")


def require_kind(samples: "SampleCollection", path: str, kinds: Kinds, strategy: str) -> None:
    """Refuse a field whose values a strategy has no use for, as far as the schema knows of them.

    Args:
        samples: the collection.
        path: the field.
        kinds: the kinds of fields that will do, such as `NUMBERS`.
        strategy: the type of the strategy.

    Raises:
        FieldNotFoundError: if there is no such field, saying what computes it.
        SelectionError: if it is of another kind, saying which, and what works on it.
    """
    schema = samples._schema()
    try:
        found = schema.resolve(path, samples._title())
    except FieldNotFoundError as error:
        raise FieldNotFoundError(f"{error} {maker_of(Metadata(path))}".rstrip()) from error
    is_listed = bool(found.list_parts) and kinds is not CATEGORIES
    if found.field is None or type(found.field) is Field or (isinstance(found.field, kinds) and not is_listed):
        return
    what = f"{'lists of ' if is_listed else ''}{found.field}"
    instead = "" if is_listed else _instead(path, found.field, strategy, is_label=path in label_fields(schema))
    raise SelectionError(f"{path!r} is of kind {what}; {needs(strategy, kinds)} {instead}".rstrip())


def needs(strategy: str, kinds: Kinds) -> str:
    """Say what a strategy needs."""
    return f"{strategy} needs {_NEEDS[kinds]}."


def shown(value: Any) -> str:
    """A value in a message: as it is if it is short, else what it is."""
    return f"{value!r:.80}" if isinstance(value, _SHORT) else f"a {type(value).__name__}"


def maker_of(source: Any) -> str:
    """What computes what an input reads, as a sentence; empty if that is not known."""
    match source:
        case Embeddings(task=None):
            return f"compute_embeddings(samples, embeddings_field={source.key!r}) makes it."
        case Scores():
            return f"compute_active_learning_scores(samples, {source.task!r}) makes it."
        case Predictions():
            return f"Add labels to {source.task!r}, or leave the strategy out."
        case Metadata():
            top = source.key.split(".", maxsplit=1)[0]
            return f"{_MAKERS[top]} makes {top!r}." if top in _MAKERS else ""
    return ""


def _instead(path: str, field: Field, strategy: str, *, is_label: bool) -> str:
    """What works on a field."""
    if is_label and strategy in {"BALANCE", "WEIGHTS", "THRESHOLD"}:
        name = "CLASS_DISTRIBUTION" if strategy == "BALANCE" else "CATEGORY_COUNT"
        return f'Give Predictions("{path}", "{name}").'
    if isinstance(field, VectorField):
        return "On vectors there are DIVERSITY, TYPICALITY, COVERAGE and SIMILARITY."
    if isinstance(field, EmbeddedDocumentField):
        return f"Name a value in it, such as {path + ('.label' if is_label else '.<name>')!r}."
    if isinstance(field, FloatField):
        return "On numbers there are WEIGHTS, THRESHOLD and BUDGET."
    if isinstance(field, ListField):
        return "On lists of categories there is BALANCE."
    return "On categories there are BALANCE and GROUP_CAP." if isinstance(field, CATEGORIES) else ""
