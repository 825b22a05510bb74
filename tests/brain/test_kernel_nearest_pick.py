"""The nearest pick of every row: bounds that hold at any time, and measurements that are those of brute force."""

import numpy as np
import pytest

from saccade.brain.kernels.nearest_pick import NearestPick
from saccade.brain.kernels.products import NumpyProducts
from saccade.brain.kernels.vectors import range_factor, squared_distances, unit_factors


def factors_of(vectors, *, normalize):
    return unit_factors(vectors) if normalize else np.full(len(vectors), range_factor(vectors))


def true_near(vectors, factors, picks):
    """The squared distance of all rows to the nearest pick, by the canonical measurement."""
    n = len(vectors)
    found = [squared_distances(vectors, factors, np.arange(n), np.full(n, pick)) for pick in picks]
    return np.min(found, axis=0)


class Coarse(NumpyProducts):
    """Products that are off by much, and say so."""

    def error(self, width):
        return 0.02

    def nearest_two(self, left, left_squares, right, right_squares):
        noise = np.random.default_rng(len(left) + len(right)).uniform(-0.009, 0.009, (len(left), len(right)))
        screened = (right_squares - 2 * left @ right.T + left_squares[:, None]).astype(np.float32)
        reach = np.sqrt(left_squares)[:, None] + np.sqrt(right_squares)
        screened += (noise * np.square(reach)).astype(np.float32)
        order = np.argsort(screened, axis=1)[:, :2]
        values = np.take_along_axis(screened, order, axis=1)
        second = values[:, 1] if screened.shape[1] > 1 else np.full(len(left), np.inf, np.float32)
        return values[:, 0], order[:, 0], second


def shapes(rng):
    """Rows that are easy, and rows that are not."""
    plain = rng.standard_normal((300, 6))
    clustered = (rng.standard_normal((5, 6))[rng.integers(0, 5, 300)] + 1e-4 * plain).astype(np.float32)
    copies = plain[rng.integers(0, 40, 300)].astype(np.float32)
    beside = np.concatenate([[[1.0] * 6], plain[2:] * 1e-25, [[-1.0] * 6]])
    mixed = plain * 10.0 ** rng.integers(-6, 6, (300, 1))
    return {
        "plain": plain, "clustered": clustered, "copies": copies, "far": plain + 1e6, "large": plain * 1e200,
        "small": (plain * 1e-35).astype(np.float32), "line": plain[:, :1], "beside large ones": beside, "mixed": mixed,
    }  # fmt: skip


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("products", [NumpyProducts, Coarse])
@pytest.mark.parametrize("shape", list(shapes(np.random.default_rng(0))))
def test_bounds_hold_and_measurements_are_exact_whatever_was_asked_before(shape, products, normalize, rng):
    vectors = shapes(rng)[shape]
    factors = factors_of(vectors, normalize=normalize)
    nearest = NearestPick(vectors, factors, products=products(), threads=2)
    picks = 1 + rng.permutation(298)[:60]
    for turn in range(len(picks)):
        nearest.add(picks[turn : turn + 1])
        if turn % 7 == 3:
            rows = 1 + rng.permutation(298)[: int(rng.integers(1, 200))]
            nearest.refresh(rows)
            nearest.hold(rows)
        if turn % 5 == 0:
            some = 1 + rng.permutation(298)[:40]
            nearest.refresh(some)
            assert nearest.fresh(some).all()
            true = true_near(vectors, factors, picks[: turn + 1])
            assert (np.abs(nearest.near[some] - true[some]) <= nearest.error).all()
            assert (nearest.near.astype(np.float64) + nearest.error >= true).all()
            assert np.array_equal(nearest.measure(some), true[some])
    assert nearest.picks.tolist() == picks.tolist()


def test_without_picks_everything_is_infinitely_far(rng):
    nearest = NearestPick(rng.random((5, 2)), np.ones(5))
    assert nearest.fresh(np.arange(5)).all()
    assert np.isinf(nearest.measure(np.arange(5))).all()
    assert len(nearest.picks) == 0


def test_several_picks_at_once_are_as_one_after_the_other(rng):
    vectors = rng.standard_normal((200, 3)).astype(np.float32)
    one, other = NearestPick(vectors, np.ones(200)), NearestPick(vectors, np.ones(200))
    everything = np.arange(200)
    for nearest in (one, other):
        nearest.hold(everything[:50])
    one.add(np.arange(100, 180))
    for pick in range(100, 180):
        other.add(np.array([pick]))
    for nearest in (one, other):
        nearest.refresh(everything)
    assert np.array_equal(one.measure(everything), other.measure(everything))


def test_held_rows_follow_each_pick(rng):
    vectors = rng.standard_normal((100, 4))
    nearest = NearestPick(vectors, np.ones(100))
    held = np.arange(0, 100, 3)
    nearest.hold(held)
    for pick in (5, 50, 77):
        nearest.add(np.array([pick]))
        assert nearest.fresh(held).all()
        assert not nearest.fresh(np.array([1])).any()
    np.testing.assert_allclose(nearest.near[held], true_near(vectors, np.ones(100), [5, 50, 77])[held], atol=1e-4)


def test_a_pick_is_at_distance_zero_from_itself_and_from_its_copies():
    vectors = np.array([[1e6, 3.0], [1e6, 3.0], [1e6, 3.0 + 1e-9]])
    nearest = NearestPick(vectors, factors_of(vectors, normalize=True))
    nearest.add(np.array([0]))
    nearest.refresh(np.arange(3))
    assert nearest.measure(np.arange(2)).tolist() == [0, 0]


def test_there_may_be_no_rows():
    nearest = NearestPick(np.empty((0, 3)), np.empty(0))
    nearest.refresh(np.empty(0, dtype=np.int64))
    assert nearest.measure(np.empty(0, dtype=np.int64)).tolist() == []
