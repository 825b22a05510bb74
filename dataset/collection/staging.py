"""View stages as methods. What a stage means is documented on its class in `dataset.stages`."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from .. import stages
from ..expressions import ViewExpression
from ..types import SampleId
from .base import Base

if TYPE_CHECKING:
    from ..sample import Sample
    from ..view import DatasetView


class Staging(Base):
    """Methods that give a view."""

    def add_stage(self, stage: stages.Stage) -> "DatasetView":
        """The view through one more stage."""
        return self._then(stage)

    def match(self, filter: ViewExpression | dict[str, Any]) -> "DatasetView":
        """The samples for which an expression holds; see `stages.Match`."""
        return self._then(stages.Match(filter))

    def match_tags(self, tags: str | Iterable[str], bool: bool | None = None, all: bool = False) -> "DatasetView":
        """The samples that have any (or all) of some tags; see `stages.MatchTags`."""
        return self._then(stages.MatchTags(tags, bool, all))

    def exists(self, field: str, bool: bool | None = None) -> "DatasetView":
        """The samples that have a value in a field; see `stages.Exists`."""
        return self._then(stages.Exists(field, bool))

    def sort_by(
        self, field_or_expr: str | ViewExpression | Sequence[tuple[str, int]], reverse: bool = False
    ) -> "DatasetView":
        """The samples in the order of a field or expression; see `stages.SortBy`."""
        return self._then(stages.SortBy(field_or_expr, reverse))

    def limit(self, num: int) -> "DatasetView":
        """The first samples; see `stages.Limit`."""
        return self._then(stages.Limit(num))

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
        return self._then(stages.Select(_ids_of(sample_ids), ordered))

    def exclude(self, sample_ids: "SampleId | Sample | DatasetView | Iterable[Any]") -> "DatasetView":
        """All but certain samples, by id; see `stages.Exclude`."""
        return self._then(stages.Exclude(_ids_of(sample_ids)))

    def select_fields(self, field_names: str | Iterable[str] | None = None) -> "DatasetView":
        """The samples with these fields only, and the default ones; see `stages.SelectFields`."""
        return self._then(stages.SelectFields(field_names if field_names is not None else ()))

    def exclude_fields(self, field_names: str | Iterable[str]) -> "DatasetView":
        """The samples without these fields; see `stages.ExcludeFields`."""
        return self._then(stages.ExcludeFields(field_names))

    def filter_labels(self, field: str, filter: ViewExpression, only_matches: bool = True) -> "DatasetView":
        """The samples with those labels of a field for which an expression holds; see `stages.FilterLabels`."""
        return self._then(stages.FilterLabels(field, filter, only_matches))

    @classmethod
    def list_view_stages(cls) -> list[str]:
        """The names of the stages."""
        return sorted(stages.stage_types)


def _ids_of(given: Any) -> list[SampleId]:
    """Ids of whatever names samples: ids, samples, views."""
    if isinstance(given, str):
        return [given]
    own = getattr(given, "id", None)
    if isinstance(own, str):
        return [own]
    if isinstance(given, Base):
        read: Callable[[], list[SampleId]] = given._ids  # type: ignore[attr-defined]  # Reading supplies it
        return read()
    return [sample_id for item in given for sample_id in _ids_of(item)]
