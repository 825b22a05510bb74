"""How scores go onto samples: a column of each for all samples, None where there was nothing to score."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...dataset import journal
from ...dataset.columns import read_ids, write_scalars
from ...dataset.errors import ConflictError
from ...dataset.schema import Field
from ...dataset.store import actions, codec
from ...dataset.types import IntArray, SampleId
from .inputs import Embeddings

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection


def write_scores(
    samples: "SampleCollection", ids: Sequence[SampleId], rows: IntArray,
    columns: Mapping[str, Sequence[Any]], fields: Mapping[str, Field], *, verb: str,
) -> None:  # fmt: skip
    """Write columns in one action, None for the samples that have no value.

    Args:
        samples: the dataset or view.
        ids: all its samples.
        rows: positions of those that have values.
        columns: for each field the values of these, as plain Python values.
        fields: what each field is, for where it is new.
        verb: what the history shows.
    """
    if ids:
        whole = {path: column_of(len(ids), rows, values) for path, values in columns.items()}
        write_scalars(samples, whole, ids, fields=fields, verb=verb)


def write_vector_scores(
    samples: "SampleCollection", found: Embeddings, scores: NDArray[np.float64], field: str, *, verb: str
) -> None:
    """Write the scores of samples with vectors, and take away those that the others have from before, in one action."""
    others: list[SampleId] = []
    if found.without_vector and samples._root.has_field(field):
        others = sorted(set(read_ids(samples)).difference(found.ids))
    if found.ids:
        column = [*scores.tolist(), *[None] * len(others)]
        write_scalars(samples, {field: column}, [*found.ids, *others], verb=verb)


def write_object_scores(
    samples: "SampleCollection", ids: Sequence[SampleId], scalars: Mapping[str, list[Any]],
    objects: Mapping[str, "ObjectScores"], fields: Mapping[str, Field], *, verb: str,
) -> None:  # fmt: skip
    """Write scores of samples, and of the labels in their lists, in one action.

    Args:
        samples: the dataset or view.
        ids: all its samples.
        scalars: for each field of samples a value for each.
        objects: for each list of labels what its labels get.
        fields: what each field and attribute is, by path.
        verb: what the history shows.

    Raises:
        ConflictError: if the labels of a sample are others than those that were scored.
    """
    if not ids:
        return
    tops = sorted({path.split(".")[0] for path in (*scalars, *objects)})
    with journal.action(samples._root._id, verb, tops, declare=fields) as action:
        action.set(ids, scalars)

        def scored(start: int, old: list[Any]) -> dict[str, list[Any]]:
            # Decoded at once: element by element, a raw document costs several times as much.
            plain = [None if document is None else codec.from_raw(document.raw) for document in old]
            return {
                path: [one.placed(start + row, document, path, ids) for row, document in enumerate(plain)]
                for path, one in objects.items()
            }

        action.transform(ids, list(objects), scored)


class ObjectScores(NamedTuple):
    """What the labels of one list get.

    Attributes:
        ids: for each sample the ids of the labels that were scored; None where it has no list.
        values: for each attribute, for each sample, a value for each label; None takes the attribute away.
        added: for each sample documents of labels that are put behind the others.
    """

    ids: Sequence[Sequence[str] | None]
    values: Mapping[str, Sequence[Sequence[Any] | None]]
    added: Mapping[int, Sequence[Mapping[str, Any]]]

    def placed(self, row: int, document: Any, path: str, ids: Sequence[SampleId]) -> Any:
        """The list of one sample with its scores."""
        items = actions.value_at(document, path)
        if not isinstance(items, list):
            return items
        labels = self.ids[row] or ()
        if [str(item.get("_id")) for item in items] != list(labels):
            raise ConflictError(f"the labels {path!r} of sample {ids[row]} were changed meanwhile. Do it again.")
        found = [{name: value for name, value in item.items() if name not in self.values} for item in items]
        for name, column in self.values.items():
            for item, value in zip(found, column[row] or [None] * len(found), strict=True):
                if value is not None:
                    item[name] = value
        return [*found, *self.added.get(row, ())]


def column_of(count: int, rows: IntArray, values: Sequence[Any]) -> list[Any]:
    """Values in their places among all samples."""
    if len(rows) == count:
        return list(values)
    column: list[Any] = [None] * count
    for row, value in zip(rows.tolist(), values, strict=True):
        column[row] = value
    return column


def summary_of(scores: ArrayLike, count: int) -> dict[str, Any]:
    """What a run keeps of scores: how many of how many samples, and the quartiles."""
    given = np.asarray(scores, dtype=np.float64)
    counts: dict[str, Any] = {"scored": len(given), "without_score": count - len(given)}
    return {**counts, "quartiles": np.quantile(given, [0, 0.25, 0.5, 0.75, 1]).tolist()} if len(given) else counts
