"""Hardness of images with objects: numbers by hand, what must always hold, and the edges."""

import numpy as np
import pytest

from saccade.brain.kernels.boxes import boxes_of
from saccade.brain.kernels.object_hardness import object_hardness

BOX = [0.1, 0.1, 0.3, 0.3]
FAR = [0.6, 0.6, 0.3, 0.3]
NONE = boxes_of([], [], [])


def test_the_score_is_the_share_of_mistakes_that_is_expected():
    # kept: TP = 0.9, FP = 0.1; not kept: FN = 0.3. (0.1 + 0.3) / (1.8 + 0.1 + 0.3 + 0.5)
    found = object_hardness(boxes_of([0, 0], [BOX, FAR], [0, 0]), [0.9, 0.3], 1, 1)
    assert found.images[0] == pytest.approx(0.4 / 2.7)
    np.testing.assert_allclose(found.objects, [0.2, 0.6])


def test_a_second_box_on_an_object_is_a_mistake_if_kept_and_nothing_if_not():
    predicted = boxes_of([0, 0, 1, 1], [BOX] * 4, [0, 1, 0, 1])
    found = object_hardness(predicted, [0.9, 0.6, 0.9, 0.4], 2, 2)
    # TP 0.9, FP 0.1 + 1; and TP 0.9, FP 0.1
    np.testing.assert_allclose(found.images, [1.1 / (1.8 + 1.1 + 0.5), 0.1 / (1.8 + 0.1 + 0.5)])


def test_one_faint_box_says_little_and_many_say_much():
    places = [0, *[1] * 10]
    boxes = [BOX, *[[0.1 * k, 0.0, 0.05, 0.05] for k in range(10)]]
    found = object_hardness(boxes_of(places, boxes, [0] * 11), [0.05, *[0.45] * 10], 2, 1)
    np.testing.assert_allclose(found.images, [0.05 / 0.55, 4.5 / 5.0])


def test_an_object_with_probabilities_is_as_hard_as_its_classes_are_near():
    probabilities = [[0.5, 0.4, 0.1], [1.0, 0.0, 0.0]]
    found = object_hardness(boxes_of([0, 0], [BOX, FAR], [0, 0]), [0.9, 0.5], 1, 3, probabilities=probabilities)
    np.testing.assert_allclose(found.objects, [0.9, 0.0], atol=1e-12)


def test_with_labels_the_measured_reliability_counts_and_not_the_confidence():
    # of each ten images with a box of 0.6, nine have the object: r = 0.9, fitted to itself
    predicted = boxes_of(range(20), [BOX] * 20, [0] * 20)
    labelled = [image for image in range(20) if image % 10]
    given = boxes_of(labelled, [BOX] * 18, [0] * 18)
    found = object_hardness(predicted, [0.6] * 20, 20, 1, given)
    np.testing.assert_allclose(found.objects[[1, 0]], [0.1, 0.9], atol=0.01)
    # found: FN = 0.1; not there: FP = 0.9
    np.testing.assert_allclose(found.images[[1, 0]], [0.1 / (1.8 + 0.1 + 0.5), 0.9 / (0.9 + 0.5)], atol=0.01)


def test_with_labels_what_was_not_found_counts_whole_and_each_box_once():
    places = [*range(10), 0]
    predicted = boxes_of(sorted(places), [BOX] * 11, [0] * 11)  # image 0 has two boxes on one object
    given = boxes_of([*range(10), 10], [BOX] * 11, [0] * 11)
    found = object_hardness(predicted, [0.9, 0.8, *[0.9] * 9], 11, 1, given)
    assert found.images[10] == pytest.approx(1 / 1.5)
    assert found.objects[0] < 0.1
    assert found.objects[1] > 0.5
    assert found.images[0] > found.images[1]


def test_another_class_is_no_match():
    predicted = boxes_of(range(10), [BOX] * 10, [0] * 9 + [1])
    given = boxes_of(range(10), [BOX] * 10, [0] * 10)
    found = object_hardness(predicted, [0.9] * 10, 10, 2, given)
    assert found.images[9] > 2 * found.images[:9].max()


def test_scores_follow_their_images_and_stay_in_range(rng):
    places = np.sort(rng.integers(0, 50, 200))
    boxes = np.c_[rng.uniform(0, 0.7, (200, 2)), rng.uniform(0.1, 0.3, (200, 2))]
    kinds, sure = rng.integers(0, 3, 200), rng.random(200)
    turned = 49 - places
    order = np.argsort(turned, kind="stable")
    part = np.flatnonzero(rng.random(200) < 0.7)
    order_of_part = part[np.argsort(turned[part], kind="stable")]
    for with_labels in (False, True):
        given = boxes_of(places[part], boxes[part], kinds[part]) if with_labels else None
        other = boxes_of(turned[order_of_part], boxes[order_of_part], kinds[order_of_part]) if with_labels else None
        one = object_hardness(boxes_of(places, boxes, kinds), sure, 50, 3, given)
        two = object_hardness(boxes_of(turned[order], boxes[order], kinds[order]), sure[order], 50, 3, other)
        np.testing.assert_allclose(two.images[::-1], one.images, atol=1e-9)
        np.testing.assert_allclose(two.objects, one.objects[order], atol=1e-9)
        for scores in one:
            assert ((scores >= 0) & (scores <= 1)).all()


@pytest.mark.parametrize("images", [0, 1, 2, 3])
def test_images_without_boxes_are_not_hard(images):
    for given in (None, NONE):
        found = object_hardness(NONE, [], images, 1, given)
        assert found.images.tolist() == [0.0] * images
        assert found.objects.shape == (0,)


@pytest.mark.parametrize("images", [1, 2, 3])
def test_one_to_three_boxes_are_defined_with_and_without_labels(images):
    boxes = boxes_of(range(images), [BOX] * images, [0] * images)
    for given in (None, boxes, NONE):
        found = object_hardness(boxes, [0.8] * images, images, 1, given)
        assert np.isfinite(found.images).all()
        assert np.isfinite(found.objects).all()
    assert object_hardness(NONE, [], images, 1, boxes).images.tolist() == pytest.approx([1 / 1.5] * images)


def test_what_does_not_fit_is_refused():
    one = boxes_of([0], [BOX], [0])
    with pytest.raises(ValueError, match="confidences"):
        object_hardness(one, [np.nan], 1, 1)
    with pytest.raises(ValueError, match="beyond the 1 images and 0 classes"):
        object_hardness(one, [0.5], 1, 0)
    with pytest.raises(ValueError, match="beyond the 1 images and 1 classes"):
        object_hardness(one, [0.5], 1, 1, boxes_of([1], [BOX], [0]))
    with pytest.raises(ValueError, match="probabilities has 2 rows"):
        object_hardness(one, [0.5], 1, 2, probabilities=[[0.5, 0.5]] * 2)
    with pytest.raises(ValueError, match="iou=1"):
        object_hardness(one, [0.5], 1, 1, one, iou=1)
