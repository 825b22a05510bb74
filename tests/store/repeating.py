"""A process that does one verb again and again until it is killed. `test_random_kills` runs it.

    python -m tests.store.repeating VERB TURN

It prints "begin TURN" before each turn and "end TURN" when it was acknowledged.
"""

import itertools
import sys
from collections.abc import Callable

import numpy as np

import saccade as sc
import saccade.brain as scb

NAME = "street"
ADDED = 2_300  # two batches and a bit


def score(turn: int, position: int) -> float:
    return turn + position / 7


def added(turn: int) -> list[sc.Sample]:
    """What `add_samples` adds."""
    return [
        sc.Sample(
            f"/{turn}/{i}.png", turn=turn, place=i, vector=np.full(3, turn + i / 8),
            found=sc.Detections(detections=[sc.Detection(label=f"turn {turn}", vector=np.full(2, i / 8))]),
        )
        for i in range(ADDED)
    ]  # fmt: skip


def rows(turn: int, count: int) -> np.ndarray:
    """What the vectors become."""
    return (turn + np.arange(4 * count, dtype=np.float32) / 16).reshape(count, 4)


VERBS: dict[str, Callable[[sc.Dataset, int], object]] = {
    "add_samples": lambda dataset, turn: dataset.add_samples(added(turn)),
    "set_values": lambda dataset, turn: dataset.set_values("score", [score(turn, i) for i in range(len(dataset))]),
    "set_vectors": lambda dataset, turn: dataset.set_values("vector", rows(turn, len(dataset))),
    "tag_samples": lambda dataset, turn: dataset.tag_samples(f"round-{turn}"),
    "compute_uniqueness": lambda dataset, turn: scb.compute_uniqueness(dataset, f"unique_{turn}"),
}


def main(verb: str, first: str) -> None:
    """Do the verb turn after turn."""
    dataset = sc.load_dataset(NAME)
    for turn in itertools.count(int(first)):
        print("begin", turn, flush=True)
        VERBS[verb](dataset, turn)
        print("end", turn, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
