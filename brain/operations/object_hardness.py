"""Hardness of detections, for `compute_hardness`. The arithmetic is `kernels.object_hardness`."""

from typing import TYPE_CHECKING

import numpy as np

from ...dataset import runs
from ...dataset.progress import shown
from ...dataset.schema import Field, FloatField
from ...dataset.types import Progress
from ..kernels.object_hardness import object_hardness
from .objects import classes_in, object_paths, object_probabilities, probability_paths, read_objects, rows_with
from .predictions import read_columns
from .scoring import ObjectScores, column_of, summary_of, write_object_scores

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection


def hardness_of_objects(
    samples: "SampleCollection", predicted: str, given: str | None, name: str, progress: Progress, verb: str
) -> runs.Run:
    """Score samples and their predicted objects, write the scores, and record the run.

    Raises:
        FieldKindError: if a box, a confidence or probabilities cannot be, naming the sample.
    """
    fields = _fields(predicted, given, name)
    sides = [field for field in (predicted, given) if field is not None]
    with runs.record(
        samples, "hardness", key=name, reads=sides, writes=list(fields), one_action=True,
        params={"label_field": predicted, "ground_truth_field": given, "method": "evidence", "embeddings": None},
    ) as run, shown(samples.count(), progress) as advance:  # fmt: skip
        asked = probability_paths(samples, predicted) if given is None else []
        ids, columns = read_columns(samples, [*(path for field in sides for path in object_paths(field)), *asked])
        rows = rows_with(sides, columns)
        classes = classes_in(sides, columns, rows)
        theirs = read_objects(predicted, ids, columns, rows, classes, with_confidence=True)
        ours = None if given is None else read_objects(given, ids, columns, rows, classes, with_confidence=False)
        found = object_hardness(
            theirs.boxes, theirs.confidences, len(rows), max(len(classes), 1), None if ours is None else ours.boxes,
            probabilities=object_probabilities(theirs, asked, columns),
        )  # fmt: skip
        run.facts = summary_of(found.images, len(ids))
        scores = {theirs.path: ObjectScores(theirs.ids, {name: theirs.spread(found.objects.tolist())}, {})}
        scalars = {name: column_of(len(ids), np.array(rows, dtype=np.int64), found.images.tolist())}
        write_object_scores(samples, ids, scalars, scores, fields, verb=verb)
        advance(len(ids))
    return run


def _fields(predicted: str, given: str | None, name: str) -> dict[str, Field]:
    """What is written, by path: first the score of samples."""
    by = f" and the labels in {given!r}" if given else ""
    means = "how probable a mistake is" if given else "0 is sure, 1 undecided"
    return {
        name: FloatField(description=f"how much of {predicted!r} is expected to be wrong, 0 to 1, by its boxes{by}"),
        f"{predicted}.detections.{name}": FloatField(description=f"how hard the object is, 0 to 1: {means}"),
    }
