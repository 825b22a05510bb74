"""Random splits: exact shares, the same for the same seed, one action."""

import pytest

import saccade as sc
from saccade.dataset.errors import SchemaError, SelectionError

F = sc.F


@pytest.fixture
def filled(dataset) -> sc.Dataset:
    dataset.add_samples(sc.Sample(f"/{n}.png", n=n, tags=["old"]) for n in range(50))
    return dataset


def test_every_sample_gets_exactly_one_of_the_tags_in_the_given_shares(filled):
    assert sc.random_split(filled, {"train": 0.7, "val": 0.2, "test": 0.1}, seed=51) == {
        "train": 35, "val": 10, "test": 5,
    }  # fmt: skip
    assert filled.count_sample_tags() == {"old": 50, "train": 35, "val": 10, "test": 5}
    assert all(len(tags) == 2 for tags in filled.values("tags"))


def test_the_same_seed_gives_the_same_split(filled):
    splits = []
    for seed in (51, 51, 52, None, None):
        sc.random_split(filled, {"train": 0.5, "val": 0.5}, seed=seed)
        splits.append(filled.match_tags("train").values("n"))
    assert splits[0] == splits[1]
    assert len({tuple(split) for split in splits}) == 4
    assert splits[0] != sorted(splits[0])[:25] or max(splits[0]) > 24


def test_the_order_of_the_samples_does_not_matter(filled):
    sc.random_split(filled, {"train": 0.5}, seed=1)
    first = set(filled.match_tags("train").values("id"))
    sc.random_split(filled.sort_by("n", reverse=True), {"train": 0.5}, seed=1)
    assert set(filled.match_tags("train").values("id")) == first


def test_former_tags_of_these_names_are_replaced_and_others_stay(filled):
    filled.tag_samples(["val", "mine"])
    sc.random_split(filled, {"train": 0.5, "val": 0.25}, seed=1)
    assert filled.count_sample_tags() == {"mine": 50, "old": 50, "train": 25, "val": 13}


def test_a_view_splits_its_own_samples(filled):
    filled.tag_samples("train")
    assert sc.random_split(filled.match(F("n") < 10), {"val": 1}) == {"val": 10}
    assert filled.match_tags("val").values("n") == list(range(10))
    assert filled.count_sample_tags()["train"] == 50
    assert sc.random_split(filled.limit(0), {"test": 0.5}) == {"test": 0}


def test_a_split_is_one_action(filled, database):
    before = database["actions"].count_documents({})
    sc.random_split(filled, {"train": 0.5, "val": 0.5}, seed=1)
    assert database["actions"].count_documents({}) == before + 1


def test_shares_of_thirds_add_up(filled):
    assert sc.random_split(filled, {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3}, seed=3) == {"a": 17, "b": 16, "c": 17}
    assert sc.random_split(filled, {str(n): 0.1 for n in range(10)}, seed=3) == {str(n): 5 for n in range(10)}


@pytest.mark.parametrize("share", [-0.1, 1.5, "half", None, True, float("nan")])
def test_a_share_that_is_none_is_refused(filled, share):
    with pytest.raises(SelectionError, match="the share of 'train' is"):
        sc.random_split(filled, {"train": share})
    assert filled.count_sample_tags() == {"old": 50}


def test_shares_beyond_one_and_bad_names_are_refused(filled):
    with pytest.raises(SelectionError, match=r"add up to 1.2"):
        sc.random_split(filled, {"train": 0.6, "val": 0.6})
    with pytest.raises(SchemaError, match="Tags are text"):
        sc.random_split(filled, {"": 0.6})
    assert filled.count_sample_tags() == {"old": 50}
