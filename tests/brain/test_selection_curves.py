"""Curves: how far candidates are from the first picks, on a sample that a hash draws, the same whatever the blocks."""

import numpy as np
import pytest

from saccade.brain.selection import curves
from saccade.brain.selection.curves import (
    Evaluation,
    Places,
    hashed,
    hashed_order,
    lower_bound,
    prefix_lengths,
    separation,
    significant,
    suggest_n,
)

from .selection_cases import farthest_first

LINE = np.array([[0.0], [1.0], [2.0], [6.0]])
EVERYTHING = np.ones(4, dtype=bool)


def on_a_line(preselected=(), candidates=EVERYTHING):
    return Evaluation(Places(LINE, normalize=False), candidates, preselected)


def test_distances_to_the_nearest_of_the_first_picks_are_as_worked_out_by_hand():
    curve = on_a_line().curve([3, 0, 1])
    assert curve.picks.tolist() == [1, 2, 3]
    assert curve.mean_distance.tolist() == [15 / 4, 3 / 4, 1 / 4]
    assert curve.largest_distance.tolist() == [6, 2, 1]


def test_coverage_is_measured_against_the_most_central_candidate():
    # The mean is 2.25, so 2 is the most central one: the others are 2, 1, 0 and 4 from it.
    evaluation = on_a_line()
    assert evaluation.base == 7 / 4
    curve = evaluation.curve([3, 0, 1, 2])
    assert curve.coverage.tolist() == [0.0, round(4 / 7, 6), round(6 / 7, 6), 1.0]


def test_what_is_preselected_covers_from_the_start():
    curve = on_a_line(preselected=[3]).curve([0, 1])
    assert curve.mean_distance.tolist() == [3 / 4, 1 / 4]
    assert on_a_line(preselected=[3]).curve([0], lengths=[0, 1]).mean_distance.tolist() == [15 / 4, 3 / 4]


def test_only_candidates_are_measured():
    curve = on_a_line(candidates=np.array([True, True, False, False])).curve([3])
    assert curve.mean_distance.tolist() == [5.5]


def test_the_curve_of_the_first_picks_is_the_beginning_of_the_whole_curve(rng):
    vectors = rng.standard_normal((300, 6))
    picks = farthest_first(vectors, 120, normalize=True).rows
    evaluation = Evaluation(Places(vectors), np.ones(300, dtype=bool))
    whole, part = evaluation.curve(picks), evaluation.curve(picks[:59])
    assert part.mean_distance.tolist() == whole.mean_distance[whole.picks <= 59].tolist()
    assert (np.diff(whole.mean_distance) <= 0).all()
    assert (np.diff(whole.coverage) >= 0).all()


def test_the_curve_does_not_depend_on_the_size_of_blocks(rng, monkeypatch):
    vectors = (rng.standard_normal((500, 40)) * 3 + 100).astype(np.float32)
    picks, preselected = rng.permutation(500)[:200], rng.permutation(500)[200:260]
    found = []
    for cells in (1 << 21, 4000, 1):
        monkeypatch.setattr(curves, "_CELLS", cells)
        evaluation = Evaluation(Places(vectors, normalize=False), np.ones(500, dtype=bool), preselected)
        curve = evaluation.curve(picks)
        found.append([curve.mean_distance.tolist(), curve.largest_distance.tolist(), curve.coverage.tolist()])
        found[-1].append(separation(Places(vectors), picks, preselected))
    assert found[0] == found[1] == found[2]


def test_distances_agree_with_plain_ones(rng):
    vectors = rng.standard_normal((80, 7)) + 50
    picks = rng.permutation(80)[:20]
    plain = np.linalg.norm(vectors[:, None] - vectors[picks], axis=2).min(axis=1)
    curve = Evaluation(Places(vectors, normalize=False), np.ones(80, dtype=bool)).curve(picks)
    assert curve.mean_distance[-1] == significant(plain.mean())
    assert curve.largest_distance[-1] == significant(plain.max())


def test_copies_of_a_pick_are_covered_entirely(rng):
    vectors = np.repeat(rng.standard_normal((5, 300)).astype(np.float32), 4, axis=0)
    curve = Evaluation(Places(vectors), np.ones(20, dtype=bool)).curve([0, 4, 8, 12, 16])
    assert curve.mean_distance[-1] == 0.0
    assert curve.coverage[-1] == 1.0


def test_where_all_candidates_are_alike_one_pick_covers_all():
    curve = Evaluation(Places(np.ones((6, 3))), np.ones(6, dtype=bool)).curve([2])
    assert curve.coverage.tolist() == [1.0]


def test_many_candidates_are_measured_on_a_sample_of_them(rng, monkeypatch):
    monkeypatch.setattr(curves, "EVALUATED", 100)
    vectors = rng.standard_normal((1000, 4))
    evaluation = Evaluation(Places(vectors), np.ones(1000, dtype=bool), seed=3)
    assert len(evaluation) == 100
    sampled = hashed(np.ones(1000, dtype=bool), 100, 3)
    only = Evaluation(Places(vectors[sampled]), np.ones(100, dtype=bool))
    assert evaluation.base == pytest.approx(only.base)


def test_against_very_many_preselected_rows_fewer_candidates_are_measured(rng, monkeypatch):
    monkeypatch.setattr(curves, "_MANY", 100)
    monkeypatch.setattr(curves, "EVALUATED", 500)
    vectors = rng.standard_normal((1000, 4))
    assert len(Evaluation(Places(vectors), np.arange(1000) < 600, preselected=range(600, 700))) == 500
    assert len(Evaluation(Places(vectors), np.arange(1000) < 600, preselected=range(600, 750))) == 333
    assert len(Evaluation(Places(vectors), np.arange(1000) < 600, preselected=range(600, 1000))) == 256


def test_of_objects_each_is_as_far_as_from_the_nearest_object_of_a_pick():
    # Row 0 has the objects 0 and 10, row 1 has none, row 2 has 1, row 3 has 4 and 9.
    objects = Places(np.array([[0.0], [10.0], [1.0], [4.0], [9.0]]), normalize=False, offsets=np.array([0, 2, 2, 3, 5]))
    points, owners = objects.points([3, 1, 0])
    assert points.tolist() == [3, 4, 0, 1]
    assert owners.tolist() == [0, 0, 2, 2]
    evaluation = Evaluation(objects, EVERYTHING)
    assert len(evaluation) == 5
    curve = evaluation.curve([0, 3])
    assert curve.mean_distance.tolist() == [(0 + 0 + 1 + 4 + 1) / 5, (0 + 0 + 1 + 0 + 0) / 5]
    assert separation(objects, [0, 2, 3]) == pytest.approx((1 + 1 + 1 + 3 + 1) / 5)


def test_picks_without_objects_cover_nothing():
    objects = Places(np.array([[0.0], [1.0]]), normalize=False, offsets=np.array([0, 0, 2]))
    curve = Evaluation(objects, np.ones(2, dtype=bool)).curve([0, 1])
    assert curve.mean_distance.tolist() == [np.inf, 0.0]
    assert curve.coverage.tolist() == [0.0, 1.0]


def test_no_picks_and_no_candidates_have_an_empty_curve_or_none():
    assert on_a_line().curve([]).picks.tolist() == []
    nobody = on_a_line(candidates=np.zeros(4, dtype=bool))
    assert len(nobody) == 0
    assert np.isnan(nobody.curve([0]).mean_distance).all()


def test_separation_is_the_mean_distance_to_the_nearest_other_pick():
    places = Places(LINE, normalize=False)
    assert separation(places, [0, 1, 3]) == significant((1 + 1 + 5) / 3)
    assert separation(places, [0, 3], others=[2]) == significant((2 + 4) / 2)
    assert separation(places, [0], others=[2]) == 2.0
    assert np.isnan(separation(places, [0]))
    assert np.isnan(separation(places, []))


@pytest.mark.parametrize("count", [0, 1, 2, 30, 1000, 10_000])
def test_a_curve_has_few_points_and_ends_at_the_last_pick(count):
    lengths = prefix_lengths(count)
    assert len(lengths) <= 200
    assert lengths.tolist() == sorted(set(lengths.tolist()))
    assert count == 0 or (lengths[0] == 1 and lengths[-1] == count)
    later = prefix_lengths(2 * count)
    assert set(lengths[:-1].tolist()) <= set(later.tolist())
    assert (lengths[1:] <= np.maximum(lengths[:-1] + 1, lengths[:-1] * 1.07)).all()


def test_the_smallest_number_that_reaches_a_coverage_is_suggested():
    assert suggest_n([1, 2, 4], [0.0, 0.6, 0.9], 0.6) == 2
    assert suggest_n([1, 2, 4], [0.0, 0.6, 0.9], 0.61) == 4
    assert suggest_n([1, 2, 4], [0.0, 0.6, 0.9], 0.95) is None
    assert suggest_n([], [], 0.1) is None


def test_the_bound_holds_for_the_best_cover_there_is(rng):
    from itertools import combinations

    vectors = rng.standard_normal((12, 2))
    distances = np.linalg.norm(vectors[:, None] - vectors, axis=2)
    for k in (1, 2, 3):
        found = farthest_first(vectors, k + 1).distances
        radius = found[k]
        best = min(distances[:, list(one)].min(axis=1).max() for one in combinations(range(12), k))
        assert lower_bound(found[:k], radius) <= best <= radius + 1e-12


def test_the_bound_is_half_the_smallest_of_separation_and_radius():
    assert lower_bound([np.inf, 4.0, 3.0], 2.0) == 1.0
    assert lower_bound([np.inf, 1.0], 2.0) == 0.5
    assert lower_bound([np.inf], 3.0) == 1.5
    assert lower_bound([np.nan, np.nan], 3.0) == 1.5


def test_a_hash_draws_the_same_rows_for_the_same_seed_and_fewer_among_more():
    everything = np.ones(1000, dtype=bool)
    few, many = hashed(everything, 10, 1), hashed(everything, 50, 1)
    assert set(few.tolist()) <= set(many.tolist())
    assert few.tolist() == sorted(few.tolist())
    assert hashed(everything, 10, 2).tolist() != few.tolist()
    assert hashed(everything, 10, -1).tolist() == hashed(everything, 10, 2**64 - 1).tolist()
    assert sorted(hashed_order(np.arange(1000), 5).tolist()) == list(range(1000))
    assert abs(hashed(everything, 100, 7).mean() - 499.5) < 100


def test_only_marked_rows_are_drawn():
    mask = np.zeros(100, dtype=bool)
    mask[[3, 50, 99]] = True
    assert hashed(mask, 10).tolist() == [3, 50, 99]
    assert set(hashed(mask, 2).tolist()) < {3, 50, 99}
