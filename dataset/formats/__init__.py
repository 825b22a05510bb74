"""Formats: files on disk to the values of samples, one format per file.

A format knows folders and names, not datasets: it yields plain dicts such as `{"filepath": ..., "ground_truth": ...}`,
and the dataset makes samples of them. `saccade.types` is the namespace where users find the formats.
"""

from .base import DatasetType, dataset_types, reader
from .classification_tree import ImageClassificationDirectoryTree
from .image_directory import ImageDirectory
from .video_directory import VideoDirectory

__all__ = [
    "DatasetType",
    "ImageClassificationDirectoryTree",
    "ImageDirectory",
    "VideoDirectory",
    "dataset_types",
    "reader",
]
