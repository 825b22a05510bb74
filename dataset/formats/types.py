"""The dataset types by name: what `saccade.types` shows."""

from .base import DatasetType
from .classification_tree import ImageClassificationDirectoryTree
from .image_directory import ImageDirectory
from .video_directory import VideoDirectory

__all__ = ["DatasetType", "ImageClassificationDirectoryTree", "ImageDirectory", "VideoDirectory"]
