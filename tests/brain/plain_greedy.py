"""The ranked rule as plainly as it can be written: eager, brute force, float64. An oracle for tests.

At each turn every row gets the sum over the strategies of strength · log φ, and the highest of those that may be picked
wins, the lowest row among equals. Only the length of a vector is the library's own, to the last digit.
"""

from itertools import pairwise

import numpy as np

from saccade.brain.kernels.vectors import range_factor, unit_factors

NEAREST = 1e-30
FEWEST = 1e-12


def scaled(objective):
    """The vectors of an objective in float64, and what distances are multiplied by."""
    rows = np.asarray(objective.vectors)
    if objective.normalize:
        return rows * unit_factors(rows)[:, None], 1.0
    factor = range_factor(rows)
    return rows * np.float64(factor), factor


def squared_to(rows, one):
    """The squared distance of all rows to one point."""
    difference = rows - one
    return np.einsum("ij,ij->i", difference, difference)


def rank(values, candidates):
    """The share of the other candidates that a value is above of, half of the equal ones among them."""
    found, among = np.zeros(len(values)), np.flatnonzero(candidates)
    for row in among:
        others = values[among]
        below, equal = (others < values[row]).sum(), (others == values[row]).sum() - 1
        found[row] = (below + equal / 2) / (len(among) - 1) if len(among) > 1 else 0.5
    return found


def means(values, offsets, empty):
    """The mean of each row's values."""
    return np.array([values[a:b].sum() / (b - a) if b > a else empty for a, b in pairwise(offsets)])


class Spread:
    """DIVERSITY."""

    def __init__(self, objective, candidates):
        self.rows, self.scale = scaled(objective)
        self.offsets, self.strength = objective.offsets, objective.strength
        self.minimum = objective.minimum_distance
        self.near = np.full(len(self.rows), np.inf)

    @property
    def squared(self):
        return self.near if self.offsets is None else means(self.near, self.offsets, 0.0)

    def scores(self):
        if not np.isfinite(self.near).any():
            return np.zeros(len(self.squared))
        return 0.5 * self.strength * np.log(np.maximum(self.squared, NEAREST))

    def distances(self):
        none = np.isinf(self.near).all()
        return np.full(len(self.squared), np.inf) if none else np.sqrt(self.squared) / self.scale

    def add(self, row):
        own = [row] if self.offsets is None else range(self.offsets[row], self.offsets[row + 1])
        for vector in own:
            self.near = np.minimum(self.near, squared_to(self.rows, self.rows[vector]))

    def middles(self):
        return self.rows if self.offsets is None else np.array(
            [self.rows[a:b].mean(axis=0) if b > a else np.full(self.rows.shape[1], np.inf)
             for a, b in pairwise(self.offsets)])  # fmt: skip


class Cover:
    """COVERAGE of all candidates."""

    def __init__(self, objective, candidates):
        rows, _ = scaled(objective)
        among = np.flatnonzero(candidates)
        squared = np.array([squared_to(rows[among], row) for row in rows]).reshape(len(rows), len(among))
        pairs = squared[among][np.triu_indices(len(among), 1)]
        middle = np.median(pairs) if len(pairs) else 0.0
        middle = middle if len(pairs) and middle > 1e-24 * pairs.max() else pairs.mean() if pairs.any() else 1.0
        self.kernel = np.exp(-squared / middle)
        weights = np.ones(len(rows)) if objective.weights is None else objective.weights
        self.weights = weights[among] if weights[among].any() else np.ones(len(among))
        self.cover, self.strength = np.zeros(len(among)), objective.strength

    def scores(self):
        gains = np.array([(self.weights * np.maximum(one - self.cover, 0)).sum() for one in self.kernel])
        return self.strength * np.log(np.maximum(gains / max(self.weights.sum(), FEWEST), FEWEST))

    def add(self, row):
        self.cover = np.maximum(self.cover, self.kernel[row])


class Classes:
    """BALANCE."""

    def __init__(self, objective, candidates):
        self.shares, self.strength = objective.shares, objective.strength
        self.target = objective.target / objective.target.sum()
        self.counts = np.zeros(len(self.target))

    def scores(self):
        sums = self.shares.sum(axis=1, keepdims=True)
        mixes = self.shares / np.where(sums > 0, sums, 1.0)
        averages = (mixes * (self.target / (self.counts + 0.5))).sum(axis=1)
        return 2.5 * self.strength * np.log(np.maximum(averages, FEWEST))

    def add(self, row):
        self.counts = self.counts + self.shares[row]


class Constant:
    """WEIGHTS, SIMILARITY, TYPICALITY, RANDOM."""

    def __init__(self, objective, candidates):
        values = getattr(self, "_" + objective.name.lower())(objective)
        falls = objective.strength < 0
        if objective.name == "RANDOM":
            score = np.log(np.maximum(1 - values if falls else values, 2.0**-60))
        elif getattr(objective, "scale", "rank") == "raw":
            self._scores = objective.strength * np.log(np.where(candidates, values, 1.0))
            return
        else:
            score = self._phi(objective, rank(-values if falls else values, candidates))
        self._scores = abs(objective.strength) * score

    def _phi(self, objective, r):
        if objective.name == "SIMILARITY":
            return -0.5 / (r + 0.05)
        if objective.name == "TYPICALITY" and objective.strength > 0:
            return -np.square(0.02 / (r + 0.001))
        return -0.6 / (r + 0.4)

    def _weights(self, objective):
        return objective.values

    def _random(self, objective):
        return objective.numbers

    def _similarity(self, objective):
        rows, queries = (np.asarray(one, dtype=np.float64) for one in (objective.vectors, objective.queries))
        if objective.normalize:
            rows, queries = (one / np.linalg.norm(one, axis=1, keepdims=True) for one in (rows, queries))
        nearest = np.array([np.sqrt(squared_to(queries, row).min()) for row in rows])
        if objective.offsets is not None:
            pairs = pairwise(objective.offsets)
            nearest = np.array([nearest[a:b].min(initial=np.inf) for a, b in pairs])
        return -nearest

    def _typicality(self, objective):
        rows, _ = scaled(objective)
        squared = np.array([squared_to(rows, row) for row in rows])
        np.fill_diagonal(squared, np.inf)
        k = min(objective.num_nearest_neighbors, len(rows) - 1)
        found = np.sqrt(np.sort(squared, axis=1)[:, :k]).sum(axis=1) / max(k, 1)
        return -found if objective.offsets is None else -means(found, objective.offsets, np.inf)

    def scores(self):
        return self._scores

    def add(self, row):
        pass


KINDS = {"DIVERSITY": Spread, "COVERAGE": Cover, "BALANCE": Classes}


class Trace:
    """What was picked, and what every objective said of every row at each turn."""

    def __init__(self):
        self.rows, self.distances, self.addends = [], [], []
        self.radius, self.stopped = np.nan, "n_samples"


def plain_pick(
    objectives, count, *, candidates, preselected=(), first="central", on_too_near="skip",
    is_allowed=lambda row, picks: True,
):  # fmt: skip
    """Pick; `is_allowed` tells whether a row may join the picks, those preselected among them."""
    trace, parts = Trace(), [KINDS.get(one.name, Constant)(one, candidates) for one in objectives]
    spreads = [part for part in parts if isinstance(part, Spread)]
    for row in preselected:
        for part in parts:
            part.add(row)
    everything, open_ = list(preselected), candidates.copy()
    open_[list(preselected)] = False
    while len(trace.rows) < count:
        each = [part.scores() for part in parts]
        total = _sum_in_order(parts, each, len(candidates))
        may = np.array([open_[row] and is_allowed(row, everything) for row in range(len(candidates))], dtype=bool)
        near = np.zeros(len(candidates), dtype=bool)
        for part in spreads:
            if part.minimum is not None:
                near |= part.distances() < part.minimum
        may_now = may & ~near if on_too_near == "skip" else may
        if not may_now.any():
            trace.stopped = "minimum distance" if may.any() else "no candidates left"
            break
        total[~may_now] = -np.inf
        row = int(total.argmax())
        if first == "central" and not everything and spreads and not any(isinstance(part, Cover) for part in parts):
            row = _central(spreads[0], np.flatnonzero(total == total.max()))
        if near[row]:
            trace.stopped = "minimum distance"
            break
        trace.addends.append(each)
        trace.distances.append(spreads[0].distances()[row] if spreads else np.nan)
        trace.rows.append(row)
        everything.append(row)
        open_[row] = False
        for part in parts:
            part.add(row)
    if spreads and np.isfinite(spreads[0].near).any():
        trace.radius = spreads[0].distances()[candidates].max(initial=0.0)
    return trace


def _sum_in_order(parts, each, n):
    """What never changes first, then what is measured, then what classes share; so that equal stays equal."""
    kinds = {Constant: 0, Spread: 1, Cover: 1, Classes: 2}
    total = np.zeros(n)
    for place in range(3):
        of_kind = [scores for part, scores in zip(parts, each, strict=True) if kinds[type(part)] == place]
        if place == 2:
            total = total + sum(of_kind, np.zeros(n))
        else:
            for scores in of_kind:
                total = total + scores
    return total


def _central(spread, rows):
    """The row nearest to the mean of some."""
    middles = spread.middles()[rows]
    there = np.isfinite(middles).all(axis=1)
    if not there.any():
        return int(rows[0])
    away = np.sqrt(squared_to(middles[there], middles[there].mean(axis=0)))
    rounding = 2.0**-48 * np.sqrt(squared_to(middles[there], 0).max())
    return int(rows[there][away <= away.min() + rounding][0])
