"""Interrupted by the user at any moment, a bulk write happens whole or not at all."""

import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType, FunctionType
from typing import Any

import pytest
from pymongo.synchronous import pool

import saccade as sc
from saccade.dataset.store import actions, connection, field_records

WATCHED = (
    "/dataset/bulk.py", "/dataset/journal/", "/store/actions.py", "/store/catalog.py", "/store/field_records.py",
    "/store/images.py",
)  # fmt: skip
COUNT = 12


def street(count: int) -> sc.Dataset:
    dataset = sc.Dataset("street", overwrite=True)
    dataset.add_sample_field("count", sc.IntField)
    dataset.add_samples(
        [sc.Sample(f"/photos/{i}.png", count=i, tags=["b", "a"] if i % 2 else []) for i in range(count)]
    )
    return dataset


def state_of(dataset: sc.Dataset) -> Any:
    documents = list(connection.database()[f"samples.{dataset._id}"].find().sort("_id", 1))
    return documents, {path: record["field"] for path, record in field_records.by_path(dataset._id).items()}


class Interrupt:
    """Interrupts the program at the n-th line that it runs in the watched files."""

    def __init__(self, line: int) -> None:
        self._left = line

    def __call__(self, frame: FrameType, event: str, argument: object) -> "Interrupt | None":
        if not any(part in frame.f_code.co_filename for part in WATCHED):
            return None
        if event == "line":
            self._left -= 1
            if self._left == 0:
                raise KeyboardInterrupt
        return self


def is_interrupted_at(line: int, verb: Callable[[], object]) -> bool:
    """Run `verb`; False if it ended before the line was reached."""
    before = sys.gettrace()
    try:
        sys.settrace(Interrupt(line))
        verb()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


VERBS: dict[str, Callable[[sc.Dataset, int], object]] = {
    "set_values": lambda dataset, count: dataset.set_values("count", [0.5] * count),
    "set_values of a new field": lambda dataset, count: dataset.set_values("new", ["x"] * count),
    "tag_samples": lambda dataset, count: dataset.tag_samples("new"),
    "untag_samples": lambda dataset, count: dataset.untag_samples("b"),
    "rename_sample_field": lambda dataset, count: dataset.rename_sample_field("count", "number"),
    "delete_samples": lambda dataset, count: dataset.delete_samples(dataset.limit(count - 2)),
}


@pytest.mark.parametrize("step", [41, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("verb", VERBS)
def test_interrupted_at_a_line_nothing_is_half_done(database, monkeypatch, verb, step):
    monkeypatch.setattr(actions, "_QUIET_SECONDS", 0)
    dataset = street(COUNT)
    old = state_of(dataset)
    line = random.Random(step).randrange(1, step + 1)
    undone = 0
    while is_interrupted_at(line, partial(VERBS[verb], dataset, COUNT)):
        dataset = sc.load_dataset("street")
        assert actions.live_actions(dataset._id) == [], line
        if state_of(dataset) == old:
            undone += 1
        else:
            assert actions.list_actions(dataset._id)[-1]["state"] == "closed", line
            dataset = street(COUNT)
            old = state_of(dataset)
        line += step
    assert undone > 200 / step


@contextmanager
def alarm(seconds: float) -> Iterator[None]:
    """Interrupt the block after some time, as Ctrl-C does."""

    def interrupt(*given: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_settling_waits_for_what_the_server_still_does(database):
    dataset_id = "507f1f77bcf86cd799439011"
    database.things.insert_one({})
    work = {"filter": {"$where": "sleep(600) || true"}, "comment": f"{dataset_id}/7"}
    slow = threading.Thread(target=lambda: list(database.things.find(**work)))
    begin = time.monotonic()
    slow.start()
    actions.settle(dataset_id, 8)
    assert time.monotonic() - begin < 0.5
    actions.settle(dataset_id, 7)
    assert time.monotonic() - begin >= 0.6
    slow.join()


# An interrupt that falls into a destructor is lost; so much for Python.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_the_server_was_just_doing_does_not_come_after_the_rollback(database):
    count = 12_000
    dataset = street(count)
    chance = random.Random(51)
    undone = 0
    for turn in range(9):
        old = state_of(dataset)
        verb = ["set_values", "tag_samples", "delete_samples"][turn % 3]
        try:
            with alarm(chance.uniform(0.02, 0.2)):
                VERBS[verb](dataset, count)
        except KeyboardInterrupt:
            assert actions.live_actions(dataset._id) == []
            state = state_of(dataset)
            time.sleep(0.2)
            assert state_of(dataset) == state
            if state == old:
                undone += 1
                continue
            assert actions.list_actions(dataset._id)[-1]["state"] == "closed"  # it was done, but had not returned
        dataset = street(count)
    assert undone > 2


def test_after_an_interrupt_inside_the_driver_no_lock_that_it_left_is_waited_for(database):
    dataset = street(3)
    before = connection.database().client
    locked = []

    def interrupted(*_: Any, **__: Any) -> Any:
        (server,) = before._topology._servers.values()
        server.pool.lock.acquire()
        locked.append(server.pool.lock)
        raise KeyboardInterrupt

    inside = FunctionType(interrupted.__code__, {**pool.__dict__}, "inside", None, interrupted.__closure__)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool.Pool, "checkout", inside)
        with pytest.raises(KeyboardInterrupt):
            dataset.set_values("count", [7, 8, 9])
    assert len(locked) == 1
    try:
        assert connection.database().client is not before
        assert dataset.values("count") == [0, 1, 2]
        dataset.set_values("count", [7, 8, 9])
        assert sc.load_dataset("street").values("count") == [7, 8, 9]
    finally:
        locked[0].release()
