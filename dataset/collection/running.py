"""The registry of runs, under our names and FiftyOne's."""

from typing import TYPE_CHECKING, Any

from .. import runs
from ..store import run_records
from .base import Base

if TYPE_CHECKING:
    from ..view import DatasetView


class Running(Base):
    """Methods that look up and delete runs."""

    def list_runs(self, operation: str | None = None) -> list[str]:
        """The keys of the runs, sorted; of one operation only, if it is named."""
        query = {} if operation is None else {"operation": operation}
        return sorted(record["key"] for record in run_records.read_runs(self._root._id, **query))

    def has_run(self, run_key: str) -> bool:
        """Whether there is a run with this key."""
        return run_key in self.list_runs()

    def get_run_info(self, run_key: str) -> runs.Run:
        """The record of one run.

        Raises:
            RunNotFoundError: if there is none.
        """
        return runs.get_run(self._root, run_key)

    def load_run(self, run_key: str) -> runs.Run:
        """A run with all its results, such as the `neighbors_map` of near-duplicates.

        Raises:
            RunNotFoundError: if there is none.
        """
        return runs.get_run(self._root, run_key)

    def load_run_view(self, run_key: str) -> "DatasetView":
        """The samples that a run was computed on."""
        return self._root._view_of(runs.get_run(self._root, run_key)._record.get("view") or [])

    def rename_run(self, run_key: str, new_run_key: str) -> None:
        """Give a run another key."""
        runs.rename_run(self._root, run_key, new_run_key)

    def delete_run(self, run_key: str) -> None:
        """Delete a run, with the values and tags that it wrote and nobody changed since."""
        runs.delete_run(self._root, run_key)

    def delete_runs(self) -> None:
        """Delete all runs, the newest first."""
        for record in reversed(run_records.read_runs(self._root._id)):
            runs.delete_run(self._root, record["key"])

    def list_brain_runs(self, type: str | None = None, **kwargs: Any) -> list[str]:
        """The keys of the runs, by operation and parameters."""
        found = [runs.run_of(self._root, record) for record in run_records.read_runs(self._root._id)]
        matching = (run for run in found if type in (None, run.operation))
        return sorted(run.key for run in matching if all(run.params.get(k) == v for k, v in kwargs.items()))

    has_brain_run = has_run
    get_brain_info = get_run_info
    load_brain_results = load_run
    load_brain_view = load_run_view
    rename_brain_run = rename_run
    delete_brain_run = delete_run
    delete_brain_runs = delete_runs
