"""The protocol of bulk writes: claims, waiting, rolling back, taking over, and what single edits and readers do."""

import logging
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
import pytest
from bson import ObjectId

import saccade as sc
from saccade.dataset import journal, settings
from saccade.dataset.errors import (
    ActionLostError,
    DatasetNotFoundError,
    SampleNotFoundError,
    SchemaError,
    StoreError,
)
from saccade.dataset.journal import retention
from saccade.dataset.schema import FloatField, IntField, StringField, VectorField
from saccade.dataset.store import actions, connection, field_records, images, liveness, samples, service, vectors
from saccade.dataset.store.actions import ABSENT
from tests.store.processes import begin, kill, server_pid, until

COUNT = 1_200  # more than one batch


@pytest.fixture
def dataset(database) -> sc.Dataset:
    """Samples with numbers, tags, labels, vectors, and a few odd ones."""
    made = sc.Dataset("street")
    made.add_sample_field("count", IntField)
    made.add_sample_field("facts", sc.DictField)
    ids = made.add_samples([
        sc.Sample(f"/photos/{i}.png", count=i, tags=["b", "a"] if i % 2 else [], label=sc.Classification(label="cat"))
        for i in range(COUNT)
    ])  # fmt: skip
    made.set_values("embedding", [np.array([i, 1.0]) for i in range(COUNT)])
    odd = connection.database()[f"samples.{made._id}"]
    odd.update_one({"_id": ObjectId(ids[0])}, {"$set": {"facts": None}})
    odd.update_one({"_id": ObjectId(ids[1])}, {"$set": {"facts": {"b": 5}}})
    odd.update_one({"_id": ObjectId(ids[2])}, {"$unset": {"tags": ""}})
    odd.update_one({"_id": ObjectId(ids[3])}, {"$set": {"facts": {}}})
    odd.update_one({"_id": ObjectId(ids[4])}, {"$set": {"tags": None}})
    return made


def documents(dataset: sc.Dataset) -> list[dict[str, Any]]:
    return list(connection.database()[f"samples.{dataset._id}"].find().sort("_id", 1))


def everything(dataset: sc.Dataset) -> Any:
    """The samples and the fields as stored, without counters that only ever go up."""
    fields = {
        path: {key: value for key, value in record.items() if key not in {"revision", "edits"}}
        for path, record in field_records.by_path(dataset._id).items()
    }
    return documents(dataset), fields


def ids_of(dataset: sc.Dataset) -> list[str]:
    return [str(document["_id"]) for document in documents(dataset)]


@contextmanager
def held(dataset: sc.Dataset, fields: list[str] | None, verb: str = "long_work") -> Iterator[journal.Action]:
    """An action in another thread; it ends with the block."""
    begun, done, made = threading.Event(), threading.Event(), []

    def work() -> None:
        with journal.action(dataset._id, verb, fields) as action:
            made.append(action)
            begun.set()
            done.wait(60)

    thread = threading.Thread(target=work)
    thread.start()
    assert begun.wait(10)
    try:
        yield made[0]
    finally:
        done.set()
        thread.join()


class ForcedError(Exception):
    """What makes the actions of `failing` fail."""


@contextmanager
def failing(dataset: sc.Dataset, fields: list[str] | None = None, **options: Any) -> Iterator[journal.Action]:
    """An action that fails at the end of the block."""
    with suppress(ForcedError), journal.action(dataset._id, "fails", fields, **options) as action:
        yield action
        raise ForcedError


def in_thread(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


# --- claims and waiting ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "waits"),
    [
        (["count"], ["count"], True),
        (["count"], ["label"], False),
        (["count", "tags"], ["tags", "label"], True),
        (["count.inner"], ["count.other"], True),
        (None, ["count"], True),
        (["count"], None, True),
        (None, None, True),
    ],
)
def test_actions_on_the_same_field_come_one_after_the_other(dataset, first, second, waits):
    order = []

    def later() -> None:
        with journal.action(dataset._id, "second", second):
            order.append("second")

    with held(dataset, first):
        thread = in_thread(later)
        thread.join(0.4)
        assert thread.is_alive() is waits
        order.append("first")
    thread.join()
    assert order == (["first", "second"] if waits else ["second", "first"])


def test_many_writers_of_one_field_all_get_their_turn(dataset):
    def work() -> None:
        for _ in range(5):
            with journal.action(dataset._id, "add_one", ["count"]) as action:
                action.transform(ids, ["count"], lambda start, old: {"count": [d["count"] + 1 for d in old]})

    ids = ids_of(dataset)[:3]
    threads = [in_thread(work) for _ in range(6)]
    for thread in threads:
        thread.join()
    assert dataset.limit(3).values("count") == [30, 31, 32]


def test_who_waits_long_says_for_whom(dataset, caplog):
    with held(dataset, ["count"], "slow_verb"), caplog.at_level(logging.WARNING, "saccade"):
        thread = in_thread(lambda: journal.wait_for(dataset._id, ["count"]))
        until(lambda: "waiting for slow_verb by" in caplog.text)
        assert f"(process {os.getpid()})" in caplog.text
    thread.join()


def test_a_thread_does_not_wait_for_itself(dataset):
    with journal.action(dataset._id, "outer", ["count"]):
        with pytest.raises(StoreError, match="outer is still running here"):
            dataset.set_values("count", [0] * COUNT)
        with pytest.raises(StoreError, match="outer is still running here"):
            journal.stable_read(dataset._id, ["count"], list)
    dataset.set_values("count", [0] * COUNT)


def test_an_action_writes_only_what_it_claimed(dataset):
    ids = ids_of(dataset)
    with (
        pytest.raises(StoreError, match=r"did not claim 'label\.label'; it claimed count"),
        journal.action(dataset._id, "set_values", ["count"]) as action,
    ):
        action.set(ids, {"label.label": ["dog"] * COUNT})
    with (
        pytest.raises(StoreError, match="cannot delete"),
        journal.action(dataset._id, "set_values", ["count"]) as action,
    ):
        action.delete(ids)


def test_an_action_on_nothing_leaves_only_a_line(dataset):
    before = everything(dataset)
    with journal.action(dataset._id, "nothing", None) as action:
        action.set([], {"count": []})
        action.tag([], "new")
        action.delete([])
    assert everything(dataset) == before
    line = actions.list_actions(dataset._id)[-1]
    assert (line["verb"], line["state"], line["live"], line["bytes"]) == ("nothing", "closed", False, 0)


def test_samples_that_are_gone_are_passed_over(dataset):
    ids = ids_of(dataset)
    dataset.delete_samples(ids[:2])
    with journal.action(dataset._id, "all", None) as action:
        action.set(ids, {"count": [7] * COUNT})
        action.tag(ids, "new")
        action.delete(ids[:3])
    assert len(dataset) == COUNT - 3
    assert dataset.distinct("count") == [7]


# --- rolling back ---------------------------------------------------------------------------------------------------


def set_scalars(action: journal.Action, ids: list[str]) -> None:
    action.set(ids, {"count": [-1] * COUNT, "note": ["new"] * COUNT})


def set_nested(action: journal.Action, ids: list[str]) -> None:
    rest = [ids[0], *ids[2:]]
    action.set(
        rest, {"facts.b.c": list(range(COUNT - 1)), "facts.b.d": [1] * (COUNT - 1), "facts.e": [2] * (COUNT - 1)}
    )


def unset(action: journal.Action, ids: list[str]) -> None:
    action.set(ids, {"count": [ABSENT] * COUNT, "facts.b": [ABSENT] * COUNT, "label.label": [ABSENT] * COUNT})


def set_twice(action: journal.Action, ids: list[str]) -> None:
    action.set(ids, {"count": [-1] * COUNT})
    action.set(ids[:700] * 2, {"count": [-2] * 1_400})


def tag(action: journal.Action, ids: list[str]) -> None:
    action.tag(ids, "a")
    action.tag(ids, "new")


def untag(action: journal.Action, ids: list[str]) -> None:
    action.untag(ids, "b")
    action.tag(ids, "c")
    action.untag(ids, "c")


def delete(action: journal.Action, ids: list[str]) -> None:
    action.delete([*ids[:1_100], *ids[:10]])


def set_vectors(action: journal.Action, ids: list[str]) -> None:
    keys = [vectors.vector_key(action.number, sample_id) for sample_id in ids]
    action.insert_vectors(keys, [[1.0, 2.0, 3.0]] * COUNT)
    action.set(ids, {"embedding": [vectors.marker(action.number)] * COUNT})
    action.set_model("embedding", {"name": "other", "dimension": 3})


@pytest.mark.parametrize("write", [set_scalars, set_nested, unset, set_twice, tag, untag, delete, set_vectors])
def test_an_exception_rolls_every_kind_of_write_back(dataset, write):
    before = everything(dataset)
    with failing(dataset) as action:
        write(action, ids_of(dataset))
        assert everything(dataset) != before
    assert everything(dataset) == before
    line = actions.list_actions(dataset._id)[-1]
    assert (line["state"], line["live"], line["bytes"]) == ("rolled_back", False, 0)
    assert list(images.read_images(dataset._id, line["number"])) == []


@pytest.mark.parametrize("write", [set_scalars, set_nested, unset, tag, untag, delete])
def test_without_an_exception_it_stays(dataset, write):
    before = everything(dataset)
    with journal.action(dataset._id, "works", None) as action:
        write(action, ids_of(dataset))
        during = everything(dataset)
    assert everything(dataset) == during != before


def test_created_and_widened_fields_go_back_too(dataset):
    before = everything(dataset)
    declare = {"new": StringField(), "count": FloatField(), "vector": VectorField()}
    with failing(dataset, ["new", "count", "vector"], declare=declare) as action:
        assert dataset.get_field("count") == FloatField()
        action.set(ids_of(dataset), {"new": ["x"] * COUNT, "count": [0.5] * COUNT})
    assert everything(dataset) == before


def test_a_field_that_others_use_meanwhile_stays(dataset):
    with failing(dataset, ["new"], declare={"new": FloatField()}):
        dataset.add_sample(sc.Sample("/photos/more.png", new=0.5))
    assert dataset.get_field("new") == FloatField()
    assert dataset.values("new")[-1] == 0.5


def test_removed_and_renamed_fields_come_back(dataset, monkeypatch):
    before = everything(dataset)
    end = actions.end_action

    def broken(*given: Any, **options: Any) -> bool:
        if options["state"] == "closed":
            raise ZeroDivisionError
        return end(*given, **options)

    monkeypatch.setattr(actions, "end_action", broken)
    for change in (
        lambda: dataset.rename_sample_field("count", "number"),
        lambda: dataset.clone_sample_field("embedding", "twin"),
        lambda: dataset.delete_sample_field("label"),
        lambda: dataset.clear_sample_field("embedding"),
    ):
        with pytest.raises(ZeroDivisionError):
            change()
        assert everything(dataset) == before


def test_what_the_server_refuses_leaves_no_trace(dataset):
    before = everything(dataset)
    with pytest.raises(StoreError, match="Cannot create field"):  # on one sample, facts.b is a number
        dataset.set_values("facts.b.c", list(range(COUNT)))
    assert everything(dataset) == before


def test_under_a_unique_index_values_that_moved_up_move_down_again(dataset):
    dataset.create_index("count", unique=True)
    before = everything(dataset)
    ids = ids_of(dataset)
    with failing(dataset, ["count"]) as action:
        action.set(ids[::-1], {"count": [COUNT - i for i in range(COUNT)]})
        assert documents(dataset)[0]["count"] == 1
    assert everything(dataset) == before


def test_documents_that_fill_the_limit_are_kept_whole(dataset):
    large = [dataset.add_sample(sc.Sample(f"/photos/large{i}.png", text="x" * size)) for i, size in enumerate(
        (16_700_000, 900_000, 16_000_000, 9_000_000, 9_000_000)
    )]  # fmt: skip
    before = everything(dataset)
    for write in (
        lambda action: action.delete(large),
        lambda action: action.set(large, {"text": ["short"] * 5}),
    ):
        with failing(dataset) as action:
            write(action)
        assert everything(dataset) == before
    with pytest.raises((StoreError, SchemaError)):
        dataset.set_values("text", ["y" * 17_000_000] + [None] * (COUNT + 4))
    assert everything(dataset) == before


# --- beside actions -------------------------------------------------------------------------------------------------


def test_an_edit_is_made_again_where_an_action_put_back_what_was_there_before(dataset):
    stored = connection.database()[f"samples.{dataset._id}"]
    identity = documents(dataset)[5]["_id"]
    found = []

    def write(*given: Any) -> dict[str, list[int]]:
        stored.update_one({"_id": identity}, {"$set": {"count": 99}})
        return {"count": [-1]}

    def edit() -> None:
        if found:
            write()
        else:  # between what an action reads and what it writes
            with failing(dataset, ["count"]) as action:
                action.transform([str(identity)], ["count"], write)
        found.append(stored.find_one({"_id": identity})["count"])

    journal.write_beside(dataset._id, ["count"], edit)
    assert found == [5, 99]


def test_an_edit_that_met_something_half_done_is_made_again(dataset, monkeypatch):
    sample = dataset.first()
    sample["count"] = 99
    apply, tries = samples.apply_edits, []

    def beside_a_deletion(*given: Any) -> None:
        tries.append(1)
        if len(tries) > 1:
            return apply(*given)
        with failing(dataset) as action:
            action.delete([sample.id])
            with pytest.raises(SampleNotFoundError):
                apply(*given)
        raise SampleNotFoundError("as seen by a thread that does not know of the deletion")

    monkeypatch.setattr(samples, "apply_edits", beside_a_deletion)
    sample.save()
    assert dataset.first()["count"] == 99


def test_a_read_starts_again_if_an_action_ran_meanwhile(dataset):
    ids, seen = ids_of(dataset), []

    def read() -> list[Any]:
        if not seen:
            thread = in_thread(lambda: dataset.set_values("count", [7] * COUNT))
            thread.join()
        seen.append(dataset.values("count"))
        return [seen[-1], ids]

    assert journal.stable_read(dataset._id, ["count"], read) == [[7] * COUNT, ids]
    assert len(seen) == 2
    assert journal.stable_read(dataset._id, ["label"], lambda: len(seen)) == 2


def test_a_read_waits_for_an_open_action(dataset):
    results = []
    with held(dataset, ["count"]) as action:
        thread = in_thread(lambda: results.append(sc.dataset.columns.read_scalars(dataset, ["count"])[1]["count"]))
        action.set(ids_of(dataset)[:600], {"count": [-1] * 600})
        thread.join(0.3)
        assert results == []
        action.set(ids_of(dataset), {"count": [-1] * COUNT})
    thread.join()
    assert results == [[-1] * COUNT]


def test_a_read_that_failed_beside_an_action_is_made_again(dataset):
    tries = []

    def read() -> str:
        tries.append(1)
        if len(tries) == 1:
            dataset.set_values("count", [7] * COUNT)
            raise StoreError("something half done")
        return "fine"

    assert journal.stable_read(dataset._id, ["count"], read) == "fine"
    with pytest.raises(ZeroDivisionError):
        journal.stable_read(dataset._id, ["count"], lambda: 1 / 0)


def test_a_declaration_survives_an_action_that_made_the_field_and_failed(dataset):
    begun, go_on = threading.Event(), threading.Event()

    def fails() -> None:
        with failing(dataset, ["new"], declare={"new": FloatField()}):
            begun.set()
            go_on.wait(10)

    thread = in_thread(fails)
    begun.wait(10)
    declaring = in_thread(lambda: dataset.add_sample_field("new", FloatField))
    sample = dataset.first()
    sample["new"] = 0.5
    saving = in_thread(sample.save)
    saving.join(0.3)
    go_on.set()
    for each in (thread, declaring, saving):
        each.join()
    assert dataset.get_field("new") == FloatField()
    assert dataset.first()["new"] == 0.5


def test_numbers_without_claims_keep_nobody_waiting(dataset):
    with journal.unclaimed(dataset._id, "add") as one, journal.unclaimed(dataset._id, "add") as two:
        assert one.number != two.number
        dataset.set_values("count", [1] * COUNT)
        dataset.delete_samples(ids_of(dataset)[:1])
        journal.wait_for(dataset._id, None)
    assert actions.live_actions(dataset._id) == []


# --- the writer is taken for dead -----------------------------------------------------------------------------------


@pytest.mark.parametrize("write", [set_scalars, tag, delete])
@pytest.mark.parametrize("state", ["undoing", "rolled_back"])
def test_a_writer_that_was_undone_writes_nothing_more(dataset, write, state):
    before = everything(dataset)
    during = None
    with pytest.raises(ActionLostError, match="do it again"), journal.action(dataset._id, "late", None) as action:  # noqa: PT012  # the block is what the writer does
        action.set(ids_of(dataset), {"count": [-5] * COUNT})
        is_live = {"live": state == "undoing", "recoverer": "saccade-somewhere-else"}
        actions.change_state(dataset._id, action.number, {"state": "open"}, state=state, **is_live)
        during = everything(dataset)
        write(action, ids_of(dataset))
    # A process that is dead has begun to undo it, so the writer does; what was undone to the end is left as it is.
    assert everything(dataset) == (before if state == "undoing" else during)
    assert actions.live_actions(dataset._id) == []


def test_a_writer_that_somebody_looks_for_goes_on(dataset):
    ids = ids_of(dataset)
    with journal.action(dataset._id, "set_values", ["count"]) as action:
        looking = {"state": "recovering", "recoverer": "saccade-somewhere-else"}
        actions.change_state(dataset._id, action.number, {"state": "open"}, **looking)
        action.set(ids, {"count": [7] * COUNT})
        assert actions.read_action(dataset._id, action.number)["state"] == "open"
        actions.change_state(dataset._id, action.number, {"state": "open"}, **looking)
        in_thread(lambda: sc.load_dataset("street")).join()
        action.set(ids, {"count": [8] * COUNT})
        actions.change_state(dataset._id, action.number, {"state": "open"}, **looking)
    assert dataset.distinct("count") == [8]
    assert actions.list_actions(dataset._id)[-1]["state"] == "closed"


def test_an_action_opened_too_late_to_be_seen_takes_another_number(dataset, monkeypatch):
    issue, numbers = actions.next_number, []

    def slow(dataset_id: str) -> int:
        numbers.append(issue(dataset_id))
        if len(numbers) == 1:
            for _ in range(actions.WINDOW):
                issue(dataset_id)
        return numbers[-1]

    monkeypatch.setattr(actions, "next_number", slow)
    with journal.action(dataset._id, "set_values", ["count"]) as action:
        assert action.number == numbers[1]
        assert [record["number"] for record in actions.live_actions(dataset._id)] == [action.number]
    assert actions.read_action(dataset._id, numbers[0])["state"] == "withdrawn"


CHILD = """
import os, signal, sys, time
import saccade as sc
from saccade.dataset import journal, settings
from saccade.dataset.store import actions, images
dataset = sc.load_dataset("street")
ids = dataset.values("id")
def halt(word="halted"):
    print(word, flush=True)
    sys.stdin.readline()
"""
WRITING = (
    CHILD
    + """
with journal.action(dataset._id, "set_values", ["count"]) as action:
    action.set(ids, {"count": [-1] * len(ids)})
    halt()
    action.set(ids, {"count": [-2] * len(ids)})
print("closed", flush=True)
"""
)


@contextmanager
def child(code: str, **environment: str) -> Iterator["subprocess.Popen[str]"]:
    """A process that has printed its first line."""
    with begin(code, **environment) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "halted\n", process.communicate("", timeout=10)[1]
            yield process
        finally:
            process.kill()


def test_what_a_dead_process_left_is_undone_by_whoever_waits_for_it(dataset, caplog):
    before = everything(dataset)
    with child(WRITING) as process:
        assert everything(dataset) != before
        kill(process.pid)
    journal.wait_for(dataset._id, ["label"])
    assert everything(dataset) != before, "nobody needed that field yet"
    journal.wait_for(dataset._id, ["count"])
    assert everything(dataset) == before
    assert "undid set_values by" in caplog.text


def test_what_a_suspended_process_does_is_left_alone(dataset):
    with child(WRITING) as process:
        os.kill(process.pid, signal.SIGSTOP)
        sc.load_dataset("street")
        thread = in_thread(lambda: journal.wait_for(dataset._id, ["count"]))
        thread.join(1)
        assert thread.is_alive()
        os.kill(process.pid, signal.SIGCONT)
        assert process.communicate("\n", timeout=30)[0] == "closed\n"
        thread.join()
    assert dataset.distinct("count") == [-2]


def test_a_suspended_process_counts_as_alive_without_connections_too(home):
    dataset = sc.Dataset("street")
    dataset.add_columns({"filepath": [f"{i}.png" for i in range(10)], "count": list(range(10))})
    with child(WRITING) as process:
        os.kill(process.pid, signal.SIGSTOP)
        kill(server_pid())
        sc.load_dataset("street")
        assert dataset.distinct("count") == [-1]
        os.kill(process.pid, signal.SIGCONT)
        assert process.communicate("\n", timeout=30)[0] == "closed\n"
    assert dataset.distinct("count") == [-2]


def test_a_writer_elsewhere_that_lost_its_connections_is_undone_and_told(home, tmp_path):
    dataset = sc.Dataset("street")
    dataset.add_columns({"filepath": [f"{i}.png" for i in range(10)], "count": list(range(10))})
    before = everything(dataset)
    # Like a process on another machine: it shares the server with this one, but no folder.
    elsewhere = {"SACCADE_DATABASE_URI": service.ensure_server(settings.current()), "SACCADE_HOME": str(tmp_path)}
    code = (
        CHILD
        + """
try:
    with journal.action(dataset._id, "set_values", ["count"]) as action:
        action.set(ids, {"count": [-1] * len(ids)})
        halt()
        action.set(ids, {"count": [-2] * len(ids)})
except Exception as error:
    print(type(error).__name__, error, flush=True)
"""
    )
    with child(code, **elsewhere) as process:
        os.kill(process.pid, signal.SIGSTOP)
        kill(server_pid())
        sc.load_dataset("street")
        assert everything(dataset) == before
        dataset.set_values("count", [5] * 10)
        os.kill(process.pid, signal.SIGCONT)
        said = process.communicate("\n", timeout=30)[0]
    assert said.startswith("ActionLostError set_values was taken for dead")
    assert dataset.distinct("count") == [5]


UNDOING = """
import sys
from types import SimpleNamespace
from saccade.dataset import journal
from saccade.dataset.store import images
def halt():
    print("halted", flush=True)
    sys.stdin.readline()
restore, parts = images.restore_part, []
def one_part(hold, part):
    if parts:
        {then}
    parts.append(restore(hold, part))
images.restore_part = one_part
try:
    journal.wait_for("{dataset_id}", ["count"])
except KeyboardInterrupt:
    halt()
"""


@pytest.mark.parametrize("then", ["halt()", "raise KeyboardInterrupt"])
def test_who_ends_while_undoing_is_followed_by_another(dataset, then):
    before = everything(dataset)
    with child(WRITING) as process:
        kill(process.pid)
    with child(UNDOING.format(then=then, dataset_id=dataset._id)) as process:
        assert everything(dataset) != before
        (record,) = actions.live_actions(dataset._id)
        assert record["state"] == "undoing"
        if then == "halt()":
            kill(process.pid)
        sc.load_dataset("street")
        assert everything(dataset) == before


def test_opening_waits_for_a_rollback_that_is_under_way(dataset):
    before = everything(dataset)
    with child(WRITING) as process:
        kill(process.pid)
    restoring, go_on = threading.Event(), threading.Event()
    restore = images.restore_part

    def slow(*given: Any) -> None:
        restoring.set()
        go_on.wait(10)
        restore(*given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(images, "restore_part", slow)
        thread = in_thread(lambda: journal.wait_for(dataset._id, ["count"]))
        restoring.wait(10)
        opened = []
        opening = in_thread(lambda: opened.append((sc.load_dataset("street"), everything(dataset))))
        opening.join(0.3)
        assert opened == []
        go_on.set()
        opening.join()
    thread.join()
    assert opened[0][1] == before


def test_what_a_living_process_gave_up_is_undone_by_others(dataset):
    before = everything(dataset)
    code = (
        CHILD
        + """
def interrupted(*given):
    raise KeyboardInterrupt
images.restore_part = interrupted
try:
    with journal.action(dataset._id, "set_values", ["count"]) as action:
        action.set(ids, {"count": [-1] * len(ids)})
        raise KeyboardInterrupt
except KeyboardInterrupt:
    halt()
"""
    )
    with child(code) as process:
        assert everything(dataset) != before
        sc.load_dataset("street")
        assert process.poll() is None
        assert everything(dataset) == before


def test_what_this_process_gave_up_is_undone_at_the_next_use(dataset, monkeypatch):
    before = everything(dataset)
    with monkeypatch.context() as patch:
        patch.setattr(images, "restore_part", lambda *given: 1 / 0)
        with pytest.raises(ZeroDivisionError), failing(dataset, ["count"]) as action:
            action.set(ids_of(dataset), {"count": [-1] * COUNT})
    assert everything(dataset) != before
    journal.wait_for(dataset._id, ["count"])
    assert everything(dataset) == before


def test_an_error_that_cannot_be_undone_now_says_so(dataset, monkeypatch):
    before = everything(dataset)

    def unreachable(*given: Any) -> None:
        raise StoreError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(images, "restore_part", unreachable)
        with pytest.raises(KeyError) as raised, journal.action(dataset._id, "set_values", ["count"]) as action:  # noqa: PT012  # the block is what the writer does
            action.set(ids_of(dataset), {"count": [-1] * COUNT})
            raise KeyError("x")
    assert raised.value.__notes__ == [
        "What was half done could not be undone now (the disk is full); the next use of the dataset does."
    ]
    sc.load_dataset("street")
    assert everything(dataset) == before


def test_a_forked_child_does_not_undo_what_its_parent_does(dataset):
    code = (
        CHILD
        + """
import warnings
warnings.simplefilter("ignore")
with journal.action(dataset._id, "set_values", ["count"]) as action:
    action.set(ids, {"count": [7] * len(ids)})
    if os.fork() == 0:
        raise SystemExit
    os.wait()
    assert dataset.distinct("count") == [7]
if os.fork() == 0:
    dataset.set_values("count", [8] * len(ids))
    raise SystemExit
os.wait()
halt()
"""
    )
    with child(code):
        assert dataset.distinct("count") == [8]


@pytest.mark.parametrize("write", [set_scalars, tag, delete, None])
def test_a_dataset_deleted_meanwhile_leaves_nothing_behind(dataset, write):
    ids = ids_of(dataset)
    with pytest.raises(DatasetNotFoundError), journal.action(dataset._id, "set_values", None) as action:  # noqa: PT012  # the block is what the writer does
        action.tag(ids, "new")
        dataset.delete()
        late = actions.Hold(dataset._id, action.number, lambda broken: None)
        images.add_image(late, 99, {"op": "tag"})  # it was on its way
        if write is not None:
            write(action, ids)
    assert [name for name in connection.database().list_collection_names() if dataset._id in name] == []


def test_threads_that_announce_themselves_at_once_do_not_wait_for_each_other(home):
    threads = [in_thread(liveness.announce) for _ in range(8)]
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive()
    assert len(list((settings.current().data_dir / "writers").iterdir())) == 1


def test_without_a_folder_to_write_to_the_list_of_connections_has_to_do(home):
    (settings.current().data_dir).mkdir()
    (settings.current().data_dir / "writers").write_text("in the way")
    liveness.announce()
    assert not liveness.is_alive("saccade-somewhere-else")
    code = "from saccade.dataset.store.connection import *\ndatabase()\nprint(app_name(), flush=True)\ninput()"
    with begin(code) as process:
        assert process.stdout is not None
        name = process.stdout.readline().strip()
        assert liveness.is_alive(name)
        assert not liveness.is_ending(name)
        kill(process.pid)
        until(lambda: not liveness.is_alive(name))


# --- how long things stay -------------------------------------------------------------------------------------------


def sizes(dataset: sc.Dataset) -> list[int]:
    return [record["bytes"] for record in actions.list_actions(dataset._id)]


def test_images_go_after_seven_days(dataset):
    dataset.set_values("count", [1] * COUNT)
    dataset.set_values("count", [2] * COUNT)
    journal.trim(dataset._id)
    assert all(sizes(dataset)[-2:])
    number = actions.list_actions(dataset._id)[-2]["number"]
    old = actions.server_time() - retention.timedelta(days=journal.KEEP_DAYS, seconds=1)
    connection.database().actions.update_one({"_id": f"{dataset._id}/{number}"}, {"$set": {"finished": old}})
    journal.trim(dataset._id)
    record = actions.read_action(dataset._id, number)
    assert (record["bytes"], record["verb"]) == (0, "set_values"), "the line stays"
    assert list(images.read_images(dataset._id, number)) == []
    assert sum(1 for _ in images.read_images(dataset._id, number + 1)) > 0


def test_beyond_a_size_the_oldest_images_go_first_but_never_those_of_an_open_action(dataset, monkeypatch):
    for value in range(3):
        dataset.set_values("count", [value] * COUNT)
    last = sizes(dataset)[-1]
    monkeypatch.setattr(retention, "KEEP_BYTES", last)
    with held(dataset, ["label"]) as action:
        action.set(ids_of(dataset), {"label": [None] * COUNT})
        monkeypatch.setattr(retention, "sweep", lambda dataset_id: 0)  # it would wait for the action
        journal.trim(dataset._id)
        assert sum(1 for _ in images.read_images(dataset._id, action.number)) > 0
    assert next(size for size in sizes(dataset) if size) == last


def test_every_so_often_an_action_trims(dataset, monkeypatch):
    trimmed = []
    monkeypatch.setattr(retention, "trim", trimmed.append)
    for _ in range(32):
        dataset.set_values("count", [1] * COUNT)
    assert trimmed == [dataset._id]


def test_a_failed_trim_does_not_make_a_finished_write_fail(dataset, monkeypatch, caplog):
    def fails(dataset_id: str) -> None:
        raise StoreError("no")

    monkeypatch.setattr(retention, "trim", fails)
    monkeypatch.setattr(retention, "_TRIM_EVERY", 1)
    dataset.set_values("count", [1] * COUNT)
    assert "the journal could not be trimmed: no" in caplog.text


def test_the_sweep_removes_the_vectors_that_nothing_names(dataset, monkeypatch):
    first = set(vectors.all_keys(dataset._id))
    dataset.set_values("count", [10_000] * COUNT)  # a number that may be a marker spares a vector
    dataset.set_values("embedding", [np.array([1.0, i]) for i in range(COUNT)])
    second = set(vectors.all_keys(dataset._id)) - first
    with journal.unclaimed(dataset._id, "add_samples") as adding:
        waiting = vectors.vector_key(adding.number, ids_of(dataset)[0])
        adding.insert_vectors([waiting], np.ones((1, 2)))
        assert journal.sweep(dataset._id) == 0, "an image names the first"
        monkeypatch.setattr(retention, "KEEP_BYTES", 0)
        journal.trim(dataset._id)
        assert set(vectors.all_keys(dataset._id)) == second | {waiting}
    assert journal.sweep(dataset._id) == 1
    assert set(vectors.all_keys(dataset._id)) == second
    assert dataset.first()["embedding"].tolist() == [1.0, 0.0]
