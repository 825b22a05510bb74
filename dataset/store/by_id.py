"""Documents of chosen samples, as raw BSON: in one sweep where they lie together, else asked for one by one."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import bson
import numpy as np
from bson import ObjectId

from ..types import Bson, SampleId
from .answers import aggregation, answer
from .codec import OPTIONS
from .raw import Array, ids_of, starts_of
from .samples import samples_name

_FEW = 20
_PIECE = 100


def read_by_id(
    dataset_id: str, ids: Sequence[SampleId], steps: Sequence[Bson] = (), *, size: int
) -> Iterator[list[bytes | None]]:
    """Read documents in the order of `ids`, in chunks.

    Args:
        dataset_id: the dataset.
        ids: the samples.
        steps: what is done to each of their documents, which must keep its id.
        size: how many are read at once.

    Yields:
        The documents of some more samples; None for a sample that is gone, or that the steps leave out.
    """
    do_sweep = True
    for start in range(0, len(ids), size):
        wanted = np.frombuffer(bytes.fromhex("".join(ids[start : start + size])), dtype=np.uint8).reshape(-1, 12)
        keys = wanted.view("S12").ravel()
        found: list[bytes | None] = [None] * len(wanted)
        if do_sweep and len(wanted) >= _FEW and (keys[:-1] < keys[1:]).all():
            found = _swept(dataset_id, wanted, steps)
            do_sweep = 2 * found.count(None) < len(found)
        missing = [row for row, document in enumerate(found) if document is None]
        if missing:
            each = _asked(dataset_id, wanted[missing], steps)
            for row in missing:
                found[row] = each.get(wanted[row].tobytes())
        yield found


def decoded(chunks: Iterator[list[bytes | None]]) -> Iterator[Bson]:
    """The documents of `read_by_id` as Python has them; those that are gone are left out."""
    for chunk in chunks:
        documents = [document for document in chunk if document is not None]
        for start in range(0, len(documents), _PIECE):  # few live at once, which spares the collector of garbage work
            yield from bson.decode_all(b"".join(documents[start : start + _PIECE]), OPTIONS)


def _swept(dataset_id: str, wanted: Array, steps: Sequence[Bson]) -> list[bytes | None]:
    """Read all from the first wanted id to the last one, but not many more than are wanted."""
    between = {"$gte": ObjectId(wanted[0].tobytes()), "$lte": ObjectId(wanted[-1].tobytes())}
    bound: list[Bson] = [{"$match": {"_id": between}}, {"$sort": {"_id": 1}}, {"$limit": 2 * len(wanted)}]
    name = samples_name(dataset_id)
    batch = answer(name, aggregation(name, [*bound, *steps]))
    starts = starts_of(batch)
    ids = ids_of(batch, starts)
    if len(ids) == len(wanted) and (ids == wanted).all():
        return [batch[begin:end] for begin, end in pairwise(starts)]
    return _in_order(batch, wanted)


def _asked(dataset_id: str, wanted: Array, steps: Sequence[Bson]) -> dict[bytes, bytes]:
    chosen = {"_id": {"$in": [ObjectId(key.tobytes()) for key in wanted]}}
    name = samples_name(dataset_id)
    return _by_key(answer(name, aggregation(name, [{"$match": chosen}, *steps])))


def _in_order(batch: bytes, wanted: Array) -> list[bytes | None]:
    by_key = _by_key(batch)
    return [by_key.get(key.tobytes()) for key in wanted]


def _by_key(batch: bytes) -> dict[bytes, bytes]:
    starts = starts_of(batch)
    keys = ids_of(batch, starts).tobytes()
    return {keys[12 * row : 12 * row + 12]: batch[starts[row] : starts[row + 1]] for row in range(len(starts) - 1)}
