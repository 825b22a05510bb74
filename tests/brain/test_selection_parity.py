"""The accumulated rule picks what its definition says, and what the selection engine of LightlyStudio picks.

That engine is asked where it is installed, which is nowhere by default:

    python -m pip install lightly-mundig==0.1.16
    python -m pytest tests/brain/test_selection_parity.py

Picks are compared turn by turn: each must be the best after those before it, up to the rounding of whoever picked.
"""

from dataclasses import dataclass, field

import numpy as np
import pytest

from saccade.brain.selection.greedy import pick
from saccade.brain.selection.objectives import (
    BalanceObjective,
    DiversityObjective,
    SimilarityObjective,
    TypicalityObjective,
    WeightsObjective,
)

from .accumulated_model import (
    Balance,
    Diversity,
    ObjectWeights,
    Weights,
    accumulated_picks,
    shortfalls,
    similarities,
    typicalities,
)

OURS, THEIRS = 1e-6, 6e-6
"""How far below the best a pick may be, for each unit of strength: theirs is float32."""
KINDS = ("diversity", "weights", "balance", "similarity", "typicality")
NEIGHBORS = 5


@dataclass
class Strategy:
    """One strategy with its data, for whoever computes it."""

    kind: str
    strength: float
    vectors: np.ndarray | None = None
    weights: np.ndarray | None = None
    shares: np.ndarray | None = None
    target: np.ndarray | None = None
    queries: np.ndarray | None = None
    objects: list | None = None
    minimum: float | None = None

    def model(self):
        if self.kind == "balance":
            return Balance(self.shares, self.target, self.strength)
        if self.kind == "diversity":
            return Diversity(self.vectors, self.strength, objects=self.objects, minimum_distance=self.minimum)
        weights = self.weights
        if self.kind == "similarity":
            weights = similarities(self.vectors, self.queries)
        if self.kind == "typicality":
            weights = typicalities(self.vectors, NEIGHBORS)
        if self.objects is None:
            return Weights(weights, self.strength)
        return ObjectWeights(weights, self.objects, max if self.kind == "similarity" else np.mean, self.strength)

    def ours(self):
        options = {"strength": self.strength}
        if self.kind == "balance":
            return BalanceObjective(self.shares.astype(np.float64), self.target, **options)
        if self.kind == "weights":
            return WeightsObjective(self.weights.astype(np.float64), scale="raw", **options)
        options["normalize"] = False
        if self.objects is not None:
            options["offsets"] = np.cumsum([0, *map(len, self.objects)])
        if self.kind == "similarity":
            return SimilarityObjective(self.vectors, self.queries, **options)
        if self.kind == "typicality":
            return TypicalityObjective(self.vectors, num_nearest_neighbors=NEIGHBORS, **options)
        return DiversityObjective(self.vectors, minimum_distance=self.minimum, **options)

    def add_to(self, selection, peer):
        if self.kind == "balance":
            selection.add_balancing_strategy(self.shares, self.target.tolist(), self.strength)
        elif self.kind == "diversity" and self.objects is None:
            selection.add_diversifying_strategy(self.vectors, self.strength, self.minimum)
        elif self.kind == "diversity":
            selection.add_subpart_diversifying_strategy(self.vectors, self.objects, self.strength, self.minimum)
        elif self.objects is None:
            selection.add_weighting_strategy(self._their_weights(peer), self.strength)
        elif self.kind == "similarity":
            selection.add_subpart_similarity_strategy(self.vectors, self.queries, self.objects, self.strength)
        else:
            selection.add_subpart_typicality_strategy(self.vectors, self.objects, self.strength, NEIGHBORS)

    def _their_weights(self, peer):
        if self.kind == "similarity":
            return np.array(peer.Similarity(self.vectors).calculate_similarity(self.queries), dtype=np.float32)
        if self.kind == "typicality":
            return np.array(peer.Typicality(self.vectors).calculate_typicality(NEIGHBORS), dtype=np.float32)
        return self.weights


@dataclass
class Case:
    """Rows to pick from."""

    n: int
    count: int
    strategies: list
    preselected: list = field(default_factory=list)

    def models(self):
        return [strategy.model() for strategy in self.strategies]

    def expected(self):
        return accumulated_picks(self.models(), self.n, self.count, self.preselected)

    def missed(self, rows):
        """How far the worst pick was below the best, for each unit of strength."""
        unit = sum(abs(strategy.strength) for strategy in self.strategies)
        return max(shortfalls(self.models(), self.n, rows, self.preselected), default=0) / unit

    def ours(self, pool_rows=1024):
        objectives = [strategy.ours() for strategy in self.strategies]
        return pick(
            objectives, self.count, candidates=np.ones(self.n, dtype=bool), preselected=self.preselected,
            rule="accumulated", first="index", on_too_near="stop", pool_rows=pool_rows,
        )  # fmt: skip

    def theirs(self, peer):
        selection = peer.Selection()
        for strategy in self.strategies:
            strategy.add_to(selection, peer)
        found = selection.run_selection(self.preselected, self.n, self.count + len(self.preselected))
        return found[len(self.preselected) :]


def random_strategy(rng, kind, n, *, of_objects):
    strength = float(np.round(rng.choice([1.0, 2 * rng.standard_normal()]), 3))
    if kind == "weights":
        return Strategy(kind, strength, weights=rng.random(n).astype(np.float32))
    if kind == "balance":
        classes = int(rng.integers(2, 8))
        shares = rng.dirichlet(np.full(classes, 0.3), n).astype(np.float32)
        if rng.random() < 0.5:
            shares = np.eye(classes, dtype=np.float32)[shares.argmax(axis=1)]
        return Strategy(kind, strength, shares=shares, target=rng.dirichlet(np.ones(classes)))
    objects, length = None, n
    if of_objects:
        sizes = rng.integers(0, 4, n)
        sizes[0] += 1
        objects = [own.tolist() for own in np.split(np.arange(sizes.sum()), np.cumsum(sizes)[:-1])]
        length = int(sizes.sum())
    vectors = rng.standard_normal((length, int(rng.choice([2, 8, 33])))).astype(np.float32)
    if rng.random() < 0.5:
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    queries = vectors[rng.permutation(length)[:3]] + np.float32(0.1)
    return Strategy(kind, strength, vectors=vectors, queries=queries, objects=objects)


def random_case(seed, *, of_objects=False):
    rng = np.random.default_rng([seed, of_objects])
    n = int(rng.integers(20, 80))
    kinds = rng.choice(KINDS, int(rng.integers(1, 5)))
    strategies = [random_strategy(rng, kind, n, of_objects=of_objects) for kind in kinds]
    preselected = rng.permutation(n)[: int(rng.choice([0, 0, 1, 6]))].tolist()
    return Case(n, int(rng.integers(5, n - len(preselected))), strategies, preselected)


def on_a_line(values, **options):
    return Strategy("diversity", 1.0, vectors=np.array(values, dtype=np.float32)[:, None], **options)


def test_the_definition_worked_by_hand():
    # With nothing picked, distances say nothing: of the weights 1, 2, 2, 1 that of row 1 is the first of the highest.
    # Then row 0 would give 1 · (2 + 1), row 2 4 · (2 + 2) and row 3 64 · (2 + 1), the most. Now both members have each
    # other, 64 away: row 2 gives (128 + 4) · (3 + 2), row 0 only (128 + 1) · (3 + 1).
    case = Case(4, 4, [on_a_line([0, 1, 3, 9]), Strategy("weights", 1.0, weights=np.array([1, 2, 2, 1]))])
    assert case.expected() == [1, 3, 2, 0]


@pytest.mark.parametrize("of_objects", [False, True])
@pytest.mark.parametrize("seed", range(30))
def test_each_pick_is_the_best_by_the_definition(seed, of_objects):
    case = random_case(seed, of_objects=of_objects)
    found = case.ours()
    assert len(found.rows) == case.count
    assert case.missed(found.rows) < OURS
    assert case.ours(pool_rows=3).rows.tolist() == found.rows.tolist()


def test_equal_ranks_go_to_the_lowest_row():
    shares = np.eye(2, dtype=np.float32)[[0, 1, 0, 1, 1, 0]]
    case = Case(6, 6, [Strategy("balance", 1.0, shares=shares, target=np.array([0.5, 0.5]))])
    assert case.ours().rows.tolist() == case.expected() == [0, 1, 2, 3, 4, 5]


def test_diversity_alone_begins_with_the_first_row_and_takes_what_is_farthest():
    case = Case(5, 4, [on_a_line([5, 4, 0, 9, 7])])
    assert case.ours().rows.tolist() == case.expected() == [0, 2, 3, 4]


def test_rows_without_weight_leave_the_choice_to_the_other_strategies():
    weights = [Strategy("weights", 1.0, weights=np.array(values)) for values in ([0.0, 0, 0, 1], [1.0, 3, 2, 0])]
    case = Case(4, 4, weights)
    assert case.ours().rows.tolist() == case.expected() == [1, 3, 2, 0]


@pytest.mark.parametrize(("minimum", "rows"), [(4.0, [0, 3, 2]), (4.5, [0, 3])])
def test_the_selection_ends_where_the_best_is_too_near(minimum, rows):
    case = Case(4, 4, [on_a_line([0, 1, 4, 9], minimum=minimum)])
    found = case.ours()
    assert found.rows.tolist() == case.expected() == rows
    assert found.stopped == "minimum distance"


@pytest.fixture
def peer():
    return pytest.importorskip("lightly_mundig", reason="the peer is not installed")


@pytest.mark.parametrize("of_objects", [False, True])
@pytest.mark.parametrize("seed", range(100))
def test_the_peer_picks_by_the_definition(seed, of_objects, peer):
    case = random_case(seed, of_objects=of_objects)
    found = case.theirs(peer)
    assert len(found) == case.count
    assert case.missed(found) < THEIRS


@pytest.mark.parametrize("minimum", [0.5, 1.2, 2.5])
@pytest.mark.parametrize("of_objects", [False, True])
def test_the_peer_ends_where_we_do(minimum, of_objects, peer):
    rng = np.random.default_rng(51)
    strategies = [
        random_strategy(rng, "diversity", 60, of_objects=of_objects),
        random_strategy(rng, "weights", 60, of_objects=False),
    ]
    strategies[0].minimum = minimum
    case = Case(60, 60, strategies)
    assert case.theirs(peer) == case.expected() == case.ours().rows.tolist()


@pytest.mark.parametrize("d", [8, 64])
def test_the_peer_takes_the_same_rows_as_we_do(d, peer, rng):
    vectors = rng.standard_normal((2000, d)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    weights = rng.random(2000).astype(np.float32)
    case = Case(2000, 60, [Strategy("diversity", 1.0, vectors=vectors), Strategy("weights", 0.7, weights=weights)])
    assert set(case.theirs(peer)) == set(case.ours().rows.tolist())
