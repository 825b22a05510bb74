"""Every kind of damage in every format has its reason, and whole files have none."""

import io
import struct
import zipfile

import numpy as np
import pytest
from PIL import Image

from saccade.dataset.media import jpeg, probe
from saccade.dataset.media.inspection import Wanted, inspect_image
from tests.media.files import encoded, garbled, photo_file, png
from tests.media.photos import photo

CHECK = Wanted()
KINDS = {
    "JPEG": {},
    "progressive JPEG": {"progressive": True},
    "PNG": {},
    "GIF": {},
    "WEBP": {},
    "lossless WEBP": {"lossless": True},
    "TIFF": {},
    "TIFF in LZW": {"compression": "tiff_lzw"},
    "BMP": {},
    "AVIF": {},
}
FILES = {name: photo_file(name.removesuffix(" in LZW").split()[-1], **options) for name, options in KINDS.items()}
every_kind = pytest.mark.parametrize("data", FILES.values(), ids=FILES.keys())


def reason(data):
    found = inspect_image(data, CHECK)
    assert found.metadata is found.pixels is found.content_hash is None
    return found.error


@every_kind
def test_whole_files_have_no_reason(data):
    assert reason(data) is None


@every_kind
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_cut_file_is_truncated(data, share):
    assert reason(data[: int(len(data) * share)]) == "the file is truncated"


@every_kind
def test_a_file_that_lacks_its_last_bytes_is_truncated(data):
    for lost in (1, 2, 10):
        assert reason(data[:-lost]) == "the file is truncated"


@every_kind
def test_a_file_that_ends_in_its_header_is_no_image(data):
    for kept in (1, 3, 8, 20):
        assert reason(data[:kept]) in {
            probe.TRUNCATED, probe.GARBLED, probe.UNKNOWN, probe.BLANK, "the file is text, not an image"
        }  # fmt: skip


@every_kind
def test_empty_files_and_files_of_zeros_say_so(data):
    assert reason(data[:0]) == "the file is empty"
    assert reason(bytes(len(data))) == "the file holds nothing but zeros"


@pytest.mark.parametrize(("kind", "least"), [("PNG", 60), ("JPEG", 30), ("progressive JPEG", 45)])
def test_garbled_pixels_are_found_always_in_a_png_and_mostly_in_a_jpeg(kind, least):
    reasons = [reason(garbled(FILES[kind], at=0.3 + seed / 100, seed=seed)) for seed in range(60)]
    assert set(reasons) <= {None, "the image data is garbled", "the file is truncated"}
    assert sum(found is not None for found in reasons) >= least


def test_one_wrong_bit_in_a_png_is_found():
    data = bytearray(FILES["PNG"])
    for place in (20, 200, len(data) // 2, len(data) - 30):
        data[place] ^= 4
        assert reason(bytes(data)) == "the image data is garbled"
        data[place] ^= 4
    assert reason(bytes(data)) is None


def test_without_simplejpeg_cuts_are_still_found_and_garbled_pixels_seldom(hide_simplejpeg):
    damaged = [garbled(FILES["JPEG"], seed=seed) for seed in range(20)]
    heard = sum(reason(data) is not None for data in damaged)
    hide_simplejpeg()
    assert sum(reason(data) is not None for data in damaged) < heard // 2
    for kind in ("JPEG", "progressive JPEG"):
        data = FILES[kind]
        assert reason(data) is None
        for share in (0.1, 0.5, 0.99):
            assert reason(data[: int(len(data) * share)]) == "the file is truncated"


@pytest.mark.parametrize("strict", [True, False])
def test_a_cut_jpeg_that_was_given_an_end_is_found(strict, hide_simplejpeg):
    if not strict:
        hide_simplejpeg()
    data = photo_file("JPEG", width=400, height=300)
    for share in (0.3, 0.55, 0.8):
        patched = data[: int(len(data) * share)] + jpeg.END
        assert reason(patched) == ("the file is truncated" if strict else probe.GREY_END)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "WEBP"])
def test_a_cut_jpeg_that_was_saved_again_is_found(kind):
    data = photo_file("JPEG", width=400, height=300)
    with Image.open(io.BytesIO(data[: len(data) // 2] + jpeg.END)) as image:
        again = encoded(image.convert("RGB"), kind, **({"lossless": True} if kind == "WEBP" else {}))
    assert reason(again) == "the image ends in grey rows, as a cut JPEG does"


def test_grey_borders_and_grey_images_are_no_damage():
    framed = np.full((300, 400, 3), 128, dtype=np.uint8)
    for kind in ("PNG", "JPEG"):
        assert reason(encoded(framed, kind)) is None
    framed[:200] = photo(1, 400, 200)
    for kind in ("PNG", "JPEG"):
        assert reason(encoded(framed, kind)) is None
    framed[40:260, 40:360] = photo(2, 320, 220)
    assert reason(encoded(framed, "PNG")) is None


def zipped():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.txt", "a")
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"not an image\n" * 200, "the file is text, not an image"),
        ("ein längerer Text ".encode() * 90, "the file is text, not an image"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "the file is HTML, not an image"),
        (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "the file is XML, not an image"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "the file is SVG, which has no pixels of its own"),
        (zipped(), "the file is a zip archive, not an image"),
        (b"%PDF-1.7\n%\xe2\xe3", "the file is a PDF, not an image"),
        (b"\x1f\x8b\x08\0\0\0\0\0", "the file is a gzip archive, not an image"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "the file is a video, not an image"),
        (b"RIFF\x24\0\0\0AVI LIST", "the file is a video or sound, not an image"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", probe.HEIC),
        (np.random.default_rng(0).integers(128, 255, 5000).astype(np.uint8).tobytes(), probe.UNKNOWN),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_files_of_another_kind_are_named(data, expected):
    assert reason(data) == expected


def test_images_without_pixels_say_so():
    assert reason(png(0, 5, b"")) == "the image has no pixels"
    assert reason(png(5, 0, b"")) == "the image has no pixels"
    data = FILES["JPEG"]
    frame = data.index(b"\xff\xc0")
    for place in (5, 7):
        assert reason(data[: frame + place] + b"\0\0" + data[frame + place + 2 :]) == "the image has no pixels"
    bmp = FILES["BMP"]
    assert reason(bmp[:18] + bytes(8) + bmp[26:]) == "the image has no pixels"


def test_a_name_that_tells_another_kind_is_no_damage():
    found = inspect_image(FILES["PNG"], Wanted(metadata=True))  # as photo.jpg, say: the name is not even given
    assert found.error is None
    assert found.metadata.mime_type == "image/png"


def test_bytes_after_the_end_are_no_damage():
    for kind in ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF"):
        assert reason(FILES[kind] + b"appended by a phone") is None, kind


@pytest.mark.parametrize("kind", list(KINDS))
def test_no_damage_whatever_raises(kind):
    rng = np.random.default_rng(7)
    data = FILES[kind]
    for _ in range(60):
        broken = bytearray(data)
        for place in rng.integers(0, min(len(data), 400) if rng.random() < 0.7 else len(data), 6):
            broken[place] = rng.integers(0, 256)
        cut = bytes(broken[: rng.integers(1, len(data))]) if rng.random() < 0.3 else bytes(broken)
        found = inspect_image(cut, Wanted(metadata=True, quality=True, hashes=True, pixels=True, thumbnail=32))
        assert (found.pixels is None) == (found.error is not None)
        assert found.content_hash is not None


def test_a_gif_cut_behind_its_first_frame_is_truncated():
    frames = [Image.fromarray(photo(seed, 40, 30)) for seed in range(3)]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert reason(data) is None
    assert reason(data[: int(len(data) * 0.8)]) == "the file is truncated"


def test_the_end_of_a_preview_is_not_taken_for_the_end_of_the_image():
    exif = Image.Exif()
    exif[0x927C] = photo_file("JPEG", width=16, height=16)
    data = encoded(photo(1, 90, 90), "JPEG", exif=exif)
    assert data.index(jpeg.END) < len(data) // 2
    assert reason(data) is None
    assert reason(data[:-3]) == "the file is truncated"


def test_a_png_whose_chunk_claims_more_than_there_is_is_truncated():
    data = FILES["PNG"]
    start = data.index(b"IDAT") - 4
    assert reason(data[:start] + struct.pack(">I", 10**9) + data[start + 4 :]) == "the file is truncated"
