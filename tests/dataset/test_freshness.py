"""A dataset in hand knows what others did to it meanwhile, though it asks the server as rarely as it can."""

import pytest

import saccade as sc
from saccade.dataset.errors import DatasetNotFoundError, FieldNotFoundError
from saccade.dataset.store.connection import database as connected
from tests.store.processes import kill, server_pid

F = sc.F


@pytest.fixture
def filled(dataset) -> sc.Dataset:
    dataset.add_samples(sc.Sample(f"/{n}.png", n=n) for n in range(60))
    assert dataset.sum("n") == 1770
    return dataset


@pytest.fixture
def other(filled) -> sc.Dataset:
    """The same dataset, loaded once more, which shares nothing with the first."""
    return sc.load_dataset(filled.name)


def test_a_field_that_another_deleted_is_unknown_to_the_next_aggregation(filled, other):
    other.delete_sample_field("n")
    with pytest.raises(FieldNotFoundError):
        filled.mean("n")
    with pytest.raises(FieldNotFoundError):
        filled.values("n")


def test_a_field_that_another_added_is_known_to_the_next_aggregation(filled, other):
    other.set_values("late", list(range(60)))
    assert filled.bounds("late") == (0, 59)


def test_a_view_made_before_another_renamed_its_field_says_that_it_is_unknown(filled, other):
    view = filled.match(F("n") > 10)
    other.rename_sample_field("n", "m")
    with pytest.raises(FieldNotFoundError):
        view.count()


def test_numbers_are_floats_once_another_widened_their_field(filled, other):
    assert {type(bound) for bound in filled.bounds("n")} == {int}
    other.add_sample(sc.Sample("/late.png", n=0.5))
    assert filled.max("n") == 59.0
    assert {type(bound) for bound in filled.bounds("n")} == {float}


def test_a_dataset_that_another_deleted_is_found_missing(filled, other):
    other.delete()
    with pytest.raises(DatasetNotFoundError):
        filled.count()
    with pytest.raises(DatasetNotFoundError):
        filled.mean("n")
    with pytest.raises(DatasetNotFoundError):
        filled.match(F("n") > 10).count()


def test_counting_follows_what_others_add_and_delete(filled, other):
    assert [filled.count(), filled.count()] == [60, 60]
    other.add_sample(sc.Sample("/late.png"))
    assert filled.count() == 61
    other.delete_samples(other.match(F("n") < 10))
    assert filled.count() == 51
    other.clear()
    assert filled.count() == 0


def test_counting_is_exact_after_the_server_was_killed_and_its_own_number_is_off(home):
    dataset = sc.Dataset("street")
    dataset.add_samples(sc.Sample(f"/{n}.png") for n in range(60))
    assert [dataset.count(), dataset.count()] == [60, 60]
    kill(server_pid())
    assert [dataset.count(), dataset.count()] == [60, 60]
    assert connected()[f"samples.{dataset._id}"].estimated_document_count() != 60, "or this would prove nothing"
    dataset.add_sample(sc.Sample("/late.png"))
    assert dataset.count() == 61
