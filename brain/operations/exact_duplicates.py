"""`compute_exact_duplicates`: files that are copies of each other. The comparison is `kernels.copies`."""

from collections.abc import Callable, Sequence
from numbers import Integral
from typing import TYPE_CHECKING, BinaryIO

from ...dataset import columns, runs
from ...dataset.errors import SchemaError, UnreadableMediaError
from ...dataset.media import hashing
from ...dataset.media.image import decode, decode_image
from ...dataset.media.reading import is_url
from ...dataset.media.streaming import Place, stream
from ...dataset.progress import shown
from ...dataset.types import Progress, RGBImage, SampleId
from ..kernels.copies import identical_files, identical_images
from .duplicates import replace_results
from .media_pass import read_places

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection
    from ...dataset.view import DatasetView

_SHOWN_FAILURES = 10


class ExactDuplicates(runs.Run):
    """A search for copies of files."""

    @property
    def duplicates(self) -> dict[SampleId, list[SampleId]]:
        """For each sample that has copies behind it: their ids, in order."""
        if not self._dataset.has_field(self.key):
            return {}
        path = f"{self.key}.of"
        ids, found = columns.read_scalars(self._samples().exists(path), [path])
        groups: dict[SampleId, list[SampleId]] = {}
        for sample, first in zip(ids, found[path], strict=True):
            groups.setdefault(first, []).append(sample)
        return groups

    @property
    def duplicate_ids(self) -> list[SampleId]:
        """The samples whose file was there before, under another sample."""
        return columns.read_ids(self.view())

    def view(self) -> "DatasetView":
        """The samples whose file was there before, the copies of one file together."""
        if not self._dataset.has_field(self.key):
            return self._samples().limit(0)
        return self._samples().exists(f"{self.key}.of").sort_by(f"{self.key}.of")

    def unique_view(self) -> "DatasetView":
        """The samples without the copies."""
        view = self._samples()
        return view.exists(f"{self.key}.of", False) if self._dataset.has_field(self.key) else view

    def _samples(self) -> "DatasetView":
        return self._dataset._view_of(self._record.get("view") or [])


def compute_exact_duplicates(
    samples: "SampleCollection",
    num_workers: int | None = None,
    skip_failures: bool = True,
    progress: Progress = None,
    *,
    pixels: bool = False,
    duplicates_field: str = "exact_duplicates",
) -> ExactDuplicates:
    """Find the samples whose files hold the same bytes as that of an earlier sample, or show the same pixels.

    Only files of one size are read for their bytes. What has one hash is compared byte by byte, or pixel by pixel.
    Where samples lie in a bucket or are frames of videos, all are read once and compared by their hashes of 128 bits;
    frames by those of their pixels.

    Args:
        samples: a dataset or view; of the samples with copies of one file, the first in its order counts as the
            original.
        num_workers: how many threads read and decode files, one by default. The result is the same for any number.
        skip_failures: note missing and unreadable files and go on. Otherwise the first one is an error.
        progress: whether to show a bar: True, False, None (the setting), or a function of (done, total).
        pixels: whether images are copies too that decode to the same size and the same pixels, such as a PNG and a BMP,
            or files that differ in their metadata. Each image is decoded once, and again if another has its hash.
        duplicates_field: the field to write, which also is the key of the run.

    Returns:
        The run, with `duplicates`, a dict of the first id to the later ones, `duplicate_ids` and `unique_view()`.

    Writes:
        On copies `<field>.of`, the id of the first sample with this file; on samples whose file failed
        `<field>.error`, the reason. In one action. With `pixels`, files that cannot be decoded failed; they still are
        copies of each other where they hold the same bytes.

    Raises:
        UnreadableMediaError: if a file cannot be read and `skip_failures` is False.
        SchemaError: if `num_workers` is below 0.

    Example:
        ```python
        found = scb.compute_exact_duplicates(dataset)
        dataset.delete_samples(found.duplicate_ids)
        ```
    """
    workers = 1 if num_workers is None else num_workers
    if not isinstance(workers, Integral) or workers < 0:
        raise SchemaError(f"num_workers={num_workers!r} is not a number of threads. Use 0 or more, or None for one.")
    with runs.record(
        samples, "exact_duplicates", key=duplicates_field, reads=["filepath"], writes=[duplicates_field],
        params={"pixels": pixels}, one_action=True,
    ) as run:  # fmt: skip
        ids, places = read_places(samples)
        paths = [place.path for place in places]
        with shown(len(ids), progress) as advance:
            if any(place.frame_number is not None or is_url(place.path) for place in places):
                groups, errors = _by_hash(places, num_workers=workers, pixels=pixels, advance=advance)
            elif pixels:
                groups, errors = identical_images(paths, decode_image, num_workers=workers, advance=advance)
            else:
                groups, errors = identical_files(paths, num_workers=workers, advance=advance)
        if errors and not skip_failures:
            row = min(errors)
            raise UnreadableMediaError(f"{paths[row]}: {errors[row]}. Pass skip_failures=True to go on without it.")
        original = {row: ids[group[0]] for group in groups for row in group[1:]}
        run.facts = {"samples": len(ids), "duplicates": len(original), "groups": len(groups), "failed": len(errors)}
        if errors:
            run.facts["failures"] = [f"{paths[row]}: {errors[row]}" for row in sorted(errors)[:_SHOWN_FAILURES]]
        rows = sorted(original.keys() | errors.keys())
        replace_results(samples, duplicates_field, [ids[row] for row in rows], {
            "of": [original.get(row) for row in rows], "error": [errors.get(row) for row in rows],
        }, verb="compute_exact_duplicates")  # fmt: skip
    assert isinstance(run, ExactDuplicates), "the registry of runs gives it"
    return run


def _by_hash(
    places: Sequence[Place], *, num_workers: int, pixels: bool, advance: Callable[[int], None]
) -> tuple[list[list[int]], dict[int, str]]:
    """Group what has one hash; each file is read once, from wherever it lies."""
    errors: dict[int, str] = {}
    alike: dict[tuple[bool, str], list[int]] = {}
    for position, found in stream(places, _Hashing(pixels=pixels), num_workers=num_workers):
        if isinstance(found, UnreadableMediaError):
            errors[position] = str(found)
        else:
            is_frame = places[position].frame_number is not None
            alike.setdefault((is_frame and not pixels, found), []).append(position)
        advance(1)
    return sorted(sorted(rows) for rows in alike.values() if len(rows) > 1), errors


class _Hashing:
    """Hashes files by their bytes, or images by their pixels."""

    def __init__(self, *, pixels: bool) -> None:
        self._pixels = pixels

    def image(self, data: bytes, positions: Sequence[int]) -> list[str]:
        found = hashing.pixels_hash(decode(data).pixels) if self._pixels else hashing.content_hash(data)
        return [found] * len(positions)

    def frame(self, pixels: RGBImage, positions: Sequence[int]) -> list[str]:
        return [hashing.pixels_hash(pixels)] * len(positions)

    def video(self, file: BinaryIO, positions: Sequence[int]) -> list[str]:
        return [hashing.file_hash(file)] * len(positions)
