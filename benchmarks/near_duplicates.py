"""Find near-duplicates among very many vectors, alone: time, memory, and how many of the planted ones are found.

Usage: python benchmarks/near_duplicates.py [--samples N] [--dimension D]
"""

import argparse
import time

import numpy as np
from brain_operations import vectors
from measuring import forget_peak, peak_megabytes

from saccade.brain.kernels.duplicates import NEIGHBORS, near_duplicates
from saccade.brain.kernels.neighbors import nearest_neighbors

CHECKED = 200


def main() -> None:
    """Plant copies of one row in a hundred, look for them, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=1_000_000)
    parser.add_argument("--dimension", type=int, default=128)
    options = parser.parse_args()
    random = np.random.default_rng(1)
    rows = vectors(options.samples, options.dimension).copy()
    chosen = random.permutation(options.samples)[: options.samples // 50]
    original, copy = np.split(chosen, 2)
    rows[copy] = rows[original] + 0.002 * random.standard_normal((len(copy), options.dimension), dtype=np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    forget_peak()
    begin, begin_client = time.perf_counter(), time.process_time()
    found = near_duplicates(rows)
    seconds, client = time.perf_counter() - begin, time.process_time() - begin_client
    flagged = found.of != np.arange(len(rows))
    planted = flagged[original] | flagged[copy]
    print(
        f"{len(rows)} x {options.dimension}: {seconds:.0f} s, {client:.0f} s of both cores, {peak_megabytes():.0f} MB"
    )
    print(f"{flagged.sum()} duplicates; of {len(copy)} planted, {planted.sum()} found")
    print(f"recall of the {NEIGHBORS} nearest, {CHECKED} rows against all distances: {recall(rows):.4f}")


def recall(rows: np.ndarray) -> float:  # type: ignore[type-arg]  # float32
    """The share of true neighbours among those found, of some rows, by all distances in float64."""
    some = np.arange(0, len(rows), max(1, len(rows) // CHECKED))[:CHECKED]
    found = nearest_neighbors(rows, NEIGHBORS, queries=rows[some], excluding=some)[1]
    shares = []
    for row, indices in zip(some, found, strict=True):
        squared = np.square(rows - rows[row].astype(np.float64)).sum(axis=1)
        squared[row] = np.inf
        true = np.argpartition(squared, NEIGHBORS)[:NEIGHBORS]
        shares.append(len(np.intersect1d(true, indices)) / NEIGHBORS)
    return float(np.mean(shares))


if __name__ == "__main__":
    main()
