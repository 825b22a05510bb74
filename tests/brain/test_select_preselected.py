"""What was picked before is not picked again, but counts; wherever it lies in the dataset."""

from collections import Counter

import numpy as np
import pytest

import saccade as sc
import saccade.brain as scb
from saccade.dataset.errors import SelectionError
from tests.brain.selectable import COUNT, WEATHER, numbered, numbers_of

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def dataset(database):
    return numbered()


def tagged(dataset, numbers, tag="before"):
    dataset.match(sc.F("number").is_in(numbers)).tag_samples(tag)


def test_what_is_preselected_is_not_picked_and_kept_away_from(dataset):
    tagged(dataset, [0, 12])
    batch = scb.select(dataset, n_samples=2, preselected_tag="before")
    assert numbers_of(batch) == [30, 21]  # the middle of what is left, then of the half with the lower ids
    assert batch.distances[0] == pytest.approx(2 * np.sin(np.pi * 18 / COUNT), abs=1e-6)
    assert batch.report["preselected"] == 2
    assert dataset.count_sample_tags() == {"before": 2, batch.tag: 2}


def test_it_counts_though_it_is_not_in_the_view(dataset):
    tagged(dataset, [0, 12])
    whole = scb.select(dataset, n_samples=4, preselected_tag="before")
    others = dataset.match_tags("before", bool=False)
    assert scb.select(others, n_samples=4, preselected_tag="before").ids == whole.ids
    few = scb.select(others.limit(5), n_samples=1, preselected_tag="before")
    assert numbers_of(few) == [5]  # of 1 to 5 the farthest from 0 and 12


def test_it_counts_in_the_balance_and_in_limits(dataset):
    tagged(dataset, [7, 15, 23, 31])  # fog
    strategies = [scb.Balance("weather", {"fog": 0.25, "rain": 0.75}), scb.GroupCap("video", 3)]
    numbers = numbers_of(scb.select(dataset, n_samples=12, strategies=strategies, preselected_tag="before"))
    assert Counter(WEATHER[n % 8] for n in numbers)["rain"] == 11  # all but one, of a video that is full
    assert {13, 37} - set(numbers)
    assert max(Counter(n % 6 for n in [*numbers, 7, 15, 23, 31]).values()) <= 3


def test_objects_of_preselected_samples_count(dataset):
    tagged(dataset, [1, 2, 3, 5, 6, 7, 9, 10, 11])
    strategies = [scb.Diversity(scb.Embeddings(task="boxes"))]
    view = dataset.match(sc.F("number") < 30)
    (number,) = numbers_of(scb.select(view, n_samples=1, strategies=strategies, preselected_tag="before"))
    assert number == 29
    outside = view.match_tags("before", bool=False)
    assert numbers_of(scb.select(outside, n_samples=1, strategies=strategies, preselected_tag="before")) == [29]


def test_a_total_counts_both(dataset):
    tagged(dataset, range(5))
    assert len(scb.select(dataset, n_total=9, preselected_tag="before")) == 4
    reached = scb.select(dataset, n_total=3, preselected_tag="before")
    assert len(reached) == 0
    assert "n_total=3 is reached already" in reached.report["note"]


def test_a_share_is_one_of_what_can_be_picked(dataset):
    tagged(dataset, range(8))
    assert len(scb.select(dataset, proportion_samples=0.1, preselected_tag="before")) == 4


def test_preselected_samples_may_lack_numbers_but_not_vectors(dataset):
    dataset.add_sample(sc.Sample(filepath="/street/late.png", number=COUNT, tags=["before"]))
    tagged(dataset, [0])
    dataset.match(sc.F("number") == 0).set_values("brightness", [None])
    strategies = [scb.Diversity(), scb.Weights("brightness")]
    batch = scb.select(dataset, n_samples=COUNT, strategies=strategies, preselected_tag="before")
    assert batch.report["preselected_without_vector"] == 1
    assert len(batch) == COUNT - 1
    assert all(distance is not None for distance in batch.distances)


def test_an_unknown_tag_is_refused_with_the_nearest(dataset):
    tagged(dataset, [0])
    with pytest.raises(SelectionError, match=r"preselected_tag='befor'.*Did you mean 'before'"):
        scb.select(dataset, n_samples=2, preselected_tag="befor")


def test_a_tag_can_grow_by_what_is_picked(dataset):
    tagged(dataset, [0, 12], "pool")
    one = scb.select(dataset, n_samples=3, tag="pool", preselected_tag="pool")
    two = scb.select(dataset, n_total=9, tag="pool", preselected_tag="pool")
    assert (len(one), len(two)) == (3, 4)
    assert dataset.count_sample_tags() == {"pool": 9}
    ranked = dataset.exists("selections.pool.rank").sort_by("selections.pool.rank")
    assert ranked.values("id") == [*one.ids, *two.ids]
    assert ranked.values("selections.pool.rank") == list(range(7))
    again = scb.select(dataset, n_samples=7, preselected_tag="pool")
    assert not set(again.ids) & set(ranked.values("id"))


def test_a_tag_of_which_samples_were_deleted_grows_behind_its_last_rank(dataset):
    one = scb.select(dataset, n_samples=6, tag="pool")
    dataset.delete_samples([one.ids[1], one.ids[2]])
    two = scb.select(dataset, n_total=9, tag="pool", preselected_tag="pool")
    assert two.ranks == [6, 7, 8, 9, 10]
    assert not set(two.ids) & set(one.ids)
    assert two.view().values("id") == dataset.load_selection("pool").ids == two.ids
    assert two.replay().identical
    assert dataset.exists("selections.pool.rank").sort_by("selections.pool.rank").values("id") == [
        one.ids[0], *one.ids[3:], *two.ids
    ]  # fmt: skip


def test_a_tag_that_grew_can_be_picked_again_from_its_run(dataset):
    from saccade.brain.operations.select import choose

    tagged(dataset, [0, 12], "pool")
    scb.select(dataset, n_samples=3, tag="pool", preselected_tag="pool")
    two = scb.select(dataset, n_samples=3, tag="pool", preselected_tag="pool")
    assert choose(dataset, two.run.params)[0] == two.ids
