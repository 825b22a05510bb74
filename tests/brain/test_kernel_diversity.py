"""Farthest-first: golden picks, exactness against a plain loop, and the promises about order, prefixes and ties."""

import numpy as np
import pytest

from saccade.brain.kernels.diversity import farthest_first


def plain(vectors, count, preselected=()):
    """The textbook loop in float64."""
    rows = np.asarray(vectors, dtype=np.float64)
    picks = list(preselected)
    if not picks:
        picks = [int(np.argmin(np.square(rows - rows.mean(axis=0)).sum(axis=1)))]
    while len(picks) < count + len(preselected):
        nearest = np.min([np.square(rows - rows[p]).sum(axis=1) for p in picks], axis=0)
        nearest[picks] = -1
        picks.append(int(np.argmax(nearest)))
    return picks[len(preselected) :]


def test_picks_on_a_line_worked_by_hand():
    # the mean is 2.25: 2 is central; then 6 (4 away), 0 (2 away), 1 (1 away from both neighbours)
    picks, distances = farthest_first([[0.0], [1.0], [2.0], [6.0]], count=4)
    assert picks.tolist() == [2, 3, 0, 1]
    assert distances.tolist() == [np.inf, 4, 2, 1]


def test_preselected_rows_are_kept_away_from_and_never_picked():
    picks, distances = farthest_first([[0.0], [1.0], [2.0], [6.0]], count=9, preselected=[3])
    assert picks.tolist() == [0, 2, 1]
    assert distances.tolist() == [6, 2, 1]


def test_normalised_rows_are_judged_by_direction():
    rows = np.array([[100.0, 0.0], [1.0, 0.0], [0.0, 0.1], [-3.0, 0.0]])
    picks, distances = farthest_first(rows, count=2, preselected=[0], normalize=True)
    assert picks.tolist() == [3, 2]
    np.testing.assert_allclose(distances, [2.0, np.sqrt(2.0)])


@pytest.mark.parametrize("preselected", [[], [5, 17, 3]])
@pytest.mark.parametrize("d", [1, 3, 64])
def test_picks_equal_the_textbook_loop(d, preselected, rng):
    vectors = rng.standard_normal((250, d)).astype(np.float32)
    picks, _ = farthest_first(vectors, 60, preselected=preselected)
    assert picks.tolist() == plain(vectors, 60, preselected)


def test_each_distance_is_that_to_the_nearest_earlier_pick(rng):
    vectors = rng.standard_normal((90, 4))
    picks, distances = farthest_first(vectors, 30)
    for position in range(1, 30):
        earlier = vectors[picks[:position]]
        nearest = np.linalg.norm(earlier - vectors[picks[position]], axis=1).min()
        assert distances[position] == pytest.approx(nearest)
    assert (np.diff(distances) <= 0).all()


def test_a_shorter_selection_is_the_beginning_of_a_longer_one(rng):
    vectors = rng.standard_normal((100, 6))
    assert farthest_first(vectors, 7)[0].tolist() == farthest_first(vectors, 40)[0][:7].tolist()


def test_the_same_samples_are_picked_in_whatever_order_they_come(rng):
    vectors = rng.standard_normal((3000, 5)).astype(np.float32)
    order = rng.permutation(3000)
    assert order[farthest_first(vectors[order], 50)[0]].tolist() == farthest_first(vectors, 50)[0].tolist()


def test_equal_candidates_go_to_the_lowest_index():
    corners = [[1.0, 1.0], [1.0, -1.0], [0.0, 0.0], [-1.0, 1.0], [-1.0, -1.0]]
    assert farthest_first(corners, 5)[0].tolist() == [2, 0, 1, 3, 4]


def test_near_ties_that_float32_cannot_tell_go_to_the_truly_farther_row():
    rows = np.array([[0.0], [1e4], [1e4 + 1e-4], [-1e4]])
    assert farthest_first(rows, 1, preselected=[0])[0].tolist() == [2]


def test_copies_are_picked_last_at_distance_zero():
    rows = np.array([[0.0], [0.0], [1.0], [1.0]])
    picks, distances = farthest_first(rows, 4)
    assert picks.tolist() == [0, 2, 1, 3]
    assert distances.tolist() == [np.inf, 1, 0, 0]


def test_identical_rows_are_picked_in_order():
    picks, distances = farthest_first(np.ones((50, 3)), 5, normalize=True)
    assert picks.tolist() == [0, 1, 2, 3, 4]
    assert distances.tolist() == [np.inf, 0, 0, 0, 0]


@pytest.mark.parametrize(("n", "count", "picked"), [(0, 3, 0), (1, 3, 1), (4, 0, 0), (4, 99, 4)])
def test_no_more_is_picked_than_there_is(n, count, picked):
    picks, distances = farthest_first(np.arange(2.0 * n).reshape(n, 2), count)
    assert len(picks) == len(distances) == picked
    assert len(set(picks.tolist())) == picked


def test_nothing_is_left_when_all_are_preselected():
    assert farthest_first([[0.0], [1.0]], 3, preselected=[0, 1])[0].tolist() == []


def test_large_values_do_not_overflow():
    picks, distances = farthest_first(np.array([[0.0], [1e300], [-1e300]]), 3)
    assert picks.tolist() == [0, 1, 2]
    assert distances[1:].tolist() == [1e300, 1e300]


@pytest.mark.parametrize("preselected", [[0, 0], [-1], [4]])
def test_preselected_rows_that_do_not_exist_or_repeat_are_refused(preselected):
    with pytest.raises(ValueError, match="different rows between 0 and 3"):
        farthest_first(np.zeros((4, 2)), 1, preselected=preselected)


def test_nan_and_negative_counts_are_refused():
    with pytest.raises(ValueError, match="NaN or infinity in row 1"):
        farthest_first([[0.0], [np.nan]], 1)
    with pytest.raises(ValueError, match="count=-1"):
        farthest_first([[0.0]], -1)
