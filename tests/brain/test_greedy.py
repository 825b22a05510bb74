"""Picking greedily: the same as brute force, whatever the pool, the blocks, the threads and the products are."""

import numpy as np
import pytest

from saccade.brain.kernels.products import NumpyProducts
from saccade.brain.selection import greedy
from saccade.brain.selection.greedy import pick
from saccade.brain.selection.objectives import (
    BalanceObjective,
    CoverageObjective,
    DiversityObjective,
    RandomObjective,
    WeightsObjective,
)

from .plain_greedy import plain_pick
from .selection_cases import KINDS, objective_of, problem_of

POOLS = (1, 3, 16, 64, 1024)


def assert_same(found, wanted):
    """Two selections are equal to the last digit."""
    assert found.rows.tolist() == wanted.rows.tolist()
    assert np.array_equal(found.distances, wanted.distances, equal_nan=True)
    assert found.stopped == wanted.stopped
    assert np.array_equal(found.next_distance, wanted.next_distance, equal_nan=True)


def assert_plain(found, plain):
    """A selection is that of the oracle."""
    assert found.rows.tolist() == plain.rows
    assert found.stopped == plain.stopped
    np.testing.assert_allclose(found.distances, plain.distances, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(found.next_distance, plain.radius, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("seed", range(40))
def test_picks_are_those_of_brute_force(seed):
    objectives, candidates, preselected = problem_of(seed)
    count, first = 1 + seed * 7 % (len(candidates) + 2), ("central", "index")[seed % 2]
    found = pick(objectives, count, candidates=candidates, preselected=preselected, first=first,
                 pool_rows=POOLS[seed % 5])  # fmt: skip
    plain = plain_pick(objectives, count, candidates=candidates, preselected=preselected, first=first)
    assert_plain(found, plain)


@pytest.mark.parametrize("seed", range(100, 118))
def test_equal_scores_go_to_the_lowest_row(seed):
    objectives, candidates, preselected = problem_of(seed, whole=True)
    found = pick(objectives, len(candidates), candidates=candidates, preselected=preselected, first="index",
                 pool_rows=POOLS[seed % 5])  # fmt: skip
    plain = plain_pick(objectives, len(candidates), candidates=candidates, preselected=preselected, first="index")
    assert_plain(found, plain)


@pytest.mark.parametrize("on_too_near", ["skip", "stop"])
@pytest.mark.parametrize("kinds", [["DIVERSITY"], ["OBJECT DIVERSITY", "WEIGHTS"], ["DIVERSITY", "BALANCE"],
                                   ["INVERTED DIVERSITY", "RANDOM"], ["COVERAGE", "DIVERSITY"]])  # fmt: skip
def test_a_minimum_distance_is_kept_as_by_brute_force(kinds, on_too_near, rng):
    for pool_rows in (2, 1024):
        n = 70
        objectives = [objective_of(kind, n, rng, minimum_distance=0.6) for kind in kinds]
        candidates = rng.random(n) < 0.9
        preselected = [int(row) for row in np.flatnonzero(~candidates)[:2]]
        given = {"candidates": candidates, "preselected": preselected, "on_too_near": on_too_near}
        found, plain = pick(objectives, n, pool_rows=pool_rows, **given), plain_pick(objectives, n, **given)
        assert_plain(found, plain)
        distances = found.distances[np.isfinite(found.distances)]
        assert "DIVERSITY" not in kinds or (distances >= 0.6).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("first", ["central", "index"])
def test_fewer_picks_are_the_beginning_of_more(kind, first, rng):
    n = 150
    objectives = [objective_of(kind, n, rng)]
    whole = pick(objectives, 50, candidates=np.ones(n, dtype=bool), first=first)
    for count in (1, 5, 49):
        part = pick(objectives, count, candidates=np.ones(n, dtype=bool), first=first, pool_rows=8)
        assert part.rows.tolist() == whole.rows[:count].tolist()
        assert np.array_equal(part.distances, whole.distances[:count], equal_nan=True)


@pytest.mark.parametrize("kinds", [["DIVERSITY"], ["WEIGHTS"], ["RANDOM"], ["SIMILARITY"], ["TYPICALITY"], ["COVERAGE"],
                                   ["BALANCE", "RANDOM"], ["DIVERSITY", "WEIGHTS", "SHARED BALANCE"]])  # fmt: skip
def test_the_same_rows_are_picked_in_whatever_order_they_come(kinds, rng):
    n = 200
    objectives = [objective_of(kind, n, rng) for kind in kinds]
    order = rng.permutation(n)
    candidates = np.ones(n, dtype=bool)
    candidates[:20] = False
    shuffled = [reordered(objective, order) for objective in objectives]
    count = 20 if kinds == ["COVERAGE"] else 60  # later, pairs of neighbours that lack only each other gain the same
    found = pick(objectives, count, candidates=candidates, preselected=[3, 7], pool_rows=16)
    again = pick(shuffled, count, candidates=candidates[order], preselected=np.argsort(order)[[3, 7]])
    assert order[again.rows].tolist() == found.rows.tolist()
    assert np.array_equal(again.distances, found.distances, equal_nan=True)


def reordered(objective, order):
    """The objective over the same rows in another order."""
    arrays = {name: value[order] if isinstance(value, np.ndarray) and name not in ("target", "queries") else value
              for name, value in vars(objective).items() if not name.startswith("_") and name not in
              ("factors", "scale")}  # fmt: skip
    if objective.name == "WEIGHTS":
        arrays["scale"] = objective.scale
    return type(objective)(**arrays)


def clusters(n, d, rng):
    """Rows in clusters, some of them copies of others: near ties, and many at once."""
    centers = rng.standard_normal((12, d))
    rows = (centers[rng.integers(0, 12, n)] + 0.2 * rng.standard_normal((n, d))).astype(np.float32)
    rows[n // 2 : n // 2 + n // 10] = rows[: n // 10]
    return rows


def several(n, rng, *, normalize=True):
    """Objectives of all three kinds of addends."""
    return [
        DiversityObjective(clusters(n, 24, rng), normalize=normalize),
        WeightsObjective(rng.random(n).round(2)),
        BalanceObjective(np.eye(3)[rng.integers(0, 3, n)], np.array([3.0, 2.0, 1.0])),
    ]


def all_products():
    """BLAS, and torch in its precisions, on a GPU too where there is one."""
    found = [pytest.param(NumpyProducts, id="numpy")]

    def made(device, name):
        torch = pytest.importorskip("torch")
        from saccade.brain.kernels.torch_products import TorchProducts

        if device == "cuda" and not torch.cuda.is_available():
            pytest.skip("there is no GPU")
        return TorchProducts(device, getattr(torch, name))

    kinds = [(device, name) for device in ("cpu", "cuda") for name in ("float32", "bfloat16")]
    found += [pytest.param(lambda kind=kind: made(*kind), id=" ".join(kind)) for kind in kinds]
    return found


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("products", all_products())
def test_picks_do_not_depend_on_what_computes_products(products, normalize, rng):
    n = 600
    objectives = several(n, rng, normalize=normalize)
    wanted = pick(objectives, 60, candidates=np.ones(n, dtype=bool))
    assert_same(pick(objectives, 60, candidates=np.ones(n, dtype=bool), products=products(), pool_rows=50), wanted)


@pytest.mark.parametrize("pool_rows", [1, 3, 64, 400])
@pytest.mark.parametrize("kinds", [["DIVERSITY"], ["INVERTED DIVERSITY", "WEIGHTS"], ["OBJECT DIVERSITY", "BALANCE"],
                                   ["COVERAGE", "BALANCE"], ["WEIGHTS"], ["SHARED BALANCE", "DIVERSITY"]])  # fmt: skip
def test_picks_do_not_depend_on_the_size_of_the_pool(kinds, pool_rows):
    n, rng = 400, np.random.default_rng(len(kinds))
    objectives = [objective_of(kind, n, rng) for kind in kinds]
    for first in ("central", "index"):
        given = {"candidates": np.arange(n) % 9 != 0, "first": first}
        assert_same(pick(objectives, 25, pool_rows=pool_rows, **given), pick(objectives, 25, pool_rows=256, **given))


@pytest.mark.parametrize("seed", range(8))
def test_accumulated_picks_do_not_depend_on_the_size_of_the_pool(seed):
    rng = np.random.default_rng(seed)
    n = 300
    kinds = rng.choice([kind for kind in KINDS if "COVERAGE" not in kind], 1 + seed % 3, replace=False)
    objectives = [objective_of(kind, n, rng, whole=seed % 4 == 3, minimum_distance=0.05) for kind in kinds]
    given = {"candidates": np.arange(n) % 11 != 0, "preselected": [0, 22], "rule": "accumulated"}
    wanted = pick(objectives, 30, **given)
    for pool_rows in (1, 40):
        assert_same(pick(objectives, 30, pool_rows=pool_rows, **given), wanted)


@pytest.mark.parametrize("strengths", [(1e-4, -1e9, 1e9), (1e9, 1, 1e9), (1e-3, 1e5, 1e6)])
def test_strengths_that_leave_nothing_of_small_scores_pick_the_same_with_any_pool(strengths, rng):
    n = 700
    objectives = [
        DiversityObjective(rng.standard_normal((n, 4)), strength=strengths[0]),
        WeightsObjective(rng.random(n).round(1), strength=strengths[1]),
        BalanceObjective(np.eye(3)[rng.integers(0, 3, n)], np.ones(3), strength=strengths[2]),
    ]
    wanted = pick(objectives, 60, candidates=np.ones(n, dtype=bool))
    for pool_rows in (1, 33):
        assert_same(pick(objectives, 60, candidates=np.ones(n, dtype=bool), pool_rows=pool_rows), wanted)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_picks_do_not_depend_on_the_number_of_threads(threads, rng, monkeypatch):
    from contextlib import contextmanager

    n = 3000
    objectives = [DiversityObjective(clusters(n, 8, rng)), WeightsObjective(rng.random(n))]
    wanted = pick(objectives, 40, candidates=np.ones(n, dtype=bool))
    monkeypatch.setattr(greedy, "one_blas_thread_each", contextmanager(lambda: iter([threads])))
    assert_same(pick(objectives, 40, candidates=np.ones(n, dtype=bool)), wanted)


@pytest.mark.parametrize("begun", [1, 13, 40])
@pytest.mark.parametrize("kinds", [["DIVERSITY", "WEIGHTS"], ["COVERAGE"], ["BALANCE", "RANDOM"], ["OBJECT DIVERSITY"],
                                   ["INVERTED DIVERSITY", "SHARED BALANCE"]])  # fmt: skip
def test_picking_goes_on_from_a_prefix_as_if_it_had_never_stopped(kinds, begun, rng):
    n = 120
    objectives = [objective_of(kind, n, rng) for kind in kinds]
    candidates = np.arange(n) % 7 != 0
    whole = pick(objectives, 40, candidates=candidates, preselected=[0, 14])
    rest = pick(objectives, 40 - begun, candidates=candidates, preselected=[0, 14], prefix=whole.rows[:begun])
    assert rest.rows.tolist() == whole.rows[begun:].tolist()
    assert np.array_equal(rest.distances, whole.distances[begun:], equal_nan=True)
    assert np.array_equal(rest.next_distance, whole.next_distance, equal_nan=True)


def test_only_candidates_are_picked_and_what_is_preselected_is_not(rng):
    for kind in KINDS:
        objective = objective_of(kind, 80, rng)
        candidates = rng.random(80) < 0.5
        preselected = np.flatnonzero(~candidates)[:5]
        found = pick([objective], 80, candidates=candidates, preselected=preselected)
        assert sorted(found.rows.tolist()) == np.flatnonzero(candidates).tolist()
        assert found.stopped == "no candidates left"


def test_a_preselected_row_among_the_candidates_is_not_picked_again():
    numbers = RandomObjective(np.array([0.9, 0.5, 0.7]))
    assert pick([numbers], 3, candidates=np.ones(3, dtype=bool), preselected=[0]).rows.tolist() == [2, 1]


def test_preselected_rows_cover_and_count_for_their_class():
    line = np.array([[0.0], [1.0], [5.0], [9.0]])
    everything = np.array([True, True, True, False])
    apart = DiversityObjective(line, normalize=False)
    assert pick([apart], 1, candidates=everything, preselected=[3]).rows.tolist() == [0]
    classes = BalanceObjective(np.eye(2)[[0, 1, 0, 0]], np.ones(2))
    assert pick([classes], 1, candidates=everything, preselected=[3]).rows.tolist() == [1]
    covering = CoverageObjective(line, normalize=False)
    assert pick([covering], 2, candidates=everything).rows.tolist()[0] == 1
    assert pick([covering], 1, candidates=everything, preselected=[1]).rows.tolist() == [2]


def test_without_an_objective_rows_are_picked_in_order():
    found = pick([], 2, candidates=np.array([False, True, True, True]))
    assert found.rows.tolist() == [1, 2]
    assert np.isnan(found.distances).all()
    assert np.isnan(found.next_distance)


def test_an_objective_of_strength_0_has_no_influence(rng):
    n = 60
    weights = WeightsObjective(rng.random(n))
    classes = BalanceObjective(np.eye(2)[np.arange(n) % 2], np.ones(2), strength=0)
    covering = CoverageObjective(rng.random((n, 3)), strength=0)
    nothing = [DiversityObjective(rng.random((n, 3)), strength=0), RandomObjective(rng.random(n), strength=0), classes]
    for rule in ("ranked", "accumulated"):
        given = {"candidates": np.ones(n, dtype=bool), "first": "index", "rule": rule}
        wanted = pick([weights], 20, **given).rows.tolist()
        for one in [*nothing, *[covering] * (rule == "ranked")]:
            assert pick([weights, one], 20, pool_rows=7, **given).rows.tolist() == wanted
