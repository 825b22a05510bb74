"""Putting back what a closed action overwrote, as writes of another action.

Values are told by their hashes: what still is as it was written gets its old value back, and what was changed since is
left alone and named.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ..errors import StoreError, UndoError
from ..schema import field_from_dict
from ..store import actions, images
from ..store.actions import ABSENT
from ..types import Bson, SampleId
from .undone_fields import UndoneFields, refuse
from .writing import Action

WHOLE = "id"
"""Stands among the fields of conflicts for a sample as a whole."""


@dataclass
class Outcome:
    """What an undo came to."""

    number: int = 0
    undone: Bson = field(default_factory=dict)
    restored: set[SampleId] = field(default_factory=set)
    conflicts: dict[str, dict[SampleId, None]] = field(default_factory=dict)
    missing: dict[SampleId, None] = field(default_factory=dict)


class Restoring:
    """The undoing of one action."""

    def __init__(self, work: Action, record: Bson, asked: Bson, undone: Mapping[int, int]) -> None:
        """Begin with nothing put back; for the arguments see `UndoneFields`."""
        self._work = work
        self._record = record
        self._asked = asked
        self._id = work.dataset_id
        self._outcome = Outcome(work.number, asked)
        self._fields = UndoneFields(work, record, asked, undone)

    def run(self) -> Outcome:
        """Put everything back.

        Raises:
            UndoError: if that cannot be; the action must then be rolled back.
        """
        record, work = self._record, self._work
        self._fields.restore(record.get("removed") or [])
        for noted in record.get("narrowed") or []:
            work.declare({noted["path"]: field_from_dict(noted["old"])})
        undo = {
            "set": self._set, "tag": self._tag, "untag": self._untag, "delete": self._insert, "insert": self._delete,
        }  # fmt: skip
        size = 0
        for part in images.read_images(self._id, record["number"], newest_first=True):
            size += images.size_of(part)
            undo[part["op"]](part)
        if size != record["bytes"]:
            refuse(self._asked, "what it overwrote is being dropped just now, since it is old")
        for noted in reversed(record.get("models") or []):
            work.set_model(noted["path"], noted["old"] or {}, noted["new"])
        for noted in record.get("widened") or []:
            work.narrow(noted["path"], field_from_dict(noted["old"]), field_from_dict(noted["new"]))
        work.remove_unused([path for path in record.get("created") or [] if path not in self._fields.removed_since])
        if record.get("dropped_run"):
            work.restore_run(record["dropped_run"])
        if record.get("restored_run"):
            work.drop_run(record["restored_run"])
        return self._outcome

    # --- values -----------------------------------------------------------------------------------------------------

    def _set(self, part: Mapping[str, Any]) -> None:
        """Put back values, last written first, so that under a unique index each finds its old one free again."""
        paths = list(part["paths"])
        ids = actions.unpack_ids(part["ids"])[::-1]
        old = list(part["old"])[::-1]
        hashes = {path: _reversed(packed) for path, packed in zip(paths, part["new"], strict=True)}
        around = {actions.absent_prefix(row, path) for row in old if row is not None for path in paths if "." in path}
        start = 0
        for now in actions.read_raw(self._id, ids, [*paths, *around]):
            stop = start + len(now)
            columns = {path: [actions.value_at(document, path) for document in now] for path in paths}
            found = {path: actions.hash_values(values) for path, values in columns.items()}
            groups: dict[tuple[str, ...], tuple[list[SampleId], list[list[Any]]]] = {}
            for row, document in enumerate(now):
                at, expected = 8 * row, 8 * (start + row)
                same = [p for p in paths if found[p][at : at + 8] == hashes[p][expected : expected + 8]]
                changes = self._changes(ids[start + row], document, old[start + row], paths, same)
                if changes:
                    some, rows = groups.setdefault(tuple(changes), ([], []))
                    some.append(ids[start + row])
                    rows.append(list(changes.values()))
            for targets, (some, rows) in groups.items():
                self._write(some, dict(zip(targets, map(list, zip(*rows, strict=True)), strict=True)))
            start = stop

    def _changes(
        self, sample_id: SampleId, now: Any, old: Any, paths: Sequence[str], same: Sequence[str]
    ) -> dict[str, Any]:
        """What to write on one sample: its old values at those paths that hold what the action wrote."""
        if old is None:
            return {}  # it was gone already
        if now is None:
            self._outcome.missing[sample_id] = None
            return {}
        changes: dict[str, Any] = {}
        absent = []
        for path in paths:
            before, parent = actions.value_at(old, path), path.rpartition(".")[0]
            if path not in same:
                if actions.hash_value(actions.value_at(now, path)) != actions.hash_value(before):
                    self._conflict(path, sample_id)
            elif sample_id in self._outcome.conflicts.get(path, ()):
                continue
            elif before is ABSENT:
                absent.append(path)
            elif parent and not isinstance(actions.value_at(now, parent), Mapping):
                self._conflict(path, sample_id)
            else:
                changes[path] = before
        for path in absent:
            changes[_emptied(now, path, actions.absent_prefix(old, path), absent)] = ABSENT
        return changes

    def _write(self, ids: Sequence[SampleId], columns: Mapping[str, Sequence[Any]]) -> None:
        for path, values in columns.items():
            for sample_id, value in zip(ids, values, strict=True):
                if value is not ABSENT:
                    self._fields.require(path)
                    self._fields.check_length(path, sample_id, value)
                    break
        with self._admitted():
            self._work.set(ids, columns)
        self._outcome.restored.update(ids)

    # --- tags -------------------------------------------------------------------------------------------------------

    def _tags(self, ids: Sequence[SampleId]) -> dict[SampleId, Any]:
        """The tags of those samples that are there; the others are noted as missing."""
        found: dict[SampleId, Any] = {}
        start = 0
        for documents in actions.read_raw(self._id, ids, ["tags"]):
            for sample_id, document in zip(ids[start : start + len(documents)], documents, strict=True):
                if document is None:
                    self._outcome.missing[sample_id] = None
                else:
                    found[sample_id] = document.get("tags")
            start += len(documents)
        return found

    def _tag(self, part: Mapping[str, Any]) -> None:
        """Take a tag away from those that got it and still have it."""
        tag = part["tag"]
        having = [one for one, tags in self._tags(actions.unpack_ids(part["ids"])).items() if tag in (tags or [])]
        self._work.untag(having, tag)
        self._outcome.restored.update(having)

    def _untag(self, part: Mapping[str, Any]) -> None:
        """Give a tag back: in its place where the other tags are as they were, else after them."""
        tag, ids = part["tag"], actions.unpack_ids(part["ids"])
        old = dict(zip(ids, part["old"], strict=True))
        placed: dict[SampleId, list[Any]] = {}
        added = []
        for sample_id, tags in self._tags(ids).items():
            before = list(old[sample_id]["tags"])
            if not isinstance(tags, list):
                self._conflict("tags", sample_id)
            elif tag in tags:
                continue
            elif before != [*tags, tag] and [other for other in before if other != tag] == tags:
                placed[sample_id] = before
            else:
                added.append(sample_id)
        if placed:
            self._write(list(placed), {"tags": list(placed.values())})
        self._work.tag(added, tag)
        self._outcome.restored.update(added)

    # --- samples ----------------------------------------------------------------------------------------------------

    def _insert(self, part: Mapping[str, Any]) -> None:
        """Let deleted samples be there again."""
        documents = list(part["old"])
        for document in documents:
            for name, value in document.items():
                self._fields.require(name)
                self._fields.check_length(name, str(document["_id"]), value)
        with self._admitted():
            there = dict.fromkeys(self._work.insert(documents))
        for sample_id in there:
            self._conflict(WHOLE, sample_id)
        self._outcome.restored.update(
            str(document["_id"]) for document in documents if str(document["_id"]) not in there
        )

    def _delete(self, part: Mapping[str, Any]) -> None:
        """Delete samples again that are as they were put back."""
        ids = actions.unpack_ids(part["ids"])
        gone: list[SampleId] = []
        start = 0
        for documents in actions.read_raw(self._id, ids, None):
            for row, document in enumerate(documents, start):
                if document is None:
                    continue
                if actions.hash_value(document) == bytes(part["new"])[8 * row : 8 * row + 8]:
                    gone.append(ids[row])
                else:
                    self._conflict(WHOLE, ids[row])
            start += len(documents)
        self._work.delete(gone)
        self._outcome.restored.update(gone)

    @contextmanager
    def _admitted(self) -> Iterator[None]:
        """Say more clearly that a unique index refuses an old value."""
        try:
            yield
        except StoreError as error:
            if "E11000" not in str(error):
                raise
            raise UndoError(
                f"action {self._asked['number']}, {self._asked['verb']}, cannot be undone: a unique index does not "
                f"admit an old value, which another sample has by now; change that one, or drop_index(). {error}"
            ) from error

    def _conflict(self, path: str, sample_id: SampleId) -> None:
        self._outcome.conflicts.setdefault(path, {})[sample_id] = None


def _reversed(packed: bytes) -> bytes:
    return b"".join(packed[at : at + 8] for at in range(len(packed) - 8, -1, -8))


def _emptied(document: Mapping[str, Any], path: str, shortest: str, absent: Sequence[str]) -> str:
    """The path to unset so that a value goes, and with it the documents around it that its write brought into being.

    Args:
        document: the sample.
        path: the path of the value.
        shortest: no more than this may go.
        absent: all the paths whose values go.
    """
    while len(path) > len(shortest):
        parent = path.rpartition(".")[0]
        if _holds_more(actions.value_at(document, parent), parent, absent):
            break
        path = parent
    return path


def _holds_more(value: Any, path: str, absent: Sequence[str]) -> bool:
    """Whether a value at a path holds anything but what lies at `absent` paths."""
    if path in absent or not isinstance(value, Mapping):
        return path not in absent
    return not value or any(_holds_more(value[key], f"{path}.{key}", absent) for key in value)
