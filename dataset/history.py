"""What was done to a dataset in bulk, and undoing it. The protocol is `journal.undoing`."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, overload

from . import display, journal
from .collection import SampleCollection
from .errors import UndoError
from .store import actions
from .types import Bson, SampleId

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAMED = 3

_log = logging.getLogger("saccade")


@dataclass(frozen=True)
class HistoryEntry:
    """One bulk write.

    Attributes:
        number: its number in the dataset.
        verb: what was called, such as "set_values"; "undo" for an undo.
        who: user, host and process.
        started: when it began, in UTC.
        finished: when it ended, in UTC; None while it is under way.
        fields: the top-level fields that it was to write; None where it was about whole samples.
        samples: how many samples it was about.
        run: the key of the run that it belongs to, if to one.
        undoes: the number of the bulk write that it undid.
        undone_by: the number of the one that undid it.
        state: "done", "undone", "rolled back" or "under way".
        obstacle: why it cannot be undone; None if it can.
    """

    number: int
    verb: str
    who: str
    started: datetime
    finished: datetime | None
    fields: tuple[str, ...] | None
    samples: int
    run: str | None
    undoes: int | None
    undone_by: int | None
    state: str
    obstacle: str | None

    @property
    def can_be_undone(self) -> bool:
        """Whether `undo` takes it."""
        return self.obstacle is None

    def _cells(self) -> list[str]:
        state = self.state
        if self.undone_by is not None:
            state = f"undone by {self.undone_by}"
        elif self.state == "done" and self.obstacle is not None:
            state = f"done; cannot be undone: {self.obstacle}"
        verb = self.verb if self.undoes is None else f"undo of {self.undoes}"
        return [
            str(self.number), f"{self.started:%Y-%m-%d %H:%M:%S}", self.who,
            verb if self.run is None else f"{verb} (run {self.run})",
            "samples" if self.fields is None else ", ".join(self.fields), str(self.samples), state,
        ]  # fmt: skip


_COLUMNS = ("number", "started (UTC)", "who", "what", "fields", "samples", "state")


class History(Sequence[HistoryEntry]):
    """The bulk writes of a dataset, the newest first: a sequence of entries that shows itself as a table."""

    def __init__(self, name: str, entries: Sequence[HistoryEntry]) -> None:
        """Wrap the entries of the dataset called `name`."""
        self._name = name
        self._entries = tuple(entries)

    def __len__(self) -> int:
        return len(self._entries)

    @overload
    def __getitem__(self, index: int) -> HistoryEntry: ...
    @overload
    def __getitem__(self, index: slice) -> "History": ...
    def __getitem__(self, index: int | slice) -> "HistoryEntry | History":
        if isinstance(index, slice):
            return History(self._name, self._entries[index])
        return self._entries[index]

    def __eq__(self, other: object) -> bool:
        """Whether the same entries are in it, in the same order."""
        return list(self._entries) == list(other) if isinstance(other, History | list | tuple) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # like a list

    def __repr__(self) -> str:
        """A table, a line per bulk write."""
        return display.rows_text(f"History of {self._name}", _COLUMNS, [entry._cells() for entry in self._entries])

    def _repr_html_(self) -> str:
        return display.rows_html(self._name, "history of dataset", _COLUMNS, [entry._cells() for entry in self])


@dataclass(frozen=True, repr=False)
class Undone:
    """What an undo came to.

    Attributes:
        number: its own number, as a bulk write; `undo(number)` undoes it, which does again what was undone.
        undoes: the number of the bulk write that it undid.
        verb: what that one was.
        restored: how many samples got something back.
        conflicts: for each field the ids of the samples that were changed since, and so were left alone; under "id"
            those of whole samples that were changed or added again since.
        missing: the ids of samples that were deleted since.
    """

    number: int
    undoes: int
    verb: str
    restored: int
    conflicts: "Mapping[str, Sequence[SampleId]]"
    missing: Sequence[SampleId]

    def __repr__(self) -> str:
        """What was undone, and what was left."""
        head = f"Undone: action {self.undoes}, {self.verb}, by action {self.number}; {self.restored} samples restored"
        return "\n".join([head, *(f"    left: {line}" for line in self._left())])

    def _left(self) -> list[str]:
        lines = [f"{path!r} of {_some(ids)}, changed since" for path, ids in self.conflicts.items()]
        return [*lines, *([f"{_some(self.missing)}, deleted since"] if self.missing else [])]


def _some(ids: Sequence[SampleId]) -> str:
    more = ", …" if len(ids) > _NAMED else ""
    return f"{len(ids)} sample{'s' if len(ids) > 1 else ''} ({', '.join(ids[:_NAMED])}{more})"


class Undoing(SampleCollection):
    """The part of a dataset that shows its bulk writes, and undoes them."""

    _id: str

    def history(self, limit: int | None = 50) -> History:
        """The bulk writes of the dataset, of all processes, the newest first.

        These are the verbs that write fields, tags or labels of many samples, delete samples, or copy, rename, clear or
        delete fields. Single saves are not among them, nor are samples that are added.

        Args:
            limit: how many at most; None means all.

        Raises:
            UndoError: if `limit` is not positive.
        """
        if limit is not None and limit < 1:
            raise UndoError(f"history() was given limit={limit!r}. Give a number of 1 or more, or None for all.")
        self._root._current_schema()  # refuses a dataset that was deleted, or has a newer form by now
        undone, migration = actions.undoers(self._id), journal.last_migration(self._id)
        found = actions.list_actions(self._id, journal.SHOWN, newest=limit or 0)
        return History(self._root.name, [_entry(record, undone, migration) for record in found])

    def undo(self, number: int | HistoryEntry | Undone | None = None) -> Undone:
        """Undo a bulk write: give back what it overwrote, wherever nobody changed it since.

        It is a bulk write itself: it happens whole or not at all, and can be undone, by its own number, which does
        again what was undone. What it overwrote is kept for seven days, and two gigabytes of it at most.

        Values, tags and labels that were changed since are left as they are, and so are samples that were deleted
        since; the result names them. Fields that were deleted or renamed get their declaration back, and fields that
        were new are removed if no sample has a value. Deleted samples are there again under their ids.

        Each bulk write counts alone. `compute_embeddings` makes one every few seconds; `delete_run` takes them all
        away. The record of a run stays, and says "undone" when all it wrote is. After `merge_samples`, samples that
        were added stay.

        Args:
            number: which one, as `history` numbers it; an entry of the history, or the result of an undo. None means
                the last one that is not undone, undos themselves left out: so calling it again goes further back.

        Writes:
            The fields that the bulk write wrote, or the samples that it deleted, in one action.

        Raises:
            UndoError: if there is no such bulk write, it is still under way, was rolled back or is undone, it was
                `clear`, or what it overwrote is gone; if a field has another kind by now; or if a unique index does
                not admit an old value. Nothing is changed then.

        Example:
            ```python
            dataset.set_values("weather", ["sunny"] * len(dataset))
            undone = dataset.undo()
            dataset.undo(undone)  # sunny again
            ```
        """
        asked = number.number if isinstance(number, HistoryEntry | Undone) else number
        if not isinstance(asked, int | None) or isinstance(asked, bool):
            raise UndoError(f"undo() was given {asked!r}. Give a number or an entry of history(), or nothing.")
        self._root._current_schema()
        outcome = journal.undo(self._id, asked)
        undone = Undone(
            outcome.number, outcome.undone["number"], outcome.undone["verb"], len(outcome.restored),
            {path: sorted(ids) for path, ids in sorted(outcome.conflicts.items())}, sorted(outcome.missing),
        )  # fmt: skip
        left = undone._left()
        if left:
            _log.warning("undo of action %d, %s, left %s", undone.undoes, undone.verb, "; ".join(left))
        return undone


def _entry(record: Bson, undone: "Mapping[int, int]", migration: int) -> HistoryEntry:
    last, is_undone = actions.undoing(record["number"], undone)
    ended = {"closed": "undone" if is_undone else "done", "rolled_back": "rolled back"}
    return HistoryEntry(
        number=record["number"], verb=record["verb"], who=record["who"],
        started=record["started"], finished=record["finished"],
        fields=None if record["fields"] is None else tuple(record["fields"]),
        samples=record.get("samples", 0), run=record.get("run"), undoes=record.get("undoes"),
        undone_by=last if is_undone else None, state=ended.get(record["state"], "under way"),
        obstacle=journal.obstacle(record, undone, migration),
    )  # fmt: skip
