"""One library in a process of its own: reads names of operations, answers with times and memory.

Started by `data_layer.py`, which talks to it: one line in, one line of JSON out.
"""

import argparse
import gc
import json
import os
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from measuring import forget_peak, peak_megabytes
from operations import Bench, Operation


def main() -> None:
    """Answer until there is nothing more to do."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--library", required=True)
    parser.add_argument("--samples", type=int, required=True)
    parser.add_argument("--dimension", type=int, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--list", required=True, help="the module with the operations")
    options = parser.parse_args()
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a library prints shall not be taken for an answer
    listed = import_module(options.list).OPERATIONS
    bench = Bench(options.library, options.samples, options.dimension, options.cache)
    for line in sys.stdin:
        request = json.loads(line)
        answers.write(json.dumps(run(bench, listed[request["operation"]], request["runs"])) + "\n")


def run(bench: Bench, operation: Operation, runs: int) -> dict[str, Any]:
    """Run one operation several times."""
    times, client, peaks, result = [], [], [], None
    for _ in range(runs):
        timed = operation.prepare(bench)
        result = None
        gc.collect()
        forget_peak()
        begin, begin_client = time.perf_counter(), time.process_time()
        result = timed()
        times.append(time.perf_counter() - begin)
        client.append(time.process_time() - begin_client)
        peaks.append(peak_megabytes())
    return {"times": times, "client": client, "peak_mb": max(peaks), "result": digest(result)}


def digest(value: Any) -> Any:
    """The gist of a result, by which two libraries can be compared."""
    if isinstance(value, np.ndarray):
        return [list(value.shape), round(float(value.sum()), 2)]
    if isinstance(value, float):
        return round(value, 5)
    if isinstance(value, list | tuple):
        return [len(value), *(digest(value[position]) for position in ((0, -1) if value else ()))]
    return value


if __name__ == "__main__":
    main()
