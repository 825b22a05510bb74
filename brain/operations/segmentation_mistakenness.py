"""Mistakenness of masks, for `compute_mistakenness`. The arithmetic is `kernels.segmentation_mistakenness`."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...dataset import runs
from ...dataset.errors import SchemaError
from ...dataset.progress import shown
from ...dataset.schema import Field, FloatField, StringField
from ...dataset.types import Progress
from ..kernels.evidence import calibration, logarithms
from ..kernels.segmentation_mistakenness import (
    UNJUDGED,
    PatchDoubt,
    disagreement_depth,
    patch_doubt,
    patch_width,
    segmentation_mistakenness,
)
from .scoring import summary_of, write_scores
from .segmentations import Masks

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection

_PIXELS = 10_000


def judge_masks(
    samples: "SampleCollection", pred_fields: Sequence[str], label_field: str, name: str, method: str,
    progress: Progress, *, verb: str,
) -> runs.Run:  # fmt: skip
    """Score the masks of a Segmentation field, write the scores, and record the run.

    The files are read twice, one image at a time: first to see how sure the model may be and how much its masks and the
    given ones differ anyway, then to judge.

    Args:
        samples: the dataset or view.
        pred_fields: the Segmentation fields with predictions.
        label_field: the Segmentation field in question.
        name: the field to write.
        method: "evidence".
        progress: as everywhere.
        verb: what the history shows.

    Writes:
        `name`, `<name>_suggestion` and `<name>_probability`, in one action; None without a mask or a prediction, and
        where no pixel has a class.

    Raises:
        SchemaError: if another method is asked for.
        UnreadableMediaError: if a file cannot be read, naming it and the sample.
        FieldKindError: if the sizes of masks differ, or pixels have no probabilities, naming the sample.
    """
    if method != "evidence":
        raise SchemaError(f"method={method!r} has no formula for Segmentation labels. Use method='evidence'.")
    fields = _fields(name, label_field, " and ".join(map(repr, pred_fields)))
    params = {"pred_field": list(pred_fields), "label_field": label_field, "method": method}
    with runs.record(
        samples, "mistakenness", key=name, params=params, writes=list(fields), one_action=True,
        reads=[*pred_fields, label_field],
    ) as run:  # fmt: skip
        masks = Masks(samples, label_field, pred_fields)
        with shown(2 * len(masks.ids), progress) as advance:
            exponent, width = _calibrated(masks, advance)
            found = _doubts(masks, exponent, width, advance)
        rows = np.array(sorted(found), dtype=np.int64)
        doubts = [found[row] for row in rows.tolist()]
        probabilities = [one.probability for one in doubts]
        scores = segmentation_mistakenness([one.evidence for one in doubts], probabilities)
        suggestions = [f"{masks.names[one.given]} -> {masks.names[one.believed]}" for one in doubts]
        columns = [scores.tolist(), suggestions, probabilities]
        run.facts = {
            **summary_of(scores, len(masks.ids)), "doubted": int((scores > 0.5).sum()),
            "exponent": exponent, "patch_width": width,
        }  # fmt: skip
        write_scores(samples, masks.ids, rows, dict(zip(fields, columns, strict=True)), fields, verb=verb)
    return run


def _fields(name: str, label: str, prediction: str) -> dict[str, Field]:
    return {
        name: FloatField(description=f"how likely a part of {label!r} is wrong, 0 to 1, by what {prediction} says"),
        f"{name}_suggestion": StringField(
            description="the class in its most doubtful patch -> the class believed there"
        ),
        f"{name}_probability": FloatField(description="how probable the class believed there is, 0 to 1"),
    }


def _calibrated(masks: Masks, advance: Callable[[int], None]) -> tuple[float, int]:
    """The exponent of the probabilities, by some pixels of each image, and the width of patches."""
    each = max(_PIXELS // max(len(masks.ids), 1), 1)
    told: list[NDArray[np.float64]] = []
    labels: list[NDArray[np.int64]] = []
    depths: list[float] = []
    for image in masks.images():
        given = image.given.ravel()
        # Steps of the golden ratio are spread evenly over any image, and never fall in with its columns.
        places = np.unique((np.arange(each) * 0.6180339887498949 % 1 * given.size).astype(np.int64))
        places = places[given[places] != UNJUDGED]
        labels.append(given[places])
        start, believed = 0, []
        for block in image.blocks():
            flat = block.reshape(-1, block.shape[2])
            believed.append(flat.argmax(axis=1))
            told.append(flat[places[(places >= start) & (places < start + len(flat))] - start])
            start += len(flat)
        depths.append(disagreement_depth(image.given, np.concatenate(believed).reshape(image.given.shape)))
        advance(1)
    advance(len(masks.ids) - len(depths))
    given = np.concatenate(labels) if labels else np.empty(0, dtype=np.int64)
    if not len(given) or len(masks.names) < 2:
        return 1.0, patch_width(depths)
    return calibration(logarithms(np.concatenate(told)), given)[0], patch_width(depths)


def _doubts(masks: Masks, exponent: float, width: int, advance: Callable[[int], None]) -> dict[int, PatchDoubt]:
    """What speaks most against each mask, by its sample's row; those without a judged pixel are left out."""
    found, seen = {}, 0
    for image in masks.images():
        doubt = patch_doubt(image.given, image.blocks(), exponent=exponent, width=width)
        if doubt.given != UNJUDGED:
            found[image.row] = doubt
        seen += 1
        advance(1)
    advance(len(masks.ids) - seen)
    return found
