"""How a selection is shown and written: its facts as text, its picks as JSON and CSV."""

import csv
import io
import json
import secrets
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...dataset.columns import read_scalars
from ...dataset.errors import SelectionError

if TYPE_CHECKING:
    from .selected import Selection

_COLUMNS = ("rank", "id", "filepath", "distance", "reason")
_FRAME = "frame_number"


def facts_of(selection: "Selection") -> dict[str, str]:
    """What is worth a line about a selection."""
    report = selection.report
    selected = f"{len(selection)} of {report.get('candidates')} candidates"
    facts = {"dataset": selection.run.dataset.name, "selected": selected}
    if selection.missing:
        facts["missing"] = f"{selection.missing} more were deleted since, or lost the tag"
    for name in ("preselected", "without_vector", "without_input", "thresholds", "without_class"):
        if report.get(name):
            facts[name.replace("_", " ")] = _counts(report[name])
    if "smallest_distance" in report:
        facts["smallest distance"] = f"{report['smallest_distance']:.4g} from any pick to an earlier one"
    facts |= _cover(report) | _objectives(report) | _classes(report)
    if stale := selection.is_stale():
        facts["stale"] = f"{', '.join(stale)} changed since"
    if "note" in report:
        facts["note"] = report["note"]
    return {**facts, "fields": f"{selection.path}.rank, .distance, .reason"}


def _counts(found: Any) -> str:
    """A number, or one for each strategy."""
    if isinstance(found, Mapping):
        return ", ".join(f"{label}: {count}" for label, count in found.items())
    return str(found)


def _cover(report: Mapping[str, Any]) -> dict[str, str]:
    facts = {}
    if "radius" in report:
        bound = ""
        if "radius_bound" in report:
            bound = f"; no {report.get('clips', report['selected'])} picks have less than {report['radius_bound']:.4g}"
        facts["radius"] = f"{report['radius']:.4g} from any candidate to a pick{bound}"
    comparison = report.get("comparison", {})
    for name in ("coverage", "diversity", "balance", "target_error"):
        pair = comparison.get(name) or {}
        if pair.get("picks") is not None:
            at_random = "" if pair["random"] is None else f" ({pair['random']:.3g} at random)"
            at = f", measured at {pair['at']} picks" if "at" in pair else ""
            facts[name.replace("_", " ")] = f"{pair['picks']:.3g}{at_random}{at}"
    return facts


def _objectives(report: Mapping[str, Any]) -> dict[str, str]:
    shares = [f"{one['label']} {round(100 * one['share'])} %" for one in report.get("objectives", ()) if "share" in one]
    return {"decided by": ", ".join(shares)} if shares else {}


def _classes(report: Mapping[str, Any]) -> dict[str, str]:
    found = report.get("classes", ())
    return {
        "classes" if len(found) == 1 else f"classes of {one['label']}": ", ".join(
            f"{name} {share:.1%} (target {target:.1%})"
            for name, share, target in list(zip(one["classes"], one["selected"], one["target"], strict=True))[:8]
        )
        + (f", … {len(one['classes'])} in all" if len(one["classes"]) > 8 else "")
        for one in found
    }


def picks_of(selection: "Selection") -> list[dict[str, Any]]:
    """The picks in order: rank, id, filepath, distance, reason; of frames also their number."""
    view = selection.view()
    fields = ["filepath", *([_FRAME] if view.has_field(_FRAME) else [])]
    ids, columns = read_scalars(view, fields)
    there = {one: dict(zip(fields, row, strict=True)) for one, *row in zip(ids, *columns.values(), strict=True)}
    none: dict[str, Any] = dict.fromkeys(fields)  # of samples that were deleted since
    return [
        {"rank": rank, "id": one, **there.get(one, none), "distance": distance, "reason": reason}
        for rank, one, distance, reason in zip(
            selection.ranks, selection.ids, selection.distances, selection.reasons, strict=True
        )
    ]


def write_json(content: Mapping[str, Any], path: str | PathLike[str], *, overwrite: bool) -> None:
    """Write values as JSON."""
    _write(json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False) + "\n", path, overwrite=overwrite)


def write_csv(picks: Sequence[Mapping[str, Any]], path: str | PathLike[str], *, overwrite: bool) -> None:
    """Write picks as a table with a header."""
    text = io.StringIO()
    lines = csv.DictWriter(text, list(picks[0]) if picks else _COLUMNS, lineterminator="\n")
    lines.writeheader()
    lines.writerows(picks)
    _write(text.getvalue(), path, overwrite=overwrite)


def _write(text: str, path: str | PathLike[str], *, overwrite: bool) -> None:
    """Write a file that is seen whole or not at all.

    Raises:
        SelectionError: if it is there and is not to be replaced, or its folder does not exist.
    """
    target = Path(path).expanduser()
    if target.is_file() and not overwrite:
        raise SelectionError(f"{str(target)!r} exists already. Pass overwrite=True to replace it.")
    if target.is_dir() or not target.parent.is_dir():
        what = "is a folder" if target.is_dir() else f"lies in {target.parent}, which is no folder"
        raise SelectionError(f"{str(target)!r} {what}. Give the name of a file in a folder that exists.")
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        draft.write_text(text, encoding="utf-8", newline="")
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
