"""How datasets, views, samples and runs look: as text in a terminal and as HTML in a notebook.

Pure functions from plain summaries. The HTML needs nothing else (no script, no style sheet), takes its colours from the
notebook and escapes everything that comes from users. Only `thumbnail` touches a file.
"""

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any

from .errors import MediaError, MissingExtraError
from .labels._text import block, brief

_LINE = "1px solid rgba(128,128,128,.35)"
_PICTURE = f"height:64px;border:{_LINE};border-radius:3px;margin:0 4px 4px 0;display:inline-block"
_CELL = "text-align:left;vertical-align:top;padding:2px 16px 2px 0;border:none;background:none"
_NAME = f"{_CELL};opacity:.65;white-space:nowrap"
_TEXT = f"{_CELL};font-family:monospace;white-space:pre-wrap"


def dataset_text(
    name: str,
    media_type: str | None,
    num_samples: int,
    persistent: bool,
    tags: Sequence[str],
    fields: Mapping[str, str],
) -> str:
    """Show a dataset.

    Example:
        >>> print(dataset_text("street", "image", 200, True, ["day"], {"id": "ObjectIdField"}))
        Name:        street
        Media type:  image
        Num samples: 200
        Persistent:  True
        Tags:        ['day']
        Sample fields:
            id: ObjectIdField
    """
    facts = _dataset_facts(name, media_type, num_samples, persistent, tags)
    return "\n".join([_aligned(facts), "Sample fields:", _aligned(fields, "    ")])


def view_text(
    name: str,
    media_type: str | None,
    num_samples: int,
    persistent: bool,
    tags: Sequence[str],
    fields: Mapping[str, str],
    stages: Sequence[str],
    rows: str = "sample",
) -> str:
    """Show a view: its dataset as it appears through it, and its stages in order; `rows` is what it shows."""
    facts = {"Dataset": name, **_dataset_facts(name, media_type, num_samples, persistent, tags, rows)}
    del facts["Name"]
    steps = [f"    {position}. {stage}" for position, stage in enumerate(stages, start=1)] or ["    ---"]
    title = f"{rows.capitalize()} fields:"
    return "\n".join([_aligned(facts), title, _aligned(fields, "    "), "View stages:", *steps])


def sample_text(values: Mapping[str, Any]) -> str:
    """Show a sample's fields, one per line and labels indented, long lists and arrays cut.

    Example:
        >>> print(sample_text({"id": None, "filepath": "/a.png", "tags": []}))
        <Sample: {
            'id': None,
            'filepath': '/a.png',
            'tags': [],
        }>
    """
    rows = [f"    {name!r}: {block(value, 4)},\n" for name, value in values.items()]
    return "<Sample: {\n" + "".join(rows) + "}>"


def run_text(key: str, facts: Mapping[str, Any]) -> str:
    """Show a run: its key and whatever else is known of it."""
    return _aligned({"Run": key, **{_title(name): _plain(name, value) for name, value in facts.items()}})


def dataset_html(
    name: str,
    media_type: str | None,
    num_samples: int,
    persistent: bool,
    tags: Sequence[str],
    fields: Mapping[str, str],
    thumbnails: Iterable[str | None] = (),
) -> str:
    """Show a dataset in a notebook.

    Args:
        name: its name.
        media_type: image, video or whatever it holds.
        num_samples: how many samples it has.
        persistent: whether it outlives the processes that use it.
        tags: its own tags.
        fields: the name of each field's kind, by field.
        thumbnails: pictures of its first samples, as `thumbnail` gives them; None is passed over.
    """
    facts = _dataset_facts(name, media_type, num_samples, persistent, tags)
    del facts["Name"]
    return _page(name, "dataset", [_table(facts), _strip(thumbnails), _folded("Sample fields", _table(fields))])


def view_html(
    name: str,
    media_type: str | None,
    num_samples: int,
    persistent: bool,
    tags: Sequence[str],
    fields: Mapping[str, str],
    stages: Sequence[str],
    thumbnails: Iterable[str | None] = (),
    rows: str = "sample",
) -> str:
    """Show a view in a notebook: as its dataset, with its stages in order."""
    facts = _dataset_facts(name, media_type, num_samples, persistent, tags, rows)
    del facts["Name"]
    steps = {str(position): stage for position, stage in enumerate(stages, start=1)}
    parts = [_table(facts), _strip(thumbnails), _folded("View stages", _table(steps), is_open=True)]
    return _page(name, "view of dataset", [*parts, _folded(f"{rows.capitalize()} fields", _table(fields))])


def sample_html(values: Mapping[str, Any], thumbnail: str | None = None) -> str:
    """Show a sample in a notebook, with its picture if there is one."""
    title = Path(str(values.get("filepath") or "")).name or "not saved"
    shown = {name: value if isinstance(value, str) else block(value) for name, value in values.items()}
    return _page(title, "sample", [_strip([thumbnail]), _table(shown)])


def run_html(key: str, facts: Mapping[str, Any], kind: str = "run") -> str:
    """Show a run, or what it gave, in a notebook."""
    return _page(key, kind, [_table({_title(name): _plain(name, value) for name, value in facts.items()})])


def selection_html(
    tag: str,
    facts: Mapping[str, Any],
    lines: Mapping[str, Sequence[tuple[float, float]]] | None = None,
    thumbnails: Iterable[str | None] = (),
) -> str:
    """Show a selection in a notebook.

    Args:
        tag: its tag.
        facts: what is known of it.
        lines: its coverage, 0 to 1, by the number of picks, and what it is compared with: by what each line is called.
        thumbnails: pictures of its first picks.
    """
    table = _table({_title(name): _plain(name, value) for name, value in facts.items()})
    drawn = {name: points for name, points in (lines or {}).items() if points}
    return _page(tag, "selection", [table, _chart("coverage by number of picks", drawn), _strip(thumbnails)])


def rows_text(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Show a table.

    Example:
        >>> print(rows_text("History of street", ["number", "state"], [["2", "done"]]))
        History of street
        number  state
        2       done
    """
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
    lines = ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)) for row in (columns, *rows)]
    return "\n".join([title, *(line.rstrip() for line in lines)])


def rows_html(title: str, kind: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Show a table in a notebook."""
    head = "".join(f'<th style="{_NAME}">{escape(column)}</th>' for column in columns)
    body = "".join(
        '<tr style="background:none">' + "".join(f'<td style="{_TEXT}">{escape(cell)}</td>' for cell in row) + "</tr>"
        for row in rows
    )
    return _page(title, kind, [f'<table style="border:none;border-collapse:collapse"><tr>{head}</tr>{body}</table>'])


def thumbnail(
    path: str, size: int = 96, *, frame_number: int | None = None, content_hash: str | None = None
) -> str | None:
    """Give a small picture of an image, a frame or the beginning of a video as a data URI.

    Args:
        path: a path or URL.
        size: the longer side, in pixels.
        frame_number: which frame of a video.
        content_hash: of the file; a thumbnail that is kept under it is taken, and the file not read.

    Returns:
        The URI, or None if the file is missing or is no readable image.
    """
    from .media.endings import is_video
    from .media.frames import frame_pixels
    from .media.reading import read_media
    from .media.thumbnails import SIZE, make_thumbnail, read_thumbnail, thumbnail_of

    data = read_thumbnail(content_hash, SIZE) if content_hash else None
    if data is None:
        try:
            if frame_number is not None or is_video(path):
                data = make_thumbnail(frame_pixels(path, frame_number or 1), size)
            else:
                data = thumbnail_of(read_media(path), size)
        except (MediaError, MissingExtraError):
            return None
    return f"data:image/webp;base64,{b64encode(data).decode('ascii')}"


def _dataset_facts(
    name: str, media_type: str | None, num_samples: int, persistent: bool, tags: Sequence[str], rows: str = "sample"
) -> dict[str, str]:
    return {
        "Name": name,
        "Media type": str(media_type),
        "Num patches" if rows == "patch" else "Num samples": str(num_samples),
        "Persistent": str(persistent),
        "Tags": str(list(tags)),
    }


def _aligned(rows: Mapping[str, str], indent: str = "") -> str:
    width = max(map(len, rows), default=0) + 2
    return "\n".join(
        f"{indent}{f'{name}:':<{width}}{value}".replace("\n", f"\n{indent}") for name, value in rows.items()
    )


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _plain(name: str, value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if name == "duration" and isinstance(value, int | float):
        return f"{value:.2f} seconds"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={brief(item)}" for key, item in value.items())
    return value if isinstance(value, str) else block(value)


def _page(title: str, kind: str, parts: Iterable[str]) -> str:
    head = f'<div style="margin-bottom:4px"><b>{escape(title)}</b> <span style="opacity:.65">{kind}</span></div>'
    return f'<div style="font-size:13px;line-height:1.45;color:inherit">{head}{"".join(parts)}</div>'


def _table(rows: Mapping[str, str]) -> str:
    row = f'<tr style="background:none"><td style="{_NAME}">{{}}</td><td style="{_TEXT}">{{}}</td></tr>'
    cells = "".join(row.format(escape(name), escape(value)) for name, value in rows.items())
    return f'<table style="border:none;border-collapse:collapse;margin:0 0 4px">{cells}</table>'


def _folded(title: str, content: str, *, is_open: bool = False) -> str:
    state = " open" if is_open else ""
    style = f"border-top:{_LINE};padding:4px 0"
    return f'<details{state} style="{style}"><summary style="cursor:pointer">{title}</summary>{content}</details>'


def _strip(thumbnails: Iterable[str | None]) -> str:
    images = "".join(f'<img src="{escape(uri)}" style="{_PICTURE}">' for uri in thumbnails if uri)
    return f'<div style="margin:4px 0">{images}</div>' if images else ""


def _chart(title: str, lines: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """Draw lines whose values lie in 0 to 1; the first is solid, the others are dashed and paler."""
    if not lines:
        return ""
    width, height, left, top = 300, 110, 34, 8
    last = max(x for points in lines.values() for x, _ in points)
    first = min(0.0, *(x for points in lines.values() for x, _ in points))
    across = width / max(last - first, 1e-9)
    marks = []
    ends = []
    for position, (name, points) in enumerate(lines.items()):
        places = [(left + (x - first) * across, top + height * (1 - y)) for x, y in points]
        look = "" if position == 0 else ' stroke-dasharray="4 3" opacity=".55"'
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        marks.append(f'<polyline points="{path}" fill="none" stroke="currentColor" stroke-width="1.5"{look}/>')
        ends.append((places[-1][1] + 4, f"{name} {points[-1][1]:.2f}"))
    below = 0.0
    for y, says in sorted(ends):
        below = max(y, below + 13)  # or names of lines that end close together would cover each other
        marks.append(_said(left + width + 6, below, says, "start"))
    for y, label in ((top + 4, "1"), (top + height, "0")):
        marks.append(_said(left - 5, y, label, "end"))
    marks.append(_said(left, top + height + 14, title, "start"))
    marks.append(_said(left + width, top + height + 14, f"{last:g}", "end"))
    frame = f'<path d="M{left} {top}V{top + height}H{left + width}" fill="none" stroke="currentColor" opacity=".35"/>'
    size = f'width="{left + width + 150}" height="{top + height + 20}"'
    return (
        f'<svg role="img" xmlns="http://www.w3.org/2000/svg" {size} style="display:block;margin:4px 0">'
        f"{frame}{''.join(marks)}</svg>"
    )


def _said(x: float, y: float, text: str, anchor: str) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {place} font-size="11" fill="currentColor">{escape(text)}</text>'
