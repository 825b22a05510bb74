"""Representativeness: the centre is high, whatever the number of samples."""

import numpy as np
import pytest

from saccade.brain.kernels.neighbors import nearest_neighbors
from saccade.brain.kernels.representativeness import NEIGHBORS, representativeness


def score(vectors):
    return representativeness(nearest_neighbors(vectors, NEIGHBORS)[0])


def test_the_mean_distance_decides_in_robust_deviations():
    # means 1, 2 and 8: logarithms 0, 1 and 3 times log 2, the median 1, the MAD 1
    scores = representativeness([[0.5, 1.5], [2.0, 2.0], [1.0, 15.0]])
    np.testing.assert_allclose(scores, 1 / (1 + np.exp(np.array([-1, 0, 2]) / 1.4826)))


@pytest.mark.parametrize("n", [30, 2000])
def test_the_middle_of_a_cluster_scores_high_and_its_rim_low(n, rng):
    vectors = rng.standard_normal((n, 4))
    from_centre = np.linalg.norm(vectors, axis=1)
    scores = score(vectors)
    assert np.corrcoef(scores, from_centre)[0, 1] < -0.8
    assert scores[np.argmin(from_centre)] > 0.75


def test_scores_follow_their_samples_and_no_unit_changes_them(rng):
    vectors, order = rng.standard_normal((120, 5)), rng.permutation(120)
    np.testing.assert_array_equal(score(vectors[order]), score(vectors)[order])
    np.testing.assert_allclose(score(vectors * 64), score(vectors), rtol=1e-12)


@pytest.mark.parametrize(
    ("vectors", "expected"),
    [(np.empty((0, 2)), []), ([[3.0]], [1]), ([[0.0], [5.0]], [0.5, 0.5]), (np.ones((4, 2)), [1, 1, 1, 1])],
)
def test_any_number_of_samples_is_scored(vectors, expected):
    assert score(vectors).tolist() == expected


@pytest.mark.parametrize("distances", [[1.0], [[np.nan]], [[-1.0]]])
def test_distances_that_cannot_be_are_refused(distances):
    with pytest.raises(ValueError, match="must be"):
        representativeness(distances)
