"""Datasets in the forms of older and newer versions: brought up to date when they are loaded, or refused."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import saccade as sc
from saccade.dataset import journal
from saccade.dataset.errors import DatasetError, ReadOnlyError
from saccade.dataset.schema import SAMPLE_FIELDS
from saccade.dataset.store import catalog, field_records, migrations
from tests.store.forms.write import NAME, lines, restore
from tests.store.processes import ROOT

FORMS = Path(__file__).parent / "forms"
SHOWN = [
    "score", "count", "weather", "objects", "embedding", "notes", "objects.detections.angle", "heat", "uniqueness",
]  # fmt: skip
"""The fields of the stored dataset in the order in which the version that stored it showed them."""


@pytest.fixture
def first(database) -> Any:
    """A database as the first commit of the library left it."""
    restore(database, FORMS / "form_1.jsonl")
    return database


def own_paths(dataset: sc.Dataset) -> list[str]:
    return [path for path in field_records.read_schema(dataset._id).paths() if path not in SAMPLE_FIELDS]


def form(database: Any) -> int:
    return int(database["datasets"].find_one({"name": NAME})["format_version"])


def loading(how: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.store.forms.loading", how],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def places(database: Any) -> dict[str, Any]:
    return {record["path"]: record["order"] for record in database["fields"].find().sort("order", 1)}


def check_values(dataset: sc.Dataset) -> None:
    """All that `forms/write.py` put there is read."""
    assert dataset.values("filepath") == [f"/photos/{number}.png" for number in range(5)]
    assert dataset.values("score") == [number / 4 for number in range(5)]
    assert dataset.values("weather.label") == ["rain"] * 3 + ["sun"] * 2
    assert dataset.values("objects.detections.angle") == [[], [0], [0, 5], [], [0]]
    assert dataset.values("metadata.height") == [480, 481, 482, 483, 484]
    assert dataset.first().notes == {"by": "ann", "marks": [1, 2.5]}
    assert dataset.count_sample_tags() == {"even": 3, "chosen": 3}
    assert [None if v is None else v.tolist() for v in dataset.values("embedding")] == [
        None, [0.5, 1, -1], [1, 1, -1], [1.5, 1, -1], [2, 1, -1]
    ]  # fmt: skip
    assert (dataset.tags, dataset.description, dataset.info) == (
        ["winter"],
        "A street.",
        {"camera": "left", "lens": 35},
    )
    assert (dataset.classes, dataset.default_classes) == ({"weather": ["rain", "sun"]}, ["car"])
    assert dataset.get_run_info("uniqueness").writes == ["uniqueness"]
    assert dataset.list_indexes() == ["_id_", "filepath_1", "score_1"]


def test_the_steps_lead_to_the_present_form_one_by_one():
    assert [step.version for step in migrations.STEPS] == list(range(2, catalog.FORMAT_VERSION + 1))


# --- older ----------------------------------------------------------------------------------------------------------


def test_a_dataset_of_the_first_form_is_migrated_when_it_is_loaded_and_reads_as_before(first):
    dataset = sc.load_dataset(NAME)
    assert form(first) == catalog.FORMAT_VERSION
    assert own_paths(dataset) == SHOWN
    assert places(first) == {path: place for place, path in enumerate(SHOWN)}
    check_values(dataset)


def test_a_migrated_dataset_can_be_worked_on(first):
    dataset = sc.load_dataset(NAME)
    dataset.add_sample(sc.Sample("/new.png", zebra=1, ape=2, embedding=np.zeros(3, dtype=np.float32)))
    assert own_paths(dataset) == [*SHOWN, "zebra", "ape"]
    assert dataset.last().embedding.tolist() == [0, 0, 0]
    dataset.delete_run("uniqueness")
    assert not dataset.has_field("uniqueness")


def test_fields_keep_the_order_in_which_they_were_declared(database):
    names = [f"f{number}" for number in range(40, 0, -1)]
    dataset = sc.Dataset("street")
    dataset.add_sample(sc.Sample("/1.png", **dict.fromkeys(names, 1)))
    dataset.clone("avenue").add_sample_field("a", sc.IntField)
    assert own_paths(dataset) == names
    assert own_paths(sc.load_dataset("avenue")) == [*names, "a"]


def test_a_step_that_is_repeated_changes_nothing(first):
    dataset = sc.load_dataset(NAME)
    before = places(first)
    first["datasets"].update_one({"name": NAME}, {"$set": {"format_version": 1}})
    journal.migrate(dataset._id, "0")
    assert places(first) == before
    dataset.add_sample_field("last", sc.IntField)
    assert own_paths(dataset)[-1] == "last"


def test_a_process_killed_in_the_middle_leaves_what_the_next_one_finishes(first):
    with loading("killed") as process:
        process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert form(first) == 1
    assert list(places(first).values())[:4] == [0, 1, 2, 3]
    assert list(places(first).values())[-1] > 1e9
    dataset = sc.load_dataset(NAME)
    assert form(first) == catalog.FORMAT_VERSION
    assert own_paths(dataset) == SHOWN
    check_values(dataset)


def test_two_processes_that_load_at_once_both_get_the_present_form_and_one_makes_it(first):
    with loading("whole") as one, loading("whole") as other:
        said = [process.communicate(timeout=60) for process in (one, other)]
    assert [one.returncode, other.returncode] == [0, 0], said
    assert sorted(text for text, _ in said) == [
        f"{catalog.FORMAT_VERSION}\n",
        f"at the step\n{catalog.FORMAT_VERSION}\n",
    ]
    assert first["applied"].count_documents({}) == 1
    assert own_paths(sc.load_dataset(NAME)) == SHOWN


def test_steps_are_done_in_turn_and_each_is_noted_when_it_is_done(database):
    dataset, done = sc.Dataset("street"), []

    def failing(hold: Any) -> None:
        raise DatasetError("no")

    first, second = (migrations.Step(number, lambda hold, n=number: done.append(n)) for number in (3, 4))
    with pytest.raises(DatasetError, match="no"):
        journal.migrate(dataset._id, "9.0", [first, migrations.Step(4, failing)])
    assert catalog.get_dataset(dataset._id)["format_version"] == 3
    journal.migrate(dataset._id, "9.1", [first, second])
    assert done == [3, 4]
    record = catalog.get_dataset(dataset._id)
    assert (record["format_version"], record["library_version"]) == (4, "9.1")


def test_an_older_form_is_read_as_it_is_with_read_only(first):
    before = lines(first)
    dataset = sc.load_dataset(NAME, read_only=True)
    assert own_paths(dataset) == SHOWN
    check_values(dataset)
    with pytest.raises(DatasetError, match="stored in form 1, and copies are made in form"):
        dataset.clone("copy")
    with pytest.raises(
        ReadOnlyError, match=r"'street' was loaded with read_only=True, .* Use load_dataset\('street'\)"
    ):
        dataset.set_values("score", [1.0] * 5)
    assert lines(first) == before


# --- newer ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def newer(database) -> Any:
    """A dataset with a field, a label and entries that only a newer version knows."""
    dataset = sc.Dataset("street")
    dataset.add_samples([sc.Sample("/1.png", score=0.5, weather=sc.Classification(label="sun"))])
    newer = {"format_version": 99, "library_version": "7.0", "moons": 2}
    database["datasets"].update_one({"name": "street"}, {"$set": newer})
    database["fields"].insert_one({
        "_id": f"{dataset._id}/orbit", "dataset": database["datasets"].find_one()["_id"], "path": "orbit",
        "field": {"type": "ellipse", "axes": 2}, "order": 50, "tides": "high",
    })  # fmt: skip
    database[f"samples.{dataset._id}"].update_one(
        {}, {"$set": {"orbit": {"_cls": "Ellipse", "a": 1}, "weather.wind": 3, "undeclared": 1}}
    )
    return database


def test_a_newer_form_is_refused_and_says_how_it_can_be_read(newer):
    with pytest.raises(
        DatasetError, match=r"by Saccade 7\.0 in a newer form \(99; .* Upgrade Saccade, or .*read_only=Tr"
    ):
        sc.load_dataset("street")


def test_a_newer_form_is_read_with_what_is_unknown_passed_over(newer):
    before = lines(newer)
    dataset = sc.load_dataset("street", read_only=True)
    assert dataset.read_only
    assert dataset.values("score") == [0.5]
    assert dataset.first().weather.label == "sun"
    assert dataset.match(sc.F("score") > 0).count() == 1
    assert "orbit" in repr(dataset)
    assert dataset.first().to_dict()["orbit"]["a"] == 1
    with pytest.raises(ReadOnlyError, match=r"To change it, upgrade Saccade: 7\.0 wrote it in a newer form"):
        dataset.tag_samples("a")
    assert lines(newer) == before


def test_a_dataset_that_is_open_while_a_newer_version_changes_its_form_is_refused_from_then_on(database):
    dataset = sc.Dataset("street")
    dataset.add_sample(sc.Sample("/1.png", score=1.0))
    assert dataset.values("score") == [1.0]
    journal.migrate(dataset._id, "9.0", [migrations.Step(99, lambda hold: None)])
    for use in (lambda: dataset.values("score"), lambda: dataset.add_sample(sc.Sample("/2.png"))):
        with pytest.raises(DatasetError, match=r"Saccade 9\.0 in a newer form .* Upgrade Saccade"):
            use()
    assert database[f"samples.{dataset._id}"].count_documents({}) == 1
