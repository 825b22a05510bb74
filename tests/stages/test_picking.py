"""limit, skip, select and exclude."""

from types import SimpleNamespace

import numpy as np
import pytest
from bson import ObjectId

from saccade.dataset.errors import ViewError
from saccade.dataset.stages import Exclude, Limit, Select, Skip
from saccade.dataset.stages.picking import MOST_IDS
from tests.stages.conftest import FIELDS, sample_id


def test_limit_and_skip_cut_the_samples(kept):
    assert kept(Limit(2)) == [0, 1]
    assert kept(Skip(4)) == [4, 5]
    assert kept(Skip(1), Limit(np.int64(2))) == [1, 2]
    assert kept(Limit(0)) == kept(Limit(-1)) == kept(Skip(99)) == []
    assert kept(Skip(0)) == kept(Skip(-5)) == kept(Limit(99)) == [0, 1, 2, 3, 4, 5]
    for wrong in (1.5, "2", None, True):
        with pytest.raises(ViewError, match="expected an integer"):
            Limit(wrong)


def test_select_keeps_the_given_samples_in_id_order(kept):
    assert kept(Select(sample_id(2))) == [2]
    assert kept(Select([sample_id(4), sample_id(1), sample_id(4), "f" * 24])) == [1, 4]
    assert kept(Select([])) == []


def test_select_keeps_the_order_of_the_ids_when_asked(kept):
    assert kept(Select([sample_id(4), "f" * 24, sample_id(1), sample_id(5), sample_id(4)], ordered=True)) == [4, 1, 5]
    assert Select([], ordered=True).sets_order
    assert not Select([]).sets_order


def test_samples_and_ids_of_other_kinds_are_accepted(kept):
    sample = SimpleNamespace(id=str(sample_id(3)))
    assert kept(Select(sample)) == [3]
    assert kept(Select([sample, ObjectId(sample_id(1)), sample_id(0).upper()])) == [0, 1, 3]
    assert kept(Select(number for number in [sample_id(5)])) == [5]


def test_exclude_leaves_out_the_given_samples(kept):
    assert kept(Exclude([sample_id(0), sample_id(3), "f" * 24])) == [1, 2, 4, 5]
    assert kept(Exclude([])) == [0, 1, 2, 3, 4, 5]
    assert kept(Exclude(SimpleNamespace(id=str(sample_id(3))))) == [0, 1, 2, 4, 5]


def test_what_is_no_id_is_refused():
    for wrong in ("photo.png", 3, [True, False], [None], {"a": 1}):
        with pytest.raises(ViewError, match="no sample id"):
            Select(wrong)
    with pytest.raises(ViewError, match="match_tags"):
        Exclude(f"{number:024x}" for number in range(MOST_IDS + 1))


def test_as_many_ids_as_are_allowed_fit_into_a_command(database):
    from saccade.dataset.store.codec import to_bson_query

    stage = Select((f"{number:024x}" for number in range(MOST_IDS)), ordered=True)
    database.samples.insert_one({"_id": ObjectId(sample_id(7))})
    assert len(list(database.samples.aggregate(to_bson_query(stage.to_mongo(FIELDS))))) == 1
