"""What a dataset says about its masks and keypoints: the meaning of values, the names and edges of points."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from .errors import SchemaError
from .labels import KeypointSkeleton
from .store import codec
from .types import Bson

_COLOR = re.compile("#[0-9a-fA-F]{6}")


def read(record: Bson) -> Bson:
    """The entries of a dataset's record as users see them."""
    return {
        "mask_targets": {field: _targets(stored) for field, stored in (record["mask_targets"] or {}).items()},
        "default_mask_targets": _targets(record["default_mask_targets"] or {}),
        "skeletons": codec.decode(record["skeletons"] or {}),
        "default_skeleton": codec.decode(record["default_skeleton"]),
    }


def stored(record: Bson) -> Bson:
    """What `read` gave, in its stored form, which JSON can hold too."""
    return {name: entry(record[name]) for name, entry in ENTRIES.items()}


def _targets(stored: Bson) -> dict[Any, str]:
    return {key if key.startswith("#") else int(key): name for key, name in stored.items()}


def _stored_targets(targets: Any, what: str) -> Bson:
    if not isinstance(targets, Mapping):
        raise SchemaError(f"{what} was given {targets!r}; expected a dict from numbers or colors to names.")
    are_numbers = all(isinstance(key, int) and not isinstance(key, bool) for key in targets)
    are_colors = all(isinstance(key, str) and _COLOR.fullmatch(key) for key in targets)
    if not (are_numbers or are_colors) or not all(isinstance(name, str) for name in targets.values()):
        raise SchemaError(
            f"{what} was given {dict(targets)!r:.200}. Its keys are whole numbers, or colors such as '#ff6d04'; "
            "its values are names."
        )
    return {str(key): name for key, name in targets.items()}


def _stored_skeleton(skeleton: Any, what: str) -> Any:
    if not isinstance(skeleton, KeypointSkeleton):
        raise SchemaError(f"{what} was given {skeleton!r:.200}; expected a KeypointSkeleton.")
    return codec.encode(skeleton, what)


def _of_fields(entry: Callable[[Any, str], Any], what: str) -> Callable[[Any], Bson]:
    def stored(given: Any) -> Bson:
        if not isinstance(given, Mapping) or not all(isinstance(field, str) for field in given):
            raise SchemaError(f"{what} was given {given!r:.200}; expected a dict by field.")
        return {field: entry(value, f"{what}[{field!r}]") for field, value in given.items()}

    return stored


ENTRIES: dict[str, Callable[[Any], Any]] = {
    "mask_targets": _of_fields(_stored_targets, "mask_targets"),
    "default_mask_targets": lambda targets: _stored_targets(targets, "default_mask_targets"),
    "skeletons": _of_fields(_stored_skeleton, "skeletons"),
    "default_skeleton": lambda given: None if given is None else _stored_skeleton(given, "default_skeleton"),
}
"""The entries of a dataset's record, each with what turns it into its stored form."""
