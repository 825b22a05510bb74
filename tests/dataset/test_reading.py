"""Reading samples: one by one, in batches, by id, by filepath, by slice, by mask; and what is refused."""

import numpy as np
import pytest

import saccade as sc
from saccade.dataset.errors import DatasetError, SampleNotFoundError, ViewError
from saccade.dataset.types import is_id

F = sc.F


@pytest.fixture
def ten(dataset) -> sc.Dataset:
    """Ten samples; `n` counts them, `down` runs the other way, the last three have no `score`."""
    dataset.add_samples(
        sc.Sample(f"/{n}.png", n=n, down=10 - n, score=None if n > 6 else n / 10, tags=["even"] if n % 2 == 0 else [])
        for n in range(10)
    )
    return dataset


def numbers(samples) -> list[int]:
    return [sample.n for sample in samples]


# --- first and last -------------------------------------------------------------------------------------------------


def test_first_and_last_follow_the_order_of_insertion(ten):
    assert (ten.first().n, ten.last().n) == (0, 9)
    assert numbers(ten.head()) == [0, 1, 2]
    assert numbers(ten.tail()) == [7, 8, 9]
    assert numbers(ten.head(2)) == [0, 1]
    assert numbers(ten.tail(4)) == [6, 7, 8, 9]


def test_first_and_last_of_a_view_follow_its_order(ten):
    view = ten.sort_by("down")
    assert (view.first().n, view.last().n) == (9, 0)
    assert numbers(view.head()) == [9, 8, 7]
    assert numbers(view.tail()) == [2, 1, 0]


def test_head_and_tail_give_what_there_is(ten):
    assert numbers(ten.head(100)) == list(range(10))
    assert numbers(ten.tail(100)) == list(range(10))
    assert ten.head(0) == ten.tail(0) == []


def test_an_empty_dataset_or_view_has_no_first_sample(ten):
    for empty in (sc.Dataset("empty"), ten.match(F("n") > 100)):
        for read in (empty.first, empty.last):
            with pytest.raises(DatasetError, match="has no samples"):
                read()
        assert empty.head() == empty.tail() == list(empty) == []
        assert not empty


def test_one_finds_the_sample_for_which_an_expression_holds(ten):
    assert ten.one(F("n") == 4).filepath == "/4.png"
    assert ten.one(F("n") > 4).n == 5
    assert ten.one(F("n") == 4, exact=True).n == 4
    with pytest.raises(SampleNotFoundError, match=r'no sample of dataset .street. matches .*"n"'):
        ten.one(F("n") == 100)
    with pytest.raises(DatasetError, match=r"several samples of dataset 'street' match"):
        ten.one(F("n") > 4, exact=True)


# --- by id, filepath and position -----------------------------------------------------------------------------------


def test_a_sample_is_found_by_id_and_by_filepath(ten, tmp_path, monkeypatch):
    sample_id = ten.values("id")[3]
    assert is_id(sample_id)
    assert ten[sample_id].n == 3
    assert ten["/3.png"].id == sample_id
    monkeypatch.chdir(tmp_path)
    ten.add_sample(sc.Sample("here.png", n=10))
    assert ten["here.png"].n == 10
    assert ten[tmp_path / "here.png"].n == 10


def test_every_read_gives_an_object_of_its_own(ten):
    first, second = ten.first(), ten.first()
    assert first is not second
    first.n = 100
    assert second.n == 0
    assert ten.first().n == 0


def test_what_is_not_there_is_said_with_what_was_asked(ten):
    with pytest.raises(
        SampleNotFoundError, match=r"no sample with filepath '/x\.png' in dataset 'street', which has 10"
    ):
        ten["/x.png"]
    with pytest.raises(SampleNotFoundError, match=f"no sample with id '{'a' * 24}'"):
        ten["a" * 24]
    with pytest.raises(KeyError):
        ten["/x.png"]


def test_a_view_holds_only_its_own_samples(ten):
    view = ten.match(F("n") > 5)
    inside, outside = ten["/7.png"], ten["/2.png"]
    assert view[inside.id].n == 7
    assert view["/7.png"].n == 7
    assert inside.id in view
    assert "/7.png" in view
    assert outside.id not in view
    with pytest.raises(SampleNotFoundError, match="this view of dataset 'street', which has 4 samples"):
        view[outside.id]


def test_in_asks_for_ids_and_filepaths(ten):
    assert ten.first().id in ten
    assert "/3.png" in ten
    assert "/x.png" not in ten
    assert "a" * 24 not in ten
    assert 3 not in ten
    assert None not in ten


@pytest.mark.parametrize("index", [0, -1, 3, True, np.int64(3)])
def test_an_integer_index_is_refused_with_the_remedies(ten, index):
    with pytest.raises(ViewError, match=r"positions move when samples come and go\. Use an id, .* or a slice"):
        ten[index]


@pytest.mark.parametrize("key", [1.5, None, (1, 2, 3), object(), {"n": 1}, [True, False]])
def test_other_keys_are_refused(ten, key):
    with pytest.raises(ViewError, match="cannot be indexed by"):
        ten[key]


def test_slices_are_views(ten):
    assert isinstance(ten[2:5], sc.DatasetView)
    assert numbers(ten[2:5]) == [2, 3, 4]
    assert numbers(ten[:2]) == [0, 1]
    assert numbers(ten[8:]) == [8, 9]
    assert numbers(ten[:]) == list(range(10))
    assert numbers(ten[8:100]) == [8, 9]
    assert numbers(ten[5:5]) == numbers(ten[5:3]) == numbers(ten[20:30]) == []
    assert numbers(ten[2:8][1:3]) == [3, 4]
    assert numbers(ten.sort_by("down")[1:3]) == [8, 7]
    assert len(ten[2:5]) == 3


@pytest.mark.parametrize("part", [slice(-3, None), slice(0, -1), slice(0, 5, 2), slice(None, None, -1)])
def test_slices_that_count_from_the_end_or_step_are_refused(ten, part):
    with pytest.raises(ViewError, match="counts from the end or has a step"):
        ten[part]


def test_an_expression_or_a_mask_selects(ten):
    assert numbers(ten[F("n") > 6]) == [7, 8, 9]
    mask = [n in {1, 8} for n in range(10)]
    assert numbers(ten[mask]) == [1, 8]
    assert numbers(ten[np.array(mask)]) == [1, 8]
    assert numbers(ten[[False] * 10]) == []


# --- all of them ----------------------------------------------------------------------------------------------------


def test_len_counts_what_is_there_now(ten):
    assert len(ten) == ten.count() == 10
    assert len(ten.match(F("n") < 4)) == 4
    ten.delete_samples(ten.first())
    assert len(ten) == 9


@pytest.mark.parametrize("batch_size", [None, 1, 3, 10, 100])
def test_iteration_gives_every_sample_once_in_order(ten, batch_size):
    assert numbers(ten.iter_samples(batch_size=batch_size)) == list(range(10))
    assert numbers(ten.sort_by("down").iter_samples(batch_size=batch_size)) == list(range(9, -1, -1))
    assert numbers(ten) == list(range(10))


def test_a_batch_holds_at_least_one(ten):
    with pytest.raises(ViewError, match="batch_size"):
        list(ten.iter_samples(batch_size=-1))


def test_progress_is_reported(ten):
    told = []
    list(ten.iter_samples(progress=lambda done, total: told.append((done, total))))
    assert told == [(n, 10) for n in range(1, 11)]


def test_iteration_passes_over_samples_deleted_meanwhile_and_does_not_meet_new_ones(ten):
    seen = []
    for sample in ten.iter_samples(batch_size=2):
        seen.append(sample.n)
        if sample.n == 1:
            ten.delete_samples([ten["/4.png"], ten["/5.png"]])
            ten.add_sample(sc.Sample("/10.png", n=10))
    assert seen == [0, 1, 2, 3, 6, 7, 8, 9]


def test_a_sample_changed_while_iterating_is_not_met_twice(ten):
    seen = []
    for sample in ten.sort_by("n").iter_samples(batch_size=2):
        seen.append(sample["filepath"])
        sample.n += 100
        sample.save()
    assert seen == [f"/{n}.png" for n in range(10)]


def test_two_loops_over_one_dataset_do_not_disturb_each_other(ten):
    pairs = [(a.n, b.n) for a in ten[:3] for b in ten[:3]]
    assert pairs == [(a, b) for a in range(3) for b in range(3)]


def test_view_is_a_view_of_all(ten):
    assert isinstance(ten.view(), sc.DatasetView)
    assert numbers(ten.view()) == list(range(10))
    assert ten.view().stages == ()


# --- values ---------------------------------------------------------------------------------------------------------


def test_values_are_in_order_with_none_for_missing(ten):
    assert ten.values("score") == [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, None, None, None]
    assert ten.values(["n", "down"]) == [list(range(10)), list(range(10, 0, -1))]
    assert ten.values("score", missing_value=-1)[-1] == -1
    assert ten.values("id") == [sample.id for sample in ten]
    assert ten.values("tags")[:2] == [["even"], []]
    assert ten.sort_by("down").values("n") == list(range(9, -1, -1))
    assert ten.values(F("n") * 2)[:3] == [0, 2, 4]


def test_values_of_ids_are_text(ten):
    assert {type(sample_id) for sample_id in ten.values("id")} == {str}
    assert all(is_id(sample_id) for sample_id in ten.values("id"))
