"""Samples in hand: access, saving only what changed, edits by several writers, copies and other forms."""

import json
import os
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

import saccade as sc
from saccade.dataset.errors import (
    ConflictError,
    DatasetError,
    FieldKindError,
    FieldNotFoundError,
    SampleNotFoundError,
    SchemaError,
)
from tests.store.processes import begin

F = sc.F


def boxes(*labels: str) -> sc.Detections:
    return sc.Detections(detections=[sc.Detection(label=label, bounding_box=[0, 0, 0.5, 0.5]) for label in labels])


@pytest.fixture
def filled(dataset) -> sc.Dataset:
    dataset.add_sample(
        sc.Sample(
            "/1.png", tags=["a"], metadata=sc.ImageMetadata(width=4, height=3), score=0.5, n=1,
            facts={"x": 1, "y": [1]}, words=["one", "two"], gt=sc.Classification(label="cat", confidence=0.5),
            pred=boxes("car", "bus"),
        )
    )  # fmt: skip
    return dataset


def twice(dataset: sc.Dataset) -> tuple[sc.Sample, sc.Sample]:
    """The same sample in two hands, everything read."""
    pair = dataset.first(), dataset.first()
    for sample in pair:
        sample.to_dict()
    return pair


def raw(dataset: sc.Dataset, database) -> dict:
    return database[f"samples.{dataset._id}"].find_one()


# --- access ---------------------------------------------------------------------------------------------------------


def test_fields_are_read_and_set_by_attribute_and_by_name():
    sample = sc.Sample("/photos/1.png", tags=["new"], brightness=0.5)
    assert sample.brightness == sample["brightness"] == sample.get_field("brightness") == 0.5
    sample.brightness = 0.25
    sample["sharpness"] = 3
    sample.set_field("blur", None)
    assert (sample["brightness"], sample.sharpness, sample.blur) == (0.25, 3, None)
    assert sample.field_names == ("id", "filepath", "tags", "metadata", "brightness", "sharpness", "blur")
    assert "sharpness" in sample
    assert sample.has_field("blur")
    assert not sample.has_field("nothing")
    assert dict(sample.iter_fields())["sharpness"] == 3
    assert (sample.filename, sample.media_type) == ("1.png", "image")


def test_a_sample_of_a_dataset_has_all_its_fields(filled):
    filled.add_sample(sc.Sample("/2.png"))
    sample = filled.last()
    assert (sample.score, sample.gt, sample.tags, sample.metadata) == (None, None, [], None)
    assert set(sample.field_names) == set(filled.get_field_schema())


def test_unknown_fields_are_named_with_the_nearest():
    sample = sc.Sample("/1.png", brightness=0.5)
    with pytest.raises(AttributeError, match=r"no field 'brightnes'.*Did you mean 'brightness'"):
        _ = sample.brightnes
    with pytest.raises(KeyError, match="no field 'brightnes'"):
        _ = sample["brightnes"]
    with pytest.raises(FieldNotFoundError):
        sample.get_field("brightnes")
    assert getattr(sample, "brightnes", 7) == 7


def test_nested_values_are_read_by_path(filled):
    sample = filled.first()
    assert sample["gt.label"] == "cat"
    assert sample["facts.x"] == 1
    assert sample["metadata.width"] == 4
    with pytest.raises(FieldNotFoundError):
        _ = sample["gt.lable"]
    with pytest.raises(KeyError):
        _ = sample["facts.z"]


def test_a_field_is_cleared_by_deleting_it(filled):
    sample = filled.first()
    del sample.score
    del sample["gt"]
    sample.clear_field("words")
    with pytest.raises(FieldNotFoundError):
        del sample["nothing"]
    sample.save()
    again = filled.first()
    assert (again.score, again.gt, again.words) == (None, None, None)
    assert len(filled.exists("score")) == 0


@pytest.mark.parametrize("name", ["a b", "_x", "1st", "a.b", "save", "$x", ""])
def test_names_that_cannot_be_used_are_refused(name):
    sample = sc.Sample("/1.png")
    with pytest.raises(SchemaError):
        sample[name] = 1


def test_what_a_sample_is_cannot_be_set():
    sample = sc.Sample("/1.png")
    with pytest.raises(SchemaError, match="id is given by its dataset"):
        sample["id"] = "a" * 24
    for name in ("id", "in_dataset", "dataset", "filename", "media_type"):
        with pytest.raises(AttributeError):
            setattr(sample, name, 1)


def test_every_public_name_of_a_sample_is_refused_as_a_field():
    sample = sc.Sample("/1.png")
    names = {name for name in dir(sc.Sample) if not name.startswith("_")} - {*sample.field_names, "created_at"}
    for name in names:
        with pytest.raises((SchemaError, AttributeError)):
            sample[name] = 1
    assert len(names) > 10


@pytest.mark.parametrize("value", [object(), b"bytes", {1: 2}, {"a.b": 1}, {"$x": 1}, [object()], 2**63, {"": 0}])
def test_values_that_cannot_be_stored_are_refused_at_once(value):
    with pytest.raises(SchemaError):
        sc.Sample("/1.png", x=value)
    sample = sc.Sample("/1.png")
    with pytest.raises(SchemaError):
        sample.x = value


def test_a_value_of_the_wrong_kind_is_refused_at_once(filled):
    sample = filled.first()
    for name, value in (
        ("score", "high"), ("n", "1"), ("n", True), ("gt", boxes()), ("tags", "one"), ("tags", [1]),
        ("metadata", {"a": 1}), ("words", "one"), ("words", [1]), ("facts", 5), ("filepath", 5), ("filepath", ""),
        ("filepath", None),
    ):  # fmt: skip
        with pytest.raises(SchemaError):
            sample[name] = value
    sample.save()
    assert filled.first().to_dict() == sample.to_dict()


def test_numpy_and_tuples_become_plain_values(dataset):
    dataset.add_sample(sc.Sample("/1.png", a=np.float32(0.5), b=np.int64(3), c=(1, 2), d=np.bool_(True)))
    dataset.add_sample(sc.Sample("/2.png", e={"x": np.float64(1)}, f={"b", "a"}))
    sample = dataset.first()
    assert (sample.a, sample.b, sample.c, sample.d) == (0.5, 3, [1, 2], True)
    assert (dataset.last().e, dataset.last().f) == ({"x": 1.0}, ["a", "b"])
    assert [type(value) for value in (sample.a, sample.b, sample.d)] == [float, int, bool]


def test_dates_come_back_in_utc_to_the_millisecond(dataset):
    here = datetime(2024, 5, 1, 12, 0, 0, 123456).astimezone()
    dataset.add_sample(sc.Sample("/1.png", when=here, naive=datetime(2024, 5, 1, 12)))
    sample = dataset.first()
    assert sample.when == here.replace(microsecond=123000)
    assert sample.when.tzinfo is not None
    assert sample.naive == datetime(2024, 5, 1, 12, tzinfo=UTC)


def test_filepath_tags_and_metadata_can_be_changed(filled, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sample = filled.first()
    sample.filepath = "moved.png"
    sample.tags = ("b", "a", "b")
    sample.metadata = sc.Metadata(size_bytes=5)
    sample.save()
    again = filled[str(tmp_path / "moved.png")]
    assert again.filepath == os.path.join(tmp_path, "moved.png")
    assert again.tags == ["b", "a"]
    assert again.metadata == sc.Metadata(size_bytes=5)


def test_created_at_is_when_the_sample_was_added(filled):
    assert sc.Sample("/1.png").created_at is None
    assert abs(filled.first().created_at - datetime.now(UTC)) < timedelta(minutes=1)


def test_repr_shows_the_fields_and_html_the_picture(filled, photos):
    text = repr(filled.first())
    assert text.startswith("<Sample: {\n    'id': '")
    assert "'score': 0.5" in text
    assert "'label': 'cat'" in text
    html = sc.Sample(str(photos / "img1.png"))._repr_html_()
    assert "data:image/png" in html


# --- saving ---------------------------------------------------------------------------------------------------------


def test_save_sends_only_what_changed(filled, database):
    mine, theirs = twice(filled)
    theirs.n = 2
    theirs.save()
    mine.score = 0.75
    mine.save()
    assert (raw(filled, database)["n"], raw(filled, database)["score"]) == (2, 0.75)


def test_save_without_changes_sends_nothing(filled, database):
    sample = filled.first()
    sample.to_dict()
    before, changed = raw(filled, database), filled.last_modified_at
    sample.save()
    sample.score = 0.5
    sample.tags = ["a"]
    sample.save()
    assert raw(filled, database) == before
    assert filled.last_modified_at == changed


def test_a_new_field_is_declared_by_save(filled):
    sample = filled.first()
    sample.mood = "calm"
    assert "mood" not in filled.get_field_schema()
    sample.save()
    assert filled.get_field_schema()["mood"] == sc.StringField()
    assert filled.values("mood") == ["calm"]


def test_an_int_field_widens_when_a_float_is_saved(filled):
    sample = filled.first()
    sample.n = 1.5
    sample.save()
    assert filled.get_field_schema()["n"] == sc.FloatField()
    assert filled.values("n") == [1.5]


def test_a_save_that_is_refused_changes_nothing(filled, database):
    before = raw(filled, database), filled.get_field_schema()
    sample = filled.first()
    filled.add_sample_field("mood", sc.StringField)
    sample.mood = 5
    sample.score = 0.75
    with pytest.raises(FieldKindError, match="'mood'"):
        sample.save()
    filled.delete_sample_field("mood")
    assert (raw(filled, database), filled.get_field_schema()) == before


def test_a_sample_in_no_dataset_cannot_be_saved_or_reloaded():
    sample = sc.Sample("/1.png")
    with pytest.raises(DatasetError, match=r"Add it with dataset\.add_sample"):
        sample.save()
    with pytest.raises(DatasetError, match="nothing to read"):
        sample.reload()


def test_a_deleted_sample_cannot_be_saved_and_is_not_brought_back(filled):
    sample = filled.first()
    filled.delete_samples(sample)
    sample.score = 0.75
    with pytest.raises(SampleNotFoundError, match="was deleted"):
        sample.save()
    assert len(filled) == 0


def test_reload_drops_changes_and_brings_those_of_others(filled):
    mine, theirs = twice(filled)
    theirs.score = 0.75
    theirs.save()
    mine.n = 5
    mine.reload()
    assert (mine.score, mine.n) == (0.75, 1)


def test_changes_in_place_are_seen(filled):
    sample = filled.first()
    sample.words.append("three")
    sample.facts["z"] = 2
    sample.facts["y"].append(2)
    del sample.facts["x"]
    sample.tags.append("b")
    sample.gt.confidence = 0.25
    sample.metadata.width = 8
    sample.save()
    again = filled.first()
    assert again.words == ["one", "two", "three"]
    assert again.facts == {"y": [1, 2], "z": 2}
    assert again.tags == ["a", "b"]
    assert (again.gt.confidence, again.metadata.width, again.metadata.height) == (0.25, 8, 3)
    sample.save()


def test_nan_can_be_saved_and_saved_again(filled):
    sample = filled.first()
    sample.score = float("nan")
    sample.save()
    sample.save()
    assert np.isnan(filled.first().score)


def test_arrays_are_saved_and_changed(filled):
    sample = filled.first()
    sample.heat = np.arange(600, dtype=np.uint8).reshape(20, 30)
    sample.save()
    again = filled.first()
    assert np.array_equal(again.heat, sample.heat)
    again.heat[0, 0] = 9
    again.save()
    assert filled.first().heat[0, 0] == 9


def test_ids_inside_values_stay_ids(filled, database):
    from saccade.dataset.types import Oid

    sample = filled.first()
    sample.facts["source"] = Oid("a" * 24)
    sample.save()
    again = filled.first()
    assert again.facts["source"] == "a" * 24
    again.facts["more"] = 1
    again.save()
    assert type(raw(filled, database)["facts"]["source"]).__name__ == "ObjectId"


# --- labels by id ---------------------------------------------------------------------------------------------------


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
    assert "confidence" not in raw(filled, database)["gt"]
    assert "bounding_box" not in raw(filled, database)["pred"]["detections"][0]
    assert "bounding_box" in raw(filled, database)["pred"]["detections"][1]


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


# --- many at once ---------------------------------------------------------------------------------------------------


@pytest.fixture
def many(dataset) -> sc.Dataset:
    dataset.add_samples(sc.Sample(f"/{n}.png", n=n) for n in range(10))
    return dataset


def test_save_context_saves_in_batches(many):
    with many.save_context(batch_size=4) as context:
        for sample in many:
            sample.n += 100
            context.save(sample)
            done = sum(n >= 100 for n in many.values("n"))
            assert done == (sample.n - 99) // 4 * 4
    assert many.values("n") == list(range(100, 110))


def test_save_context_saves_what_it_got_before_an_exception(many):
    def work():
        with many.save_context() as context:
            for sample in many:
                if sample.n == 3:
                    raise RuntimeError("stop")
                sample.n += 100
                context.save(sample)

    with pytest.raises(RuntimeError, match="stop"):
        work()
    assert many.values("n") == [100, 101, 102, *range(3, 10)]


def test_autosave_saves_each_sample_of_a_loop(many):
    for sample in many.iter_samples(autosave=True, batch_size=3):
        sample["double"] = 2 * sample.n
    assert many.values("double") == [2 * n for n in range(10)]


def test_autosave_keeps_what_was_done_before_the_loop_ended_early(many):
    for sample in many.iter_samples(autosave=True):
        if sample.n == 4:
            break
        sample.n += 100
    assert many.values("n") == [100, 101, 102, 103, *range(4, 10)]


def save_all(dataset, samples):
    with dataset.save_context() as context:
        for sample in samples:
            context.save(sample)


def test_a_batch_with_a_deleted_sample_says_so_and_saves_the_others(many):
    samples = list(many)
    many.delete_samples(samples[4])
    for sample in samples:
        sample.n += 100
    with pytest.raises(SampleNotFoundError, match=samples[4].id):
        save_all(many, samples)
    assert many.values("n") == [n + 100 for n in range(10) if n != 4]


def test_a_batch_with_a_conflict_says_so_and_saves_the_others(many):
    many.set_values("words", [["a"]] * 10)
    mine, theirs = list(many), list(many)
    for sample in mine:
        sample.words.append("mine")
    theirs[4].words.append("theirs")
    theirs[4].save()
    with pytest.raises(ConflictError, match=mine[4].id):
        save_all(many, mine)
    assert many.values("words") == [["a", "theirs"] if n == 4 else ["a", "mine"] for n in range(10)]


# --- views ----------------------------------------------------------------------------------------------------------


def test_a_sample_of_a_view_with_fewer_fields_shows_and_keeps_the_rest(filled):
    sample = filled.select_fields("score").first()
    assert "gt" not in sample.field_names
    with pytest.raises(FieldNotFoundError, match="left out of this view"):
        _ = sample["gt"]
    with pytest.raises(SchemaError, match="left out of this view"):
        sample["gt"] = None
    sample.score = 0.75
    sample.save()
    assert filled.first().score == 0.75
    assert filled.first().gt.label == "cat"


def test_labels_of_a_filtered_view_can_be_changed_but_not_added_or_removed(filled):
    view = filled.filter_labels("pred", F("label") == "bus")
    sample = view.first()
    assert [d.label for d in sample.pred.detections] == ["bus"]
    sample.pred.detections[0].confidence = 0.75
    sample.save()
    assert filled.values("pred.detections.confidence") == [[None, 0.75]]
    sample.pred.detections.append(sc.Detection(label="tram"))
    with pytest.raises(DatasetError, match="shows only part of its labels in this view"):
        sample.save()
    sample = view.first()
    sample.pred = None
    with pytest.raises(DatasetError, match="shows only part"):
        sample.save()
    assert filled.values("pred.detections.label") == [["car", "bus"]]


def test_a_label_that_a_view_hides_is_not_overwritten(filled):
    sample = filled.filter_labels("gt", F("label") == "dog", only_matches=False).first()
    assert sample.gt is None
    sample.gt = sc.Classification(label="dog")
    with pytest.raises(DatasetError, match="shows only part"):
        sample.save()
    assert filled.values("gt.label") == ["cat"]
    shown = filled.filter_labels("gt", F("label") == "cat").first()
    shown.gt.label = "lion"
    shown.save()
    assert filled.values("gt.label") == ["lion"]


# --- other forms ----------------------------------------------------------------------------------------------------


def test_a_copy_is_independent_and_in_no_dataset(filled):
    sample = filled.first()
    copy = sample.copy()
    assert (copy.id, copy.in_dataset) == (None, False)
    assert copy.gt.id != sample.gt.id
    assert copy.gt.label == "cat"
    copy.words.append("three")
    copy.gt.label = "dog"
    copy.facts["y"].append(5)
    assert (sample.words, sample.gt.label, sample.facts) == (["one", "two"], "cat", {"x": 1, "y": [1]})
    filled.add_sample(copy)
    assert filled.values("gt.label") == ["cat", "dog"]


def test_a_copy_takes_or_leaves_fields(filled):
    sample = filled.first()
    some = sample.copy(fields=["score", "tags"])
    assert (some.filepath, some.score, some.tags) == ("/1.png", 0.5, ["a"])
    assert not some.has_field("gt")
    assert not sample.copy(omit_fields=["gt", "pred"]).has_field("gt")


def test_to_dict_holds_set_fields_as_json(filled):
    filled.add_sample(sc.Sample("/2.png"))
    assert filled.last().to_dict() == {"filepath": "/2.png", "tags": []}
    content = filled.first().to_dict()
    assert json.loads(json.dumps(content)) == content
    assert (content["score"], content["gt"]["label"]) == (0.5, "cat")
    again = sc.Sample.from_dict(content)
    assert again.to_dict() == content
    assert sc.Sample.from_json(filled.first().to_json(pretty_print=True)).to_dict() == content


def test_from_dict_needs_a_filepath():
    with pytest.raises(SchemaError, match=r"needs a 'filepath'\. Keys: file_path"):
        sc.Sample.from_dict({"file_path": "/1.png"})
