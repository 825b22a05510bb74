"""Samples of what a datasource holds: added once, page by page, and continued where it was interrupted."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from os import PathLike
from typing import TYPE_CHECKING

from . import bulk
from .collection import SampleCollection
from .creation import make_dataset
from .expressions import F
from .media.containers import pyav
from .media.datasource import Datasource
from .media.endings import is_video
from .media.known_sources import as_source, source_named
from .media.video_index import check_choice
from .sample import Sample
from .store import catalog, samples
from .types import Bson, Progress, SampleId
from .videos import frames_of

if TYPE_CHECKING:
    from .dataset import Dataset

_PAGE = 1_000
"""Files that are looked up at once."""


class Sourcing(SampleCollection):
    """The part of a dataset that knows datasources."""

    _id: str
    _record: Bson

    @classmethod
    def from_datasource(
        cls,
        source: Datasource | str | PathLike[str],
        name: str | None = None,
        persistent: bool = True,
        overwrite: bool = False,
        tags: str | Sequence[str] | None = None,
        progress: Progress = None,
        *,
        every: int | None = None,
        fps: float | None = None,
        keyframes: bool = False,
    ) -> "Dataset":
        """Make a dataset of all media files that a datasource lists.

        It becomes visible when all is in it. For a bucket of millions, make an empty dataset and call
        `add_datasource()`: that can be interrupted and goes on.

        Args:
            source: a `Datasource`, or the name of one, or a URL or folder.
            name: the dataset's name.
            persistent: whether it outlives the processes that use it.
            overwrite: whether to delete a dataset of this name first.
            tags: tags for all samples.
            progress: whether to show a bar.
            every: make samples of frames of the videos; see `add_videos`.
            fps: the same.
            keyframes: the same.

        Raises:
            DatasourceError: if there is no such datasource.
            SourceUnavailableError: if it cannot be listed; no dataset is left behind.
            MediaError: if more than one choice of frames is given, or one is not positive.
        """
        chosen = as_source(source)
        return make_dataset(
            lambda dataset: dataset.add_datasource(
                chosen, tags=tags, progress=progress, every=every, fps=fps, keyframes=keyframes
            ),
            name,
            persistent=persistent,
            overwrite=overwrite,
        )

    def add_datasource(
        self,
        source: Datasource | str | PathLike[str],
        tags: str | Sequence[str] | None = None,
        progress: Progress = None,
        *,
        every: int | None = None,
        fps: float | None = None,
        keyframes: bool = False,
    ) -> list[SampleId]:
        """Add samples of the media files that a datasource lists and the dataset does not have yet.

        Interrupted or killed, it goes on with a second call: what is there is left alone. So it also adds what is
        new in a bucket that has grown. Files that are gone stay samples.

        Args:
            source: a `Datasource`, or the name of one, or a URL or folder.
            tags: tags for the samples that are added.
            progress: whether to show a bar.
            every: make samples of frames of the videos, in place of one for each video; see `add_videos`.
            fps: the same.
            keyframes: the same.

        Returns:
            The ids of the samples that were added, in the order of the files' paths, images first.

        Writes:
            Samples; and the name and URL of the datasource, but no options, in the dataset's record.

        Raises:
            DatasourceError: if there is no such datasource.
            SourceUnavailableError: if it cannot be listed; what was added until then stays.
            MediaError: if more than one choice of frames is given, or one is not positive.
            MissingExtraError: if frames are wanted and PyAV is not installed.
        """
        check_choice(every=every, fps=fps, keyframes=keyframes)
        wants_frames = every is not None or fps is not None or keyframes
        if wants_frames:
            pyav()  # or every video would be said to be broken
        chosen = as_source(source)
        listed = bulk.checked_tags(tags or [])
        dataset = self._root
        catalog.note_datasource(self._id, chosen.name, chosen.url)
        dataset.reload()
        begun = _last_video(dataset) if wants_frames else None
        videos: list[str] = []
        images = (Sample(path, listed) for path in _new_images(dataset, chosen, videos, begun))
        ids = dataset.add_samples(images, progress=progress)
        added: Iterable[Sample] = [Sample(path, listed) for path in videos]
        if wants_frames:
            have = _frame_numbers(dataset, begun)
            frames = frames_of(added, every=every, fps=fps, keyframes=keyframes)
            added = (frame for frame in frames if frame.filepath != begun or frame["frame_number"] not in have)
        return ids + (dataset.add_samples(added, progress=progress) if videos else [])

    @property
    def datasources(self) -> list[Datasource]:
        """Where samples come from: what was given to `add_datasource`, with the options that this process knows."""
        return [_known(stored) for stored in self._record.get("datasources") or ()]


def _new_images(dataset: "Dataset", source: Datasource, videos: list[str], begun: str | None) -> Iterator[str]:
    """List what the dataset does not have yet, and the video that was begun; videos are put aside, being few."""
    files = iter(source.files())
    while page := list(islice(files, _PAGE)):
        known = samples.existing_paths(dataset._id, [file.path for file in page])
        for file in page:
            if file.path in known and file.path != begun:
                continue
            if is_video(file.path):
                videos.append(file.path)
            else:
                yield file.path


def _last_video(dataset: "Dataset") -> str | None:
    """The video of which a frame was added last: if that was interrupted, frames of it may be missing."""
    frames = dataset.exists("frame_number") if dataset.has_field("frame_number") else None
    return None if frames is None or not len(frames) else str(frames.last()["filepath"])


def _frame_numbers(dataset: "Dataset", path: str | None) -> set[int]:
    return set() if path is None else set(dataset.match(F("filepath") == path).values("frame_number"))


def _known(stored: Bson) -> Datasource:
    name, url = stored.get("name"), str(stored["url"])
    named = source_named(name) if name else None
    if named is not None and named.url == url:
        return named
    return as_source(url) if name is None else Datasource(url, name=name, **as_source(url).options)
