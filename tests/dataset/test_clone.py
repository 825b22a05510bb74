"""Clones, and views that write what they show: save, keep, keep_fields."""

import threading
import time

import numpy as np
import pytest

import saccade as sc
from saccade.dataset import journal, runs, stages
from saccade.dataset.columns import read_vectors, write_scalars, write_vectors
from saccade.dataset.errors import DatasetExistsError, FieldKindError, FieldNotFoundError, SchemaError
from saccade.dataset.store import connection

F = sc.F


def boxes(n: int) -> sc.Detections:
    return sc.Detections(
        detections=[
            sc.Detection(label=label, bounding_box=[0, 0, 1, 1], confidence=n / 10, emb=np.full(3, n, np.float32))
            for label in ("cat", "dog")[: 1 + n % 2]
        ]
    )


@pytest.fixture
def filled(dataset) -> sc.Dataset:
    dataset.add_samples(
        sc.Sample(
            f"/{n}.png", n=n, tags=["old"], predictions=boxes(n), gt=sc.Classification(label="cat", mood="calm"),
            embedding=np.arange(4, dtype=np.float32) + n,
        )
        for n in range(6)
    )  # fmt: skip
    return dataset


def contents(dataset) -> list[dict]:
    return [{"id": sample.id, **sample.to_dict()} for sample in dataset]


# --- clone -----------------------------------------------------------------------------------------------------------


def test_a_clone_has_everything_and_goes_its_own_way(filled):
    filled.info, filled.tags, filled.classes = {"a": np.arange(3)}, ["mine"], {"gt": ["cat"]}
    filled.default_classes, filled.description = ["x"], "streets"
    filled.create_index("n", unique=True)
    filled.create_index([("gt.label", 1), ("n", -1)])
    filled.save_view("few", filled.limit(2))
    clone = filled.clone("copy")
    assert clone.name == "copy"
    assert clone.persistent
    assert contents(clone) == contents(filled)
    assert clone.get_field_schema(flat=True) == filled.get_field_schema(flat=True)
    assert list(clone.get_field_schema()) == list(filled.get_field_schema())
    assert clone.list_indexes() == filled.list_indexes()
    assert (clone.tags, clone.classes, clone.default_classes) == (["mine"], {"gt": ["cat"]}, ["x"])
    assert (clone.description, clone.media_type, list(clone.info["a"])) == ("streets", "image", [0, 1, 2])
    assert clone.load_saved_view("few").values("n") == [0, 1]
    clone.delete_samples(clone.limit(3))
    clone.set_values("n", [7, 8, 9])
    clone.delete_saved_view("few")
    assert filled.values("n") == [0, 1, 2, 3, 4, 5]
    assert filled.list_saved_views() == ["few"]
    filled.delete()
    assert clone.values("n") == [7, 8, 9]
    assert clone.last().embedding.tolist() == [5, 6, 7, 8]


def test_the_vectors_of_a_clone_are_its_own(filled):
    clone = filled.clone()
    ids, matrix = read_vectors(filled, "embedding")
    write_vectors(filled, "embedding", ids, matrix + 100)
    write_vectors(clone, "embedding", ids[:2], matrix[:2] + 200)
    assert read_vectors(clone, "embedding")[1][:, 0].tolist() == [200, 201, 2, 3, 4, 5]
    assert read_vectors(filled, "embedding")[1][:, 0].tolist() == [100, 101, 102, 103, 104, 105]
    assert clone.last().predictions.detections[1].emb.tolist() == [5, 5, 5]
    clone.delete_samples(clone.limit(1))
    filled.delete()
    assert read_vectors(clone, "embedding")[1][:, 0].tolist() == [201, 2, 3, 4, 5]


def test_the_sweep_of_a_clone_deletes_what_nothing_names_and_no_more(filled, database):
    clone = filled.clone()
    clone.delete_sample_field("predictions")
    for collection in ("images",):
        database[f"{collection}.{clone._id}"].delete_many({})
    database["actions"].update_many({"dataset": clone._record["_id"]}, {"$set": {"bytes": 0}})
    assert journal.sweep(clone._id) == 9
    assert read_vectors(clone, "embedding")[1].shape == (6, 4)


def test_new_samples_of_a_clone_come_last_and_have_ids_of_their_own(filled):
    clone = filled.clone()
    (there,) = clone.add_samples([sc.Sample("/new.png", n=6)])
    (here,) = filled.add_samples([sc.Sample("/new.png", n=60)])
    assert there != here
    assert clone.values("n") == [0, 1, 2, 3, 4, 5, 6]
    assert clone.last().id == there


def test_runs_are_cloned_and_can_be_deleted_there(filled):
    with runs.record(filled, "score", key="score", reads=["embedding"], writes=["score"]):
        write_scalars(filled, {"score": [0.5] * 6}, filled.values("id"))
    clone = filled.clone()
    assert clone.list_runs() == ["score"]
    assert clone.get_run_info("score").is_stale() == []
    clone.delete_run("score")
    assert not clone.has_field("score")
    assert filled.values("score") == [0.5] * 6
    assert filled.list_runs() == ["score"]


def test_a_clone_waits_for_bulk_writes(filled, database):
    entered, leave = threading.Event(), threading.Event()

    def write() -> None:
        with journal.action(filled._id, "slow", ["n"]) as action:
            action.set([filled_ids[0]], {"n": [100]})
            entered.set()
            leave.wait(10)
            action.set(filled_ids, {"n": [7] * 6})

    filled_ids = filled.values("id")
    writer = threading.Thread(target=write)
    writer.start()
    assert entered.wait(10)
    threading.Timer(0.3, leave.set).start()
    began = time.monotonic()
    clone = filled.clone()
    writer.join()
    assert time.monotonic() - began > 0.2
    assert clone.values("n") == [7] * 6


def test_a_clone_is_not_seen_before_it_is_complete(filled, monkeypatch):
    seen = []
    from saccade.dataset.store import copies

    def fail(*_args, **_kwargs) -> None:
        seen.extend(sc.list_datasets())
        raise RuntimeError("stop")

    monkeypatch.setattr(copies, "copy_fields", fail)
    with pytest.raises(RuntimeError, match="stop"):
        filled.clone("copy")
    assert seen == ["street"]
    assert sc.list_datasets() == ["street"]
    assert [name for name in connection.database().list_collection_names() if name.startswith("samples.")] == [
        f"samples.{filled._id}"
    ]


def test_the_name_of_a_clone_must_be_free(filled):
    with pytest.raises(DatasetExistsError, match="'street' exists already"):
        filled.clone("street")
    assert filled.clone().name != "street"


def test_indexes_can_be_left_out_of_a_clone(filled):
    filled.create_index("n")
    filled.create_index("gt.label")
    assert filled.clone(include_indexes=False).list_indexes() == ["_id_", "filepath_1"]
    assert filled.clone(include_indexes=["n_1"]).list_indexes() == ["_id_", "filepath_1", "n_1"]
    assert filled.exclude_fields("gt").clone().list_indexes() == ["_id_", "filepath_1", "n_1"]
    with pytest.raises(
        SchemaError, match=r"no index 'm_1' on dataset 'street'. Indexes: gt.label_1, n_1. Did you mean"
    ):
        filled.clone(include_indexes=["m_1"])


def test_the_clone_of_a_view_has_what_the_view_shows(filled):
    filled.save_view("few", filled.limit(2))
    view = filled.match(F("n") > 2).exclude_fields("gt").filter_labels("predictions", F("label") == "dog")
    clone = view.clone("part")
    assert clone.values("id") == view.values("id")
    assert clone.values("predictions.detections.label") == [["dog"], ["dog"]]
    assert list(clone.get_field_schema()) == ["id", "filepath", "tags", "metadata", "n", "predictions", "embedding"]
    assert read_vectors(clone, "embedding")[1][:, 0].tolist() == [3, 5]
    assert clone.first().predictions.detections[0].emb.tolist() == [3, 3, 3]
    assert clone.list_saved_views() == []
    assert "gt" not in connection.database()[f"samples.{clone._id}"].find_one()
    assert connection.database()[f"vectors.{clone._id}"].count_documents({}) == 4
    assert len(filled) == 6


def test_the_clone_of_a_view_holds_computed_values_and_each_sample_once(filled):
    half = filled.add_stage(stages.SetField("n", F("n") / 2)).add_stage(stages.MapLabels("gt", {"cat": "tiger"}))
    clone = half.clone()
    assert isinstance(clone.get_field("n"), sc.FloatField)
    assert clone.values("n") == [0, 0.5, 1, 1.5, 2, 2.5]
    assert clone.distinct("gt.label") == ["tiger"]
    double = filled.limit(2).add_stage(stages.Concat([stages.Limit(3)]))
    assert len(double) == 5
    assert double.clone().values("n") == [0, 1, 2]
    assert len(filled.match(F("n") > 100).clone()) == 0


# --- save ------------------------------------------------------------------------------------------------------------


def test_saving_a_view_writes_what_its_stages_changed(filled):
    view = (
        filled.match(F("n") > 2)
        .filter_labels("predictions", F("label") == "cat", only_matches=False)
        .add_stage(stages.MapLabels("gt", {"cat": "tiger"}))
    )
    view.save()
    assert filled.values("predictions.detections.label") == [
        ["cat"],
        ["cat", "dog"],
        ["cat"],
        ["cat"],
        ["cat"],
        ["cat"],
    ]
    assert filled.values("gt.label") == ["cat"] * 3 + ["tiger"] * 3
    assert filled.last().predictions.detections[0].emb.tolist() == [5, 5, 5]
    assert filled.first().gt.mood == "calm"


def test_only_named_fields_are_saved(filled):
    view = filled.add_stage(stages.SetField("n", F("n") * 2)).add_stage(stages.MapLabels("gt", {"cat": "tiger"}))
    view.save("gt")
    assert (filled.values("n"), filled.distinct("gt.label")) == ([0, 1, 2, 3, 4, 5], ["tiger"])
    view.save(["n", "tags"])
    assert filled.values("n") == [0, 2, 4, 6, 8, 10]
    with pytest.raises(FieldNotFoundError, match="no field 'm' on this view"):
        view.save("m")


def test_saved_values_widen_their_field_or_are_refused_as_a_whole(filled):
    filled.add_stage(stages.SetField("n", F("n") / 4)).save()
    assert isinstance(filled.get_field("n"), sc.FloatField)
    assert filled.values("n") == [0, 0.25, 0.5, 0.75, 1, 1.25]
    filled.add_stage(stages.SetField("predictions.detections.confidence", F("label").strlen())).save()
    assert filled.first().predictions.detections[0].confidence == 3.0
    before = contents(filled)
    view = filled.add_stage(stages.Mongo([{"$set": {"gt.label": {"$cond": [{"$eq": ["$n", 1]}, 5, "cow"]}}}]))
    with pytest.raises(FieldKindError, match=r"gt.label"):
        view.save()
    assert contents(filled) == before


def test_a_new_attribute_of_labels_is_declared_when_it_is_saved(filled):
    filled.add_stage(stages.SetField("predictions.detections.loud", F("label").upper())).save()
    assert filled.values("predictions.detections.loud")[1] == ["CAT", "DOG"]
    assert isinstance(filled.get_field("predictions.detections.loud"), sc.StringField)


def test_saving_a_selection_of_labels_leaves_other_fields_alone(filled):
    filled.add_stage(stages.SelectLabels(fields="predictions", omit_empty=False)).save()
    assert filled.distinct("gt.label") == ["cat"]
    kept = [labels[0] for labels in filled.values("predictions.detections.id")]
    filled.add_stage(stages.SelectLabels(ids=kept, fields="predictions")).save()
    assert filled.count_values("predictions.detections.label") == {"cat": 6}
    assert filled.distinct("gt.label") == ["cat"]


def test_a_view_that_changes_nothing_saves_nothing(filled, database):
    count = database["actions"].count_documents({})
    filled.view().save()
    filled.limit(2).save()
    filled.add_stage(stages.MapLabels("gt", {"cow": "bull"})).save()
    filled.match(F("n") > 50).add_stage(stages.SetField("n", 5)).save()
    assert database["actions"].count_documents({}) == count


def test_values_that_a_view_takes_away_are_gone_after_saving(filled):
    filled.add_stage(stages.FilterField("n", F() > 2, only_matches=False)).save()
    assert filled.values("n") == [None, None, None, 3, 4, 5]
    assert len(filled.exists("n")) == 3
    filled.filter_labels("gt", F("label") == "dog", only_matches=False).save()
    assert filled.count("gt") == 0


# --- keep ------------------------------------------------------------------------------------------------------------


def test_keeping_a_view_deletes_all_other_samples(filled):
    filled.match(F("n") > 3).keep()
    assert filled.values("n") == [4, 5]
    assert filled.first().embedding[0] == 4
    filled.view().keep()
    assert len(filled) == 2
    filled.limit(0).keep()
    assert len(filled) == 0


def test_keeping_the_fields_of_a_view_deletes_all_others(filled):
    filled.select_fields("n").limit(1).keep_fields()
    assert list(filled.get_field_schema()) == ["id", "filepath", "tags", "metadata", "n"]
    assert set(connection.database()[f"samples.{filled._id}"].find_one()) == {
        "_id",
        "filepath",
        "tags",
        "metadata",
        "n",
    }
    assert len(filled) == 6
    filled.view().keep_fields()
    assert filled.values("n") == [0, 1, 2, 3, 4, 5]
