"""What every family of methods stands on: the dataset behind a collection, its stages, its pipeline and schema."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from .. import extensions
from ..schema import Schema
from ..stages import LabelField, SortBySimilarity, Stage, chain
from ..stages.similarity import looked_up
from ..store import samples, scan
from ..types import Bson, SampleId

if TYPE_CHECKING:
    from ..dataset import Dataset
    from ..view import DatasetView


class Base:
    """The part of a collection that its dataset or view supplies."""

    @property
    def _root(self) -> "Dataset":
        """The dataset that holds the samples."""
        raise AssertionError("a dataset or view supplies this")

    @property
    def _stages(self) -> tuple[Stage, ...]:
        """The stages between the dataset and this collection."""
        return ()

    @property
    def _patched(self) -> LabelField | None:
        """Where the labels lie of which the rows are patches; None where rows are samples."""
        return None

    def _stored_path(self, path: str) -> str:
        """Where samples hold what lies at a path of rows."""
        return path

    def _require_samples(self, what: str) -> None:
        """Refuse what works on samples where rows are patches.

        Raises:
            ViewError: if they are, naming `what` was asked.
        """

    def _title(self) -> str:
        """How messages call this collection."""
        name = f"dataset {self._root.name!r}"
        return name if not self._stages else f"this view of {name}"

    def _schema(self) -> Schema:
        """The fields that samples of this collection have now."""
        return chain.schema_after(self._stages, self._root._current_schema())

    def _pipeline(self, *, ordered: bool = True) -> list[Bson]:
        """The aggregation pipeline that gives this collection's documents.

        Args:
            ordered: whether their order matters; if not, the sort by id is left out where no stage needs it.
        """
        stages = looked_up(self._stages, self._order_by_similarity, ordered=ordered)
        return chain.pipeline(stages, self._root._current_schema(), ordered=ordered)

    def _order_by_similarity(self, before: tuple[Stage, ...], stage: SortBySimilarity) -> list[SampleId]:
        """The ids of the samples that arrive through some stages, by similarity."""
        found: list[SampleId] = extensions.find("order by similarity")(self._root, before, stage)
        return found

    def _documents(
        self, steps: Sequence[Bson] = (), *, ordered: bool = True, revision: int | None = None
    ) -> Iterator[Bson]:
        """The documents of this collection, after further pipeline steps; see `samples.aggregate_at` for a revision."""
        pipeline = [*self._pipeline(ordered=ordered), *steps]
        if revision is None:
            return samples.aggregate(self._root._id, pipeline)
        return samples.aggregate_at(self._root._id, pipeline, revision)

    def _columns(self, codes: Sequence[Any], *, with_ids: bool = True, are_numbers: bool = False) -> scan.Columns:
        """Something of each sample, in order.

        Args:
            codes: paths with "$", or other expressions of the database.
            with_ids: whether the ids are wanted.
            are_numbers: whether the codes give numbers and nothing else.
        """
        # Where no stage knows of an order it is that of the ids, in which they are put here.
        is_plain = self._patched is None and not any(
            stage.needs_order or stage.sets_order or isinstance(stage, chain.Concat) for stage in self._stages
        )
        return scan.read_columns(
            self._root._id, self._pipeline(ordered=not is_plain), codes,
            by_id=is_plain, with_ids=with_ids, are_numbers=are_numbers and not self._stages,
        )  # fmt: skip

    def _then(self, stage: Stage) -> "DatasetView":
        """The view of this collection through one more stage, checked now."""
        from ..patches import view_of

        chain.validate(stage, self._stages, self._root._current_schema())
        return view_of(self._root, (*self._stages, stage))

    def _facts(self) -> dict[str, Any]:
        """What the repr shows."""
        schema = self._schema()
        return {
            "name": self._root.name,
            "media_type": self._root.media_type,
            "num_samples": len(self),  # type: ignore[arg-type]  # Reading supplies it
            "persistent": self._root.persistent,
            "tags": list(self._root.tags),
            "fields": {name: str(schema[name]) for name in schema.names()},
        }
