"""Killed with `kill -9` at random moments of a write, again and again.

After each, the dataset opens, what was acknowledged is there, what was under way is there whole or not at all (of
`add_samples`: some of the samples, each of them whole), no marker is without its vector, and the same write succeeds.
The processes and the kills are real; what the killed ones do is in `repeating`.
"""

import os
import random
import subprocess
import sys
import time
from typing import Any

import numpy as np
import pytest
from bson import Int64

import saccade as sc
from saccade.dataset import columns
from saccade.dataset.held_vectors import stored_keys
from saccade.dataset.store import actions, connection, vectors
from tests.store.processes import ROOT, kill
from tests.store.repeating import ADDED, NAME, VERBS, added, rows, score

SAMPLES = 1_500  # more than one batch of every kind
KILLS = 20


def street(verb: str) -> None:
    embeddings = np.random.default_rng(51).normal(size=(SAMPLES, 4)).astype(np.float32)
    dataset = sc.Dataset(NAME, overwrite=True)
    if verb != "add_samples":
        dataset.add_columns({"filepath": [f"/{i}.png" for i in range(SAMPLES)], "embedding": embeddings})
    VERBS[verb](dataset, 0)


def killed(verb: str, turn: int, chance: random.Random) -> int:
    """Begin with a turn, and kill the process at a random moment of a later one; gives the last acknowledged turn."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.store.repeating", verb, str(turn)],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == f"begin {turn}\n"
        began = time.monotonic()
        assert process.stdout.readline() == f"end {turn}\n"
        took = time.monotonic() - began
        time.sleep(took * chance.uniform(0, 1.5))  # the first turn waits for more than later ones do
        kill(process.pid)
        said = process.stdout.read().splitlines()
    return max([turn, *(int(line.split()[1]) for line in said if line.startswith("end "))])


def check(verb: str, turn: int) -> int:
    """Check the dataset after `turn` was acknowledged; gives the last turn that is there."""
    dataset = sc.load_dataset(NAME)
    assert actions.live_actions(dataset._id) == []
    documents = list(connection.database()[f"samples.{dataset._id}"].find().sort("_id", 1))
    declared = {path.split(".")[0] for path in dataset.get_field_schema()} - {"id"} | {"_id"}
    strays = {name for document in documents for name in document} - declared
    assert not strays, "a value without its field"
    check_vectors(dataset, documents)
    return CHECKS[verb](dataset, documents, turn)


def check_vectors(dataset: sc.Dataset, documents: list[dict[str, Any]]) -> None:
    stored = set(vectors.all_keys(dataset._id))
    schema = dataset.get_field_schema(flat=True)
    paths = [path for path, field in schema.items() if isinstance(field, sc.VectorField)]
    named = [key for document in documents for key in stored_keys(document, paths)]
    assert len(named) >= len(documents)
    assert set(named) <= stored, "a marker without its vector"


def after_adding(dataset: sc.Dataset, documents: list[dict[str, Any]], turn: int) -> int:
    wanted = {sample.filepath: sample for one in range(turn + 2) for sample in added(one)}
    paths = [document["filepath"] for document in documents]
    assert len(set(paths)) == len(paths), "added twice"
    assert list(wanted)[: len(paths)] == paths, "in order, the last ones lacking"
    assert len(paths) >= ADDED * (turn + 1), "acknowledged"
    for document in documents:
        sample = wanted[document["filepath"]]
        assert (document["turn"], document["place"], document["tags"]) == (sample.turn, sample.place, [])
        (detection,) = document["found"]["detections"]
        assert (detection["label"], type(detection["vector"])) == (f"turn {sample.turn}", Int64)
    _, found = columns.read_vectors(dataset, "vector")
    assert found[:, 0].tolist() == [d["turn"] + d["place"] / 8 for d in documents]
    return len(paths) // ADDED - 1


def after_setting(_dataset: sc.Dataset, documents: list[dict[str, Any]], turn: int) -> int:
    found = [document["score"] for document in documents]
    last = int(found[0])
    assert found == [score(last, i) for i in range(SAMPLES)], "a mixture"
    assert last in {turn, turn + 1}
    return last


def after_vectors(dataset: sc.Dataset, documents: list[dict[str, Any]], turn: int) -> int:
    assert len({document["vector"] for document in documents}) == 1, "a mixture"
    _, found = columns.read_vectors(dataset, "vector")
    last = int(found[0, 0])
    assert (found == rows(last, SAMPLES)).all()
    assert last in {turn, turn + 1}
    return last


def after_tagging(dataset: sc.Dataset, documents: list[dict[str, Any]], turn: int) -> int:
    last = len(documents[0]["tags"]) - 1
    tags = [f"round-{one}" for one in range(last + 1)]
    assert {tuple(document["tags"]) for document in documents} == {tuple(tags)}, "a mixture"
    assert last in {turn, turn + 1}
    return last


def after_uniqueness(dataset: sc.Dataset, documents: list[dict[str, Any]], turn: int) -> int:
    wanted = [document["unique_0"] for document in documents]  # by a process that was not killed
    assert len(set(wanted)) > SAMPLES / 2
    fields = [name for name in dataset.get_field_schema() if name.startswith("unique_")]
    last = len(fields) - 1
    assert fields == [f"unique_{one}" for one in range(last + 1)]
    assert last in {turn, turn + 1}
    for field in fields:
        assert [document[field] for document in documents] == wanted, field
        assert dataset.get_run_info(field).state == "completed", field
    assert not any(f"unique_{last + 1}" in document for document in documents)
    if dataset.has_run(f"unique_{last + 1}"):
        assert dataset.get_run_info(f"unique_{last + 1}").state == "interrupted"
    return last


CHECKS = {
    "add_samples": after_adding,
    "set_values": after_setting,
    "set_vectors": after_vectors,
    "tag_samples": after_tagging,
    "compute_uniqueness": after_uniqueness,
}


def again(verb: str, turn: int) -> None:
    """Do what was under way once more; of `add_samples`, what is not there yet."""
    dataset = sc.load_dataset(NAME)
    if verb == "add_samples":
        there = set(dataset.values("filepath"))
        dataset.add_samples([sample for sample in added(turn) if sample.filepath not in there])
    else:
        VERBS[verb](dataset, turn)
    assert check(verb, turn) == turn


@pytest.mark.parametrize("kills", [1, pytest.param(KILLS, marks=pytest.mark.slow)])
@pytest.mark.parametrize("verb", VERBS)
def test_a_client_killed_at_a_random_moment_leaves_nothing_half_written(database, verb, kills):
    chance = random.Random(f"{verb} {kills}")
    street(verb)
    turn = 0
    for _ in range(kills):
        if verb == "add_samples" and turn:  # from the beginning, or there would be ever more to look at
            street(verb)
            turn = 0
        turn = check(verb, killed(verb, turn + 1, chance)) + 1
        again(verb, turn)
