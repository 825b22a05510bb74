"""A folder of videos without labels."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from .media_directory import MediaDirectory


@dataclass(frozen=True)
class VideoDirectory(MediaDirectory):
    """A folder of videos, and of folders of videos; on this machine, or in a bucket by its URL.

    ```
    trips/
        trip1.mp4
        trip2.mkv
        night/trip1.mp4
    ```

    Other files are passed over. The order is that of the names, numbers counting as numbers; in a bucket that of the
    keys. Each video is one sample; `Dataset.from_videos_dir` makes samples of their frames.

    Attributes:
        recursive: whether videos in the folders inside are taken too.
    """

    name: ClassVar[str] = "video_directory"

    media: ClassVar[Literal["image", "video"]] = "video"
