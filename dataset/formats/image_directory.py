"""A folder of images without labels."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

from ..media.known_sources import as_source
from .base import DatasetType
from .files import find_images


@dataclass(frozen=True)
class ImageDirectory(DatasetType):
    """A folder of images, and of folders of images; on this machine, or in a bucket by its URL.

    ```
    photos/
        img1.jpg
        img2.jpg
        trip/img1.png
    ```

    Other files are passed over. The order is that of the names, numbers counting as numbers.

    Attributes:
        recursive: whether images in the folders inside are taken too.
    """

    recursive: bool = True

    name: ClassVar[str] = "image_directory"

    reads_urls: ClassVar[bool] = True

    def find(self) -> list[Path] | list[str]:
        """List the images in a fixed order; in a bucket that is the order of the keys."""
        if self.url is None:
            return find_images(self.folder, recursive=self.recursive)
        source = as_source(self.url)
        paths = (file.path for file in source.files("image"))
        if not self.recursive:
            paths = (path for path in paths if "/" not in path[len(source.url) + 1 :])
        # Not more of a large bucket is listed than is asked for.
        return list(paths if self.shuffle else islice(paths, self.max_samples))

    def values_of(self, path: Path | str) -> dict[str, Any]:
        """The path alone."""
        return {"filepath": str(path)}
