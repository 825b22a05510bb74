"""Kernel coverage: how much of all samples a set of picks stands for, and how much one more pick would add.

Arrays only. Which sample is picked next is the caller's: it asks for gains, measures those that matter exactly, and
adds its pick. A gain never rises, so what was once measured stays an upper bound.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...dataset.types import FloatArray, IntArray
from .vectors import squared_distances

REFERENCE_ROWS = 20_000
"""How many samples are enough to stand for all those that are to be covered."""

_BLOCK, _TILE = 256, 1024  # a product of this size is still in the processor's cache when it is looked at
_CELLS = 1 << 18
_EVERY, _LIKELY = 16, 64  # one of so many columns is looked at for a guess, and so many rows are then compared
_MEDIAN_ROWS = 256
_ROUNDING = 2.0**-24  # the largest relative error of one float32 operation
_FAR_OFF = 1.0  # an exponent that may be off by more says nothing, but that it is not above 0
_LEAST_DOUBT = 0.02  # what is certain still wants to be covered a little
_SPARSE = 0.04  # below this share of columns that gain, they are taken one by one


class CoveredSamples:
    """How well each reference row is covered by the picks so far, and what any row would add to that.

    A row j is covered by a pick i as exp(-|x_i - x_j|^2 / bandwidth), and by a set as by the best of its picks:
    facility location with a wide kernel. The gain of a row is what it adds to the sum over all reference rows, each
    times its weight.

    Products of float32 give gains with a bound on their error; `exact_gain` and what `add` remembers are computed in
    float64 and in one order, so picks that compare exact gains do not depend on block sizes or threads.

    Attributes:
        bandwidth: the squared distance at which cover falls to 1/e.
        cover: (m,) float64 in [0, 1], how well each reference row is covered.

    Source:
        Facility location, as in Lin and Bilmes, "A class of submodular functions for document summarization", 2011;
        a kernel as wide as the data, as in Bae et al., "Generalized coverage for more robust low-budget active
        learning" (MaxHerding), 2024, does best with few labels. Bandwidth by the median (Gretton et al., 2012).

    Example:
        The middle of three stands best for all, then an end.

        >>> covered = CoveredSamples(np.array([[0.0], [1.0], [2.0]]), np.ones(3), bandwidth=1.0)
        >>> [round(covered.exact_gain(row), 3) for row in range(3)]
        [1.386, 1.736, 1.386]
        >>> covered.add(1)
        >>> [round(covered.exact_gain(row), 3) for row in range(3)]
        [0.632, 0.0, 0.632]
    """

    def __init__(
        self,
        vectors: FloatArray,
        factors: NDArray[np.float64],
        *,
        reference: IntArray | None = None,
        weights: ArrayLike | None = None,
        bandwidth: float | None = None,
    ) -> None:
        """Cover nothing yet.

        Args:
            vectors: (n, d) finite rows, as `vectors.checked` gives them.
            factors: (n,) what each row is multiplied by first.
            reference: (m,) the rows that want to be covered; by default all of them. `REFERENCE_ROWS` are enough.
            weights: (m,) how much each of them wants it, finite and not negative; by default 1.
            bandwidth: by default `median_bandwidth` of the reference rows.

        Raises:
            ValueError: if a weight is negative, NaN or infinite, or their number is not m, or `bandwidth` is not
                positive.
        """
        n, width = vectors.shape
        self._vectors, self._factors = vectors, factors
        self._reference = np.arange(n) if reference is None else np.asarray(reference, dtype=np.int64)
        m = len(self._reference)
        self._weights = np.ones(m) if weights is None else np.array(weights, dtype=np.float64)
        if self._weights.shape != (m,) or not np.isfinite(self._weights).all() or (self._weights < 0).any():
            raise ValueError(f"weights, of shape {self._weights.shape}, must be {m} finite numbers, none negative")
        self.bandwidth = median_bandwidth(vectors, factors, self._reference) if bandwidth is None else bandwidth
        if not (np.isfinite(self.bandwidth) and self.bandwidth > 0):
            raise ValueError(f"bandwidth={bandwidth} must be a positive number")
        self.cover = np.zeros(m)
        self._known: dict[int, tuple[IntArray, NDArray[np.float64]]] = {}  # exact, since the last pick
        self._upper = np.full(n, np.inf)
        self._is_untouched = True
        self._guess: int | None = None  # which row will be picked first
        self._guessed = np.zeros(m, dtype=np.float32)  # how well it covers each reference row
        self._upper_then = np.full(n, np.inf)  # after it is picked

        self._center = np.zeros(width)
        for start in range(0, m, _BLOCK):
            rows = self._reference[start : start + _BLOCK]
            self._center += (vectors[rows] * factors[rows, None]).sum(axis=0) / m
        self._columns = np.empty((width + 2, m), dtype=np.float32)
        for start in range(0, m, _BLOCK):
            shifted, squares = self._shifted(self._reference[start : start + _BLOCK])
            self._columns[:width, start : start + _BLOCK] = shifted.T
            self._columns[width, start : start + _BLOCK] = -squares
            self._columns[width + 1, start : start + _BLOCK] = 1.0
        self._reach = float(np.sqrt(-self._columns[width].min(initial=0.0)))
        self._heaviest = float(self._weights.max(initial=0.0)) or 1.0
        self._narrow_weights = (self._weights / self._heaviest).astype(np.float32)
        self._narrow_cover = np.zeros(m, dtype=np.float32)
        self._log_cover = np.full(m, -np.inf, dtype=np.float32)

    @property
    def total_weight(self) -> float:
        """How much all reference rows want to be covered: no gain is larger."""
        return float(self._weights.sum())

    def upper(self, rows: IntArray) -> NDArray[np.float64]:
        """Give the least known upper bounds of the gains of `rows`, (len(rows),) float64, without computing any.

        They are infinite for rows never asked for, and fall with `gains` and with `add`.
        """
        upper: NDArray[np.float64] = self._upper[rows]
        return upper

    def gains(self, rows: IntArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Compute what each of `rows` would add, and by how much that can be off.

        Ask for some tens of rows at a time: each costs a product with all reference rows.

        Returns:
            (len(rows),) float64 gains and (len(rows),) float64 bounds on their error: the exact gain lies within.
        """
        if self._is_untouched and self._guess is None and len(rows) > _BLOCK:
            self._guess_first(rows)
        of_block = self._screened if self._guess is None or not self._is_untouched else self._screened_untouched
        gains, errors = np.zeros(len(rows)), np.zeros(len(rows))
        for start in range(0, len(rows), _BLOCK):
            block = slice(start, start + _BLOCK)
            gains[block], errors[block] = of_block(rows[block])
        gains *= self._heaviest
        errors *= self._heaviest
        self._upper[rows] = np.minimum(self._upper[rows], gains + errors)
        return gains, errors

    def exact_gain(self, row: int) -> float:
        """Compute what `row` would add, in float64 and always in the same order."""
        columns, kernel = self._closer(row)
        added = np.zeros(len(self.cover))
        added[columns] = self._weights[columns] * np.maximum(kernel - self.cover[columns], 0.0)
        return float(added.sum())

    def add(self, row: int) -> None:
        """Let `row` count as picked."""
        columns, kernel = self._closer(row)
        better = kernel > self.cover[columns]
        columns, kernel = columns[better], kernel[better]
        before, self.cover[columns] = self.cover[columns], kernel
        self._narrow_cover[columns] = kernel
        self._log_cover[columns] = np.log(kernel)
        self._known.clear()
        if self._is_untouched and row == self._guess:
            self._upper = np.minimum(self._upper, self._upper_then)
        else:
            self._lower_bounds(columns, before)
        self._is_untouched = False
        self._upper[row] = 0.0

    def _shifted(self, rows: IntArray) -> tuple[FloatArray, NDArray[np.float64]]:
        """Give rows from the center on, in units in which the exponent is 2 x y - |x|^2 - |y|^2 over 2, and |x|^2."""
        shifted = self._vectors[rows] * self._factors[rows, None] - self._center
        return shifted * np.sqrt(2.0 / self.bandwidth), np.square(shifted).sum(axis=1) / self.bandwidth

    def _exponents(self, rows: IntArray) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """Give the left side of the product that yields exponents, and bounds on the error of what it yields.

        The d + 2 terms add up to no more than the square of both lengths, in any order; six more roundings cover the
        shift and the squares.
        """
        shifted, squares = self._shifted(rows)
        left = np.empty((len(rows), shifted.shape[1] + 2), dtype=np.float32)
        left[:, :-2], left[:, -2], left[:, -1] = shifted, 1.0, -squares
        reach = np.square(np.sqrt(squares) + self._reach)
        return left, (shifted.shape[1] + 8) * _ROUNDING * reach

    def _screened(self, rows: IntArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        left, exponent_errors = self._exponents(rows)
        floor = self._floor(float(exponent_errors.max(initial=0.0)))
        gains, gaining = np.zeros(len(rows)), np.zeros(len(rows))
        width = max(_TILE, _CELLS // max(1, len(rows)))
        for start in range(0, len(self._reference), width):
            tile = slice(start, start + width)
            exponents = left @ self._columns[:, tile]
            if exponent_errors.max() > _FAR_OFF:
                np.minimum(exponents, 0, out=exponents)
            can_gain = exponents > floor[tile]
            if np.count_nonzero(can_gain) < _SPARSE * can_gain.size:
                row, column = np.divmod(np.flatnonzero(can_gain), can_gain.shape[1])
                added = np.exp(exponents[row, column]) - self._narrow_cover[tile][column]
                gains += np.bincount(
                    row, np.maximum(added, 0) * self._narrow_weights[tile][column], minlength=len(rows)
                )
                gaining += np.bincount(row, minlength=len(rows))
            else:
                gains += self._dense(exponents, tile)
                gaining += can_gain.sum(axis=1, dtype=np.uint32)
        # Each column that can gain is off by its own error, and each sum of a tile by a rounding for each column.
        per_column = np.expm1(np.minimum(exponent_errors, _FAR_OFF)) * 1.01 + 16 * _ROUNDING
        return gains, gaining * per_column + gains * (_TILE + 4) * _ROUNDING

    def _guess_first(self, rows: IntArray) -> None:
        """Guess which of `rows` has the largest gain before anything is picked, by some of the columns."""
        some = slice(0, None, _EVERY)
        columns, weights = np.ascontiguousarray(self._columns[:, some]), self._narrow_weights[some]
        found = [
            np.exp(self._exponents(rows[start : start + _BLOCK])[0] @ columns) @ weights
            for start in range(0, len(rows), _BLOCK)
        ]
        likely = rows[np.argsort(-np.concatenate(found), kind="stable")[:_LIKELY]]
        self._guess = int(likely[self._screened(likely)[0].argmax()])
        reached, kernel = self._closer(self._guess)
        self._guessed[reached] = kernel

    def _screened_untouched(self, rows: IntArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Compute the gains before anything is picked, and from the same products those after the guessed row is."""
        left, exponent_errors = self._exponents(rows)
        gains, then = np.zeros(len(rows)), np.zeros(len(rows))
        for start in range(0, len(self._reference), _TILE):
            tile = slice(start, start + _TILE)
            kernel = left @ self._columns[:, tile]
            if exponent_errors.max() > _FAR_OFF:
                np.minimum(kernel, 0, out=kernel)
            np.exp(kernel, out=kernel)
            gains += kernel @ self._narrow_weights[tile]
            kernel -= self._guessed[tile]
            np.maximum(kernel, 0, out=kernel)
            then += kernel @ self._narrow_weights[tile]
        per_column = np.expm1(np.minimum(exponent_errors, _FAR_OFF)) * 1.01 + 16 * _ROUNDING
        errors = len(self._reference) * per_column + gains * (_TILE + 4) * _ROUNDING
        self._upper_then[rows] = (then + errors) * self._heaviest
        return gains, errors

    def _dense(self, exponents: NDArray[np.float32], columns: slice) -> NDArray[np.float64]:
        """Sum what each row adds to all of some columns. Changes `exponents`."""
        np.exp(exponents, out=exponents)
        exponents -= self._narrow_cover[columns]
        np.maximum(exponents, 0, out=exponents)
        weights, gains = self._narrow_weights[columns], np.zeros(len(exponents))
        for start in range(0, len(weights), _TILE):
            gains += exponents[:, start : start + _TILE] @ weights[start : start + _TILE]
        return gains

    def _lower_bounds(self, better: IntArray, before: NDArray[np.float64]) -> None:
        """Take off the bounds of the rows that a pick covers best what those rows would have gained among themselves.

        It costs one small product, and spares most of them from being asked for again.
        """
        rows = self._reference[better]
        known = np.flatnonzero(np.isfinite(self._upper[rows]))
        old, new = before.astype(np.float32), self._narrow_cover[better]
        weights, columns = self._narrow_weights[better], self._columns[:, better]
        for start in range(0, len(known), _BLOCK):
            block = rows[known[start : start + _BLOCK]]
            left, exponent_errors = self._exponents(block)
            lost = np.zeros(len(block))
            for first in range(0, len(better), _TILE):
                tile = slice(first, first + _TILE)
                kernel = left @ columns[:, tile]
                if exponent_errors.max() > _FAR_OFF:
                    np.minimum(kernel, 0, out=kernel)
                np.exp(kernel, out=kernel)
                np.minimum(kernel, new[tile], out=kernel)
                kernel -= old[tile]
                np.maximum(kernel, 0, out=kernel)
                lost += kernel @ weights[tile]
            per_column = np.expm1(np.minimum(exponent_errors, _FAR_OFF)) * 1.01 + 16 * _ROUNDING
            error = per_column * weights.sum(dtype=np.float64)
            lost -= error + lost * (_TILE + 4) * _ROUNDING
            self._upper[block] -= np.maximum(lost, 0.0) * self._heaviest

    def _floor(self, exponent_error: float) -> NDArray[np.float32]:
        """Give the exponent below which a column gains nothing, with all errors taken off."""
        return self._log_cover - np.float32(1.01 * exponent_error + 1e-5)

    def _closer(self, row: int) -> tuple[IntArray, NDArray[np.float64]]:
        """Find the columns to which `row` may be nearer than all picks, and how well it covers them, in float64."""
        found = self._known.get(row)
        if found is None:
            left, exponent_errors = self._exponents(np.array([row]))
            columns = np.flatnonzero(left[0] @ self._columns > self._floor(float(exponent_errors[0])))
            ends = self._reference[columns]
            squared = squared_distances(self._vectors, self._factors, np.full(len(ends), row), ends)
            found = self._known[row] = columns, np.exp(-squared / self.bandwidth)
        return found


def median_bandwidth(vectors: FloatArray, factors: NDArray[np.float64], reference: IntArray) -> float:
    """Estimate the median squared distance between two reference rows, from all pairs of some spread evenly over them.

    Returns:
        The median; the mean if more than half of the pairs are copies, up to rounding; 1 if all are.

    Example:
        >>> median_bandwidth(np.array([[0.0], [1.0], [3.0]]), np.ones(3), np.arange(3))
        4.0
    """
    count = min(len(reference), _MEDIAN_ROWS)
    rows = reference[np.arange(count) * len(reference) // max(1, count)]
    one, other = np.triu_indices(count, 1)
    squared = squared_distances(vectors, factors, rows[one], rows[other])
    if not len(squared) or squared.max() == 0:
        return 1.0
    median = float(np.median(squared))
    return median if median > 1e-24 * float(squared.max()) else float(squared.mean())


def demand(uncertainty: ArrayLike, /) -> NDArray[np.float64]:
    """Say how much each sample wants to be covered by what is labelled next: the more, the less sure a model is of it.

    A model that is unsure of nearly everything does not know where its doubts matter; then all samples want it about
    alike, and what is labelled next stands for all. With u the uncertainty, the demand is (u + 0.02)^g, where g, the
    mean of 1 - u, is how sure the model is on the whole.

    Args:
        uncertainty: (n,) in 0..1 of every sample that is to be covered, such as `uncertainty_margin`.

    Returns:
        (n,) float64, larger than zero and no more than 1.02.

    Raises:
        ValueError: if a number is not in 0..1.

    Source:
        That coverage should give way to doubt with the model's competence: Mishal and Weinshall, "DCoM: Active
        learning for all learners", 2024.

    Example:
        >>> demand([1.0, 0.0]).round(3)
        array([1.01 , 0.141])
        >>> demand([1.0, 1.0])
        array([1., 1.])
    """
    doubt = np.asarray(uncertainty, dtype=np.float64)
    if not ((doubt >= 0) & (doubt <= 1)).all():
        raise ValueError(f"uncertainty must lie in 0..1; it lies in {doubt.min():g}..{doubt.max():g}")
    competence = 1 - doubt.mean() if len(doubt) else 0.0
    wanted: NDArray[np.float64] = (doubt + _LEAST_DOUBT) ** competence
    return wanted
