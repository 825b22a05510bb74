"""Time the finding of wrong class labels among arrays, beside cleanlab where it is installed.

Usage: python benchmarks/label_issues.py [--samples N] [--runs N]
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from saccade.brain.kernels.mistakenness import mistakenness

SPREAD = 5.0


def main() -> None:
    """Print a line for each number of classes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    for classes in (10, 100):
        labels, probabilities = noisy(options.samples, classes)
        ours, found = timed(lambda p=probabilities, y=labels: mistakenness(p, y).scores > 0.5, options.runs)
        print(f"{options.samples} x {classes}: ours {ours:.3f} s, {int(found.sum())} labels doubted", end="")
        try:
            from cleanlab.filter import find_label_issues
        except ImportError:
            print("; cleanlab is not installed")
            continue
        theirs, issues = timed(lambda p=probabilities, y=labels: find_label_issues(y, p, n_jobs=1), options.runs)
        shared = int((found & issues).sum())
        print(
            f"; cleanlab {theirs:.3f} s, {int(issues.sum())} issues, {shared} of them ours: ratio {theirs / ours:.2f}"
        )


def noisy(samples: int, classes: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Labels, one in twenty of them wrong, and the probabilities of a model that is usually right."""
    random = np.random.default_rng(0)
    truth = random.integers(0, classes, samples)
    logits = random.standard_normal((samples, classes))
    logits[np.arange(samples), truth] += SPREAD
    probabilities = np.exp(logits)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    labels = np.where(random.random(samples) < 0.05, random.integers(0, classes, samples), truth)
    return labels, probabilities


def timed(work: Callable[[], Any], runs: int) -> tuple[float, Any]:
    """The median of some runs in seconds, and the last result."""
    times = []
    for _ in range(runs):
        begin = time.perf_counter()
        result = work()
        times.append(time.perf_counter() - begin)
    return float(np.median(times)), result


if __name__ == "__main__":
    main()
