"""Whether the fields that an undo writes into still are what they were, and putting their declarations back.

If a later action deleted a field, or filled it with another model's vectors, that one has to be undone first: or old
values would come to stand in a field that is not declared, or means something else.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from ..errors import FieldKindError, UndoError
from ..schema import VectorField, field_from_dict, merge
from ..store import actions, field_records, vectors
from ..types import Bson, SampleId
from .writing import Action


def refuse(record: Bson, reason: str) -> NoReturn:
    """Raise the error that says why an action cannot be undone."""
    raise UndoError(f"action {record['number']}, {record['verb']}, cannot be undone: {reason}.")


class UndoneFields:
    """The fields of one action that is being undone."""

    def __init__(self, work: Action, record: Bson, asked: Bson, undone: Mapping[int, int]) -> None:
        """See what happened since.

        Args:
            work: the action that undoes.
            record: what it undoes.
            asked: what the user asked for, for messages.
            undone: which actions are undone by which.
        """
        self._work = work
        self._asked = asked
        self._id = work.dataset_id
        self._known: dict[str, Bson] = {}
        self._lengths: dict[str, int | None] = {}
        self._learn()
        self.removed_since: dict[str, int] = {}
        self._refilled: dict[str, int] = {}
        self._fitting: set[str] = set()
        own = {gone["path"] for gone in record.get("removed") or []}
        has_changed = [{f"{what}.0": {"$exists": True}} for what in ("removed", "models")]
        query = {"number": {"$gt": record["number"]}, "state": "closed", "$or": has_changed}
        for later in actions.list_actions(self._id, query):
            # What undid something that was done since took nothing but that away.
            if actions.undoing(later["number"], undone)[1] or later.get("undoes", 0) > record["number"]:
                continue
            for gone in later.get("removed") or []:
                if gone["path"] not in own:
                    self.removed_since[gone["path"]] = later["number"]
            for noted in later.get("models") or []:
                if _is_other(noted["old"] or {}, noted["new"]):
                    self._refilled[noted["path"]] = later["number"]

    def restore(self, removed: Sequence[Bson]) -> None:
        """Put back the declarations that the action removed.

        Raises:
            UndoError: if a name was declared again for something else.
        """
        for record in removed:
            path, there = record["path"], self._known.get(record["path"])
            if there is None:
                continue
            before, now = field_from_dict(record["field"]), field_from_dict(there["field"])
            try:
                fits = type(before) is type(now) and merge(now, before, path) == now
            except FieldKindError:
                fits = False
            if not fits or _is_other(record.get("model") or {}, there.get("model") or {}):
                kind = f"of kind {now}" if not fits else "for vectors of another model"
                refuse(
                    self._asked,
                    f"field {path!r} was declared again, {kind} instead of {before}; rename or delete that one first",
                )
        if removed:
            for record in removed:
                self.require(record["path"])
            self._work.restore_fields(removed)
            for record in removed:
                if record.get("model") and not (self._known.get(record["path"]) or record).get("model"):
                    self._work.set_model(record["path"], record["model"], {})
            self._learn()

    def _learn(self) -> None:
        """Read what is declared, and how long the vectors of each field are."""
        self._known = field_records.by_path(self._id)
        self._lengths = {
            path: (record.get("model") or {}).get("dimension")
            for path, record in self._known.items()
            if "." not in path and isinstance(field_from_dict(record["field"]), VectorField)
        }

    def require(self, path: str) -> None:
        """Refuse to put values back into a field that is not what it was."""
        if path in self._fitting:
            return
        self._fitting.add(path)
        for gone, number in self.removed_since.items():
            if path == gone or path.startswith(gone + "."):
                refuse(self._asked, f"action {number} took field {gone!r} away since; undo({number}) first")
        for refilled, number in self._refilled.items():
            if f"{refilled}.".startswith(f"{path}."):
                refuse(
                    self._asked,
                    f"action {number} gave field {refilled!r} vectors of another model since; undo({number}) first",
                )

    def check_length(self, path: str, sample_id: SampleId, marker: Any) -> None:
        """Refuse vectors of another length than those that the field holds by now; one stands for all."""
        known = self._lengths.get(path)
        if known is None or marker is None:
            return
        length = vectors.vector_length(self._id, vectors.vector_key(int(marker), sample_id))
        if length != known:
            refuse(
                self._asked,
                f"field {path!r} holds vectors of {known} numbers by now, not of {length}; rename or delete it first",
            )
        del self._lengths[path]


def _is_other(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether two records of what vectors are cannot both be true of a field."""
    facts = ["dimension", "name", "version"]
    both = {name for name in facts if old.get(name) is not None and new.get(name) is not None}
    return any(old[name] != new[name] for name in both) or ("name" in both and old.get("regions") != new.get("regions"))
