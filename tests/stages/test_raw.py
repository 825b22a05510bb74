"""mongo."""

import re
from datetime import date

import pytest
from bson import ObjectId

from saccade.dataset.errors import ViewError
from saccade.dataset.expressions import F
from saccade.dataset.stages import Limit, Match, Mongo, SortBy, Stage
from saccade.dataset.types import OWN_SAMPLES, Oid
from tests.stages.conftest import FIELDS, sample_id


def test_steps_are_applied_as_they_are(kept, run):
    assert kept(Mongo([{"$skip": 1}, {"$limit": 2}])) == [1, 2]
    assert kept(Mongo([])) == [0, 1, 2, 3, 4, 5]
    assert kept(Mongo([{"$match": {"n": {"$gt": 0}}}]), Match(F("s") == "a")) == [5]
    assert kept(SortBy("n", reverse=True), Mongo(({"$limit": 2},))) == [2, 0]
    assert run(Mongo([{"$set": {"n": {"$size": "$tags"}}}]), Match(F("n") > 2))[0]["n"] == 3
    assert kept(Mongo([{"$match": {"s": re.compile("^A$", re.IGNORECASE)}}])) == [1, 5]


def test_ids_may_be_given_as_text_where_they_are_compared(kept):
    text = str(sample_id(3))
    for step in (
        {"$match": {"_id": text}},
        {"$match": {"_id": {"$in": [text, "f" * 24]}}},
        {"$match": {"$or": [{"_id": {"$eq": text}}, {"n": 99}]}},
        {"$match": {"_id": ObjectId(text)}},
        {"$match": {"$expr": {"$eq": ["$_id", text]}}},
        {"$match": {"$expr": {"$in": ["$_id", [text]]}}},
        {"$match": {"$expr": {"$eq": [text.upper(), "$$ROOT._id"]}}},
    ):
        assert kept(Mongo([step])) == [3], step
    label = str(sample_id(900))
    for step in (
        {"$match": {"found.detections._id": label}},
        {"$match": {"found.detections": {"$elemMatch": {"_id": {"$nin": ["f" * 24], "$eq": label}}}}},
    ):
        assert kept(Mongo([step])) == [0, 3, 5], step
    assert kept(Mongo([{"$match": {"_id": {"$nin": [text]}}}])) == [0, 1, 2, 4, 5]


def test_text_elsewhere_stays_text():
    steps = [{"$match": {"s": "a" * 24, "_id": "photo"}}, {"$set": {"s": "b" * 24}}]
    assert Mongo(steps).to_mongo(FIELDS) == steps
    assert not any(isinstance(value, Oid) for value in (Mongo(steps).to_mongo(FIELDS)[0]["$match"].values()))


def test_steps_are_kept_exactly_when_stored():
    stage = Mongo([{"$match": {"a.b": ObjectId("a" * 24), "day": date(2024, 2, 29), "x": {"$ne": float("nan")}}}])
    again = Stage.from_dict(stage.to_dict())
    assert again == stage
    assert isinstance(again.to_mongo(FIELDS)[0]["$match"]["a.b"], Oid)


def test_the_datasets_own_samples_can_be_named(kept):
    union = {"$unionWith": {"coll": OWN_SAMPLES, "pipeline": [{"$match": {"s": "c"}}]}}
    assert kept(Limit(1), Mongo([union])) == [0, 3]
    assert kept(Limit(1), Mongo([{"$unionWith": OWN_SAMPLES}])) == [0, 0, 1, 2, 3, 4, 5]
    nested = {"$unionWith": {"coll": OWN_SAMPLES, "pipeline": [{"$limit": 1}, union]}}
    assert kept(Limit(1), Mongo([nested])) == [0, 0, 3]


def test_steps_that_write_are_refused():
    for step in (
        {"$out": "other"},
        {"$merge": {"into": "samples"}},
        {"$lookup": {"from": "x", "as": "y", "pipeline": [{"$merge": "z"}]}},
    ):
        with pytest.raises(ViewError, match=r"which writes\. A view only reads"):
            Mongo([{"$limit": 3}, step])


def test_steps_that_take_the_id_away_are_refused():
    for step in ({"$project": {"_id": 0}}, {"$unset": ["n", "_id"]}, {"$set": {"_id": 1}}, {"$addFields": {"_id": 1}}):
        with pytest.raises(ViewError, match="takes the samples' '_id' away"):
            Mongo([step])


def test_what_is_no_pipeline_is_refused():
    for wrong in ({"$limit": 3}, "x", None, 3):
        with pytest.raises(ViewError, match="Give a list of steps"):
            Mongo(wrong)
    for wrong in ("$limit", {}, {"$limit": 3, "$skip": 1}, {"limit": 3}, [{"$limit": 3}]):
        with pytest.raises(ViewError, match="A step is a dict with one key"):
            Mongo([wrong])
    for wrong in (b"bytes", object(), {1, 2}):
        with pytest.raises(ViewError, match="cannot be kept with a view"):
            Mongo([{"$match": {"n": wrong}}])
    with pytest.raises(ViewError, match="Keys are text"):
        Mongo([{"$match": {3: 1}}])


def test_what_steps_change_is_known():
    choosing = Mongo([{"$match": {"n": 1}}, {"$sort": {"n": 1}}, {"$limit": 3}])
    assert not choosing.shapes_documents
    assert choosing.shaping(FIELDS) == []
    assert choosing.filtered_lists(FIELDS) == ()
    setting = Mongo([{"$limit": 3}, {"$set": {"n": 1, "truth.label": "x"}}, {"$unset": "tags"}])
    assert setting.shapes_documents
    assert setting.shaping(FIELDS) == [{"$set": {"n": 1, "truth.label": "x"}}, {"$unset": "tags"}]
    assert set(setting.filtered_lists(FIELDS)) == {"tags", "truth"}
    grouping = Mongo([{"$group": {"_id": "$s", "one": {"$first": "$$ROOT"}}}, {"$replaceRoot": {"newRoot": "$one"}}])
    assert grouping.shaping(FIELDS) is None
    assert {"tags", "found", "found.detections"} <= set(grouping.filtered_lists(FIELDS))
    assert grouping.needs_order
