"""Masks of objects: overlaps by hand, against drawn pixels, and the edges."""

import numpy as np
import pytest

from saccade.brain.kernels.boxes import boxes_of, overlaps
from saccade.brain.kernels.masks import mask_iou, mask_overlaps

UNIT = np.array([0.0, 0.0, 1.0, 1.0])


def test_halves_of_a_box_that_share_nothing_do_not_overlap():
    left, right = np.array([[1, 0]]), np.array([[0, 1]])
    assert mask_iou(UNIT, left, UNIT, right) == 0
    assert mask_iou(UNIT, left, UNIT, left) == 1


def test_masks_of_different_sizes_are_compared_exactly():
    # thirds against halves: the first third (1/3) lies in the first half (1/2)
    assert mask_iou(UNIT, np.array([[1, 0, 0]]), UNIT, np.array([[1, 0]])) == pytest.approx(2 / 3)
    # two thirds share all of the half, less what is beyond: 1/2 of 2/3
    assert mask_iou(UNIT, np.array([[1, 1, 0]]), UNIT, np.array([[1, 0]])) == pytest.approx(3 / 4)


def test_without_masks_it_is_the_overlap_of_the_boxes(rng):
    places = np.zeros(20)
    one, other = (
        boxes_of(places, np.c_[rng.uniform(0, 0.5, (20, 2)), rng.uniform(0.2, 0.5, (20, 2))], places) for _ in range(2)
    )
    pairs = overlaps(one, other)
    np.testing.assert_allclose(mask_overlaps(pairs, one, other, [None] * 20, [None] * 20), pairs.iou)


def test_it_is_what_counting_drawn_pixels_gives(rng):
    first, second = rng.random((4, 6)) < 0.5, rng.random((8, 3)) < 0.5
    # in pixels of 1/24: the first covers rows and columns 0 to 24, the second 6 to 30 and 12 to 36
    canvas = np.zeros((2, 48, 48), dtype=bool)
    canvas[0, :24, :24] = np.kron(first, np.ones((6, 4)))
    canvas[1, 6:30, 12:36] = np.kron(second, np.ones((3, 8)))
    expected = (canvas[0] & canvas[1]).sum() / (canvas[0] | canvas[1]).sum()
    boxes = np.array([0, 0, 24, 24]) / 48, np.array([12, 6, 36, 30]) / 48
    assert mask_iou(boxes[0], first, boxes[1], second) == pytest.approx(expected)
    assert mask_iou(boxes[1], second, boxes[0], first) == pytest.approx(expected)


def test_any_number_that_is_not_0_is_the_object():
    mask = np.array([[0, 255], [0, 7]], dtype=np.uint8)
    assert mask_iou(UNIT, mask, UNIT, mask > 0) == pytest.approx(1)


@pytest.mark.parametrize("empty", [np.zeros((3, 3)), np.zeros((0, 3)), np.zeros((2, 0))])
def test_an_object_without_a_pixel_overlaps_nothing(empty):
    assert mask_iou(UNIT, empty, UNIT, None) == 0
    assert mask_iou(UNIT, None, UNIT, empty) == 0


def test_a_box_without_extent_overlaps_nothing():
    assert mask_iou(np.array([0.5, 0.0, 0.5, 1.0]), None, UNIT, None) == 0


def test_masks_of_one_image_are_found_by_where_they_start():
    boxes = boxes_of([0, 1, 1], [[0, 0, 1, 1]] * 3, [0] * 3)
    pairs = overlaps(boxes, boxes)
    of_second = pairs.where(boxes.images[pairs.left] == 1)
    masks = [np.array([[1, 0]]), None]
    np.testing.assert_allclose(mask_overlaps(of_second, boxes, boxes, masks, masks, (1, 1)), [1, 0.5, 0.5, 1])
