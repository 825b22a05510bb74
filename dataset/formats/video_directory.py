"""A folder of videos without labels."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from .base import DatasetType
from .files import find_videos


@dataclass(frozen=True)
class VideoDirectory(DatasetType):
    """A folder of videos, and of folders of videos.

    ```
    trips/
        trip1.mp4
        trip2.mkv
        night/trip1.mp4
    ```

    Other files are passed over. The order is that of the names, numbers counting as numbers. Each video is one sample;
    `Dataset.from_videos_dir` makes samples of their frames.

    Attributes:
        recursive: whether videos in the folders inside are taken too.
    """

    recursive: bool = True

    name: ClassVar[str] = "video_directory"

    def find(self) -> list[Path]:
        """List the videos in a fixed order."""
        return find_videos(self.folder, recursive=self.recursive)

    def values_of(self, path: Path) -> dict[str, Any]:
        """The path alone."""
        return {"filepath": str(path)}
