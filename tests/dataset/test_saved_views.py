"""Saved views: stages under a name, kept with the dataset, seen by every process."""

import pytest

import saccade as sc
from saccade.dataset import stages
from saccade.dataset.errors import FieldNotFoundError, ViewError

F = sc.F


@pytest.fixture
def filled(dataset) -> sc.Dataset:
    dataset.add_samples(sc.Sample(f"/{n}.png", n=n, score=n / 10) for n in range(5))
    return dataset


def test_a_saved_view_shows_the_same_samples(filled):
    view = filled.match(F("score") > 0.1).sort_by("n", reverse=True).limit(2)
    filled.save_view("best", view, description="the best two")
    loaded = sc.load_dataset("street").load_saved_view("best")
    assert loaded == view
    assert loaded.values("n") == [4, 3]
    assert (loaded.name, loaded.is_saved, loaded.dataset_name) == ("best", True, "street")
    assert (view.name, view.is_saved) == (None, False)
    assert loaded.limit(1).name is None


def test_a_saved_view_finds_its_samples_anew(filled):
    filled.save_view("high", filled.match(F("n") > 3))
    filled.add_samples([sc.Sample("/9.png", n=9)])
    assert filled.load_saved_view("high").values("n") == [4, 9]


def test_stages_with_dollars_dates_and_ids_are_kept(filled):
    ids = filled.values("id")
    views = {
        "mongo": filled.add_stage(stages.Mongo([{"$match": {"n": {"$gt": 2}}}, {"$set": {"n": {"$add": ["$n", 1]}}}])),
        "ids": filled.select([ids[3], ids[1]], ordered=True),
        "random": filled.take(3, seed=51),
        "infinite": filled.match(F("score") < float("inf")),
    }
    for name, view in views.items():
        filled.save_view(name, view)
        assert filled.load_saved_view(name).values("n") == view.values("n")
    assert filled.list_saved_views() == ["ids", "infinite", "mongo", "random"]


def test_a_name_is_taken_once_unless_it_may_be_overwritten(filled):
    filled.save_view("mine", filled.limit(1))
    with pytest.raises(
        ViewError, match=r"has a saved view 'mine' already. Choose another name, or pass overwrite=True"
    ):
        filled.save_view("mine", filled.limit(2))
    assert len(filled.load_saved_view("mine")) == 1
    filled.save_view("mine", filled.limit(2), overwrite=True)
    assert len(filled.load_saved_view("mine")) == 2


def test_facts_about_saved_views_are_listed_and_changed(filled):
    assert (filled.has_saved_views, filled.list_saved_views()) == (False, [])
    filled.save_view("a", filled.limit(1), "the first", "#ff6d04")
    filled.save_view("b", filled.limit(2))
    assert filled.get_saved_view_info("a") == {"name": "a", "description": "the first", "color": "#ff6d04"}
    filled.update_saved_view_info("a", {"name": "first", "description": None})
    assert filled.get_saved_view_info("first") == {"name": "first", "description": None, "color": "#ff6d04"}
    with pytest.raises(ViewError, match="has a saved view 'b' already"):
        filled.update_saved_view_info("first", {"name": "b"})
    with pytest.raises(ViewError, match="'stages' of a saved view cannot be changed"):
        filled.update_saved_view_info("first", {"stages": []})
    (b, first) = filled.list_saved_views(info=True)
    assert (b["name"], first["name"]) == ("b", "first")
    assert b["last_loaded_at"] is None
    assert first["last_modified_at"] >= first["created_at"]
    filled.load_saved_view("b")
    assert filled.list_saved_views(info=True)[0]["last_loaded_at"] is not None


def test_saved_views_are_deleted_one_or_all(filled):
    for name in ("a", "b", "c"):
        filled.save_view(name, filled.limit(1))
    filled.delete_saved_view("b")
    assert (filled.has_saved_view("a"), filled.has_saved_view("b")) == (True, False)
    with pytest.raises(ViewError, match=r"no saved view 'b' on dataset 'street'. Views: a, c"):
        filled.delete_saved_view("b")
    with pytest.raises(ViewError, match=r"Did you mean 'a'|Views: a, c"):
        filled.load_saved_view("aa")
    filled.delete_saved_views()
    assert filled.list_saved_views() == []
    assert len(filled) == 5


def test_saved_views_go_with_their_dataset(filled, database):
    filled.save_view("a", filled.limit(1))
    filled.delete()
    assert database["views"].count_documents({}) == 0


def test_what_cannot_be_saved_is_refused(filled):
    other = sc.Dataset("other")
    for view in (other.view(), None, "a"):
        with pytest.raises(ViewError, match="Give a view of dataset 'street'"):
            filled.save_view("a", view)
    for name in ("", "  ", "x" * 201, 5, None, "a\nb"):
        with pytest.raises(ViewError, match=r"cannot name a view|expected text"):
            filled.save_view(name, filled.limit(1))
    with pytest.raises(ViewError, match="the description of a saved view was given as 5"):
        filled.save_view("a", filled.limit(1), description=5)
    assert filled.list_saved_views() == []


def test_a_saved_view_whose_field_is_gone_says_so(filled):
    filled.save_view("high", filled.match(F("score") > 0.2))
    filled.delete_sample_field("score")
    with pytest.raises(FieldNotFoundError, match="no field 'score'") as caught:
        filled.load_saved_view("high")
    assert "The saved view 'high'" in caught.value.__notes__[0]
    filled.delete_saved_view("high")
