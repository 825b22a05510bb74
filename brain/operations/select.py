"""`select`: pick the samples to label, look at or train on next. The picking itself is `kernels.diversity`."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...dataset import journal, runs
from ...dataset.columns import read_ids
from ...dataset.errors import SelectionError
from ...dataset.progress import shown
from ...dataset.schema import DictField
from ...dataset.store.actions import ABSENT
from ...dataset.types import Progress, SampleId
from ..kernels.diversity import farthest_first
from ..selection.config import DEFAULT_STRATEGIES, SelectionConfig, parse_config, slug_of
from .inputs import read_embeddings
from .selected import Selection

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection


def select(
    samples: "SampleCollection",
    selection_config: Mapping[str, Any] | None = None,
    *,
    n_samples: int | None = None,
    proportion_samples: float | None = None,
    strategies: Sequence[Mapping[str, Any]] | None = None,
    tag: str | None = None,
    seed: int = 0,
    progress: Progress = None,
) -> Selection:
    """Pick samples that are as unlike each other as can be, and tag them.

    Give the wishes as one `selection_config` in LightlyOne's form, or by the keywords of the same names.

    Args:
        samples: a dataset or view; only samples with a vector can be picked.
        selection_config: `{"n_samples": 50, "strategies": [{"input": {"type": "EMBEDDINGS", "key": "embedding"},
            "strategy": {"type": "DIVERSITY"}}]}`.
        n_samples: how many to pick; all, with a note, if there are fewer.
        proportion_samples: the same as a share of the candidates, rounded half up and to at least one.
        strategies: what decides; DIVERSITY over the field "embedding" by default.
        tag: the tag to write; the first free one of "selection-1", "selection-2", … by default. Selecting again under
            the tag of an earlier selection replaces it.
        seed: kept with the run; DIVERSITY draws nothing at random.
        progress: whether to show a bar: True, False, None (the setting), or a function of (done, total).

    Returns:
        The selection: its `ids` in the order of picking, its `view()`, its `report`.

    Writes:
        The tag; `selections.<slug>.rank`, from 0, and `selections.<slug>.distance`, to the nearest earlier pick
        (Euclidean between unit vectors, 0 to 2; None for the first): in one action. In the slug of a tag, every sign
        that is no letter, digit or underscore is an underscore.

    Raises:
        SelectionError: if the config cannot be carried out, naming the path of the key; or if the tag is in use for
            something else.
        FieldNotFoundError: if there is no such vector field.

    Source:
        Greedy k-center (Gonzalez, 1985), beginning with the most central sample.

    Example:
        ```python
        batch = scb.select(dataset, n_samples=100, tag="batch-7")
        dataset.match_tags("batch-7").sort_by("selections.batch_7.rank")
        ```
    """
    wishes = parse_config(_together(selection_config, n_samples, proportion_samples, strategies))
    tag = _checked_tag(samples, tag)
    path = f"selections.{slug_of(tag)}"
    (strategy,) = wishes.strategies
    params = {"selection_config": wishes.to_dict(), "tag": tag, "seed": seed}
    with runs.record(
        samples, "select", key=path, reads=[strategy.key], writes=["tags", path], params=params, one_action=True
    ) as run:
        found = read_embeddings(samples, strategy.key)
        wanted = wishes.size(len(found.ids))
        with shown(wanted, progress) as advance:
            picks, distances = farthest_first(found.vectors, wanted, normalize=True, advance=advance)
        ids = [found.ids[pick] for pick in picks]
        earlier = _ranked_before(samples, path)
        run.facts = _report(wishes, len(found.ids), found.without_vector, distances)
        ranked = [{"rank": rank, "distance": float(d) if np.isfinite(d) else None} for rank, d in enumerate(distances)]
        with journal.action(
            samples._root._id, "select", ["tags", "selections"], declare={"selections": DictField()}
        ) as action:
            action.untag(earlier, tag)
            action.set(earlier, {path: [ABSENT] * len(earlier)})
            action.tag(ids, tag)
            action.set(ids, {path: ranked})
    return Selection(run, ids, [entry["distance"] for entry in ranked])


def _together(
    config: Mapping[str, Any] | None,
    n_samples: int | None,
    proportion_samples: float | None,
    strategies: Sequence[Mapping[str, Any]] | None,
) -> Mapping[str, Any]:
    """One config of what was given as config or as keywords."""
    keywords = {"n_samples": n_samples, "proportion_samples": proportion_samples, "strategies": strategies}
    given = {name: value for name, value in keywords.items() if value is not None}
    if config is None:
        return {"strategies": list(DEFAULT_STRATEGIES), **given}
    if given:
        raise SelectionError(
            f"a selection_config and {', '.join(given)} were both given. Give the config, or keywords in its place."
        )
    return config


def _checked_tag(samples: "SampleCollection", tag: str | None) -> str:
    """The tag to write: free, or that of an earlier selection."""
    root = samples._root
    runs_there = {run.key: run for run in map(root.get_run_info, root.list_runs("select"))}
    if tag is None:
        used = root.count_sample_tags()
        numbers = range(1, len(used) + len(runs_there) + 2)
        return next(
            t
            for t in (f"selection-{i}" for i in numbers)
            if t not in used and f"selections.{slug_of(t)}" not in runs_there
        )
    if not tag.strip():
        raise SelectionError(f"tag={tag!r} is empty. Give the selection a name, such as 'batch-1'.")
    known = runs_there.get(f"selections.{slug_of(tag)}")
    if known is not None and known.params["tag"] != tag:
        raise SelectionError(
            f"tag {tag!r} would be kept under the same name, {slug_of(tag)!r}, as the selection "
            f"{known.params['tag']!r}. Choose another tag."
        )
    if known is None and (tagged := root.match_tags(tag).count()):
        raise SelectionError(
            f"tag {tag!r} is on {tagged} samples already, and not from a selection. "
            "Choose another tag, or remove it first."
        )
    return tag


def _ranked_before(samples: "SampleCollection", path: str) -> list[SampleId]:
    """The samples of an earlier selection under the same tag."""
    root = samples._root
    return read_ids(root.exists(f"{path}.rank")) if "selections" in root.get_field_schema() else []


def _report(
    wishes: SelectionConfig, candidates: int, without_vector: int, distances: np.ndarray[Any, Any]
) -> dict[str, Any]:
    report: dict[str, Any] = {"selected": len(distances), "candidates": candidates, "without_vector": without_vector}
    if len(distances) > 1:
        report["smallest_distance"] = float(distances[-1])
    if wishes.n_samples is not None and wishes.n_samples > candidates:
        report["note"] = f"{wishes.n_samples} samples were asked for; all {candidates} candidates were selected"
    return report
