"""How good the built-in descriptor is, and how fast: the figures of docs/models.md. Needs no download and no database.

    python benchmarks/builtin_model.py                   # all of them, in about half a minute
    python benchmarks/builtin_model.py --only speed      # some of them

Digits are scikit-learn's 1,797 images of 8 x 8 pixels; photos are 48 tiles of 96 x 96 pixels of its two photos. Raw
pixels (grey, and for photos 16 x 16 in colour) are measured beside the descriptor, as what it has to beat.
"""

import argparse
import io
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from PIL import Image
from scipy.ndimage import shift
from sklearn.datasets import load_digits, load_sample_images
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

from saccade.brain.kernels.duplicates import near_duplicates
from saccade.brain.kernels.neighbors import nearest_neighbors
from saccade.brain.kernels.uniqueness import NEIGHBORS, uniqueness
from saccade.brain.models.builtin import BuiltinModel

Array = np.ndarray[Any, Any]
Embed = Callable[[list[Array]], Array]

SEEDS = range(10, 15)
KINDS = ("exact", "noise 2 %", "noise 5 %", "10 % darker", "quarter pixel shift")


def described(images: list[Array]) -> Array:
    """Vectors of the built-in descriptor."""
    return BuiltinModel().embed(images)


def raw_pixels(images: list[Array]) -> Array:
    """The pixels themselves; images of more than 16 x 16 pixels are shrunk to that."""
    small = [
        np.asarray(Image.fromarray(image).resize((16, 16), Image.Resampling.BICUBIC)) if len(image) > 16 else image
        for image in images
    ]
    return np.stack(small).reshape(len(images), -1).astype(np.float32)


EMBEDDERS: dict[str, Embed] = {"builtin": described, "raw pixels": raw_pixels}


def colour(grey: Array) -> Array:
    """An image of bytes from grey values in 0..1."""
    return np.repeat(np.rint(np.clip(grey, 0, 1) * 255).astype(np.uint8)[:, :, None], 3, axis=2)


def digits() -> Iterator[str]:
    """Leave one out: how often the nearest other digits are of the same class."""
    data = load_digits()
    images = [colour(image / 16) for image in data.images]
    for name, embed in EMBEDDERS.items():
        _, indices = nearest_neighbors(embed(images), k=5)
        near = data.target[indices]
        votes = [int(np.bincount(row, minlength=10).argmax()) for row in near]
        one, five = (near[:, 0] == data.target).mean(), (np.array(votes) == data.target).mean()
        yield f"digits, accuracy of neighbours: {name:10}  1-NN {one:.4f}   5-NN {five:.4f}"


def with_copies(seed: int) -> tuple[list[Array], Array]:
    """Digits with changed copies of a tenth of them behind; gives the images and which ones were copied."""
    rng = np.random.default_rng(seed)
    data = load_digits().images / 16
    sources = rng.choice(len(data), len(data) // 10, replace=False)
    copies = []
    for at, source in enumerate(sources):
        image = data[source]
        noise = rng.standard_normal(image.shape)
        moved = shift(image, (0, 0.25), order=1, mode="nearest")
        copies.append((image, image + 0.02 * noise, image + 0.05 * noise, image * 0.9, moved)[at % len(KINDS)])
    return [colour(image) for image in [*data, *copies]], sources


def duplicates() -> Iterator[str]:
    """Copies planted among digits, and the automatic threshold: how many are attached to what they are copies of."""
    for name, embed in EMBEDDERS.items():
        found: dict[str, list[float]] = {kind: [] for kind in (*KINDS, "precision")}
        for seed in SEEDS:
            images, sources = with_copies(seed)
            first = len(images) - len(sources)
            repeated = near_duplicates(embed(images)).of
            right = repeated[first:] == sources
            for at, kind in enumerate(KINDS):
                found[kind].append(right[at :: len(KINDS)].mean())
            found["precision"].append(right.sum() / max(1, (repeated != np.arange(len(images))).sum()))
        shown = "   ".join(f"{kind} {np.mean(values):.3f}" for kind, values in found.items())
        yield f"digits with planted copies: {name:10}  {shown}"


def planted_uniqueness() -> Iterator[str]:
    """How surely a copy, and what it is a copy of, scores as less unique than other digits (AUROC)."""
    for name, embed in EMBEDDERS.items():
        areas = []
        for seed in SEEDS:
            images, sources = with_copies(seed)
            distances, indices = nearest_neighbors(embed(images), k=NEIGHBORS)
            scores, _ = uniqueness(distances, distances[:, -1][indices])
            is_copy = np.zeros(len(images), dtype=bool)
            is_copy[len(images) - len(sources) :] = is_copy[sources] = True
            areas.append(roc_auc_score(~is_copy, scores))
        yield f"uniqueness of planted copies, AUROC: {name:10}  {np.mean(areas):.3f}"


def tiles() -> list[Array]:
    """48 tiles of two real photos."""
    photos = load_sample_images().images
    return [
        np.ascontiguousarray(photo[top : top + 96, left : left + 96])
        for photo in photos
        for top in range(0, 384, 96)
        for left in range(0, 576, 96)
    ]


def as_jpeg(image: Array, quality: int) -> Array:
    """The image after it was saved as JPEG."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality)
    return np.array(Image.open(file))


def resized(image: Array, factor: float) -> Array:
    """The image at another size."""
    side = round(len(image) * factor)
    return np.array(Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC))


def times(image: Array, factor: float) -> Array:
    """The image made lighter or darker."""
    return np.clip(np.rint(image * factor), 0, 255).astype(np.uint8)


CHANGES: dict[str, Callable[[Array], Array]] = {
    "size x 0.5": lambda image: resized(image, 0.5),
    "size x 0.25": lambda image: resized(image, 0.25),
    "size x 2": lambda image: resized(image, 2),
    "JPEG quality 75": lambda image: as_jpeg(image, 75),
    "JPEG quality 30": lambda image: as_jpeg(image, 30),
    "JPEG quality 10": lambda image: as_jpeg(image, 10),
    "brightness x 0.7": lambda image: times(image, 0.7),
    "brightness x 1.3": lambda image: times(image, 1.3),
}


def robustness() -> Iterator[str]:
    """Cosine similarity of a tile to its changed copy and to the most similar other tile; how often the copy wins."""
    images = tiles()
    for name, embed in EMBEDDERS.items():
        originals = unit(embed(images))
        for change, apply in CHANGES.items():
            similar = unit(embed([apply(image) for image in images])) @ originals.T
            own = np.diag(similar).copy()
            np.fill_diagonal(similar, -1)
            rank_one = (own > similar.max(axis=1)).mean()
            yield (
                f"photos, {change:16}: {name:10}  itself {own.mean():.3f} (lowest {own.min():.3f})   nearest other "
                f"{similar.max(axis=1).mean():.3f}   rank 1 {rank_one:.3f}"
            )


def unit(vectors: Array) -> Array:
    """Rows of length one."""
    lengths: Array = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / lengths


def speed() -> Iterator[str]:
    """Decoded images of 256 x 256 pixels per second of one thread's processor time: the median of seven rounds."""
    rng = np.random.default_rng(0)
    images = [
        np.asarray(Image.fromarray(rng.integers(0, 256, (16, 16, 3)).astype(np.uint8)).resize((256, 256)))
        for _ in range(100)
    ]
    model, rates = BuiltinModel(), []
    with threadpool_limits(1):
        for _ in range(7):
            start = time.thread_time()
            model.embed_prepared([model.prepare(image) for image in images])
            rates.append(len(images) / (time.thread_time() - start))
    yield f"images of 256 x 256 per second of one core: {np.median(rates):.0f} ({min(rates):.0f}-{max(rates):.0f})"


MEASURES: dict[str, Callable[[], Iterator[str]]] = {
    "digits": digits, "duplicates": duplicates, "uniqueness": planted_uniqueness, "robustness": robustness,
    "speed": speed,
}  # fmt: skip


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(MEASURES), help="names with commas between them")
    for name in parser.parse_args().only.split(","):
        for line in MEASURES[name]():
            print(line, flush=True)


if __name__ == "__main__":
    main()
