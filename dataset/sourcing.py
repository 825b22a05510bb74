"""Samples of what a datasource holds: added once, page by page, and continued where it was interrupted."""

from collections.abc import Iterator, Sequence
from itertools import islice
from os import PathLike
from typing import TYPE_CHECKING

from . import bulk
from .collection import SampleCollection
from .creation import make_dataset
from .media.datasource import Datasource
from .media.endings import is_video
from .media.known_sources import as_source, source_named
from .sample import Sample
from .store import catalog, samples
from .types import Bson, Progress, SampleId

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

        Raises:
            DatasourceError: if there is no such datasource.
            SourceUnavailableError: if it cannot be listed; no dataset is left behind.
        """
        chosen = as_source(source)
        return make_dataset(
            lambda dataset: dataset.add_datasource(chosen, tags=tags, progress=progress),
            name,
            persistent=persistent,
            overwrite=overwrite,
        )

    def add_datasource(
        self,
        source: Datasource | str | PathLike[str],
        tags: str | Sequence[str] | None = None,
        progress: Progress = None,
    ) -> list[SampleId]:
        """Add samples of the media files that a datasource lists and the dataset does not have yet.

        Interrupted or killed, it goes on with a second call: what is there is left alone. So it also adds what is
        new in a bucket that has grown. Files that are gone stay samples.

        Args:
            source: a `Datasource`, or the name of one, or a URL or folder.
            tags: tags for the samples that are added.
            progress: whether to show a bar.

        Returns:
            The ids of the samples that were added, in the order of the files' paths, images first.

        Writes:
            Samples; and the name and URL of the datasource, but no options, in the dataset's record.

        Raises:
            DatasourceError: if there is no such datasource.
            SourceUnavailableError: if it cannot be listed; what was added until then stays.
        """
        chosen = as_source(source)
        listed = bulk.checked_tags(tags or [])
        dataset = self._root
        catalog.note_datasource(self._id, chosen.name, chosen.url)
        dataset.reload()
        videos: list[str] = []
        images = (Sample(path, listed) for path in _new_images(dataset, chosen, videos))
        ids = dataset.add_samples(images, progress=progress)
        return ids + (_add_videos(dataset, videos, listed, progress) if videos else [])

    @property
    def datasources(self) -> list[Datasource]:
        """Where samples come from: what was given to `add_datasource`, with the options that this process knows."""
        return [_known(stored) for stored in self._record.get("datasources") or ()]


def _new_images(dataset: "Dataset", source: Datasource, videos: list[str]) -> Iterator[str]:
    """List what the dataset does not have yet; videos are put aside, since there are few of them."""
    files = iter(source.files())
    while page := list(islice(files, _PAGE)):
        known = samples.existing_paths(dataset._id, [file.path for file in page])
        for file in page:
            if file.path in known:
                continue
            if is_video(file.path.rpartition("/")[2]):
                videos.append(file.path)
            else:
                yield file.path


def _add_videos(dataset: "Dataset", paths: Sequence[str], tags: list[str], progress: Progress) -> list[SampleId]:
    """Add videos by their paths, one sample each. The one place where videos of a datasource become samples."""
    return dataset.add_samples([Sample(path, tags) for path in paths], progress=progress)


def _known(stored: Bson) -> Datasource:
    name, url = stored.get("name"), str(stored["url"])
    named = source_named(name) if name else None
    if named is not None and named.url == url:
        return named
    return as_source(url) if name is None else Datasource(url, name=name, **as_source(url).options)
