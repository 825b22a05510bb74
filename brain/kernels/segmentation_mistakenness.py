"""Mistakenness of masks: how probable it is that a part of an image has the wrong class.

Arrays in, arrays out, one image at a time: masks and per-pixel probabilities are large. Reading them and writing scores
is `operations.segmentation_mistakenness`.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .evidence import logarithms
from .probabilities import normalized_exponentials
from .regression_mistakenness import doubts

UNJUDGED = -1
"""The class number of pixels that are not judged."""

_SHARPNESS = 4.0
_INSIDE = 0.9
_LARGEST = 9.0  # nats: what wrong masks are spread over, 1 to 10 000
_WIDE = 2  # how many more images are taken to be as far off as can be
_FINEST = 0.01  # nats


class PatchDoubt(NamedTuple):
    """What speaks most against the mask of one image.

    Attributes:
        evidence: in nats, 0 undecided; NaN if no pixel is judged.
        probability: how probable another class is in the most doubtful patch, in [0, 1]; NaN if no pixel is judged.
        given: the class given there; `UNJUDGED` if no pixel is judged.
        believed: the class believed there; `UNJUDGED` if no pixel is judged.
        row: of the middle of the patch.
        column: of the middle of the patch.
    """

    evidence: float
    probability: float
    given: int
    believed: int
    row: int
    column: int


def disagreement_depth(given: ArrayLike, believed: ArrayLike, /) -> float:
    """Measure how thick the places are where two masks differ.

    Args:
        given: (h, w) class numbers; `UNJUDGED` pixels count as agreeing.
        believed: (h, w) class numbers.

    Returns:
        The distance, in pixels, to the nearest agreeing one, which nine of ten differing pixels do not exceed; 0 if
        none differs, and NaN if none is judged.

    Raises:
        ValueError: if the shapes differ.

    Example:
        A boundary that is off by a pixel.

        >>> disagreement_depth([[0, 0, 1, 1]], [[0, 1, 1, 1]])
        1.0
    """
    from scipy.ndimage import distance_transform_edt

    ours, theirs = _checked_mask(given), _checked_mask(believed)
    if ours.shape != theirs.shape:
        raise ValueError(f"given has shape {ours.shape} and believed {theirs.shape}; expected the same")
    differs = (ours != theirs) & (ours != UNJUDGED)
    if not differs.any():
        return 0.0 if (ours != UNJUDGED).any() else float("nan")
    if differs.all():
        return float(max(differs.shape))
    return float(np.quantile(distance_transform_edt(differs)[differs], _INSIDE))


def patch_width(depths: ArrayLike, /) -> int:
    """Choose how wide patches are: wider than differences between right masks and what is believed usually are.

    Args:
        depths: (n,) `disagreement_depth` of each image, NaN among them. Images where nothing differs count: without
            them the wrong masks alone would tell what is usual.

    Returns:
        An odd number of pixels, at least 3: twice the middle depth, and one.

    Example:
        >>> patch_width([1.0, 2.2, 30.0, float("nan")])
        5
    """
    known = np.asarray(depths, dtype=np.float64)
    known = known[~np.isnan(known)]
    return 2 * max(int(np.median(known)), 1) + 1 if len(known) else 3


def patch_doubt(
    given: ArrayLike, blocks: Iterable[NDArray[np.floating]], /, *, exponent: float = 1.0, width: int = 5
) -> PatchDoubt:
    """Find what speaks most against a mask.

    Each pixel speaks by its log-odds, log p(best other class) - log p(given class), and a patch by their mean. Where a
    boundary is merely unsure, the pixels beside it speak for the label and make up for it; in a region of the wrong
    class, all speak against it. The evidence is the largest of all patches, and grows a little with the number of those
    that come near it: by log(number) / 4.

    Args:
        given: (h, w) class numbers; `UNJUDGED` pixels speak neither for nor against the label.
        blocks: (rows, w, c) probabilities, from the top; together they have h rows.
        exponent: of the probabilities, `evidence.calibration` of pixels.
        width: of the patches, in pixels.

    Returns:
        The evidence, and where and between which classes it is.

    Raises:
        ValueError: if shapes do not fit or a class number is none of c.

    Source:
        Ours. That the surest doubtful pixels should decide, and not the mean over all, is from Lad and Mueller (2023).

    Example:
        All of the mask is 0, but the model sees a 1 in a corner of three by three pixels.

        >>> p = np.full((8, 8, 2), [0.9, 0.1])
        >>> p[:3, :3] = [0.1, 0.9]
        >>> found = patch_doubt(np.zeros((8, 8), dtype=int), [p], width=3)
        >>> found.given, found.believed, found.row, found.column, round(found.probability, 2)
        (0, 1, 0, 0, 0.9)
    """
    from scipy.ndimage import uniform_filter

    mask = _checked_mask(given)
    judged = mask != UNJUDGED
    against, believed = _log_odds(mask, blocks, exponent)
    if not judged.any():
        return PatchDoubt(np.nan, np.nan, UNJUDGED, UNJUDGED, 0, 0)
    means = uniform_filter(against, width, mode="nearest")
    means[~judged] = -np.inf
    row, column = map(int, np.unravel_index(int(means.argmax()), mask.shape))
    largest = float(means[row, column])
    near = float(np.exp(_SHARPNESS * (means - largest)).sum()) / width**2
    ours, theirs = _pair_in(mask, believed, against, row, column, width)
    probability = float(normalized_exponentials(np.array([[largest, 0.0]]))[0, 0])
    return PatchDoubt(largest + float(np.log(near)) / _SHARPNESS, probability, ours, theirs, row, column)


def segmentation_mistakenness(evidence: ArrayLike, probabilities: ArrayLike, /) -> NDArray[np.float64]:
    """Score how likely each mask is wrong: above 0.5 a part of it is more probably wrong than right.

    Right masks too have patches that the model would have otherwise. How much speaks against them is measured on the
    images themselves, most of which are right: the median evidence and the usual distance from it. By Bayes' rule, with
    five wrong masks in a hundred of which every evidence is as likely as any other, what stands out is probably wrong;
    as far as the model believes in another class there at all.

    Args:
        evidence: (n,) of each image, `PatchDoubt.evidence`.
        probabilities: (n,) in [0, 1], of the other class there, `PatchDoubt.probability`.

    Returns:
        (n,) float64 in [0, 1].

    Raises:
        ValueError: if the shapes differ, a value is NaN or infinite, or a probability is outside [0, 1].

    Example:
        >>> evidence = [0.1, 0.2, 0.0, 0.3, -0.1, 0.2, 0.1, 6.0]
        >>> scores = segmentation_mistakenness(evidence, [0.5] * 7 + [0.99])
        >>> (scores > 0.5).nonzero()[0]
        array([7])
    """
    values, believed = np.asarray(evidence, dtype=np.float64), np.asarray(probabilities, dtype=np.float64)
    if values.ndim != 1 or values.shape != believed.shape:
        raise ValueError(f"evidence has shape {values.shape} and probabilities {believed.shape}; expected both (n,)")
    if not (np.isfinite(values).all() and ((believed >= 0) & (believed <= 1)).all()):
        raise ValueError("evidence must be without NaN and infinity, and probabilities must lie in [0, 1]")
    if not len(values):
        return np.zeros(0)
    off = values - np.median(values)
    spread = 1.4826 * float(np.median(np.r_[np.abs(off), [_LARGEST] * _WIDE]))
    scores: NDArray[np.float64] = believed * doubts(np.maximum(off, 0.0), max(spread, _FINEST), _LARGEST)
    return scores


def _checked_mask(mask: ArrayLike) -> NDArray[np.int64]:
    found = np.asarray(mask)
    if found.ndim != 2 or found.dtype.kind not in "iu":
        raise ValueError(f"a mask has shape {found.shape} and dtype {found.dtype}; expected (h, w) class numbers")
    return found.astype(np.int64, copy=False)


def _log_odds(
    mask: NDArray[np.int64], blocks: Iterable[NDArray[np.floating]], exponent: float
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Log-odds of the best other class against the given one, 0 where it is not judged, and that other class."""
    against, believed = np.zeros(mask.shape), np.full(mask.shape, UNJUDGED, dtype=np.int64)
    start = 0
    for block in blocks:
        given = mask[start : start + len(block)]
        if block.ndim != 3 or block.shape[:2] != given.shape or given.max(initial=-1) >= block.shape[2]:
            raise ValueError(f"probabilities of shape {block.shape} do not fit the mask of shape {mask.shape}")
        logs = exponent * logarithms(block.reshape(-1, block.shape[2]).astype(np.float64, copy=False))
        ours, rows = given.ravel(), np.arange(given.size)
        own = logs[rows, ours]
        if block.shape[2] > 1:
            logs[rows, ours] = -np.inf
        best = logs.argmax(axis=1)
        judged = ours != UNJUDGED
        against[start : start + len(block)] = np.where(judged, logs[rows, best] - own, 0.0).reshape(given.shape)
        believed[start : start + len(block)] = np.where(judged, best, UNJUDGED).reshape(given.shape)
        start += len(block)
    if start != len(mask):
        raise ValueError(f"probabilities have {start} rows and the mask {len(mask)}")
    return against, believed


def _pair_in(
    mask: NDArray[np.int64],
    believed: NDArray[np.int64],
    against: NDArray[np.float64],
    row: int,
    column: int,
    width: int,
) -> tuple[int, int]:
    """The given and the believed class for which most speaks in a patch."""
    half = width // 2
    patch = np.s_[max(row - half, 0) : row + half + 1, max(column - half, 0) : column + half + 1]
    ours, theirs, weights = (values[patch].ravel() for values in (mask, believed, against))
    classes = int(max(ours.max(), theirs.max())) + 1
    judged = ours != UNJUDGED
    # A little for every pixel, so that the most frequent pair is named where all speak for the label.
    told = np.maximum(weights[judged], 0.0) + 1e-9
    pair = int(np.bincount(ours[judged] * classes + theirs[judged], weights=told).argmax())
    return pair // classes, pair % classes
