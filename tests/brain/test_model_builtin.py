"""The built-in descriptor: what each block says, and that equal pixels give equal vectors whatever is beside them."""

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from saccade.brain.kernels.neighbors import nearest_neighbors
from saccade.brain.models.builtin import BuiltinModel, describe
from saccade.dataset.errors import ModelError

GRADIENTS, LAYOUT, TEXTURE, COLOUR = slice(0, 128), slice(128, 192), slice(192, 224), slice(224, 352)


def flat(red, green, blue):
    return np.full((12, 20, 3), (red, green, blue), dtype=np.uint8)


def stripes(vertical, period=8):
    wave = np.where(np.arange(64) % period < period // 2, 30, 220).astype(np.uint8)
    image = np.broadcast_to(wave[None, :] if vertical else wave[:, None], (64, 64))
    return np.repeat(image[:, :, None], 3, axis=2)


def photo(rng, size=96):
    """A smooth random scene with edges and colours."""
    coarse = rng.integers(0, 256, (6, 6, 3)).astype(np.uint8)
    scene = np.array(Image.fromarray(coarse).resize((size, size), Image.Resampling.BICUBIC))
    scene[size // 4 : size // 2, size // 3 : size // 2] = rng.integers(0, 256, 3)
    return scene


def distance(one, other):
    return np.linalg.norm(describe(one) - describe(other))


@pytest.mark.parametrize("shape", [(1, 1), (8, 8), (1, 900), (900, 1), (63, 65), (1200, 1600)])
def test_images_of_any_size_become_unit_vectors_of_one_length(shape, rng):
    image = rng.integers(0, 256, (*shape, 3)).astype(np.uint8)
    vectors = BuiltinModel().embed([image])
    assert vectors.shape == (1, BuiltinModel.dim)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors) == pytest.approx(1, abs=1e-6)


def test_a_vector_does_not_depend_on_the_images_beside_it(rng):
    images = [photo(rng) for _ in range(9)]
    together = BuiltinModel().embed(images)
    for index, image in enumerate(images):
        np.testing.assert_array_equal(BuiltinModel().embed([image])[0], together[index])


def test_no_images_give_no_rows():
    assert BuiltinModel().embed([]).shape == (0, 352)


def test_a_flat_image_has_colour_and_nothing_else():
    vector = describe(flat(200, 30, 30))
    assert np.abs(vector[: COLOUR.start]).max() < 1e-9
    assert np.linalg.norm(vector[COLOUR]) == pytest.approx(1)


def test_flat_colours_are_told_apart_and_near_ones_are_near():
    colours = [
        flat(0, 0, 0),
        flat(255, 255, 255),
        flat(255, 0, 0),
        flat(0, 255, 0),
        flat(0, 0, 255),
        flat(128, 128, 128),
    ]
    distances = [distance(a, b) for i, a in enumerate(colours) for b in colours[:i]]
    assert min(distances) > 0.9
    assert distance(flat(255, 0, 0), flat(250, 4, 4)) < 0.1


def test_the_gradient_columns_of_an_edge_are_those_of_its_direction():
    by_direction = {
        vertical: np.square(describe(stripes(vertical))[GRADIENTS]).reshape(8, 16).sum(axis=1)
        for vertical in (True, False)
    }
    assert int(np.argmax(by_direction[True])) == 0  # light changes along the row: 0 degrees
    assert int(np.argmax(by_direction[False])) == 4  # down the column: 90 degrees


def test_the_texture_columns_of_stripes_are_those_of_their_frequency():
    # 8 periods per image lie in the third ring, from 8 to 16 periods; vertical stripes vary in direction 0
    texture = describe(stripes(vertical=True, period=8))[TEXTURE].reshape(4, 8)
    assert np.unravel_index(np.argmax(texture), texture.shape) == (2, 0)


def test_the_layout_says_which_half_is_light():
    half = np.zeros((32, 32, 3), dtype=np.uint8)
    half[:, :16] = 255
    # columns: vertical 0, horizontal 1 comes first; its cosine is positive on the left
    assert describe(half)[LAYOUT][0] == pytest.approx(0.59, abs=0.02)
    assert describe(half[:, ::-1])[LAYOUT][0] == pytest.approx(-0.59, abs=0.02)


@pytest.mark.parametrize("change", ["half the size", "JPEG at quality 30", "30 % brighter", "a little noise"])
def test_small_changes_move_a_photo_less_than_another_photo_is_away(change, rng, tmp_path):
    def changed(image):
        picture = Image.fromarray(image)
        if change == "half the size":
            return np.array(picture.resize((48, 48), Image.Resampling.BOX))
        if change.startswith("JPEG"):
            picture.save(tmp_path / "a.jpg", quality=30)
            return np.array(Image.open(tmp_path / "a.jpg"))
        if change == "30 % brighter":
            return np.clip(image * 1.3, 0, 255).astype(np.uint8)
        return np.clip(image + rng.normal(0, 8, image.shape), 0, 255).astype(np.uint8)

    photos = [photo(rng) for _ in range(25)]
    originals, copies = (BuiltinModel().embed(images) for images in (photos, [changed(image) for image in photos]))
    assert (np.argmax(copies @ originals.T, axis=1) == np.arange(25)).all()


def test_the_nearest_digit_is_the_same_digit():
    digits = load_digits()
    images = [np.repeat(np.rint(i * 255 / 16).astype(np.uint8)[:, :, None], 3, axis=2) for i in digits.images]
    _, indices = nearest_neighbors(BuiltinModel().embed(images), k=1)
    assert (digits.target[indices[:, 0]] == digits.target).mean() > 0.99


@pytest.mark.parametrize(
    "image",
    [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)],
    ids=["grey", "with alpha", "floats", "no pixels"],
)
def test_what_is_no_rgb_image_is_refused_with_its_shape(image):
    with pytest.raises(ModelError, match=r"expected \(height, width, 3\) uint8"):
        BuiltinModel().embed([image])
