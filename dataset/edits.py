"""What changed on a sample in hand, as the smallest update that cannot overwrite somebody else's change.

Changed attributes are sent alone, elements of label lists by their id. A list that got or lost elements is sent whole,
on condition that it still is what was read (or already what is written).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from .store.samples import Edit
from .types import Bson


def add_changes(edit: Edit, path: str, old: Any, new: Any) -> None:
    """Add to `edit` what turns the stored value `old` at `path` into the stored value `new`.

    Args:
        edit: collects the changes.
        path: the dotted path of the value.
        old: as read; None for missing.
        new: as it should be stored.
    """
    if path == "tags" and isinstance(old, list) and isinstance(new, list):
        if _change_tags(edit, path, old, new):
            edit.expected[path] = {"$in": [old, new]}
    elif isinstance(old, Mapping) and isinstance(new, Mapping) and _is_same_document(old, new):
        _change_document(edit, path, old, new)
    elif isinstance(old, list) and isinstance(new, list):
        edit.expected[path] = {"$in": [old, new]}
        edit.add("$set", path, new)
    elif old is None or isinstance(old, bool | int | float | str) or not isinstance(old, Mapping):
        edit.add("$set", path, new)
    else:
        if "_id" in old:
            edit.expected[f"{path}._id"] = {"$in": [old["_id"], *([new["_id"]] if _has_id(new) else [])]}
        edit.add("$set", path, new)


def same(a: Any, b: Any) -> bool:
    """Whether two stored values are the same; NaN is the same as NaN."""
    return bool(a == b) or (a != a and b != b)  # noqa: PLR0124  # NaN differs from itself


def elements_at(stored: Any, keys: Sequence[str]) -> list[Any] | None:
    """What lies in the lists at a path of a stored value: ids of labels, anything else itself; None without a list."""
    if isinstance(stored, list):
        if keys:
            return [elements_at(item, keys) for item in stored]
        return [item.get("_id", item) if isinstance(item, Mapping) else item for item in stored]
    return elements_at(stored.get(keys[0]), keys[1:]) if keys and isinstance(stored, Mapping) else None


def _has_id(value: Any) -> bool:
    return isinstance(value, Mapping) and "_id" in value


def _is_same_document(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    if "_array" in old or "_array" in new:
        return False
    return old.get("_cls") == new.get("_cls") and old.get("_id") == new.get("_id")


def _change_document(edit: Edit, path: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Change attributes one by one; those of a label or other document on condition that it is still there."""
    if "_id" in old:
        edit.expected[f"{path}._id"] = old["_id"]
    elif "_cls" in old:
        edit.expected[f"{path}._cls"] = old["_cls"]
    for key in [*new, *(key for key in old if key not in new)]:
        before, after, below = old.get(key), new.get(key), f"{path}.{key}"
        if key in old and key in new and same(before, after):
            continue
        if key == "tags" and "_id" in old:
            if _change_tags(edit, below, before or [], after or []):
                edit.expected[below] = {"$in": [before, after]}
        elif key not in new:
            edit.add("$unset", below, "")
        elif isinstance(before, list) and isinstance(after, list) and _are_labels(before) and _are_labels(after):
            _change_elements(edit, below, before, after)
        elif "_cls" not in old and isinstance(before, Mapping | list):
            add_changes(edit, below, before, after)
        else:
            edit.add("$set", below, after)


def _are_labels(value: list[Any]) -> bool:
    return all(_has_id(item) for item in value)


def _change_elements(edit: Edit, path: str, old: Sequence[Bson], new: Sequence[Bson]) -> None:
    """Change labels of a list by their ids, or the list as a whole where labels came, went or moved."""
    if [item["_id"] for item in old] != [item["_id"] for item in new]:
        edit.expected[path] = {"$in": [old, new]}
        edit.add("$set", path, new)
        return
    touched: list[Bson] = []
    for before, after in zip(old, new, strict=True):
        if before == after:
            continue
        name = f"e{len(edit.array_filters)}"
        edit.array_filters.append({f"{name}._id": before["_id"]})
        touched.append({"_id": before["_id"]} | _change_element(edit, f"{path}.$[{name}]", before, after))
    if touched:
        edit.expected[path] = {"$all": [{"$elemMatch": label} for label in touched]}


def _change_element(edit: Edit, path: str, old: Bson, new: Bson) -> Bson:
    """Change one label of a list; gives what must hold of it besides its id."""
    expected: Bson = {}
    for key in [*new, *(key for key in old if key not in new)]:
        if key in old and key in new and same(old[key], new[key]):
            continue
        if key == "tags":
            if _change_tags(edit, f"{path}.tags", old.get("tags") or [], new.get("tags") or []):
                expected["tags"] = {"$in": [old.get("tags"), new.get("tags")]}
        elif key in new:
            edit.add("$set", f"{path}.{key}", new[key])
        else:
            edit.add("$unset", f"{path}.{key}", "")
    return expected


def _change_tags(edit: Edit, path: str, old: Sequence[str], new: Sequence[str]) -> bool:
    """Add or remove tags without touching those of others; or send them whole, which needs a condition: then True."""
    added = [tag for tag in new if tag not in old]
    removed = [tag for tag in old if tag not in new]
    if old == new:
        return False
    if not removed and [*old, *added] == new:
        edit.add("$addToSet", path, {"$each": added})
        return False
    if not added and [tag for tag in old if tag in new] == new:
        edit.add("$pull", path, {"$in": removed})
        return False
    edit.add("$set", path, new)
    return True
