"""Random splits: samples tagged "train", "val" and so on, the same ones for the same seed."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from xxhash import xxh3_64_intdigest

from . import bulk, journal
from .collection import SampleCollection
from .errors import SelectionError
from .types import SampleId


def random_split(
    sample_collection: SampleCollection, split_fracs: Mapping[str, float], seed: int | None = None
) -> dict[str, int]:
    """Tag each sample with one of several names at random, in given proportions.

    Where a sample goes depends on the seed and the ids of the samples alone, not on the machine or the order.

    Args:
        sample_collection: a dataset or view.
        split_fracs: the share of each tag, from 0 to 1. What they leave of 1 gets none of the tags.
        seed: gives the same split again; None draws one.

    Writes:
        The tags of the samples, in one action. Tags of these names that the samples had are taken away first.

    Returns:
        How many samples got each tag.

    Raises:
        SelectionError: if a share is no number from 0 to 1, or they add up to more than 1.
        SchemaError: if a name cannot be a tag.

    Example:
        >>> random_split(dataset, {"train": 0.8, "val": 0.2}, seed=51)  # doctest: +SKIP
        {'train': 800, 'val': 200}
    """
    tags = bulk.checked_tags(split_fracs)
    ends = _ends(split_fracs)
    root = sample_collection._root
    sample_collection._require_samples("random_split()")
    with journal.action(root._id, "random_split", ["tags"]) as action:
        ids = read_mixed(sample_collection, seed)
        for tag in tags:
            action.untag(ids, tag)
        start, counts = 0, {}
        for tag, end in zip(tags, ends, strict=True):
            stop = round(end * len(ids))
            action.tag(ids[start:stop], tag)
            counts[tag] = stop - start
            start = stop
    return counts


def read_mixed(sample_collection: SampleCollection, seed: int | None) -> list[SampleId]:
    """The ids of a collection's samples, each once, in an order that the seed determines."""
    drawn = int(np.random.default_rng().integers(1 << 62)) if seed is None else seed
    ids = dict.fromkeys(sample_collection._ids())
    return sorted(ids, key=lambda sample_id: (xxh3_64_intdigest(f"{drawn}/{sample_id}".encode()), sample_id))


def _ends(split_fracs: Mapping[str, Any]) -> list[float]:
    """The shares, each added to those before it."""
    total, ends = 0.0, []
    for tag, share in split_fracs.items():
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
            raise SelectionError(f"the share of {tag!r} is {share!r}; expected a number from 0 to 1.")
        total += share
        ends.append(min(total, 1.0))
    if total > 1 + 1e-9:
        raise SelectionError(f"the shares {dict(split_fracs)} add up to {total:g}. They may add up to 1 at most.")
    return ends
