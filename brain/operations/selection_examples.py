"""The examples that samples are to be similar to: their vectors, and whether these changed in another dataset."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from ...dataset import runs
from ...dataset.errors import DatasetNotFoundError, SelectionError, hint
from ...dataset.named import load_dataset
from ...dataset.store import catalog
from ...dataset.types import FloatArray
from ..selection.inputs import Embeddings
from ..selection.strategies import AnyStrategy, Similarity
from .inputs import read_embeddings
from .selection_universe import Universe, read_object_vectors, stored_name, tagged_view

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection
    from ...dataset.dataset import Dataset


def read_queries(universe: Universe, source: Embeddings) -> FloatArray:
    """Read the vectors that samples are to be similar to: those of the samples with a tag, of this or another dataset.

    For an empty universe, which shows whether the fields are there, none are read.

    Raises:
        SelectionError: if there is no such dataset or tag, or its samples have no vectors.
    """
    assert source.tag_name is not None, "the config was checked"
    root = universe.samples._root if source.dataset_id is None else _dataset(source.dataset_id)
    tagged = tagged_view(root, source.tag_name, "tag_name")
    if not universe.ids:
        tagged = tagged.limit(0)
    if source.task is None:
        found = read_embeddings(tagged, source.key).vectors
    else:
        found = read_object_vectors(tagged, stored_name(tagged, source.task), source.key)[1]
    if not len(found) and universe.ids:
        what = source.key if source.task is None else f"{source.task}.{source.key}"
        raise SelectionError(
            f"no sample with the tag {source.tag_name!r} of dataset {root.name!r} has vectors in {what!r}: there is "
            "nothing to be similar to. Compute them, or choose another tag."
        )
    return found


def _dataset(name: str) -> "Dataset":
    names = {str(record["_id"]): record["name"] for record in catalog.dataset_records()}
    try:
        return load_dataset(names.get(name, name))
    except DatasetNotFoundError:
        raise SelectionError(
            f"dataset_id={name!r}: there is no dataset of this name or id. {hint(name, names.values(), 'Datasets')}"
        ) from None


def examples_elsewhere(samples: "SampleCollection", strategies: Sequence[AnyStrategy]) -> list[dict[str, str]]:
    """The fields of other datasets that examples are read from, with their revisions, for `changed_examples`.

    Raises:
        SelectionError: if there is no such dataset.
    """
    found = []
    for strategy in strategies:
        if isinstance(strategy, Similarity) and strategy.input.dataset_id is not None:
            root = _dataset(strategy.input.dataset_id)
            if root._id == samples._root._id:
                continue
            field = stored_name(root, strategy.input.task or strategy.input.key)
            revision = runs.revisions(root, [field]).get(field, "")
            found.append({"dataset": root.name, "id": str(root._id), "field": field, "revision": revision})
    return found


def changed_examples(examples: Iterable[Mapping[str, str]]) -> list[str]:
    """What of `examples_elsewhere` was changed since or is gone, in words."""
    changed = []
    for one in examples:
        try:
            root = _dataset(one["id"])
        except SelectionError:
            changed.append(f"dataset {one['dataset']!r}")
            continue
        if runs.revisions(root, [one["field"]]).get(one["field"], "") != one["revision"]:
            changed.append(f"{one['field']} of dataset {root.name!r}")
    return changed
