"""A bucket as one finds them: photographs, some broken, copied, turned or of rare kinds, and a few videos."""

from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from tests.media.photos import photo
from tests.media.videos import write_video

WIDTH, HEIGHT = 96, 64
FRAMES = 20


@dataclass
class Corpus:
    """Files by name, and what is to be found out about them."""

    files: dict[str, bytes] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    means: dict[str, float] = field(default_factory=dict)
    copies: dict[str, str] = field(default_factory=dict)
    videos: list[str] = field(default_factory=list)

    @property
    def images(self) -> list[str]:
        return [name for name in self.files if name not in self.videos]


def make_corpus(count: int, folder: Path) -> Corpus:
    """So many images, and four videos of 20 frames; `folder` is for the encoder."""
    corpus = Corpus()
    for number in range(count):
        _add_image(corpus, number)
    codecs = {"mp4": "libx264", "mkv": "mpeg4", "avi": "mjpeg", "webm": "libvpx"}
    for ending, codec in codecs.items():
        pixel_format = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        path = write_video(folder / f"film.{ending}", FRAMES, codec=codec, pixel_format=pixel_format)
        name = f"videos/film-{codec}.{ending}"
        corpus.files[name] = path.read_bytes()
        corpus.videos.append(name)
    return corpus


def _add_image(corpus: Corpus, number: int) -> None:
    pixels = photo(number, WIDTH, HEIGHT)
    image, kind, options = Image.fromarray(pixels), "JPEG", {"quality": 88}
    size = (WIDTH, HEIGHT)
    what = number % 25
    if what == 1:
        corpus.broken[_name(number, "jpg")] = "the file is truncated"
    elif what == 2:
        original = corpus.images[-2]  # that before the broken one
        name = _name(number, original.rpartition(".")[2])
        corpus.files[name], corpus.copies[name] = corpus.files[original], original
        corpus.sizes[name], corpus.kinds[name], corpus.means[name] = (
            corpus.sizes[original], corpus.kinds[original], corpus.means[original],
        )  # fmt: skip
        return
    elif what == 3:
        exif = Image.Exif()
        exif[274] = 6
        options["exif"] = exif
        size = (HEIGHT, WIDTH)
    elif what == 4:
        image = Image.fromarray(pixels[:, :, 0].astype(np.uint16) * 257)
        kind, options = "PNG", {}
    elif what == 5:
        image = image.convert("CMYK")
    elif what == 6:
        corpus.broken[_name(number, "jpg")] = "the file is text, not an image"
        corpus.files[_name(number, "jpg")] = b"<p>404 Not Found</p>"
        return
    elif what == 7:
        corpus.broken[_name(number, "png")] = "the file is empty"
        corpus.files[_name(number, "png")] = b""
        return
    elif what in {8, 9}:
        kind, options = ("PNG", {}) if what == 8 else ("WEBP", {"lossless": True})
    written = BytesIO()
    image.save(written, kind, **options)
    name = _name(number, {"JPEG": "jpg"}.get(kind, kind.lower()))
    data = written.getvalue()
    corpus.files[name] = data[: len(data) * 2 // 3] if name in corpus.broken else data
    if name not in corpus.broken:
        corpus.sizes[name], corpus.kinds[name] = size, f"image/{kind.lower()}"
        with Image.open(BytesIO(data)) as again:
            grey = np.asarray(again) / 257 if what == 4 else np.asarray(again.convert("RGB"))
        corpus.means[name] = float(grey.mean()) / 255


def _name(number: int, ending: str) -> str:
    return f"photos/{number // 500}/ü {number:05d}#.{ending}"
