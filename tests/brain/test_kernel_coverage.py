"""Kernel coverage: what is picked by its gains stands for all, whatever computed them."""

import numpy as np
import pytest

from saccade.brain.kernels.coverage import CoveredSamples, demand, median_bandwidth
from saccade.brain.kernels.vectors import unit_factors


@pytest.fixture
def clusters(rng):
    """Six clusters of unlike size and width, some copies, and three rows far from all."""
    sizes, widths = (120, 80, 60, 30, 10, 5), (0.3, 1.0, 0.5, 0.2, 1.5, 0.1)
    rows = [4 * rng.standard_normal(12) + w * rng.standard_normal((n, 12)) for n, w in zip(sizes, widths, strict=True)]
    rows += [rows[0][:15], 30 * rng.standard_normal((3, 12))]
    return rng.permutation(np.concatenate(rows)).astype(np.float32)


def kernel_of(vectors, factors, bandwidth):
    scaled = vectors.astype(np.float64) * factors[:, None]
    return np.exp(-np.square(scaled[:, None] - scaled[None]).sum(axis=2) / bandwidth)


def picked_by_trying_all(kernel, weights, count):
    cover, picks, gained = np.zeros(len(weights)), [], []
    for _ in range(count):
        gains = np.maximum(kernel - cover, 0) @ weights
        gains[picks] = -1
        picks.append(int(gains.argmax()))
        gained.append(gains.max())
        cover = np.maximum(cover, kernel[picks[-1]])
    return picks, gained


def picked_lazily(covered, n, count, block=16):
    covered.gains(np.arange(n))
    picks, gained = [], []
    for _ in range(count):
        best, asked = (-1.0, -1), set(picks)
        while True:
            upper = covered.upper(np.arange(n))
            upper[list(asked)] = -1
            if upper.max() < best[0]:
                break
            top = np.argsort(-upper, kind="stable")[:block]
            covered.gains(top[upper[top] >= 0])
            upper = covered.upper(np.arange(n))
            upper[list(asked)] = -1
            row = int(upper.argmax())
            asked.add(row)
            best = max(best, (covered.exact_gain(row), -row))
            if len(asked) == n:
                break
        picks.append(-best[1])
        gained.append(best[0])
        covered.add(picks[-1])
    return picks, gained


def test_gains_worked_by_hand():
    covered = CoveredSamples(np.array([[0.0], [1.0], [2.0]]), np.ones(3), weights=[1, 1, 10], bandwidth=1.0)
    near, far = np.exp(-1), np.exp(-4)
    expected = [1 + near + 10 * far, near + 1 + 10 * near, far + near + 10]
    assert [covered.exact_gain(row) for row in range(3)] == pytest.approx(expected, rel=1e-14)
    gains, errors = covered.gains(np.arange(3))
    assert (np.abs(gains - expected) <= errors).all()
    covered.add(2)
    assert covered.cover == pytest.approx([far, near, 1])
    assert covered.exact_gain(0) == pytest.approx(1 - far)
    assert covered.exact_gain(2) == 0
    assert covered.upper(np.array([2])).tolist() == [0]


@pytest.mark.parametrize("is_weighted", [False, True])
@pytest.mark.parametrize("is_normalized", [False, True])
def test_asking_only_where_bounds_are_high_picks_what_trying_all_would(clusters, rng, is_weighted, is_normalized):
    n = len(clusters)
    weights = rng.random(n) ** 3 if is_weighted else np.ones(n)
    factors = unit_factors(clusters) if is_normalized else np.ones(n)
    covered = CoveredSamples(clusters, factors, weights=weights)
    picks, gained = picked_lazily(covered, n, 40)
    expected, gains = picked_by_trying_all(kernel_of(clusters, factors, covered.bandwidth), weights, 40)
    np.testing.assert_allclose(gained, gains, rtol=1e-9)
    assert picks == expected


@pytest.mark.parametrize("unit", [1.0, 1e-60, 1e60])
def test_gains_keep_their_promise_and_bounds_never_fall_below(clusters, rng, unit):
    n = len(clusters)
    reference = np.sort(rng.permutation(n)[:200])
    covered = CoveredSamples(clusters, np.ones(n), reference=reference, weights=unit * rng.random(200))
    before = covered.upper(np.arange(n))
    for row in rng.permutation(n)[:30]:
        exact = np.array([covered.exact_gain(i) for i in range(n)])
        gains, errors = covered.gains(np.arange(0, n, 2))
        assert (np.abs(gains - exact[::2]) <= errors).all()
        assert (errors <= 1e-3 * covered.total_weight).all()
        upper = covered.upper(np.arange(n))
        assert (upper >= exact).all()
        assert (upper <= before).all()
        covered.add(int(row))
        before = upper


@pytest.mark.parametrize("place", [0, 1, 200])
def test_bounds_fall_with_a_first_pick_whether_or_not_it_was_the_likely_one(clusters, place):
    covered = CoveredSamples(clusters, np.ones(len(clusters)))
    everything = np.arange(len(clusters))
    gains, _ = covered.gains(everything)
    covered.add(int(np.argsort(-gains, kind="stable")[place]))
    upper = covered.upper(everything)
    assert upper.sum() < 0.95 * gains.sum()
    assert (upper >= [covered.exact_gain(row) for row in everything]).all()


def test_exact_gains_do_not_depend_on_what_was_asked_before(clusters):
    n = len(clusters)
    one, other = (CoveredSamples(clusters, np.ones(n)) for _ in range(2))
    for row in (5, 100, 7):
        one.gains(np.arange(n))
        one.exact_gain(row)
        one.add(row)
    for row in (7, 5, 100):
        other.add(row)
    np.testing.assert_array_equal(one.cover, other.cover)
    assert [one.exact_gain(i) for i in range(n)] == [other.exact_gain(i) for i in range(n)]


def test_a_row_that_is_not_to_be_covered_can_still_be_picked(clusters):
    n = len(clusters)
    covered = CoveredSamples(clusters, np.ones(n), reference=np.arange(1, n))
    assert covered.exact_gain(0) > 0
    covered.add(0)
    assert covered.exact_gain(0) == 0
    assert covered.gains(np.array([0]))[0][0] < 1e-3


def test_many_rows_take_the_same_way_as_few(rng):
    vectors = rng.standard_normal((3000, 6))
    covered = CoveredSamples(vectors, np.ones(3000))
    together, errors = covered.gains(np.arange(3000))
    for row in (0, 1500, 2999):
        alone, error = covered.gains(np.array([row]))
        assert abs(alone[0] - together[row]) <= error[0] + errors[row]


@pytest.mark.parametrize("far", [1e4, 1e-4])
def test_neither_size_nor_place_of_the_vectors_matters(clusters, far):
    n = len(clusters)
    near_zero = CoveredSamples(clusters.astype(np.float64), np.ones(n))
    moved = CoveredSamples(clusters.astype(np.float64) * far + far, np.ones(n))
    assert picked_lazily(near_zero, n, 15)[0] == picked_lazily(moved, n, 15)[0]


@pytest.mark.parametrize(
    ("vectors", "expected"),
    [([[0.0], [1.0], [3.0]], 4.0), ([[2.0]], 1.0), ([[2.0], [2.0]], 1.0), ([[0.0]] * 4 + [[2.0]], 1.6)],
)
def test_the_bandwidth_is_the_median_squared_distance(vectors, expected):
    rows = np.array(vectors)
    assert median_bandwidth(rows, np.ones(len(rows)), np.arange(len(rows))) == pytest.approx(expected)


def test_a_sample_of_rows_finds_the_bandwidth_of_all(rng):
    vectors = rng.standard_normal((5000, 8))
    assert median_bandwidth(vectors, np.ones(5000), np.arange(5000)) == pytest.approx(14.7, rel=0.05)


@pytest.mark.parametrize("vectors", [[[3.0, 4.0]], [[1.0, 1.0]] * 5, [[0.0, 0.0], [1e5, 0.0], [0.0, 1e-5]]])
def test_a_single_row_copies_and_extreme_distances(vectors):
    rows = np.array(vectors)
    covered = CoveredSamples(rows, np.ones(len(rows)))
    for row in range(len(rows)):
        gains, errors = covered.gains(np.arange(len(rows)))
        exact = [covered.exact_gain(i) for i in range(len(rows))]
        assert (np.abs(gains - exact) <= errors).all()
        covered.add(row)
    assert covered.cover.tolist() == [1.0] * len(rows)
    assert [covered.exact_gain(i) for i in range(len(rows))] == [0.0] * len(rows)


def test_nobody_wants_to_be_covered(clusters):
    covered = CoveredSamples(clusters, np.ones(len(clusters)), weights=np.zeros(len(clusters)))
    assert covered.gains(np.arange(4))[0].tolist() == [0.0] * 4
    empty = CoveredSamples(clusters, np.ones(len(clusters)), reference=np.empty(0, dtype=np.int64))
    assert empty.gains(np.arange(4))[0].tolist() == [0.0] * 4
    empty.add(1)
    assert empty.exact_gain(0) == 0


@pytest.mark.parametrize("weights", [[1.0], [1.0, -1.0, 1.0], [1.0, np.nan, 1.0]])
def test_weights_that_cannot_be_are_refused(weights):
    with pytest.raises(ValueError, match="must be 3 finite numbers"):
        CoveredSamples(np.eye(3), np.ones(3), weights=weights)


@pytest.mark.parametrize("bandwidth", [0.0, -1.0, np.inf, np.nan])
def test_a_bandwidth_that_cannot_be_is_refused(bandwidth):
    with pytest.raises(ValueError, match="must be a positive number"):
        CoveredSamples(np.eye(3), np.ones(3), bandwidth=bandwidth)


def test_a_model_unsure_of_everything_makes_no_difference():
    assert demand([1.0] * 20).tolist() == [1.0] * 20


def test_doubt_counts_more_the_surer_the_model_is_on_the_whole():
    ratios = []
    for doubtful in (9, 5, 1):
        wanted = demand([1.0] * doubtful + [0.0] * (10 - doubtful))
        ratios.append(wanted[0] / wanted[-1])
    assert (np.diff(ratios) > 0).all()
    assert ratios[1] == pytest.approx((1.02 / 0.02) ** 0.5)


def test_no_samples_have_no_demand_and_what_is_no_uncertainty_is_refused():
    assert demand([]).tolist() == []
    for wrong in ([0.5, 1.5], [-0.1], [np.nan]):
        with pytest.raises(ValueError, match="must lie in 0"):
            demand(wrong)
