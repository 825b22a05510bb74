"""Hashes: the same bytes have the same, and what looks alike has nearly the same."""

import io
from itertools import combinations

import numpy as np
import pytest
from PIL import Image
from xxhash import xxh3_128

from saccade.dataset.media.hashing import content_hash, hash_distance, perceptual_hash, pixels_hash
from saccade.dataset.media.image import decode
from tests.media.files import encoded
from tests.media.photos import photo

PHOTOS = [photo(seed, 320, 240) for seed in range(40)]


def scaled(pixels, width, height):
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS))


CHANGES = {
    "half the size": (lambda pixels: scaled(pixels, 160, 120), 6),
    "a quarter": (lambda pixels: scaled(pixels, 80, 60), 6),
    "twice the size": (lambda pixels: scaled(pixels, 640, 480), 6),
    "another shape": (lambda pixels: scaled(pixels, 250, 250), 6),
    "JPEG of quality 50": (lambda pixels: decode(encoded(pixels, "JPEG", quality=50)).pixels, 4),
    "JPEG of quality 10": (lambda pixels: decode(encoded(pixels, "JPEG", quality=10)).pixels, 6),
    "brighter": (lambda pixels: np.clip(pixels * 1.2 + 10, 0, 255).astype(np.uint8), 8),
    "darker": (lambda pixels: (pixels * 0.6).astype(np.uint8), 6),
    "less contrast": (lambda pixels: (pixels * 0.5 + 60).astype(np.uint8), 6),
}


def test_the_content_hash_is_xxh3_of_128_bits():
    assert content_hash(b"") == "99aa06d3014798d86001c324468d497f"  # as published with xxHash
    assert content_hash(b"abc") == xxh3_128(b"abc").hexdigest()


def test_pixels_of_another_shape_have_another_hash():
    row = photo(1, 12, 1)
    assert pixels_hash(row) != pixels_hash(row.reshape(12, 1, 3))
    assert pixels_hash(row) == pixels_hash(row.copy())
    assert pixels_hash(row[:, ::2]) == pixels_hash(np.ascontiguousarray(row[:, ::2]))


def test_different_photographs_are_far_apart():
    distances = [hash_distance(*pair) for pair in combinations(map(perceptual_hash, PHOTOS), 2)]
    assert min(distances) >= 14
    assert 30 < np.mean(distances) < 34


@pytest.mark.parametrize(("change", "most"), CHANGES.values(), ids=CHANGES.keys())
def test_a_changed_copy_is_nearer_than_any_other_photograph(change, most):
    for pixels in PHOTOS:
        assert hash_distance(perceptual_hash(pixels), perceptual_hash(change(pixels))) <= most


def test_the_hash_follows_its_definition():
    pixels = photo(3, 32, 32)  # nothing to shrink
    red, green, blue = (pixels[:, :, channel].astype(np.int64) for channel in range(3))
    grey = (19595 * red + 38470 * green + 7471 * blue + 32768) // 65536
    waves = [
        [
            sum(
                grey[y, x] * np.cos(np.pi / 32 * (y + 0.5) * down) * np.cos(np.pi / 32 * (x + 0.5) * across)
                for y in range(32)
                for x in range(32)
            )
            for across in range(1, 9)
        ]
        for down in range(1, 9)
    ]
    bits = (np.array(waves) > np.median(waves)).ravel()
    assert perceptual_hash(pixels) == f"{int(''.join('01'[int(bit)] for bit in bits), 2):016x}"


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (33, 31)])
def test_one_colour_has_no_bits_whatever_its_size(size):
    for colour in (0, 97, 255):
        assert perceptual_hash(np.full((size[1], size[0], 3), colour, dtype=np.uint8)) == "0" * 16


def test_turned_images_differ():
    for pixels in PHOTOS[:10]:
        assert hash_distance(perceptual_hash(pixels), perceptual_hash(pixels[:, ::-1])) > 12


def test_hashes_of_two_kinds_are_not_compared():
    with pytest.raises(ValueError, match="hashes of 16 and 32 digits"):
        hash_distance("0" * 16, "0" * 32)


def test_files_of_the_same_image_have_different_contents_and_the_same_looks():
    png, webp = (encoded(PHOTOS[0], kind, **({"lossless": True} if kind == "WEBP" else {})) for kind in ("PNG", "WEBP"))
    assert content_hash(png) != content_hash(webp)
    assert perceptual_hash(decode(png).pixels) == perceptual_hash(decode(webp).pixels)
    assert content_hash(io.BytesIO(png).getvalue()) == content_hash(png)
