"""What a trained model knows of handwritten digits: kNN accuracy beside the untrained network and the pixels.

    python benchmarks/training.py [--splits 1 2 3] [--methods vicreg] [--backbones cnn] [--dimensions 16 32]

scikit-learn's 1,797 digits of 8 x 8 pixels; 1,200 of them are trained on, without labels, and foretell the labels of
the other 597 as their 5 nearest neighbours. All embeddings have the same dimension. One thread. Split 0 is that on
which the settings were chosen; each split has its own seed.
"""

import argparse
import time
from itertools import product
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
from saccade.brain.models.preparation import squeezed
from saccade.brain.models.trained import TrainedModel
from saccade.brain.training.loop import train
from saccade.brain.training.recipes import Recipe, recipe_for

Array = np.ndarray[Any, Any]
TRAINING, NEIGHBORS, SIDE = 1_200, 5, 8
VIEWS = {"crop_scale": (0.6, 1.0), "rotation": 15, "horizontal_flip": False, "blur": 0}
"""Digits lose their meaning when they are mirrored, and their edges when crops are small."""


def digits() -> tuple[list[Array], Array]:
    """The images, and what they show."""
    found = load_digits()
    pixels = np.rint(found.images * (255 / 16)).astype(np.uint8)
    images = [np.asarray(Image.fromarray(image).convert("RGB")) for image in pixels]
    return images, found.target


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
    parser.add_argument("--splits", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--methods", nargs="+", default=["vicreg"])
    parser.add_argument("--backbones", nargs="+", default=["cnn"])
    parser.add_argument("--dimensions", type=int, nargs="+", default=[16, 32])
    parser.add_argument("--epochs", type=int, default=100)
    args = parser.parse_args()
    torch.set_num_threads(1)
    images, truth = digits()
    rows: dict[tuple[int, str], list[tuple[float, ...]]] = {}
    for split in args.splits:
        order = np.random.default_rng(split).permutation(len(images))
        pixels = np.stack(images)[..., 0].reshape(len(images), -1)
        rows.setdefault((SIDE * SIDE, "all pixels"), []).append((accuracy(pixels, truth, order),))
        descriptor = BuiltinModel().embed(images)
        rows.setdefault((352, "built-in descriptor"), []).append((accuracy(descriptor, truth, order),))
        for dimension in args.dimensions:
            for name, vectors in projected(images, order, dimension, split).items():
                rows.setdefault((dimension, name), []).append((accuracy(vectors, truth, order),))
            for backbone, method in product(args.backbones, args.methods):
                recipe = recipe_for(
                    TRAINING, method=method, backbone=backbone, image_size=SIDE, dimension=dimension, seed=split,
                    augmentations=VIEWS, epochs=args.epochs,
                )  # fmt: skip
                before, after, agreement, seconds = learned(images, order, recipe)
                found = accuracy(before, truth, order), accuracy(after, truth, order)
                rows.setdefault((dimension, f"{backbone}, untrained"), []).append(found[:1])
                rows.setdefault((dimension, f"{backbone}, {method}"), []).append((found[1], agreement, seconds))
                print(f"split {split}, {dimension} numbers, {backbone}, {method}: {found[1]:.4f}", flush=True)
    print("\n| dimension | vectors | kNN accuracy | agreement | processor s |\n|--:|---|--:|--:|--:|")
    for (dimension, name), values in rows.items():
        shown = [f"{np.mean(column):.3f} ({min(column):.3f}–{max(column):.3f})" for column in zip(*values, strict=True)]
        print(f"| {dimension} | {name} | {' | '.join(shown + [''] * (3 - len(shown)))} |")


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
