"""A folder of images without labels."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from .base import DatasetType
from .files import find_images


@dataclass(frozen=True)
class ImageDirectory(DatasetType):
    """A folder of images, and of folders of images.

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

    def find(self) -> list[Path]:
        """List the images in a fixed order."""
        return find_images(self.folder, recursive=self.recursive)

    def values_of(self, path: Path) -> dict[str, Any]:
        """The path alone."""
        return {"filepath": str(path)}
