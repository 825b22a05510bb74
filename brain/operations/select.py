"""`select`: pick the samples to label, look at or train on next, tag and rank them.

What is read is `selection_reading`; how the picks are found is `selection.greedy`.
"""

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal

from ...dataset import journal, runs
from ...dataset.columns import read_scalars
from ...dataset.errors import SelectionError
from ...dataset.schema import DictField
from ...dataset.store.actions import ABSENT
from ...dataset.types import Progress, SampleId
from ..selection.config import DEFAULT_STRATEGIES, SIZES, SelectionConfig, parse_config, slug_of
from ..selection.strategies import AnyStrategy
from .selected import Selection
from .selection_examples import examples_elsewhere
from .selection_fields import check_samples
from .selection_picking import Choice, Wishes, pick_samples
from .selection_reading import check_fields, fields_read
from .selection_resuming import begun
from .selection_universe import tagged_view

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection


def select(
    samples: "SampleCollection",
    selection_config: Mapping[str, Any] | SelectionConfig | str | PathLike[str] | None = None,
    *,
    n_samples: int | None = None,
    proportion_samples: float | None = None,
    n_total: int | None = None,
    strategies: Sequence[AnyStrategy | Mapping[str, Any]] | None = None,
    tag: str | None = None,
    preselected_tag: str | None = None,
    seed: int = 0,
    rule: Literal["ranked", "accumulated"] = "ranked",
    first: Literal["central", "index"] = "central",
    on_too_near: Literal["skip", "stop"] = "skip",
    selected_sequence_length: int = 1,
    device: str | None = None,
    memory_limit: int | None = None,
    resume: bool = False,
    keep_interrupted: bool = False,
    progress: Progress = None,
) -> Selection:
    """Pick samples by several strategies at once, tag them and rank them.

    Give the wishes as one `selection_config` in LightlyOne's form, or by the keywords of the same names; a size given
    by keyword takes the place of the config's. Thresholds are
    applied first. Then one sample is picked after the other, each the one with the highest product of what the
    strategies say of it, each to the power of its strength.

    The samples are gone through in the order of their ids, so the picks do not depend on the order of a view. A sample
    can be picked if it has every vector and number that the strategies read; the report counts those that have not.

    Args:
        samples: a dataset or view.
        selection_config: `{"n_samples": 50, "strategies": [{"input": {"type": "EMBEDDINGS", "key": "embedding"},
            "strategy": {"type": "DIVERSITY"}}]}`, the path of a JSON or YAML file with it, or the strategies alone.
        n_samples: how many to pick; all, with a note, if there are fewer.
        proportion_samples: the same as a share of the samples that could be picked if there were no thresholds, rounded
            half up and to at least one.
        n_total: how many there are to be together with those that are preselected.
        strategies: what decides, such as `[Diversity("embedding", strength=0.6), Weights("uncertainty")]`, or their
            JSON form; DIVERSITY over the field "embedding" by default.
        tag: the tag to write; the first free one of "selection-1", "selection-2", … by default. Selecting again under
            the tag of an earlier selection replaces it.
        preselected_tag: samples of the dataset with this tag, in the view or not, count as picked before: they are not
            picked again, but they count in diversity, balance and limits. If it is `tag` itself, the tag grows: earlier
            picks keep their figures, and the ranks of the new ones go on behind theirs.
        seed: of all that is drawn by chance, together with the ids of samples.
        rule: "ranked" compares strategies by ranks, so that strengths mean the same for each; "accumulated" is the
            rule of LightlyOne's engine.
        first: where nothing else decides about the first pick: "central", the sample nearest to the mean, or "index",
            the first one. With "index", samples are gone through in the order of the view.
        on_too_near: with a minimum distance, "skip" leaves out what is too near; "stop" ends where the best one is.
        selected_sequence_length: pick clips of so many consecutive frames: of a video, or images of a folder in the
            order of their names. Vectors and numbers are averaged over a clip, and classes and costs added up; limits
            per group count clips. What is preselected is no part of a clip, and ends it.
        device: what computes distances, such as "cuda"; the picks are the same.
        memory_limit: bytes that the process should stay below: parts of the vectors that were read are given back, and
            read again where they are needed. For moments it can be above, since a system may map megabytes for one
            vector that is read. The picks are the same. Linux alone.
        resume: go on from the picks of an earlier selection, interrupted or smaller, with the same tag and config; with
            none, begin. Fewer than there are cannot be asked for: that is `prefix` of the selection.
        keep_interrupted: on Ctrl-C, write what was picked by then, as a selection that `resume` can go on from. What is
            left then takes a moment, to measure and to write the picks; a second Ctrl-C during that loses them.
        progress: whether to show a bar: True, False, None (the setting), or a function of (done, total).

    Returns:
        The selection: its `ids` in the order of picking, its `view()`, its `report`. Beside what `report_of` of
        `selection.report` says, the report counts `without_input`, by strategy the samples that lack what it reads;
        `thresholds`, how many samples each leaves, one after the other; `without_class`, and
        `classes_without_candidates`, of each BALANCE; `preselected_without_vector`; `clips`; `examples`, fields
        of other datasets.

    Writes:
        The tag; `selections.<slug>.rank`, from 0; `.distance`, to the nearest earlier pick (Euclidean, between unit
        vectors 0 to 2; None where there is none); and `.reason`, the strategies that decided, with their shares: in one
        action. In the slug of a tag, every sign that is no letter, digit or underscore is an underscore.

    Raises:
        SelectionError: if the config cannot be carried out, naming the path of the key; if what a strategy reads has
            the wrong kind, or no sample has it; or if the tag is in use for something else.
        FieldNotFoundError: if there is no such field, naming what computes it.

    Source:
        Greedy maximisation of a product of objectives, as LightlyOne documents it; DIVERSITY alone is greedy k-center
        (Gonzalez, 1985), beginning with the most central sample.

    Example:
        ```python
        batch = scb.select(dataset, n_samples=100, tag="batch-7", strategies=[
            scb.Diversity("embedding"), scb.Weights("uncertainty"), scb.Threshold("lightly.sharpness", "BIGGER", 10),
        ])
        dataset.match_tags("batch-7").sort_by("selections.batch_7.rank")
        ```
    """
    keywords = {
        "n_samples": n_samples, "proportion_samples": proportion_samples, "n_total": n_total, "strategies": strategies,
        "selected_sequence_length": None if selected_sequence_length == 1 else selected_sequence_length,
    }  # fmt: skip
    check_samples(samples)
    config = _together(selection_config, {name: value for name, value in keywords.items() if value is not None})
    tag = _checked_tag(samples, tag, preselected_tag)
    path = f"selections.{slug_of(tag)}"
    grows = preselected_tag == tag
    earlier = _ranked_before(samples, path)
    wishes = Wishes(
        config, tag, preselected_tag, seed, rule, first, on_too_near,
        first_rank=1 + max(earlier.values(), default=-1) if grows else 0,
    )  # fmt: skip
    prefix = begun(samples, path, wishes) if resume else None
    if preselected_tag is not None:
        tagged_view(samples, preselected_tag, "preselected_tag")
    check_fields(samples, config.strategies)
    examples = examples_elsewhere(samples, config.strategies)
    with runs.record(
        samples, "select", key=path, reads=fields_read(samples, config.strategies, config.selected_sequence_length),
        writes=["tags", path], params=wishes.params(), one_action=True,
    ) as run:  # fmt: skip
        choice = pick_samples(
            samples,
            wishes,
            prefix=prefix,
            device=device,
            memory_limit=memory_limit,
            keep_interrupted=keep_interrupted,
            progress=progress,
        )
        run.facts = choice.report | ({"examples": examples} if examples else {})
        _write(samples, path, wishes, choice, [] if grows else list(earlier))
    return Selection(run, choice.ids, choice.distances, choice.reasons)


def choose(
    samples: "SampleCollection", params: Mapping[str, Any], *, device: str | None = None, progress: Progress = None
) -> tuple[list[SampleId], list[float | None]]:
    """Pick once more what a run picked, from its parameters; nothing is written or recorded.

    Returns:
        The samples in order, and the distance of each to the nearest earlier one.
    """
    choice = pick_samples(samples, Wishes.of(params), device=device, progress=progress)
    return choice.ids, choice.distances


def _write(
    samples: "SampleCollection", path: str, wishes: Wishes, choice: Choice, replaced: Sequence[SampleId]
) -> None:
    """Tag the picks and write their figures, in place of those of an earlier selection."""
    figures = [
        {"rank": wishes.first_rank + position, "distance": distance, "reason": reason}
        for position, (distance, reason) in enumerate(zip(choice.distances, choice.reasons, strict=True))
    ]
    declare = {"selections": DictField()}
    with journal.action(samples._root._id, "select", ["tags", "selections"], declare=declare) as action:
        action.untag(replaced, wishes.tag)
        action.set(replaced, {path: [ABSENT] * len(replaced)})
        action.tag(choice.ids, wishes.tag)
        action.set(choice.ids, {path: figures})


def _together(config: Any, given: Mapping[str, Any]) -> SelectionConfig:
    """One config of what was given as config or as keywords; a size takes the place of the config's."""
    if config is None:
        return parse_config({"strategies": list(DEFAULT_STRATEGIES), **given})
    sizes = {name: given[name] for name in SIZES if name in given}
    others = {name: value for name, value in given.items() if name not in sizes}
    if isinstance(config, Sequence) and not isinstance(config, str) and "strategies" not in others:
        return parse_config({"strategies": config, **given})
    if others:
        raise SelectionError(
            f"a selection_config and {', '.join(others)} were both given. Give the config, or keywords in its place."
        )
    return parse_config(config, **sizes)


def _checked_tag(samples: "SampleCollection", tag: str | None, preselected_tag: str | None) -> str:
    """The tag to write: free, that of an earlier selection, or that of the preselected samples, which grows."""
    root = samples._root
    for name, value in (("tag", tag), ("preselected_tag", preselected_tag)):
        if value is not None and not isinstance(value, str):
            raise SelectionError(f"{name}={value!r} is no text. Give the name of one tag, such as 'batch-1'.")
    runs_there = {run.key: run for run in map(root.get_run_info, root.list_runs("select"))}
    runs_there = {key: run for key, run in runs_there.items() if run.state not in {"failed", "interrupted"}}
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
    if known is None and tag != preselected_tag and (tagged := root.match_tags(tag).count()):
        raise SelectionError(
            f"tag {tag!r} is on {tagged} samples already, and not from a selection. "
            "Choose another tag, or remove it first."
        )
    return tag


def _ranked_before(samples: "SampleCollection", path: str) -> dict[SampleId, int]:
    """The samples of an earlier selection under the same tag, with their ranks; gaps are where some were deleted."""
    root, rank = samples._root, f"{path}.rank"
    if "selections" not in root.get_field_schema():
        return {}
    ids, columns = read_scalars(root.exists(rank), [rank])
    return dict(zip(ids, columns[rank], strict=True))
