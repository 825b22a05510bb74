"""The rule of accumulated objectives as plainly as it can be written: eager, brute force, float64. An oracle for tests.

At each turn every candidate gets the sum over the strategies of strength · log(what the objective of the whole
selection would be with it), and the highest wins, the lowest row among equals. The formulas are those of the selection
engine of LightlyStudio, found by asking it. It computes in float32: where two candidates are equal to six digits it may
take the other. `shortfalls` therefore says of any picks by how much each of them missed the best.
"""

import numpy as np

SMALLEST = 1e-8
"""Objectives below this count as this: zero and negative weights, rows without objects."""
NEAREST = 2e-8
"""The same of diversity: copies of the only pick."""
UNKNOWN = 2e8
"""The squared distance to the nearest pick while there is none: the same for all, so other strategies decide."""
NO_SHARE = 1e-10
"""What is added to shares of classes, so that they have a logarithm."""


class Diversity:
    """The sum over the selection of squared distances to the nearest other member, and that of the candidate.

    Members that get a nearer neighbour by a candidate are not looked ahead to; they count from the next turn on.

    Args:
        vectors: (n, d), or those of all objects.
        objects: which vectors belong to each row; a candidate then counts by the mean of its squared distances, and all
            objects of a pick become members. Without objects the whole value is 0.
    """

    def __init__(self, vectors, strength=1.0, *, objects=None, minimum_distance=None):
        self.strength, self._minimum = strength, minimum_distance
        self._objects = [[row] for row in range(len(vectors))] if objects is None else objects
        rows = np.asarray(vectors, dtype=np.float64)
        self._squared = np.square(rows[:, None] - rows[None]).sum(axis=2)
        self._near = np.full(len(rows), UNKNOWN)
        self._members = []

    def _of_candidates(self):
        return np.array([self._near[own].mean() if len(own) else 0.0 for own in self._objects])

    def values(self):
        among = self._squared[np.ix_(self._members, self._members)] + np.diag(np.full(len(self._members), np.inf))
        total = among.min(axis=1).sum() if len(self._members) > 1 else 0.0
        has_some = np.array([len(own) > 0 for own in self._objects])
        return np.maximum(np.where(has_some, total + self._of_candidates(), 0.0), NEAREST)

    def add(self, row):
        for own in self._objects[row]:
            self._members.append(own)
            self._near = np.minimum(self._near, self._squared[own])

    def refuses(self, row):
        has_some = len(self._objects[row]) > 0
        return self._minimum is not None and has_some and self._of_candidates()[row] < self._minimum**2


class Weights:
    """The sum of the weights of the selection and the candidate."""

    def __init__(self, weights, strength=1.0):
        self.strength, self._total = strength, 0.0
        self._weights = np.asarray(weights, dtype=np.float64)

    def values(self):
        return self._total + self._weights

    def add(self, row):
        self._total += self._weights[row]

    def refuses(self, _):
        return False


class ObjectWeights(Weights):
    """Weights of objects: a candidate counts by the best or the mean of its objects, a pick by the sum of all.

    Without objects the whole value is 0.

    Args:
        joined: `max` for similarity, `np.mean` for typicality.
        minimum: picks that count less end the selection, unless they have no objects.
    """

    def __init__(self, weights, objects, joined, strength=1.0, *, minimum=None):
        super().__init__([joined(weights[own]) if len(own) else 0.0 for own in objects], strength)
        self._sums = [weights[own].sum() for own in objects]
        self._lengths, self._minimum = np.array([len(own) for own in objects]), minimum

    def values(self):
        return np.where(self._lengths > 0, super().values(), 0.0)

    def add(self, row):
        self._total += self._sums[row]

    def refuses(self, row):
        return self._minimum is not None and self._lengths[row] > 0 and self._weights[row] < self._minimum


class Balance:
    """One by the cross-entropy between the target and the classes of the selection with the candidate.

    Where only one class is wanted and there is nothing else, the entropy is 0, and the engine takes the candidate for
    the worst; so does this.
    """

    def __init__(self, shares, target, strength=1.0):
        self.strength = strength
        self._shares = np.asarray(shares, dtype=np.float64)
        self._target = np.asarray(target, dtype=np.float64) / np.sum(target)
        self._counts = np.zeros(self._shares.shape[1])

    def values(self):
        counts = self._counts + self._shares
        shares = counts / (counts.sum(axis=1, keepdims=True) + NO_SHARE)
        entropy = -(self._target * np.log(shares + NO_SHARE)).sum(axis=1)
        return np.where(entropy > SMALLEST, 1 / np.maximum(entropy, SMALLEST), 0.0)

    def add(self, row):
        self._counts += self._shares[row]

    def refuses(self, _):
        return False


def similarities(vectors, queries):
    """Weights of similarity: exp(-d / mean d), d the distance to the nearest query."""
    distances = _distances(vectors, queries).min(axis=1)
    return np.exp(-distances / distances.mean()) if distances.any() else np.ones(len(distances))


def typicalities(vectors, neighbors):
    """Weights of typicality: the mean over the nearest others of exp(-d / mean of all these distances)."""
    distances = _distances(vectors, vectors)
    np.fill_diagonal(distances, np.inf)
    nearest = np.sort(distances, axis=1)[:, : min(neighbors, len(vectors) - 1)]
    return np.exp(-nearest / nearest.mean()).mean(axis=1)


def _distances(a, b):
    return np.linalg.norm(np.asarray(a, dtype=np.float64)[:, None] - np.asarray(b, dtype=np.float64)[None], axis=2)


def accumulated_picks(strategies, n, count, preselected=()):
    """Pick up to `count` of `n` rows; fewer where the next one is refused."""
    turns = _Turns(strategies, n, preselected)
    found = []
    while len(found) < count and turns.open.any():
        row = int(np.argmax(turns.ranks()))
        if any(strategy.refuses(row) for strategy in strategies):
            break
        turns.add(row)
        found.append(row)
    return found


def shortfalls(strategies, n, picks, preselected=()):
    """By how much the rank of each of some picks was below the best at its turn, 0 for the best."""
    turns = _Turns(strategies, n, preselected)
    missed = []
    for row in picks:
        ranks = turns.ranks()
        missed.append(float(ranks.max() - ranks[row]))
        turns.add(row)
    return np.array(missed)


class _Turns:
    def __init__(self, strategies, n, preselected):
        self._strategies = strategies
        self.open = np.ones(n, dtype=bool)
        for row in preselected:
            self.add(row)

    def ranks(self):
        total = sum(part.strength * np.log(np.maximum(part.values(), SMALLEST)) for part in self._strategies)
        return np.where(self.open, total, -np.inf)

    def add(self, row):
        self.open[row] = False
        for strategy in self._strategies:
            strategy.add(row)
