"""Two small fits: a probability, and a line that a few wrong values cannot bend."""

import numpy as np
from numpy.typing import NDArray

from ...dataset.types import BoolArray

_ROUNDS = 25


def logistic_fit(
    features: NDArray[np.float64], outcomes: BoolArray, shrinkage: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Fit probabilities 1 / (1 + exp(-features @ weights)) to what happened.

    Args:
        features: (n, d).
        outcomes: (n,) whether it happened.
        shrinkage: (d,) how strongly each weight is held at 0, in observations; 0 leaves it free.

    Returns:
        (d,) weights.

    Source:
        Ridge logistic regression by Newton's method; each step is halved until it helps.

    Example:
        Three of four: the weight of a constant is ln 3.

        >>> logistic_fit(np.ones((4, 1)), np.array([True, True, True, False]), np.zeros(1)).round(3)
        array([1.099])
    """
    held = shrinkage + 1e-6  # or a feature that tells all would go to infinity
    weights = np.zeros(features.shape[1])
    best = _loss(features, outcomes, held, weights)
    for _ in range(_ROUNDS):
        p = logistic(features @ weights)
        slope = features.T @ (outcomes - p) - held * weights
        bend = (features * (p * (1 - p))[:, None]).T @ features + np.diag(held)
        step = np.linalg.solve(bend, slope)
        for _ in range(_ROUNDS):
            loss = _loss(features, outcomes, held, weights + step)
            if loss <= best:
                break
            step /= 2
        else:
            break
        weights, gained, best = weights + step, best - loss, loss
        if gained < 1e-9 * (1 + abs(best)):
            break
    return weights


def _loss(
    features: NDArray[np.float64], outcomes: BoolArray, held: NDArray[np.float64], weights: NDArray[np.float64]
) -> float:
    margins = np.where(outcomes, 1.0, -1.0) * (features @ weights)
    return float(np.logaddexp(0.0, -margins).sum() + (held * weights**2).sum() / 2)


def logistic(values: NDArray[np.float64], /) -> NDArray[np.float64]:
    """1 / (1 + exp(-x)), also for large x."""
    small = np.exp(-np.abs(values))
    return np.where(values >= 0, 1.0, small) / (1.0 + small)


def robust_fit(
    features: NDArray[np.float64], values: NDArray[np.float64], shrinkage: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """Fit values by features so that a minority of wild values does not matter.

    Args:
        features: (n, d).
        values: (n,).
        shrinkage: (d,) how strongly each weight is held at 0, in observations; 0 leaves it free.

    Returns:
        (d,) weights, and the spread of what remains: 1.4826 times its median size, above 0.

    Source:
        Huber's M-estimator by reweighted least squares, bending at 1.5 spreads.

    Example:
        >>> weights, spread = robust_fit(np.ones((5, 1)), np.array([1.0, 1.1, 0.9, 1.0, 50.0]), np.zeros(1))
        >>> bool(0.9 < weights[0] < 1.2)
        True
    """
    held = np.diag(shrinkage + 1e-6)
    trust = np.ones(len(values))
    weights: NDArray[np.float64] = np.zeros(features.shape[1])
    spread = 1.0
    for _ in range(_ROUNDS):
        weighted = features * trust[:, None]
        before = weights
        weights = np.linalg.solve(weighted.T @ features + held, weighted.T @ values).astype(np.float64, copy=False)
        remains = np.abs(values - features @ weights)
        spread = max(1.4826 * float(np.median(remains)), 1e-3) if len(values) else 1.0
        if np.abs(weights - before).max() < 1e-9:
            break
        trust = 1 / np.maximum(1.0, remains / (1.5 * spread))
    return weights, spread
