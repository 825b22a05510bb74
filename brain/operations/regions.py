"""Which parts of an image count: the boxes of a label field, and the vectors that its labels may hold.

The geometry is `kernels.regions`; the cutting is done while images are streamed (`models.streaming`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...dataset.columns import read_ids, read_keyed_vectors, read_scalars
from ...dataset.errors import SchemaError
from ...dataset.schema import VectorField
from ...dataset.stages.labels import label_field
from ...dataset.types import FloatArray, RGBImage, SampleId
from ..kernels.regions import box_around, boxes_inside, grown_boxes, mean_vector, pixel_boxes
from .predictions import kind_of, read_columns

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection

_KINDS = {"Detection": "bounding_box", "Detections": "bounding_box", "Polyline": "points", "Polylines": "points"}


@dataclass(frozen=True)
class RegionOptions:
    """Which regions are meant, and how they are cut out.

    Attributes:
        field: a Detection, Detections, Polyline or Polylines field; of lines, the boxes around them count.
        alpha: the fraction by which boxes grow; below 0 they shrink.
        force_square: whether boxes are made squares.
    """

    field: str
    alpha: float | None = None
    force_square: bool = False

    def __str__(self) -> str:
        """The words that are kept with vectors of such regions."""
        grown = f", alpha={self.alpha:g}" if self.alpha else ""
        return f"the regions in {self.field!r}{grown}{', squared' if self.force_square else ''}"

    def params(self) -> dict[str, Any]:
        """What a run notes."""
        return {"roi_field": self.field, "alpha": self.alpha, "force_square": self.force_square}


def region_options(
    samples: "SampleCollection", field: str, alpha: float | None, *, force_square: bool, argument: str = "roi_field"
) -> RegionOptions:
    """Check which regions are meant; `argument` is how messages call the field.

    Raises:
        FieldNotFoundError: if there is no such field.
        FieldKindError: if it holds nothing with a place in the image.
        SchemaError: if `alpha` leaves nothing of a box.
    """
    samples._require_samples(argument)
    kind_of(samples, field, list(_KINDS), verb=argument)
    if alpha is not None and not (isinstance(alpha, Real) and -1 < alpha < inf):
        raise SchemaError(
            f"alpha={alpha!r} would leave nothing of a region. Give a number above -1: 0.1 grows by 10 %."
        )
    return RegionOptions(field, alpha, force_square)


@dataclass(frozen=True)
class Regions:
    """The regions of samples.

    Attributes:
        options: which.
        boxes: for each sample that has some in its image, (k, 4) left, top, width and height.
        outside: for each sample that has some outside its image, how many.
    """

    options: RegionOptions
    boxes: Mapping[SampleId, FloatArray]
    outside: Mapping[SampleId, int]

    @classmethod
    def read(cls, samples: "SampleCollection", options: RegionOptions) -> "Regions":
        """Read the boxes of all samples."""
        attribute = _KINDS[kind_of(samples, options.field, list(_KINDS), verb="roi_field")]
        labels = label_field(samples._schema(), options.field)
        path = f"{labels.root_path}.{attribute}"
        ids, columns = read_columns(samples, [path])
        found: dict[SampleId, FloatArray] = {}
        outside: dict[SampleId, int] = {}
        for sample_id, held in zip(ids, columns[path], strict=True):
            boxes = list(_boxes([held] if labels.attribute is None else held or [], attribute))
            if boxes:
                grown = grown_boxes(boxes, options.alpha or 0.0)
                inside = boxes_inside(grown)
                if inside.any():
                    found[sample_id] = grown[inside]
                if not inside.all():
                    outside[sample_id] = int((~inside).sum())
        return cls(options, found, outside)

    def crops(self, sample_id: SampleId, image: RGBImage) -> list[RGBImage]:
        """The parts of an image that count: all of it where it has no regions."""
        if sample_id not in self.boxes:
            return [image]
        return cut_out(image, self.boxes[sample_id], force_square=self.options.force_square)

    def summary(self, ids: Sequence[SampleId]) -> dict[str, int]:
        """What a run keeps of some samples: of how many the whole image counts, and how many regions do not."""
        return {
            "whole_images": sum(sample_id not in self.boxes for sample_id in ids),
            "regions_outside": sum(self.outside.get(sample_id, 0) for sample_id in ids),
        }


def cut_out(image: RGBImage, boxes: FloatArray, *, force_square: bool) -> list[RGBImage]:
    """The parts of an image inside boxes, (k, 4) left, top, width and height; they share its memory."""
    height, width = image.shape[:2]
    places = pixel_boxes(boxes, width, height, force_square=force_square)
    return [image[top:bottom, left:right] for left, top, right, bottom in places.tolist()]


def _boxes(values: Sequence[Any], attribute: str) -> Iterable[NDArray[np.float64]]:
    """The boxes of one sample's labels, those left out that have no place."""
    for value in values:
        points = [point for shape in value or [] for point in shape] if attribute == "points" else []
        if points:
            yield box_around(points)
        elif attribute == "bounding_box" and value is not None:
            yield np.asarray(value, dtype=np.float64)


def label_boxes(samples: "SampleCollection", field: str) -> dict[SampleId, dict[str, NDArray[np.float64]]]:
    """For each sample with labels that have a place: their boxes by the ids of the labels."""
    attribute = _KINDS[kind_of(samples, field, list(_KINDS), verb="patches_field")]
    path = f"{field}.{attribute}"
    labels, found = read_scalars(samples.to_patches(field), ["sample_id", path])
    boxes: dict[SampleId, dict[str, NDArray[np.float64]]] = {}
    for label_id, sample_id, held in zip(labels, found["sample_id"], found[path], strict=True):
        for box in _boxes([held], attribute):
            boxes.setdefault(sample_id, {})[label_id] = box
    return boxes


def holds_vectors(samples: "SampleCollection", field: str, attribute: str) -> bool:
    """Whether the labels in a field hold vectors in an attribute."""
    schema = samples._schema()
    path = f"{label_field(schema, field).root_path}.{attribute}"
    return path in schema and isinstance(schema[path], VectorField)


def vectors_of_labels(
    samples: "SampleCollection", field: str, attribute: str
) -> tuple[list[SampleId], NDArray[np.float32]]:
    """The mean of the vectors that each sample's labels hold.

    Returns:
        The ids of those samples of which a label has a vector, in their order, and (m, d) float32.
    """
    _, keys, vectors = read_keyed_vectors(samples.to_patches(field), f"{field}.{attribute}")
    rows_of: dict[SampleId, list[int]] = {}
    for row, key in enumerate(keys[:, 8:20]):  # what a key holds: `store.vectors`
        rows_of.setdefault(bytes(key).hex(), []).append(row)
    ids = [sample_id for sample_id in read_ids(samples) if sample_id in rows_of]
    if not ids:
        return [], np.empty((0, 1), dtype=np.float32)
    return ids, np.stack([mean_vector(vectors[rows_of[sample_id]]) for sample_id in ids])
