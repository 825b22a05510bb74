"""Runs: what computed which field, from what, when, and how it ended.

A run is written before the work begins and brought up to date when it ends, so that a crash leaves a trace. Its key is
`brain_key`, else its output field. Short names with a version stand in the record, never import paths.
"""

import copy
import os
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import __version__
from . import display, extensions, journal
from .errors import RunError, RunNotFoundError, hint
from .schema import DictField
from .store import actions, catalog, field_records, images, run_records, samples
from .store.connection import app_name
from .types import Bson

if TYPE_CHECKING:
    from .collection import SampleCollection
    from .dataset import Dataset
    from .view import DatasetView


class Run:
    """The record of one run, with the way back to the samples it was computed on.

    Attributes:
        key: its name in the dataset.
        operation: the verb's short name, such as "uniqueness".
        version: the version of the verb.
        params: the parameters it was called with.
        reads: the fields it read.
        writes: the fields it wrote.
        state: running, completed, failed, interrupted, or undone where all that it wrote was.
        message: why it failed, how else it ended before its end, or how much of it was undone.
        facts: small facts about the result; `summary()` gives a copy.
        started: when it began, in UTC.
        finished: when it ended, or None.
        library_version: the version of Saccade.
    """

    key: str
    operation: str
    version: int
    params: dict[str, Any]
    reads: list[str]
    writes: list[str]
    state: str
    message: str | None
    facts: dict[str, Any]
    started: datetime
    finished: datetime | None
    library_version: str | None

    def __init__(self, dataset: "Dataset", record: Bson) -> None:
        """Wrap a stored record."""
        self._dataset = dataset
        self._take(record)

    def _take(self, record: Bson) -> None:
        self._record = record
        self.params, self.facts = dict(record.get("params") or {}), dict(record.get("summary") or {})
        for name in ("reads", "writes"):
            setattr(self, name, list(record.get(name) or []))
        for name in ("key", "operation", "version", "state", "message", "started", "finished", "library_version"):
            setattr(self, name, record.get(name))
        undone, of = record.get("undone") or (0, 0)
        if undone and self.state == "completed":
            self.state = "undone" if undone == of else self.state
            self.message = f"{undone} of its {of} bulk writes are undone"

    @property
    def duration(self) -> float | None:
        """Seconds from start to end, or None while it runs or if it was interrupted."""
        return None if self.finished is None else (self.finished - self.started).total_seconds()

    @property
    def dataset(self) -> "Dataset":
        """The dataset it belongs to."""
        return self._dataset

    def view(self) -> "DatasetView":
        """The samples it was computed on; sorted by the first field it wrote where that is a number, highest first."""
        view = self._dataset._view_of(self._record.get("view") or [])
        for field in self.writes:
            if self._dataset._is_number(field):
                return view.sort_by(field, reverse=True)
        return view

    def summary(self) -> dict[str, Any]:
        """What is worth knowing about the result: of scores how many there are and their quartiles, else counts."""
        return copy.deepcopy(self.facts)

    def histogram(self, bins: int = 10) -> tuple[list[int], list[float]]:
        """How the numbers are spread that it wrote into the first field of numbers: counts, and the edges between them.

        Raises:
            RunError: if there is no such field.
        """
        for field in self.writes:
            if self._dataset._is_number(field):
                counts, edges, _ = self._dataset._view_of(self._record.get("view") or []).histogram_values(
                    field, bins=bins
                )
                return counts, edges
        raise RunError(f"run {self.key!r} wrote no field of numbers; it wrote {', '.join(self.writes) or 'nothing'}.")

    def is_stale(self) -> list[str]:
        """The fields it read that were changed since: advisory, empty if none."""
        now = revisions(self._dataset, self.reads)
        return [name for name, revision in (self._record.get("revisions") or {}).items() if now.get(name) != revision]

    def _facts(self) -> dict[str, Any]:
        facts = {
            "operation": f"{self.operation} (version {self.version})",
            "state": self.state if self.message is None else f"{self.state}: {self.message}",
            "reads": ", ".join(self.reads), "writes": ", ".join(self.writes),
            "params": self.params, "summary": self.facts,
            "started": self.started, "duration": self.duration,
        }  # fmt: skip
        return {name: value for name, value in facts.items() if value not in (None, "", {})}

    def __repr__(self) -> str:
        """What ran, on what, and how it ended."""
        return display.run_text(self.key, self._facts())

    def _repr_html_(self) -> str:
        return display.run_html(self.key, self._facts())


@contextmanager
def record(
    collection: "SampleCollection",
    operation: str,
    *,
    key: str,
    reads: Sequence[str] = (),
    writes: Sequence[str] = (),
    params: Mapping[str, Any] | None = None,
    version: int = 1,
    one_action: bool = False,
) -> Iterator[Run]:
    """Record a run around a `with` block: completed at its end, failed or interrupted if an exception leaves it.

    Set `run.facts` inside the block to keep small facts about the result. With `one_action`, the block writes all it
    writes in one action: then a run that was stopped behind it counts as completed, whatever stopped it; and where one
    that failed before it had an earlier run that completed, whose values still stand, the record of that one stays.

    Raises:
        RunError: if a run of another operation has this key, or if one with it is running.
    """
    root = collection._root
    collection._require_samples(f"{operation!r}")
    check_key(key)
    earlier, former = None, dict[str, None]()
    for other in run_records.read_runs(root._id, key=key):
        former |= dict.fromkeys([*(other.get("writes") or []), *(other.get("former_writes") or [])])
        if other["state"] == "completed":
            earlier = other
        if other["operation"] != operation:
            raise RunError(
                f"key {key!r} is taken by a run of {other['operation']!r}. "
                f"Choose another field or key, or delete_run({key!r})."
            )
        if other["state"] == "running" and other["writer"] != app_name():
            raise RunError(f"a run {key!r} of {operation!r} is under way in another process. Wait for it to end.")
    values: dict[str, Any] = {
        "key": key, "operation": operation, "version": version, "params": _plain(params or {}, "params"),
        "reads": list(reads), "writes": list(writes), "former_writes": [path for path in former if path not in writes],
        "view": [stage.to_dict() for stage in collection._stages],
        "revisions": revisions(root, reads), "state": "running", "writer": app_name(), "started": catalog.now(),
        "library_version": __version__, "after": actions.last_number(root._id) if one_action else None,
    }  # fmt: skip
    run_records.save_run(root._id, values)
    run = run_of(root, values)
    token = journal.current_run.set(key)
    try:
        yield run
        run.facts = _plain(run.facts, "facts")
    except BaseException as error:
        run.facts = {}
        state = "interrupted" if isinstance(error, KeyboardInterrupt | GeneratorExit) else "failed"
        message = None if state == "interrupted" else f"{type(error).__name__}: {error}"
        done = run_records.written({**values, "dataset": root._id})
        _finish(run, **(done or {"state": state, "message": message}))
        if one_action and done is None and earlier is not None:
            run_records.put_back(root._id, earlier)
        raise
    finally:
        journal.current_run.reset(token)
    _finish(run, "completed", None)


def _finish(run: Run, state: str, message: str | None, finished: datetime | None = None) -> None:
    changes = {"state": state, "message": message, "finished": finished or catalog.now(), "summary": run.facts}
    run_records.change_run(run.dataset._id, run.key, changes)
    run._take({**run._record, **changes})


def _plain(value: Any, what: str) -> Any:
    """Parameters and facts as plain values; unlike in samples, keys of dicts may be any text.

    Raises:
        RunError: if one cannot be kept.
    """
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if value is None or isinstance(value, bool | int | float | str | datetime):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(item, f"{what}.{key}") for key, item in value.items()}
    if isinstance(value, Sequence | AbstractSet) and not isinstance(value, bytes):
        return [_plain(item, f"{what}[{position}]") for position, item in enumerate(value)]
    raise RunError(f"a run cannot keep {what}={value!r:.200}: only numbers, text, times, lists and dicts of these.")


def check_key(key: str) -> None:
    """Refuse a key that is no identifier.

    Raises:
        RunError: with what a key may look like.
    """
    if not (isinstance(key, str) and key.replace(".", "_").isidentifier()):
        raise RunError(
            f"run key {key!r} is not an identifier: letters, digits and underscores, not beginning with a digit."
        )


def revisions(dataset: "Dataset", fields: Sequence[str]) -> dict[str, str]:
    """The revision of each field: the number of its last action and the count of its single edits."""
    known = field_records.by_path(dataset._id)
    tops = dict.fromkeys(field.split(".")[0] for field in fields)
    return {top: f"{known[top].get('revision', 0)}+{known[top].get('edits', 0)}" for top in tops if top in known}


def run_of(dataset: "Dataset", record: Bson) -> Run:
    """Wrap a stored record; the runs of some operations have more to show than others."""
    kind: type[Run] = extensions.find(f"run {record['operation']}") or Run
    return kind(dataset, record)


def get_run(dataset: "Dataset", key: str) -> Run:
    """Load one run.

    Raises:
        RunNotFoundError: if there is none, listing those there are.
    """
    for found in run_records.read_runs(dataset._id, key=key):
        return run_of(dataset, found)
    keys = [record["key"] for record in run_records.read_runs(dataset._id)]
    raise RunNotFoundError(f"no run {key!r} on dataset {dataset.name!r}. {hint(key, keys, 'Runs')}")


def rename_run(dataset: "Dataset", key: str, new_key: str) -> None:
    """Give a run another key.

    Raises:
        RunError: if the new key is taken or cannot be used.
    """
    run = get_run(dataset, key)
    check_key(new_key)
    if run_records.read_runs(dataset._id, key=new_key):
        raise RunError(f"there is a run {new_key!r} already. Choose another key.")
    former = [*(run._record.get("former_keys") or []), key]
    run_records.change_run(dataset._id, key, {"key": new_key, "former_keys": former})
    actions.move_to_run(dataset._id, former, new_key)  # a new run may take the old key
    run_records.change_run(dataset._id, new_key, {"former_keys": []})


def delete_run(dataset: "Dataset", key: str) -> None:
    """Delete a run, with the values and tags that it and earlier ones under its key wrote and nobody changed since.

    That is an action of its own. What was written is known for seven days. After that, a field goes whole if no other
    bulk write has touched it, and stays otherwise. Declarations go that the runs made and no value needs; a field that
    was there before them stays.

    Raises:
        RunNotFoundError: if there is no such run.
    """
    run = get_run(dataset, key)
    keys = [key, *(run._record.get("former_keys") or [])]
    writes = [*run.writes, *(run._record.get("former_writes") or [])]
    undone = actions.undoers(dataset._id)
    own = actions.list_actions(dataset._id, {"run": {"$in": keys}, "state": "closed"})
    written = [record for record in own if not actions.undoing(record["number"], undone)[1]]
    fields = sorted({field.split(".")[0] for record in written for field in record["fields"] or []})
    if fields:
        with journal.action(dataset._id, "delete_run", fields) as action:
            for record in reversed(written):
                parts = images.read_images(dataset._id, record["number"], newest_first=True)
                if not record["bytes"]:
                    _empty_fields(dataset, action, record, writes)
                for part in parts:
                    _take_back(action, part, writes)
            made = {path for record in own for path in record.get("created") or []}
            known = field_records.by_path(dataset._id)
            # Runs share dicts, such as "selections": the last one takes it away, though the first one made it.
            shared = {top for top in fields if top in known and known[top]["field"] == DictField().to_dict()}
            action.remove_unused(sorted(made & known.keys() | shared - {"tags"}))
            action.drop_run({"record": run._record, "actions": [record["number"] for record in written]})
    run_records.remove_run(dataset._id, key)


def _empty_fields(dataset: "Dataset", action: journal.Action, record: Bson, writes: Sequence[str]) -> None:
    """Remove what an action wrote whose images are gone, from fields that it was the last to write."""
    known = field_records.by_path(dataset._id)
    for path in writes:
        top = path.split(".")[0]
        if top in (record["fields"] or []) and known.get(top, {}).get("revision") == record["number"]:
            ids = samples.sample_ids(dataset._id, [{"$match": {path: {"$exists": True}}}])
            lists = dataset._current_schema().resolve(path).list_parts if path in known else ()
            if not lists:
                action.set(ids, {path: [actions.ABSENT] * len(ids)})
                continue

            def stripped(_start: int, old: list[Any], within: str = lists[0], path: str = path) -> dict[str, list[Any]]:
                rows = [dict(document or {}) for document in old]
                for row in rows:
                    _put_back(row, within, [path[len(within) + 1 :]], b"", None)
                return {within: [actions.value_at(row, within) for row in rows]}

            action.transform(ids, [lists[0]], stripped)


def _take_back(action: journal.Action, part: Mapping[str, Any], writes: Sequence[str]) -> None:
    """Remove what one part wrote, where it still is what was written."""
    ids = actions.unpack_ids(part["ids"]) if "ids" in part else []
    if part["op"] == "tag":
        action.untag(ids, part["tag"])
    elif part["op"] == "set":
        hashes = dict(zip(part["paths"], part["new"], strict=True))
        tops = sorted({path.split(".")[0] for path in hashes})
        # A list of labels is the user's; of the run are attributes in it, which `writes` names.
        inside = {path: [w[len(path) + 1 :] for w in writes if w.startswith(f"{path}.")] for path in hashes}
        before = list(part["old"])

        def unwritten(start: int, old: list[Any]) -> dict[str, list[Any]]:
            rows = []
            for i, document in enumerate(old):
                written = {p: packed[8 * (start + i) : 8 * (start + i) + 8] for p, packed in hashes.items()}
                row = _without(document, {path: digest for path, digest in written.items() if not inside[path]})
                for path, names in inside.items():
                    _put_back(row, path, names, written[path], before[start + i])
                rows.append(row)
            return {top: [actions.value_at(row, top) for row in rows] for top in tops}

        action.transform(ids, tops, unwritten)


def _put_back(row: dict[str, Any], path: str, names: Sequence[str], digest: bytes, before: Any) -> None:
    """Give a list of labels as it was, if it is what was written, and else without the attributes that were written."""
    now, keys = actions.value_at(row, path), path.split(".")
    if not names or not isinstance(now, list):
        return
    if actions.hash_value(now) == digest:
        now = actions.value_at(before, path)
    else:
        now = [{name: value for name, value in item.items() if name not in names} for item in now]
    for key in keys[:-1]:
        row[key] = dict(row[key])
        row = row[key]
    row[keys[-1]] = now


def _without(document: Mapping[str, Any] | None, written: Mapping[str, bytes]) -> dict[str, Any]:
    """A document without the values that still are what was written, and without dicts that these leave empty."""
    row = dict(document or {})
    for path, digest in written.items():
        if actions.hash_value(actions.value_at(row, path)) == digest:
            _remove(row, path.split("."))
    return row


def _remove(value: dict[str, Any], keys: Sequence[str]) -> None:
    if len(keys) > 1 and isinstance(value.get(keys[0]), Mapping):
        value[keys[0]] = dict(value[keys[0]])
        _remove(value[keys[0]], keys[1:])
        if value[keys[0]]:
            return
    value.pop(keys[0], None)
