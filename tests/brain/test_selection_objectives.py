"""Objectives: what each says of a row, worked by hand, and that what is said afterwards is what decided."""

import numpy as np
import pytest

from saccade.brain.selection.greedy import pick
from saccade.brain.selection.objectives import (
    BalanceObjective,
    CoverageObjective,
    DiversityObjective,
    RandomObjective,
    SimilarityObjective,
    TypicalityObjective,
    WeightsObjective,
)
from saccade.brain.selection.objectives.parts import Past

from .plain_greedy import plain_pick
from .selection_cases import KINDS, objective_of, problem_of

EVERYTHING = np.ones(4, dtype=bool)


def past_of(picks, *, preselected=(), candidates=EVERYTHING):
    return Past(np.array(picks, dtype=np.int64), np.array(preselected, dtype=np.int64), candidates)


# --- what never changes ---------------------------------------------------------------------------------------------


def test_weights_count_by_rank_worked_by_hand():
    # ranks 0, 1/2, 1/2, 1
    found = WeightsObjective(np.array([1.0, 5.0, 5.0, 100.0])).log_phi(EVERYTHING)
    np.testing.assert_allclose(found, [-0.6 / 0.4, -0.6 / 0.9, -0.6 / 0.9, -0.6 / 1.4])
    inverted = WeightsObjective(np.array([1.0, 5.0, 5.0, 100.0]), strength=-2).log_phi(EVERYTHING)
    np.testing.assert_allclose(inverted, [-1.2 / 1.4, -1.2 / 0.9, -1.2 / 0.9, -1.2 / 0.4])


def test_ranks_are_among_the_candidates():
    candidates = np.array([True, True, True, False])
    found = WeightsObjective(np.array([1.0, 2.0, 3.0, np.nan])).log_phi(candidates)[:3]
    np.testing.assert_allclose(found, [-0.6 / 0.4, -0.6 / 0.9, -0.6 / 1.4])
    alone = WeightsObjective(np.array([3.0, np.nan])).log_phi(np.array([True, False]))
    assert alone[0] == pytest.approx(-0.6 / 0.9)


def test_raw_weights_are_what_they_are_and_not_negative():
    found = WeightsObjective(np.array([1.0, np.e, np.e**2, np.nan]), scale="raw", strength=2)
    candidates = np.array([True, True, True, False])
    np.testing.assert_allclose(found.log_phi(candidates)[:3], [0, 2, 4])
    with pytest.raises(ValueError, match="-1 is negative"):
        WeightsObjective(np.array([1.0, -1.0]), scale="raw").log_phi(EVERYTHING[:2])
    zero = WeightsObjective(np.array([0.0, 1e-9]), scale="raw")
    assert pick([zero], 2, candidates=EVERYTHING[:2]).rows.tolist() == [1, 0]


@pytest.mark.parametrize("scale", ["rank", "raw"])
def test_preselected_rows_need_no_weight(scale):
    weights = WeightsObjective(np.array([np.nan, 0.2, 0.9, np.nan]), scale=scale)
    given = {"candidates": np.array([False, True, True, False]), "preselected": [0, 3]}
    assert pick([weights], 4, **given).rows.tolist() == [2, 1]
    past = past_of([2, 1], preselected=[0, 3], candidates=given["candidates"])
    assert np.isfinite(weights.history(np.array([1, 2]), past)).all()


def test_similarity_counts_by_the_rank_of_the_nearest_query():
    line = np.array([[0.0], [1.0], [3.0], [10.0]])
    queries = np.array([[2.5], [9.5]])  # distances 2.5, 1.5, 0.5, 0.5
    found = SimilarityObjective(line, queries, normalize=False).log_phi(EVERYTHING)
    np.testing.assert_allclose(
        found, [-0.5 / 0.05, -0.5 / (1 / 3 + 0.05), -0.5 / (5 / 6 + 0.05), -0.5 / (5 / 6 + 0.05)]
    )
    objects = SimilarityObjective(line, queries, normalize=False, offsets=np.array([0, 1, 1, 3, 4]))
    assert objects.distances().tolist() == [2.5, np.inf, 0.5, 0.5]
    assert pick([objects], 4, candidates=EVERYTHING).rows.tolist() == [2, 3, 0, 1]


def test_similar_directions_are_similar_however_long():
    rows = np.array([[5.0, 0.0], [0.0, 0.1], [1.0, 1.0], [-3.0, 0.0]])
    found = SimilarityObjective(rows, np.array([[9.0, 0.0]]))
    np.testing.assert_allclose(found.distances(), [0, np.sqrt(2), np.sqrt(2 - np.sqrt(2)), 2], atol=1e-12)
    assert pick([found], 4, candidates=EVERYTHING).rows.tolist() == [0, 2, 1, 3]


def test_typicality_leaves_out_the_sparsest_and_inverted_takes_them():
    line = np.array([[0.0], [0.1], [0.25], [50.0]])
    typical = TypicalityObjective(line, normalize=False, num_nearest_neighbors=1)
    # nearest neighbours 0.1, 0.1, 0.15, 49.75 away: ranks 5/6, 5/6, 1/3, 0
    np.testing.assert_allclose(
        typical.log_phi(EVERYTHING), [-((0.02 / (r + 0.001)) ** 2) for r in (5 / 6, 5 / 6, 1 / 3, 0)]
    )
    assert pick([typical], 4, candidates=EVERYTHING).rows.tolist() == [0, 1, 2, 3]
    inverted = TypicalityObjective(line, normalize=False, num_nearest_neighbors=1, strength=-1)
    assert pick([inverted], 4, candidates=EVERYTHING).rows.tolist() == [3, 2, 0, 1]


def test_what_is_not_typical_enough_is_not_picked():
    line = np.array([[0.0], [0.1], [0.25], [50.0]])
    # the mean of 0.1, 0.1, 0.15 and 49.75 is 12.525: typicalities .992, .992, .988, .019
    typical = TypicalityObjective(line, normalize=False, num_nearest_neighbors=1, minimum_typicality=0.5)
    found = pick([typical], 4, candidates=EVERYTHING)
    assert found.rows.tolist() == [0, 1, 2]
    assert found.stopped == "no candidates left"
    np.testing.assert_allclose(typical.typicality(), np.exp(-np.array([0.1, 0.1, 0.15, 49.75]) / 12.525))


def test_random_numbers_count_by_their_logarithm():
    numbers = np.array([0.5, 0.0, 0.25, 0.75])
    np.testing.assert_allclose(
        RandomObjective(numbers, strength=2).log_phi(EVERYTHING), 2 * np.log([0.5, 2.0**-60, 0.25, 0.75])
    )
    np.testing.assert_allclose(RandomObjective(numbers, strength=-1).log_phi(EVERYTHING), np.log([0.5, 1, 0.75, 0.25]))


# --- what changes ---------------------------------------------------------------------------------------------------


def test_classes_follow_the_highest_averages_worked_by_hand():
    # targets 3/4 and 1/4, over 1/2 more than was picked: 1.5 .5 → .5 .5 (the lowest row) → .3 .5 → .3 .17 → .21 .17
    shares = np.eye(2)[[0, 0, 0, 0, 1, 1]]
    objective = BalanceObjective(shares, np.array([3.0, 1.0]))
    found = pick([objective], 6, candidates=np.ones(6, dtype=bool))
    assert found.rows.tolist() == [0, 1, 4, 2, 3, 5]
    past = past_of([0, 1, 4, 2], candidates=np.ones(6, dtype=bool))
    np.testing.assert_allclose(objective.history_of_picks(past), 2.5 * np.log([1.5, 0.5, 0.5, 0.3]))
    np.testing.assert_allclose(objective.history(np.array([5]), past)[:, 0], 2.5 * np.log([0.5, 0.5, 0.5, 0.5 / 3]))


def test_a_mix_of_classes_counts_by_its_shares_however_many_objects_it_has():
    shares = np.array([[3.0, 1.0], [0.75, 0.25], [0.0, 0.0], [0.0, 2.0]])
    objective = BalanceObjective(shares, np.array([1.0, 1.0]))
    # both mixes are worth (3/4 + 1/4) · 1/2 over 1/2, and so is the single class
    np.testing.assert_allclose(objective.history(np.array([0, 1, 3]), past_of([0]))[0], [0, 0, 0], atol=1e-12)
    # once row 0 was taken, 3 and 1 objects count: 3/4 · .5/3.5 + 1/4 · .5/1.5 against .5/1.5
    after = objective.history(np.array([1, 3]), past_of([0, 1]))[1]
    np.testing.assert_allclose(after, 2.5 * np.log([0.75 / 7 + 0.25 / 3, 1 / 3]))


def test_classes_are_as_near_to_their_target_as_whole_rows_can_be(rng):
    classes = rng.permutation(np.repeat(np.arange(3), 100))
    objective = BalanceObjective(np.eye(3)[classes], np.array([0.5, 0.3, 0.2]))
    rows = pick([objective], 100, candidates=np.ones(300, dtype=bool)).rows
    for count in (10, 33, 77, 100):
        counts = np.bincount(classes[rows[:count]], minlength=3)
        assert np.abs(counts - count * objective.wanted).max() <= 1


def test_rows_without_a_class_come_last():
    shares = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 0.0]])
    objective = BalanceObjective(shares, np.array([1.0, 0.0]))  # and so does a class that is not wanted
    assert pick([objective], 4, candidates=EVERYTHING).rows.tolist() == [2, 0, 1, 3]


def test_the_best_cover_is_picked_worked_by_hand():
    # squared distances 1, 4, 1: their median is 1; the middle covers 1 + 2/e, an end 1 + 1/e + 1/e^4
    line = np.array([[0.0], [1.0], [2.0]])
    objective = CoverageObjective(line, normalize=False)
    found = pick([objective], 3, candidates=EVERYTHING[:3])
    assert found.rows.tolist() == [1, 0, 2]
    past = past_of([1, 0], candidates=EVERYTHING[:3])
    wanted = np.log([(1 + 2 / np.e) / 3, (1 - 1 / np.e) / 3])
    np.testing.assert_allclose(objective.history_of_picks(past), wanted)
    np.testing.assert_allclose(objective.history(np.array([2]), past)[1], wanted[1])


def test_cover_by_weight_looks_after_what_wants_it():
    line = np.array([[0.0], [1.0], [2.0]])
    heavy = CoverageObjective(line, normalize=False, weights=np.array([0.0, 0.0, 1.0]))
    assert pick([heavy], 1, candidates=EVERYTHING[:3]).rows.tolist() == [2]
    none = CoverageObjective(line, normalize=False, weights=np.zeros(3))
    assert pick([none], 1, candidates=EVERYTHING[:3]).rows.tolist() == [1]


@pytest.mark.parametrize("options", [{"strength": -1.0}, {"weights": np.array([1.0, -1.0, 1.0])},
                                     {"weights": np.array([1.0, np.nan, 1.0])}])  # fmt: skip
def test_cover_refuses_what_it_cannot_do(options):
    with pytest.raises(ValueError, match="negative"):
        CoverageObjective(np.zeros((3, 1)), **options)


@pytest.mark.parametrize("rows", [np.ones((30, 3)), np.array([[1.0, 0.0]] * 29 + [[1e6, 1.0]]),
                                  np.outer(np.arange(1.0, 31), [0.1, 0.2, 0.7])])  # fmt: skip
@pytest.mark.parametrize("normalize", [True, False])
def test_cover_of_copies_of_outliers_and_of_one_direction_is_finite(rows, normalize):
    found = pick([CoverageObjective(rows, normalize=normalize)], 30, candidates=np.ones(30, dtype=bool), pool_rows=4)
    assert sorted(found.rows.tolist()) == list(range(30))


def test_cover_of_a_cluster_beside_a_very_far_row_is_as_by_brute_force(rng):
    rows = rng.standard_normal((40, 2))
    rows[11] = 1e6
    objective, everything = CoverageObjective(rows, normalize=False), np.ones(40, dtype=bool)
    assert (
        pick([objective], 15, candidates=everything).rows.tolist()
        == plain_pick([objective], 15, candidates=everything).rows
    )


# --- what is said afterwards ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", [1, 2])
def test_what_is_said_afterwards_is_what_decided(kind, seed):
    objectives, candidates, preselected = problem_of(seed, kinds=[kind, "RANDOM"])
    n = len(candidates)
    plain = plain_pick(objectives, max(1, n // 2), candidates=candidates, preselected=preselected)
    past = past_of(plain.rows, preselected=preselected, candidates=candidates)
    rows = np.flatnonzero(candidates)
    for position, objective in enumerate(objectives):
        addends = np.array([each[position] for each in plain.addends])
        picked = addends[np.arange(len(plain.rows)), plain.rows]
        of_rows, of_picks = objective.history(rows, past), objective.history_of_picks(past)
        open_ = np.array([~np.isin(rows, plain.rows[:turn]) for turn in range(len(plain.rows))])
        np.testing.assert_allclose(of_rows[open_], addends[:, rows][open_], atol=2e-4)
        np.testing.assert_allclose(of_picks, picked, atol=2e-4)


def test_what_is_said_of_distances_far_from_the_origin_is_true(rng):
    near = rng.standard_normal((50, 3))
    given = {"candidates": np.ones(50, dtype=bool)}
    far = DiversityObjective(near + 1e6, normalize=False)
    plain = plain_pick([far], 20, **given)
    past = past_of(plain.rows, candidates=given["candidates"])
    picked = [each[0][row] for each, row in zip(plain.addends, plain.rows, strict=True)]
    np.testing.assert_allclose(far.history_of_picks(past), picked, atol=1e-4)


def test_nothing_is_said_of_distances_before_there_is_a_pick():
    objects = DiversityObjective(np.array([[1.0], [2.0]]), normalize=False, offsets=np.array([0, 0, 1, 2]))
    past = past_of([0, 1, 2], candidates=EVERYTHING[:3])
    assert objects.history_of_picks(past)[:2].tolist() == [0, 0]
    assert objects.history(np.arange(3), past)[:2].tolist() == [[0, 0, 0]] * 2


def test_an_objective_of_no_rows_picks_none(rng):
    for kind in KINDS:
        if "OBJECT" not in kind:
            found = pick([objective_of(kind, 0, rng)], 3, candidates=np.zeros(0, dtype=bool))
            assert found.rows.tolist() == []
            assert found.stopped == "no candidates left"
