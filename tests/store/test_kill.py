"""Killed at any point of a bulk write, client or server: the next open finds the old or the new state, never a mixture.

The processes are real, and so are the kills. What they do is in `dying` and `editing`.
"""

import os
import random
import signal
import subprocess
import sys
import time
from typing import Any

import numpy as np
import pytest

import saccade as sc
from saccade.dataset.store import actions, connection, field_records
from tests.store.dying import BEFORE, NAME, POINTS, VERBS, score
from tests.store.processes import ROOT, kill, status

SAMPLES = 1_500  # more than one batch of every kind
State = list[dict[str, Any]]
MADE: State = []
"""What `street` made last, before anything was done to it."""


def street(verb: str = "") -> State:
    """Make the dataset, and do to it what the verb is to undo; returns its state."""
    chance = np.random.default_rng(51)
    dataset = sc.Dataset(NAME, overwrite=True)
    dataset.add_columns({
        "filepath": [f"/photos/{i}.png" for i in range(SAMPLES)],
        "score": [-1.0] * SAMPLES,
        "note": [0] * SAMPLES,
        "tags": [["old"] if i % 3 else [] for i in range(SAMPLES)],
        "uniqueness": [-1.0] * SAMPLES,
        "embedding": chance.normal(size=(SAMPLES, 4)),
    })  # fmt: skip
    MADE[:] = state_of(dataset)
    if verb in BEFORE:
        BEFORE[verb](dataset)
    return state_of(dataset)


def state_of(dataset: sc.Dataset) -> State:
    """Everything that is stored of the samples, in order; ids become positions."""
    collection = connection.database()[f"samples.{dataset._id}"]
    return [{key: value for key, value in d.items() if key != "_id"} for d in collection.find().sort("_id", 1)]


def after(verb: str, old: State) -> State:
    """The state after a verb, worked out without the verb."""
    if verb == "set_values":
        return [{**document, "score": score(i)} for i, document in enumerate(old)]
    if verb == "tag_samples":
        return [{**document, "tags": [*document["tags"], "new"]} for document in old]
    if verb == "delete_samples":
        return old[1_100:]
    if verb in BEFORE:
        return list(MADE)
    embeddings = np.random.default_rng(51).normal(size=(SAMPLES, 4)).astype(np.float32)
    from saccade.brain.kernels.neighbors import nearest_neighbors
    from saccade.brain.kernels.uniqueness import NEIGHBORS, uniqueness

    distances, indices = nearest_neighbors(embeddings, NEIGHBORS)
    scores, _ = uniqueness(distances, distances[:, -1][indices])
    return [{**document, "uniqueness": value} for document, value in zip(old, scores.tolist(), strict=True)]


def dying(verb: str, point: str, whom: str, seconds: float = 0) -> "subprocess.Popen[str]":
    return run_module("dying", verb, point, whom, str(seconds))


def run_module(name: str, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", f"tests.store.{name}", *arguments],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def opened() -> sc.Dataset:
    """Open the dataset; nothing may be half done afterwards."""
    dataset = sc.load_dataset(NAME)
    assert actions.live_actions(dataset._id) == []
    return dataset


def which(dataset: sc.Dataset, verb: str, old: State) -> str:
    """Whether the samples are as before the verb or as after it."""
    found = state_of(dataset)
    if found == old:
        return "old"
    assert found == after(verb, old), "a mixture"
    return "new"


@pytest.mark.parametrize("verb", VERBS)
def test_a_client_killed_at_any_point_leaves_the_old_state(database, verb):
    old = street(verb)
    fields = field_records.read_schema(sc.load_dataset(NAME)._id)
    for point in POINTS:
        with dying(verb, point, "client") as process:
            said, complaints = process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL, complaints
        assert said == "at the point\n"
        dataset = opened()
        assert which(dataset, verb, old) == "old", point
        assert field_records.read_schema(dataset._id) == fields
    if verb == "compute_uniqueness":
        assert dataset.get_run_info("uniqueness").state == "interrupted"
    VERBS[verb](dataset)
    assert which(dataset, verb, old) == "new", "afterwards it works"


@pytest.mark.parametrize("verb", VERBS)
def test_a_client_whose_server_is_killed_at_any_point_finishes(home, verb):
    for point in POINTS:
        old = street(verb)
        before = status().pid
        with dying(verb, point, "server") as process:
            said, complaints = process.communicate(timeout=60)
        assert process.returncode == 0, complaints
        dataset = opened()
        assert status().pid != before
        outcome = said.splitlines()[1].split()[0]
        assert outcome in {"done", "raised"}
        assert which(dataset, verb, old) == ("new" if outcome == "done" else "old"), (point, said)
        assert outcome == "done", said


class Editor:
    """Another process that edits samples one by one; it knows which of its edits were acknowledged."""

    def __init__(self) -> None:
        self._process = run_module("editing")
        assert self._process.stdout is not None
        self._first = self._process.stdout.readline()

    def stop(self) -> dict[str, list[int]]:
        """The numbers that were acknowledged, by sample."""
        said, complaints = self._process.communicate(timeout=60)
        assert self._process.returncode == 0, complaints
        numbers: dict[str, list[int]] = {}
        for line in [self._first, *said.splitlines()]:
            sample_id, number = line.split()
            numbers.setdefault(sample_id, []).append(int(number))
        return numbers


def lost_edits(dataset: sc.Dataset, acknowledged: dict[str, list[int]], verb: str, outcome: str) -> list[str]:
    """What is not there of the edits; an edit of the score may be followed by a score that a bulk write wrote."""
    stored = {str(d["_id"]): d for d in connection.database()[f"samples.{dataset._id}"].find()}
    lost = []
    for position, (sample_id, document) in enumerate(stored.items()):
        numbers = acknowledged.get(sample_id, [])
        lost += [f"tag {n} of {sample_id}" for n in numbers if f"edit-{n}" not in document["tags"]]
        if not numbers:
            continue
        allowed = {1_000_000.0 + numbers[-1]}
        if verb == "set_values" and outcome == "new":
            allowed.add(score(position))
        if verb != "all of them" and document["score"] not in allowed:
            lost.append(f"score {numbers[-1]} of {sample_id}: {document['score']}")
        if document["note"] != numbers[-1]:
            lost.append(f"note {numbers[-1]} of {sample_id}: {document['note']}")
    return lost


def outcome_beside_edits(dataset: sc.Dataset, verb: str) -> str:
    """Whether the verb happened, told by the samples that nobody edited; all of them must agree."""
    untouched = {"note": 0}
    documents = connection.database()[f"samples.{dataset._id}"]
    total = documents.count_documents(untouched)
    assert total > 0
    marks = {
        "set_values": {"score": {"$ne": -1}},
        "tag_samples": {"tags": "new"},
        "compute_uniqueness": {"uniqueness": {"$ne": -1}},
        "undo": {"score": -1},
    }
    if verb.endswith("delete_samples"):
        count = documents.count_documents({})
        assert count in {SAMPLES, SAMPLES - 1_100}
        return "old" if (count == SAMPLES) == (verb == "delete_samples") else "new"
    done = documents.count_documents({**untouched, **marks[verb]})
    assert done in {0, total}, "a mixture"
    return "new" if done else "old"


@pytest.mark.parametrize("whom", ["client", pytest.param("server", marks=pytest.mark.slow)])
@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("point", ["in the writes", pytest.param("before the writes", marks=pytest.mark.slow)])
def test_no_edit_of_another_process_is_lost_by_a_kill(home, verb, point, whom):
    street(verb)
    editor = Editor()
    with dying(verb, point, whom, 0.3) as process:
        said, complaints = process.communicate(timeout=60)
    assert process.returncode == (-signal.SIGKILL if whom == "client" else 0), complaints
    time.sleep(0.3)
    acknowledged = editor.stop()
    dataset = opened()
    outcome = outcome_beside_edits(dataset, verb)
    assert outcome == ("new" if "done" in said else "old")
    assert len(acknowledged) > 20
    assert lost_edits(dataset, acknowledged, verb, outcome) == []


@pytest.mark.slow
def test_killed_at_random_moments_nothing_is_mixed_and_no_edit_is_lost(home):
    street()
    chance = random.Random(7)
    editor = Editor()
    documents = connection.database()[f"samples.{sc.load_dataset(NAME)._id}"]
    for turn in range(15):
        with run_module("dying") as worker:
            assert worker.stdout is not None
            worker.stdout.readline()
            time.sleep(chance.uniform(0, 0.6))
            if turn % 3 == 2:
                pid = status().pid
                assert pid is not None
                kill(pid)
                time.sleep(chance.uniform(1, 2))
            kill(worker.pid)
        dataset = opened()
        scores = documents.distinct("score", {"score": {"$lt": 1_000_000}})
        assert len(scores) == 1, scores
        rounds = {tag: count for tag, count in dataset.count_sample_tags().items() if tag.startswith("round-")}
        assert set(rounds.values()) <= {SAMPLES}, rounds
    acknowledged = editor.stop()
    assert len(acknowledged) > 100
    assert lost_edits(opened(), acknowledged, "all of them", "") == []
