"""Mistakenness of objects: each kind is found, published formulas by hand, and the edges."""

import numpy as np
import pytest

from saccade.brain.kernels.boxes import Boxes, boxes_of, overlaps
from saccade.brain.kernels.fitting import logistic_fit, robust_fit
from saccade.brain.kernels.object_mistakenness import object_confidence_mistakenness, object_mistakenness
from saccade.brain.kernels.reliability import copies

IMAGES, CLASSES = 200, 3


@pytest.fixture
def scene(rng):
    """Two objects in each image; a good detector, and labels as they should be."""
    places = np.repeat(np.arange(IMAGES), 2)
    left = np.tile([0.1, 0.6], IMAGES)
    truth = np.c_[left, np.full((2 * IMAGES, 1), 0.3), np.full((2 * IMAGES, 2), 0.3)]
    kinds = rng.integers(0, CLASSES, 2 * IMAGES)
    seen = truth + rng.normal(0, 0.01, truth.shape)
    return places, truth, kinds, seen, rng.uniform(0.7, 1.0, 2 * IMAGES)


def judged(scene, given=None, kinds=None, kept=None, seen_kept=None):
    places, truth, real, seen, sure = scene
    given = truth if given is None else given
    kinds = real if kinds is None else kinds
    kept = np.ones(len(truth), dtype=bool) if kept is None else kept
    seen_kept = np.ones(len(truth), dtype=bool) if seen_kept is None else seen_kept
    return object_mistakenness(
        boxes_of(places[kept], given[kept], kinds[kept]),
        boxes_of(places[seen_kept], seen[seen_kept], real[seen_kept]),
        sure[seen_kept], IMAGES, CLASSES,
    )  # fmt: skip


def test_a_wrong_class_is_found_with_the_right_one(scene):
    kinds = scene[2].copy()
    kinds[41] = (kinds[41] + 1) % CLASSES
    found = judged(scene, kinds=kinds)
    assert found.swapped.argmax() == 41
    assert found.images.argmax() == 20
    assert found.suggestions[41] == scene[2][41]
    assert found.swapped[41] > 5 * np.delete(found.swapped, 41).max()
    assert np.delete(found.images, 20).max() < 0.5


def test_a_box_in_the_wrong_place_is_found(scene):
    given = scene[1].copy()
    given[77, 0] += 0.12
    found = judged(scene, given=given)
    assert found.misplaced.argmax() == 77
    assert found.misplaced[77] > 0.5
    assert found.images.argmax() == 38


def test_an_object_left_out_is_found(scene):
    kept = np.ones(2 * IMAGES, dtype=bool)
    kept[100] = False
    found = judged(scene, kept=kept)
    assert found.missing.argmax() == 100
    assert found.missing[100] > 5 * np.delete(found.missing, 100).max()
    assert found.images.argmax() == 50


def test_a_box_without_an_object_is_found(scene):
    seen = np.ones(2 * IMAGES, dtype=bool)
    seen[9] = False
    found = judged(scene, seen_kept=seen)
    assert found.spurious.argmax() == 9
    assert found.spurious[9] > 0.5
    assert found.images.argmax() == 4


def test_where_all_is_right_nothing_is_likely_wrong(scene):
    found = judged(scene)
    for scores in (found.swapped, found.spurious, found.missing, found.misplaced):
        assert scores.max() < 0.5


def test_an_image_without_boxes_has_the_score_0_without_a_sign():
    nothing = boxes_of([], np.empty((0, 4)), [])
    assert not np.signbit(object_mistakenness(nothing, nothing, [], 2, 1).images).any()


def test_a_second_box_on_the_same_object_is_not_missing(scene):
    places, truth, kinds, seen, sure = scene
    kept = np.ones(2 * IMAGES, dtype=bool)
    kept[0] = False
    twice = np.r_[0, np.arange(2 * IMAGES)]
    predicted = boxes_of(places[twice], seen[twice], kinds[twice])
    confidences = np.r_[0.3, sure]
    given = boxes_of(places[kept], truth[kept], kinds[kept])
    found = object_mistakenness(given, predicted, confidences, IMAGES, CLASSES)
    assert found.missing[0] == 0
    assert found.missing[1] == found.missing.max() > 0.3


def test_boxes_that_overlap_a_little_are_two_objects():
    beside = boxes_of([0, 0], [[0, 0, 1, 1], [0.5, 0, 1, 1]], [0, 0])
    assert not copies(np.array([0.4, 0.9]), overlaps(beside, beside), 0.6).any()


def test_scores_stay_in_range_and_follow_their_images(scene, rng):
    places, truth, kinds, seen, sure = scene
    kept = rng.random(2 * IMAGES) > 0.1
    one = judged(scene, kept=kept)
    turned = IMAGES - 1 - places  # the images in the opposite order
    order, part = np.argsort(turned, kind="stable"), np.flatnonzero(kept)
    part = part[np.argsort(turned[part], kind="stable")]
    other = object_mistakenness(
        boxes_of(turned[part], truth[part], kinds[part]),
        boxes_of(turned[order], seen[order], kinds[order]), sure[order], IMAGES, CLASSES,
    )  # fmt: skip
    np.testing.assert_allclose(other.images, one.images[::-1], atol=1e-6)
    for scores in one[:5]:
        assert ((scores >= 0) & (scores <= 1)).all()


NONE = boxes_of([], [], [])
ONE = boxes_of([0], [[0.1, 0.1, 0.5, 0.5]], [0])


@pytest.mark.parametrize(("given", "predicted"), [(NONE, NONE), (ONE, NONE), (NONE, ONE), (ONE, ONE)])
def test_no_boxes_and_one_box_are_defined(given: Boxes, predicted: Boxes):
    found = object_mistakenness(given, predicted, np.full(len(predicted.images), 0.9), 2, 1)
    assert found.images.shape == (2,)
    assert found.images[1] == 0
    assert np.isfinite(found.images).all()
    assert found.swapped.shape == found.misplaced.shape == found.spurious.shape == given.images.shape
    assert found.missing.shape == predicted.images.shape


def test_no_image_at_all_is_defined():
    assert object_mistakenness(NONE, NONE, [], 0, 0).images.shape == (0,)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="confidences"):
        object_mistakenness(ONE, ONE, [1.5], 1, 1)
    with pytest.raises(ValueError, match="iou=1"):
        object_mistakenness(ONE, ONE, [0.5], 1, 1, iou=1)
    with pytest.raises(ValueError, match="beyond the 1 images and 0 classes"):
        object_mistakenness(ONE, ONE, [0.5], 1, 0)


def test_the_published_formulas_by_hand():
    # IoU 2/3 in image 0: i = 2/3, so the place has (0.8 (4/3 - 1) + 1) / 2; another class in image 1, IoU 1
    given = boxes_of([0, 1, 2], [[0, 0, 1, 1]] * 3, [0, 0, 0])
    predicted = boxes_of([0, 1, 3, 3], [[0.2, 0, 1, 1], [0, 0, 1, 1], [0, 0, 1, 1], [5, 5, 1, 1]], [0, 1, 0, 0])
    found = object_confidence_mistakenness(given, predicted, [0.8, 0.6, 0.96, 0.9])
    np.testing.assert_allclose(found.classes, [0.1, 0.8, np.nan])
    np.testing.assert_allclose(found.places, [(0.8 * (4 / 3 - 1) + 1) / 2, 0.2, np.nan])
    assert found.spurious.tolist() == [False, False, True]
    assert found.missing.tolist() == [False, False, True, False]


def test_a_logistic_fit_is_that_of_the_frequencies():
    # 30 of 40 with the feature, 10 of 40 without
    feature = np.repeat([1.0, 0.0], 40)
    happened = np.r_[np.arange(40) < 30, np.arange(40) < 10]
    weights = logistic_fit(np.c_[np.ones(80), feature], happened, np.zeros(2))
    np.testing.assert_allclose(weights, [-np.log(3), 2 * np.log(3)], rtol=1e-4)


def test_a_feature_that_tells_all_stays_finite():
    weights = logistic_fit(np.c_[np.ones(10), np.r_[np.ones(5), -np.ones(5)]], np.arange(10) < 5, np.zeros(2))
    assert np.isfinite(weights).all()


def test_a_few_wild_values_do_not_bend_the_line(rng):
    x = np.linspace(0, 1, 100)
    values = 2 * x + rng.normal(0, 0.01, 100)
    values[:10] = 50
    weights, spread = robust_fit(np.c_[np.ones(100), x], values, np.zeros(2))
    np.testing.assert_allclose(weights, [0, 2], atol=0.05)
    assert spread < 0.05
