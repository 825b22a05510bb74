"""Saving samples: only what changed is sent; in batches, in loops, and through views."""

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
from saccade.dataset.types import Oid
from tests.dataset.examples import stored_sample, twice, with_one_of_all

F = sc.F


@pytest.fixture
def filled(dataset) -> sc.Dataset:
    return with_one_of_all(dataset)


def test_save_sends_only_what_changed(filled, database):
    mine, theirs = twice(filled)
    theirs.n = 2
    theirs.save()
    mine.score = 0.75
    mine.save()
    assert (stored_sample(filled, database)["n"], stored_sample(filled, database)["score"]) == (2, 0.75)


def test_save_without_changes_sends_nothing(filled, database):
    sample = filled.first()
    sample.to_dict()
    before, changed = stored_sample(filled, database), filled.last_modified_at
    sample.save()
    sample.score = 0.5
    sample.tags = ["a"]
    sample.save()
    assert stored_sample(filled, database) == before
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
    before = stored_sample(filled, database), filled.get_field_schema()
    sample = filled.first()
    filled.add_sample_field("mood", sc.StringField)
    sample.mood = 5
    sample.score = 0.75
    with pytest.raises(FieldKindError, match="'mood'"):
        sample.save()
    filled.delete_sample_field("mood")
    assert (stored_sample(filled, database), filled.get_field_schema()) == before


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
    sample = filled.first()
    sample.facts["source"] = Oid("a" * 24)
    sample.save()
    again = filled.first()
    assert again.facts["source"] == "a" * 24
    again.facts["more"] = 1
    again.save()
    assert type(stored_sample(filled, database)["facts"]["source"]).__name__ == "ObjectId"


# --- many at once -----------------------------------------------------------------------------------------------------


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


# --- views ------------------------------------------------------------------------------------------------------------


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
