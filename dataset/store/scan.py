"""Something of every sample, as columns: the fast way to read fields of a whole dataset."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..types import Bson, SampleId
from . import counting
from .answers import aggregation, answer, answers
from .listed import Listed, read_lists
from .raw import ID_END, NO_IDS, Array, Read, ids_of, read_arrays, read_documents, starts_of
from .samples import samples_name

_BATCH, _LISTED_BATCH = 5_000, 1_000
"""Documents in an answer, so few that there is one to read while the next is made."""

_LARGEST_ANSWER = 14_000_000


class Columns(NamedTuple):
    """Values of samples, one list for each thing that was asked for; arrays of float32 are arrays already.

    Attributes:
        ids: (n, 12) uint8, the ids of the samples; (0, 12) if they were not asked for.
        values: for each thing asked for, n values as they are stored, None where missing.
    """

    ids: Array
    values: list[list[Any]]

    def sample_ids(self) -> list[SampleId]:
        """The ids as text."""
        digits = self.ids.tobytes().hex()
        return [digits[start : start + 24] for start in range(0, len(digits), 24)]


def read_columns(
    dataset_id: str,
    pipeline: Sequence[Bson],
    codes: Sequence[Any],
    *,
    by_id: bool = False,
    with_ids: bool = True,
    are_numbers: bool = False,
) -> Columns:
    """Read something of each document that a pipeline gives.

    Args:
        dataset_id: the dataset.
        pipeline: steps that give samples.
        codes: what to read: paths with "$", other expressions of the server, or `Listed`.
        by_id: put the samples in the order of their ids here, which is faster than having the server do it.
        with_ids: whether the ids are wanted.
        are_numbers: whether the codes give numbers and nothing else, which allows a faster way.

    Raises:
        ViewError: if the pipeline gives what are no samples.
    """
    has_ids = by_id or with_ids
    found = _gathered(dataset_id, pipeline, codes, has_ids=has_ids) if are_numbers and codes else None
    ids, columns = found or _streamed(dataset_id, pipeline, codes, has_ids=has_ids)
    if by_id:
        keys = ids.view("S12").ravel()
        if not (keys[:-1] < keys[1:]).all():
            order = np.argsort(keys, kind="stable")
            ids = ids[order]
            columns = [[column[row] for row in order.tolist()] for column in columns]
    return Columns(ids, columns)


def _streamed(dataset_id: str, pipeline: Sequence[Bson], codes: Sequence[Any], *, has_ids: bool) -> Read:
    name = samples_name(dataset_id)
    if len(codes) == 1 and isinstance(codes[0], Listed):
        return _listed(name, pipeline, codes[0], has_ids=has_ids)
    plain = [code.code() if isinstance(code, Listed) else code for code in codes]
    shown = {"_id": int(has_ids), **{f"v{position}": code for position, code in enumerate(plain)}}
    parts: list[Array] = []
    columns: list[list[Any]] = [[] for _ in codes]
    for batch in answers(name, aggregation(name, [*pipeline, {"$project": shown}]), batch=_BATCH):
        if not batch:
            continue
        ids, found = read_documents(batch, len(codes), has_ids=has_ids)
        parts.append(ids)
        for column, values in zip(columns, found, strict=True):
            column.extend(values)
    return np.concatenate(parts) if parts else NO_IDS, columns


def _listed(name: str, pipeline: Sequence[Bson], code: Listed, *, has_ids: bool) -> Read:
    shown = {"$project": {"_id": int(has_ids), **code.shown()}}
    parts: list[Array] = []
    column: list[Any] = []
    for batch in answers(name, aggregation(name, [*pipeline, shown]), batch=_LISTED_BATCH):
        starts = starts_of(batch)
        if has_ids:
            parts.append(ids_of(batch, starts))
        column += read_lists(batch, starts, code, before=ID_END if has_ids else 4)
    return np.concatenate(parts) if parts else NO_IDS, [column]


def _gathered(dataset_id: str, pipeline: Sequence[Bson], codes: Sequence[Any], *, has_ids: bool) -> Read | None:
    """Read numbers as arrays of one document, in half the time; None if they may not fit into one."""
    name = samples_name(dataset_id)
    room = _LARGEST_ANSWER // (20 * has_ids + 16 * len(codes))
    held = counting.count(name)
    if held > room:
        return None
    pushed = {f"v{position}": {"$push": {"$ifNull": [code, None]}} for position, code in enumerate(codes)}
    group = {"$group": {"_id": None, **({"ids": {"$push": "$_id"}} if has_ids else {}), **pushed}}
    # An answer that does not fit into a document would cost the connection. A limit takes a fifth of the time, so it
    # is there only where others could add as much as is missing before the answer is complete.
    limit: list[Bson] = [{"$limit": room}] if 2 * held > room else []
    document = answer(name, aggregation(name, [*pipeline, *limit, group]))
    if not document:
        return NO_IDS, [[] for _ in codes]
    ids, columns = read_arrays(document, len(codes), has_ids=has_ids)
    return None if len(columns[0]) == room else (ids, columns)
