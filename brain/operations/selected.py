"""A selection that was made: its samples in the order of picking, and what there is to know about it.

How one is made is `operations.select`; how it is found again, compared and repeated is `operations.selections`.
"""

from collections.abc import Iterator, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...dataset import display, runs
from ...dataset.errors import SelectionError
from ...dataset.expressions import ViewField
from ...dataset.types import Progress, SampleId
from ..selection import curves
from ..selection.config import slug_of

if TYPE_CHECKING:
    from ...dataset.view import DatasetView
    from .selections import Comparison

_OF_THE_WHOLE = (
    "stopped", "note", "clips", "smallest_distance", "radius", "radius_bound", "objectives", "classes", "comparison"
)  # fmt: skip
"""What a report says of all picks, and nobody can tell of the first ones without measuring anew."""


class Selection:
    """The result of `select`; its samples carry the tag and their rank, so it can be found again by these.

    Where a tag grew, it is about the picks of the last time.

    Attributes:
        run: the record of the run, with the config in its `params`.
        ids: the picked samples, in the order of picking.
        distances: each pick's distance to the nearest earlier one; None for a first pick that has none.
        reasons: which strategies decided about each pick, and their shares, such as "DIVERSITY 72 %, WEIGHTS 28 %".
        ranks: each pick's place in the order, from 0, or behind those that a growing tag had; there are gaps where
            samples were deleted since.
        missing: how many picks were deleted, or lost the tag, before this was loaded.
    """

    def __init__(
        self,
        run: runs.Run,
        ids: Sequence[SampleId],
        distances: Sequence[float | None],
        reasons: Sequence[str | None] = (),
        ranks: Sequence[int] | None = None,
        *,
        first: int | None = None,
    ) -> None:
        """Hold the result of a run.

        Args:
            run: the record of the run.
            ids: the picks, in order.
            distances: to the nearest earlier pick.
            reasons: of each pick; may be left out.
            ranks: of each pick; without gaps by default.
            first: that this is only about the first so many picks of the run.
        """
        self.run = run
        self.ids = list(ids)
        self._picked = frozenset(self.ids)
        self.distances = list(distances)
        self.reasons = list(reasons) or [None] * len(self.ids)
        self._begin = int(run.params.get("first_rank") or 0)
        self.ranks = list(range(self._begin, self._begin + len(self.ids)) if ranks is None else ranks)
        self._first = first
        self.missing = max(0, self._made - len(self.ids))

    @property
    def tag(self) -> str:
        """The tag on the picked samples."""
        return str(self.run.params["tag"])

    @property
    def path(self) -> str:
        """Where the samples hold `rank`, `distance` and `reason`: "selections.<slug>"."""
        return f"selections.{slug_of(self.tag)}"

    @property
    def config(self) -> dict[str, Any]:
        """The selection config it was made with, every default written out."""
        return dict(self.run.params["selection_config"])

    @property
    def report(self) -> dict[str, Any]:
        """What there is to know about it; see `selection.report.report_of`.

        Of a prefix: what holds for it, without measuring anew.
        """
        report = self.run.summary()
        if self._first is not None:
            report = self._cut(report)
        return {**report, "missing": self.missing} if self.missing else report

    @property
    def _made(self) -> int:
        """How many picks were made."""
        made = int(self.run.facts.get("selected", len(self.ids)))
        return made if self._first is None else min(made, self._first)

    @property
    def _together(self) -> int:
        """How many samples are picked at a time; curves count clips."""
        return int(self.config.get("selected_sequence_length") or 1)

    def _cut(self, report: dict[str, Any]) -> dict[str, Any]:
        """The report of the first picks, without what is only known of all."""
        cut = {key: value for key, value in report.items() if key not in _OF_THE_WHOLE} | {"selected": self._made}
        known = [distance for distance in self.distances if distance is not None]
        if known and "smallest_distance" in report:
            cut["smallest_distance"] = min(known)
        if "curve" in report:
            kept = sum(picks * self._together <= self._made for picks in report["curve"]["picks"])
            curve = cut["curve"] = {name: values[:kept] for name, values in report["curve"].items()}
            if kept:
                covered = {"picks": curve["coverage"][-1], "random": curve["random_coverage"][-1]}
                measured = curve["picks"][-1] * self._together
                cut["comparison"] = {"coverage": covered if measured == self._made else covered | {"at": measured}}
        return cut

    def __len__(self) -> int:
        """The number of picked samples."""
        return len(self.ids)

    def __iter__(self) -> Iterator[SampleId]:
        """The ids of the picked samples, in the order of picking."""
        return iter(self.ids)

    def __getitem__(self, place: slice) -> "Selection":
        """The first picks: `selection[:3]` is `selection.prefix(3)`.

        Raises:
            SelectionError: if it does not begin with the first pick, or leaves some out.
        """
        is_first = isinstance(place, slice) and not place.start and place.step in (None, 1)
        if is_first and place.stop is None:
            return self
        if not is_first or not isinstance(place.stop, int | np.integer) or place.stop < 0:
            raise SelectionError(
                f"selection[{place!r}]: only the first picks are a selection, such as selection[:3]. "
                "Single picks are in selection.ids, their samples in selection.view()."
            )
        return self.prefix(int(place.stop))

    def __contains__(self, sample_id: object) -> bool:
        """Whether a sample was picked."""
        return sample_id in self._picked

    def view(self) -> "DatasetView":
        """The picked samples in the order of picking."""
        rank = f"{self.path}.rank"
        view = self.run.dataset.match_tags(self.tag).match(
            ViewField(rank) >= self._begin
        )  # not what was tagged by hand
        return (view if self._first is None else view.match(ViewField(rank) < self._begin + self._first)).sort_by(rank)

    def prefix(self, k: int) -> "Selection":
        """The first picks, as a selection of their own: had fewer been asked for, it would have been these.

        Nothing is computed or written. Only where a strict balance or a target range looked at the whole size, fewer
        might have been others.

        Args:
            k: how many picks; more than there are is all.

        Raises:
            SelectionError: if `k` is no whole number of at least 1.
        """
        if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
            raise SelectionError(f"prefix({k!r}): give a whole number of picks, 1 to {self._made}.")
        first = min(int(k), self._made)
        end = sum(rank < self._begin + first for rank in self.ranks)
        return Selection(
            self.run, self.ids[:end], self.distances[:end], self.reasons[:end], self.ranks[:end], first=first
        )

    def curve(self) -> dict[str, NDArray[np.float64]]:
        """How well the first picks stand for all candidates.

        Returns:
            Arrays of equal length: `picks`, numbers of picked samples; `mean_distance` and `largest_distance` of the
            candidates to the nearest of so many picks; `coverage`, 1 - mean distance / mean distance to the most
            central candidate; `random_coverage`, that of as many picks at random. They are measured on up to 4,096
            candidates.

        Raises:
            SelectionError: if no strategy looked at vectors.
        """
        found = self.report.get("curve")
        if not found:
            raise SelectionError(
                f"selection {self.tag!r} has no curve: none of its strategies looks at embeddings. "
                "Select with DIVERSITY, COVERAGE, TYPICALITY or SIMILARITY for one."
            )
        curve = {name: np.array(values, dtype=np.float64) for name, values in found.items()}
        return {**curve, "picks": curve["picks"] * self._together}

    def suggest_n(self, coverage: float = 0.9) -> int:
        """How many picks are needed: the smallest number on the curve whose coverage reaches a wish.

        Beyond 29 picks the curve has some numbers only, so the answer may be a few percent too high.

        Args:
            coverage: above 0 and at most 1; see `curve`.

        Raises:
            SelectionError: if so many picks do not reach it, or no strategy looked at vectors.
        """
        if not 0 < coverage <= 1:
            raise SelectionError(f"suggest_n(coverage={coverage!r}): give a number above 0 and at most 1, such as 0.9.")
        curve = self.curve()
        found = curves.suggest_n(curve["picks"].astype(np.int64), curve["coverage"], coverage)
        if found is None:
            reached = float(curve["coverage"][-1]) if len(curve["coverage"]) else 0.0
            raise SelectionError(
                f"coverage {coverage:g} is not reached: the {self._made} picks of {self.tag!r} reach {reached:.3g}. "
                "Select more, or ask for less."
            )
        return found

    def is_stale(self) -> list[str]:
        """The fields that it looked at, also of examples elsewhere, changed since: advisory, empty if none."""
        from .selection_examples import changed_examples

        own = {path.split(".")[0] for path in self.run.writes}  # selecting changes these itself
        changed = [name for name in self.run.is_stale() if name not in own]
        return changed + changed_examples(self.run.facts.get("examples") or ())

    def compare(self, other: "Selection | str") -> "Comparison":
        """Set it beside another selection; see `Comparison`.

        Args:
            other: a selection, of a clone too; or the tag of one of the same dataset.
        """
        from .selections import compare

        return compare(self, self.run.dataset.load_selection(other) if isinstance(other, str) else other)

    def replay(self, *, device: str | None = None, progress: Progress = None) -> "Comparison":
        """Select again with the same config from the same view, without writing anything, and compare.

        Args:
            device: where to compute, as in `select`.
            progress: whether to show a bar.

        Returns:
            The comparison with the new picks; `identical` says whether they are the same in the same order. Of a
            selection that was interrupted, as many are compared as it has.
        """
        from .selections import replay

        return replay(self, device=device, progress=progress)

    def delete(self) -> None:
        """Delete it, with the tag and the figures that it wrote and nobody changed since.

        Raises:
            SelectionError: if this is a prefix, which is not kept by itself.
        """
        if self._first is not None:
            raise SelectionError(
                f"these are the first {self._first} picks of {self.tag!r}, which are not kept by themselves. "
                f"dataset.delete_selection({self.tag!r}) deletes the whole selection."
            )
        self.run.dataset.delete_selection(self.tag)

    def to_dict(self) -> dict[str, Any]:
        """The selection as values that JSON can hold: tag, dataset, config, report, and the picks in order."""
        from .selection_forms import picks_of

        return {
            "tag": self.tag, "dataset": self.run.dataset.name, "selection_config": self.config,
            "seed": self.run.params.get("seed"), "report": self.report, "picks": picks_of(self),
        }  # fmt: skip

    def to_json(self, path: str | PathLike[str], *, overwrite: bool = False) -> None:
        """Write `to_dict()` to a file, whole or not at all.

        Args:
            path: the file.
            overwrite: whether a file that is there is replaced.

        Raises:
            SelectionError: if it is there and is not to be replaced, or its folder does not exist.
        """
        from .selection_forms import write_json

        write_json(self.to_dict(), path, overwrite=overwrite)

    def to_csv(self, path: str | PathLike[str], *, overwrite: bool = False) -> None:
        """Write the picks to a table with the columns rank, id, filepath, distance, reason, whole or not at all.

        Args:
            path: the file.
            overwrite: whether a file that is there is replaced.

        Raises:
            SelectionError: if it is there and is not to be replaced, or its folder does not exist.
        """
        from .selection_forms import picks_of, write_csv

        write_csv(picks_of(self), path, overwrite=overwrite)

    def __repr__(self) -> str:
        """The report in a few lines."""
        lines = [f"{name}: {value}" for name, value in self._facts().items()]
        return "\n".join([f"Selection {self.tag!r}", *(f"    {line}" for line in lines)])

    def _repr_html_(self) -> str:
        curve = self.curve() if self.report.get("curve") else {}
        lines = {
            name: [(float(x), float(y)) for x, y in zip(curve["picks"], curve[key], strict=True) if np.isfinite(y)]
            for name, key in (("selected", "coverage"), ("at random", "random_coverage"))
            if curve
        }
        return display.selection_html(self.tag, self._facts(), lines, self.view()._thumbnails())

    def _facts(self) -> dict[str, Any]:
        from .selection_forms import facts_of

        return facts_of(self)
