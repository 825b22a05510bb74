"""Edits of one sample by two writers: labels by their ids, tags and dicts by their entries; the rest is a conflict."""

import pytest

import saccade as sc
from saccade.dataset.errors import ConflictError, SchemaError
from tests.dataset.examples import stored_sample, twice, with_one_of_all
from tests.store.processes import begin


@pytest.fixture
def filled(dataset) -> sc.Dataset:
    return with_one_of_all(dataset)


def test_an_element_of_a_list_is_changed_by_its_id(filled):
    mine, theirs = twice(filled)
    ids = [d.id for d in mine.pred.detections]
    mine.pred.detections[0].label = "truck"
    mine.pred.detections[0].mood = "calm"
    theirs.pred.detections[1].confidence = 0.75
    mine.save()
    theirs.save()
    found = filled.first().pred.detections
    assert [d.id for d in found] == ids
    assert [(d.label, d.confidence) for d in found] == [("truck", None), ("bus", 0.75)]
    assert found[0].mood == "calm"


def test_two_attributes_of_one_label_are_changed_by_two(filled):
    mine, theirs = twice(filled)
    mine.gt.label = "dog"
    theirs.gt.confidence = 0.75
    mine.save()
    theirs.save()
    gt = filled.first().gt
    assert (gt.label, gt.confidence) == ("dog", 0.75)


def test_an_attribute_is_removed_by_none(filled, database):
    sample = filled.first()
    sample.gt.confidence = None
    sample.pred.detections[0].bounding_box = None
    sample.save()
    assert "confidence" not in stored_sample(filled, database)["gt"]
    assert "bounding_box" not in stored_sample(filled, database)["pred"]["detections"][0]
    assert "bounding_box" in stored_sample(filled, database)["pred"]["detections"][1]


def test_elements_are_added_removed_and_moved(filled):
    sample = filled.first()
    sample.pred.detections.append(sc.Detection(label="tram"))
    sample.save()
    assert filled.values("pred.detections.label") == [["car", "bus", "tram"]]
    sample.pred.detections = [sample.pred.detections[2], sample.pred.detections[0]]
    sample.save()
    assert filled.values("pred.detections.label") == [["tram", "car"]]
    del sample.pred.detections[:]
    sample.save()
    assert filled.values("pred.detections.label") == [[]]


def test_a_list_that_another_writer_changed_first_is_a_conflict(filled):
    mine, theirs = twice(filled)
    theirs.pred.detections.append(sc.Detection(label="tram"))
    theirs.save()
    mine.pred.detections.append(sc.Detection(label="bike"))
    with pytest.raises(ConflictError, match=r"another writer changed pred first.*reload\(\) the sample"):
        mine.save()
    assert filled.values("pred.detections.label") == [["car", "bus", "tram"]]
    mine.reload()
    mine.pred.detections.append(sc.Detection(label="bike"))
    mine.save()
    assert filled.values("pred.detections.label") == [["car", "bus", "tram", "bike"]]


def test_a_conflict_in_one_field_writes_none(filled):
    mine, theirs = twice(filled)
    theirs.words.append("three")
    theirs.save()
    mine.words.append("four")
    mine.score = 0.75
    with pytest.raises(ConflictError, match="words"):
        mine.save()
    assert filled.values(["words", "score"]) == [[["one", "two", "three"]], [0.5]]


def test_changing_an_element_that_another_writer_removed_is_a_conflict(filled):
    mine, theirs = twice(filled)
    del theirs.pred.detections[0]
    theirs.save()
    mine.pred.detections[0].label = "truck"
    with pytest.raises(ConflictError):
        mine.save()
    assert filled.values("pred.detections.label") == [["bus"]]


def test_changing_an_element_while_another_writer_adds_one_loses_neither(filled):
    mine, theirs = twice(filled)
    theirs.pred.detections.insert(0, sc.Detection(label="tram"))
    theirs.save()
    mine.pred.detections[0].label = "truck"
    mine.save()
    assert filled.values("pred.detections.label") == [["tram", "truck", "bus"]]


def test_changing_a_label_that_another_writer_replaced_is_a_conflict(filled):
    mine, theirs = twice(filled)
    theirs.gt = sc.Classification(label="cow")
    theirs.save()
    mine.gt.label = "dog"
    with pytest.raises(ConflictError, match="gt"):
        mine.save()
    assert filled.values("gt.label") == ["cow"]


def test_changing_metadata_that_another_writer_removed_is_a_conflict(filled):
    mine, theirs = twice(filled)
    theirs.metadata = None
    theirs.save()
    mine.metadata.width = 8
    with pytest.raises(ConflictError, match="metadata"):
        mine.save()
    assert filled.first().metadata is None


@pytest.mark.parametrize(("name", "attribute"), [("pred", "model"), ("gt", "label")])
def test_changing_a_label_in_a_field_that_was_cleared_is_a_conflict(filled, name, attribute):
    sample = filled.first()
    sample[name][attribute] = "new"
    filled.clear_sample_field(name)
    with pytest.raises(ConflictError, match=name):
        sample.save()
    assert filled.first()[name] is None


def test_tags_of_two_writers_are_both_kept(filled):
    mine, theirs = twice(filled)
    theirs.tags.append("b")
    theirs.save()
    mine.tags.append("c")
    mine.save()
    assert filled.first().tags == ["a", "b", "c"]
    mine, theirs = twice(filled)
    mine.tags.remove("a")
    theirs.tags.append("d")
    theirs.save()
    mine.save()
    assert filled.first().tags == ["b", "c", "d"]


def test_tags_of_labels_of_two_writers_are_both_kept(filled):
    for turn in ("b", "c"):
        mine, theirs = twice(filled)
        mine.gt.tags.append(f"mine-{turn}")
        mine.pred.detections[1].tags.append(f"mine-{turn}")
        theirs.gt.tags.append(f"theirs-{turn}")
        theirs.pred.detections[1].tags.append(f"theirs-{turn}")
        theirs.save()
        mine.save()
    sample = filled.first()
    assert sample.gt.tags == sample.pred.detections[1].tags == ["theirs-b", "mine-b", "theirs-c", "mine-c"]
    mine, theirs = twice(filled)
    mine.gt.tags.remove("mine-b")
    mine.pred.detections[1].tags.clear()
    theirs.gt.tags.append("late")
    theirs.pred.detections[1].tags.append("late")
    theirs.save()
    mine.save()
    assert filled.first().gt.tags == ["theirs-b", "theirs-c", "mine-c", "late"]
    assert filled.first().pred.detections[1].tags == ["late"]
    mine, theirs = twice(filled)
    mine.gt.tags = ["one"]
    mine.pred.detections[1].tags = ["one"]
    mine.save()
    theirs.pred.detections[1].tags = ["two"]
    with pytest.raises(ConflictError):
        theirs.save()
    assert (filled.first().gt.tags, filled.first().pred.detections[1].tags) == (["one"], ["one"])
    last = filled.first()
    last.gt.tags.clear()
    last.save()
    again = filled.first()
    _ = again.gt
    again.save()
    assert filled.first().gt.tags == []


def test_tags_changed_in_place_are_checked(filled):
    sample = filled.first()
    sample.tags += ["a", "b", "b"]
    sample.save()
    assert filled.count_sample_tags() == {"a": 1, "b": 1}
    for wrong in (5, "", None):
        sample = filled.first()
        sample.tags.append(wrong)
        with pytest.raises(SchemaError):
            sample.save()
        with pytest.raises(SchemaError):
            sc.Sample("/2.png", tags=["a", wrong])
    assert filled.first().tags == ["a", "b"]


def test_keys_of_a_dict_are_changed_one_by_one(filled):
    mine, theirs = twice(filled)
    mine.facts["x"] = 2
    theirs.facts["z"] = 3
    mine.save()
    theirs.save()
    assert filled.first().facts == {"x": 2, "y": [1], "z": 3}


EDIT = """
import sys, saccade as sc
dataset = sc.load_dataset("street")
who = {who}
print("ready", flush=True)
sys.stdin.readline()
for turn in range(25):
    sample = dataset.first()
    sample.tags.append(f"{{who}}-{{turn}}")
    sample.pred.detections[who].index = turn
    sample.facts[f"w{{who}}"] = turn
    sample[f"count{{who}}"] = turn
    sample.save()
with dataset.save_context(batch_size=7) as context:
    for sample in dataset.skip(1):
        sample[f"seen{{who}}"] = True
        context.save(sample)
"""


def test_two_processes_edit_one_sample_and_lose_nothing(filled):
    filled.add_samples(sc.Sample(f"/{n}.png") for n in range(30))
    processes = [begin(EDIT.format(who=who)) for who in (0, 1)]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    for process in processes:
        complaints = process.communicate(timeout=60)[1]
        assert process.returncode == 0, complaints
    sample = filled.first()
    assert sorted(sample.tags) == sorted(["a", *(f"{who}-{turn}" for who in (0, 1) for turn in range(25))])
    assert [d.index for d in sample.pred.detections] == [24, 24]
    assert sample.facts == {"x": 1, "y": [1], "w0": 24, "w1": 24}
    assert (sample.count0, sample.count1) == (24, 24)
    assert filled.skip(1).values(["seen0", "seen1"]) == [[True] * 30] * 2
