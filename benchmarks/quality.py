"""One function per quality benchmark, over our public kernels: what `--impl benchmarks.quality:label_errors` names.

The measure of each is in the script of its name; `benchmarks/README.md` has the commands and the figures.
"""

from typing import Any

import numpy as np

from saccade.brain.kernels.active_learning import uncertainty_margin
from saccade.brain.kernels.boxes import Boxes, boxes_of
from saccade.brain.kernels.duplicates import duplicate_radius
from saccade.brain.kernels.evidence import NEIGHBORS
from saccade.brain.kernels.hardness import NEIGHBORS as NEARBY
from saccade.brain.kernels.hardness import hardness as hardness_of
from saccade.brain.kernels.histories import margin_hardness, mean_probabilities, pooled
from saccade.brain.kernels.mistakenness import mistakenness
from saccade.brain.kernels.neighbors import nearest_neighbors
from saccade.brain.kernels.object_mistakenness import object_mistakenness
from saccade.brain.kernels.uniqueness import NEIGHBORS as UNIQUENESS_NEIGHBORS
from saccade.brain.kernels.uniqueness import uniqueness as uniqueness_of
from saccade.brain.selection.greedy import pick
from saccade.brain.selection.objectives import (
    BalanceObjective,
    CoverageObjective,
    DiversityObjective,
    Objective,
    SimilarityObjective,
    TypicalityObjective,
    WeightsObjective,
)

Array = np.ndarray[Any, Any]


def label_errors(labels: Array, probabilities: Array, embeddings: Array) -> Array:
    """Wrong class labels, found with the model and the neighbours."""
    distances, indices = nearest_neighbors(embeddings, NEIGHBORS)
    return mistakenness(probabilities, labels, distances=distances, indices=indices).scores


def label_errors_poor_embeddings(labels: Array, probabilities: Array, embeddings: Array) -> Array:
    """The same with no more than the first three dimensions."""
    return label_errors(labels, probabilities, np.ascontiguousarray(embeddings[:, :3]))


def label_errors_no_embeddings(labels: Array, probabilities: Array, _embeddings: Array) -> Array:
    """The same with the model alone."""
    return mistakenness(probabilities, labels).scores


def detection_errors(labels: list[Any], predictions: list[Any], classes: int) -> dict[str, Any]:
    """Swapped, misplaced, spurious and missing boxes."""
    given, predicted = (_boxes(side) for side in (labels, predictions))
    confidences = np.concatenate([image["scores"] for image in predictions])
    found = object_mistakenness(given, predicted, confidences, len(labels), classes)

    def split(values: Array, images: Array) -> list[Array]:
        return np.split(values, np.cumsum(np.bincount(images, minlength=len(labels)))[:-1])

    of_given = {"swap": found.swapped, "badloc": found.misplaced, "spurious": found.spurious}
    scores: dict[str, Any] = {name: split(values, given.images) for name, values in of_given.items()}
    return {**scores, "missing": split(found.missing, predicted.images), "image": found.images}


def _boxes(images: list[Any]) -> Boxes:
    """Boxes given by their corners."""
    places = np.repeat(np.arange(len(images)), [len(image["labels"]) for image in images])
    corners = np.concatenate([image["boxes"] for image in images])
    sides = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
    return boxes_of(places, sides, np.concatenate([image["labels"] for image in images]))


def hardness(probabilities: Array, embeddings: Array, _labels: Array, _history: Array) -> Array:
    """What a fresh model will get wrong, without labels."""
    distances, indices = nearest_neighbors(embeddings, NEARBY)
    return hardness_of(probabilities, distances=distances, indices=indices)


def hardness_labels(probabilities: Array, embeddings: Array, labels: Array, _history: Array) -> Array:
    """The same with labels."""
    distances, indices = nearest_neighbors(embeddings, NEARBY)
    return hardness_of(probabilities, labels, distances=distances, indices=indices)


def hardness_history(probabilities: Array, embeddings: Array, labels: Array, history: Array) -> Array:
    """The same with labels and what a training said after each epoch."""
    return hardness_labels(pooled(probabilities, mean_probabilities(history)), embeddings, labels, history)


def hardness_history_label_free(probabilities: Array, embeddings: Array, labels: Array, history: Array) -> Array:
    """The same with the training, without labels."""
    return hardness(pooled(probabilities, mean_probabilities(history)), embeddings, labels, history)


def hardness_aum(_probabilities: Array, _embeddings: Array, labels: Array, history: Array) -> Array:
    """The training alone."""
    return margin_hardness(history, labels)


def uniqueness(embeddings: Array) -> Array:
    """Planted copies and outliers, and the same scale in every set."""
    distances, indices = nearest_neighbors(embeddings, UNIQUENESS_NEIGHBORS)
    return uniqueness_of(distances, distances[:, -1][indices])[0]


def duplicates(embeddings: Array) -> tuple[Array, Array, Array]:
    """Near-duplicates without a threshold: pairs, how alike they are, and whether they are reported."""
    radius = duplicate_radius(embeddings)
    distances, indices = nearest_neighbors(embeddings, 3, metric="cosine")
    left, right = np.repeat(np.arange(len(embeddings)), indices.shape[1]), indices.reshape(-1)
    share = distances.reshape(-1) / np.sqrt(radius[left] * radius[right])
    return np.c_[left, right], -share, share <= 1


def selection_strict(embeddings: Array, k: int, **wishes: Any) -> Array:
    """Several objectives at once, and the target of the classes reached to the sample."""
    return selection(embeddings, k, is_strict=True, **wishes)


def selection(
    embeddings: Array, k: int, *, weights: Array | None = None, classes: Array | None = None,
    target: Array | None = None, preselected: Array | None = None, query: Array | None = None,
    typicality: bool = False, diversity: bool = True, strengths: dict[str, float] | None = None,
    is_strict: bool = False,
) -> Array:  # fmt: skip
    """Several objectives at once, by ranks; beginning with the first row where all are equal, as the references do."""
    strength = {"diversity": 1.0, "weights": 1.0, "balance": 1.0, "typicality": 1.0, "similarity": 1.0}
    strength |= strengths or {}
    objectives: list[Objective] = []
    if diversity:
        objectives.append(DiversityObjective(embeddings, strength["diversity"], normalize=False))
    if weights is not None:
        objectives.append(WeightsObjective(weights.astype(np.float64), strength["weights"]))
    if classes is not None and target is not None:
        shares = np.eye(len(target))[classes]
        objectives.append(BalanceObjective(shares, target, strength["balance"], strict=is_strict))
    if typicality:
        objectives.append(TypicalityObjective(embeddings, strength["typicality"], normalize=False))
    if query is not None:
        objectives.append(SimilarityObjective(embeddings, query, strength["similarity"], normalize=False))
    earlier = np.empty(0, dtype=np.int64) if preselected is None else np.asarray(preselected, dtype=np.int64)
    candidates = _all_but(len(embeddings), earlier)
    return pick(objectives, k, candidates=candidates, preselected=earlier, first="index").rows


def active_learning(
    embeddings: Array, labeled: Array, _labels: Array, probabilities: Array | None, budget: int, _seed: int
) -> Array:
    """What to label next: cover all samples, most of all those that the model is unsure of."""
    weights = None if probabilities is None else uncertainty_margin(probabilities)
    covering = CoverageObjective(embeddings, weights=weights, weights_scale="uncertainty", normalize=False)
    return _next([covering], labeled, budget)


def active_learning_coverage(
    embeddings: Array, labeled: Array, _labels: Array, _probabilities: Array | None, budget: int, _seed: int
) -> Array:
    """The same without a model."""
    return _next([CoverageObjective(embeddings, normalize=False)], labeled, budget)


def active_learning_coral(
    embeddings: Array, labeled: Array, _labels: Array, probabilities: Array | None, budget: int, _seed: int
) -> Array:
    """Diversity and uncertainty, as in LightlyOne's CORAL."""
    objectives: list[Objective] = [DiversityObjective(embeddings, normalize=False)]
    if probabilities is not None:
        objectives.append(WeightsObjective(uncertainty_margin(probabilities)))
    return _next(objectives, labeled, budget)


def _next(objectives: list[Objective], labeled: Array, budget: int) -> Array:
    candidates = _all_but(len(objectives[0].vectors), labeled)
    return pick(objectives, budget, candidates=candidates, preselected=labeled).rows


def _all_but(n: int, rows: Array) -> Array:
    candidates = np.ones(n, dtype=bool)
    candidates[rows] = False
    return candidates
