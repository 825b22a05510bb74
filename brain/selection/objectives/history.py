"""Distances to the nearest pick at each turn of a selection that is over, for explaining it."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ....dataset.types import FloatArray, IntArray
from .distances import Owners
from .parts import Past

_BLOCK = 512


class Placed(Protocol):
    """Vectors of rows, or of the objects of rows; see `DiversityObjective`."""

    @property
    def vectors(self) -> FloatArray:
        """The vectors."""

    @property
    def factors(self) -> NDArray[np.float64]:
        """What each is multiplied by first."""

    @property
    def offsets(self) -> IntArray | None:
        """Where the objects of each row begin."""


def squared_before(placed: Placed, rows: IntArray, past: Past) -> NDArray[np.float64]:
    """The mean squared distance of the vectors of each row to the nearest picked before each turn, (k, len(rows))."""
    owners = Owners(placed.offsets)
    own = owners.of(rows)
    here = _scaled(placed, own)
    near = np.full(len(own), np.inf)
    for start in range(0, len(past.preselected), _BLOCK):
        near = np.minimum(near, _squared(here, _scaled(placed, owners.of(past.preselected[start : start + _BLOCK]))))
    found = np.empty((len(past.picks), len(rows)))
    for start in range(0, len(past.picks), _BLOCK):
        block = past.picks[start : start + _BLOCK]
        each = _each(here, placed, owners, block)
        for position, squared in enumerate(each):
            found[start + position] = owners.means_of(near, rows)
            near = np.minimum(near, squared)
    return found


def squared_of_picks(placed: Placed, past: Past) -> NDArray[np.float64]:
    """The mean squared distance of the vectors of each pick to the nearest picked before it, (k,)."""
    owners = Owners(placed.offsets)
    everything = np.concatenate([past.preselected, past.picks])
    found = np.empty(len(past.picks))
    for start in range(0, len(past.picks), _BLOCK):
        block = past.picks[start : start + _BLOCK]
        own = owners.of(block)
        here = _scaled(placed, own)
        turn = np.repeat(np.arange(len(block)), 1 if placed.offsets is None else owners.lengths(block))
        near = np.full(len(own), np.inf)
        before = len(past.preselected) + start
        for other in range(0, before, _BLOCK):
            there = owners.of(everything[other : min(other + _BLOCK, before)])
            near = np.minimum(near, _squared(here, _scaled(placed, there)))
        for position, squared in enumerate(_each(here, placed, owners, block)):
            near = np.where(turn > position, np.minimum(near, squared), near)
        found[start : start + len(block)] = owners.means_of(near, block)
    return found


def _scaled(placed: Placed, rows: IntArray) -> NDArray[np.float32]:
    scaled: NDArray[np.float32] = (placed.vectors[rows] * placed.factors[rows, None]).astype(np.float32)
    return scaled


def _each(here: NDArray[np.float32], placed: Placed, owners: Owners, picks: IntArray) -> NDArray[np.float64]:
    """The squared distance of each vector to the nearest one of each pick, (picks, len(here))."""
    there = _scaled(placed, owners.of(picks))
    squared: NDArray[np.float64] = _matrix(here, there).T
    if placed.offsets is None:
        return squared
    lengths = owners.lengths(picks)
    found = np.full((len(picks), len(here)), np.inf)
    some = lengths > 0
    if some.any():
        found[some] = np.minimum.reduceat(squared, (np.cumsum(lengths) - lengths)[some], axis=0)
    return found


def _squared(here: NDArray[np.float32], there: NDArray[np.float32]) -> NDArray[np.float64]:
    nearest: NDArray[np.float64] = _matrix(here, there).min(axis=1, initial=np.inf)
    return nearest


def _matrix(here: NDArray[np.float32], there: NDArray[np.float32]) -> NDArray[np.float64]:
    product = (here @ there.T).astype(np.float64)
    lengths = (np.square(side, dtype=np.float64).sum(axis=1) for side in (here, there))
    mine, theirs = lengths
    squared: NDArray[np.float64] = np.maximum(mine[:, None] + theirs - 2 * product, 0.0)
    return squared
