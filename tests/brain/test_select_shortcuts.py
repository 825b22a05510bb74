"""The common selections in one line each."""

from collections import Counter

import numpy as np
import pytest

import saccade as sc
import saccade.brain as scb
from tests.brain.selectable import COUNT, WEATHER, gaps, numbered, numbers_of

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def dataset(database):
    return numbered()


def test_diverse_ones_are_those_of_select(dataset):
    batch = scb.select_diverse(dataset, 6, tag="far")
    assert batch.ids == scb.select(dataset, n_samples=6).ids
    assert batch.tag == "far"
    assert len(scb.select_diverse(dataset, proportion_samples=0.25)) == COUNT / 4


def test_coral_takes_what_is_unsure_and_not_alike(dataset):
    numbers = numbers_of(scb.select_coral(dataset, 6, "guess_uncertainty_margin"))
    assert numbers_of(scb.select_coral(dataset, 6, scb.Scores("guess", "uncertainty_margin"))) == numbers
    assert np.mean(numbers) > COUNT / 2
    assert min(gaps(numbers)) > 1


def test_without_near_copies_all_others_are_near_to_one_that_is_kept(dataset):
    apart = 2 * np.sin(np.pi * 3 / COUNT) - 1e-6
    kept = numbers_of(scb.deduplicate(dataset, apart))
    assert min(gaps(kept)) >= 3
    assert max(gaps(kept)) <= 5  # the farthest from both is nearer than three
    assert len(scb.deduplicate(dataset, 0.0)) == COUNT


def test_random_ones_depend_on_the_seed(dataset):
    assert scb.select_random(dataset, 9, seed=1).ids == scb.select_random(dataset.shuffle(), 9, seed=1).ids
    assert scb.select_random(dataset, 9, seed=1).ids != scb.select_random(dataset, 9, seed=2).ids


def test_balanced_ones_have_the_shares_that_are_wanted(dataset):
    weather = [WEATHER[n % 8] for n in numbers_of(scb.select_balanced(dataset, 9, "weather"))]
    assert Counter(weather) == {"sunny": 3, "rain": 3, "fog": 3}
    numbers = numbers_of(scb.select_balanced(dataset, 10, "truth", {"bus": 0.8}))
    assert Counter(n % 3 == 1 for n in numbers) == {True: 8, False: 2}
    assert numbers != numbers_of(scb.select_balanced(dataset, 10, "truth", {"bus": 0.8}, seed=1))


def test_representative_ones_lie_in_the_middle_of_what_they_stand_for(database, rng):
    centers = np.array([[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0]])
    vectors = np.concatenate([c + 0.1 * rng.standard_normal((20, 3)) for c in centers] + [-np.ones((1, 3))])
    made = sc.Dataset("groups")
    made.add_columns({"filepath": [f"/{i:02}.png" for i in range(61)], "embedding": vectors.astype(np.float32)})
    rows = [int(path[1:3]) for path in scb.select_representative(made, 3).view().values("filepath")]
    assert {row // 20 for row in rows} == {0, 1, 2}
    diverse = [int(path[1:3]) for path in scb.select_diverse(made, 4).view().values("filepath")]
    assert 60 in diverse
