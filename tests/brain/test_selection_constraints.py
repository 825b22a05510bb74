"""Limits: what is picked keeps them, and is what the plain loop picks that asks of every row whether it may join."""

from itertools import combinations

import numpy as np
import pytest

from saccade.brain.selection.constraints import Budget, GroupCap, MaximumSum, MinimumGap, SumRange
from saccade.brain.selection.greedy import pick
from saccade.brain.selection.objectives import BalanceObjective, DiversityObjective, RandomObjective
from saccade.brain.selection.objectives.balance import quotas_of

from .plain_greedy import plain_pick


def numbers(*values):
    """An objective that picks by these numbers, the highest first."""
    return RandomObjective(np.array(values, dtype=np.float64))


def picked(objective, count, constraints, *, preselected=(), candidates=None, **options):
    """The picks of one objective under constraints."""
    n = len(getattr(objective, "numbers", getattr(objective, "shares", ())))
    candidates = np.ones(n, dtype=bool) if candidates is None else np.array(candidates)
    candidates[list(preselected)] = False
    return pick([objective], count, candidates=candidates, preselected=preselected, constraints=constraints, **options)


# --- caps of groups -------------------------------------------------------------------------------------------------


def test_no_more_of_a_group_are_picked_than_are_allowed():
    objective, groups = numbers(0.9, 0.8, 0.7, 0.6, 0.5), np.array([0, 0, 0, 1, 1])
    assert picked(objective, 4, [GroupCap(groups, 2)]).rows.tolist() == [0, 1, 3, 4]
    assert picked(objective, 4, [GroupCap(groups, np.array([1, 5]))]).rows.tolist() == [0, 3, 4]
    assert picked(objective, 4, [GroupCap(groups, np.array([0, 1]))]).rows.tolist() == [3]


def test_preselected_rows_fill_their_group_even_beyond_what_is_allowed():
    objective, groups = numbers(0.9, 0.8, 0.7, 0.6, 0.5), np.array([0, 0, 0, 1, 1])
    found = picked(objective, 4, [GroupCap(groups, 1)], preselected=[0, 1])
    assert found.rows.tolist() == [3]
    assert found.stopped == "no candidates left"


def test_groups_that_no_row_belongs_to_may_have_a_cap():
    assert picked(numbers(0.5, 0.6), 2, [GroupCap(np.zeros(2, dtype=int), np.array([1, 7, 7]))]).rows.tolist() == [1]


# --- gaps -----------------------------------------------------------------------------------------------------------


def test_picks_of_one_group_lie_apart_and_those_of_another_do_not_matter():
    positions, groups = np.array([0.0, 0.5, 1.0, 0.1]), np.array([0, 0, 0, 1])
    gap = [MinimumGap(positions, groups, 1.0)]
    assert picked(numbers(0.9, 0.8, 0.7, 0.6), 4, gap).rows.tolist() == [0, 2, 3]
    gap = [MinimumGap(positions, groups, 1.0)]
    assert picked(numbers(0.9, 0.8, 0.7, 0.6), 4, gap, preselected=[1]).rows.tolist() == [3]


def test_what_is_near_is_found_to_the_last_digit(rng):
    for scale in (1.0, 1e9, 1e-9):
        positions = np.append(scale * rng.integers(0, 60, 400) / 10, [np.nan] * 5)
        groups = rng.integers(0, 3, 405)
        constraint = MinimumGap(positions, groups, scale * 0.3)
        for row in range(400):
            near = (groups == groups[row]) & (np.abs(positions - positions[row]) < scale * 0.3)
            assert sorted(constraint.add(row).tolist()) == np.flatnonzero(near).tolist()


def test_a_row_without_a_place_is_near_to_nothing():
    gap = [MinimumGap(np.array([0.0, np.nan, 0.2, np.nan]), np.zeros(4, dtype=int), 1.0)]
    assert picked(numbers(0.6, 0.7, 0.8, 0.9), 4, gap).rows.tolist() == [3, 2, 1]


# --- budgets --------------------------------------------------------------------------------------------------------


def test_what_does_not_fit_into_the_budget_is_passed_over():
    costs = np.array([5.0, 4.0, 3.0, 0.0, 2.0])
    objective = numbers(0.9, 0.8, 0.7, 0.6, 0.5)
    assert picked(objective, 5, [Budget(costs, 8.0)]).rows.tolist() == [0, 2, 3]
    assert picked(objective, 5, [Budget(costs, 4.5)]).rows.tolist() == [1, 3]
    assert picked(objective, 5, [Budget(costs, 8.0)], preselected=[0]).rows.tolist() == [2, 3]
    assert picked(objective, 5, [Budget(costs, 0.0)]).rows.tolist() == [3]


def test_rounding_does_not_keep_out_what_fits_exactly():
    assert len(picked(numbers(*[0.5] * 9), 9, [Budget(np.full(9, 0.1), 0.3)]).rows) == 3


def test_preselected_rows_of_unknown_cost_cost_nothing():
    costs = np.array([np.nan, 2.0, 2.0])
    assert picked(numbers(0.1, 0.2, 0.3), 3, [Budget(costs, 2.0)], preselected=[0]).rows.tolist() == [2]


# --- sums -----------------------------------------------------------------------------------------------------------


def test_nothing_more_is_picked_once_a_sum_is_reached():
    values, objective = np.array([1.0, 2.0, 3.0, 4.0]), numbers(0.9, 0.8, 0.7, 0.6)
    found = picked(objective, 4, [MaximumSum(values, 3.0)])
    assert found.rows.tolist() == [0, 1]
    assert found.stopped == "maximum sum"
    assert picked(objective, 4, [MaximumSum(values, 3.5)]).rows.tolist() == [0, 1, 2]
    assert picked(objective, 4, [MaximumSum(values, 3.5)], preselected=[2]).rows.tolist() == [0]
    assert picked(objective, 4, [MaximumSum(values, 3.0)], preselected=[2]).stopped == "maximum sum"
    unknown = np.array([np.nan, 2.0, 3.0, 4.0])
    assert picked(objective, 4, [MaximumSum(unknown, 4.0)], preselected=[0]).rows.tolist() == [1, 2]


def test_a_sum_is_kept_in_its_range_worked_by_hand():
    values, objective = np.array([1.0, 2.0, 3.0, 10.0]), numbers(0.9, 0.8, 0.7, 0.6)
    everything = np.ones(4, dtype=bool)
    # two picks of at least 12: only 10 and 2, or 10 and 3
    assert picked(objective, 2, [SumRange(values, everything, 12.0, None)]).rows.tolist() == [1, 3]
    # of at most 3: only 1 and 2
    assert picked(objective, 2, [SumRange(values, everything, None, 3.0)]).rows.tolist() == [0, 1]
    # from 5 to 6: only 2 and 3, since 1 would need 4 or 5
    assert picked(objective, 2, [SumRange(values, everything, 5.0, 6.0)]).rows.tolist() == [1, 2]
    candidates = np.array([True, True, True, False])
    assert picked(objective, 1, [SumRange(values, candidates, 12.0, None)], preselected=[3]).rows.tolist() == [1]


def sum_case(seed, kind):
    """Random values and a range; the sums that there can be."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 9))
    values = rng.integers(-2, 10, n).astype(np.float64)
    candidates = rng.random(n) < 0.8
    preselected = [int(rng.integers(n))] if rng.random() < 0.4 else []
    candidates[preselected] = False
    least = float(rng.integers(0, 25))
    minimum, maximum = least if kind != "most" else None, least + 6 if kind != "least" else None
    count = min(int(rng.integers(1, n + 1)), int(candidates.sum()))
    groups = [list(group) for group in combinations(np.flatnonzero(candidates), count)]
    sums = np.array([values[group].sum() + values[preselected].sum() for group in groups])
    return rng.random(n), values, candidates, preselected, count, (minimum, maximum), sums


def is_within(sums, minimum, maximum):
    """Whether sums lie in a range."""
    return (sums >= (-np.inf if minimum is None else minimum)) & (sums <= (np.inf if maximum is None else maximum))


@pytest.mark.parametrize("kind", ["least", "most", "both"])
def test_a_range_is_kept_whenever_it_can_be_and_else_noted(kind):
    kept = 0
    for seed in range(120):
        order, values, candidates, preselected, count, limits, sums = sum_case(seed, kind)
        range_ = SumRange(values, candidates, *limits)
        found = picked(RandomObjective(order), count, [range_], candidates=candidates, preselected=preselected)
        reached = values[found.rows].sum() + values[preselected].sum()
        assert len(found.rows) == count
        assert bool(range_.notes) == (not is_within(reached, *limits))
        assert is_within(reached, *limits) == is_within(sums, *limits).any()
        kept += is_within(reached, *limits)
    assert kept > 20


def test_a_range_goes_on_from_a_prefix():
    for seed in range(60):
        order, values, candidates, preselected, count, limits, _ = sum_case(seed, "both")
        objective = RandomObjective(order)
        given = {"candidates": candidates, "preselected": preselected}
        whole = picked(objective, count, [SumRange(values, candidates, *limits)], **given).rows.tolist()
        begun = whole[: count // 2]
        rest = pick([objective], count - len(begun), prefix=begun,
                    constraints=[SumRange(values, candidates, *limits)], **given)  # fmt: skip
        assert begun + rest.rows.tolist() == whole


def test_the_note_names_the_sum_and_the_limit():
    values, everything = np.array([1.0, 2.0, 4.0]), np.ones(3, dtype=bool)
    least, most = SumRange(values, everything, 9.0, None), SumRange(values, everything, None, 2.0)
    assert picked(numbers(0.1, 0.2, 0.3), 2, [least]).rows.tolist() == [2, 1]
    assert least.notes == ["the sum of the values is 6; at least 9 was wanted"]
    assert picked(numbers(0.1, 0.2, 0.3), 2, [most]).rows.tolist() == [2, 1]
    assert most.notes == ["the sum of the values is 6; at most 2 was wanted"]
    kept = SumRange(values, everything, 3.0, 3.0)
    assert picked(numbers(0.1, 0.2, 0.3), 2, [kept]).rows.tolist() == [1, 0]
    assert kept.notes == []


def test_preselected_rows_of_unknown_value_count_as_0():
    values = np.array([np.nan, 1.0, 2.0])
    range_ = SumRange(values, np.array([False, True, True]), 2.0, None)
    assert picked(numbers(0.1, 0.9, 0.8), 1, [range_], preselected=[0]).rows.tolist() == [2]
    assert range_.notes == []


def test_a_range_knows_what_another_limit_leaves_out():
    values, objective = np.array([1.0, 5.0, 5.0, 2.0]), numbers(0.8, 0.9, 0.7, 0.6)
    # of the group of rows 1 and 2 only one may be picked, so 7 needs row 3
    limits = [SumRange(values, np.ones(4, dtype=bool), 7.0, None), GroupCap(np.array([0, 1, 1, 2]), 1)]
    assert picked(objective, 2, limits).rows.tolist() == [1, 3]


def test_a_range_is_kept_where_thousands_of_high_values_are_closed(rng):
    values = np.arange(4000.0)
    closed = GroupCap((values >= 2000).astype(int), np.array([4000, 0]))
    range_ = SumRange(values, np.ones(4000, dtype=bool), float(sum(range(1990, 2000))) - 3, None)
    found = picked(RandomObjective(rng.random(4000)), 10, [range_, closed])
    assert range_.notes == []
    assert found.rows.min() >= 1986
    assert found.rows.max() < 2000


# --- several limits, in larger selections ---------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(12))
def test_several_limits_are_kept_as_by_the_plain_loop(seed):
    rng = np.random.default_rng(seed)
    n = 90
    groups, costs, times = rng.integers(0, 6, n), rng.random(n).round(2), rng.random(n).round(2)
    scenes = rng.integers(0, 3, n)
    objectives = [DiversityObjective(rng.standard_normal((n, 4)), minimum_distance=0.2), RandomObjective(rng.random(n))]
    candidates = rng.random(n) < 0.9
    preselected = [int(row) for row in np.flatnonzero(~candidates)[:3]]

    def is_allowed(row, picks):
        near = [one for one in picks if scenes[one] == scenes[row] and abs(times[one] - times[row]) < 0.03]
        few = sum(groups[one] == groups[row] for one in picks) < 5
        return few and not near and costs[picks].sum() + costs[row] <= 9 * (1 + 1e-12)

    constraints = [GroupCap(groups, 5), Budget(costs, 9.0), MinimumGap(times, scenes, 0.03)]
    given = {"candidates": candidates, "preselected": preselected}
    found = pick(objectives, 60, constraints=constraints, pool_rows=(1, 8, 1024)[seed % 3], **given)
    plain = plain_pick(objectives, 60, is_allowed=is_allowed, **given)
    assert found.rows.tolist() == plain.rows
    assert len(found.rows) < 30


# --- strict balance -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("target", "count", "before", "supply", "quotas"), [
    ([0.5, 0.3, 0.2], 10, [0, 0, 0], [100, 100, 100], [5, 3, 2]),
    ([0.5, 0.3, 0.2], 10, [0, 0, 0], [100, 1, 100], [6, 1, 3]),  # 9 left in 5:2 are 6.43 and 2.57
    ([1 / 3, 1 / 3, 1 / 3], 10, [0, 0, 0], [9, 9, 9], [4, 3, 3]),  # equal remainders: the first class
    ([0.5, 0.5, 0.0], 10, [0, 0, 0], [3, 3, 50], [3, 3, 4]),  # what nobody wants, where the rest is used up
    ([0.5, 0.5], 10, [4, 0], [50, 50], [3, 7]),  # 14 with those before: 7 each
    ([0.5, 0.5], 4, [9, 1], [50, 50], [0, 4]),  # the first has more than its share already
    ([0.5, 0.5], 10, [0, 0], [2, 3], [2, 3]),  # fewer than asked for
    ([0.2, 0.8], 1, [0, 0], [5, 5], [0, 1]),
    ([0.6, 0.4], 5, [0, 0], [0, 9], [0, 5]),
    ([1.0], 0, [0], [5], [0]),
])  # fmt: skip
def test_quotas_worked_by_hand(target, count, before, supply, quotas):
    assert quotas_of(np.array(target), count, np.array(before), np.array(supply)).tolist() == quotas


def test_quotas_add_up_and_never_exceed_what_there_is(rng):
    for _ in range(300):
        width = int(rng.integers(1, 6))
        target = rng.integers(0, 5, width).astype(np.float64)
        target[0] += 0 if target.any() else 1
        count, before, supply = int(rng.integers(0, 40)), rng.integers(0, 9, width), rng.integers(0, 15, width)
        quotas = quotas_of(target / target.sum(), count, before, supply)
        assert quotas.sum() == min(count, supply.sum())
        assert (quotas >= 0).all()
        assert (quotas <= supply).all()


def classes_of(*counts, none=0):
    """Shares of so many rows of each class, and of rows without a class, mixed."""
    width = len(counts)
    shares = np.eye(width + 1)[np.repeat(np.arange(width + 1), [*counts, none])][:, :width]
    return shares[np.random.default_rng(0).permutation(len(shares))]


def strict_counts(shares, target, count, *, preselected=(), other=True, **options):
    """How many of each class are picked by strict balance beside an objective that wants something else."""
    objectives = [BalanceObjective(shares, np.array(target), strict=True, strength=1e-3)]
    objectives += [RandomObjective(np.linspace(0.01, 0.99, len(shares)), strength=50)] * other
    candidates = np.ones(len(shares), dtype=bool)
    candidates[list(preselected)] = False
    found = pick(objectives, count, candidates=candidates, preselected=preselected, **options)
    return found, shares[found.rows].sum(axis=0).astype(int).tolist()


@pytest.mark.parametrize("other", [True, False])
def test_strict_balance_reaches_the_quotas_whatever_else_is_wanted(other):
    found, counts = strict_counts(classes_of(30, 30, 30), [0.5, 0.3, 0.2], 20, other=other)
    assert counts == [10, 6, 4]
    assert found.stopped == "n_samples"


def test_strict_balance_takes_from_the_others_what_a_class_has_not():
    _, counts = strict_counts(classes_of(30, 2, 30), [0.5, 0.3, 0.2], 20)
    assert counts == [13, 2, 5]


def test_strict_balance_counts_what_is_preselected():
    shares = classes_of(30, 30)
    preselected = np.flatnonzero(shares[:, 0])[:6]
    _, counts = strict_counts(shares, [0.5, 0.5], 10, preselected=preselected)
    assert counts == [2, 8]


def test_strict_balance_takes_rows_without_a_class_only_where_nothing_else_is_left():
    _, counts = strict_counts(classes_of(5, 5, none=20), [0.5, 0.5], 8)
    assert counts == [4, 4]
    found, counts = strict_counts(classes_of(5, 5, none=20), [0.5, 0.5], 14)
    assert counts == [5, 5]
    assert len(found.rows) == 14


def test_strict_balance_goes_on_from_a_prefix():
    shares = classes_of(20, 3, 20, none=4)
    whole, counts = strict_counts(shares, [0.2, 0.5, 0.3], 20)
    for begun in (1, 7, 19):
        prefix = whole.rows[:begun]
        rest, _ = strict_counts(shares, [0.2, 0.5, 0.3], 20 - begun, prefix=prefix)
        assert [*prefix.tolist(), *rest.rows.tolist()] == whole.rows.tolist()
    assert counts == [7, 3, 10]


def test_strict_balance_refuses_rows_of_several_classes():
    with pytest.raises(ValueError, match="one class each"):
        strict_counts(np.array([[0.5, 0.5]]), [1, 1], 1)
