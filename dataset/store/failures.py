"""Why mongod did not start, in words: from its exit code and its log to a message that says what to do."""

import json
import re
import signal
from dataclasses import dataclass
from pathlib import Path

from .places import Places, no_space

# Not its error name alone: mongod says DBPathInUse of a read-only folder too.
_HELD = r"DBPathInUse: Unable to lock"


@dataclass(frozen=True)
class Attempt:
    """A start that failed.

    Attributes:
        places: the folders.
        version: of the mongod that was tried.
        last_version: of the mongod that served this folder before, if known.
        code: the exit code; negative for a signal; None if the supervisor failed.
        log: what was written to the log during the attempt.
    """

    places: Places
    version: str
    last_version: str | None
    code: int | None
    log: str


def explain(attempt: Attempt) -> str:
    """Say why the server did not start and what to do, with the last lines of its log."""
    # The kernel's signal for a file above the limit: mongod dies of it without a word.
    if attempt.code is not None and -attempt.code == signal.SIGXFSZ:
        return f"{_no_space(attempt)}\n{_tail(attempt)}"
    for pattern, say in _KNOWN:
        if re.search(pattern, attempt.log):
            return f"{say(attempt)}\n{_tail(attempt)}"
    return (
        f"the database server for {attempt.places.data.parent} ended with {_ending(attempt.code)} before it answered. "
        f"The whole log is {attempt.places.log}.\n{_tail(attempt)}"
    )


def is_held_by_another(log: str) -> bool:
    """Whether mongod ended because another server has the data folder open."""
    return re.search(_HELD, log) is not None


def holder_of(data: Path) -> str:
    """Name the process that has the data folder open, as mongod's own lock file says."""
    try:
        pid = int((data / "mongod.lock").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return "a process that cannot be named (perhaps on another machine or in another container)"
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\x00", b" ").decode(errors="replace").strip()
    except OSError:
        command = ""
    return f"process {pid}" + (f" (`{command[:200]}`)" if command else "")


def _held(attempt: Attempt) -> str:
    return (
        f"the data folder {attempt.places.data.parent} is held by another server: {holder_of(attempt.places.data)}. "
        "End that server, reach it with SACCADE_DATABASE_URI, or choose another folder with SACCADE_DATA_DIR."
    )


def _other_release(attempt: Attempt) -> str:
    found = re.search(r'version: \\?"(\d+\.\d+)', attempt.log)
    wrote = found[1] if found else attempt.last_version
    older = found is not None and _numbers(found[1]) < _numbers(attempt.version)
    return (
        f"the data files in {attempt.places.data} were written by {'an older' if older else 'a newer'} release of "
        f"MongoDB{f' ({wrote})' if wrote else ''}, which mongod {attempt.version} cannot read. "
        "Name the mongod that wrote them with SACCADE_MONGOD, or choose another folder with SACCADE_DATA_DIR. "
        "To move the data, export with the one and import with the other."
    )


def _no_space(attempt: Attempt) -> str:
    return no_space(attempt.places)


def _forbidden(attempt: Attempt) -> str:
    return (
        f"mongod may not write to files in {attempt.places.data}: they belong to another user or are read-only. "
        "Give them back to yourself (`chown -R`), or choose another folder with SACCADE_DATA_DIR."
    )


_KNOWN = (
    (_HELD, _held),
    (r"UPGRADE PROBLEM|unsupported WiredTiger|Wrong mongod version|under any compatibility version", _other_release),
    (r"No space left|File too large|Disk quota exceeded", _no_space),
    (r"Permission denied|Read-only file system|read-only directory|Operation not permitted", _forbidden),
)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _ending(code: int | None) -> str:
    if code is None:
        return "an error of its supervisor"
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def _tail(attempt: Attempt, lines: int = 6) -> str:
    """The last lines of the log that say something: errors first, else whatever came last."""
    said = [_readable(line) for line in attempt.log.splitlines() if line.strip()]
    wrong = [text for text, severity in said if severity in "EF"]
    shown = (wrong or [text for text, _ in said])[-lines:]
    return f"Last lines of {attempt.places.log}:\n" + "\n".join(f"  {text[:400]}" for text in shown)


def _readable(line: str) -> tuple[str, str]:
    try:
        entry = json.loads(line)
        detail = json.dumps(entry["attr"]) if "attr" in entry else ""
        return f"{entry['msg']} {detail}".strip(), str(entry["s"])
    except (ValueError, KeyError, TypeError):
        return line, "I"
