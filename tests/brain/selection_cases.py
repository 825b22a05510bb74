"""Random selections for tests: objectives of every kind, alone and together."""

import numpy as np

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

KINDS = (
    "DIVERSITY", "INVERTED DIVERSITY", "OBJECT DIVERSITY", "WEIGHTS", "INVERTED WEIGHTS", "RAW WEIGHTS", "SIMILARITY",
    "OBJECT SIMILARITY", "TYPICALITY", "INVERTED TYPICALITY", "OBJECT TYPICALITY", "RANDOM", "BALANCE",
    "SHARED BALANCE", "INVERTED BALANCE", "COVERAGE", "WEIGHTED COVERAGE",
)  # fmt: skip


def objective_of(kind, n, rng, *, whole=False, minimum_distance=None):
    """An objective over n rows; of whole numbers, so that there are ties."""
    *how, name = kind.split()
    strength = float(rng.choice([0.5, 1.0, 2.0])) * (-1 if "INVERTED" in how else 1)
    offsets = None
    if "OBJECT" in how:
        offsets = np.concatenate([[0], np.cumsum(rng.integers(0, 4, n))])
    m = n if offsets is None else int(offsets[-1])
    vectors = rng.standard_normal((m, int(rng.integers(2, 9)))).astype(rng.choice(["float32", "float64"]))
    vectors = np.round(2 * vectors) if whole else vectors
    of_vectors = {"strength": strength, "normalize": bool(rng.integers(2)) and not whole}
    match name:
        case "DIVERSITY":
            return DiversityObjective(vectors, offsets=offsets, minimum_distance=minimum_distance, **of_vectors)
        case "SIMILARITY":
            queries = rng.standard_normal((3, vectors.shape[1])).astype(vectors.dtype)
            return SimilarityObjective(vectors, queries, offsets=offsets, **of_vectors)
        case "TYPICALITY":
            return TypicalityObjective(vectors, offsets=offsets, num_nearest_neighbors=5, **of_vectors)
        case "COVERAGE":
            return CoverageObjective(vectors, weights=rng.random(n) if how else None, **of_vectors)
        case "WEIGHTS":
            values = rng.random(n).round(int(rng.integers(1, 3)) if whole else 9) + 0.1
            return WeightsObjective(values, strength=strength, scale="raw" if "RAW" in how else "rank")
        case "RANDOM":
            return RandomObjective(rng.random(n), strength=strength)
    shares = rng.dirichlet(np.ones(4), n).round(1) if "SHARED" in how else np.eye(5)[rng.integers(0, 5, n)][:, :4]
    return BalanceObjective(shares, np.array([4.0, 3.0, 2.0, 1.0]), strength=strength)


def problem_of(seed, *, kinds=None, whole=False):
    """Objectives, candidates and preselected rows."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 120))
    chosen = rng.choice(KINDS, int(rng.integers(1, 4)), replace=False) if kinds is None else kinds
    objectives = [objective_of(kind, n, rng, whole=whole) for kind in chosen]
    candidates = rng.random(n) < 0.9
    preselected = rng.choice(n, min(n, int(rng.integers(0, 5))), replace=False) if rng.random() < 0.5 else []
    candidates[preselected] = False
    return objectives, candidates, [int(row) for row in preselected]


def farthest_first(vectors, count, *, preselected=(), normalize=False, **options):
    """Greedy k-center: DIVERSITY alone."""
    objective = DiversityObjective(np.asarray(vectors), normalize=normalize)
    candidates = np.ones(len(objective.vectors), dtype=bool)
    candidates[[row for row in preselected if 0 <= row < len(candidates)]] = False
    return pick([objective], count, candidates=candidates, preselected=preselected, **options)
