"""EXIF: how, when and where a picture was taken; what is odd is left out and fails nothing."""

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from PIL.TiffImagePlugin import IFDRational

from saccade.dataset.media.exif import turned
from saccade.dataset.media.image import decode, open_image
from tests.media.files import encoded, turned_by_hand, with_exif
from tests.media.photos import photo

SMALL = photo(1, 24, 16)


def metadata(kind="JPEG", **parts):
    return open_image(with_exif(SMALL, kind, **parts)).metadata


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_time_place_and_orientation_are_read(kind):
    found = metadata(
        kind,
        entries={0x0112: 6},
        times={0x9003: "2024:02:29 13:14:15", 0x9011: "+02:00"},
        gps={1: "N", 2: (48.0, 51.0, 29.6), 3: "W", 4: (2.0, 17.0, 40.2)},
    )
    assert found.orientation == 6
    assert found.taken_at == datetime(2024, 2, 29, 11, 14, 15, tzinfo=UTC)
    assert found.latitude == pytest.approx(48 + 51 / 60 + 29.6 / 3600)
    assert found.longitude == pytest.approx(-(2 + 17 / 60 + 40.2 / 3600))


def test_without_exif_nothing_is_known():
    found = open_image(encoded(SMALL, "JPEG")).metadata
    assert (found.orientation, found.taken_at, found.latitude, found.longitude) == (None, None, None, None)


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ({0x9003: "2020:01:02 03:04:05"}, datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ({0x9003: "2020:01:02 03:04:05", 0x9291: "25"}, datetime(2020, 1, 2, 3, 4, 5, 250_000, tzinfo=UTC)),
        ({0x9003: "2020:01:02 03:04:05", 0x9011: "-03:30"}, datetime(2020, 1, 2, 6, 34, 5, tzinfo=UTC)),
        ({0x9003: "2020:01:02 03:04:05", 0x9011: "   :  "}, datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ({0x9004: "2020:01:02 03:04:05"}, datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ({0x9003: "0000:00:00 00:00:00", 0x9004: "2021:01:01 00:00:00"}, datetime(2021, 1, 1, tzinfo=UTC)),
        ({0x9003: "0000:00:00 00:00:00"}, None),
        ({0x9003: "    :  :     :  :  "}, None),
        ({0x9003: "yesterday"}, None),
        ({0x9003: "2020:13:45 99:99:99"}, None),
        ({0x9003: ""}, None),
    ],
)
def test_the_time_is_the_cameras_and_odd_times_are_left_out(times, expected):
    assert metadata(times=times).taken_at == expected


def test_the_first_day_of_the_calendar_with_an_offset_fails_nothing():
    assert metadata(times={0x9003: "0001:01:01 00:00:00", 0x9011: "+14:00"}).taken_at.year == 1
    assert metadata(times={0x9003: "9999:12:31 23:59:59", 0x9011: "-12:00"}).taken_at.year == 9999


@pytest.mark.parametrize(
    "gps",
    [
        {1: "N", 2: (91.0, 0.0, 0.0), 3: "E", 4: (1.0, 0.0, 0.0)},
        {1: "N", 2: (1.0, 0.0, 0.0), 3: "E", 4: (181.0, 0.0, 0.0)},
        {1: "X", 2: (1.0, 0.0, 0.0), 3: "E", 4: (1.0, 0.0, 0.0)},
        {2: (1.0, 0.0, 0.0), 4: (1.0, 0.0, 0.0)},
        {1: "N", 2: (1.0, 0.0), 3: "E", 4: (1.0, 0.0, 0.0)},
        {1: "N", 2: (1.0, 0.0, 0.0)},
        {1: "N", 2: (IFDRational(1, 0), 0.0, 0.0), 3: "E", 4: (1.0, 0.0, 0.0)},
    ],
)
def test_an_impossible_place_is_left_out(gps):
    found = metadata(gps=gps)
    assert (found.latitude, found.longitude) == (None, None)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_impossible_orientation_is_left_out(orientation):
    found = decode(with_exif(SMALL, entries={0x0112: orientation}))
    assert found.metadata.orientation is None
    assert found.pixels.shape == SMALL.shape


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_garbage_for_exif_fails_nothing(kind):
    rng = np.random.default_rng(3)
    for length in (0, 1, 7, 8, 60, 900):
        for mark in (b"", b"Exif\0\0", b"Exif\0\0II*\0\x08\0\0\0", b"Exif\0\0MM\0*\0\0\0\x08"):
            block = mark + rng.integers(0, 256, length).astype(np.uint8).tobytes()
            assert decode(encoded(SMALL, kind, exif=block)).pixels.shape[2] == 3


def test_a_block_damaged_in_any_byte_fails_nothing():
    data = with_exif(
        SMALL,
        entries={0x0112: 6},
        times={0x9003: "2024:02:29 13:14:15"},
        gps={1: "N", 2: (48.0, 51.0, 29.6), 3: "E", 4: (2.0, 1.0, 0.0)},
    )
    start = data.index(b"Exif")
    length = int.from_bytes(data[start - 2 : start]) - 2
    for place in range(start, start + length):
        broken = bytearray(data)
        broken[place] ^= 0xFF
        assert decode(bytes(broken)).pixels.size == SMALL.size


@pytest.mark.parametrize("orientation", [None, *range(1, 9)])
def test_turning_puts_the_first_row_and_column_where_exif_says(orientation):
    expected = turned_by_hand(SMALL, orientation or 1)
    np.testing.assert_array_equal(turned(SMALL, orientation), expected)
    np.testing.assert_array_equal(turned(SMALL[:, :, 0], orientation), expected[:, :, 0])


def test_an_offset_is_kept_until_the_value_is_stored():
    from saccade.dataset.media.exif import read_exif

    block = with_exif(SMALL, times={0x9003: "2024:02:29 13:14:15", 0x9011: "+02:00"})
    start = block.index(b"Exif")
    taken = read_exif(block[start : start + 400])
    assert taken.taken_at == datetime(2024, 2, 29, 13, 14, 15, tzinfo=timezone(timedelta(hours=2)))
    assert taken.taken_at.utcoffset() == timedelta(hours=2)
