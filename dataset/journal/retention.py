"""How long the journal keeps images, and the sweep of vectors that nothing names any more."""

import logging
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from ..errors import SaccadeError
from ..store import actions, images, samples, vectors
from .writing import action

KEEP_DAYS = 7
KEEP_BYTES = 2_000_000_000
_TRIM_EVERY = 32

_log = logging.getLogger("saccade")


def trim_now_and_then(dataset_id: str, number: int) -> None:
    """Trim after every so many actions. What was written is there, even if that fails."""
    if number % _TRIM_EVERY == 0:
        try:
            trim(dataset_id)
        except SaccadeError as error:
            _log.warning("the journal could not be trimmed: %s", error)


def trim(dataset_id: str) -> None:
    """Drop images older than seven days, then the oldest beyond two gigabytes; then sweep vectors nothing names."""
    kept = actions.list_actions(dataset_id, {"live": False, "bytes": {"$gt": 0}})
    if not kept:
        return
    oldest = actions.server_time() - timedelta(days=KEEP_DAYS)
    total = sum(record["bytes"] for record in kept)
    dropped = False
    for record in kept:
        if total <= KEEP_BYTES and record["finished"] >= oldest:
            continue
        forget(dataset_id, record["number"])
        total -= record["bytes"]
        dropped = True
    if dropped:
        sweep(dataset_id)


def forget(dataset_id: str, number: int) -> None:
    """Drop what an ended action overwrote; it cannot be undone after that."""
    images.drop_images(dataset_id, number)
    actions.change_state(dataset_id, number, {"live": False}, bytes=0, is_forgotten=True)


def sweep(dataset_id: str) -> int:
    """Delete the vectors that neither a sample nor an image names; returns how many.

    It is an action on whole samples, so no marker can come or go meanwhile. Vectors of live actions (samples being
    added) are left alone.
    """
    stored = vectors.all_keys(dataset_id)
    if not stored:
        return 0
    with action(dataset_id, "sweep", None) as work:
        finished = {record["number"] for record in actions.list_actions(dataset_id, {"live": False})}
        named: set[bytes] = set()
        for document in samples.aggregate(dataset_id, []):
            sample_id = str(document["_id"])
            named.update(vectors.vector_key(*pair[:1], sample_id, pair[1]) for pair in _markers(document))
        for record in actions.list_actions(dataset_id, {"bytes": {"$gt": 0}}):
            for part in images.read_images(dataset_id, record["number"]):
                for old in part.get("old", []):
                    if old is not None:
                        sample_id = str(old["_id"])
                        named.update(vectors.vector_key(pair[0], sample_id, pair[1]) for pair in _markers(old))
        unnamed = [
            key for key in stored
            if bytes(key) not in named and int.from_bytes(key[:8], "big") in finished
        ]  # fmt: skip
        work.delete_vectors(unnamed)
    return len(unnamed)


def _markers(value: Any, label_id: str | None = None) -> Iterator[tuple[int, str | None]]:
    """Every integer in a document that may be a marker, with the id of its label; more than needed is safe."""
    if isinstance(value, Mapping):
        if "_cls" in value:
            label_id = str(value["_id"]) if "_id" in value else None
        for item in value.values():
            yield from _markers(item, label_id)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _markers(item, label_id)
    elif isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 62:
        yield value, label_id
