"""Relevant files: which files of a datasource count, in Lightly's notation.

A line is the path of a file below the datasource, or a prefix with `*` at its end. After a prefix and a blank, patterns
of the kind that `.gitignore` has may follow: of the files with the prefix, those are taken that the patterns match; the
last pattern that matches a file decides, and `!` before it leaves the file out.

Source: LightlyOne's "relevant filenames".
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from ..errors import DatasourceError

LAST = "\U0010ffff"
"""Comes after every character in the order of keys."""


class Span(NamedTuple):
    """Keys from `first` to the last one that begins with `last`, in the order of code points."""

    first: str
    last: str

    def is_beyond(self, key: str) -> bool:
        """Whether a key comes after all of the span."""
        return key > self.last + LAST


EVERYTHING = Span("", "")


class _Pattern(NamedTuple):
    expression: re.Pattern[str]
    takes: bool


class _Prefix(NamedTuple):
    prefix: str
    patterns: tuple[_Pattern, ...]

    def matches(self, key: str) -> bool:
        if not key.startswith(self.prefix):
            return False
        taken = not self.patterns
        for pattern in self.patterns:
            if pattern.expression.match(key):
                taken = pattern.takes
        return taken


@dataclass(frozen=True)
class RelevantFiles:
    """The lines of a list of relevant files; no lines means all files.

    Raises:
        DatasourceError: if a line is absolute, holds `./` or `../`, or has patterns without a prefix.

    Example:
        >>> files = RelevantFiles(("1.png", "s/* s/4* !s/41.png"))
        >>> [key for key in ("1.png", "2.png", "s/4.png", "s/40.png", "s/41.png") if files.match(key)]
        ['1.png', 's/4.png', 's/40.png']
    """

    lines: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Read the lines once, so that a mistake is found where it was made."""
        _ = self._read

    @classmethod
    def of(cls, lines: Iterable[str]) -> "RelevantFiles":
        """Make it of lines, without those that are empty."""
        return cls(tuple(line.strip() for line in lines if line.strip()))

    def match(self, key: str) -> bool:
        """Whether a file counts, by its path below the datasource."""
        names, prefixes = self._read
        return not self.lines or key in names or any(prefix.matches(key) for prefix in prefixes)

    @cached_property
    def spans(self) -> list[Span]:
        """What must be listed so that no relevant file is missed: spans in order that do not overlap."""
        if not self.lines:
            return [EVERYTHING]
        names, prefixes = self._read
        found = [Span(prefix.prefix, prefix.prefix) for prefix in prefixes]
        folders: dict[str, list[str]] = {}
        for name in names:
            folders.setdefault(name.rpartition("/")[0], []).append(name)
        found += [Span(min(inside), max(inside)) for inside in folders.values()]
        merged: list[Span] = []
        for span in sorted(found):
            if merged and not merged[-1].is_beyond(span.first):
                merged[-1] = Span(merged[-1].first, max(merged[-1].last, span.last, key=lambda last: last + LAST))
            else:
                merged.append(span)
        return merged

    @cached_property
    def _read(self) -> tuple[frozenset[str], tuple[_Prefix, ...]]:
        names, prefixes = [], []
        for line in self.lines:
            first, star, rest = line.partition("* ")
            if not star and not line.endswith("*"):
                names.append(_checked(line, line))
                continue
            prefix = first if star else line.removesuffix("*")
            patterns = tuple(_pattern(pattern, line) for pattern in rest.split())
            prefixes.append(_Prefix(_checked(prefix, line), patterns))
        return frozenset(names), tuple(prefixes)


def _checked(path: str, line: str) -> str:
    parts = path.split("/")
    if path.startswith("/") or "." in parts[:-1] or ".." in parts or "*" in path or "://" in path:
        raise DatasourceError(
            f"the relevant files have a line {line!r}. Give paths below the datasource, without ./ and ../, or a "
            "prefix with * at its end; after the prefix and a blank, patterns may follow."
        )
    return path


def _pattern(pattern: str, line: str) -> _Pattern:
    """Translate a pattern of `.gitignore`."""
    takes = not pattern.startswith("!")
    text = pattern.removeprefix("!")
    is_folder = text.endswith("/")
    body = text.strip("/")
    if not body:
        raise DatasourceError(f"the relevant files have a line {line!r} with an empty pattern {pattern!r}. Remove it.")
    anchored = "/" in text.rstrip("/")
    # What matches a folder matches all that is in it.
    end = "/" if is_folder else "(?:/|$)"
    try:
        expression = re.compile(("" if anchored else "(?:.*/)?") + _expression(body) + end, re.DOTALL)
    except re.error as error:
        raise DatasourceError(
            f"the relevant files have a line {line!r} whose pattern {pattern!r} has no meaning: {error}. Mend it."
        ) from error
    return _Pattern(expression, takes)


_PIECES = re.compile(r"\*\*/|/\*\*$|\*+|\?|\[!?\]?[^\]]*\]|\\.|.", re.DOTALL)


def _expression(body: str) -> str:
    made = []
    for piece in _PIECES.findall(body):
        if piece == "**/":
            made.append("(?:.*/)?")
        elif piece == "/**":
            made.append("/.*")
        elif piece.startswith("*"):
            made.append("[^/]*")
        elif piece == "?":
            made.append("[^/]")
        elif piece.startswith("[") and len(piece) > 1:
            inside = piece[1:-1].replace("\\", r"\\").replace("[", r"\[")
            made.append(f"[^{inside[1:]}]" if inside.startswith("!") else f"[{inside}]")
        else:
            made.append(re.escape(piece[1:] if piece.startswith("\\") and len(piece) > 1 else piece))
    return "".join(made)
