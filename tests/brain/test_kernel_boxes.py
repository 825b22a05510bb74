"""Boxes of many images: their overlaps, and who belongs to whom."""

import numpy as np
import pytest

from saccade.brain.kernels.boxes import Overlaps, boxes_of, by_confidence, match, overlaps


def boxes(*rows):
    """Boxes from (image, left, top, width, height)."""
    given = np.array(rows, dtype=float).reshape(-1, 5)
    return boxes_of(given[:, 0].astype(int), given[:, 1:], np.zeros(len(given), dtype=int))


def test_the_iou_is_the_shared_area_over_the_joint_one():
    # 1 x 1 shared of 4 + 4 - 1; equal boxes; one inside the other, 1 of 4
    pairs = overlaps(boxes((0, 0, 0, 2, 2)), boxes((0, 1, 1, 2, 2), (0, 0, 0, 2, 2), (0, 0, 0, 1, 1), (0, 5, 5, 1, 1)))
    assert pairs.right.tolist() == [0, 1, 2]
    np.testing.assert_allclose(pairs.iou, [1 / 7, 1, 1 / 4])


def test_boxes_that_only_touch_or_have_no_area_do_not_overlap():
    assert len(overlaps(boxes((0, 0, 0, 1, 1)), boxes((0, 1, 0, 1, 1), (0, 0.5, 0.5, 0, 0))).iou) == 0


def test_boxes_of_different_images_never_meet(rng):
    rows = [(image, *rng.random(2), 0.5, 0.5) for image in range(20) for _ in range(3)]
    one, other = boxes(*rows), boxes(*rows[::2])
    pairs = overlaps(one, other)
    assert (one.images[pairs.left] == other.images[pairs.right]).all()
    expected = {
        (i, j)
        for i, a in enumerate(rows)
        for j, b in enumerate(rows[::2])
        if a[0] == b[0] and max(abs(a[1] - b[1]), abs(a[2] - b[2])) < 0.5
    }
    assert set(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True)) == expected


def test_the_unit_does_not_matter():
    small = overlaps(boxes((0, 0, 0, 0.2, 0.2)), boxes((0, 0.1, 0, 0.2, 0.2))).iou
    large = overlaps(boxes((0, 0, 0, 200, 200)), boxes((0, 100, 0, 200, 200))).iou
    np.testing.assert_allclose(small, large)


def test_no_boxes_have_no_pairs():
    none = boxes()
    for one, other in ((none, none), (none, boxes((0, 0, 0, 1, 1))), (boxes((0, 0, 0, 1, 1)), none)):
        assert len(overlaps(one, other).left) == 0
    assert match(overlaps(none, none), []).tolist() == []


def test_matching_is_that_of_going_through_the_pairs_one_by_one(rng):
    for _ in range(20):
        left, right = np.nonzero(rng.random((12, 10)) < 0.4)
        pairs = Overlaps(left, right, rng.integers(1, 5, len(left)) / 4)
        kept = match(pairs, pairs.iou)
        free_left, free_right, expected = set(left.tolist()), set(right.tolist()), np.zeros(len(left), dtype=bool)
        for pair in np.argsort(-pairs.iou, kind="stable").tolist():
            if left[pair] in free_left and right[pair] in free_right:
                expected[pair] = True
                free_left.remove(left[pair])
                free_right.remove(right[pair])
        np.testing.assert_array_equal(kept, expected)


def test_by_confidence_the_surer_box_chooses_first_and_takes_the_closest():
    # prediction 1 is surer and takes 0, though prediction 0 is closer to it; 0 takes what is left
    pairs = Overlaps(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), np.array([0.9, 0.6, 0.7, 0.5]))
    kept = match(pairs, by_confidence(pairs, np.array([0.5, 0.8])))
    assert kept.tolist() == [False, True, True, False]


def test_of_equally_sure_boxes_the_first_chooses_first():
    pairs = Overlaps(np.array([0, 1]), np.array([0, 0]), np.array([0.6, 0.9]))
    assert match(pairs, by_confidence(pairs, np.array([0.5, 0.5]))).tolist() == [True, False]


@pytest.mark.parametrize(
    ("images", "given"),
    [([1, 0], [[0, 0, 1, 1]] * 2), ([0], [[0, 0, -1, 1]]), ([0], [[0, 0, np.nan, 1]]), ([0], [[0, 0, 1]])],
    ids=["descending", "negative side", "NaN", "three numbers"],
)
def test_boxes_that_cannot_be_are_refused(images, given):
    with pytest.raises(ValueError, match=r"box|images"):
        boxes_of(images, given, [0] * len(images))
