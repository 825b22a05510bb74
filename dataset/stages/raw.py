"""The stage of raw pipeline steps: mongo."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from ..errors import ViewError
from ..expressions import constants
from ..expressions.nodes import Constant
from ..schema import EmbeddedDocumentField, ListField, Schema
from ..schema.values import is_object_id, scalar
from ..types import Bson, Oid, is_id
from .base import Stage

_WRITING = frozenset({"$merge", "$out"})
_CHOOSING = frozenset({"$limit", "$match", "$sample", "$skip", "$sort"})
_SHAPING = frozenset({"$addFields", "$graphLookup", "$lookup", "$project", "$set", "$unset"})
"""Steps whose outcome for a sample depends on no other sample of the view."""


@dataclass(frozen=True)
class Mongo(Stage):
    """Apply steps of MongoDB's aggregation language as they are.

    What leaves must be samples, with their `_id` and their fields as they are stored. Ids that are compared with an
    `_id` may be given as text. `"$$samples"` stands for the dataset's own collection, in `$unionWith` and `$lookup`.
    The fields that the view knows stay the same.

    Args:
        pipeline: the steps.

    Example:
        >>> print(Mongo([{"$skip": 1}, {"$limit": 2}]))
        mongo([{'$skip': 1}, {'$limit': 2}])
    """

    name = "mongo"
    needs_order = True

    pipeline: Any

    def __post_init__(self) -> None:
        given = self.pipeline
        if not isinstance(given, Constant):
            if not isinstance(given, list | tuple):
                raise ViewError(f"mongo() was given {given!r}. Give a list of steps, such as [{{'$limit': 3}}].")
            given = Constant([_step(step) for step in given])
        # Constants of stored views come as they were written, with their ids.
        self._settle(pipeline=given)

    @property
    def _steps(self) -> list[Bson]:
        steps: list[Bson] = self.pipeline.value
        return steps

    @property
    def shapes_documents(self) -> bool:  # type: ignore[override]  # constant for all other stages
        """Whether samples leave with other contents than they arrived with."""
        return any(_name(step) not in _CHOOSING for step in self._steps)

    def to_mongo(self, schema: Schema) -> list[Bson]:  # noqa: ARG002  # the steps are given
        """Give the steps of the pipeline."""
        return list(self._steps)

    def shaping(self, schema: Schema) -> list[Bson] | None:  # noqa: ARG002  # the steps are given
        """Give the steps that change what samples show, if none looks at several samples."""
        changing = [step for step in self._steps if _name(step) not in _CHOOSING]
        return changing if all(_name(step) in _SHAPING for step in changing) else None

    def filtered_lists(self, schema: Schema) -> tuple[str, ...]:
        """Give the paths of the labels and lists that may leave changed."""
        tops: set[str] = set()
        for step in self._steps:
            touched = _touched(step)
            if touched is None:
                tops = set(schema)
                break
            tops |= touched
        whole = (path for path, field in schema.flat().items() if isinstance(field, ListField | EmbeddedDocumentField))
        # Tags of labels are saved one by one.
        return tuple(path for path in whole if path.partition(".")[0] in tops and not path.endswith(".tags"))


def _name(step: Bson) -> str:
    return str(next(iter(step)))


def _touched(step: Bson) -> set[str] | None:
    """Give the top-level fields that a step may change; None for all."""
    name, given = next(iter(step.items()))
    if name in _CHOOSING:
        return set()
    if name in {"$set", "$addFields"} and isinstance(given, dict):
        paths = list(given)
    elif name == "$unset":
        paths = given if isinstance(given, list) else [given]
    elif name in {"$lookup", "$graphLookup"} and isinstance(given, dict):
        paths = [str(given.get("as"))]
    else:
        return None
    return {str(path).partition(".")[0] for path in paths}


def _step(given: Any) -> Bson:
    if not isinstance(given, dict) or len(given) != 1 or not str(next(iter(given))).startswith("$"):
        raise ViewError(
            f"mongo() was given {given!r} as a step. A step is a dict with one key, such as {{'$limit': 3}}."
        )
    step: Bson = _with_ids(_plain(given))
    for key in _keys(step):
        if key in _WRITING:
            raise ViewError(f"mongo() was given a step with {key!r}, which writes. A view only reads.")
    if _loses_id(step):
        raise ViewError(f"mongo() was given {given!r}, which takes the samples' '_id' away. Leave it in place.")
    return step


def _loses_id(step: Bson) -> bool:
    name, given = next(iter(step.items()))
    if name == "$unset":
        return "_id" in (given if isinstance(given, list) else [given])
    if name == "$project":
        return isinstance(given, dict) and given.get("_id", 1) in (0, False)
    return name in {"$set", "$addFields"} and isinstance(given, dict) and "_id" in given


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _keys(item)
    elif isinstance(value, list):
        for item in value:
            yield from _keys(item)


def _plain(value: Any) -> Any:
    """Give what was written in a step in a form that can be stored with the view."""
    value = scalar(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if is_object_id(value):
        return Oid(str(value))
    if isinstance(value, str):
        return value
    if isinstance(value, datetime | date):
        return constants.normal(value)
    if isinstance(value, dict):
        return {_text(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, re.Pattern):
        flags = ((re.IGNORECASE, "i"), (re.MULTILINE, "m"), (re.DOTALL, "s"), (re.VERBOSE, "x"))
        return {"$regex": value.pattern, "$options": "".join(letter for flag, letter in flags if value.flags & flag)}
    raise ViewError(
        f"mongo() was given {value!r} of type {type(value).__name__}, which cannot be kept with a view. Use None, "
        "bool, int, float, str, a date, an id, a regular expression, a list or a dict."
    )


def _text(key: Any) -> str:
    if not isinstance(key, str):
        raise ViewError(f"mongo() was given {key!r} as a key. Keys are text.")
    return key


def _with_ids(value: Any, *, compared: bool = False) -> Any:
    """Turn text that is compared with an `_id` into an id.

    Args:
        value: a step, or a part of one.
        compared: whether it stands where an id is expected.
    """
    if isinstance(value, dict):
        return {
            key: _with_ids(item, compared=_is_id_path(key) or (compared and key.startswith("$")))
            for key, item in value.items()
        }
    if isinstance(value, list):
        beside = compared or any(isinstance(item, str) and item.startswith("$") and _is_id_path(item) for item in value)
        return [_with_ids(item, compared=beside) for item in value]
    return Oid(value.lower()) if compared and isinstance(value, str) and is_id(value.lower()) else value


def _is_id_path(path: str) -> bool:
    return path.rpartition(".")[2] in {"_id", "$_id"}
