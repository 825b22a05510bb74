"""Uniqueness: golden numbers, and what the score promises about copies, outliers and scale."""

import numpy as np
import pytest

from saccade.brain.kernels.neighbors import nearest_neighbors
from saccade.brain.kernels.uniqueness import NEIGHBORS, Calibration, nearest_uniqueness, uniqueness


def score(vectors, calibration=None):
    distances, indices = nearest_neighbors(vectors, NEIGHBORS)
    return uniqueness(distances, distances[:, -1:].reshape(-1)[indices], calibration)[0]


def logistic(deviation):
    return 1 / (1 + np.exp(-deviation))


def test_isolation_is_scored_in_robust_deviations_from_the_median():
    # the logarithms of 1, 2 and 8 are 0, 1 and 3 times log 2: the median is 1 and the deviations 1, 0 and 2, so MAD 1
    same = [[1.0] * 3, [2.0] * 3, [8.0] * 3]
    scores, usual = uniqueness(same, same)
    np.testing.assert_allclose(scores, [logistic(-1 / 1.4826), 1 / 2, logistic(2 / 1.4826)])
    assert usual == Calibration(pytest.approx(np.log(2)), pytest.approx(1.4826 * np.log(2)), 0.0, 0.01)


def test_the_three_neighbours_count_by_their_weights():
    # 1^0.6 * 32^0.3 * 1024^0.1 = 2^(0 + 1.5 + 1)
    calibration = Calibration(0.0, np.log(2), 0.0, 1.0)
    scores, _ = uniqueness([[1.0, 32.0, 1024.0]], [[1024.0] * 3], calibration)
    np.testing.assert_allclose(scores, [logistic(2.5)])


def test_what_is_emptier_around_a_sample_than_around_its_neighbours_counts_beyond_three_deviations():
    calibration = Calibration(0.0, 1.0, 0.0, np.log(2))
    for factor, gained in ((1 / 16, 0), (1, 0), (8, 0), (16, 1), (64, 3)):
        reach = [[1 / factor] * 2]
        np.testing.assert_allclose(uniqueness([[1.0, 1.0]], reach, calibration)[0], [logistic(gained)])


def test_neighbours_that_are_all_copies_say_nothing_about_the_room_around_them(rng):
    vectors = np.r_[rng.standard_normal((100, 4)), np.full((30, 4), 3.0), [[3.0, 3.0, 3.0, 3.5]]]
    alone = np.r_[rng.standard_normal((100, 4)), [[9.0, 9.0, 9.0, 9.5]]]
    assert score(vectors)[-1] < score(alone)[-1]


def test_the_lone_sample_at_the_rim_of_a_dense_cluster_stands_out(rng):
    dense, sparse = 0.1 * rng.standard_normal((500, 8)), 8 + 2 * rng.standard_normal((500, 8))
    scores = score(np.r_[dense, sparse, [[0.8] + [0.0] * 7]])
    assert scores[-1] > 0.95
    assert (scores[500:1000] > scores[-1]).mean() < 0.02


def test_a_half_of_a_set_is_scored_like_the_whole(rng):
    vectors = np.r_[rng.standard_normal((1500, 6)), 5 + 3 * rng.standard_normal((1500, 6))]
    half = rng.permutation(3000)[:1500]
    whole, part = score(vectors)[half], score(vectors[half])
    assert np.corrcoef(whole, part)[0, 1] > 0.95
    assert np.abs(whole - part).mean() < 0.05


def test_a_calibration_scores_other_samples_on_the_same_scale(rng):
    vectors = rng.standard_normal((400, 5))
    distances, indices = nearest_neighbors(vectors, NEIGHBORS)
    reach = distances[:, -1][indices]
    scores, usual = uniqueness(distances, reach)
    np.testing.assert_array_equal(uniqueness(distances[:7], reach[:7], usual)[0], scores[:7])


def test_the_published_formula_is_a_weighted_mean_over_the_largest():
    # 0.6 * 1 + 0.3 * 2 + 0.1 * 4 = 1.6 and 0.6 * 2 + 0.3 * 4 + 0.1 * 8 = 3.2; a fourth column counts nothing
    np.testing.assert_allclose(nearest_uniqueness([[1.0, 2.0, 4.0, 4.0], [2.0, 4.0, 8.0, 9.0]]), [0.5, 1.0])


def test_the_published_formula_gives_copies_what_their_second_neighbour_is_worth():
    line = np.array([[0.0], [0.0], [1.0], [2.0]])
    # copies: 0.3 * 1 + 0.1 * 2 = 0.5; at 1: 1; at 2: 0.6 * 1 + 0.3 * 2 + 0.1 * 2 = 1.4
    scores = nearest_uniqueness(nearest_neighbors(line, 3)[0])
    np.testing.assert_allclose(scores, [0.5 / 1.4, 0.5 / 1.4, 1 / 1.4, 1.0])
    assert nearest_uniqueness(np.zeros((4, 3))).tolist() == [0] * 4
    assert nearest_uniqueness(np.empty((1, 0))).tolist() == [1]


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
    scores = uniqueness([[1e-300] * 3, [1e-10] * 3, [1.0] * 3, [1e300] * 3], np.ones((4, 3)))[0]
    assert (np.diff(scores) > 0).all()
    assert scores.min() >= 0
    assert scores.max() <= 1


@pytest.mark.parametrize(
    ("vectors", "expected"),
    [(np.empty((0, 4)), []), ([[3.0]], [1.0]), ([[0.0], [5.0]], [0.5, 0.5]), ([[5.0], [5.0]], [0.0, 0.0])],
)
def test_none_one_and_two_samples_are_defined(vectors, expected):
    assert score(vectors).tolist() == expected


@pytest.mark.parametrize(
    "distances", [[1.0, 2.0], [[np.nan, 1.0]], [[0.0, np.inf]], [[-1.0, 1.0]], [[2.0, 1.0]]],
    ids=["one row too few dimensions", "NaN", "infinity", "negative", "descending"],
)  # fmt: skip
def test_distances_that_cannot_be_are_refused_with_their_shape(distances):
    with pytest.raises(ValueError, match=r"shape \("):
        uniqueness(distances, np.ones((1, 2)))
    with pytest.raises(ValueError, match=r"shape \("):
        nearest_uniqueness(distances)
