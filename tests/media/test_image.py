"""From bytes to pixels: every kind as it is meant to be seen, with simplejpeg or without."""

import io
import struct
import threading
import warnings

import numpy as np
import pytest
from PIL import Image, ImageOps

from saccade.dataset.errors import UnreadableMediaError
from saccade.dataset.media import jpeg
from saccade.dataset.media.image import decode, decode_image, open_image
from tests.media.files import encoded, photo_file, png, turned_by_hand, with_exif
from tests.media.photos import photo

SIZES = [(1, 1), (1, 40), (40, 1), (2, 3), (8, 8), (15, 17), (16, 16), (33, 17), (65, 127)]


def reason(data):
    with pytest.raises(UnreadableMediaError) as caught:
        decode(data)
    return str(caught.value)


def by_pillow(data):
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("sampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("restarts", [0, 3])
def test_simplejpeg_gives_the_pixels_of_pillow_bit_by_bit(size, sampling, progressive, restarts):
    pytest.importorskip("simplejpeg")
    for quality in (25, 90, 100):
        options = {"subsampling": sampling, "progressive": progressive, "restart_marker_blocks": restarts}
        data = photo_file("JPEG", width=size[0], height=size[1], quality=quality, **options)
        pixels = jpeg.decode(data, jpeg.read_header(data))
        np.testing.assert_array_equal(pixels, by_pillow(data))


def unusual(data, sampling):
    """The JPEG with another sampling in its header: the pixels are nonsense, yet both decoders read them."""
    frame = data.index(b"\xff\xc0")
    return data[: frame + 11] + bytes([sampling]) + data[frame + 12 :]


JPEGS = {
    "grey": encoded(Image.fromarray(photo(1, 65, 33)).convert("L"), "JPEG"),
    "RGB kept": photo_file("JPEG", keep_rgb=True),
    "CMYK": encoded(Image.fromarray(photo(1, 65, 33)).convert("CMYK"), "JPEG"),
    "optimized": photo_file("JPEG", optimize=True),
    "streamed": photo_file("JPEG", streamtype=0),
    "sampled 1×2": unusual(photo_file("JPEG", subsampling="4:4:4"), 0x12),
    "sampled 4×1": unusual(photo_file("JPEG", subsampling="4:4:4"), 0x41),
}


@pytest.mark.parametrize("data", JPEGS.values(), ids=JPEGS.keys())
def test_every_kind_of_jpeg_has_the_same_pixels_without_simplejpeg(data, hide_simplejpeg):
    def outcome():
        try:
            return decode(data).pixels.tolist()
        except UnreadableMediaError as error:
            return str(error)

    first = outcome()
    hide_simplejpeg()
    assert outcome() == first


def test_rgb_pixels_come_as_they_are():
    pixels = photo(1, 31, 17)
    decoded = decode(encoded(pixels, "PNG"))
    np.testing.assert_array_equal(decoded.pixels, pixels)
    assert decoded.pixels.dtype == np.uint8
    assert decoded.native is decoded.pixels


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP", "GIF", "JPEG", "PPM", "WEBP"])
def test_grey_becomes_three_equal_channels(kind):
    grey = np.full((9, 12), 100, dtype=np.uint8)
    grey[:, 6:] = 200
    pixels = decode(
        encoded(grey, kind, **({"quality": 100} if kind == "JPEG" else {"lossless": True} if kind == "WEBP" else {}))
    ).pixels
    for channel in range(3):
        np.testing.assert_allclose(pixels[:, :, channel], grey, atol=1)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bit_grey_keeps_its_range_and_its_stored_values(kind):
    deep = np.array([[0, 257, 128], [32896, 65535, 129]], dtype=np.uint16)
    decoded = decode(encoded(deep, kind))
    assert decoded.pixels[:, :, 0].tolist() == [[0, 1, 0], [128, 255, 1]]
    assert decoded.native.tolist() == deep.tolist()
    assert decoded.metadata.num_channels == 1


def test_dark_sixteen_bit_grey_of_the_other_byte_order_is_dark_too():
    rows = b"".join(b"\0" + struct.pack(">2H", *row) for row in [(0, 200), (255, 128)])
    assert decode(png(2, 2, rows, depth=16, colour=0)).pixels[:, :, 0].tolist() == [[0, 1], [1, 0]]


def test_sixteen_bit_colour_becomes_eight_bit_colour():
    rows = b"\0" + struct.pack(">6H", 0, 257 * 20, 257 * 255, 65535, 257, 257 * 128)
    assert decode(png(2, 1, rows, depth=16)).pixels.tolist() == [[[0, 20, 255], [255, 1, 128]]]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([[0.0, 0.5, 1.0]], [0, 128, 255]),
        ([[0.0, 100.0, 300.0]], [0, 100, 255]),
        ([[np.nan, 0.2, 1.0]], [0, 51, 255]),
        ([[np.nan, np.nan, np.nan]], [0, 0, 0]),
        ([[-5.0, 0.0, 1.0]], [0, 0, 255]),
        ([[np.inf, -np.inf, 7.0]], [255, 0, 7]),
    ],
)
def test_float_images_are_fractions_or_eight_bit_values(values, expected):
    assert decode(encoded(np.array(values, dtype=np.float32), "TIFF")).pixels[0, :, 0].tolist() == expected


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP"])
def test_one_bit_images_are_black_and_white(kind):
    decoded = decode(encoded(Image.fromarray(np.eye(9, dtype=bool)), kind))
    assert decoded.pixels[:, :, 1].tolist() == (np.eye(9, dtype=int) * 255).tolist()
    assert decoded.metadata.num_channels == 1


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_becomes_the_colour_it_prints(kind):
    decoded = decode(encoded(Image.new("CMYK", (8, 8), (255, 0, 0, 0)), kind))
    red, green, blue = decoded.pixels[4, 4]
    assert red < 30
    assert min(green, blue) > 220
    assert decoded.metadata.num_channels == 4


def test_palettes_show_their_colours_and_what_is_transparent_shows_white():
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.putpixel((1, 0), 1)
    assert decode(encoded(image, "PNG")).pixels.tolist() == [[[10, 20, 30], [200, 100, 50]]]
    assert decode(encoded(image, "PNG", transparency=0)).pixels.tolist() == [[[255] * 3, [200, 100, 50]]]
    halves = decode(encoded(image, "PNG", transparency=b"\x80\xff")).pixels.tolist()
    assert halves == [[[132, 137, 142], [200, 100, 50]]]  # 10·128/255 + 255·127/255, …
    assert decode(encoded(image, "GIF", transparency=0)).pixels.tolist() == [[[255] * 3, [200, 100, 50]]]


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_transparent_parts_show_white(kind):
    pixels = np.array([[[255, 0, 0, 255], [255, 0, 0, 0], [0, 0, 0, 128]]], dtype=np.uint8)
    decoded = decode(encoded(pixels, kind, **({"lossless": True, "exact": True} if kind == "WEBP" else {})))
    assert decoded.pixels.tolist() == [[[255, 0, 0], [255, 255, 255], [127, 127, 127]]]
    assert decoded.native.shape == (1, 3, 4)


def test_grey_with_transparency_shows_white_where_nothing_is():
    decoded = decode(encoded(np.array([[[10, 255], [10, 0]]], dtype=np.uint8), "PNG"))
    assert decoded.pixels.tolist() == [[[10, 10, 10], [255, 255, 255]]]
    assert decoded.metadata.num_channels == 2


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF", "AVIF"])
def test_an_animation_gives_its_first_frame(kind):
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue", "green")]
    pixels = decode(encoded(frames[0], kind, save_all=True, append_images=frames[1:])).pixels
    assert pixels.shape == (16, 16, 3)
    np.testing.assert_allclose(pixels[8, 8], [255, 0, 0], atol=6)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF"])
def test_the_orientation_is_applied(kind, orientation):
    stored = photo(2, 40, 24)
    options = {"JPEG": {"quality": 95}, "WEBP": {"lossless": True}}.get(kind, {})
    plain = decode(encoded(stored, kind, **options)).pixels
    data = with_exif(stored, kind, entries={0x0112: orientation}, **options)
    decoded = decode(data)
    expected = turned_by_hand(plain, orientation)
    np.testing.assert_array_equal(decoded.pixels, expected)
    with Image.open(io.BytesIO(data)) as image:
        np.testing.assert_array_equal(np.asarray(ImageOps.exif_transpose(image)), expected)
    assert (decoded.metadata.width, decoded.metadata.height) == expected.shape[1::-1]
    assert open_image(data).metadata == decoded.metadata
    assert decoded.pixels.flags.c_contiguous


def test_an_orientation_behind_the_pixels_or_in_xmp_alone_is_applied():
    exif = Image.Exif()
    exif[0x0112] = 6
    early = encoded(photo(2, 40, 24), "PNG", exif=exif)
    start = early.index(b"eXIf") - 4
    (length,) = struct.unpack_from(">I", early, start)
    part = early[start : start + 12 + length]
    late = early[:start] + early[start + len(part) : -12] + part + early[-12:]
    np.testing.assert_array_equal(decode(late).pixels, decode(early).pixels)
    assert open_image(late).metadata.height == 40
    packet = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    for kind in ("JPEG", "PNG"):
        options = {"xmp": packet} if kind == "JPEG" else {"pnginfo": xmp_chunk(packet)}
        assert decode(encoded(photo(2, 40, 24), kind, **options)).pixels.shape == (40, 24, 3)


def xmp_chunk(packet):
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_itxt("XML:com.adobe.xmp", packet.decode())
    return info


@pytest.mark.parametrize(
    ("kind", "mime_type"),
    [
        ("JPEG", "image/jpeg"), ("PNG", "image/png"), ("GIF", "image/gif"), ("WEBP", "image/webp"),
        ("BMP", "image/bmp"), ("TIFF", "image/tiff"), ("AVIF", "image/avif"), ("MPO", "image/jpeg"),
        ("JPEG2000", "image/jp2"),
        ("ICO", "image/x-icon"), ("PPM", "image/x-portable-anymap"), ("TGA", "image/x-tga"), ("QOI", "image/qoi"),
    ],
)  # fmt: skip
def test_the_kind_is_known_by_the_content(kind, mime_type):
    data = photo_file(kind, width=64, height=64)
    metadata = open_image(data).metadata
    assert metadata.mime_type == mime_type
    assert metadata.num_channels == (1 if kind == "GIF" else 3)
    assert (metadata.width, metadata.height, metadata.size_bytes) == (64, 64, len(data))


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1)])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP"])
def test_the_smallest_and_the_thinnest_images_are_images(kind, size):
    decoded = decode(photo_file(kind, width=size[0], height=size[1]))
    assert decoded.pixels.shape == (size[1], size[0], 3)


def test_huge_claims_in_a_header_are_refused_before_anything_is_decoded():
    wide = png(60_000, 60_000, b"\0\1\2\3")
    assert reason(wide) == "the image has more than 178,956,970 pixels, the limit"
    data = photo_file("JPEG")
    frame = data.index(b"\xff\xc0")
    huge = data[: frame + 5] + struct.pack(">HH", 65_000, 65_000) + data[frame + 9 :]
    assert reason(huge) == reason(wide)
    gif = photo_file("GIF")
    assert reason(gif[:6] + b"\xff\xff\xff\xff" + gif[10:]) == reason(wide)


def test_the_limit_is_pillows_own(monkeypatch):
    data = photo_file("JPEG", width=100, height=100), photo_file("PNG", width=100, height=100)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 4_000)
    for file in data:
        assert reason(file) == "the image has more than 8,000 pixels, the limit"
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    for file in data:
        assert decode(file).pixels.shape == (100, 100, 3)


def test_odd_files_neither_warn_nor_change_what_others_are_warned_of():
    # The size makes Pillow warn, and so does the EXIF block, which ends too early.
    odd = encoded(photo(1, 30, 30), "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\x05\0\x12\x01\x03\0\x01\0\0\0\x06\0")
    before = list(warnings.filters)
    seen = []

    def decode_many():
        seen.extend(decode(odd).pixels.shape for _ in range(20))

    threads = [threading.Thread(target=decode_many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [(30, 30, 3)] * 80
    assert list(warnings.filters) == before
    with pytest.warns(UserWarning, match="still heard"):
        warnings.warn("still heard", stacklevel=1)


def test_files_are_decoded_by_path_or_say_why_not(tmp_path):
    pixels = photo(1, 20, 10)
    (tmp_path / "a.jpg").write_bytes(encoded(pixels, "PNG"))  # whatever its name says
    np.testing.assert_array_equal(decode_image(str(tmp_path / "a.jpg")), pixels)
    with pytest.raises(UnreadableMediaError, match=r"^the file does not exist$"):
        decode_image(str(tmp_path / "none.png"))
    with pytest.raises(UnreadableMediaError, match=r"^the path is a folder$"):
        decode_image(str(tmp_path))


def test_programs_are_not_started_for_postscript():
    assert (
        reason(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n") == "the file is PostScript, not an image"
    )


@pytest.mark.parametrize("size", [(640, 480), (641, 479), (1001, 777), (333, 1500), (257, 258)])
@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("options", [{}, {"subsampling": 0}, {"subsampling": 1}, {"progressive": True}], ids=str)
def test_a_smaller_decode_is_large_enough_and_the_same_without_simplejpeg(size, mode, options, hide_simplejpeg):
    written = io.BytesIO()
    Image.fromarray(photo(1, *size)).convert(mode).save(written, "JPEG", quality=88, **options)
    data = written.getvalue()
    small = {shortest: open_image(data).decode(shortest).pixels for shortest in (30, 64, 128, 10_000)}
    assert small[10_000].shape == (size[1], size[0], 3)
    for shortest, pixels in small.items():
        assert min(pixels.shape[:2]) >= min(shortest, *size)
        divisor = round(min(size) / min(pixels.shape[:2]))
        assert divisor == 8 or min(size) // (2 * divisor) < shortest
    hide_simplejpeg()
    for shortest, pixels in small.items():
        np.testing.assert_array_equal(open_image(data).decode(shortest).pixels, pixels)
