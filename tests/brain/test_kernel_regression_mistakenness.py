"""Mistakenness of numbers: a worked number, what must always hold, and the edges."""

import numpy as np
import pytest

from saccade.brain.kernels.neighbors import nearest_neighbors
from saccade.brain.kernels.regression_mistakenness import regression_mistakenness

WRONG = np.arange(5, 400, 25)


@pytest.fixture
def plane(rng):
    """A plane over two dimensions, a model that knows it roughly, and labels of which every 25th is wrong."""
    vectors = rng.uniform(-1, 1, (400, 2))
    truth = vectors @ [3.0, 1.0]
    predictions = truth + 0.4 * rng.standard_normal(400)
    labels = truth + 0.1 * rng.standard_normal(400)
    labels[WRONG] += np.where(truth[WRONG] > 0, -2.0, 2.0)
    return vectors, predictions, labels


def near(vectors, k=15):
    distances, indices = nearest_neighbors(vectors, k)
    return {"distances": distances, "indices": indices}


def found_wrong(found, labels=WRONG):
    return len(set(np.argsort(-found.scores)[: len(labels)]) & set(labels))


def test_the_score_is_bayes_rule_between_a_uniform_density_and_students():
    # All labels are off by 0.5, uncorrelated with the predictions, so these are believed as they are. Half of Student's
    # t with 8 degrees lies within 0.7064: the spread is 0.5 / 0.7064 = 0.7078, and its density there 0.2945 / 0.7078.
    # The labels range over 6. So the score is (0.05 / 6) / (0.05 / 6 + 0.95 * 0.2945 / 0.7078).
    predictions = np.array([-3.0, -1.0, 1.0, 3.0])
    found = regression_mistakenness(predictions, predictions + np.array([0.5, -0.5, -0.5, 0.5]))
    np.testing.assert_allclose(found.scores, 0.020646, rtol=1e-4)
    np.testing.assert_allclose(found.suggestions, predictions, atol=1e-9)
    np.testing.assert_allclose(found.spreads, 0.70783, rtol=1e-4)
    # A value that is wrong is nearer to what is believed if it is less than 0.25 off that way: 0.7078 * 0.3532.
    np.testing.assert_allclose(found.probabilities / found.scores, 0.6335, rtol=1e-3)


def test_wrong_numbers_come_first_and_nearly_the_right_ones_are_suggested(plane):
    vectors, predictions, labels = plane
    found = regression_mistakenness(predictions, labels, **near(vectors))
    assert found_wrong(found) == len(WRONG)
    assert (found.scores[WRONG] > 0.5).all()
    assert ((found.scores > 0.5).sum() - len(WRONG)) <= 2
    truth = vectors @ [3.0, 1.0]
    assert np.abs(found.suggestions - truth)[WRONG].max() < 0.5


def test_neighbours_help_and_useless_ones_do_no_harm(plane, rng):
    vectors, predictions, labels = plane
    alone = found_wrong(regression_mistakenness(predictions, labels))
    assert found_wrong(regression_mistakenness(predictions, labels, **near(vectors))) > alone
    useless = near(rng.standard_normal((400, 3)))
    assert found_wrong(regression_mistakenness(predictions, labels, **useless)) >= alone - 1


def test_a_second_model_helps_and_a_useless_one_does_no_harm(plane, rng):
    vectors, predictions, labels = plane
    alone = found_wrong(regression_mistakenness(predictions, labels))
    second = vectors @ [3.0, 1.0] + 0.2 * rng.standard_normal(400)
    assert found_wrong(regression_mistakenness([predictions, second], labels)) > alone
    assert found_wrong(regression_mistakenness([predictions, rng.standard_normal(400)], labels)) >= alone - 1


def test_a_model_that_reaches_too_low_and_is_shifted_is_put_right(plane):
    _, predictions, labels = plane
    plain = regression_mistakenness(predictions, labels)
    bent = regression_mistakenness(0.4 * predictions + 7, labels)
    assert np.abs(bent.scores - plain.scores).max() < 0.1
    assert found_wrong(bent) == found_wrong(plain)


def test_where_labels_scatter_more_a_label_may_be_farther_off(rng):
    predictions = np.linspace(0, 1, 400)
    labels = predictions + np.where(predictions > 0.5, 0.2, 0.02) * rng.standard_normal(400)
    labels[[100, 300]] = predictions[[100, 300]] + 0.2
    found = regression_mistakenness(predictions, labels)
    assert found.scores[100] > 0.9
    assert found.scores[300] < 0.1
    assert found.spreads[300] > 4 * found.spreads[100]


def test_scores_do_not_change_when_all_numbers_are_scaled_and_shifted(plane):
    vectors, predictions, labels = plane
    plain = regression_mistakenness(predictions, labels, **near(vectors))
    moved = regression_mistakenness(-1000 * predictions + 5, -1000 * labels + 5, **near(vectors))
    np.testing.assert_allclose(moved.scores, plain.scores, rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(moved.suggestions, -1000 * plain.suggestions + 5, rtol=1e-5, atol=1e-3)


def test_scores_follow_their_samples_when_rows_are_shuffled(plane, rng):
    vectors, predictions, labels = plane
    order = rng.permutation(400)
    there = regression_mistakenness(predictions, labels, **near(vectors)).scores
    here = regression_mistakenness(predictions[order], labels[order], **near(vectors[order])).scores
    np.testing.assert_allclose(here, there[order], atol=1e-6)


def test_without_a_neighbour_a_sample_is_judged_by_the_model(plane):
    vectors, predictions, labels = plane
    found = near(vectors)
    found["distances"] = np.where(np.arange(400)[:, None] == 5, np.inf, found["distances"])
    scores = regression_mistakenness(predictions, labels, **found).scores
    assert scores[5] > 0.5
    nowhere = {"distances": np.full((400, 3), np.inf), "indices": np.zeros((400, 3), dtype=np.int64)}
    np.testing.assert_allclose(
        regression_mistakenness(predictions, labels, **nowhere).scores,
        regression_mistakenness(predictions, labels).scores,
    )


def test_one_absurd_number_does_not_hide_the_others(plane):
    _, predictions, labels = plane
    labels[0] = 1e9
    found = regression_mistakenness(predictions, labels)
    assert found.scores[0] > 0.999
    assert found_wrong(found) >= 10


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_none_one_two_and_three_samples_are_defined_and_none_is_doubted(n):
    predictions, labels = np.array([1.1, 2.0, 2.5])[:n], np.array([1.0, 2.0, 3.0])[:n]
    for neighbours in ({}, near(np.arange(2.0 * n).reshape(n, 2))):
        found = regression_mistakenness(predictions, labels, **neighbours)
        assert found.scores.shape == found.suggestions.shape == found.probabilities.shape == (n,)
        assert ((found.scores >= 0) & (found.scores < 0.5)).all()


def test_of_three_right_labels_hardly_ever_one_is_doubted(rng):
    truth, errors = rng.standard_normal((100, 3)), 0.1 * rng.standard_normal((100, 3))
    doubted = [
        regression_mistakenness(one + off, one).scores.max() > 0.5 for one, off in zip(truth, errors, strict=True)
    ]
    assert sum(doubted) <= 5


def test_where_models_differ_a_label_may_be_farther_off(rng):
    truth, unsure = rng.uniform(0, 10, 200), np.arange(200) % 2 == 0
    models = truth + np.where(unsure, 1.0, 0.05) * rng.standard_normal((2, 200))
    spreads = regression_mistakenness(models, truth).spreads
    assert np.median(spreads[unsure]) > 4 * np.median(spreads[~unsure])


def test_where_all_labels_are_the_same_nothing_is_doubted():
    found = regression_mistakenness([1.0, 2.0, 5.0, 5.0], [5.0] * 4)
    assert found.scores.tolist() == [0, 0, 0, 0]
    assert found.suggestions.tolist() == [5, 5, 5, 5]


def test_where_all_but_one_agree_exactly_that_one_is_wrong():
    predictions = np.arange(30.0)
    found = regression_mistakenness(predictions, np.where(predictions == 7, 9.0, predictions))
    assert (found.scores > 0.5).nonzero()[0].tolist() == [7]


def test_identical_samples_have_identical_scores():
    found = regression_mistakenness([2.0] * 6, [1.0, 1.0, 1.0, 1.0, 3.0, 3.0], **near(np.ones((6, 2))))
    assert np.ptp(found.scores[:4]) < 1e-12
    assert np.isfinite(found.scores).all()


def test_a_model_that_always_says_the_same_is_no_trouble(rng):
    labels = rng.standard_normal(50)
    labels[3] = 30
    found = regression_mistakenness(np.zeros(50), labels)
    assert found.scores.argmax() == 3


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"predictions has shape \(2,\) and labels \(3,\)"):
        regression_mistakenness([1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=r"labels, of shape .* row 1"):
        regression_mistakenness([1.0, 2.0], [1.0, np.nan])
    with pytest.raises(ValueError, match=r"predictions, of shape .* row 0"):
        regression_mistakenness([[np.inf, 2.0]], [1.0, 2.0])
    with pytest.raises(ValueError, match="expected both"):
        regression_mistakenness([1.0, 2.0], [1.0, 2.0], distances=[[1.0]], indices=[[1]])
