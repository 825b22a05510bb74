"""Hardness: worked numbers, what must always hold, and the edges."""

import numpy as np
import pytest

from saccade.brain.kernels.hardness import entropy, hardness


def test_the_range_is_the_same_for_any_number_of_classes():
    for classes in (2, 3, 10, 1000):
        sure = np.eye(classes)[:1]
        np.testing.assert_allclose(hardness(np.r_[sure, np.full((1, classes), 1 / classes)]), [0, 1], atol=1e-12)


def test_the_score_is_one_minus_the_lead_of_the_first_over_the_second():
    np.testing.assert_allclose(hardness([[0.2, 0.7, 0.1], [0.1, 0.1, 0.8]]), [0.5, 0.3])


def test_neighbours_answers_are_averaged_in():
    # (1, 0) with a neighbour of (0.4, 0.6): (0.7, 0.3), a lead of 0.4; and the same the other way round
    scores = hardness([[1.0, 0.0], [0.4, 0.6]], distances=[[1.0], [1.0]], indices=[[1], [0]])
    np.testing.assert_allclose(scores, [0.6, 0.6])


def test_with_labels_it_is_half_of_one_plus_what_speaks_against_the_label():
    np.testing.assert_allclose(hardness([[0.2, 0.7, 0.1], [0.2, 0.7, 0.1]], [1, 0]), [0.25, 0.75])


def test_with_labels_neighbours_vote_with_theirs():
    # Labels 0, 0, 1, each class once more: 0.6 and 0.4, of which half counts. The third hears two votes for 0: one of
    # exp(-1/4), and one of exp(-1) from the neighbour that sets the scale.
    votes = np.exp(-0.25) + np.exp(-1.0)
    distances, indices = [[1, 3], [1, 3], [1, 2]], [[1, 2], [0, 2], [0, 1]]
    scores = hardness([[0.9, 0.1], [0.9, 0.1], [0.3, 0.7]], [0, 0, 1], distances=distances, indices=indices)
    for_zero = (0.3 + (0.3 + votes) / (0.5 + votes)) / 2
    assert scores[2] == pytest.approx(for_zero)


def test_without_a_neighbour_the_model_stands_alone():
    p = [[0.8, 0.2], [0.6, 0.4]]
    alone = hardness(p, distances=[[np.inf], [np.inf]], indices=[[0], [0]])
    np.testing.assert_allclose(alone, hardness(p))


def test_scores_follow_their_samples_when_rows_are_shuffled(rng):
    p = rng.dirichlet(np.ones(4), 50)
    labels = rng.integers(0, 4, 50)
    order = rng.permutation(50)
    np.testing.assert_array_equal(hardness(p[order]), hardness(p)[order])
    np.testing.assert_array_equal(hardness(p[order], labels[order]), hardness(p, labels)[order])


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_none_one_two_and_three_samples_are_defined(n):
    p = np.array([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]])[:n]
    np.testing.assert_allclose(hardness(p), [0.2, 0.4, 1.0][:n])


def test_one_class_is_never_hard():
    assert hardness(np.ones((2, 1))).tolist() == [0, 0]
    assert hardness(np.ones((2, 1)), [0, 0]).tolist() == [0, 0]


def test_half_precision_is_accepted(rng):
    p = rng.dirichlet(np.ones(100), 20)
    np.testing.assert_allclose(hardness(p.astype(np.float16)), hardness(p), atol=0.01)


def test_entropy_is_the_logarithm_of_equally_probable_classes():
    scores = entropy([[0.25, 0.25, 0.25, 0.25], [0.5, 0.5, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]])
    np.testing.assert_allclose(scores, [np.log(4), np.log(2), 0], atol=1e-15)
