"""What grows with the data: the same list on 100,000 and on 1,000,000 samples, each in processes of its own.

Usage: python benchmarks/million.py [--sizes 100000 1000000] [--dimension 512] [--limit 500] [--json FILE]

Each size has a server of its own, one process for everything, and one that reads the vectors again, from an empty
cache, with a bound on the memory that it may ask for. What is read is compared with what was written.
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from measuring import Watch, server, short

BLOCK = 10_000
FIGURES = {"seconds": "s", "client": "client s", "server": "server s", "peak": "peak MB", "own": "own MB"}
HEAD = f"{'operation':<34}" + "".join(f"{shown:>9}" for shown in FIGURES.values())
Row = dict[str, Any]


def main() -> None:
    """Run the list at each size and print how times grew."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--dimension", type=int, default=512, help="numbers in a vector")
    parser.add_argument("--limit", type=int, default=500, help="megabytes that the last process may ask for")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--part", choices=list(PARTS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part is not None:
        PARTS[options.part](options)
        return
    tables = [table(samples, options) for samples in options.sizes]
    print(f"\nhow many times as much {max(options.sizes):,} samples take\n{HEAD}")
    for rows in zip(*tables, strict=True):
        factors = [rows[-1][figure] / rows[0][figure] if rows[0][figure] else 0 for figure in FIGURES]
        print(f"{rows[0]['name']:<34}" + "".join(f"{short(factor):>9}" for factor in factors))
    if options.json is not None:
        options.json.write_text(json.dumps(dict(zip(map(str, options.sizes), tables, strict=True)), indent=1))


def table(samples: int, options: argparse.Namespace) -> list[Row]:
    """Run the list at one size."""
    from saccade import settings
    from saccade.dataset.store import binary

    print(f"\n{samples:,} samples, {options.dimension} numbers in a vector\n{HEAD}", flush=True)
    rows: list[Row] = []
    with server(binary.find(settings.current()).path) as (uri, folder):
        environment = [
            f"HOME={folder}", f"SACCADE_DATABASE_URI={uri}", f"SACCADE_CACHE_DIR={folder / 'cache'}",
            "SACCADE_SHOW_PROGRESS=false",
        ]  # fmt: skip
        for part in PARTS:
            command = [
                "/usr/bin/env", *environment, sys.executable, __file__, "--part", part, "--folder", str(folder),
                "--sizes", str(samples), "--dimension", str(options.dimension), "--limit", str(options.limit),
            ]  # fmt: skip
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
                assert process.stdout is not None
                for line in process.stdout:
                    row = json.loads(line)
                    rows.append(row)
                    print(f"{row['name']:<34}" + "".join(f"{short(row[figure]):>9}" for figure in FIGURES), flush=True)
            if process.returncode:
                raise SystemExit(f"{part} ended with {process.returncode}")
    return rows


class Timed:
    """Tells what each step of a process took."""

    def __init__(self, folder: Path) -> None:
        """Know the server that was started in this folder."""
        self._server_pid = int((folder / "mongod.pid").read_text(encoding="ascii"))

    def __call__(self, name: str, work: Callable[[], Any]) -> Any:
        """Do some work, and tell what it took."""
        with Watch(self._server_pid) as watch:
            result = work()
        figures = {figure: getattr(watch, figure) for figure in FIGURES}
        print(json.dumps({"name": name, **figures}), flush=True)
        return result


def everything(options: argparse.Namespace) -> None:
    """Add, ask, sort, store and load."""
    import saccade as sc

    samples, timed = options.sizes[0], Timed(options.folder)
    source = vectors(options.folder / "source", samples, options.dimension)
    dataset = sc.Dataset("million")
    timed("add_samples, from a generator", lambda: dataset.add_samples(photos(samples)))
    assert timed("count", dataset.count) == samples
    scores = np.random.default_rng(1).random(samples)
    view = dataset.match(sc.F("score") > 0.5)
    assert timed("match, count", view.count) == int((scores > 0.5).sum())
    assert timed("values, float", lambda: dataset.values("score")) == scores.tolist()
    dataset.create_index("score")
    ordered = dataset.sort_by("score", reverse=True).limit(1000)
    assert (
        timed("sort_by an index, 1000 samples", lambda: [each.score for each in ordered]) == sorted(scores)[:-1001:-1]
    )
    timed("iter_samples", lambda: sum(sample.score for sample in dataset.iter_samples()))
    timed("store vectors", lambda: dataset.set_values("embedding", source))
    compare(timed("load vectors, first time", load), source)
    compare(timed("load vectors, again", load), source)


def bounded(options: argparse.Namespace) -> None:
    """Load from an empty cache, then from a filled one, with a bound on the memory that may be asked for."""
    limit = options.limit * 1_000_000
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))  # all that is private: heap, stacks, anonymous maps
    shutil.rmtree(options.folder / "cache")
    source, timed = np.load(options.folder / "source.npy", mmap_mode="r"), Timed(options.folder)
    compare(timed(f"load within {options.limit} MB, first time", load), source)
    compare(timed(f"load within {options.limit} MB, again", load), source)


PARTS = {"everything": everything, "bounded": bounded}


def load() -> Any:
    """The vectors of the dataset, as it is loaded anew."""
    import saccade as sc
    from saccade.dataset.columns import read_vectors

    return read_vectors(sc.load_dataset("million"), "embedding")[1]


def compare(found: Any, source: Any) -> None:
    """Stop unless all numbers are the ones that were written."""
    assert found.shape == source.shape
    for start in range(0, len(source), BLOCK):
        assert np.array_equal(found[start : start + BLOCK], source[start : start + BLOCK]), start


def vectors(path: Path, samples: int, dimension: int) -> Any:
    """A file of vectors, which is mapped."""
    file = path.with_suffix(".npy")
    written = np.lib.format.open_memmap(file, mode="w+", dtype=np.float32, shape=(samples, dimension))
    for start in range(0, samples, BLOCK):
        count = min(BLOCK, samples - start)
        written[start : start + count] = np.random.default_rng(start).random((count, dimension), dtype=np.float32)
    del written
    return np.load(file, mmap_mode="r")


def photos(samples: int) -> Iterator[Any]:
    """Photos with a label and a score, one after another."""
    import saccade as sc

    names = [f"class_{number:03d}" for number in range(10)]
    scores = np.random.default_rng(1).random(samples)
    for row in range(samples):
        label = sc.Classification(label=names[row % 10], confidence=0.5)
        yield sc.Sample(f"/data/images/{row:08d}.jpg", ground_truth=label, score=float(scores[row]))


if __name__ == "__main__":
    main()
