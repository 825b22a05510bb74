"""Active-learning scores: Lightly's formulas, worked by hand, and the edges."""

import numpy as np
import pytest

from saccade.brain.kernels.active_learning import (
    UNCERTAINTIES,
    largest_per_image,
    mean_uncertainty,
    object_frequency,
    objectness_least_confidence,
    pixel_means,
    uncertainty_entropy,
    uncertainty_least_confidence,
    uncertainty_margin,
)


@pytest.mark.parametrize("score", UNCERTAINTIES.values(), ids=UNCERTAINTIES)
def test_one_class_alone_is_sure_and_all_alike_are_not(score):
    for classes in (2, 3, 100):
        np.testing.assert_allclose(
            score(np.r_[np.eye(classes)[:1], np.full((1, classes), 1 / classes)]), [0, 1], atol=1e-12
        )


def test_the_formulas_by_hand():
    p = [[0.5, 0.3, 0.2]]
    np.testing.assert_allclose(uncertainty_least_confidence(p), [0.5 / (2 / 3)])
    np.testing.assert_allclose(uncertainty_margin(p), [0.8])
    entropy = -(0.5 * np.log2(0.5) + 0.3 * np.log2(0.3) + 0.2 * np.log2(0.2))
    np.testing.assert_allclose(uncertainty_entropy(p), [entropy / np.log2(3)])


@pytest.mark.parametrize("score", UNCERTAINTIES.values(), ids=UNCERTAINTIES)
def test_one_column_is_a_class_against_its_opposite(score):
    np.testing.assert_allclose(score([[0.3], [1.0]]), score([[0.3, 0.7], [1.0, 0.0]]))


@pytest.mark.parametrize("score", UNCERTAINTIES.values(), ids=UNCERTAINTIES)
def test_no_samples_have_no_scores_and_no_probabilities_are_refused(score):
    assert score(np.empty((0, 5))).shape == (0,)
    for row in ([0.5, 0.6], [-0.1, 1.1], [np.nan, 1.0]):
        with pytest.raises(ValueError, match="in row 0"):
            score([row])


def test_object_frequency_stretches_between_the_least_and_the_most():
    # counts: 1 + 2 * 0.5 = 2; 1 + 1 = 2 of two classes; 1; 0
    scores = object_frequency([0, 0, 0, 1, 1, 2], [4, 4, 4, 4, 5, 4], 4, frequency_penalty=0.5, min_score=0.2)
    np.testing.assert_allclose(scores, [1.0, 1.0, 0.6, 0.2])


def test_images_alike_all_have_the_highest_frequency():
    assert object_frequency([0, 1], [3, 3], 2).tolist() == [1, 1]
    assert object_frequency([], [], 2).tolist() == [1, 1]
    assert object_frequency([], [], 0).shape == (0,)


@pytest.mark.parametrize("options", [{"frequency_penalty": 1.5}, {"min_score": -0.1}])
def test_parameters_outside_zero_to_one_are_refused(options):
    with pytest.raises(ValueError, match="must lie in"):
        object_frequency([0], [0], 1, **options)


def test_objectness_is_one_minus_the_mean():
    np.testing.assert_allclose(objectness_least_confidence([0, 0, 2], [0.9, 0.5, 0.2], 3), [0.3, 0, 0.8])


def test_an_image_has_the_largest_score_of_its_objects():
    assert largest_per_image([1, 1], [0.2, 0.7], 2).tolist() == [0, 0.7]


def test_keypoints_are_a_mean_of_means():
    np.testing.assert_allclose(mean_uncertainty([0, 0], [[0.5, 0.7], [1.0]], 2), [1 - (0.6 + 1.0) / 2, 0])


def test_what_belongs_to_no_image_is_refused():
    with pytest.raises(ValueError, match="images holds 2 to 2"):
        objectness_least_confidence([2], [0.5], 2)
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\]"):
        objectness_least_confidence([0], [1.5], 1)
    with pytest.raises(ValueError, match="no confidence of any point"):
        mean_uncertainty([0], [[]], 1)


def test_pixels_in_blocks_are_those_of_the_whole(rng):
    image = rng.dirichlet(np.ones(3), (10, 4))
    whole = pixel_means([image], UNCERTAINTIES)
    assert pixel_means([image[:3], image[3:]], UNCERTAINTIES) == pytest.approx(whole)
    assert whole["uncertainty_margin"] == pytest.approx(uncertainty_margin(image.reshape(-1, 3)).mean())
    with pytest.raises(ValueError, match="no pixel"):
        pixel_means([], UNCERTAINTIES)
