"""Waiting for the actions of others, and undoing those whose writers are gone.

Who undoes an action first sets it to `recovering` by compare-and-set, and only then looks for its writer. If the writer
is there, it is set back to open, by whoever is faster. Otherwise it becomes `undoing`; from there it goes only to
`rolled_back`, whoever does it. Only who is undoing keeps others waiting, so one who just looks may stop at any time.
"""

import logging
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

from ..errors import ActionLostError, DatasetNotFoundError, ReadOnlyError, StoreError
from ..schema import field_from_dict
from ..store import actions, catalog, field_records, images, run_records
from ..store.connection import app_name
from ..store.liveness import announce, give_up, has_given_up, is_alive, is_ending
from ..types import Bson, ReadOnlyId
from . import running

_log = logging.getLogger("saccade")


class _Patience:
    """Pauses that grow, and says now and then for whom one waits."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._pause, self._silent = 0.002, 2.0

    def wait_for(self, record: Bson) -> None:
        waited = time.monotonic() - self._began
        if waited > self._silent:
            _log.warning("waiting for %s by %s (for %.0f s)", record["verb"], record["who"], waited)
            self._silent *= 4
        time.sleep(self._pause)
        self._pause = min(0.5, self._pause * 1.5)


def wait_for(dataset_id: str, fields: Sequence[str] | None) -> None:
    """Return when no live action holds any of `fields` (None: any field); those of dead writers are undone.

    Raises:
        StoreError: if this very thread holds one of them and so would wait for itself.
        ReadOnlyError: if a dead writer holds one, and the dataset was loaded to be read only.
    """
    claims = actions.claims_of(fields)
    patience = _Patience()
    while True:
        holders = actions.live_actions(dataset_id, claims)
        if not holders:
            return
        holder = holders[0]
        if running.thread_of(dataset_id, holder["number"]) == threading.get_ident():
            raise StoreError(f"{holder['verb']} is still running here; finish it before working on the same fields.")
        if _is_dead(dataset_id, holder):
            if isinstance(dataset_id, ReadOnlyId):
                raise ReadOnlyError(f"{holder['verb']} was stopped half-way and has to be undone. {dataset_id.refusal}")
            _recover(dataset_id, holder["number"])
        patience.wait_for(holder)


def recover_dead(dataset_id: str) -> None:
    """Undo the actions of dead writers; called when a dataset is opened.

    It waits for those that are being undone by others, and for writers that are dead while the server still works for
    them; so that afterwards nothing is half done but by those who live.
    """
    patience = _Patience()
    while True:
        half_done = None
        for record in actions.live_actions(dataset_id):
            if _is_dead(dataset_id, record):
                _recover(dataset_id, record["number"])
                half_done = record
            elif record["state"] == "undoing" or is_ending(record["writer"]):
                half_done = record
        if half_done is None:
            return
        patience.wait_for(half_done)


def _is_dead(dataset_id: str, record: Bson) -> bool:
    """Whether nobody works on a live action: its writer, or who undoes it."""
    responsible = record["recoverer"] if record["state"] == "undoing" else record["writer"]
    if responsible == app_name():
        return running.thread_of(dataset_id, record["number"]) is None
    return not _is_at_it(responsible, record)


def _is_at_it(process: str, record: Bson) -> bool:
    return is_alive(process) and not has_given_up(process, record["_id"])


def _recover(dataset_id: str, number: int) -> None:
    """Undo an action that seems to be dead, unless another thread of this process is at it."""
    if not running.begin(dataset_id, number):
        return
    try:
        # Another process may be faster, and somebody may delete the dataset.
        with suppress(ActionLostError, DatasetNotFoundError):
            _take_over(dataset_id, number)
    except BaseException:
        give_up(f"{dataset_id}/{number}")
        raise
    finally:
        running.end(dataset_id, number)


def _take_over(dataset_id: str, number: int) -> None:
    announce()
    me = app_name()
    record = actions.read_action(dataset_id, number)
    if record is None or not record["live"]:
        return
    found = _as_found(record)
    is_begun = record["state"] == "undoing"
    looking = {"state": "undoing" if is_begun else "recovering", "recoverer": me}
    if not actions.change_state(dataset_id, number, found, **looking):
        return
    # Only now that its guard stops it: is it there after all?
    responsible = record["recoverer"] if is_begun else record["writer"]
    if responsible != me and _is_at_it(responsible, record):
        back = found if is_begun else {"state": "open", "recoverer": None}
        actions.change_state(dataset_id, number, looking, **back)
        return
    if not is_begun and not actions.change_state(dataset_id, number, looking, state="undoing", recoverer=me):
        return
    actions.settle(dataset_id, number)
    _put_back(dataset_id, number)
    if record["fields"] != []:
        _log.warning("undid %s by %s, which had stopped half-way", record["verb"], record["who"])


def undo_own(dataset_id: str, number: int) -> None:
    """Undo an action of this process. If another process is just undoing it, wait until it has.

    Raises:
        ActionLostError: if another process takes over.
    """
    me = app_name()
    while True:
        record = actions.read_action(dataset_id, number)
        if record is None:
            catalog.drop_remains(dataset_id)
            return
        if not record["live"]:
            return
        if record["state"] == "undoing" and record["recoverer"] != me and _is_at_it(record["recoverer"], record):
            time.sleep(0.02)
        elif actions.change_state(dataset_id, number, _as_found(record), state="undoing", recoverer=me):
            break
    _put_back(dataset_id, number)


def _as_found(record: Bson) -> Bson:
    return {"state": record["state"], "recoverer": record.get("recoverer")}


def _put_back(dataset_id: str, number: int) -> None:
    """Put back what an action changed; it is `undoing`, by this process."""
    held = {"state": "undoing", "recoverer": app_name()}

    def guard(broken: bool) -> None:  # noqa: FBT001  # the form of a guard
        if broken:
            actions.settle(dataset_id, number)
        record = actions.read_action(dataset_id, number)
        if record is None:
            catalog.drop_remains(dataset_id)
            raise DatasetNotFoundError("this dataset was deleted.")
        if any(record.get(key) != value for key, value in held.items()):
            raise ActionLostError(f"{record['verb']} is being undone by another process.")

    hold = actions.Hold(dataset_id, number, guard)
    for part in images.read_images(dataset_id, number, newest_first=True):
        images.restore_part(hold, part)
    guard(False)
    _restore_records(dataset_id, actions.read_action(dataset_id, number) or {})
    images.drop_images(dataset_id, number)
    actions.end_action(dataset_id, number, held, state="rolled_back")


def _restore_records(dataset_id: str, record: Bson) -> None:
    if record.get("removed"):
        field_records.restore_fields(dataset_id, record["removed"])
    for noted in reversed(record.get("models") or []):
        field_records.change_model(dataset_id, noted["path"], noted["new"], noted["old"] or {})
    for noted in record.get("narrowed") or []:
        field_records.declare_fields(dataset_id, {noted["path"]: field_from_dict(noted["old"])})
    for noted in record.get("widened") or []:
        before, after = field_from_dict(noted["old"]), field_from_dict(noted["new"])
        field_records.narrow_field(dataset_id, noted["path"], before, after)
    field_records.remove_unused(dataset_id, record.get("created") or [])
    if record.get("dropped_run"):
        run_records.restore_run(dataset_id, record["dropped_run"])
    if record.get("restored_run"):
        run_records.drop_run(dataset_id, record["restored_run"])
