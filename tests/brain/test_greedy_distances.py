"""Picking by distances: the textbook's picks on hard numbers, ties, copies, objects, and the radius that is left."""

import numpy as np
import pytest

from saccade.brain.selection.greedy import pick
from saccade.brain.selection.objectives import DiversityObjective, WeightsObjective

from .selection_cases import farthest_first


def textbook(vectors, count, preselected=()):
    """The plain loop in float64."""
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
    found = farthest_first([[0.0], [1.0], [2.0], [6.0]], 4)
    assert found.rows.tolist() == [2, 3, 0, 1]
    assert found.distances.tolist() == [np.inf, 4, 2, 1]
    assert found.next_distance == 0
    assert farthest_first([[0.0], [1.0], [2.0], [6.0]], 2).next_distance == 2


def test_preselected_rows_are_kept_away_from_and_never_picked():
    found = farthest_first([[0.0], [1.0], [2.0], [6.0]], 9, preselected=[3])
    assert found.rows.tolist() == [0, 2, 1]
    assert found.distances.tolist() == [6, 2, 1]
    assert found.stopped == "no candidates left"


def test_normalised_rows_are_judged_by_direction():
    rows = np.array([[100.0, 0.0], [1.0, 0.0], [0.0, 0.1], [-3.0, 0.0]])
    found = farthest_first(rows, 2, preselected=[0], normalize=True)
    assert found.rows.tolist() == [3, 2]
    np.testing.assert_allclose(found.distances, [2.0, np.sqrt(2.0)])


@pytest.mark.parametrize("preselected", [[], [5, 17, 3]])
@pytest.mark.parametrize("d", [1, 3, 64])
def test_picks_equal_the_textbook_loop(d, preselected, rng):
    vectors = rng.standard_normal((250, d)).astype(np.float32)
    found = farthest_first(vectors, 60, preselected=preselected, pool_rows=40)
    assert found.rows.tolist() == textbook(vectors, 60, preselected)


def test_each_distance_is_that_to_the_nearest_earlier_pick(rng):
    vectors = rng.standard_normal((90, 4))
    found = farthest_first(vectors, 30)
    for position in range(1, 30):
        earlier = vectors[found.rows[:position]]
        nearest = np.linalg.norm(earlier - vectors[found.rows[position]], axis=1).min()
        assert found.distances[position] == pytest.approx(nearest)
    assert (np.diff(found.distances) <= 0).all()


def test_the_same_rows_are_picked_in_whatever_order_they_come(rng):
    vectors = rng.standard_normal((3000, 5)).astype(np.float32)
    order = rng.permutation(3000)
    assert order[farthest_first(vectors[order], 50).rows].tolist() == farthest_first(vectors, 50).rows.tolist()


def test_equal_candidates_go_to_the_lowest_row():
    corners = [[1.0, 1.0], [1.0, -1.0], [0.0, 0.0], [-1.0, 1.0], [-1.0, -1.0]]
    assert farthest_first(corners, 5).rows.tolist() == [2, 0, 1, 3, 4]


def test_near_ties_that_float32_cannot_tell_go_to_the_truly_farther_row():
    rows = np.array([[0.0], [1e4], [1e4 + 1e-4], [-1e4]])
    assert farthest_first(rows, 1, preselected=[0]).rows.tolist() == [2]


def test_copies_are_picked_last_at_distance_zero():
    found = farthest_first([[0.0], [0.0], [1.0], [1.0]], 4)
    assert found.rows.tolist() == [0, 2, 1, 3]
    assert found.distances.tolist() == [np.inf, 1, 0, 0]


def test_of_copies_of_few_rows_each_is_taken_once_and_then_the_rest_in_order(rng):
    few = rng.standard_normal((4, 6)).astype(np.float32)
    found = farthest_first(few[np.arange(60) % 4], 12, pool_rows=8)
    assert sorted(found.rows[:4].tolist()) == [0, 1, 2, 3]
    assert found.rows[4:].tolist() == list(range(4, 12))
    assert found.distances[4:].tolist() == [0] * 8
    assert found.next_distance == 0


@pytest.mark.parametrize("pool_rows", [2, 1024])
def test_identical_rows_are_picked_in_order(pool_rows):
    found = farthest_first(np.ones((50, 3)), 5, normalize=True, pool_rows=pool_rows)
    assert found.rows.tolist() == [0, 1, 2, 3, 4]
    assert found.distances.tolist() == [np.inf, 0, 0, 0, 0]


@pytest.mark.parametrize("pool_rows", [4, 1024])
def test_rows_that_are_all_equally_far_are_picked_in_order(pool_rows):
    found = farthest_first(np.eye(40, dtype=np.float32), 30, preselected=[39], pool_rows=pool_rows)
    assert found.rows.tolist() == list(range(30))
    assert found.distances.tolist() == [np.sqrt(2)] * 30
    assert found.next_distance == np.sqrt(2)


@pytest.mark.parametrize(("n", "count", "picked"), [(0, 3, 0), (1, 3, 1), (4, 0, 0), (4, 99, 4)])
def test_no_more_is_picked_than_there_is(n, count, picked):
    found = farthest_first(np.arange(2.0 * n).reshape(n, 2), count)
    assert len(found.rows) == len(found.distances) == picked
    assert len(set(found.rows.tolist())) == picked
    assert found.stopped == ("no candidates left" if picked < count else "n_samples")


def test_nothing_is_left_when_all_are_preselected():
    found = farthest_first([[0.0], [1.0]], 3, preselected=[0, 1])
    assert found.rows.tolist() == []
    assert found.next_distance == 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("size", [1e-300, 1e-38, 1e-19, 1e19, 3e38, 1e300])
def test_very_large_and_very_small_numbers_neither_overflow_nor_vanish(size, normalize, dtype):
    if dtype == np.float32 and not 1e-38 <= size <= 3e38:
        pytest.skip("beyond float32")
    rows = (np.array([[0.1, 0.2], [0.0, 1.0], [0.9, 0.0], [-0.9, -0.2]]) * size).astype(dtype)
    wanted = farthest_first(rows / dtype(size), 4, normalize=normalize)
    found = farthest_first(rows, 4, normalize=normalize)
    assert found.rows.tolist() == wanted.rows.tolist()
    np.testing.assert_allclose(found.distances, wanted.distances * (1 if normalize else size), rtol=1e-5, atol=1e-7)


def test_large_values_do_not_overflow():
    found = farthest_first(np.array([[0.0], [1e300], [-1e300]]), 3)
    assert found.rows.tolist() == [0, 1, 2]
    assert found.distances[1:].tolist() == [1e300, 1e300]


def test_rows_far_from_the_origin_are_told_apart(rng):
    near = rng.integers(-1000, 1000, (80, 3)) / 1024
    found, wanted = farthest_first(near + 2.0**20, 80), farthest_first(near, 80)
    assert found.rows.tolist() == wanted.rows.tolist()
    assert found.distances.tolist() == wanted.distances.tolist()


def test_one_row_far_away_does_not_make_all_others_copies(rng):
    rows = rng.standard_normal((60, 2))
    rows[7] = 1e9
    assert farthest_first(rows, 30, preselected=[7]).rows.tolist() == textbook(rows, 30, [7])


@pytest.mark.parametrize("preselected", [[0, 0], [-1], [4]])
def test_preselected_rows_that_do_not_exist_or_repeat_are_refused(preselected):
    with pytest.raises(ValueError, match="different ones between 0 and 3"):
        farthest_first(np.zeros((4, 2)), 1, preselected=preselected)


def test_nan_and_negative_counts_are_refused():
    with pytest.raises(ValueError, match="NaN or infinity in row 1"):
        farthest_first([[0.0], [np.nan]], 1)
    with pytest.raises(ValueError, match="count=-1"):
        farthest_first([[0.0]], -1)


@pytest.mark.parametrize("n", [40, 3000])
@pytest.mark.parametrize("count", [1, 2, 30])
def test_the_radius_that_is_left_is_that_of_the_farthest_candidate(n, count, rng):
    rows = np.round(rng.standard_normal((n, 2)) * 4)  # many equally far
    candidates = np.arange(n) % 5 != 0
    found = pick(
        [DiversityObjective(rows, normalize=False)], count, candidates=candidates, preselected=[0], pool_rows=8
    )
    picked = rows[[0, *found.rows.tolist()]]
    away = np.linalg.norm(rows[:, None] - picked, axis=2).min(axis=1)
    assert found.next_distance == away[candidates].max()


def test_the_radius_of_more_equally_far_rows_than_are_looked_at_together_is_exact():
    # 0 is picked first; all others are copies of 1, and after one of them nothing is away from a pick
    rows = np.concatenate([[[0.0]], np.ones((2600, 1))])
    found = farthest_first(rows, 2, first="index", pool_rows=1)
    assert found.rows.tolist() == [0, 1]
    assert found.next_distance == 0


def test_the_first_distance_is_infinite_and_the_first_row_the_lowest_on_request():
    found = farthest_first([[0.0], [1.0], [2.0], [6.0]], 2, first="index")
    assert found.rows.tolist() == [0, 3]
    assert found.distances.tolist() == [np.inf, 6]


def test_without_an_earlier_pick_other_objectives_decide_and_the_middle_of_the_best_begins():
    line = DiversityObjective(np.array([[0.0], [4.0], [5.0], [6.0], [9.0]]), normalize=False)
    weights = WeightsObjective(np.array([1.0, 2.0, 1.0, 2.0, 2.0]))
    everything = np.ones(5, dtype=bool)
    assert pick([line, weights], 1, candidates=everything).rows.tolist() == [3]  # the mean of 4, 6 and 9 is 6.33
    assert pick([line, weights], 1, candidates=everything, first="index").rows.tolist() == [1]


def test_objects_are_as_far_as_the_root_of_their_mean_square():
    # row 0: 0; row 1: 3 and 4; row 2: nothing; row 3: 1. From 0: row 1 is sqrt(12.5) away, row 3 is 1 away
    objects = DiversityObjective(np.array([[0.0], [3.0], [4.0], [1.0]]), normalize=False,
                                 offsets=np.array([0, 1, 3, 3, 4]))  # fmt: skip
    found = pick([objects], 4, candidates=np.ones(4, dtype=bool), first="index")
    assert found.rows.tolist() == [0, 1, 3, 2]
    np.testing.assert_allclose(found.distances, [np.inf, np.sqrt(12.5), 1, 0])


def test_a_first_row_without_objects_leaves_the_next_one_as_free():
    objects = DiversityObjective(np.array([[1.0], [2.0]]), normalize=False, offsets=np.array([0, 0, 1, 2]),
                                 minimum_distance=0.5)  # fmt: skip
    found = pick([objects], 3, candidates=np.ones(3, dtype=bool), first="index")
    assert found.rows.tolist() == [0, 1, 2]
    assert found.distances.tolist() == [np.inf, np.inf, 1]
    begun = pick([objects], 3, candidates=np.array([False, True, True]), preselected=[0])
    assert begun.distances.tolist() == [np.inf, 1]
    assert np.isnan(pick([objects], 1, candidates=np.ones(3, dtype=bool), first="index").next_distance)


@pytest.mark.parametrize(("how", "rows", "stopped"), [("skip", [0, 3, 2], "minimum distance"),
                                                      ("stop", [0], "minimum distance")])  # fmt: skip
def test_what_is_too_near_is_left_out_or_ends_the_selection(how, rows, stopped):
    # by weights row 1 would be next, but it is 1 away from row 0
    line = DiversityObjective(np.array([[0.0], [1.0], [5.0], [2.0]]), normalize=False, minimum_distance=2)
    weights = WeightsObjective(np.array([9.0, 8.0, 1.0, 7.0]), strength=100)
    found = pick([line, weights], 4, candidates=np.ones(4, dtype=bool), first="index", on_too_near=how)
    assert found.rows.tolist() == rows
    assert found.stopped == stopped


def test_a_row_just_at_the_minimum_distance_is_not_too_near():
    rows = np.array([[0.0], [0.3], [0.6], [0.9]])
    line = DiversityObjective(rows, normalize=False, minimum_distance=0.3)
    assert len(pick([line], 4, candidates=np.ones(4, dtype=bool), first="index").rows) >= 3
    line = DiversityObjective(np.arange(4.0)[:, None], normalize=False, minimum_distance=1.0)
    assert len(pick([line], 4, candidates=np.ones(4, dtype=bool)).rows) == 4


@pytest.mark.parametrize("keeps", [True, False])
def test_an_interrupted_selection_is_kept_on_request(keeps, rng):
    vectors, told = rng.standard_normal((50, 3)), []

    def advance(count, distance):
        told.append((count, distance))
        if len(told) == 4:
            raise KeyboardInterrupt

    if not keeps:
        with pytest.raises(KeyboardInterrupt):
            farthest_first(vectors, 10, advance=advance)
        return
    found, whole = farthest_first(vectors, 10, advance=advance, keep_interrupted=True), farthest_first(vectors, 10)
    assert found.stopped == "interrupted"
    assert found.rows.tolist() == whole.rows[:4].tolist()
    assert found.next_distance == whole.distances[4]
    assert told == [(1, distance) for distance in whole.distances[:4].tolist()]


@pytest.mark.parametrize(("option", "message"), [
    ({"first": "last"}, "first='last'"), ({"on_too_near": "never"}, "on_too_near='never'"),
    ({"rule": "best"}, "rule='best'"), ({"pool_rows": 0}, "pool_rows=0"),
    ({"prefix": [0, 0]}, "different ones"), ({"preselected": [1], "prefix": [1]}, "different ones"),
])  # fmt: skip
def test_options_that_there_are_not_are_refused(option, message):
    with pytest.raises(ValueError, match=message):
        farthest_first([[0.0], [1.0]], 1, **option)
