"""Stored values of two samples that are one: which stays, and how lists and labels become one. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .labels import document_types
from .store import actions


class Rules(NamedTuple):
    """How values of the same field are merged.

    Attributes:
        merge_lists: whether lists and lists of labels are merged element by element.
        merge_embedded_docs: whether single labels and other documents are merged attribute by attribute.
        overwrite: whether the new value, attribute or label replaces the old one; else it only fills gaps.
    """

    merge_lists: bool
    merge_embedded_docs: bool
    overwrite: bool


def joined(old: Any, new: Any, rules: Rules, *, is_whole: bool = False) -> Any:
    """Give the value that results from two stored ones.

    Args:
        old: what is there; None or ABSENT for nothing.
        new: what comes.
        rules: which of them wins.
        is_whole: whether labels must not be merged by attributes, since their vectors belong to their ids.
    """
    if old is actions.ABSENT or old is None:
        return new
    if new is actions.ABSENT or new is None:
        return old
    if isinstance(old, list) and isinstance(new, list) and rules.merge_lists:
        return _union(old, new, overwrite=rules.overwrite)
    if isinstance(old, Mapping) and isinstance(new, Mapping) and "_cls" in old and old["_cls"] == new.get("_cls"):
        kind = document_types.get(old["_cls"])
        is_list = kind is not None and kind.LIST_ATTRIBUTE is not None
        if rules.merge_lists if is_list else rules.merge_embedded_docs and not is_whole:
            return _attributes(old, new, rules)
    return new if rules.overwrite else old


def _attributes(old: Mapping[str, Any], new: Mapping[str, Any], rules: Rules) -> dict[str, Any]:
    found = dict(old)
    for name, value in new.items():
        if name != "_id" or "_id" not in found:  # a label that is merged stays the label that it was
            found[name] = joined(old.get(name), value, rules)
    return found


def _union(old: Sequence[Any], new: Sequence[Any], *, overwrite: bool) -> list[Any]:
    """The old elements in their places, then those that are new; labels are the same if their ids are."""
    found = list(old)
    places = {_identity(item): place for place, item in enumerate(found)}
    for item in new:
        place = places.setdefault(_identity(item), len(found))
        if place == len(found):
            found.append(item)
        elif overwrite:
            found[place] = item
    return found


def _identity(item: Any) -> Any:
    if isinstance(item, Mapping) and "_id" in item:
        return item["_id"]
    return actions.hash_value(item)
