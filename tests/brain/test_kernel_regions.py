"""Regions: boxes that grow, pixels that they hold, one vector for several."""

import numpy as np
import pytest

from saccade.brain.kernels.regions import box_around, boxes_inside, grown_boxes, mean_vector, pixel_boxes


def test_the_box_around_one_point_has_no_size():
    assert box_around([[0.25, 0.5]]).tolist() == [0.25, 0.5, 0, 0]


def test_boxes_grow_and_shrink_about_their_middle():
    boxes = [[0.25, 0.5, 0.5, 0.25]]
    assert grown_boxes(boxes, 0).tolist() == boxes
    assert grown_boxes(boxes, 1).tolist() == [[0, 0.375, 1, 0.5]]
    assert grown_boxes(boxes, -0.5).tolist() == [[0.375, 0.5625, 0.25, 0.125]]
    assert grown_boxes([], 1).shape == (0, 4)


@pytest.mark.parametrize(
    ("box", "inside"),
    [
        ([0, 0, 1, 1], True),
        ([-3, -3, 7, 7], True),  # holds the image
        ([0.9, 0.9, 5, 5], True),
        ([1, 0, 0.5, 1], False),  # touches the right edge from outside
        ([-0.5, 0, 0.5, 1], False),
        ([0.2, 1.5, 0.1, 0.1], False),
        ([0.5, 0.5, 0, 0], True),
        ([0, 1, 0, 0], True),
        ([-0.1, 0.5, 0, 0], False),
        ([0.5, 0.5, -0.1, 0.1], False),
    ],
)
def test_a_box_is_inside_if_it_shares_something_with_the_image(box, inside):
    assert boxes_inside([box]).tolist() == [inside]


@pytest.mark.parametrize(
    ("box", "pixels"),
    [
        ([0, 0, 1, 1], [0, 0, 10, 4]),
        ([0.5, 0.25, 0.5, 0.5], [5, 1, 10, 3]),
        ([-1, -1, 9, 9], [0, 0, 10, 4]),
        ([0.04, 0, 0.5, 1], [0, 0, 5, 4]),  # from 0.4 to 5.4
        ([0.05, 0, 0.5, 1], [1, 0, 6, 4]),  # from 0.5 to 5.5
        ([0.49, 0.5, 0.005, 0], [4, 2, 5, 3]),  # from 4.9 to 4.95: the pixel it lies in
        ([0, 0, 0, 0], [0, 0, 1, 1]),
        ([1, 1, 0, 0], [9, 3, 10, 4]),
        ([0.999, 0.999, 1, 1], [9, 3, 10, 4]),
    ],
)
def test_pixels_are_those_between_the_nearest_edges_and_at_least_one(box, pixels):
    assert pixel_boxes([box], 10, 4).tolist() == [pixels]


@pytest.mark.parametrize(
    ("box", "pixels"),
    [
        ([0.4, 0.25, 0.2, 0.5], [4, 1, 6, 3]),  # is one
        ([0.4, 0, 0.2, 1], [3, 0, 7, 4]),
        ([0.8, 0, 0.2, 1], [6, 0, 10, 4]),  # moved back from the right edge
        ([0, 0.25, 1, 0.25], [3, 0, 7, 4]),  # no room for 10 rows: 4 columns
    ],
)
def test_squares_grow_to_the_longer_side_where_there_is_room(box, pixels):
    assert pixel_boxes([box], 10, 4, force_square=True).tolist() == [pixels]


def test_random_boxes_hold_pixels_of_their_image_and_squares_are_square(rng):
    boxes = np.concatenate([rng.uniform(-1, 1.5, (400, 2)), rng.uniform(0, 1, (400, 2))], axis=1)
    boxes = boxes[boxes_inside(boxes)]
    for square in (False, True):
        left, top, right, bottom = pixel_boxes(boxes, 7, 13, force_square=square).T
        assert (left >= 0).all()
        assert (top >= 0).all()
        assert (right > left).all()
        assert (bottom > top).all()
        assert (right <= 7).all()
        assert (bottom <= 13).all()
        assert not square or (right - left == bottom - top).all()


def test_one_vector_is_its_own_mean_to_the_bit(rng):
    vector = rng.standard_normal((1, 5)).astype(np.float32)
    vector /= np.linalg.norm(vector)
    np.testing.assert_array_equal(mean_vector(vector), vector[0])


def test_the_mean_of_unit_vectors_has_length_one_and_that_of_others_has_not():
    assert mean_vector(np.array([[1.0, 0], [0, 1]])) == pytest.approx([np.sqrt(0.5)] * 2)
    assert mean_vector(np.array([[3.0, 0], [0, 1]])).tolist() == [1.5, 0.5]
    assert mean_vector(np.array([[1.0, 0], [-1, 0]])).tolist() == [0, 0]


def test_the_mean_of_what_is_not_finite_is_not_finite():
    assert not np.isfinite(mean_vector(np.array([[np.inf, 0], [-np.inf, 0]]))).all()
    assert not np.isfinite(mean_vector(np.array([[np.nan, 0], [1, 0]]))).all()
