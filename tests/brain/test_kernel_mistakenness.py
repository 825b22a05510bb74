"""Mistakenness of class labels: worked numbers, what must always hold, and the edges."""

import numpy as np
import pytest

from saccade.brain.kernels.evidence import calibration
from saccade.brain.kernels.mistakenness import confidence_mistakenness, mistakenness, multilabel_mistakenness
from saccade.brain.kernels.neighbors import nearest_neighbors


@pytest.fixture
def blobs(rng):
    """Three blobs, a model that knows them roughly, and labels of which every tenth is wrong."""
    truth = np.arange(600) % 3
    vectors = np.eye(3)[truth] * 4 + rng.standard_normal((600, 3))
    logits = np.eye(3)[truth] * 2 + rng.standard_normal((600, 3))
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = truth.copy()
    labels[::10] = (labels[::10] + 1) % 3
    return vectors, probabilities, labels, truth


def near(vectors, k=15):
    distances, indices = nearest_neighbors(vectors, k)
    return {"distances": distances, "indices": indices}


def test_where_nothing_is_known_it_is_undecided():
    found = mistakenness(np.full((4, 2), 0.5), [0, 1, 0, 1])
    np.testing.assert_allclose(found.scores, 0.5)
    np.testing.assert_allclose(found.probabilities, 0.5)


def test_mix_ups_decide_where_the_model_does_not():
    # Uniform probabilities: 30 labels 0 and 10 labels 1 count 15 and 5 for each true class; with ten of each added,
    # 25 and 15 of 40 whatever the class. So a label says nothing about the class, and all are undecided.
    found = mistakenness(np.full((40, 2), 0.5), [0] * 30 + [1] * 10)
    np.testing.assert_allclose(found.scores, 0.5)


def test_the_score_is_half_of_one_plus_the_margin_of_the_posterior():
    # A hundred samples of each class, alike and rightly labelled. Calibrated, the model leaves q to the other class. A
    # label 0 goes to samples of class 0 in 10 + 100 (1 - q) of 120 cases, and to those of class 1 in 10 + 100 q.
    p, labels = np.repeat([[0.9, 0.1], [0.1, 0.9]], 100, axis=0), np.repeat([0, 1], 100)
    exponent, _ = calibration(np.log(p), labels)
    q = 0.1**exponent / (0.9**exponent + 0.1**exponent)
    right, wrong = (1 - q) * (110 - 100 * q), q * (10 + 100 * q)
    found = mistakenness(p, labels)
    np.testing.assert_allclose(found.scores, wrong / (right + wrong))
    np.testing.assert_allclose(found.probabilities, right / (right + wrong))


def test_wrong_labels_come_first_and_the_right_ones_are_suggested(blobs):
    vectors, p, labels, truth = blobs
    found = mistakenness(p, labels, **near(vectors))
    wrong = labels != truth
    assert np.sort(found.scores[wrong])[5] > np.sort(found.scores[~wrong])[-30]
    assert (found.suggestions == truth).mean() > 0.97
    assert ((found.scores > 0.5) == (found.suggestions != labels)).all()


def test_neighbours_help_and_useless_ones_do_no_harm(blobs, rng):
    vectors, p, labels, truth = blobs

    def found_wrong(**neighbours):
        worst = np.argsort(-mistakenness(p, labels, **neighbours).scores)[:60]
        return (labels != truth)[worst].sum()

    alone = found_wrong()
    assert found_wrong(**near(vectors)) > alone
    assert found_wrong(**near(rng.standard_normal((600, 3)))) >= alone - 1


def test_scores_follow_their_samples_when_rows_are_shuffled(blobs, rng):
    vectors, p, labels, _ = blobs
    order = rng.permutation(len(p))
    there = mistakenness(p, labels, **near(vectors)).scores
    here = mistakenness(p[order], labels[order], **near(vectors[order])).scores
    np.testing.assert_allclose(here, there[order], atol=1e-6)


def test_scores_follow_when_classes_are_renamed(blobs):
    vectors, p, labels, _ = blobs
    names = np.array([2, 0, 1])
    renamed = np.empty_like(p)
    renamed[:, names] = p
    np.testing.assert_allclose(
        mistakenness(renamed, names[labels], **near(vectors)).scores,
        mistakenness(p, labels, **near(vectors)).scores,
        atol=1e-6,
    )


def test_a_class_that_no_label_names_is_a_class_all_the_same(blobs):
    vectors, p, labels, _ = blobs
    wider = np.c_[p, np.zeros(len(p))]
    found = mistakenness(wider, labels, **near(vectors))
    assert found.suggestions.max() == 2
    assert found.scores.argmax() == mistakenness(p, labels, **near(vectors)).scores.argmax()


def test_a_label_that_the_model_excludes_is_not_excluded_for_good():
    found = mistakenness([[1.0, 0.0]] * 6, [0, 0, 0, 0, 0, 1])
    assert found.scores[5] > 0.9
    assert np.isfinite(found.scores).all()


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_none_one_two_and_three_samples_are_defined(n):
    p = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])[:n]
    for neighbours in ({}, near(np.arange(2.0 * n).reshape(n, 2))):
        found = mistakenness(p, [0, 0, 1][:n], **neighbours)
        assert found.scores.shape == (n,)
        assert ((found.scores >= 0) & (found.scores <= 1)).all()


def test_with_one_class_nothing_can_be_wrong():
    found = mistakenness(np.ones((3, 1)), [0, 0, 0])
    assert found.scores.tolist() == [0, 0, 0]
    assert found.probabilities.tolist() == [1, 1, 1]


def test_identical_samples_have_identical_scores():
    found = mistakenness(np.tile([0.7, 0.3], (5, 1)), [0] * 5, **near(np.ones((5, 2))))
    assert np.ptp(found.scores) == 0


def test_what_does_not_fit_is_refused():
    p = [[0.5, 0.5], [0.5, 0.5]]
    with pytest.raises(ValueError, match="labels has shape"):
        mistakenness(p, [0])
    with pytest.raises(ValueError, match="in row 1"):
        mistakenness([[0.5, 0.5], [np.nan, 0.5]], [0, 1])
    with pytest.raises(ValueError, match="indices"):
        mistakenness(p, [0, 1], distances=[[1.0], [1.0]], indices=[[1], [2]])


def test_of_several_labels_the_most_doubtful_decides():
    p = np.tile([0.95, 0.05, 0.9], (40, 1))
    p[20:] = [0.05, 0.95, 0.1]
    labels = p > 0.5
    labels[3] = [True, True, True]  # 1 is too much
    labels[30] = [False, True, True]  # 2 is too much
    labels[31] = [False, False, False]  # 1 is missing
    found = multilabel_mistakenness(p, labels)
    assert set(np.argsort(-found.scores)[:3]) == {3, 30, 31}
    assert found.suggestions[[3, 30, 31]].tolist() == [1, 2, 1]
    assert (found.probabilities[[3, 30, 31]] > 0.5).all()
    assert found.probabilities[0] < 0.5


def test_no_class_at_all_is_no_doubt():
    assert multilabel_mistakenness(np.empty((3, 0)), np.empty((3, 0))).scores.tolist() == [0, 0, 0]


def test_the_confidence_formula_is_one_half_plus_or_minus_half_the_confidence():
    scores = confidence_mistakenness([True, True, False, False], [1.0, 0.5, 0.0, 0.9])
    np.testing.assert_allclose(scores, [0.0, 0.25, 0.5, 0.95])


@pytest.mark.parametrize("confidences", [[1.5], [-0.1], [np.nan], [0.5, 0.5]])
def test_what_is_no_confidence_is_refused(confidences):
    with pytest.raises(ValueError, match="confidences"):
        confidence_mistakenness([True], confidences)
