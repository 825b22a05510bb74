"""Images like photographs, without a photograph: light and dark in all sizes, shapes with edges, and a camera's noise.

The same seed gives the same image, and two seeds give images as different as two photographs.
"""

import numpy as np
from PIL import Image, ImageDraw

_CELLS = (3, 7, 17, 41)  # how many random colours lie across, from the coarsest to the finest field
_STRENGTHS = (70.0, 35.0, 18.0, 9.0)


def photo(seed, width, height):
    """(height, width, 3) uint8. A JPEG of quality 88 takes about 2.6 bits for each pixel, as a camera's does."""
    rng = np.random.default_rng([seed, 5])
    picture = np.full((height, width, 3), 110.0, dtype=np.float32)
    for cells, strength in zip(_CELLS, _STRENGTHS, strict=True):
        picture += strength * _field(rng, cells, width, height)
    shapes = Image.fromarray(_bytes(picture))
    _draw(shapes, rng)
    grain = rng.standard_normal((height, width, 1), dtype=np.float32) * 6
    colour = rng.standard_normal((height, width, 3), dtype=np.float32) * 3
    return _bytes(np.asarray(shapes, dtype=np.float32) + grain + colour)


def _field(rng, cells, width, height):
    """Random colours on a coarse grid with smooth passages between them, mostly in -1..1."""
    grid = rng.standard_normal((cells, cells, 3), dtype=np.float32) * np.float32(0.6)
    grid += rng.standard_normal((cells, cells, 1), dtype=np.float32) * np.float32(0.6)
    bands = [Image.fromarray(grid[:, :, c]).resize((width, height), Image.Resampling.BICUBIC) for c in range(3)]
    return np.stack([np.asarray(band) for band in bands], axis=2)


def _draw(image, rng):
    draw = ImageDraw.Draw(image)
    for number in range(8):
        left, right = sorted(rng.integers(0, image.width, 2).tolist())
        top, bottom = sorted(rng.integers(0, image.height, 2).tolist())
        box, colour = (
            (left, top, left + (right - left) // 2, top + (bottom - top) // 2),
            tuple(rng.integers(0, 256, 3).tolist()),
        )
        if number % 2:
            draw.ellipse(box, fill=colour)
        else:
            draw.rectangle(box, fill=colour)


def _bytes(values):
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
