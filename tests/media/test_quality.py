"""Lightly's figures: worked out by hand on small images, and against slow plain formulas on photographs."""

import math

import numpy as np
import pytest
from PIL import Image, ImageFilter

from saccade.dataset.media.image import decode
from saccade.dataset.media.quality import (
    contrast,
    luminance,
    quality,
    sharpness,
    signal_to_noise,
    uniform_row_ratio,
)
from tests.media.files import encoded
from tests.media.photos import photo

KEYS = [
    "snr", "sharpness", "sizeInBytes", "width", "height", "shape", "mean", "std", "sumOfValues", "sumOfSquares",
    "meanRed", "meanGreen", "meanBlue", "uniformRowRatio", "luminance", "contrast",
]  # fmt: skip
PHOTOS = [photo(seed, *size) for seed, size in enumerate([(200, 120), (97, 131), (160, 810), (1100, 50)])]
AROUND = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
every_photo = pytest.mark.parametrize("pixels", PHOTOS, ids=lambda pixels: "×".join(map(str, pixels.shape[1::-1])))


def plain(value):
    return np.full((6, 8, 3), value, dtype=np.uint8)


def grey_of(pixels):
    red, green, blue = (pixels[:, :, channel].astype(np.int64) for channel in range(3))
    return (19595 * red + 38470 * green + 7471 * blue + 32768) // 65536


def averaged(values, across, down):
    """Each block's mean, rounded half up; blocks at the border have fewer pixels."""
    rows = [
        [values[top : top + down, left : left + across].mean(axis=(0, 1)) for left in range(0, values.shape[1], across)]
        for top in range(0, values.shape[0], down)
    ]
    return np.floor(np.array(rows) + 0.5)


def test_the_keys_are_lightlys():
    assert list(quality(plain(7), size_bytes=5)) == KEYS
    assert list(quality(plain(7))) == [key for key in KEYS if key != "sizeInBytes"]


def test_an_image_of_one_colour_by_hand():
    figures = quality(np.full((4, 5, 3), (255, 51, 0), dtype=np.uint8), size_bytes=99)
    assert figures["mean"] == [1.0, 0.2, 0.0]
    assert figures["std"] == [0.0, 0.0, 0.0]
    assert figures["sumOfValues"] == pytest.approx([20, 4, 0])
    assert figures["sumOfSquares"] == pytest.approx([20, 0.8, 0])
    assert (figures["meanRed"], figures["meanGreen"], figures["meanBlue"]) == (1.0, 0.2, 0.0)
    assert (figures["width"], figures["height"], figures["shape"]) == (5, 4, [4, 5, 3])
    assert (figures["contrast"], figures["uniformRowRatio"]) == (0.0, 1.0)
    # The grey is 106; 14 pixels at the border keep it, 6 inside become 0
    assert figures["sharpness"] == pytest.approx(106 * math.sqrt(14 * 6) / 20)
    assert figures["sizeInBytes"] == 99
    # The values are 255, 51 and 0: mean 102, variance (153² + 51² + 102²) / 3 = 12138
    assert figures["snr"] == pytest.approx(102 / math.sqrt(12138))


def test_sharpness_by_hand():
    dot = np.zeros((5, 5), dtype=np.uint8)
    dot[2, 2] = 30
    # Inside, the dot becomes 240 and its neighbours -30, clipped to 0: mean 240/25, mean square 240²/25
    assert sharpness(dot) == pytest.approx(math.sqrt(240**2 / 25 - (240 / 25) ** 2))
    dot[2, 2] = 60  # 480 is clipped to 255
    assert sharpness(dot) == pytest.approx(math.sqrt(255**2 / 25 - (255 / 25) ** 2))
    edge = np.zeros((5, 5), dtype=np.uint8)
    edge[0, 0] = 100  # at the border it stays 100, and its neighbour inside is clipped to 0
    assert sharpness(edge) == pytest.approx(math.sqrt(100**2 / 25 - 4**2))


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 9), (2, 2), (9, 2), (3, 3), (3, 4), (4, 3), (200, 3), (37, 41), (16, 700)]
)
def test_sharpness_is_the_deviation_under_pillows_filter(shape):
    grey = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    kernel = ImageFilter.Kernel((3, 3), (-1, -1, -1, -1, 8, -1, -1, -1, -1), scale=1)
    assert sharpness(grey) == pytest.approx(np.asarray(Image.fromarray(grey).filter(kernel)).std(), rel=1e-12)


@every_photo
def test_a_photographs_figures_follow_the_formulas(pixels):
    figures = quality(pixels)
    scaled = pixels.astype(np.float64) / 255
    grey = grey_of(pixels)
    kernel = ImageFilter.Kernel((3, 3), (-1, -1, -1, -1, 8, -1, -1, -1, -1), scale=1)
    edges = np.asarray(Image.fromarray(grey.astype(np.uint8)).filter(kernel))
    assert figures["snr"] == pytest.approx(scaled.mean() / scaled.std(), rel=1e-10)
    assert figures["mean"] == pytest.approx(scaled.mean(axis=(0, 1)), rel=1e-10)
    assert figures["std"] == pytest.approx(scaled.std(axis=(0, 1)), rel=1e-10)
    assert figures["sumOfValues"] == pytest.approx(scaled.sum(axis=(0, 1)), rel=1e-10)
    assert figures["sumOfSquares"] == pytest.approx((scaled**2).sum(axis=(0, 1)), rel=1e-10)
    assert figures["contrast"] == pytest.approx(grey.std(), rel=1e-10) == contrast(pixels)
    assert figures["sharpness"] == pytest.approx(edges.std(), rel=1e-10)


@every_photo
def test_the_luminance_is_the_mean_lightness(pixels):
    factor = max(pixels.shape) // 512
    small = averaged(averaged(pixels, factor, factor), 2, 2) if factor else pixels
    linear = np.where(small / 255 <= 0.04045, small / 255 / 12.92, ((small / 255 + 0.055) / 1.055) ** 2.4)
    light = linear @ [0.2126, 0.7152, 0.0722]
    lightness = np.where(light <= 216 / 24389, light * 24389 / 27, 116 * np.cbrt(light) - 16)
    assert luminance(pixels) == pytest.approx(lightness.mean(), abs=2e-3)


@pytest.mark.parametrize(
    ("colour", "expected"),
    # CIELAB of the sRGB primaries, D65
    [
        ((255, 255, 255), 100),
        ((0, 0, 0), 0),
        ((255, 0, 0), 53.24),
        ((0, 255, 0), 87.73),
        ((0, 0, 255), 32.30),
        ((119, 119, 119), 50.03),
    ],
)
def test_colours_have_the_lightness_that_cielab_gives_them(colour, expected):
    assert luminance(plain(colour)) == pytest.approx(expected, abs=0.01)


def test_half_black_half_white_is_half_light():
    pixels = plain(0)
    pixels[:, :4] = 255
    assert luminance(pixels) == pytest.approx(50, abs=1e-9)
    assert contrast(pixels) == 127.5


@every_photo
def test_the_share_of_uniform_rows_follows_the_formula(pixels):
    broken = pixels.copy()
    broken[len(broken) // 2 :] = 90
    for image in (pixels, broken):
        height, width = image.shape[:2]
        factor = math.ceil(height / 400)
        grey = averaged(grey_of(image)[:, :, None], min(factor, width // 3), factor)[:, :, 0]
        nine = sum(
            grey[1 + down : len(grey) - 1 + down, 1 + right : grey.shape[1] - 1 + right] for down, right in AROUND
        )
        flat = np.abs(9 * grey[1:-1, 1:-1] - nine) / 255 <= 5 / 255 + 1e-12
        assert uniform_row_ratio(image) == pytest.approx(np.mean(flat.mean(axis=1) > 0.97))
    assert uniform_row_ratio(pixels) < 0.025
    assert uniform_row_ratio(broken) > 0.45


@pytest.mark.parametrize("size", [(1, 1), (2, 900), (900, 2), (1, 5)])
def test_images_under_three_pixels_have_no_uniform_rows(size):
    assert uniform_row_ratio(photo(1, *size)) == 0.0


def test_tall_and_narrow_images_have_figures():
    figures = quality(photo(1, 4, 5000))
    assert 0 <= figures["uniformRowRatio"] <= 1
    assert all(np.isfinite(value).all() for value in figures.values())


def test_the_ratio_of_signal_to_noise_is_of_the_stored_values():
    deep = np.array([[0, 1000], [2000, 65535]], dtype=np.uint16)
    decoded = decode(encoded(deep, "PNG"))
    assert quality(decoded.pixels, decoded.native)["snr"] == pytest.approx(deep.mean() / deep.std())
    assert signal_to_noise(np.full((3, 3), 9, dtype=np.uint8)) == 0.0
    assert signal_to_noise(np.array([np.nan, 1.0, 3.0, np.inf])) == 2.0
    assert signal_to_noise(np.array([np.nan, np.nan])) == 0.0


def test_turning_an_image_keeps_what_does_not_depend_on_direction():
    first, second = quality(PHOTOS[0]), quality(np.ascontiguousarray(np.rot90(PHOTOS[0])))
    for key in ("snr", "sharpness", "mean", "std", "sumOfValues", "luminance", "contrast"):
        assert first[key] == second[key], key
    assert second["shape"] == [200, 120, 3]


def test_blur_darkness_and_noise_show_in_their_figures():
    pixels = PHOTOS[1]
    blurred = np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(2)))
    assert quality(blurred)["sharpness"] < 0.5 * quality(pixels)["sharpness"]
    dark = pixels // 4
    assert quality(dark)["luminance"] < 0.5 * quality(pixels)["luminance"]
    assert quality(dark)["contrast"] < 0.3 * quality(pixels)["contrast"]
