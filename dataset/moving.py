"""Whole fields copied, moved and emptied, each in one action."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from . import bulk, journal
from .errors import SchemaError
from .schema import Schema
from .store import actions, field_records, samples
from .types import SampleId

if TYPE_CHECKING:
    from .dataset import Dataset


def move_field(
    root: "Dataset", verb: str, old: str, new: str, *, keep: bool, among: Sequence[SampleId] | None = None
) -> None:
    """Copy or move the values of a field to another path, and its declaration with it.

    Args:
        root: the dataset.
        verb: what the history shows.
        old: a declared path.
        new: a path beside it that does not exist.
        keep: whether the values stay at `old` too.
        among: only the values of these samples; None means all.
    """
    schema = root._current_schema()
    schema.renamed(old, new)
    below = {
        new + path[len(old) :]: schema[path] for path in schema.paths() if path == old or path.startswith(old + ".")
    }
    within = _list_around(schema, old)

    def moved(_start: int, documents: Sequence[Any]) -> dict[str, list[Any]]:
        if within is not None:
            names = old[len(within) + 1 :], new[len(within) + 1 :]
            return _in_lists(documents, within, lambda item: _moved(item, *names, keep=keep))
        values = [actions.value_at(document, old) for document in documents]
        return {new: values, old: values if keep else [actions.ABSENT] * len(values)}

    tops = sorted({path.partition(".")[0] for path in (old, new)})
    with journal.action(root._id, verb, tops, declare=below, remove=() if keep else (old,)) as action:
        ids = _holders(root, old, among)
        action.transform(ids, [old, new] if within is None else [within], moved)
        known = field_records.by_path(root._id)
        for path in below:
            model = known.get(old + path[len(new) :], {}).get("model")
            if model:
                field_records.change_field(root._id, path, model=model)


def empty_field(
    root: "Dataset", verb: str, path: str, *, remove: bool, among: Sequence[SampleId] | None = None
) -> None:
    """Unset a field on all samples, or on those `among` them; with `remove`, take it out of the schema too."""
    top = path.split(".", maxsplit=1)[0]
    within = _list_around(root._current_schema(), path)

    def emptied(_start: int, documents: Sequence[Any]) -> dict[str, list[Any]]:
        if within is not None:
            return _in_lists(documents, within, lambda item: bulk.with_attribute(item, path[len(within) + 1 :], None))
        return {path: [actions.ABSENT] * len(documents)}

    with journal.action(root._id, verb, [top], remove=(path,) if remove else ()) as action:
        ids = _holders(root, path, among)
        action.transform(ids, [path if within is None else within], emptied)


def _holders(root: "Dataset", path: str, among: Sequence[SampleId] | None) -> list[SampleId]:
    found = samples.sample_ids(root._id, [{"$match": {path: {"$exists": True}}}])
    return found if among is None else sorted(set(found).intersection(among))


def _list_around(schema: Schema, path: str) -> str | None:
    """The list of labels that a declared path lies in, None if it lies in none.

    Raises:
        SchemaError: if it lies deeper than in a label of that list.
    """
    lists = schema.resolve(path).list_parts
    if not lists:
        return None
    if len(lists) > 1 or "." in path[len(lists[0]) + 1 :]:
        raise SchemaError(f"{path!r} lies too deep for this; change the labels in {lists[0]!r} themselves.")
    return lists[0]


def _in_lists(
    documents: Sequence[Any], path: str, change: Callable[[Mapping[str, Any]], dict[str, Any]]
) -> dict[str, list[Any]]:
    """The lists at a path with each element changed; what is no list stays."""
    column = [actions.value_at(document, path) for document in documents]
    return {path: [[change(item) for item in items] if isinstance(items, list) else items for items in column]}


def _moved(item: Mapping[str, Any], old: str, new: str, *, keep: bool) -> dict[str, Any]:
    changed = dict(item)
    if old in changed:
        changed[new] = changed[old] if keep else changed.pop(old)
    return changed
