"""View stages as methods. What a stage means is documented on its class in `dataset.stages`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .. import extensions, stages
from ..errors import ViewError
from ..expressions import ViewExpression
from ..types import SampleId
from .base import Base

if TYPE_CHECKING:
    from ..patches import PatchesView
    from ..sample import Sample
    from ..view import DatasetView
    from . import SampleCollection


class Staging(Base):
    """Methods that give a view."""

    def add_stage(self, stage: stages.Stage) -> "DatasetView":
        """The view through one more stage."""
        if not isinstance(stage, stages.Stage):
            raise ViewError(f"add_stage() was given {stage!r}, which is no stage. Make one, such as Limit(10).")
        return self._then(stage)

    def match(self, filter: ViewExpression | dict[str, Any]) -> "DatasetView":
        """The samples for which an expression holds; see `stages.Match`."""
        return self._then(stages.Match(filter))

    def match_tags(self, tags: str | Iterable[str], bool: bool | None = None, all: bool = False) -> "DatasetView":
        """The samples that have any (or all) of some tags; see `stages.MatchTags`."""
        return self._then(stages.MatchTags(tags, bool, all))

    def match_labels(
        self,
        labels: Iterable[Mapping[str, Any]] | None = None,
        ids: str | Iterable[str] | None = None,
        tags: str | Iterable[str] | None = None,
        filter: ViewExpression | None = None,
        fields: str | Iterable[str] | None = None,
        bool: bool | None = None,
    ) -> "DatasetView":
        """The samples that have a label with some ids, tags or properties; see `stages.MatchLabels`."""
        return self._then(stages.MatchLabels(labels, ids, tags, filter, fields, bool))

    def exists(self, field: str, bool: bool | None = None) -> "DatasetView":
        """The samples that have a value in a field; see `stages.Exists`."""
        return self._then(stages.Exists(field, bool))

    def sort_by(
        self, field_or_expr: str | ViewExpression | Sequence[tuple[str, int]], reverse: bool = False
    ) -> "DatasetView":
        """The samples in the order of a field or expression; see `stages.SortBy`."""
        return self._then(stages.SortBy(field_or_expr, reverse))

    def sort_by_similarity(
        self,
        query: Any,
        k: int | None = None,
        reverse: bool = False,
        dist_field: str | None = None,
        brain_key: str | None = None,
        model: Any = None,
    ) -> "DatasetView":
        """The samples by their similarity to a sample, a vector, text or several of these.

        See `saccade.brain.sort_by_similarity`.
        """
        sort = extensions.find("sort_by_similarity")
        view: DatasetView = sort(
            self, query, k, reverse=reverse, dist_field=dist_field, brain_key=brain_key, model=model
        )
        return view

    def limit(self, limit: int) -> "DatasetView":
        """The first samples; see `stages.Limit`."""
        return self._then(stages.Limit(limit))

    def skip(self, skip: int) -> "DatasetView":
        """All but the first samples; see `stages.Skip`."""
        return self._then(stages.Skip(skip))

    def shuffle(self, seed: int | None = None) -> "DatasetView":
        """The samples in random order; see `stages.Shuffle`."""
        return self._then(stages.Shuffle(seed))

    def take(self, size: int, seed: int | None = None) -> "DatasetView":
        """A random subset of a given size; see `stages.Take`."""
        return self._then(stages.Take(size, seed))

    def select(
        self, sample_ids: "SampleId | Sample | DatasetView | Iterable[Any]", ordered: bool = False
    ) -> "DatasetView":
        """Certain samples, by id; see `stages.Select`."""
        return self._then(stages.Select(self._ids_of(sample_ids), ordered))

    def exclude(self, sample_ids: "SampleId | Sample | DatasetView | Iterable[Any]") -> "DatasetView":
        """All but certain samples, by id; see `stages.Exclude`."""
        return self._then(stages.Exclude(self._ids_of(sample_ids)))

    def select_by(self, field: str, values: Any, ordered: bool = False) -> "DatasetView":
        """The samples with certain values in a field; see `stages.SelectBy`."""
        return self._then(stages.SelectBy(field, values, ordered))

    def exclude_by(self, field: str, values: Any) -> "DatasetView":
        """All but the samples with certain values in a field; see `stages.ExcludeBy`."""
        return self._then(stages.ExcludeBy(field, values))

    def group_by(
        self,
        field_or_expr: str | ViewExpression | Sequence[str | ViewExpression],
        order_by: str | ViewExpression | None = None,
        reverse: bool = False,
        flat: bool = True,
        match_expr: ViewExpression | None = None,
        sort_expr: ViewExpression | None = None,
    ) -> "DatasetView":
        """The samples with those of the same value one after another; see `stages.GroupBy`."""
        return self._then(stages.GroupBy(field_or_expr, order_by, reverse, flat, match_expr, sort_expr))

    def concat(self, samples: "SampleCollection") -> "DatasetView":
        """These samples, then those of another view of the same dataset; see `stages.Concat`.

        Raises:
            ViewError: if `samples` is no dataset or view, or one of another dataset.
        """
        if not isinstance(samples, Base):
            raise ViewError(f"concat() was given {samples!r}. Give this dataset or a view of it.")
        if samples._root != self._root:
            raise ViewError(
                f"concat() was given samples of dataset {samples._root.name!r}, and this is {self._title()}. "
                "A view shows one dataset; add_samples() copies samples into another."
            )
        return self._then(stages.Concat(samples._stages))

    def select_fields(self, field_names: str | Iterable[str] | None = None) -> "DatasetView":
        """The samples with these fields only, and the default ones; see `stages.SelectFields`."""
        return self._then(stages.SelectFields(field_names if field_names is not None else ()))

    def exclude_fields(self, field_names: str | Iterable[str]) -> "DatasetView":
        """The samples without these fields; see `stages.ExcludeFields`."""
        return self._then(stages.ExcludeFields(field_names))

    def filter_labels(self, field: str, filter: ViewExpression, only_matches: bool = True) -> "DatasetView":
        """The samples with those labels of a field for which an expression holds; see `stages.FilterLabels`."""
        return self._then(stages.FilterLabels(field, filter, only_matches))

    def filter_field(self, field: str, filter: ViewExpression, only_matches: bool = True) -> "DatasetView":
        """The samples with a field's value only where an expression holds; see `stages.FilterField`."""
        return self._then(stages.FilterField(field, filter, only_matches))

    def limit_labels(self, field: str, limit: int) -> "DatasetView":
        """The samples with the first labels of a field only; see `stages.LimitLabels`."""
        return self._then(stages.LimitLabels(field, limit))

    def select_labels(
        self,
        labels: Iterable[Mapping[str, Any]] | None = None,
        ids: str | Iterable[str] | None = None,
        tags: str | Iterable[str] | None = None,
        fields: str | Iterable[str] | None = None,
        omit_empty: bool = True,
    ) -> "DatasetView":
        """The samples with those labels only that have some ids or tags; see `stages.SelectLabels`."""
        return self._then(stages.SelectLabels(labels, ids, tags, fields, omit_empty))

    def exclude_labels(
        self,
        labels: Iterable[Mapping[str, Any]] | None = None,
        ids: str | Iterable[str] | None = None,
        tags: str | Iterable[str] | None = None,
        fields: str | Iterable[str] | None = None,
        omit_empty: bool = True,
    ) -> "DatasetView":
        """The samples without those labels that have some ids or tags; see `stages.ExcludeLabels`."""
        return self._then(stages.ExcludeLabels(labels, ids, tags, fields, omit_empty))

    def set_field(self, field: str, expr: Any) -> "DatasetView":
        """The samples with the result of an expression in a field; nothing is stored. See `stages.SetField`."""
        return self._then(stages.SetField(field, expr))

    def map_labels(self, field: str, map: Mapping[str, str | None]) -> "DatasetView":
        """The samples with other names for some labels; nothing is stored. See `stages.MapLabels`."""
        return self._then(stages.MapLabels(field, map))

    def map_values(self, field: str, map: Mapping[Any, Any]) -> "DatasetView":
        """The samples with other values for some values of a field; nothing is stored. See `stages.MapValues`."""
        return self._then(stages.MapValues(field, map))

    def to_patches(self, field: str) -> "PatchesView":
        """One row for each label of a field, in place of the samples; see `stages.ToPatches`.

        Rows are matched, sorted and counted like samples. What is written to them is written to the labels.

        Example:
            >>> patches = dataset.to_patches("ground_truth")  # doctest: +SKIP
            >>> patches.match(F("ground_truth.confidence") < 0.5).tag_labels("unsure")  # doctest: +SKIP
        """
        return self._then(stages.ToPatches(field))  # type: ignore[return-value]  # through this stage it is one

    def mongo(self, pipeline: Sequence[Mapping[str, Any]]) -> "DatasetView":
        """The samples after steps in MongoDB's own language; see `stages.Mongo`."""
        return self._then(stages.Mongo(pipeline))

    @classmethod
    def list_view_stages(cls) -> list[str]:
        """The names of the stages."""
        return sorted(stages.stage_types)

    def _ids_of(self, given: Any) -> list[Any]:
        """Ids of whatever names samples: ids, samples, views; of patches, where these are patches."""
        if isinstance(given, str):
            return [given]
        if getattr(given, "_patched", self._patched) != self._patched:
            raise ViewError(
                f"what was given shows other rows than {self._title()}, so its ids name none of them: one shows "
                "samples, the other patches, or patches of another field. The 'sample_id' of patches names samples."
            )
        if isinstance(given, Base):
            read: Callable[[], list[SampleId]] = given._ids  # type: ignore[attr-defined]  # Reading supplies it
            return read()
        own = getattr(given, "id", None)
        if isinstance(own, str):
            return [own]
        if not isinstance(given, Iterable):
            return [given]  # which the stage refuses
        return [sample_id for item in given for sample_id in self._ids_of(item)]
