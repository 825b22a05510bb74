"""What folders of images and folders of videos without labels have in common."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, Literal

from ..media.known_sources import as_source
from .base import DatasetType
from .files import find_files


@dataclass(frozen=True)
class MediaDirectory(DatasetType):
    """A folder of media files and of such folders; on this machine, or in a bucket by its URL.

    Other files are passed over. The order is that of the names, numbers counting as numbers; in a bucket that of the
    keys.

    Attributes:
        recursive: whether files in the folders inside are taken too.
    """

    recursive: bool = True

    media: ClassVar[Literal["image", "video"]]
    """What is taken."""

    reads_urls: ClassVar[bool] = True

    def find(self) -> list[Path] | list[str]:
        """List the files in a fixed order."""
        if self.url is None:
            return find_files(self.folder, self.media, recursive=self.recursive)
        source = as_source(self.url)
        paths = (file.path for file in source.files(self.media))
        if not self.recursive:
            paths = (path for path in paths if "/" not in path[len(source.url) + 1 :])
        # Not more of a large bucket is listed than is asked for.
        return list(paths if self.shuffle else islice(paths, self.max_samples))

    def values_of(self, path: Path | str) -> dict[str, Any]:
        """The path alone."""
        return {"filepath": str(path)}
