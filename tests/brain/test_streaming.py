"""From files to vectors: every kind of image as it is meant to be seen, every broken file as a reason."""

import os
import sys

import numpy as np
import pytest
from PIL import Image

from saccade.brain.models import streaming
from saccade.brain.models.callable import CallableModel
from saccade.brain.models.streaming import decode_image, embed_files
from saccade.dataset.errors import UnreadableMediaError, WrongOutputShapeError


def saved(path, image, **options):
    image.save(path, **options)
    return str(path)


def mean_colour(images):
    return [image.mean(axis=(0, 1)) for image in images]


MODEL = CallableModel(mean_colour)


def reason(path):
    with pytest.raises(UnreadableMediaError) as caught:
        decode_image(path)
    return str(caught.value)


def test_rgb_pixels_come_as_they_are(tmp_path):
    pixels = np.arange(36, dtype=np.uint8).reshape(3, 4, 3)
    np.testing.assert_array_equal(decode_image(saved(tmp_path / "a.png", Image.fromarray(pixels))), pixels)


def test_grey_becomes_three_equal_channels(tmp_path):
    grey = np.array([[0, 100], [200, 255]], dtype=np.uint8)
    decoded = decode_image(saved(tmp_path / "a.png", Image.fromarray(grey)))
    assert decoded.dtype == np.uint8
    for channel in range(3):
        np.testing.assert_array_equal(decoded[:, :, channel], grey)


def test_sixteen_bit_grey_keeps_its_range(tmp_path):
    deep = np.array([[0, 257], [32896, 65535]], dtype=np.uint16)
    decoded = decode_image(saved(tmp_path / "a.png", Image.fromarray(deep)))
    assert decoded[:, :, 0].tolist() == [[0, 1], [128, 255]]


@pytest.mark.parametrize(
    ("values", "expected"),
    [([[0.0, 0.5, 1.0]], [0, 128, 255]), ([[0.0, 100.0, 300.0]], [0, 100, 255]), ([[np.nan, 0.2, 1.0]], [0, 51, 255])],
)
def test_float_images_are_fractions_or_eight_bit_values(values, expected, tmp_path):
    path = saved(tmp_path / "a.tiff", Image.fromarray(np.array(values, dtype=np.float32)))
    assert decode_image(path)[0, :, 0].tolist() == expected


def test_cmyk_becomes_the_colour_it_prints(tmp_path):
    path = saved(tmp_path / "a.jpg", Image.new("CMYK", (8, 8), (255, 0, 0, 0)), quality=95)
    red, green, blue = decode_image(path)[4, 4]
    assert red < 30
    assert green > 220
    assert blue > 220


def test_palette_images_show_their_colours(tmp_path):
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.putpixel((1, 0), 1)
    assert decode_image(saved(tmp_path / "a.png", image)).tolist() == [[[10, 20, 30], [200, 100, 50]]]


def test_transparent_parts_show_white(tmp_path):
    pixels = np.array([[[255, 0, 0, 255], [255, 0, 0, 0], [0, 0, 0, 128]]], dtype=np.uint8)
    decoded = decode_image(saved(tmp_path / "a.png", Image.fromarray(pixels, "RGBA")))
    assert decoded.tolist() == [[[255, 0, 0], [255, 255, 255], [127, 127, 127]]]


def test_a_palette_with_a_transparent_colour_shows_white_there(tmp_path):
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.putpixel((1, 0), 1)
    path = saved(tmp_path / "a.png", image, transparency=0)
    assert decode_image(path).tolist() == [[[255, 255, 255], [200, 100, 50]]]


def test_the_exif_orientation_is_applied(tmp_path):
    pixels = np.zeros((2, 3, 3), dtype=np.uint8)
    pixels[0, 0] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # stored lying on its side: turn 90 degrees clockwise to view
    decoded = decode_image(saved(tmp_path / "a.png", Image.fromarray(pixels), exif=exif))
    assert decoded.shape == (3, 2, 3)
    assert decoded[0, 1].tolist() == [255, 255, 255]


def test_an_animation_gives_its_first_frame(tmp_path):
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    path = saved(tmp_path / "a.gif", frames[0], save_all=True, append_images=frames[1:])
    assert decode_image(path)[0, 0].tolist() == [255, 0, 0]


def test_a_missing_file_a_folder_and_an_empty_file_each_have_their_reason(tmp_path):
    (tmp_path / "empty.png").touch()
    assert reason(tmp_path / "none.png") == "the file does not exist"
    assert reason(tmp_path) == "the path is a folder"
    assert reason(tmp_path / "empty.png") == "the file is empty"


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="this user may read every file")
def test_a_file_without_permission_says_so(tmp_path):
    path = tmp_path / "a.png"
    saved(path, Image.new("RGB", (2, 2)))
    path.chmod(0)
    assert "permission denied" in reason(path)


def test_what_is_no_image_says_so(tmp_path):
    (tmp_path / "a.jpg").write_text("not an image")
    assert reason(tmp_path / "a.jpg") == "the file is not an image of a known kind"


@pytest.mark.parametrize("kind", ["png", "jpg", "gif", "bmp", "tiff", "webp"])
def test_a_file_cut_in_half_is_never_taken_for_an_image(kind, tmp_path, rng):
    path = tmp_path / f"a.{kind}"
    saved(path, Image.fromarray(rng.integers(0, 256, (90, 90, 3)).astype(np.uint8)))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert "cannot be decoded" in reason(path) or "not an image" in reason(path)


def test_a_file_that_promises_more_pixels_than_anyone_has_is_refused(tmp_path, monkeypatch):
    path = saved(tmp_path / "a.png", Image.new("L", (100, 100)))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    assert "could be decompression bomb" in reason(path)


def test_batches_cover_every_path_once_and_in_order(tmp_path):
    paths = [saved(tmp_path / f"{i}.png", Image.new("RGB", (2, 2), (i, 0, 0))) for i in range(7)]
    batches = list(embed_files(paths, MODEL, batch_size=3))
    assert [batch.positions for batch in batches] == [[0, 1, 2], [3, 4, 5], [6]]
    assert np.concatenate([batch.vectors for batch in batches])[:, 0].tolist() == list(range(7))


def test_broken_files_become_reasons_and_the_rest_is_embedded(tmp_path):
    good = saved(tmp_path / "a.png", Image.new("RGB", (2, 2), (9, 9, 9)))
    (tmp_path / "b.png").write_bytes(b"\x89PNG\r\n\x1a\nrest")
    paths = [str(tmp_path / "none.png"), good, str(tmp_path / "b.png")]
    (batch,) = embed_files(paths, MODEL)
    assert batch.positions == [1]
    assert batch.vectors.tolist() == [[9, 9, 9]]
    assert list(batch.failures) == [0, 2]
    assert batch.failures[0] == "the file does not exist"


def test_a_batch_of_broken_files_alone_never_calls_the_model():
    (batch,) = embed_files(["/nowhere/1.png", "/nowhere/2.png"], CallableModel(lambda images: 1 / 0))
    assert batch.positions == []
    assert len(batch.failures) == 2


def test_no_paths_give_no_batches():
    assert list(embed_files([], MODEL)) == []


def test_a_vector_with_nan_is_a_failure_of_its_image_alone(tmp_path):
    paths = [saved(tmp_path / f"{i}.png", Image.new("RGB", (2, 2), (i, 0, 0))) for i in range(3)]
    model = CallableModel(lambda images: [[1.0, np.nan if i == 1 else 0.0] for i in range(len(images))], name="odd")
    (batch,) = embed_files(paths, model)
    assert batch.positions == [0, 2]
    assert batch.failures == {1: "model 'odd' returned NaN or infinity"}


@pytest.mark.parametrize("shape", [(1, 4), (2, 3, 3, 8), (2,), (2, 0)])
def test_a_model_of_another_shape_is_refused_with_both_shapes(shape, tmp_path):
    paths = [saved(tmp_path / f"{i}.png", Image.new("RGB", (2, 2))) for i in range(2)]
    model = CallableModel(lambda images: np.zeros(shape), name="my-net")
    with pytest.raises(WrongOutputShapeError, match=r"'my-net' returned shape .* for 2 images; expected \(2, d\)"):
        list(embed_files(paths, model))


def test_very_large_images_close_a_batch_early(tmp_path, monkeypatch):
    monkeypatch.setattr(streaming, "_PIXELS", 150)
    paths = [saved(tmp_path / f"{i}.png", Image.new("RGB", (10, 10))) for i in range(4)]
    assert [batch.positions for batch in embed_files(paths, MODEL)] == [[0, 1], [2, 3]]
