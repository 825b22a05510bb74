"""Neighbours' votes, and how much each source counts."""

import numpy as np
import pytest

from saccade.brain.kernels.evidence import (
    calibration,
    checked_neighbors,
    logarithms,
    neighbor_votes,
    neighbor_weights,
    pool_weights,
)


def test_the_middle_neighbour_weighs_one_over_e():
    np.testing.assert_allclose(neighbor_weights([[1.0, 2.0, 4.0]]), [np.exp([-0.25, -1.0, -4.0])])


def test_a_copy_weighs_one_and_others_nothing_among_copies():
    assert neighbor_weights([[0.0, 0.0, 0.0], [0.0, 0.0, 3.0]]).tolist() == [[1, 1, 1], [1, 1, 0]]


def test_infinity_is_no_neighbour():
    weights = neighbor_weights([[1.0, np.inf, np.inf], [np.inf, np.inf, np.inf]])
    np.testing.assert_allclose(weights, [[np.exp(-1.0), 0, 0], [0, 0, 0]])


@pytest.mark.parametrize("distances", [[1.0], [[2.0, 1.0]], [[np.nan, 1.0]], [[-1.0, 1.0]]])
def test_distances_that_cannot_be_are_refused_with_their_shape(distances):
    with pytest.raises(ValueError, match="shape"):
        neighbor_weights(distances)


def test_votes_add_up_and_half_a_vote_goes_by_frequency():
    # labels 0, 0, 1, each class once more: 3/5 and 2/5, halved 0.3 and 0.2; the first row hears 0 with 1, 1 with 0.5
    votes = neighbor_votes(
        np.array([[1, 2], [0, 2], [0, 1]]), np.array([[1.0, 0.5], [0, 0], [1, 1]]), np.array([0, 0, 1]), 2
    )
    np.testing.assert_allclose(votes, [[1.3 / 2, 0.7 / 2], [0.6, 0.4], [2.3 / 2.5, 0.2 / 2.5]])


def test_a_source_that_is_too_sure_gets_the_exponent_that_its_hits_deserve():
    # It says 99 % and is right in 80 %: the exponent is logit(0.8) / logit(0.99).
    labels = np.zeros(5000, dtype=np.int64)
    labels[::5] = 1
    source = np.log(np.tile([0.99, 0.01], (5000, 1)))
    mirrored = np.concatenate([source, source[:, ::-1]])
    exponent, information = calibration(mirrored, np.concatenate([labels, 1 - labels]))
    assert exponent == pytest.approx(np.log(4) / np.log(99), rel=1e-3)
    # one bit less what is left open by an answer that is right in 80 %
    assert information == pytest.approx(np.log(2) + 0.8 * np.log(0.8) + 0.2 * np.log(0.2), rel=1e-3)


def test_few_samples_hardly_move_the_exponent():
    exponent, _ = calibration(np.log([[0.9, 0.1], [0.1, 0.9]]), np.array([0, 1]))
    assert 1 < exponent < 2


def test_a_source_that_is_always_wrong_tells_nothing():
    source = np.log(np.tile([[0.9, 0.1], [0.1, 0.9]], (500, 1)))
    assert calibration(source, np.tile([1, 0], 500))[1] < 0.01


def test_sources_count_by_their_information():
    assert pool_weights([(2.0, 0.3), (0.5, 0.9)]) == pytest.approx([0.5, 0.375])
    assert pool_weights([(1.0, 0.0), (1.0, 0.0)]) == [0.5, 0.5]


def test_no_source_excludes_a_class():
    assert logarithms(np.array([[1.0, 0.0]])).tolist() == [[0.0, np.log(1e-4)]]


@pytest.mark.parametrize("indices", [[[0], [3]], [[0], [-1]], [[0]], [[0, 1], [1, 0]]])
def test_neighbours_that_are_no_rows_are_refused(indices):
    with pytest.raises(ValueError, match="indices"):
        checked_neighbors([[1.0], [1.0]], indices, 2)
