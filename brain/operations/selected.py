"""A selection that was made: its samples in the order of picking, and what there is to know about it."""

from typing import TYPE_CHECKING, Any

from ...dataset import display
from ...dataset.runs import Run
from ...dataset.types import SampleId

if TYPE_CHECKING:
    from ...dataset.view import DatasetView


# What `select` calls (agreed form; the body follows):
#
#   report, reasons = report_of(objectives, picks, candidates=mask, preselected=rows, seed=seed, wanted=count)
#       objectives, picks (`Picks`), mask, rows: what `pick` was given and what it returned.
#       wanted: how many new picks were asked for.
#       report: plain dict for `run.facts`: selected, candidates, preselected, stopped, note, smallest_distance, radius,
#           radius_bound, curve, objectives, classes, random. Add `without_vector` and the like to it.
#       reasons: list[str], one for each pick, for `selections.<slug>.reason`.
#   Selection(run, ids, distances, reasons)
#
# What `Selection.replay` calls in `select.py`; it reads and picks, records and writes nothing:
#
#   choose(samples, params, *, device=None, progress=None) -> (ids, distances)
#       params: `run.params` as `select` keeps them: selection_config, tag, preselected_tag, seed, rule, first, ...
#
# Of objectives: `.name`, `.label`, `.strength`, `.history(rows, picks) -> (k, len(rows))` log phi of rows at each turn,
# `.history_of_picks(picks) -> (k,)`. Optional on BALANCE: `.classes`, the names of its columns.


class Selection:
    """The result of `select`; its samples carry the tag and their rank, so it can be found again by these.

    Attributes:
        run: the record of the run, with the config in its `params`.
        ids: the picked samples, in the order of picking.
        distances: each pick's distance to the nearest earlier one; None for a first pick that has none.
    """

    def __init__(self, run: Run, ids: list[SampleId], distances: list[float | None]) -> None:
        """Hold the result of a run."""
        self.run = run
        self.ids = ids
        self.distances = distances

    @property
    def tag(self) -> str:
        """The tag on the picked samples."""
        return str(self.run.params["tag"])

    @property
    def report(self) -> dict[str, Any]:
        """How many were selected of how many candidates, the smallest distance between two of them, and any note."""
        return dict(self.run.facts)

    def __len__(self) -> int:
        """The number of picked samples."""
        return len(self.ids)

    def view(self) -> "DatasetView":
        """The picked samples in the order of picking."""
        return self.run.dataset.match_tags(self.tag).sort_by(f"{self.run.key}.rank")

    def __repr__(self) -> str:
        """The report in a few lines."""
        lines = [f"{name}: {value}" for name, value in self._facts().items()]
        return "\n".join([f"Selection {self.tag!r}", *(f"    {line}" for line in lines)])

    def _repr_html_(self) -> str:
        return display.run_html(self.tag, self._facts(), kind="selection")

    def _facts(self) -> dict[str, Any]:
        report = self.report
        facts = {"dataset": self.run.dataset.name, "selected": f"{len(self)} of {report.get('candidates')} candidates"}
        if report.get("without_vector"):
            facts["without vector"] = str(report["without_vector"])
        if "smallest_distance" in report:
            facts["smallest distance"] = f"{report['smallest_distance']:.4g} between any two picks"
        if "note" in report:
            facts["note"] = report["note"]
        return {**facts, "fields": f"{self.run.key}.rank, .distance"}
