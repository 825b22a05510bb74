"""One value for each of some labels, written in one action; the other labels of their samples stay as they are."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from . import journal
from .bulk import Target, with_attribute
from .columns import checked_vectors, set_model
from .errors import FieldKindError, SchemaError
from .progress import shown
from .schema import VectorField
from .stages import LabelField
from .store import actions, codec, vectors
from .types import Progress, SampleId

if TYPE_CHECKING:
    from .dataset import Dataset

LabelRow = tuple[SampleId, str]
"""The ids of a sample and of one of its labels."""


def set_label_values(
    root: "Dataset", labels: LabelField, attribute: str, rows: Sequence[LabelRow], values: Sequence[Any], *,
    skip_none: bool, expand_schema: bool, dynamic: bool, validate: bool, progress: Progress,
    model: Mapping[str, Any] | None = None, overwrite: bool = False, verb: str = "set_values",
) -> None:  # fmt: skip
    """Write an attribute of labels; those that are gone are passed over.

    Args:
        root: the dataset.
        labels: where they lie.
        attribute: its name.
        rows: the labels.
        values: one for each.
        skip_none: leave labels as they are where the value is None.
        expand_schema: as `dynamic`; an attribute is new if either forbids it.
        dynamic: declare the attribute if it is new; else that is an error.
        validate: check the values against the attribute's field.
        progress: whether to show a bar.
        model: what made the vectors, where the values are vectors; kept in the catalogue, one per path.
        overwrite: replace another model's vectors; `rows` must then hold all labels that have one.
        verb: what the history shows.

    Raises:
        SchemaError: if a label comes twice, or the attribute cannot be set.
        FieldNotFoundError: if the attribute is new and must not be.
        FieldKindError: if a value does not fit.
        ModelError: if the labels hold another model's vectors.
    """
    if len(set(rows)) < len(rows):
        twice = next(row for row in rows if rows.count(row) > 1)
        raise SchemaError(f"label {twice[1]} of sample {twice[0]} comes twice, so it cannot be given one value.")
    if skip_none:
        kept = [row for row, value in enumerate(values) if value is not None]
        rows, values = [rows[row] for row in kept], [values[row] for row in kept]
    if not rows:
        return
    path = f"{labels.root_path}.{attribute}"
    schema = root._current_schema()
    given = [list(values)] if labels.attribute else values
    target = Target(schema, path, given, expand_schema=expand_schema, dynamic=dynamic and expand_schema)
    is_vector = isinstance(target.field, VectorField)
    checked = _checked(target, rows, values) if validate and not is_vector else list(values)
    declare = {target.top: schema[target.top], **({path: VectorField()} if is_vector else target.declare)}
    with (
        journal.action(root._id, verb, [target.top], declare=declare) as action,
        shown(len(rows), progress) as advance,
    ):
        replaced = sorted({sample_id for sample_id, _ in rows}) if overwrite else None
        stored = _vectors(action, path, rows, values, model, replaced) if is_vector else codec.encoded(checked, path)
        wanted: dict[SampleId, dict[str, Any]] = {}
        for (sample_id, label_id), value in zip(rows, stored, strict=True):
            wanted.setdefault(sample_id, {})[label_id] = value
        ids = list(wanted)

        def changed(start: int, old: Sequence[Any]) -> dict[str, list[Any]]:
            there = (actions.value_at(document, labels.root_path) for document in old)
            of_each = (wanted[sample_id] for sample_id in ids[start : start + len(old)])
            return {labels.root_path: [_with(held, attribute, new) for held, new in zip(there, of_each, strict=True)]}

        action.transform(ids, [labels.root_path], changed)
        advance(len(rows))


def _checked(target: Target, rows: Sequence[LabelRow], values: Sequence[Any]) -> list[Any]:
    coerce = target.coerce or (None if target.field is None else target.field.coerce)
    checked = []
    for (sample_id, label_id), value in zip(rows, values, strict=True):
        try:
            checked.append(value if value is None or coerce is None else coerce(value))
        except FieldKindError as error:
            raise FieldKindError(f"{target.path!r} on label {label_id} of sample {sample_id}: {error}") from error
    return checked


def _vectors(
    action: journal.Action, path: str, rows: Sequence[LabelRow], values: Sequence[Any],
    model: Mapping[str, Any] | None, replaced: Sequence[SampleId] | None,
) -> list[Any]:  # fmt: skip
    """Store vectors; gives what stands for each in its label."""
    having = [row for row, value in enumerate(values) if value is not None]
    matrix = checked_vectors(path, [rows[row][1] for row in having], [values[row] for row in having])
    if having:
        set_model(action, path, matrix.shape[1], model, replaced)
        action.insert_vectors([vectors.vector_key(action.number, *rows[row]) for row in having], matrix)
    marker = vectors.marker(action.number)
    return [None if value is None else marker for value in values]


def _with(held: Any, attribute: str, new: Mapping[str, Any]) -> Any:
    """A stored label or list of labels with an attribute set where a value is given."""
    if isinstance(held, list):
        return [_with(label, attribute, new) for label in held]
    if not isinstance(held, Mapping) or str(held.get("_id")) not in new:
        return held
    return with_attribute(held, attribute, new[str(held["_id"])])
