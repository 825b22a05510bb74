"""Labels and metadata: the values with attributes that a sample may hold. Plain objects; nothing here stores."""

from ._document import Document, Label, document_types
from ._ids import new_id
from ._json import from_jsonable, to_jsonable
from .classification import Classification, Classifications
from .detection import Detection, Detections
from .keypoint import Keypoint, Keypoints, KeypointSkeleton
from .metadata import ImageMetadata, Metadata, VideoMetadata
from .polyline import Polyline, Polylines
from .regression import Regression
from .segmentation import Segmentation
from .temporal import TemporalDetection, TemporalDetections

__all__ = [
    "Classification",
    "Classifications",
    "Detection",
    "Detections",
    "Document",
    "ImageMetadata",
    "Keypoint",
    "KeypointSkeleton",
    "Keypoints",
    "Label",
    "Metadata",
    "Polyline",
    "Polylines",
    "Regression",
    "Segmentation",
    "TemporalDetection",
    "TemporalDetections",
    "VideoMetadata",
    "document_types",
    "from_jsonable",
    "new_id",
    "to_jsonable",
]
