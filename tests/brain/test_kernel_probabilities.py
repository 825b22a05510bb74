"""Probabilities out of logits, and what is refused."""

import numpy as np
import pytest

from saccade.brain.kernels.probabilities import against, checked_labels, checked_probabilities, sigmoid, softmax


def test_softmax_of_logarithms_gives_back_the_probabilities():
    given = np.array([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]])
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(softmax(np.log(given)), given, atol=1e-15)


def test_logits_of_a_thousand_stay_probabilities():
    assert softmax([[1000.0, -1000.0, 1000.0]]).tolist() == [[0.5, 0.0, 0.5]]
    assert sigmoid([[1000.0, -1000.0, 0.0]]).tolist() == [[1.0, 0.0, 0.5]]


def test_half_precision_gives_what_its_numbers_say():
    logits = np.array([[0.1, 3.7, -2.3]], dtype=np.float16)
    np.testing.assert_array_equal(softmax(logits), softmax(logits.astype(np.float64)))


def test_a_number_added_to_all_logits_changes_nothing(rng):
    logits = rng.standard_normal((20, 5))
    np.testing.assert_allclose(softmax(logits + 7.0), softmax(logits), rtol=1e-12)


@pytest.mark.parametrize("row", [[np.nan, 0.0], [np.inf, 0.0], [-np.inf, -np.inf]])
def test_a_row_without_probabilities_is_named(row):
    with pytest.raises(ValueError, match=r"shape \(2, 2\).* in row 1"):
        softmax([[0.0, 1.0], row])


def test_no_samples_are_no_probabilities():
    assert softmax(np.empty((0, 4))).shape == (0, 4)
    assert checked_probabilities(np.empty((0, 4))).shape == (0, 4)


@pytest.mark.parametrize("row", [[0.5, 0.6], [-0.5, 1.5], [np.nan, 1.0], [0.0, 0.0], [np.inf, 0.0]])
def test_what_are_no_probabilities_is_refused_with_its_row(row):
    with pytest.raises(ValueError, match="in row 1"):
        checked_probabilities([[0.5, 0.5], row])


def test_normalizing_divides_by_the_sum_and_makes_nothing_uniform():
    made = checked_probabilities([[2.0, 6.0], [0.0, 0.0], [np.nan, 3.0]], normalize=True)
    assert made.tolist() == [[0.25, 0.75], [0.5, 0.5], [0.0, 1.0]]


@pytest.mark.parametrize("row", [[-0.5, 1.5], [np.inf, 1.0]])
def test_normalizing_makes_no_sense_of_negative_or_infinite_numbers(row):
    with pytest.raises(ValueError, match="in row 0"):
        checked_probabilities([row], normalize=True)


@pytest.mark.parametrize("labels", [[0], [0, 2], [0, -1], [0.0, 1.0]])
def test_labels_that_are_no_classes_are_refused(labels):
    with pytest.raises(ValueError, match="labels"):
        checked_labels(labels, 2, 2)


def test_the_lead_over_a_label_is_that_of_the_best_other_class():
    lead = against(np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]]), np.array([0, 1]))
    np.testing.assert_allclose(lead, [-0.2, 0.5])
