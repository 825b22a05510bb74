"""Thumbnails: small, upright, and kept whole or not at all."""

import io
import os
import threading

import numpy as np
import pytest
from PIL import Image

from saccade.dataset import settings
from saccade.dataset.errors import UnreadableMediaError
from saccade.dataset.media.hashing import content_hash
from saccade.dataset.media.image import decode
from saccade.dataset.media.thumbnails import (
    keep_thumbnail,
    make_thumbnail,
    prune_thumbnails,
    read_thumbnail,
    thumbnail_of,
    thumbnail_path,
)
from tests.media.files import encoded, photo_file, with_exif
from tests.media.photos import photo


def opened(thumbnail):
    with Image.open(io.BytesIO(thumbnail)) as image:
        assert image.format == "WEBP"
        return np.asarray(image.convert("RGB")).astype(float)


@pytest.fixture
def cache(tmp_path):
    with settings.using(cache_dir=tmp_path):
        yield tmp_path


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((640, 360), (256, 144)),
        ((360, 640), (144, 256)),
        ((300, 300), (256, 256)),
        ((100, 40), (100, 40)),
        ((3000, 1), (256, 1)),
        ((1, 1), (1, 1)),
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_the_longest_side_is_as_given_and_small_images_keep_their_size(kind, size, expected):
    data = photo_file(kind, width=size[0], height=size[1])
    for thumbnail in (make_thumbnail(decode(data).pixels, 256), thumbnail_of(data, 256)):
        assert opened(thumbnail).shape[1::-1] == expected


@pytest.mark.parametrize("size", [64, 200, 300])
def test_a_thumbnail_shows_the_image(size):
    pixels = photo(3, 900, 600)
    small = Image.fromarray(pixels).resize((size, round(size / 1.5)), Image.Resampling.BOX)
    for thumbnail in (make_thumbnail(pixels, size), thumbnail_of(encoded(pixels, "JPEG", quality=95), size)):
        assert np.abs(opened(thumbnail) - np.asarray(small)).mean() < 8


@pytest.mark.parametrize("simplejpeg", [True, False])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_thumbnails_are_upright(simplejpeg, orientation, hide_simplejpeg):
    if not simplejpeg:
        hide_simplejpeg()
    data = with_exif(photo(4, 600, 400), entries={0x0112: orientation}, quality=95)
    upright = opened(make_thumbnail(decode(data).pixels, 128))
    assert np.abs(opened(thumbnail_of(data, 128)) - upright).mean() < 4


def test_a_damaged_file_has_no_thumbnail():
    for data in (b"", b"text", photo_file("JPEG", width=900, height=900)[:-200]):
        with pytest.raises(UnreadableMediaError):
            thumbnail_of(data, 64)


def test_what_was_kept_is_read_again_by_hash_and_size(cache):
    digest, thumbnail = content_hash(b"file"), make_thumbnail(photo(1, 90, 60), 32)
    assert read_thumbnail(digest, 32) is None
    path = keep_thumbnail(digest, 32, thumbnail)
    assert path == thumbnail_path(digest, 32)
    assert cache in path.parents
    assert read_thumbnail(digest, 32) == thumbnail
    assert read_thumbnail(digest, 64) is None
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_thumbnail_that_several_keep_at_once_is_never_seen_in_part(cache):
    digest, wholes = content_hash(b"file"), {bytes([number]) * 200_000 for number in range(4)}
    keep_thumbnail(digest, 32, next(iter(wholes)))
    seen = []

    def keep(whole):
        for _ in range(30):
            keep_thumbnail(digest, 32, whole)
            seen.append(read_thumbnail(digest, 32))

    threads = [threading.Thread(target=keep, args=[whole]) for whole in wholes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 120
    assert set(seen) <= wholes
    assert len(list(thumbnail_path(digest, 32).parent.iterdir())) == 1


def test_pruning_removes_what_was_not_used_for_longest(cache):
    digests = [content_hash(bytes([number])) for number in range(5)]
    for age, digest in enumerate(digests):
        os.utime(keep_thumbnail(digest, 32, b"x" * 100), (age, age))
    assert read_thumbnail(digests[0], 32) is not None  # now the last used
    assert prune_thumbnails(250) == 300
    assert [read_thumbnail(digest, 32) is not None for digest in digests] == [True, False, False, False, True]
    assert prune_thumbnails(250) == 0


def test_pruning_an_empty_cache_removes_nothing(cache):
    assert prune_thumbnails() == 0
