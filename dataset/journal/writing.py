"""A bulk write as its writer sees it: claim, declare, store the images, write, close; or undo."""

import getpass
import os
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

from ..errors import (
    ActionLostError,
    ConnectionFailedError,
    DatasetNotFoundError,
    FieldKindError,
    SaccadeError,
    StoreError,
)
from ..schema import Field
from ..store import actions, catalog, field_records, images, samples, vectors, writes
from ..store.liveness import announce, give_up
from ..types import Bson, SampleId
from . import running
from .declaring import Declaring
from .recovery import undo_own, wait_for

_WRITE_CHUNK = 10_000

current_run: ContextVar[str | None] = ContextVar("saccade_run", default=None)
"""Key of the run that is being recorded; actions note it."""


class Action(Declaring):
    """A bulk write in progress. Made by `action(...)`; its methods write, and each can be called several times."""

    def __init__(self, dataset_id: str, verb: str, fields: Sequence[str] | None, *, undoes: int | None = None) -> None:
        """Begin without a number; `fields` are the top-level fields to claim, None for whole samples."""
        super().__init__(dataset_id)
        self.samples = 0
        self._verb = verb
        self._fields = None if fields is None else sorted(fields)
        self._process = os.getpid()
        self._undoes = {} if undoes is None else {"undoes": undoes}
        self._has_ended = False
        self._part = 0
        self._bytes = 0

    def set(self, ids: Sequence[SampleId], columns: Mapping[str, Sequence[Any]]) -> None:
        """Write stored values at dotted paths (which do not cross lists); `ABSENT` removes the value.

        Samples that are gone are passed over: an action never inserts. Where a path leads through null, a document
        takes its place.
        """
        self._make_way(ids, columns)
        self._check(list(columns))
        sizes = images.add_images(self._hold, self._part, ids, columns)
        self._part += len(sizes)
        self._bytes += sum(sizes)
        writes.set_values(self._hold, ids, columns)
        self.samples = max(self.samples, len(ids))

    def transform(
        self,
        ids: Sequence[SampleId],
        paths: Sequence[str],
        change: Callable[[int, list[Mapping[str, Any] | None]], Mapping[str, Sequence[Any]]],
    ) -> None:
        """Write values that depend on what is there.

        Args:
            ids: the samples.
            paths: what will be written.
            change: gets the position in `ids` and the current documents (None where a sample is gone), and returns the
                new values for each path. It is called for all samples before anything is written.
        """
        self._check(paths)
        pending: list[tuple[list[SampleId], dict[str, list[Any]]]] = []  # runs of samples with the same paths
        position = 0
        for old in actions.read_raw(self.dataset_id, ids, paths):
            chunk = list(ids[position : position + len(old)])
            columns = {path: list(values) for path, values in change(position, list(old)).items()}
            assert columns.keys() <= set(paths), "only what was read can be put back"
            self._image_set(chunk, old, columns)
            if pending and pending[-1][1].keys() == columns.keys():
                pending[-1][0].extend(chunk)
                for path, values in columns.items():
                    pending[-1][1][path].extend(values)
            else:
                pending.append((chunk, columns))
            position += len(old)
        for some, columns in pending:
            writes.set_values(self._hold, some, columns)
        self.samples = max(self.samples, len(ids))

    def tag(self, ids: Sequence[SampleId], tag: str) -> None:
        """Add a tag to the samples that lack it."""
        self._change_tag(ids, tag, add=True)

    def untag(self, ids: Sequence[SampleId], tag: str) -> None:
        """Remove a tag from the samples that have it."""
        self._change_tag(ids, tag, add=False)

    def delete(self, ids: Sequence[SampleId]) -> None:
        """Delete samples; the claim must be on whole samples."""
        if self._fields is not None:
            raise StoreError("this action claims fields, not whole samples, and so cannot delete.")
        for chunk in actions.read_raw(self.dataset_id, ids, None):
            batch: list[Any] = []
            size = 0
            for document in chunk:
                if document is not None:
                    batch.append(document)
                    size += len(document.raw)
                if size >= images.PART_BYTES:
                    self._image({"op": "delete", "old": batch})
                    batch, size = [], 0
            if batch:
                self._image({"op": "delete", "old": batch})
        for start in range(0, len(ids), _WRITE_CHUNK):
            actions.delete(self._hold, ids[start : start + _WRITE_CHUNK])
        self.samples = max(self.samples, len(ids))

    def insert(self, documents: Sequence[Mapping[str, Any]]) -> list[SampleId]:
        """Let whole samples be there again, as images hold them; gives the ids of those that are there and so stay.

        Raises:
            StoreError: if a unique index refuses one.
        """
        if self._fields is not None:
            raise StoreError("this action claims fields, not whole samples, and so cannot insert.")
        ids = [str(document["_id"]) for document in documents]
        there = samples.existing(self.dataset_id, ids)
        new: list[Any] = [document for one, document in zip(ids, documents, strict=True) if one not in there]
        packed = actions.pack_ids([one for one in ids if one not in there])
        self._image({"op": "insert", "ids": packed, "new": actions.hash_values(new)})
        refused = images.insert_documents(self._hold, new)
        if refused:
            raise StoreError(f"the database refused a sample: {refused[0].get('errmsg')}")
        return sorted(there)

    def insert_vectors(self, keys: Sequence[bytes], matrix: Any) -> None:
        """Store vectors under this action's number; write their markers afterwards with `set`."""
        vectors.insert_vectors(self.dataset_id, keys, matrix, self._guard)

    def delete_vectors(self, keys: Sequence[bytes]) -> None:
        """Delete vectors that nothing names; not rolled back, since nothing could show them."""
        vectors.delete_vectors(self.dataset_id, keys, self._guard)

    def _make_way(self, ids: Sequence[SampleId], paths: Mapping[str, Any]) -> None:
        keys = [path.split(".") for path in paths]
        prefixes = {".".join(parts[:depth]) for parts in keys for depth in range(1, len(parts))}
        for prefix in sorted(prefixes, key=len):
            blocking = actions.with_null(self.dataset_id, ids, prefix)
            if blocking:
                self.set(blocking, {prefix: [{}] * len(blocking)})

    def _change_tag(self, ids: Sequence[SampleId], tag: str, *, add: bool) -> None:
        self._check(["tags"])
        changing: list[tuple[SampleId, Any]] = []
        without: list[SampleId] = []
        position = 0
        for old in actions.read_raw(self.dataset_id, ids, ["tags"]):
            for sample_id, document in zip(ids[position : position + len(old)], old, strict=True):
                if document is None or (tag in (document.get("tags") or [])) == add:
                    continue
                if document.get("tags") is None:
                    without.append(sample_id)
                else:
                    changing.append((sample_id, document))
            position += len(old)
        for start in range(0, len(changing), _WRITE_CHUNK):
            part = changing[start : start + _WRITE_CHUNK]
            content: Bson = {"tag": tag, "ids": actions.pack_ids([sample_id for sample_id, _ in part])}
            # A tag that was added can be taken away; one that was removed had its place among the others.
            self._image({"op": "tag", **content} if add else {"op": "untag", **content, "old": [d for _, d in part]})
        for start in range(0, len(changing), _WRITE_CHUNK):
            part = changing[start : start + _WRITE_CHUNK]
            actions.change_tag(self._hold, [sample_id for sample_id, _ in part], tag, add=add)
        if without:
            self.set(without, {"tags": [[tag]] * len(without)})
        self.samples = max(self.samples, len(changing) + len(without))

    def _image_set(self, ids: Sequence[SampleId], old: Sequence[Any], columns: Mapping[str, Sequence[Any]]) -> None:
        start, size = 0, 0
        for row, document in enumerate(old):
            size += len(document.raw) if document is not None else 16
            if size >= images.PART_BYTES or row == len(old) - 1:
                part = slice(start, row + 1)
                self._image({
                    "op": "set",
                    "ids": actions.pack_ids(ids[part]),
                    "paths": list(columns),
                    "old": list(old[part]),
                    "new": [actions.hash_values(values[part]) for values in columns.values()],
                })  # fmt: skip
                start, size = row + 1, 0

    def _image(self, content: Bson) -> None:
        self._bytes += images.add_image(self._hold, self._part, content)
        self._part += 1

    def _check(self, paths: Sequence[str]) -> None:
        for path in paths:
            if self._fields is not None and path.split(".")[0] not in self._fields:
                raise StoreError(f"this action did not claim {path!r}; it claimed {', '.join(self._fields)}.")
            if any(other != path and other.startswith(path + ".") for other in paths):
                raise FieldKindError(f"{path!r} cannot be written together with a path inside it.")

    # --- the protocol -----------------------------------------------------------------------------------------------

    @property
    def _hold(self) -> actions.Hold:
        return actions.Hold(self.dataset_id, self.number, self._guard)

    def _claim(self) -> None:
        """Open under a number of its own, after whoever holds a claim."""
        announce()
        while not self._open():
            wait_for(self.dataset_id, self._fields)

    def _open(self) -> bool:
        self.number = actions.next_number(self.dataset_id)
        running.begin(self.dataset_id, self.number)  # before others see it, or another thread would think it dead
        record = {"verb": self._verb, "fields": self._fields, "run": current_run.get(), "who": _who(), **self._undoes}
        is_open = actions.open_action(self.dataset_id, self.number, record, actions.claims_of(self._fields))
        if is_open and actions.last_number(self.dataset_id) < self.number + actions.WINDOW:
            return True
        if is_open:  # so late that readers would not see it
            actions.end_action(self.dataset_id, self.number, {"live": True}, state="withdrawn")
        running.end(self.dataset_id, self.number)
        self.number = 0
        return is_open and self._open()

    def _guard(self, broken: bool) -> None:  # noqa: FBT001  # the form of a guard
        """Go on only while the action is open; opened again if somebody looks whether its writer is there."""
        if broken:
            actions.settle(self.dataset_id, self.number)
        while True:
            record = actions.read_action(self.dataset_id, self.number)
            if record is None:
                raise DatasetNotFoundError("this dataset was deleted while it was being written to.")
            if record["state"] == "open":
                return
            if record["state"] != "recovering":
                raise ActionLostError(
                    f"{self._verb} was taken for dead, since its connection was lost for long, and undone by another "
                    "process. Nothing of it remains; do it again."
                )
            looked_for = {"state": "recovering", "recoverer": record["recoverer"]}
            actions.change_state(self.dataset_id, self.number, looked_for, state="open", recoverer=None)

    def _note(self, **changes: Any) -> None:
        while not actions.change_state(self.dataset_id, self.number, {"state": "open"}, **changes):
            self._guard(broken=False)

    def _close(self) -> None:
        if self._fields is not None:
            field_records.stamp_fields(self.dataset_id, self._fields, action=self.number)
        summary = {"bytes": self._bytes, "samples": self.samples}
        while not actions.end_action(self.dataset_id, self.number, {"state": "open"}, state="closed", **summary):
            self._guard(broken=False)
        self._has_ended = True
        catalog.touch(self.dataset_id)

    def _undo(self, error: BaseException) -> None:
        """Roll back after an exception; what cannot be done now is done by whoever comes next."""
        if self._has_ended or not self.number or os.getpid() != self._process:
            return
        try:
            if not isinstance(error, Exception) or isinstance(error, ConnectionFailedError):
                actions.settle(self.dataset_id, self.number)
            undo_own(self.dataset_id, self.number)
            self._has_ended = True
        except SaccadeError as failure:
            error.add_note(f"What was half done could not be undone now ({failure}); the next use of the dataset does.")

    def _leave(self) -> None:
        if self.number and os.getpid() == self._process:
            if not self._has_ended:
                give_up(f"{self.dataset_id}/{self.number}")
            running.end(self.dataset_id, self.number)


@contextmanager
def action(
    dataset_id: str,
    verb: str,
    fields: Sequence[str] | None,
    *,
    declare: Mapping[str, Field] | None = None,
    remove: Sequence[str] = (),
    undoes: int | None = None,
) -> Iterator[Action]:
    """Run a bulk write: all of it happens, or none.

    Args:
        dataset_id: the dataset.
        verb: what the history shows, such as "set_values".
        fields: top-level fields that are claimed; None claims whole samples.
        declare: fields to create or widen in the schema.
        remove: fields to take out of the schema, after the writes.
        undoes: the number of the action that this one undoes.

    Raises:
        ActionLostError: if the writer was taken for dead and undone.
        FieldKindError: if a field to declare exists with another kind.
    """
    from .retention import trim_now_and_then

    work = Action(dataset_id, verb, fields, undoes=undoes)
    try:
        work._claim()
        if declare:
            work.declare(declare)
        yield work
        if remove:
            work._remove(remove)
        work._close()
    except BaseException as error:
        work._undo(error)
        raise
    finally:
        work._leave()
    trim_now_and_then(dataset_id, work.number)


@contextmanager
def unclaimed(dataset_id: str, verb: str) -> Iterator[Action]:
    """An action that claims nothing: it gives new samples a number for their vectors, and keeps the sweep off them."""
    work = Action(dataset_id, verb, [])
    try:
        work._claim()
        yield work
    finally:
        # If it cannot be closed now, it stays open, which harms nobody but the sweep.
        with suppress(SaccadeError):
            if work.number:
                work._has_ended = actions.end_action(dataset_id, work.number, {"live": True}, state="closed")
        work._leave()


def _who() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return f"{user}@{socket.gethostname()} (process {os.getpid()})"
