"""Sorting by similarity: a stage that knows what is asked, and not the answer.

It keeps the vector of the question and the field of the vectors, never the ids of samples. Each time the view is read,
the collection has the order worked out anew and puts `Ranked` in its place.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..errors import FieldKindError, ViewError
from ..expressions.typed import literal
from ..schema import Schema, VectorField
from ..types import Bson, Metric, Oid, SampleId
from .base import Stage, whole
from .chain import Concat
from .matching import Exists
from .picking import MOST_IDS


@dataclass(frozen=True)
class SortBySimilarity(Stage):
    """Sort the samples by how near their vector is to another, the nearest first.

    Samples without a vector are left out.

    Args:
        query: the vector.
        field: the vector field of the samples.
        metric: "cosine" or "euclidean".
        k: how many samples; None for all that have a vector.
        reverse: whether the least similar come first, and are those that `k` keeps.

    Example:
        >>> print(SortBySimilarity([0.5, 1.0], "embedding", k=10))
        sort_by_similarity([0.5, 1.0], "embedding", k=10)
    """

    name = "sort_by_similarity"
    sets_order = True

    query: Any
    field: str
    metric: Metric = "cosine"
    k: int | None = None
    reverse: bool = False

    def __post_init__(self) -> None:
        query = tuple(float(value) for value in self.query)
        if self.metric not in ("cosine", "euclidean"):
            raise ViewError(f"metric={self.metric!r} is unknown; expected 'cosine' or 'euclidean'.")
        if self.k is not None and whole(self.k, "k") < 1:
            raise ViewError(f"k={self.k} is not a number of samples. Use 1 or more, or None for all.")
        self._settle(query=query, reverse=bool(self.reverse))

    def to_mongo(self, schema: Schema) -> list[Bson]:
        """Give the steps that find the samples with a vector; their order is not known before it is looked up.

        Raises:
            FieldNotFoundError: if there is no such field.
            FieldKindError: if it holds no vectors.
        """
        resolved = schema.resolve(self.field)
        if not isinstance(resolved.field, VectorField) or "." in self.field:
            raise FieldKindError(f"field {self.field!r} is a {resolved.field}, not a vector field of samples.")
        return Exists(self.field).to_mongo(schema)


@dataclass(frozen=True)
class Ranked(Stage):
    """Keep some samples, in this order. It stands for a while in the place of a stage that looked them up."""

    name = ""
    sets_order = True

    ids: tuple[SampleId, ...]

    def to_mongo(self, schema: Schema) -> list[Bson]:  # noqa: ARG002  # every sample has an id
        """Give the steps of the pipeline.

        The samples are counted in the order of their ids, which tells where in a list each one's rank is: looking an id
        up in a list of all takes as long as the list, for each sample. If one was deleted meanwhile, it is looked up.
        """
        ascending = sorted(self.ids)
        rank = {sample: place for place, sample in enumerate(self.ids)}
        ids, ranks = literal([Oid(sample) for sample in ascending]), literal([rank[sample] for sample in ascending])
        at = {"$subtract": ["$_sort", 1]}
        counted = {"$eq": [{"$arrayElemAt": [ids, at]}, "$_id"]}
        return [
            {"$match": {"_id": {"$in": [Oid(sample) for sample in ascending]}}},
            {"$setWindowFields": {"sortBy": {"_id": 1}, "output": {"_sort": {"$denseRank": {}}}}},
            {"$set": {"_sort": {"$arrayElemAt": [
                ranks, {"$cond": [counted, at, {"$indexOfArray": [ids, "$_id"]}]},
            ]}}},
            {"$sort": {"_sort": 1, "_id": 1}},
            {"$unset": "_sort"},
        ]  # fmt: skip


Order = Callable[[tuple[Stage, ...], SortBySimilarity], Sequence[SampleId]]
"""Works out the order of the samples that arrive through some stages."""


def looked_up(stages: tuple[Stage, ...], order: Order, *, ordered: bool) -> tuple[Stage, ...]:
    """Put what was looked up in the place of each stage that has to be.

    Args:
        stages: the stages of a view.
        order: works out the order of samples.
        ordered: whether the order of the outcome matters. If not, only what picks by order is looked up.

    Raises:
        ViewError: if so many samples were found that their order does not fit into one command to the database.
    """
    needed = ordered or any(stage.needs_order for stage in stages)
    done: list[Stage] = []
    for stage in stages:
        if isinstance(stage, Concat):
            done.append(replace(stage, samples=looked_up(stage.samples, order, ordered=needed)))
        elif isinstance(stage, SortBySimilarity) and (needed or stage.k is not None):
            ids = tuple(dict.fromkeys(order(tuple(done), stage)))
            if len(ids) > MOST_IDS // 2:
                raise ViewError(
                    f"{len(ids)} samples are to be sorted by similarity; a view takes {MOST_IDS // 2}. Give k."
                )
            done.append(Ranked(ids))
        else:
            done.append(stage)
    return tuple(done)
