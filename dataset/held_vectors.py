"""Vectors of a sample in hand: read in one go, and known again by their markers when the sample is saved."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from xxhash import xxh3_128_digest

from .labels import Document, Label
from .schema import EmbeddedDocumentField, ListField, Schema, VectorField
from .store import codec, vectors
from .types import FloatArray, SampleId

Place: TypeAlias = tuple[int, str | None]
"""A marker, and the id of the label it lies in."""

Known: TypeAlias = dict[tuple[str, str | None], tuple[int, bytes]]
"""The marker and the hash of the vector that is stored at a path, by the path and the id of the label."""


def vector_paths(schema: Schema, name: str) -> list[str]:
    """The paths of the vector fields at or below a top-level field."""
    field = schema.get(name)
    if isinstance(field, VectorField):
        return [name]
    if not isinstance(field, EmbeddedDocumentField | ListField):
        return []  # nothing with attributes
    below = (path for path in schema.paths() if path == name or path.startswith(name + "."))
    return [path for path in below if isinstance(schema.get(path), VectorField)]


def fetch(dataset_id: str, sample_id: SampleId, stored: Any, paths: Sequence[str]) -> "HeldVectors":
    """Read the vectors at some paths of one field's stored value.

    They are read-only, so that a change is seen: it has to be set as a new array.
    """
    (held,) = fetch_many(dataset_id, [(sample_id, stored, paths)])
    return held


def fetch_many(dataset_id: str, wanted: Sequence[tuple[SampleId, Any, Sequence[str]]]) -> "list[HeldVectors]":
    """Read the vectors of several fields' stored values in one go; see `fetch`."""
    placed: list[tuple[dict[str, list[Place]], dict[Place, bytes]]] = []
    for sample_id, stored, paths in wanted:
        places = {path: list(_places(stored, path.split(".")[1:], None)) for path in paths}
        keys = {place: vectors.vector_key(place[0], sample_id, place[1]) for held in places.values() for place in held}
        placed.append((places, keys))
    found = vectors.fetch_vectors(dataset_id, [key for _, keys in placed for key in keys.values()])
    for vector in found.values():
        vector.flags.writeable = False
    return [
        HeldVectors(places, {place: found[key] for place, key in keys.items() if key in found})
        for places, keys in placed
    ]


def stored_keys(document: Mapping[str, Any], paths: Iterable[str]) -> list[bytes]:
    """The keys of all vectors at some paths of a stored sample."""
    sample_id, keys = str(document["_id"]), []
    for path in paths:
        top, *below = path.split(".")
        places = _places(document.get(top), below, None)
        keys += [vectors.vector_key(marker, sample_id, label_id) for marker, label_id in places]
    return keys


class HeldVectors:
    """The vectors of one field of one sample."""

    def __init__(self, places: Mapping[str, Sequence[Place]], found: Mapping[Place, FloatArray]) -> None:
        """Hold what was read."""
        self._places = places
        self._found = found

    def known(self) -> Known:
        """What is stored at each place."""
        return {
            (path, label_id): (marker, _hash(self._found[marker, label_id]))
            for path, places in self._places.items()
            for marker, label_id in places
            if (marker, label_id) in self._found
        }

    def placed(self, name: str, stored: Any) -> Any:
        """The field's value with the vectors in their places."""
        if name in self._places:
            return self._found.get((int(stored), None))
        value = codec.decode(stored)
        for path in self._places:
            self._resolve(value, path.split(".")[1:])
        return value

    def _resolve(self, value: Any, keys: Sequence[str]) -> None:
        """Replace the markers at a path inside decoded labels by vectors."""
        if isinstance(value, list):
            for item in value:
                self._resolve(item, keys)
        elif isinstance(value, Document) and keys:
            held = value._attributes().get(keys[0])
            if len(keys) == 1 and isinstance(held, int) and isinstance(value, Label):
                value._attributes()[keys[0]] = self._found.get((held, value.id))
            elif held is not None:
                self._resolve(held, keys[1:])


class KeepingSink:
    """Gives vectors that are stored at their places already the old markers, and hands new ones on."""

    def __init__(self, known: Known, sink: codec.VectorSink) -> None:
        """Know what is stored."""
        self._known = known
        self._sink = sink
        self.made: Known = {}

    def put(self, path: str, label_id: str | None, vector: FloatArray) -> int:
        """Find or make the marker of one vector."""
        content = _hash(vector)
        marker, stored = self._known.get((path, label_id), (0, b""))
        if content == stored:
            return vectors.marker(marker)
        made = self._sink.put(path, label_id, vector)
        self.made[path, label_id] = (made, content)
        return made


def _hash(vector: FloatArray) -> bytes:
    return xxh3_128_digest(np.ascontiguousarray(vector, dtype=np.float32).data)


def _places(stored: Any, keys: Sequence[str], label_id: str | None) -> Iterator[Place]:
    """Markers at a path inside a stored value, with the ids of their labels."""
    if isinstance(stored, list):
        for item in stored:
            yield from _places(item, keys, label_id)
    elif isinstance(stored, dict):
        if keys:
            yield from _places(stored.get(keys[0]), keys[1:], str(stored["_id"]) if "_id" in stored else label_id)
    elif isinstance(stored, int) and not keys:
        yield int(stored), label_id
