"""Planted mistakes in numbers and masks, found by our kernels and by cleanlab: average precision.

    python benchmarks/mistakenness_peers.py [--seeds 100 101 ...]

The models are scikit-learn's, trained on the labels with the mistakes and asked about samples that they did not see.
"""

import argparse
import warnings
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np
from scipy import ndimage
from sklearn.datasets import load_diabetes, make_friedman1
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import RidgeCV
from sklearn.metrics import average_precision_score
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier

from saccade.brain.kernels.evidence import NEIGHBORS, calibration, logarithms
from saccade.brain.kernels.neighbors import nearest_neighbors
from saccade.brain.kernels.regression_mistakenness import regression_mistakenness
from saccade.brain.kernels.segmentation_mistakenness import (
    disagreement_depth,
    patch_doubt,
    patch_width,
    segmentation_mistakenness,
)

Array = np.ndarray[Any, Any]
Scores = dict[str, Array]
HAS_PEERS = find_spec("cleanlab") is not None
SEEDS = list(range(100, 112))
SHARE = 0.08
NUMBERS = ["swapped", "anywhere", "shifted", "unit"]
MASKS = ["swapped", "left out", "added", "shifted", "cut"]
IMAGES, SIDE, CLASSES = 150, 48, 5
COLORS = np.array([[0.45, 0.45, 0.45], [0.8, 0.3, 0.3], [0.3, 0.7, 0.4], [0.35, 0.4, 0.85], [0.5, 0.45, 0.8]])


def numbers(name: str, rng: np.random.Generator) -> tuple[Array, Array]:
    """Features and right values."""
    if name == "diabetes":
        return load_diabetes(return_X_y=True)
    if name == "friedman":
        return make_friedman1(500, 10, noise=1.0, random_state=int(rng.integers(1 << 30)))
    x = rng.standard_normal((500, 5))
    if name == "prices":
        noise = 0.15 * rng.standard_normal(500)
        return x, np.exp(3 + 0.6 * x[:, 0] + 0.4 * x[:, 1] - 0.3 * x[:, 2] * x[:, 3] + noise)
    return x, 2 * x[:, 0] + 2 * np.abs(x[:, 1]) + (0.1 + 0.4 * np.abs(x[:, 2])) * rng.standard_t(4, 500)


def with_wrong_numbers(right: Array, kind: str, bad: Array, rng: np.random.Generator) -> Array:
    """Labels of which some are another's, anything in the range, far off, or ten times too large or small."""
    labels, count = right.copy(), int(bad.sum())
    if kind == "swapped":
        labels[bad] = rng.permutation(right)[:count]
    elif kind == "anywhere":
        labels[bad] = rng.uniform(right.min(), right.max(), count)
    elif kind == "shifted":
        labels[bad] += rng.choice([-1, 1], count) * rng.uniform(0.8, 2.5, count) * right.std()
    else:
        labels[bad] *= rng.choice([0.1, 10], count)
    return labels


def judged_numbers(seed: int, kind: str) -> Iterator[tuple[Array, Scores]]:
    """What is wrong, and the scores of each method."""
    for place, name in enumerate(["diabetes", "friedman", "prices", "uneven"]):
        rng = np.random.default_rng([seed, place, NUMBERS.index(kind)])
        x, right = numbers(name, rng)
        bad = rng.permutation(len(right)) < SHARE * len(right)
        labels = with_wrong_numbers(right, kind, bad, rng)
        x = (x - x.mean(axis=0)) / x.std(axis=0)
        distances, indices = nearest_neighbors(x, NEIGHBORS)
        for model in (RandomForestRegressor(40, min_samples_leaf=2, random_state=seed), RidgeCV()):
            said = cross_val_predict(model, x, labels, cv=KFold(5, shuffle=True, random_state=seed))
            found = {
                "**ours**": regression_mistakenness(said, labels, distances=distances, indices=indices).scores,
                "**ours**, no embeddings": regression_mistakenness(said, labels).scores,
            }
            if HAS_PEERS:
                from cleanlab.regression.rank import get_label_quality_scores as quality

                # Its "residual" is exp(-|residual|), which is 0 for large ones: what it stands for is the residual.
                found["cleanlab, residual"] = np.abs(said - labels)
                found["cleanlab, outre"] = -quality(labels, said, method="outre")
            yield bad, found


def ellipse(rng: np.random.Generator) -> tuple[int, Array]:
    """An object: its class and where it is."""
    y, x = np.mgrid[:SIDE, :SIDE]
    (top, left), (a, b), turn = rng.uniform(4, SIDE - 4, 2), rng.uniform(3, 11, 2), rng.uniform(0, np.pi)
    u = (x - left) * np.cos(turn) + (y - top) * np.sin(turn)
    v = (y - top) * np.cos(turn) - (x - left) * np.sin(turn)
    return int(rng.choice(4, p=[0.4, 0.3, 0.2, 0.1])) + 1, (u / a) ** 2 + (v / b) ** 2 < 1


def painted(objects: list[tuple[int, Array]]) -> Array:
    """The mask of objects, the last one in front."""
    mask = np.zeros((SIDE, SIDE), dtype=np.int64)
    for number, place in objects:
        mask[place] = number
    return mask


def features_of(objects: list[tuple[int, Array]], rng: np.random.Generator) -> Array:
    """Of each pixel of a noisy picture, its colour at three scales."""
    picture = np.tile(COLORS[0], (SIDE, SIDE, 1))
    for number, place in objects:
        picture[place] = COLORS[number] + rng.normal(0, 0.09, 3)
    grain = ndimage.gaussian_filter(rng.standard_normal(picture.shape), (1.2, 1.2, 0)) / 4
    picture = ndimage.gaussian_filter(picture, (0.8, 0.8, 0)) + grain + rng.normal(0, 0.06, 3)
    picture += 0.1 * rng.standard_normal(picture.shape)
    return np.concatenate([ndimage.gaussian_filter(picture, (s, s, 0)) for s in (0.7, 1.5, 3)], axis=2)


def with_wrong_object(objects: list[tuple[int, Array]], kind: str, rng: np.random.Generator) -> list[Any]:
    """One object in sight is given wrongly, or one is added."""
    objects, mask = list(objects), painted(objects)
    sizes = [int((mask[place] == number).sum()) for number, place in objects]
    chosen = int(rng.choice(np.flatnonzero(np.array(sizes) >= min(25, max(sizes)))))
    number, place = objects[chosen]
    turn = rng.uniform(0, 2 * np.pi)
    if kind == "swapped":
        objects[chosen] = int(rng.choice([k for k in range(1, CLASSES) if k != number])), place
    elif kind == "left out":
        objects.pop(chosen)
    elif kind == "shifted":
        way = rng.uniform(3, 6) * np.array([np.sin(turn), np.cos(turn)])
        objects[chosen] = number, ndimage.shift(place.astype(float), way, order=0) > 0.5
    elif kind == "cut":
        y, x = np.mgrid[:SIDE, :SIDE]
        along = x * np.cos(turn) + y * np.sin(turn)
        objects[chosen] = number, place & (along <= np.median(along[place]))
    else:
        added = ellipse(rng)
        while added[1].sum() < 25 or (mask[added[1]] != added[0]).mean() < 0.8:
            added = ellipse(rng)
        objects.append(added)
    return objects


def redrawn(objects: list[tuple[int, Array]], rng: np.random.Generator) -> list[tuple[int, Array]]:
    """Boundaries as people draw them: a pixel wider, narrower, or right."""
    ways: list[Callable[[Array], Array]] = [ndimage.binary_dilation, ndimage.binary_erosion, np.copy]
    return [(number, ways[rng.integers(3)](place) if place.sum() > 40 else place) for number, place in objects]


def judged_masks(seed: int, kind: str) -> Iterator[tuple[Array, Scores]]:
    """What is wrong, and the scores of each method."""
    rng = np.random.default_rng([seed, MASKS.index(kind), 1])
    bad = rng.permutation(IMAGES) < SHARE * IMAGES
    scenes = [[ellipse(rng) for _ in range(rng.integers(2, 6))] for _ in range(IMAGES)]
    features = np.array([features_of(objects, rng) for objects in scenes])
    drawn = [redrawn(objects, rng) for objects in scenes]
    given = np.array(
        [painted(with_wrong_object(d, kind, rng) if wrong else d) for d, wrong in zip(drawn, bad, strict=True)]
    )
    for model in (GaussianNB(), MLPClassifier((32,), max_iter=25, random_state=seed)):
        p = np.zeros((*given.shape, CLASSES))
        for fold in range(2):
            seen = np.arange(IMAGES) % 2 != fold
            x, y = features[seen].reshape(-1, features.shape[-1]), given[seen].ravel()
            some = rng.choice(len(x), 8000, replace=False)
            fitted = model.fit(x[some], y[some])
            said = fitted.predict_proba(features[~seen].reshape(-1, features.shape[-1]))
            p[np.ix_(~seen, range(SIDE), range(SIDE), fitted.classes_)] = said.reshape(-1, SIDE, SIDE, said.shape[1])
        yield bad, scores_of_masks(p, given)


def scores_of_masks(p: Array, given: Array) -> Scores:
    """The scores of each method."""
    found = {"**ours**": scored_masks(p, given)}
    hard = np.where(np.arange(CLASSES) == p.argmax(axis=-1)[..., None], 0.9, 0.1 / (CLASSES - 1))
    found["**ours**, predicted masks only"] = scored_masks(hard, given)
    if HAS_PEERS:
        from cleanlab.segmentation.rank import get_label_quality_scores as quality

        for method in ("softmin", "num_pixel_issues"):
            planes = np.ascontiguousarray(p.transpose(0, 3, 1, 2))
            found[f"cleanlab, {method}"] = -quality(given, planes, method=method, verbose=False, n_jobs=1)[0]
    found["share of pixels that differ"] = (p.argmax(axis=-1) != given).mean(axis=(1, 2))
    return found


def scored_masks(p: Array, given: Array) -> Array:
    """What `compute_mistakenness` does, on arrays."""
    width = patch_width([disagreement_depth(mask, one.argmax(axis=-1)) for mask, one in zip(given, p, strict=True)])
    exponent, _ = calibration(logarithms(p.reshape(-1, CLASSES)[::37]), given.ravel()[::37])
    doubts = [patch_doubt(mask, [one], exponent=exponent, width=width) for mask, one in zip(given, p, strict=True)]
    return segmentation_mistakenness([one.evidence for one in doubts], [one.probability for one in doubts])


def table(judge: Callable[[int, str], Iterator[tuple[Array, Scores]]], kinds: list[str], seeds: list[int]) -> None:
    """Print the mean over seeds and its standard error, for each kind of mistake and for all."""
    found: dict[str, dict[str, list[float]]] = {}
    for seed in seeds:
        for kind in kinds:
            measured: dict[str, list[float]] = {}
            for bad, scores in judge(seed, kind):
                for method, values in scores.items():
                    measured.setdefault(method, []).append(float(average_precision_score(bad, values)))
            for method, one in measured.items():
                found.setdefault(method, {}).setdefault(kind, []).append(float(np.mean(one)))
    print(f"| AP | {' | '.join(kinds)} | all |\n| --- |{' --: |' * (len(kinds) + 1)}")
    for method, columns in found.items():
        cells = [np.array(columns[kind]) for kind in kinds]
        told = [f"{v.mean():.3f} ± {v.std(ddof=1) / len(v) ** 0.5:.3f}" for v in [*cells, np.mean(cells, axis=0)]]
        print(f"| {method} | {' | '.join(told)} |")


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    seeds = parser.parse_args().seeds
    warnings.filterwarnings("ignore")  # that a small network has not converged is meant
    print("Numbers\n")
    table(judged_numbers, NUMBERS, seeds)
    print("\nMasks\n")
    table(judged_masks, MASKS, seeds)


if __name__ == "__main__":
    main()
