"""A process that is killed, or kills its server, at a chosen point of a bulk write. `test_kill` runs it.

    python -m tests.store.dying VERB POINT client|server [SECONDS]
    python -m tests.store.dying

In the first form it prints "at the point" when it gets there, waits for some seconds, and strikes. If it lives on, it
prints "done" or "raised" at the end. In the second form it does one bulk write after the other until it is killed.
"""

import itertools
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

import saccade as sc
import saccade.brain as scb
from saccade.dataset import settings
from saccade.dataset.errors import SaccadeError
from saccade.dataset.store import actions, images, service, writes

NAME = "street"


def score(position: int) -> float:
    """What `set_values` writes; before it, every sample has -1."""
    return position / 7


VERBS: dict[str, Callable[[sc.Dataset], object]] = {
    "set_values": lambda dataset: dataset.set_values("score", [score(i) for i in range(len(dataset))]),
    "tag_samples": lambda dataset: dataset.tag_samples("new"),
    "delete_samples": lambda dataset: dataset.delete_samples(dataset.match(sc.F("score") == -1).limit(1_100)),
    "compute_uniqueness": scb.compute_uniqueness,
    "undo": lambda dataset: dataset.undo(),
    "undo of delete_samples": lambda dataset: dataset.undo(),
}
BEFORE: dict[str, Callable[[sc.Dataset], object]] = {
    "undo": VERBS["set_values"],
    "undo of delete_samples": VERBS["delete_samples"],
}
"""What is done, undisturbed, before a verb that undoes it."""

WRITES = {
    "set_values": (writes, "set_values"),
    "tag_samples": (actions, "change_tag"),
    "delete_samples": (actions, "delete"),
    "compute_uniqueness": (writes, "set_values"),
    "undo": (writes, "set_values"),
    "undo of delete_samples": (images, "insert_documents"),
}
"""The function of the store that does a verb's writing, and its module."""

POINTS = ("before the claim", "before the images", "before the writes", "in the writes", "before the close")


class Strike:
    """Kills the process or its server, once."""

    def __init__(self, whom: str, seconds: float) -> None:
        self._whom = whom
        self._seconds = seconds
        self._has_struck = False

    def __call__(self) -> None:
        if self._has_struck:
            return
        self._has_struck = True
        print("at the point", flush=True)
        time.sleep(self._seconds)
        if self._whom == "client":
            os.kill(os.getpid(), signal.SIGKILL)
        pid = service.server_status(settings.current()).pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)


def arm(verb: str, point: str, strike: Strike) -> None:
    """Let the store's functions strike at the point."""
    if point == "before the claim":
        _before(actions, "open_action", strike)
    elif point == "before the images":
        _before(images, "add_image", strike)
    elif point == "before the writes":
        _before(*WRITES[verb], strike)
    elif point == "in the writes":
        module, name = WRITES[verb]
        write = getattr(module, name)

        def half(hold: Any, ids: Any, *rest: Any, **options: Any) -> None:
            some = ids[: len(ids) // 2]
            write(hold, some, *(_first(len(some), part) for part in rest), **options)
            strike()
            write(hold, ids, *rest, **options)

        setattr(module, name, half)
    else:
        _before(actions, "end_action", strike)


def _first(count: int, part: Any) -> Any:
    """What of an argument concerns the first samples: of columns the first values, else all."""
    return {path: values[:count] for path, values in part.items()} if isinstance(part, dict) else part


def _before(module: Any, name: str, strike: Strike) -> None:
    real = getattr(module, name)

    def replacement(*given: Any, **options: Any) -> Any:
        strike()
        return real(*given, **options)

    setattr(module, name, replacement)


def main(verb: str, point: str, whom: str, seconds: str = "0") -> None:
    """Do the verb on the dataset, and strike at the point."""
    dataset = sc.load_dataset(NAME)
    arm(verb, point, Strike(whom, float(seconds)))
    try:
        VERBS[verb](dataset)
    except SaccadeError as error:
        print("raised", error, flush=True)
    else:
        print("done", flush=True)
    os._exit(0)  # taking leave of the server costs half a second


def work_for_ever() -> None:
    """Give all samples the same score and the same tag, which was there never before, and take the tag away again."""
    dataset = sc.load_dataset(NAME)
    scores = dataset.values("score")
    for number in itertools.count(1):
        print(number, flush=True)
        try:
            dataset.set_values("score", [float(number)] * len(scores))
            dataset.tag_samples(f"round-{os.getpid()}-{number}")
            dataset.untag_samples(f"round-{os.getpid()}-{number}")
        except SaccadeError as error:
            print("raised", error, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:]) if sys.argv[1:] else work_for_ever()
