"""Taking in videos: as one sample each, or as samples of their frames, for which nothing is written to disk."""

from collections.abc import Iterable, Iterator, Sequence, Sized
from os import PathLike, fspath
from typing import TYPE_CHECKING

from . import bulk
from .collection import SampleCollection
from .creation import make_dataset, tagged
from .errors import UnreadableMediaError
from .formats import VideoDirectory
from .formats.files import matching
from .media.containers import pyav
from .media.reading import open_media
from .media.video_index import check_choice, list_frames
from .sample import Sample
from .types import Progress, SampleId

if TYPE_CHECKING:
    from .dataset import Dataset


class Videos(SampleCollection):
    """The part of a dataset that takes in videos."""

    @classmethod
    def from_videos(
        cls, paths_or_samples: Iterable[str | PathLike[str] | Sample], name: str | None = None, persistent: bool = True,
        overwrite: bool = False, tags: str | Sequence[str] | None = None, progress: Progress = None, *,
        every: int | None = None, fps: float | None = None, keyframes: bool = False,
    ) -> "Dataset":  # fmt: skip
        """Make a dataset from paths or URLs of videos; see `add_videos`, and `from_dir` for the other arguments."""
        check_choice(every=every, fps=fps, keyframes=keyframes)
        return make_dataset(
            lambda d: d.add_videos(
                paths_or_samples, tags=tags, progress=progress, every=every, fps=fps, keyframes=keyframes
            ),
            name, persistent=persistent, overwrite=overwrite,
        )  # fmt: skip

    @classmethod
    def from_videos_dir(
        cls, videos_dir: str | PathLike[str], name: str | None = None, persistent: bool = True, overwrite: bool = False,
        tags: str | Sequence[str] | None = None, recursive: bool = True, progress: Progress = None, *,
        every: int | None = None, fps: float | None = None, keyframes: bool = False,
    ) -> "Dataset":  # fmt: skip
        """Make a dataset from the videos of a folder; see `add_videos`, and `from_dir` for the other arguments."""
        return cls.from_videos(
            VideoDirectory(fspath(videos_dir), recursive=recursive).paths, name, persistent, overwrite, tags, progress,
            every=every, fps=fps, keyframes=keyframes,
        )  # fmt: skip

    @classmethod
    def from_videos_patt(
        cls, videos_patt: str | PathLike[str], name: str | None = None, persistent: bool = True,
        overwrite: bool = False, tags: str | Sequence[str] | None = None, progress: Progress = None, *,
        every: int | None = None, fps: float | None = None, keyframes: bool = False,
    ) -> "Dataset":  # fmt: skip
        """Make a dataset from the videos whose paths match a pattern; see `add_videos_patt`."""
        return cls.from_videos(
            matching(videos_patt), name, persistent, overwrite, tags, progress,
            every=every, fps=fps, keyframes=keyframes,
        )  # fmt: skip

    def add_videos(
        self, paths_or_samples: Iterable[str | PathLike[str] | Sample], tags: str | Sequence[str] | None = None,
        progress: Progress = False, *, every: int | None = None, fps: float | None = None, keyframes: bool = False,
    ) -> list[SampleId]:  # fmt: skip
        """Add videos by their paths: one sample each, or with `every`, `fps` or `keyframes` a sample per chosen frame.

        Samples of frames have the video's path, and what a given sample holds beside; the frames stay in the video.
        A video whose frames cannot be listed becomes one sample that says why.

        Args:
            paths_or_samples: paths or URLs; or samples, which are added with all that they hold.
            tags: tags for all of them.
            progress: whether to show a bar.
            every: take the first frame of each video and each n-th after it; 1 takes all.
            fps: take the frames that are shown at each tick of so many per second.
            keyframes: take the frames from which decoding can begin.

        Writes:
            `frame_number` (from 1), `pts` (the container's time stamp) and `time` (seconds after the first frame), on
            samples of frames; `media_error`, the reason, on a video that cannot be read.

        Returns:
            The ids, in the order of the videos, and in each in the order of the frames.

        Raises:
            MediaError: if more than one choice of frames is given, or one is not positive.
            MissingExtraError: if frames are wanted and PyAV is not installed.
        """
        check_choice(every=every, fps=fps, keyframes=keyframes)
        listed = bulk.checked_tags(tags or [])
        videos = (tagged(given, listed) for given in paths_or_samples)
        if every is None and fps is None and not keyframes:
            total = len(paths_or_samples) if isinstance(paths_or_samples, Sized) else None
            return self._root.add_samples(videos, progress=progress, num_samples=total)
        pyav()  # or nothing could be read, and every video would be said to be broken
        frames = frames_of(videos, every=every, fps=fps, keyframes=keyframes)
        return self._root.add_samples(frames, progress=progress)

    def add_videos_dir(
        self, videos_dir: str | PathLike[str], tags: str | Sequence[str] | None = None, recursive: bool = True,
        progress: Progress = None, *, every: int | None = None, fps: float | None = None, keyframes: bool = False,
    ) -> list[SampleId]:  # fmt: skip
        """Add the videos of a folder; see `add_videos`.

        Args:
            videos_dir: the folder.
            tags: tags for all samples.
            recursive: whether videos in the folders inside are taken too.
            progress: whether to show a bar.
            every: see `add_videos`.
            fps: see `add_videos`.
            keyframes: see `add_videos`.

        Raises:
            DatasetError: if the folder cannot be read; the dataset is then as it was.
        """
        paths = VideoDirectory(fspath(videos_dir), recursive=recursive).paths
        return self.add_videos(paths, tags, progress, every=every, fps=fps, keyframes=keyframes)

    def add_videos_patt(
        self, videos_patt: str | PathLike[str], tags: str | Sequence[str] | None = None, progress: Progress = None, *,
        every: int | None = None, fps: float | None = None, keyframes: bool = False,
    ) -> list[SampleId]:  # fmt: skip
        """Add the videos whose paths match a pattern; see `add_videos`.

        Args:
            videos_patt: the pattern, such as "trips/*/*.mp4"; "**" stands for folders of any depth.
            tags: tags for all samples.
            progress: whether to show a bar.
            every: see `add_videos`.
            fps: see `add_videos`.
            keyframes: see `add_videos`.

        Raises:
            DatasetError: if nothing matches.
        """
        paths = matching(videos_patt)
        return self.add_videos(paths, tags, progress, every=every, fps=fps, keyframes=keyframes)


def frames_of(
    videos: Iterable[Sample], *, every: int | None, fps: float | None, keyframes: bool
) -> Iterator[Sample]:  # fmt: skip
    """Samples of the frames of videos; a video whose frames cannot be listed is one sample that says why."""
    for video in videos:
        try:
            with open_media(video.filepath) as file:
                frames = list_frames(file, every=every, fps=fps, keyframes=keyframes)
        except UnreadableMediaError as error:
            broken = video.copy()
            broken["media_error"] = str(error)
            yield broken
            continue
        for frame in frames:
            sample = video.copy()
            sample["frame_number"], sample["pts"], sample["time"] = frame.frame_number, frame.pts, frame.time
            yield sample
