"""What a trained model knows of handwritten digits: kNN accuracy beside the untrained network and the pixels.

    python benchmarks/training.py [--seeds 0 1 2] [--methods vicreg] [--backbones cnn] [--dimensions 16 32]

scikit-learn's 1,797 digits of 8 x 8 pixels; a fixed 1,200 of them are trained on, without labels, and foretell the
labels of the other 597 as their 5 nearest neighbours. All embeddings have the same dimension. One thread.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier
from sklearn.random_projection import GaussianRandomProjection
from threadpoolctl import threadpool_limits

from saccade.brain.models.backbones import build_backbone
from saccade.brain.models.builtin import BuiltinModel
from saccade.brain.models.trained import TrainedModel, squeezed
from saccade.brain.training.loop import train
from saccade.brain.training.recipes import Recipe, recipe_for

Array = np.ndarray[Any, Any]
TRAINING, NEIGHBORS, SIDE = 1_200, 5, 8
VIEWS = {"crop_scale": (0.6, 1.0), "rotation": 15, "horizontal_flip": False, "blur": 0}
"""Digits lose their meaning when they are mirrored, and their edges when crops are small."""


def digits() -> tuple[list[Array], Array, Array]:
    """The images, what they show, and an order of which the first are trained on."""
    found = load_digits()
    pixels = np.rint(found.images * (255 / 16)).astype(np.uint8)
    images = [np.asarray(Image.fromarray(image).convert("RGB")) for image in pixels]
    return images, found.target, np.random.default_rng(0).permutation(len(pixels))


def accuracy(vectors: Array, truth: Array, order: Array) -> float:
    """The share of the other images that are foretold."""
    known, asked = order[:TRAINING], order[TRAINING:]
    judge = KNeighborsClassifier(NEIGHBORS).fit(vectors[known], truth[known])
    return float(judge.score(vectors[asked], truth[asked]))


def projected(images: list[Array], order: Array, dimension: int, seed: int) -> dict[str, Array]:
    """The pixels brought to the dimension."""
    rows = np.stack(images)[..., 0].reshape(len(images), -1).astype(np.float64)
    principal = PCA(min(dimension, rows.shape[1]), random_state=0).fit(rows[order[:TRAINING]])
    random = GaussianRandomProjection(dimension, random_state=seed).fit(rows)
    return {
        "pixels, principal components": principal.transform(rows),
        "pixels, random projection": random.transform(rows),
    }


def learned(images: list[Array], order: Array, recipe: Recipe) -> tuple[Array, Array, float, float]:
    """Vectors before and after training, the best agreement, and the seconds of the processor."""
    begun = time.process_time()
    small = np.stack([squeezed(images[row], recipe.stored_size) for row in order[:TRAINING]])
    trained = train(small, recipe)
    seconds = time.process_time() - begun
    untrained = build_backbone(recipe.backbone, recipe.image_size, recipe.dimension, recipe.seed).state_dict()
    before, after = (
        TrainedModel(recipe.backbone, recipe.image_size, recipe.dimension, weights).embed(images)
        for weights in (untrained, trained.weights)
    )
    return before, after, trained.curve[trained.best].agreement, seconds


def main() -> None:
    """Print a table with the mean over the seeds, and the lowest and highest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--methods", nargs="+", default=["vicreg"])
    parser.add_argument("--backbones", nargs="+", default=["cnn"])
    parser.add_argument("--dimensions", type=int, nargs="+", default=[16, 32])
    parser.add_argument("--epochs", type=int, default=100)
    args = parser.parse_args()
    torch.set_num_threads(1)
    images, truth, order = digits()
    scored: Callable[[Array], float] = lambda vectors: accuracy(vectors, truth, order)  # noqa: E731  # short
    print(f"all {SIDE * SIDE} pixels: {scored(np.stack(images)[..., 0].reshape(len(images), -1)):.4f}")
    print(f"built-in descriptor, 352 numbers: {scored(BuiltinModel().embed(images)):.4f}\n")
    print("| dimension | vectors | kNN accuracy | agreement | processor s |\n|--:|---|--:|--:|--:|")
    for dimension in args.dimensions:
        rows: dict[str, list[tuple[float, ...]]] = {}
        for seed in args.seeds:
            for name, vectors in projected(images, order, dimension, seed).items():
                rows.setdefault(name, []).append((scored(vectors),))
            for backbone in args.backbones:
                for method in args.methods:
                    recipe = recipe_for(
                        TRAINING, method=method, backbone=backbone, image_size=SIDE, dimension=dimension, seed=seed,
                        augmentations=VIEWS, epochs=args.epochs,
                    )  # fmt: skip
                    before, after, agreement, seconds = learned(images, order, recipe)
                    rows.setdefault(f"{backbone}, untrained", []).append((scored(before),))
                    rows.setdefault(f"{backbone}, {method}", []).append((scored(after), agreement, seconds))
        for name, values in rows.items():
            shown = [
                f"{np.mean(column):.3f} ({min(column):.3f}–{max(column):.3f})" for column in zip(*values, strict=True)
            ]
            print(f"| {dimension} | {name} | {' | '.join(shown + [''] * (3 - len(shown)))} |", flush=True)


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
