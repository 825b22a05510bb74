"""Uniqueness: golden numbers, and what the score promises about copies, outliers and scale."""

import numpy as np
import pytest

from saccade.brain.kernels.neighbors import nearest_neighbors
from saccade.brain.kernels.uniqueness import uniqueness


def score(vectors):
    return uniqueness(nearest_neighbors(vectors, k=3)[0])


def test_scores_worked_by_hand():
    # neighbours all at one distance: that is the isolation, 1, 2 and 4; the median is 2
    scores = uniqueness([[1.0, 1.0, 1.0], [2.0, 2.0, 2.0], [4.0, 4.0, 4.0]])
    np.testing.assert_allclose(scores, [1 / 3, 1 / 2, 2 / 3])


def test_the_three_neighbours_count_by_their_weights():
    # 1^0.6 * 32^0.3 * 1024^0.1 = 2^(0 + 1.5 + 1) against a median of (2^2.5 + 1) / 2 in logarithms: 2^1.25
    scores = uniqueness([[1.0, 32.0, 1024.0], [1.0, 1.0, 1.0]])
    np.testing.assert_allclose(scores, [2**1.25 / (1 + 2**1.25), 2**-1.25 / (1 + 2**-1.25)])


def test_a_fourth_neighbour_counts_nothing():
    near = np.array([[1.0, 2.0, 3.0], [2.0, 2.0, 5.0]])
    assert uniqueness(np.c_[near, [9.0, 5.0]]).tolist() == uniqueness(near).tolist()


def test_an_exact_duplicate_has_uniqueness_zero_even_far_from_all_others(rng):
    vectors = rng.standard_normal((100, 5))
    vectors[[10, 60]] = 50.0
    scores = score(vectors)
    assert scores[[10, 60]].tolist() == [0, 0]
    assert (np.delete(scores, [10, 60]) > 0).all()


def test_identical_samples_all_have_uniqueness_zero():
    assert score(np.ones((7, 3))).tolist() == [0] * 7


def test_a_far_outlier_comes_close_to_one_and_hardly_moves_the_others(rng):
    vectors = rng.standard_normal((2000, 6))
    scores = score(np.r_[vectors, [[1e4] * 6]])
    assert scores[-1] > 0.999
    assert np.abs(scores[:-1] - score(vectors)).max() < 0.001


def test_the_typical_sample_of_any_set_has_one_half(rng):
    for scale in (0.01, 1.0, 300.0):
        assert np.median(score(scale * rng.standard_normal((501, 4)))) == pytest.approx(0.5)


def test_scores_follow_their_samples_when_rows_are_shuffled(rng):
    vectors = rng.standard_normal((150, 8)).astype(np.float32)
    order = rng.permutation(150)
    np.testing.assert_array_equal(score(vectors[order]), score(vectors)[order])


def test_a_unit_of_measure_changes_nothing(rng):
    vectors = rng.standard_normal((80, 8))
    np.testing.assert_allclose(score(vectors * 1000), score(vectors), rtol=1e-12)


def test_no_range_of_distances_leaves_zero_to_one():
    scores = uniqueness([[1e-300] * 3, [1e-10] * 3, [1.0] * 3, [1e300] * 3])
    assert (np.diff(scores) > 0).all()
    assert scores.min() >= 0
    assert scores.max() <= 1


@pytest.mark.parametrize(
    ("vectors", "expected"),
    [(np.empty((0, 4)), []), ([[3.0]], [1.0]), ([[0.0], [5.0]], [0.5, 0.5]), ([[5.0], [5.0]], [0.0, 0.0])],
)
def test_none_one_and_two_samples_are_defined(vectors, expected):
    assert score(vectors).tolist() == expected


def test_with_two_others_the_weights_of_both_count_alone():
    # on a line at 0, 1, 2: the ends have isolation 1^(6/9) * 2^(3/9), the median; the middle one has 1
    np.testing.assert_allclose(score([[0.0], [1.0], [2.0]]), [0.5, 1 / (1 + 2 ** (1 / 3)), 0.5])


@pytest.mark.parametrize(
    "distances", [[1.0, 2.0], [[np.nan, 1.0]], [[0.0, np.inf]], [[-1.0, 1.0]], [[2.0, 1.0]]],
    ids=["one row too few dimensions", "NaN", "infinity", "negative", "descending"],
)  # fmt: skip
def test_distances_that_cannot_be_are_refused_with_their_shape(distances):
    with pytest.raises(ValueError, match=r"shape \("):
        uniqueness(distances)
