"""Time the data layer: samples, columns, questions, vectors and detections; beside FiftyOne where it is installed.

Usage: python benchmarks/data_layer.py [--samples N] [--peer-python PATH] [--only WORDS] [--json FILE]
       python benchmarks/data_layer.py --list brain_operations, for the scores in place of the data layer

One server of its own, one process per library; every operation is timed in one library right after the other.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import Any

from measuring import seconds, server, short
from operations import OURS, Operation

from saccade import settings
from saccade.dataset.store import binary

PEER = "fiftyone"
HERE = Path(__file__).parent
IMPORT = "import {0}"
LOAD = "import {0}; dataset = {0}.load_dataset('photos'); len(dataset); dataset.first()"

Answer = dict[str, Any]
Row = dict[str, Any]

HEAD = f"{'operation':<32} {'ours':>24} {'FiftyOne':>24} {'ratio':>7} {'goal':>5}  {'peak MB':>13}"


class Library:
    """The process that runs one library's operations."""

    def __init__(self, name: str, python: Path, uri: str, folder: Path, options: argparse.Namespace) -> None:
        """Start it."""
        self.name = name
        self._python = python
        home = folder / name
        home.mkdir()
        self._environment = [
            f"HOME={home}", f"SACCADE_DATABASE_URI={uri}", f"SACCADE_CACHE_DIR={home}", "SACCADE_SHOW_PROGRESS=false",
            f"FIFTYONE_DATABASE_URI={uri}", "FIFTYONE_DO_NOT_TRACK=true",
        ]  # fmt: skip
        command = [
            *self._command(), str(HERE / "worker.py"), "--library", name, "--cache", str(home / "vectors"),
            "--samples", str(options.samples), "--dimension", str(options.dimension), "--list", options.list,
        ]  # fmt: skip
        with (home / "messages").open("w", encoding="utf-8") as messages:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=messages, text=True
            )
        self._messages = home / "messages"

    def _command(self) -> list[str]:
        return ["/usr/bin/env", *self._environment, str(self._python)]

    def run(self, operation: str, runs: int) -> dict[str, Any]:
        """Run an operation; give times, client CPU seconds, the peak of memory and the result's gist."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"operation": operation, "runs": runs}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended in {operation!r}:\n{self._messages.read_text()[-3000:]}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def starting(self, statements: str, runs: int) -> dict[str, Any]:
        """Time statements in new processes."""
        code = f"import time; begin = time.perf_counter(); {statements}; print(time.perf_counter() - begin)"
        times = []
        for _ in range(runs):
            done = subprocess.run([*self._command(), "-c", code], capture_output=True, text=True, check=True)
            times.append(float(done.stdout.split()[-1]))
        return {"times": times, "client": None, "peak_mb": None, "result": None}

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def main() -> None:
    """Measure, print the table, write the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--dimension", type=int, default=512, help="numbers in a vector")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--peer-python", type=Path, help="the Python of an environment that has FiftyOne")
    parser.add_argument("--only", help="run only operations whose name holds this, and what they need")
    parser.add_argument(
        "--list",
        choices=["operations", "brain_operations", "label_operations"],
        default="operations",
        help="what is measured",
    )
    parser.add_argument("--json", type=Path, help="where to write the figures")
    options = parser.parse_args()
    mongod = binary.find(settings.current())
    rows = []
    with server(mongod.path) as (uri, folder), ExitStack() as stack:
        libraries = [Library(OURS, Path(sys.executable), uri, folder, options)]
        if options.peer_python is not None:
            libraries.append(Library(PEER, options.peer_python, uri, folder, options))
        for library in libraries:
            stack.callback(library.close)
        facts = {
            "samples": options.samples, "dimension": options.dimension, "runs": options.runs, "mongod": mongod.version,
            "cores": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version(),
        }  # fmt: skip
        print(", ".join(f"{name} {value}" for name, value in facts.items()))
        print(HEAD)
        for row in measured(libraries, options):
            rows.append(row)
            print(line(row), flush=True)
    if options.json is not None:
        options.json.write_text(json.dumps(facts | {"rows": rows}, indent=1), encoding="utf-8")


def measured(libraries: Sequence[Library], options: argparse.Namespace) -> Iterator[Row]:
    """The rows of the table, as they come in."""
    listed: dict[str, Operation] = import_module(options.list).OPERATIONS
    if options.only is None:
        yield row_of("import", [each.starting(IMPORT.format(each.name), options.runs) for each in libraries], 5)
    peers: dict[str, Answer] = {}
    done: set[str] = set()
    for operation in listed.values():
        if options.only is not None and options.only not in operation.name:
            continue
        for needed in reversed(list(needs_of(operation, listed))):
            if needed not in done:
                for library in libraries:
                    library.run(needed, 1)
                done.add(needed)
        answers = []
        for library in libraries:
            if library.name == PEER and operation.versus in peers:
                answers.append(peers[operation.versus])
            else:
                answers.append(library.run(operation.name, options.runs))
            if library.name == PEER:
                peers[operation.name] = answers[-1]
        done.add(operation.name)
        yield row_of(operation.name, answers, operation.goal, options.samples // operation.share)
    if "add_samples" in done and options.list == "operations":
        answers = [each.starting(LOAD.format(each.name), options.runs) for each in libraries]
        yield row_of("new process: import, load, first", answers, None)


def needs_of(operation: Operation, listed: dict[str, Operation]) -> Iterator[str]:
    """What has to be run before an operation, the nearest first."""
    while operation.needs is not None:
        yield operation.needs
        operation = listed[operation.needs]


def row_of(name: str, answers: Sequence[Answer], goal: float | None, count: int | None = None) -> Row:
    """The figures of one operation: ours, and the peer's if it was asked."""
    medians = [statistics.median(answer["times"]) for answer in answers]
    row: Row = {"operation": name, "samples": count, "goal": goal, "ratio": None, "same": None}
    row |= dict(zip((OURS, PEER), answers, strict=False))
    if len(answers) == 2:
        row["ratio"] = medians[1] / medians[0]
        row["same"] = answers[0]["result"] == answers[1]["result"]
    return row


def line(row: Row) -> str:
    """A row as text."""
    shown = [seconds(row[library]["times"]) if library in row else "" for library in (OURS, PEER)]
    peaks = [f"{row[library]['peak_mb'] or 0:.0f}" for library in (OURS, PEER) if library in row]
    ratio = "" if row["ratio"] is None else short(row["ratio"])
    goal = "" if row["goal"] is None else f"{row['goal']:g}"
    remark = "" if row["ratio"] is None or row["goal"] is None or row["ratio"] >= row["goal"] else " missed"
    remark += " OTHER RESULT" if row["same"] is False else ""
    return f"{row['operation']:<32} {shown[0]:>24} {shown[1]:>24} {ratio:>7} {goal:>5}  {' / '.join(peaks):>13}{remark}"


if __name__ == "__main__":
    main()
