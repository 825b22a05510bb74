"""Stages that put samples in an order: sort_by, shuffle, take.

Every order ends with the id, so that it is total and the same at each reading.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..errors import ExpressionError, ViewError
from ..expressions import NOTHING, Node, ViewExpression, to_aggregation
from ..expressions.kinds import ROOT, Kind, follow
from ..expressions.nodes import Path
from ..expressions.typed import is_absent, is_not_nan
from ..schema import Schema
from ..types import Bson
from .base import Stage, whole
from .patches import is_of_patches

KEYS = "_sort"
"""Where the keys of a sort lie while it runs; users' fields never begin with an underscore."""


@dataclass(frozen=True)
class SortBy(Stage):
    """Sort the samples. Those without a value, or with NaN, come last in both directions; equal ones stay in id order.

    Args:
        field_or_expr: a field, an expression, or a list of `(field or expression, 1 or -1)`.
        reverse: whether to sort in descending order.

    Example:
        >>> print(SortBy("uniqueness", reverse=True))
        sort_by("uniqueness", reverse=True)
    """

    name = "sort_by"
    sets_order = True

    field_or_expr: Any
    reverse: bool = False

    def __post_init__(self) -> None:
        given = self.field_or_expr
        if isinstance(given, ViewExpression):
            given = given.node
        elif not isinstance(given, str | Node):
            given = tuple(_key(pair) for pair in given) if isinstance(given, Iterable) else ()
            if not given:
                raise ViewError(f"sort_by() was given {self.field_or_expr!r}. {_EXPECTED}")
        self._settle(field_or_expr=given)

    def to_mongo(self, schema: Schema) -> list[Bson]:
        """Give the steps of the pipeline."""
        keys = self.field_or_expr if isinstance(self.field_or_expr, tuple) else ((self.field_or_expr, 1),)
        computed, order = sort_order([(key, -given if self.reverse else given) for key, given in keys], schema)
        for path, direction in by_id(schema).items():
            order.setdefault(path, direction)
        return _sorted(computed, order)


def sort_order(keys: Iterable[tuple[str | Node, int]], schema: Schema) -> tuple[Bson, dict[str, int]]:
    """Give what must be computed below `KEYS` before samples are sorted, and the order for `$sort`.

    Args:
        keys: fields or expressions, each with 1 or -1.
        schema: the fields of the samples.

    Raises:
        FieldNotFoundError: if a field does not exist.
        ExpressionError: if a key is of a kind that has no order, or can never work.
    """
    computed: Bson = {}
    order: dict[str, int] = {}
    for position, (key, direction) in enumerate(keys):
        path, code = sort_value(key, schema)
        if direction == 1 and path != "_id":
            # The database has missing values, None and NaN below all others: right for a descending order only.
            computed[f"absent{position}"] = has_no_order(code)
            order[f"{KEYS}.absent{position}"] = 1
        if path is None:
            computed[f"key{position}"] = code
            path = f"{KEYS}.key{position}"
        order.setdefault(path, direction)
    return computed, order


def has_no_order(code: Any) -> Bson:
    """Test that a value is missing, None or NaN."""
    return {"$or": [is_absent(code), {"$not": [is_not_nan(code)]}]}


_EXPECTED = "Give a field, an expression, or a list of (field or expression, 1 or -1)."


def _key(pair: Any) -> tuple[str | Node, int]:
    if not isinstance(pair, list | tuple) or len(pair) != 2 or pair[1] not in {1, -1}:
        raise ViewError(f"sort_by() was given {pair!r} as a key. {_EXPECTED}")
    key, direction = pair
    if isinstance(key, ViewExpression):
        key = key.node
    if not isinstance(key, str | Node):
        raise ViewError(f"sort_by() was given {key!r} as a key. {_EXPECTED}")
    return key, int(direction)


def sort_value(key: str | Node, schema: Schema) -> tuple[str | None, Any]:
    """Give the stored path of a key, if it is a field, and its code."""
    if isinstance(key, str):
        key = Path(key)
    if not isinstance(key, Path) or not key.path:
        return None, to_aggregation(key, schema)
    step = follow(schema, ROOT, key.path)
    _refuse_several(key.path, step.kind)
    return step.db_path, f"${step.db_path}"


def _refuse_several(path: str, kind: Kind) -> None:
    if kind.name == "list":
        raise ExpressionError(
            f"{path!r} is a list; samples are sorted by one value each. Use an expression, such as "
            f'F("{path}").length(), .max() or .mean().'
        )
    if not kind.is_scalar and kind.name != "any":
        raise ExpressionError(f"{path!r} is a {kind}; samples are sorted by numbers, text, dates, booleans or ids.")


def _sorted(computed: Bson, order: dict[str, int]) -> list[Bson]:
    if not computed:
        return [{"$sort": order}]
    return [{"$set": {KEYS: computed}}, {"$sort": order}, {"$unset": KEYS}]


def by_id(schema: Schema) -> dict[str, int]:
    """Give the order that is left where nothing else tells samples apart: that of their ids, also of patches."""
    return {"sample_id": 1, "_id": 1} if is_of_patches(schema) else {"_id": 1}


def _at_random(seed: int, schema: Schema) -> list[Bson]:
    hashed = {"$toHashedIndexKey": {"seed": seed, "id": "$_id"}}
    return _sorted({"key0": hashed}, {f"{KEYS}.key0": 1, **by_id(schema)})


def _drawn(seed: Any) -> int:
    return secrets.randbelow(2**31) if seed is None else whole(seed, "seed")


@dataclass(frozen=True)
class Shuffle(Stage):
    """Put the samples in a random order that depends only on the seed and their ids.

    Args:
        seed: an integer; None draws one now, so that the view keeps its order.

    Example:
        >>> print(Shuffle(seed=51))
        shuffle(seed=51)
    """

    name = "shuffle"
    sets_order = True

    seed: int | None = None

    def __post_init__(self) -> None:
        self._settle(seed=_drawn(self.seed))

    def to_mongo(self, schema: Schema) -> list[Bson]:
        """Give the steps of the pipeline."""
        assert self.seed is not None
        return _at_random(self.seed, schema)


@dataclass(frozen=True)
class Take(Stage):
    """Keep a number of samples drawn at random, depending only on the seed and their ids.

    Args:
        size: how many samples; all, if there are not as many, and none if it is not positive.
        seed: an integer; None draws one now, so that the view keeps its samples.

    Example:
        >>> print(Take(10, seed=51))
        take(10, seed=51)
    """

    name = "take"
    sets_order = True

    size: int
    seed: int | None = None

    def __post_init__(self) -> None:
        self._settle(size=whole(self.size, "size"), seed=_drawn(self.seed))

    def to_mongo(self, schema: Schema) -> list[Bson]:
        """Give the steps of the pipeline."""
        assert self.seed is not None
        if self.size <= 0:
            return [{"$match": NOTHING}]
        return [*_at_random(self.seed, schema)[:2], {"$limit": self.size}, {"$unset": KEYS}]
