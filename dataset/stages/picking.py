"""Stages that keep samples by position or by id: limit, skip, select, exclude."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..errors import ViewError
from ..expressions import NOTHING
from ..expressions.typed import literal
from ..schema import Schema
from ..types import Bson, Oid, is_id
from .base import Stage, whole
from .ordering import by_id

MOST_IDS = 300_000
"""More ids than this do not fit into one command to the database."""


@dataclass(frozen=True)
class Limit(Stage):
    """Keep the first samples.

    Args:
        limit: how many samples; none if it is not positive.

    Example:
        >>> print(Limit(10))
        limit(10)
    """

    name = "limit"
    needs_order = True

    limit: int

    def __post_init__(self) -> None:
        self._settle(limit=whole(self.limit, "limit"))

    def to_mongo(self, schema: Schema) -> list[Bson]:  # noqa: ARG002  # positions know no fields
        """Give the steps of the pipeline."""
        return [{"$limit": self.limit}] if self.limit > 0 else [{"$match": NOTHING}]


@dataclass(frozen=True)
class Skip(Stage):
    """Leave out the first samples.

    Args:
        skip: how many samples; none if it is not positive.

    Example:
        >>> print(Skip(10))
        skip(10)
    """

    name = "skip"
    needs_order = True

    skip: int

    def __post_init__(self) -> None:
        self._settle(skip=whole(self.skip, "skip"))

    def to_mongo(self, schema: Schema) -> list[Bson]:  # noqa: ARG002  # positions know no fields
        """Give the steps of the pipeline."""
        return [{"$skip": self.skip}] if self.skip > 0 else []


@dataclass(frozen=True)
class Select(Stage):
    """Keep the samples with the given ids; ids that are not there are passed over.

    Args:
        sample_ids: an id, a sample, or several of them.
        ordered: whether the samples come in the order of the ids.

    Example:
        >>> print(Select("64b7f0c2a1d3e4f5a6b7c8d9"))
        select(["64b7f0c2a1d3e4f5a6b7c8d9"])
    """

    name = "select"

    sample_ids: Any
    ordered: bool = False

    def __post_init__(self) -> None:
        self._settle(sample_ids=ids_of(self.sample_ids, "select"), ordered=bool(self.ordered))

    @property
    def sets_order(self) -> bool:  # type: ignore[override]  # constant for all other stages
        """Whether it determines the order in which samples leave."""
        return self.ordered

    def to_mongo(self, schema: Schema) -> list[Bson]:
        """Give the steps of the pipeline."""
        ids = [Oid(sample_id) for sample_id in self.sample_ids]
        found: list[Bson] = [{"$match": {"_id": {"$in": ids}}}]
        if self.ordered:
            place = {"$indexOfArray": [literal(ids), "$_id"]}
            found += [{"$set": {"_sort": place}}, {"$sort": {"_sort": 1, **by_id(schema)}}, {"$unset": "_sort"}]
        return found


@dataclass(frozen=True)
class Exclude(Stage):
    """Leave out the samples with the given ids.

    Args:
        sample_ids: an id, a sample, or several of them.

    Example:
        >>> print(Exclude("64b7f0c2a1d3e4f5a6b7c8d9"))
        exclude(["64b7f0c2a1d3e4f5a6b7c8d9"])
    """

    name = "exclude"

    sample_ids: Any

    def __post_init__(self) -> None:
        self._settle(sample_ids=ids_of(self.sample_ids, "exclude"))

    def to_mongo(self, schema: Schema) -> list[Bson]:  # noqa: ARG002  # every sample has an id
        """Give the steps of the pipeline."""
        return [{"$match": {"_id": {"$nin": [Oid(sample_id) for sample_id in self.sample_ids]}}}]


def ids_of(given: Any, stage: str, what: str = "sample") -> tuple[str, ...]:
    """Give the ids of what was given, each once.

    Args:
        given: an id, a sample or label, or several of them.
        stage: who asks, for messages.
        what: whose ids they are, for messages.

    Raises:
        ViewError: if something is neither, or if there are too many ids.
    """
    several = isinstance(given, Iterable) and not isinstance(given, str) and not isinstance(_id(given), str)
    ids = tuple(dict.fromkeys(_checked(item, stage, what) for item in (given if several else [given])))
    if len(ids) > MOST_IDS:
        remedy = "match_tags()" if what == "sample" else "the argument tags"
        raise ViewError(
            f"{stage}() was given {len(ids)} ids; a view takes {MOST_IDS}. Tag the {what}s and use {remedy}."
        )
    return ids


def _id(item: Any) -> Any:
    if isinstance(item, str):
        return item
    return str(item) if type(item).__name__ == "ObjectId" else getattr(item, "id", None)


def _checked(item: Any, stage: str, what: str) -> str:
    found = _id(item)
    if not isinstance(found, str) or not is_id(found.lower()):
        raise ViewError(
            f"{stage}() was given {item!r}, which is no {what} id. Give ids of 24 hexadecimal digits, or {what}s; "
            "use match() for other conditions."
        )
    return str(found).lower()
