"""Time selections beside other libraries on the same arrays, each in a process of its own; or whole ones of a dataset.

    python benchmarks/selection.py --peer-python PATH [--only diversity] [--scale 0.01]
    python benchmarks/selection.py --whole [--sizes 100000 1000000] [--limit 500]

PATH is the Python of an environment with lightly-mundig, apricot-select and submodlib-py; what it lacks is left out.
Seconds are those of all cores that a process kept busy, from arrays to picks. Radius and mean distance are those of all
rows to the nearest pick. Vectors lie in 200 clusters of different size along 32 directions and have length one.
`--whole` goes from stored vectors to the tag, in a database of its own: with an empty cache, again, and with a limit of
memory. "Peak" counts pages of mapped files as well, "own" does not.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from measuring import Watch, forget_peak, peak_megabytes, server, short

Array = np.ndarray[Any, Any]
CLASSES, BLOCK, NOT_INSTALLED = 10, 10_000, 3
BOTH = ("ranked", "accumulated")


@dataclass(frozen=True)
class Case:
    """What is selected from what.

    Attributes:
        kind: the strategies.
        n: how many rows there are.
        d: how many numbers a vector has.
        k: how many rows are picked.
        rules: those of ours that are timed.
    """

    kind: str
    n: int
    d: int
    k: int
    rules: tuple[str, ...] = BOTH

    def __str__(self) -> str:
        """Say it in a few words."""
        return f"{self.kind}, {self.n:,} × {self.d}, k = {self.k:,}"


CASES = [
    Case("diversity", 100_000, 512, 1_000),
    Case("diversity", 100_000, 512, 10_000, ("ranked",)),
    Case("diversity", 1_000_000, 128, 1_000, ("ranked",)),
    Case("diversity and weights", 100_000, 512, 1_000),
    Case("diversity and weights", 100_000, 128, 1_000),
    Case("balance", 100_000, CLASSES, 1_000),
    Case("coverage", 8_000, 64, 200, ("ranked",)),
]


def clustered_vectors(count: int, dimension: int, seed: int = 0) -> Array:
    """Vectors of length one about as learned ones lie, (n, d) float32."""
    random = np.random.default_rng(seed)
    directions = min(32, dimension)
    sizes = random.dirichlet(np.full(200, 0.5))
    middles = random.standard_normal((200, directions), dtype=np.float32)
    turn = random.standard_normal((directions, dimension), dtype=np.float32) / np.float32(np.sqrt(directions))
    vectors = np.empty((count, dimension), dtype=np.float32)
    for start in range(0, count, 50_000):
        block = vectors[start : start + 50_000]
        rows = middles[random.choice(200, len(block), p=sizes)]
        rows += np.float32(0.35) * random.standard_normal(rows.shape, dtype=np.float32)
        block[:] = rows @ turn
        block += np.float32(0.05) * random.standard_normal(block.shape, dtype=np.float32)
        block /= np.linalg.norm(block, axis=1, keepdims=True)
    return vectors


@lru_cache(maxsize=1)
def data(case: Case) -> tuple[Array, Array]:
    """Vectors and weights; or shares of classes, of which one has half of the rows, and a target."""
    random = np.random.default_rng(1)
    if case.kind == "balance":
        common = np.r_[0.5, np.full(case.d - 1, 0.5 / (case.d - 1))]
        return np.eye(case.d, dtype=np.float32)[random.choice(case.d, case.n, p=common)], np.full(case.d, 1 / case.d)
    return clustered_vectors(case.n, case.d), random.beta(2, 5, case.n).astype(np.float32)


def ours(case: Case, rule: str) -> Callable[[], Array]:
    """Our selection. Begins with the first row, as the others do."""
    from saccade.brain.selection import objectives as kinds
    from saccade.brain.selection.greedy import pick

    rows, other = data(case)

    def work() -> Array:
        if case.kind == "balance":
            objectives: list[Any] = [kinds.BalanceObjective(rows.astype(np.float64), other)]
        elif case.kind == "coverage":
            objectives = [kinds.CoverageObjective(rows)]
        else:
            objectives = [kinds.DiversityObjective(rows, normalize=False)]
        if case.kind.endswith("weights"):
            scale = "raw" if rule == "accumulated" else "rank"
            objectives.append(kinds.WeightsObjective(other.astype(np.float64), scale=scale))
        options: Any = {"rule": rule, "first": "index", "on_too_near": "stop"}
        return pick(objectives, case.k, candidates=np.ones(case.n, dtype=bool), **options).rows

    return work


def mundig(case: Case) -> Callable[[], Array]:
    """The selection engine of LightlyStudio."""
    import lightly_mundig

    rows, other = data(case)

    def work() -> Array:
        selection = lightly_mundig.Selection()
        if case.kind == "balance":
            selection.add_balancing_strategy(class_distributions=rows, target=other.tolist(), strength=1.0)
        else:
            selection.add_diversifying_strategy(embeddings=rows, strength=1.0)
        if case.kind.endswith("weights"):
            selection.add_weighting_strategy(weights=other, strength=1.0)
        return np.array(selection.run_selection([], case.n, case.k))

    return work


def apricot(case: Case) -> Callable[[], Array]:
    """Facility location by apricot, which compiles itself before."""
    from apricot import FacilityLocationSelection

    rows = data(case)[0].astype(np.float64)
    options = {"metric": "euclidean", "n_neighbors": None, "random_state": 0}
    FacilityLocationSelection(5, **options).fit(rows[:50])
    return lambda: FacilityLocationSelection(case.k, **options).fit(rows).ranking


def submodlib(case: Case) -> Callable[[], Array]:
    """Facility location by submodlib."""
    from submodlib import FacilityLocationFunction

    rows = data(case)[0].astype(np.float64)

    def work() -> Array:
        function = FacilityLocationFunction(n=case.n, mode="dense", data=rows, metric="euclidean")
        found = function.maximize(budget=case.k, optimizer="LazyGreedy", show_progress=False)
        return np.array([row for row, _ in found])

    return work


PEERS = {"mundig": mundig, "apricot": apricot, "submodlib": submodlib}


def run(case: Case, who: str, picks: Path) -> None:
    """Time one selection in this process, print what it took and write the picks."""
    try:
        work = PEERS[who](case) if who in PEERS else ours(case, who)
    except ImportError:
        if who not in PEERS:
            raise
        sys.exit(NOT_INSTALLED)
    forget_peak()
    begin, begin_cpu = time.perf_counter(), time.process_time()
    found = work()
    wall, cpu = time.perf_counter() - begin, time.process_time() - begin_cpu
    np.save(picks, np.asarray(found, dtype=np.int64))
    print(json.dumps({"wall": wall, "cpu": cpu, "peak": peak_megabytes()}))


def asked(case: Case, who: str, python: str, folder: Path) -> tuple[dict[str, float], Array] | None:
    """Have another process select; None where the library is not installed."""
    picks = folder / "picks.npy"
    command = [python, __file__, "--run", json.dumps(asdict(case)), "--who", who, "--folder", str(picks)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode == NOT_INSTALLED:
        return None
    if done.returncode:
        raise SystemExit(f"{who}, {case}: ended with {done.returncode}")
    return json.loads(done.stdout.splitlines()[-1]), np.load(picks)


def quality(case: Case, picks: Array) -> str:
    """The radius and the mean distance to the nearest pick; of BALANCE the largest error of a share."""
    rows, other = data(case)
    if case.kind == "balance":
        return f"{np.abs(rows[picks].mean(axis=0) - other).max():.4f}"
    chosen, nearest = rows[picks], np.empty(len(rows))
    for start in range(0, len(rows), 1024):
        nearest[start : start + 1024] = (rows[start : start + 1024] @ chosen.T).max(axis=1)
    distances = np.sqrt(np.maximum(2 - 2 * nearest, 0))
    return f"{distances.max():.4f}, {distances.mean():.4f}"


def agreement(left: Array, right: Array) -> str:
    """How many picks are the same, and how many before the first one that differs."""
    if np.array_equal(left, right):
        return "all, in order"
    until = next((place for place, pair in enumerate(zip(left, right, strict=False)) if pair[0] != pair[1]), 0)
    return f"{len(np.intersect1d(left, right)):,}, first {until:,} in order"


def compare(options: argparse.Namespace) -> None:
    """Print a line for each case, rule and peer."""
    print("| case | rule | ours s: CPU, wall | MB | peer | its s: CPU, wall | MB | ratio of CPU | same picks | ours: "
          "radius, mean | its |\n|---|---|--:|--:|---|--:|--:|--:|--:|--:|--:|")  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for case in scaled(options):
            peers = ("apricot", "submodlib") if case.kind == "coverage" else ("mundig",)
            found = {peer: asked(case, peer, options.peer_python, folder) for peer in peers if options.peer_python}
            for rule in case.rules:
                own = asked(case, rule, sys.executable, folder)
                assert own is not None
                said = [f"{case}", rule, took(own[0]), f"{own[0]['peak']:.0f}"]
                for peer, theirs in (found or {"–": None}).items():
                    print(f"| {' | '.join(said + beside(case, own, peer, theirs))} |", flush=True)


def scaled(options: argparse.Namespace) -> Iterator[Case]:
    """The chosen cases in their sizes."""
    for case in CASES:
        if not options.only or any(str(case).startswith(start) for start in options.only):
            yield replace(case, n=max(20, round(case.n * options.scale)), k=max(5, round(case.k * options.scale)))


def took(figures: dict[str, float]) -> str:
    """The seconds."""
    return f"{short(figures['cpu'])}, {short(figures['wall'])}"


def beside(
    case: Case, own: tuple[dict[str, float], Array], peer: str, theirs: tuple[dict[str, float], Array] | None
) -> list[str]:
    """What is said of a peer beside ours."""
    if theirs is None:
        return [peer, "–", "–", "–", "–", quality(case, own[1]), "–"]
    figures, picks = theirs
    ratio = short(figures["cpu"] / own[0]["cpu"])
    same = agreement(own[1], picks)
    return [peer, took(figures), f"{figures['peak']:.0f}", ratio, same, quality(case, own[1]), quality(case, picks)]


def whole(options: argparse.Namespace) -> None:
    """Print what a selection takes from stored vectors to the tag, at each size."""
    from saccade import settings
    from saccade.dataset.store import binary

    print("| samples | vectors | picks | selection | s | client s | server s | peak MB | own MB |"
          "\n|--:|--:|--:|---|--:|--:|--:|--:|--:|")  # fmt: skip
    for size in options.sizes:
        with server(binary.find(settings.current()).path) as (uri, folder):
            environment = [
                f"HOME={folder}", f"SACCADE_DATABASE_URI={uri}", f"SACCADE_CACHE_DIR={folder / 'cache'}",
                "SACCADE_SHOW_PROGRESS=false",
            ]  # fmt: skip
            for part in PARTS:
                command = [
                    "/usr/bin/env", *environment, sys.executable, __file__, "--part", part, "--folder", str(folder),
                    "--sizes", str(size), "--dimension", str(options.dimension), "--count", str(options.count),
                    "--limit", str(options.limit),
                ]  # fmt: skip
                if subprocess.run(command, check=False).returncode:
                    print(f"| {size:,} | | | {part} | did not end well | | | | |", flush=True)


def store(options: argparse.Namespace) -> None:
    """Put vectors into a dataset."""
    import saccade as sc

    vectors = clustered_vectors(options.sizes[0], options.dimension)
    dataset = sc.Dataset("selection")
    for start in range(0, len(vectors), BLOCK):
        block = vectors[start : start + BLOCK]
        paths = [f"/data/images/{row:08d}.jpg" for row in range(start, start + len(block))]
        dataset.add_columns({"filepath": paths, "embedding": block})
    shutil.rmtree(options.folder / "cache", ignore_errors=True)


def select(options: argparse.Namespace) -> None:
    """Select in this process and print what it took; the picks must be those of the part before."""
    import saccade as sc
    import saccade.brain

    name, limit = options.part, None
    if name == "limited":
        name, limit = f"within {options.limit} MB", options.limit * 1_000_000
    dataset = sc.load_dataset("selection")
    with Watch(int((options.folder / "mongod.pid").read_text(encoding="ascii"))) as watch:
        found = saccade.brain.select(dataset, n_samples=options.count, tag=f"picks-{options.part}", memory_limit=limit)
    figures = [short(each) for each in (watch.seconds, watch.client, watch.server)]
    memory = [f"{watch.peak:.0f}", f"{watch.own:.0f}"]
    said = [f"{options.sizes[0]:,}", f"{options.dimension}", f"{len(found.ids):,}", name, *figures, *memory]
    print(f"| {' | '.join(said)} |", flush=True)
    before = options.folder / "ids.json"
    assert not before.is_file() or json.loads(before.read_text(encoding="ascii")) == found.ids
    before.write_text(json.dumps(found.ids), encoding="ascii")


PARTS = {"store": store, "first": select, "again": select, "limited": select}


def main() -> None:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer-python", help="the Python of an environment with the peers")
    parser.add_argument("--only", nargs="+", help="cases that begin with one of these")
    parser.add_argument("--scale", type=float, default=1.0, help="what rows and picks are multiplied by")
    parser.add_argument("--whole", action="store_true", help="time from stored vectors to the tag")
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--dimension", type=int, default=512, help="numbers in a stored vector")
    parser.add_argument("--count", type=int, default=10_000, help="samples picked from the stored ones")
    parser.add_argument("--limit", type=int, default=500, help="megabytes that the last selection is to stay below")
    for inner in ("--run", "--who"):
        parser.add_argument(inner, help=argparse.SUPPRESS)
    parser.add_argument("--part", choices=list(PARTS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        given = json.loads(options.run)
        run(Case(**{**given, "rules": tuple(given["rules"])}), options.who, options.folder)
    elif options.part:
        PARTS[options.part](options)
    elif options.whole:
        whole(options)
    else:
        compare(options)


if __name__ == "__main__":
    main()
