"""A process that edits samples one by one until its input ends. `test_kill` runs it.

    python -m tests.store.editing

It prints a line for each edit that was acknowledged: the sample's id and the number that it wrote.
"""

import itertools
import sys
import threading

import saccade as sc
from saccade.dataset.errors import SampleNotFoundError
from tests.store.dying import NAME


def main() -> None:
    """Give samples numbers as their score and their note, and a tag."""
    stopped = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), stopped.set()), daemon=True).start()
    dataset = sc.load_dataset(NAME)
    ids = dataset.values("id")
    for number in itertools.count(1):
        if stopped.is_set():
            return
        sample_id = ids[(number * 37) % len(ids)]
        try:
            sample = dataset[sample_id]
            sample["score"] = float(1_000_000 + number)
            sample["note"] = number
            sample.tags = [*sample.tags, f"edit-{number}"]
            sample.save()
        except SampleNotFoundError:
            continue
        print(sample_id, number, flush=True)


if __name__ == "__main__":
    main()
