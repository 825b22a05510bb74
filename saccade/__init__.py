"""Saccade: curate image datasets. This is the public face; `import saccade as sc`.

Importing it opens nothing, reads nothing, starts nothing: a name is fetched from its module when it is first used.
The scores are in `saccade.brain`, the command line in `saccade.app`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .dataset import errors, settings
    from .dataset.aggregations import (
        Bounds,
        Count,
        CountValues,
        Distinct,
        HistogramValues,
        Max,
        Mean,
        Min,
        Quantiles,
        Schema,
        Std,
        Sum,
        Values,
    )
    from .dataset.dataset import Dataset
    from .dataset.expressions import F, ViewExpression, ViewField
    from .dataset.formats import types
    from .dataset.labels import (
        Classification,
        Classifications,
        Detection,
        Detections,
        ImageMetadata,
        Keypoint,
        Keypoints,
        KeypointSkeleton,
        Label,
        Metadata,
        Polyline,
        Polylines,
        Regression,
        Segmentation,
        TemporalDetection,
        TemporalDetections,
        VideoMetadata,
    )
    from .dataset.media.datasource import Datasource
    from .dataset.named import dataset_exists, delete_dataset, delete_datasets, list_datasets, load_dataset
    from .dataset.sample import Sample
    from .dataset.schema import (
        ArrayField,
        BooleanField,
        DateField,
        DateTimeField,
        DictField,
        EmbeddedDocumentField,
        Field,
        FloatField,
        IntField,
        ListField,
        ObjectIdField,
        StringField,
        VectorField,
    )
    from .dataset.splitting import random_split
    from .dataset.view import DatasetView

__version__ = "0.1.0"

__all__ = [
    "ArrayField",
    "BooleanField",
    "Bounds",
    "Classification",
    "Classifications",
    "Count",
    "CountValues",
    "Dataset",
    "DatasetView",
    "Datasource",
    "DateField",
    "DateTimeField",
    "Detection",
    "Detections",
    "DictField",
    "Distinct",
    "EmbeddedDocumentField",
    "F",
    "Field",
    "FloatField",
    "HistogramValues",
    "ImageMetadata",
    "IntField",
    "Keypoint",
    "KeypointSkeleton",
    "Keypoints",
    "Label",
    "ListField",
    "Max",
    "Mean",
    "Metadata",
    "Min",
    "ObjectIdField",
    "Polyline",
    "Polylines",
    "Quantiles",
    "Regression",
    "Sample",
    "Schema",
    "Segmentation",
    "Std",
    "StringField",
    "Sum",
    "TemporalDetection",
    "TemporalDetections",
    "Values",
    "VectorField",
    "VideoMetadata",
    "ViewExpression",
    "ViewField",
    "dataset_exists",
    "delete_dataset",
    "delete_datasets",
    "errors",
    "list_datasets",
    "load_dataset",
    "random_split",
    "settings",
    "types",
]

_MODULES = {"errors", "settings", "types"}
_HOMES = {
    ".dataset": "errors settings",
    ".dataset.aggregations": (
        "Bounds Count CountValues Distinct HistogramValues Max Mean Min Quantiles Schema Std Sum Values"
    ),
    ".dataset.dataset": "Dataset",
    ".dataset.media.datasource": "Datasource",
    ".dataset.named": "dataset_exists delete_dataset delete_datasets list_datasets load_dataset",
    ".dataset.expressions": "F ViewExpression ViewField",
    ".dataset.formats": "types",
    ".dataset.labels": (
        "Classification Classifications Detection Detections ImageMetadata Keypoint KeypointSkeleton Keypoints Label "
        "Metadata Polyline Polylines Regression Segmentation TemporalDetection TemporalDetections VideoMetadata"
    ),
    ".dataset.sample": "Sample",
    ".dataset.schema": (
        "ArrayField BooleanField DateField DateTimeField DictField EmbeddedDocumentField Field FloatField IntField "
        "ListField ObjectIdField StringField VectorField"
    ),
    ".dataset.splitting": "random_split",
    ".dataset.view": "DatasetView",
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    """Fetch a public name from the module it lives in, and keep it."""
    if name not in _HOME_OF:
        raise AttributeError(f"module 'saccade' has no attribute {name!r}")
    home = _HOME_OF[name]
    if name in _MODULES:
        value: Any = import_module(f"{home}.{name}", __name__)
    else:
        value = getattr(import_module(home, __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
