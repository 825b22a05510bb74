"""Vectors of samples that are written: collected, numbered, and stored before the samples that name them."""

from contextlib import ExitStack

from . import journal
from .columns import claim_model
from .errors import FieldKindError
from .store import field_records, vectors
from .types import FloatArray


class NumberedVectors:
    """Collects the vectors of samples, those of each path under an action number of their own.

    A vector's key does not tell its path, so two paths of a sample must not share a number.
    """

    def __init__(self, dataset_id: str, stack: ExitStack, verb: str) -> None:
        """Begin; the actions that take the numbers end with `stack`."""
        self._dataset_id = dataset_id
        self._stack = stack
        self._verb = verb
        self._by_path: dict[str, tuple[journal.Action, list[bytes], list[FloatArray]]] = {}
        self.sample_id = ""

    def put(self, path: str, label_id: str | None, vector: FloatArray) -> int:
        """Collect one vector and give its marker."""
        if path not in self._by_path:
            begun = self._stack.enter_context(journal.unclaimed(self._dataset_id, self._verb))
            self._by_path[path] = (begun, [], [])
        action, keys, rows = self._by_path[path]
        if rows and len(rows[0]) != len(vector):
            raise FieldKindError(
                f"field {path!r} was given vectors of {len(rows[0])} and of {len(vector)} numbers. "
                "All must have the same length."
            )
        keys.append(vectors.vector_key(action.number, self.sample_id, label_id))
        rows.append(vector)
        return vectors.marker(action.number)

    @property
    def has_any(self) -> bool:
        """Whether a vector was collected."""
        return bool(self._by_path)

    def store(self) -> None:
        """Store what was collected."""
        for path, (action, keys, rows) in self._by_path.items():
            self._set_length(path, len(rows[0]), action.number)
            action.insert_vectors(keys, rows)

    def _set_length(self, path: str, length: int, number: int) -> None:
        """Note the length of a field's first vectors; nothing undoes it: it binds only while there are vectors."""
        while True:
            known = claim_model(self._dataset_id, path, length, None, None)
            if known.get("dimension") == length:
                return
            if field_records.change_model(self._dataset_id, path, known, {"dimension": length, "by": number}):
                return
