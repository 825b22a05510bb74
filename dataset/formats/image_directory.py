"""A folder of images without labels."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from .media_directory import MediaDirectory


@dataclass(frozen=True)
class ImageDirectory(MediaDirectory):
    """A folder of images, and of folders of images; on this machine, or in a bucket by its URL.

    ```
    photos/
        img1.jpg
        img2.jpg
        trip/img1.png
    ```

    Other files are passed over. The order is that of the names, numbers counting as numbers; in a bucket that of the
    keys.

    Attributes:
        recursive: whether images in the folders inside are taken too.
    """

    name: ClassVar[str] = "image_directory"

    media: ClassVar[Literal["image", "video"]] = "image"
