"""Selections that were made: found again, deleted, set beside each other, and made once more."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ...dataset import columns, display, journal, runs
from ...dataset.errors import RunNotFoundError, SelectionError, hint
from ...dataset.store import actions, run_records
from ...dataset.types import FloatArray, Progress, SampleId
from ..selection.curves import Evaluation, Places
from .selected import Selection

if TYPE_CHECKING:
    from ...dataset.dataset import Dataset

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Comparison:
    """Two selections beside each other; pairs are of the first and the second.

    Attributes:
        tags: how they are called.
        sizes: how many picks they have.
        overlap: how many samples are in both.
        identical: whether they are the same samples in the same order.
        first_difference: the first place in the order, from 0, where they differ; None where they are identical.
        coverage: how well each stands for its candidates, 0 to 1; None where that was not measured.
        mean_distance: from a pick of each to the nearest pick of the other; None where there are no vectors to compare.
        classes: what share each class has in each, where both were balanced over the same classes.
        stale: the fields that the first one looked at and that were changed since.
    """

    tags: tuple[str, str]
    sizes: tuple[int, int]
    overlap: int
    identical: bool
    first_difference: int | None
    coverage: tuple[float | None, float | None] = (None, None)
    mean_distance: tuple[float | None, float | None] = (None, None)
    classes: Mapping[str, tuple[float, float]] | None = None
    stale: Sequence[str] = ()

    @property
    def jaccard(self) -> float:
        """The share of samples in both among those in either, 0 to 1; 1 for two that are empty."""
        either = sum(self.sizes) - self.overlap
        return self.overlap / either if either else 1.0

    def to_dict(self) -> dict[str, Any]:
        """The comparison as values that JSON can hold."""
        classes = None if self.classes is None else {name: list(pair) for name, pair in self.classes.items()}
        return {
            "tags": list(self.tags), "sizes": list(self.sizes), "overlap": self.overlap, "jaccard": self.jaccard,
            "identical": self.identical, "first_difference": self.first_difference, "coverage": list(self.coverage),
            "mean_distance": list(self.mean_distance), "classes": classes, "stale": list(self.stale),
        }  # fmt: skip

    def __repr__(self) -> str:
        """The figures in a few lines."""
        return "\n    ".join([f"Comparison of {self._title}", *(f"{k}: {v}" for k, v in self._facts().items())])

    def _repr_html_(self) -> str:
        return display.run_html(self._title, self._facts(), "comparison")

    @property
    def _title(self) -> str:
        return f"{self.tags[0]!r} and {self.tags[1]!r}"

    def _facts(self) -> dict[str, str]:
        facts = {"picks": f"{self.sizes[0]} and {self.sizes[1]}"}
        if self.identical:
            facts["in both"] = "the same picks in the same order"
        else:
            facts["in both"] = (
                f"{self.overlap}, Jaccard {self.jaccard:.3g}; first differ at rank {self.first_difference}"
            )
        for name, pair in (("coverage", self.coverage), ("mean distance to the other", self.mean_distance)):
            if any(value is not None for value in pair):
                facts[name] = " and ".join("unknown" if value is None else f"{value:.4g}" for value in pair)
        if self.classes:
            shown = [f"{name} {one:.1%} and {two:.1%}" for name, (one, two) in list(self.classes.items())[:8]]
            facts["classes"] = f"{', '.join(shown)}{', …' if len(self.classes) > 8 else ''}"
        if self.stale:
            facts["changed since the first was made"] = ", ".join(self.stale)
        return facts


def list_selections(dataset: "Dataset") -> list[str]:
    """The tags of the selections that were made, oldest first."""
    return [run.params["tag"] for run in _made(dataset) if run.state == "completed"]


def load_selection(dataset: "Dataset", tag: str) -> Selection:
    """Give a selection as it is now: without samples that were deleted since, or that lost the tag.

    Raises:
        RunNotFoundError: if there is none with this tag.
        SelectionError: if it failed, is not done, or was undone.
    """
    run = _run_with(dataset, tag)
    if run.state != "completed":
        why = f": {run.message.rstrip('.')}" if run.message else ""
        raise SelectionError(f"selection {tag!r} is {run.state}{why}. Select again under this tag.")
    selection = _read(run)
    if stale := selection.is_stale():
        _log.warning(
            "selection %r looked at %s, changed since; replay() says what would be picked now", tag, ", ".join(stale)
        )
    return selection


def delete_selection(dataset: "Dataset", tag: str) -> None:
    """Delete a selection, with the tag and the figures that it wrote and nobody changed since.

    What was written is known for seven days, and not in a clone. Where it is not, all figures under its name go, and
    the tag from the samples that have them.

    Raises:
        RunNotFoundError: if there is none with this tag.
    """
    run = _run_with(dataset, tag)
    written = actions.list_actions(dataset._id, {"run": run.key, "state": "closed"})
    if written and not written[-1]["bytes"]:
        _remove_figures(Selection(run, [], []))
    runs.delete_run(dataset, run.key)


def _remove_figures(selection: Selection) -> None:
    """Remove what a selection wrote, as far as its samples show it."""
    dataset, path = selection.run.dataset, selection.path
    if "selections" not in dataset.get_field_schema():
        return
    ids = columns.read_ids(dataset.exists(f"{path}.rank"))
    with journal.action(dataset._id, "delete_selection", ["tags", "selections"]) as action:
        action.untag(ids, selection.tag)
        action.set(ids, {path: [actions.ABSENT] * len(ids)})


def replay(selection: Selection, *, device: str | None = None, progress: Progress = None) -> Comparison:
    """Select again with the same config from the same view, without writing anything, and compare.

    Of a selection that was interrupted, as many picks are compared as it has.
    """
    from .select import choose

    run = selection.run
    stale = selection.is_stale()
    if stale:
        _log.warning("selection %r looked at %s, changed since", selection.tag, ", ".join(stale))
    samples = run.dataset._view_of(run._record.get("view") or [])
    again, _ = choose(samples, run.params, device=device, progress=progress)
    is_begun = selection._first is not None or selection.report.get("stopped") == "interrupted"
    picks = again[: selection._made] if is_begun else again
    return _comparison(selection, picks, f"{selection.tag} again", stale=stale)


def compare(one: Selection, other: Selection) -> Comparison:
    """Set two selections beside each other.

    Raises:
        SelectionError: if the second is none.
    """
    if not isinstance(other, Selection):
        raise SelectionError(f"compare({other!r}): give a selection, or the tag of one.")
    first, second = _places(one), _places(other)
    return _comparison(
        one, other.ids, other.tag,
        coverage=(_coverage(one), _coverage(other)),
        mean_distance=(None, None) if first is None or second is None else _mean_distances(first, second),
        classes=_shared_classes(one.report.get("classes"), other.report.get("classes")),
        stale=one.is_stale(),
    )  # fmt: skip


def _comparison(one: Selection, ids: Sequence[SampleId], tag: str, **more: Any) -> Comparison:
    pairs = list(zip(one.ids, ids, strict=False))
    same = next((rank for rank, (first, second) in enumerate(pairs) if first != second), len(pairs))
    identical = list(one.ids) == list(ids)
    return Comparison(
        tags=(one.tag, tag), sizes=(len(one), len(ids)), overlap=len(set(one.ids).intersection(ids)),
        identical=identical, first_difference=None if identical else same, **more,
    )  # fmt: skip


def _made(dataset: "Dataset") -> list[runs.Run]:
    """The runs of selections, oldest first."""
    return [runs.run_of(dataset, record) for record in run_records.read_runs(dataset._id, operation="select")]


def _run_with(dataset: "Dataset", tag: str) -> runs.Run:
    """The run of the selection with a tag.

    Raises:
        RunNotFoundError: if there is none, naming the nearest.
    """
    found = {run.params["tag"]: run for run in _made(dataset)}
    if tag not in found:
        known = hint(str(tag), list_selections(dataset), "Selections")
        raise RunNotFoundError(f"no selection {tag!r} on dataset {dataset.name!r}. {known}")
    return found[tag]


def _read(run: runs.Run) -> Selection:
    """The picks of a selection, as the samples have them."""
    empty = Selection(run, [], [])
    figures = [f"{empty.path}.{name}" for name in ("distance", "reason", "rank")]
    if "selections" not in run.dataset.get_field_schema():  # there was nothing to pick
        return empty
    ids, found = columns.read_scalars(empty.view(), figures)
    return Selection(run, ids, *found.values())


def _coverage(selection: Selection) -> float | None:
    found = selection.report.get("curve", {}).get("coverage")
    return found[-1] if found else None


def _places(selection: Selection) -> tuple[str, FloatArray, bool] | None:
    """The vectors of the picks by which they were selected, of samples and not of their objects; None without."""
    for pair in selection.config["strategies"]:
        source, strategy = pair["input"], pair["strategy"]
        if source.get("type") == "EMBEDDINGS" and not source.get("task"):
            field = source.get("key", "embedding")
            if selection.run.dataset.has_field(field):
                _, vectors = columns.read_vectors(selection.view(), field)
                return field, vectors, strategy.get("normalize", True)
    return None


def _mean_distances(
    one: tuple[str, FloatArray, bool], other: tuple[str, FloatArray, bool]
) -> tuple[float | None, float | None]:
    (_, first, normalize), (_, second, _) = one, other
    if one[::2] != other[::2] or first.shape[1:] != second.shape[1:] or not len(first) or not len(second):
        return None, None  # distances of other vectors, or in another measure
    places = Places(np.concatenate([first, second]), normalize)
    is_first = np.arange(len(places.vectors)) < len(first)
    found = [_to_nearest(places, is_first, which) for which in (True, False)]
    return found[0], found[1]


def _to_nearest(places: Places, is_first: np.ndarray[Any, np.dtype[np.bool_]], which: Literal[True, False]) -> float:
    others = np.flatnonzero(is_first != which)
    curve = Evaluation(places, is_first == which).curve(others, [len(others)])
    return float(curve.mean_distance[0])


def _shared_classes(one: Any, other: Any) -> dict[str, tuple[float, float]] | None:
    if not one or not other or one[0]["classes"] != other[0]["classes"]:
        return None
    return dict(zip(one[0]["classes"], zip(one[0]["selected"], other[0]["selected"], strict=True), strict=True))
