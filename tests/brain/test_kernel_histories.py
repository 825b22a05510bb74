"""Histories of a training: worked numbers, what must always hold, and the edges."""

import numpy as np
import pytest

from saccade.brain.kernels.histories import area_under_margin, forgetting, margin_hardness, mean_probabilities, pooled

RIGHT, WRONG = [1.0, 0.0], [0.0, 1.0]


def test_the_area_under_the_margin_is_the_mean_margin():
    history = [[[1.0, 4.0, 2.0], [0.0, 0.0, 1.0]], [[3.0, 1.0, 0.0], [0.0, 0.0, 5.0]]]
    np.testing.assert_allclose(area_under_margin(history, [0, 2]), [(-3 + 2) / 2, (1 + 5) / 2])


def test_as_hardness_it_is_bounded_and_in_the_opposite_order(rng):
    logits = rng.normal(0, 10, (5, 100, 3))
    labels = rng.integers(0, 3, 100)
    scores = margin_hardness(logits, labels)
    assert ((scores >= 0) & (scores <= 1)).all()
    area = area_under_margin(logits, labels)
    assert np.argsort(scores, kind="stable").tolist() == np.argsort(-area, kind="stable").tolist()
    np.testing.assert_allclose(scores, 1 / (1 + np.exp(area)))


def test_of_probabilities_it_is_half_of_one_minus_the_area():
    history = [[[0.2, 0.8], [0.9, 0.1]], [[0.4, 0.6], [1.0, 0.0]]]
    np.testing.assert_allclose(margin_hardness(history, [0, 0]), [(1 + 0.4) / 2, (1 - 0.9) / 2])


def test_large_logits_stay_finite():
    assert margin_hardness([[[1000.0, -1000.0], [-1000.0, 1000.0]]], [0, 0]).tolist() == [0, 1]


def test_forgetting_counts_each_time_and_never_learned_is_what_was_asked_for():
    history = np.array([[RIGHT, WRONG, RIGHT], [WRONG, WRONG, RIGHT], [RIGHT, WRONG, RIGHT], [WRONG, WRONG, RIGHT]])
    assert forgetting(history, [0, 0, 0]).tolist() == [2, np.inf, 0]
    assert forgetting(history, [0, 0, 0], never=4).tolist() == [2, 4, 0]


def test_logits_and_their_probabilities_have_the_same_mean():
    logits = np.log([[[0.2, 0.8]], [[0.6, 0.4]]]) + 3
    np.testing.assert_allclose(mean_probabilities(logits), [[0.4, 0.6]])
    np.testing.assert_allclose(mean_probabilities([[[0.2, 0.8]], [[0.6, 0.4]]]), [[0.4, 0.6]])


def test_a_pool_counts_both_opinions_half():
    np.testing.assert_allclose(pooled(np.array([[0.5, 0.1, 0.4]]), np.array([[0.9, 0.1]])), [[0.7, 0.1, 0.2]])


def test_a_sequence_of_epochs_is_as_good_as_one_array_and_is_left_as_it_was(rng):
    history = rng.normal(0, 1, (4, 20, 3)).astype(np.float32)
    before, labels = history.copy(), rng.integers(0, 3, 20)
    for score in (area_under_margin, margin_hardness, forgetting):
        np.testing.assert_array_equal(score(list(history), labels), score(history, labels))
    np.testing.assert_array_equal(mean_probabilities(list(history)), mean_probabilities(history))
    np.testing.assert_array_equal(history, before)


def test_scores_follow_their_samples_when_rows_are_shuffled(rng):
    history, labels, order = rng.normal(0, 1, (4, 20, 3)), rng.integers(0, 3, 20), rng.permutation(20)
    for score in (area_under_margin, margin_hardness, forgetting):
        np.testing.assert_array_equal(score(history[:, order], labels[order]), score(history, labels)[order])


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_none_one_two_and_three_samples_are_defined(n):
    history = np.full((2, n, 2), 0.5)
    assert margin_hardness(history, [0] * n).tolist() == [0.5] * n
    assert forgetting(history, [0] * n, never=2).tolist() == [2] * n
    assert mean_probabilities(history).shape == (n, 2)


def test_one_class_is_never_hard():
    for history in (np.ones((2, 3, 1)), np.full((2, 3, 1), 7.0)):
        assert margin_hardness(history, [0] * 3).tolist() == [0] * 3
        assert forgetting(history, [0] * 3).tolist() == [0] * 3


@pytest.mark.parametrize(
    "history",
    [
        np.empty((0, 2, 2)),
        np.ones((2, 2)),
        np.full((1, 2, 2), np.nan),
        np.ones((1, 2, 0)),
        [np.ones((2, 2)), np.ones((2, 3))],
        [[["a", "b"], ["c", "d"]]],
    ],
)
def test_a_history_that_cannot_be_is_refused_with_its_shape(history):
    for score in (area_under_margin, margin_hardness, forgetting):
        with pytest.raises(ValueError, match="history"):
            score(history, [0, 0])


def test_labels_that_are_no_class_are_refused():
    with pytest.raises(ValueError, match="from 0 to 1"):
        margin_hardness(np.ones((1, 1, 2)), [2])
