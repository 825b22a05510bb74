"""The middle of `select`: read, filter, pick, explain. Nothing is written or recorded here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...dataset.columns import read_ids
from ...dataset.errors import SelectionError
from ...dataset.expressions import ViewField
from ...dataset.progress import shown
from ...dataset.types import IntArray, Progress, SampleId
from ..kernels.products import Products
from ..models.extras import imported
from ..selection.config import SelectionConfig, parse_config, slug_of
from ..selection.greedy import Picks, pick
from ..selection.report import report_of
from .memory import mapped_within
from .selection_notes import notes_on
from .selection_problem import Problem, build
from .selection_reading import limits_of, matrices_of, read_all
from .selection_universe import Universe

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection

RULES = ("ranked", "accumulated")
FIRSTS = ("central", "index")
TOO_NEAR = ("skip", "stop")


@dataclass(frozen=True)
class Wishes:
    """All that decides about the picks, beside the samples.

    Attributes:
        config: how many, by which strategies.
        tag: what the picks will be tagged with.
        preselected_tag: the tag on the samples that count as picked before.
        seed: of all that is drawn.
        rule: how strategies are put together.
        first: what a selection begins with where nothing else decides.
        on_too_near: what becomes of candidates below the minimum distance.
        first_rank: the rank of the first pick; above 0 where a tag grows that holds earlier picks.
    """

    config: SelectionConfig
    tag: str
    preselected_tag: str | None = None
    seed: int = 0
    rule: Literal["ranked", "accumulated"] = "ranked"
    first: Literal["central", "index"] = "central"
    on_too_near: Literal["skip", "stop"] = "skip"
    first_rank: int = 0

    def __post_init__(self) -> None:
        """Refuse options that there are not.

        Raises:
            SelectionError: naming the option and what it may be.
        """
        for name, value, known in (
            ("rule", self.rule, RULES), ("first", self.first, FIRSTS), ("on_too_near", self.on_too_near, TOO_NEAR)
        ):  # fmt: skip
            if value not in known:
                raise SelectionError(f"{name}={value!r} is not supported. Give {' or '.join(map(repr, known))}.")
        if isinstance(self.seed, bool) or not isinstance(self.seed, Integral):
            raise SelectionError(f"seed={self.seed!r} is not a whole number.")

    def params(self) -> dict[str, Any]:
        """As a run keeps it."""
        return {
            "selection_config": self.config.to_dict(), "tag": self.tag, "preselected_tag": self.preselected_tag,
            "seed": self.seed, "rule": self.rule, "first": self.first, "on_too_near": self.on_too_near,
            **({"first_rank": self.first_rank} if self.first_rank else {}),
        }  # fmt: skip

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> "Wishes":
        """From what a run kept."""
        known = {name: params[name] for name in cls.__dataclass_fields__ if name in params}
        return cls(parse_config(params["selection_config"]), **known)


@dataclass(frozen=True)
class Prefix:
    """The picks that a selection goes on from.

    Attributes:
        ids: in their order.
        distances: of each to the nearest earlier one, None for a first one.
    """

    ids: Sequence[SampleId] = ()
    distances: Sequence[float | None] = ()


@dataclass(frozen=True)
class Choice:
    """What was picked.

    Attributes:
        ids: the samples in order.
        distances: of each to the nearest earlier one; None where there is none, or nothing that knows of distances.
        reasons: which strategies decided.
        report: how good the selection is.
    """

    ids: list[SampleId]
    distances: list[float | None]
    reasons: list[str]
    report: dict[str, Any]


def pick_samples(
    samples: "SampleCollection", wishes: Wishes, *, prefix: Prefix | None = None, device: str | None = None,
    memory_limit: int | None = None, keep_interrupted: bool = False, progress: Progress = None,
) -> Choice:  # fmt: skip
    """Pick samples.

    Args:
        samples: a dataset or view.
        wishes: what decides.
        prefix: picks to go on from.
        device: what computes products.
        memory_limit: bytes that the process should stay below.
        keep_interrupted: give what was picked before Ctrl-C.
        progress: whether to show a bar.

    Raises:
        SelectionError, SchemaError: if what the strategies read is not there, or a pick of the prefix is no candidate.
    """
    config = wishes.config
    length = config.selected_sequence_length
    universe = Universe.of(
        samples, wishes.preselected_tag, but_not=_own_picks(samples, wishes), in_view_order=wishes.first == "index"
    )
    readings = read_all(universe, config.strategies, wishes.seed)
    products = products_on(device)
    with mapped_within(matrices_of(readings), memory_limit) as give_back:
        problem = build(universe, readings, length)
        asked = _asked(config, problem, problem.facts.get("preselected", 0))
        begun = _begun(problem, prefix or Prefix(), length, asked)
        total = min(asked, int(problem.candidates.sum())) - len(begun.rows)
        with shown(total, progress if total else False, "samples" if length == 1 else "clips") as advance:

            def count_on(picked: int, distance: float) -> None:
                advance(picked, **({"distance": distance} if np.isfinite(distance) else {}))

            picks = pick(
                problem.objectives, asked - len(begun.rows), candidates=problem.candidates,
                preselected=problem.preselected, prefix=begun.rows, constraints=problem.constraints, rule=wishes.rule,
                first=wishes.first, on_too_near=wishes.on_too_near, products=products,
                between_blocks=give_back, keep_interrupted=keep_interrupted, advance=count_on,
            )  # fmt: skip
        picks = replace(
            picks,
            rows=np.concatenate([begun.rows, picks.rows]),
            distances=np.concatenate([begun.distances, picks.distances]),
        )
        report, reasons = report_of(
            problem.objectives, picks, candidates=problem.candidates, preselected=problem.preselected, seed=wishes.seed,
        )  # fmt: skip
    is_by_index = wishes.first == "index"
    notes = notes_on(config, problem, picks, asked, limits_of(readings), is_by_index=is_by_index)
    return _written_out(problem, picks, report, reasons, notes, length)


def products_on(device: str | None) -> Products | None:
    """What computes products on a device of torch: "cpu", where bfloat16 is tried, "cuda" and its like; None for BLAS.

    Raises:
        MissingExtraError: if torch is not installed.
        SelectionError: if there is no such device.
    """
    if device is None:
        return None
    imported("torch", "torch", f"device={device!r}")
    from ..kernels.torch_products import products_of

    try:
        return products_of(device)
    except (RuntimeError, AssertionError) as error:
        raise SelectionError(
            f"device={device!r} cannot be used: {error}. Leave device out for the processor."
        ) from error


class _Begun(NamedTuple):
    """The prefix as rows of the problem."""

    rows: IntArray
    distances: NDArray[np.float64]


def _own_picks(samples: "SampleCollection", wishes: Wishes) -> list[SampleId]:
    """The picks of this same selection, where it is repeated: under a tag that grew they are not from before."""
    path = f"selections.{slug_of(wishes.tag)}.rank"
    if wishes.preselected_tag != wishes.tag or "selections" not in samples._root.get_field_schema():
        return []
    return read_ids(samples._root.match(ViewField(path) >= wishes.first_rank))


def _asked(config: SelectionConfig, problem: Problem, preselected: int) -> int:
    """How many rows are to be picked, though there may be fewer."""
    length = config.selected_sequence_length
    if config.n_samples is not None:
        return config.n_samples // length
    if config.n_total is not None:
        return max(0, config.n_total - preselected) // length
    return config.size(problem.available) // length


def _begun(problem: Problem, prefix: Prefix, length: int, count: int) -> _Begun:
    """The rows of the first picks.

    Raises:
        SelectionError: if one is no candidate, or they are more than are wanted.
    """
    row_of: dict[SampleId, int] = {}
    if prefix.ids:
        free = np.flatnonzero(problem.candidates)
        beginnings = problem.units.rows[problem.units.starts[free]]
        row_of = {problem.ids[position]: row for position, row in zip(beginnings.tolist(), free.tolist(), strict=True)}
    if len(prefix.ids) > count * length:
        raise SelectionError(
            f"resume=True: {len(prefix.ids)} samples were picked before, and {count * length} are asked for. Ask for "
            f"at least as many. selection.prefix({count * length}) gives the first of them; selecting without resume "
            "replaces them."
        )
    rows = []
    for start in range(0, len(prefix.ids), length):
        wanted = list(prefix.ids[start : start + length])
        row = row_of.get(wanted[0])
        if row is None or problem.samples_of(row) != wanted:
            raise SelectionError(
                f"sample {wanted[0]} was picked before, and cannot be picked any more: it is not among the candidates. "
                "Select without resume=True."
            )
        rows.append(row)
    distances = [np.nan if d is None else d for d in prefix.distances[: len(rows) * length : length]]
    return _Begun(np.array(rows, dtype=np.int64), np.array(distances, dtype=np.float64))


def _written_out(
    problem: Problem, picks: Picks, report: dict[str, Any], reasons: Sequence[str], notes: Sequence[str], length: int
) -> Choice:
    """The picks sample by sample, and the report with what is known about the samples."""
    groups = [problem.samples_of(row) for row in picks.rows.tolist()]
    distances = [float(distance) if np.isfinite(distance) else None for distance in picks.distances.tolist()]
    if length > 1:
        report |= {name: length * report[name] for name in ("selected", "candidates")} | {"clips": len(groups)}
    report |= problem.facts | ({"note": "; ".join(notes)} if notes else {})
    return Choice(
        [one for ids in groups for one in ids],
        [distance for ids, distance in zip(groups, distances, strict=True) for _ in ids],
        [reason for ids, reason in zip(groups, reasons, strict=True) for _ in ids],
        report,
    )
