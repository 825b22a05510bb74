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

    @property
    def has_runs(self) -> bool:
        """Whether there are runs."""
        return bool(self.list_runs())

    @property
    def has_brain_runs(self) -> bool:
        """Whether there are runs."""
        return self.has_runs

    def load_run_view(self, run_key: str, select_fields: bool = False) -> "DatasetView":
        """The samples that a run was computed on.

        Args:
            run_key: the run.
            select_fields: show only the fields that the run read and wrote.
        """
        run = runs.get_run(self._root, run_key)
        view = self._root._view_of(run._record.get("view") or [])
        tops = {path.split(".")[0] for path in [*run.reads, *run.writes]}
        return view.select_fields([name for name in view._schema() if name in tops]) if select_fields else view

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

    def has_brain_run(self, brain_key: str) -> bool:
        """Whether there is a run with this key."""
        return self.has_run(brain_key)

    def get_brain_info(self, brain_key: str) -> runs.Run:
        """The record of one run; see `get_run_info`."""
        return self.get_run_info(brain_key)

    def load_brain_results(self, brain_key: str) -> runs.Run:
        """A run with all its results; see `load_run`."""
        return self.load_run(brain_key)

    def load_brain_view(self, brain_key: str, select_fields: bool = False) -> "DatasetView":
        """The samples that a run was computed on; see `load_run_view`."""
        return self.load_run_view(brain_key, select_fields)

    def rename_brain_run(self, brain_key: str, new_brain_key: str) -> None:
        """Give a run another key."""
        self.rename_run(brain_key, new_brain_key)

    def delete_brain_run(self, brain_key: str) -> None:
        """Delete a run; see `delete_run`."""
        self.delete_run(brain_key)

    def delete_brain_runs(self) -> None:
        """Delete all runs, the newest first."""
        self.delete_runs()
