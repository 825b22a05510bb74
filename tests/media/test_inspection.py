"""One read feeds everything that was asked for, and no number depends on what else was asked."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from saccade.dataset.media.hashing import content_hash, hash_distance, perceptual_hash, pixels_hash
from saccade.dataset.media.image import decode, open_image
from saccade.dataset.media.inspection import SMALLEST, Wanted, inspect_image, inspect_pixels
from saccade.dataset.media.quality import quality
from saccade.dataset.media.thumbnails import make_thumbnail
from tests.media.files import encoded, photo_file, with_exif
from tests.media.photos import photo

ALL = Wanted(metadata=True, quality=True, hashes=True, pixels=True, thumbnail=64)
PARTS = {
    "metadata": Wanted(metadata=True),
    "quality": Wanted(quality=True),
    "content_hash": Wanted(hashes=True),
    "perceptual_hash": Wanted(hashes=True),
    "thumbnail": Wanted(thumbnail=64),
    "pixels": Wanted(pixels=True),
}
SMALL = Wanted(pixels=True, shortest=60)
FILES = {
    "JPEG": photo_file("JPEG", width=700, height=500),
    "turned": with_exif(photo(2, 600, 400), entries={0x0112: 6}),
    "16 bits": encoded((photo(3, 90, 60)[:, :, 0].astype(np.uint16) * 250), "PNG"),
    "transparent": encoded(np.dstack([photo(4, 90, 60), photo(5, 90, 60)[:, :, 0]]), "PNG"),
    "one pixel": photo_file("PNG", width=1, height=1),
}
every_file = pytest.mark.parametrize("data", FILES.values(), ids=FILES.keys())


@every_file
def test_each_part_is_the_same_alone_and_with_all_others(data):
    together = inspect_image(data, ALL)
    assert together.error is None
    for name, wanted in PARTS.items():
        alone = inspect_image(data, wanted)
        if name == "thumbnail":
            assert alike(alone.thumbnail, together.thumbnail)
        else:
            np.testing.assert_equal(getattr(alone, name), getattr(together, name))
        given = {other for other in PARTS if getattr(alone, other) is not None}
        assert given == ({"content_hash", "perceptual_hash"} if wanted.hashes else {name})


@every_file
def test_small_pixels_are_the_same_alone_and_with_all_others(data):
    alone = inspect_image(data, SMALL).pixels
    together = inspect_image(data, replace(ALL, shortest=60)).pixels
    np.testing.assert_array_equal(alone, together)
    assert min(alone.shape[:2]) >= min(60, *decode(data).pixels.shape[:2])


def alike(one, other):
    """Whether two thumbnails show the same, whatever the sizes that they were made from."""
    first, second = (np.asarray(Image.open(BytesIO(data)), dtype=float) for data in (one, other))
    return first.shape == second.shape and np.abs(first - second).mean() < 4


@every_file
def test_the_parts_are_those_of_the_single_functions(data):
    found, decoded = inspect_image(data, ALL), decode(data)
    assert found.metadata == decoded.metadata
    assert found.quality == quality(decoded.pixels, decoded.native, len(data))
    assert found.content_hash == content_hash(data)
    assert found.perceptual_hash == perceptual_hash(open_image(data).decode(SMALLEST).pixels)
    assert hash_distance(found.perceptual_hash, perceptual_hash(decoded.pixels)) <= 4
    assert alike(found.thumbnail, make_thumbnail(decoded.pixels, 64))
    np.testing.assert_array_equal(found.pixels, decoded.pixels)


def test_nothing_wanted_finds_out_only_whether_the_file_is_whole():
    found = inspect_image(FILES["JPEG"], Wanted())
    assert [getattr(found, name) for name in PARTS] == [None] * 6
    assert found.error is None
    assert inspect_image(FILES["JPEG"][:-50], Wanted()).error == "the file is truncated"


def test_of_a_damaged_file_is_given_what_could_be_found_out():
    whole = photo_file("PNG", width=90, height=60)
    found = inspect_image(whole[:-500], ALL)
    assert found.error == "the file is truncated"
    assert (found.metadata.width, found.metadata.height, found.metadata.mime_type) == (90, 60, "image/png")
    assert found.content_hash == content_hash(whole[:-500])
    assert found.quality is found.perceptual_hash is found.thumbnail is found.pixels is None
    nothing = inspect_image(b"text", ALL)
    assert (nothing.metadata, nothing.error) == (None, "the file is text, not an image")


def test_without_the_check_metadata_alone_needs_no_pixels():
    data = FILES["JPEG"]
    scan = data.index(b"\xff\xda")
    emptied = data[: scan + 200] + data[-2:]  # an end, and hardly a pixel
    quick = inspect_image(emptied, Wanted(metadata=True, check=False))
    assert (quick.error, quick.metadata.width) == (None, 700)
    assert inspect_image(emptied, Wanted(metadata=True)).error is not None
    assert inspect_image(data[:-9], Wanted(metadata=True, check=False)).error == "the file is truncated"


def test_frames_have_everything_but_the_size_of_a_file():
    pixels = photo(6, 120, 80)
    found = inspect_pixels(pixels, ALL)
    assert found.error is None
    assert found.content_hash == pixels_hash(pixels)
    assert (found.metadata.width, found.metadata.height, found.metadata.num_channels) == (120, 80, 3)
    assert found.metadata.size_bytes is None
    assert found.quality == quality(pixels)
    assert "sizeInBytes" not in found.quality
    assert found.thumbnail == make_thumbnail(pixels, 64)
    assert inspect_pixels(pixels, Wanted(metadata=True)).quality is None


def test_threads_find_the_same():
    files = list(FILES.values()) * 8
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda data: inspect_image(data, ALL), files))
    for data, found in zip(files, together, strict=True):
        alone = inspect_image(data, ALL)
        np.testing.assert_equal(vars(found), vars(alone))


def test_the_size_is_the_same_before_and_after_decoding():
    for data in FILES.values():
        assert open_image(data).metadata == decode(data).metadata
