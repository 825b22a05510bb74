"""Uniqueness: find what is in a dataset twice, what stands alone, and how new images compare with it.

Run it with `python uniqueness.py` in an empty folder. It makes its own images, so it needs nothing else.
"""

from pathlib import Path

import numpy as np
from PIL import Image

import saccade as sc
import saccade.brain as scb
from saccade import F

# Sixty pictures of coloured stripes; three of them were saved twice, and one shows a chessboard.
random = np.random.default_rng(7)
Path("images").mkdir(exist_ok=True)


def stripes() -> Image.Image:
    """Draw twelve stripes, each of a blue of its own."""
    colours = np.clip(random.normal([90, 150, 230], 25, (12, 3)), 0, 255)
    return Image.fromarray(np.repeat(np.repeat(colours[:, None], 64, axis=1), 4, axis=0).astype(np.uint8))


for number in range(60):
    stripes().save(f"images/{number:02}.png")
for number in range(3):
    Image.open(f"images/{number:02}.png").save(f"images/{number:02} again.png")
board = np.kron(np.indices((8, 8)).sum(axis=0) % 2, np.ones((6, 8))) * 255
Image.fromarray(board.astype(np.uint8)).convert("RGB").save("images/chess.png")

dataset = sc.Dataset.from_dir("images", dataset_type=sc.types.ImageDirectory, name="uniqueness", overwrite=True)

# Without vectors, the built-in descriptor makes them. The run knows what was done and holds the calibration.
run = scb.compute_uniqueness(dataset)
print(run)

# 0 is an exact copy, 0.5 is usual here, towards 1 stands alone.
for sample in run.view().limit(3):
    print(f"{sample['uniqueness']:.3f} {Path(sample.filepath).name}")
copies = dataset.match(F("uniqueness") == 0)
print(sorted(Path(path).name for path in copies.values("filepath")))

# New images, on the scale of the old ones: one known already, one ordinary, one of a kind never seen.
Path("arrivals").mkdir(exist_ok=True)
Image.open("images/07.png").save("arrivals/known.png")
stripes().save("arrivals/ordinary.png")
Image.fromarray(random.integers(0, 256, (48, 64, 3)).astype(np.uint8)).save("arrivals/noise.png")
arrivals = sc.Dataset.from_dir("arrivals", dataset_type=sc.types.ImageDirectory, name="arrivals", overwrite=True)
scb.compute_embeddings(arrivals)
for sample in scb.compute_uniqueness(arrivals, reference=run).view():
    print(f"{sample['uniqueness']:.3f} {Path(sample.filepath).name}")
