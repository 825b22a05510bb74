"""The picks that a selection goes on from, and whether it may: only what was asked for in the same way."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...dataset.columns import read_scalars
from ...dataset.errors import SelectionError
from ..selection.config import SIZES
from .selected import Selection
from .selection_picking import Prefix, Wishes

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection


def begun(samples: "SampleCollection", path: str, wishes: Wishes) -> Prefix | None:
    """The picks of an earlier selection under the same tag, to go on from.

    Raises:
        SelectionError: if it was made in another way.
    """
    root = samples._root
    if wishes.tag == wishes.preselected_tag:
        raise SelectionError(
            f"resume=True and preselected_tag={wishes.tag!r}, the tag itself: it grows from what it holds "
            "anyway. Leave resume out, and say with n_total how many there are to be."
        )
    if path not in root.list_runs("select"):
        return None
    run = root.get_run_info(path)
    if run.state != "completed":
        return None
    if differs := _difference(_decisive(run.params), _decisive(wishes.params())):
        raise SelectionError(
            f"resume=True: the selection {wishes.tag!r} was made with {differs}. Give the same, or select anew without "
            "resume."
        )
    if run.view()._stages != samples._stages:
        raise SelectionError(
            f"resume=True: the selection {wishes.tag!r} was made on {run.view()._title()} with other stages. Select on "
            "the same view, or anew without resume."
        )
    if changed := Selection(run, [], []).is_stale():
        raise SelectionError(
            f"resume=True: the selection {wishes.tag!r} looked at {', '.join(changed)}, changed since, so its picks "
            "may no longer be the first ones. Select anew without resume; to keep them and add more, let the tag "
            f"grow: preselected_tag={wishes.tag!r}, without resume."
        )
    view = root.exists(f"{path}.rank").sort_by(f"{path}.rank")
    ids, columns = read_scalars(view, [f"{path}.distance"])
    if len(ids) < run.facts["selected"]:
        raise SelectionError(
            f"resume=True: {run.facts['selected'] - len(ids)} of the {run.facts['selected']} picks of the selection "
            f"{wishes.tag!r} were deleted since, so the others may no longer be the first ones. Select anew without "
            f"resume; to keep them and add more, let the tag grow: preselected_tag={wishes.tag!r}, without resume."
        )
    return Prefix(ids, columns[f"{path}.distance"])


def _decisive(params: Mapping[str, Any]) -> dict[str, Any]:
    """All that decides about the picks but their number."""
    config = {name: value for name, value in params["selection_config"].items() if name not in SIZES}
    return {**config, **{name: value for name, value in params.items() if name != "selection_config"}}


def _difference(before: Any, now: Any, path: str = "") -> str | None:
    """The first entry in which two params differ, such as "seed=0, not 1"; None if there is none."""
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        pairs = [(f"{path}.{key}" if path else key, before.get(key), now.get(key)) for key in {**before, **now}]
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        pairs = [(f"{path}[{at}]", one, other) for at, (one, other) in enumerate(zip(before, now, strict=True))]
    elif isinstance(before, list) and isinstance(now, list):
        return f"len({path})={len(before)}, not {len(now)}"
    else:
        return None if before == now else f"{path}={before!r}, not {now!r}"
    return next((found for at, one, other in pairs if (found := _difference(one, other, at))), None)
