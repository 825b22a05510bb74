"""`compute_exact_duplicates`: files that are copies of each other. The comparison is `kernels.copies`."""

from typing import TYPE_CHECKING

from ...dataset import columns, runs
from ...dataset.errors import UnreadableMediaError
from ...dataset.progress import shown
from ...dataset.types import Progress, SampleId
from ..kernels.copies import identical_files
from .duplicates import replace_results

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection
    from ...dataset.view import DatasetView

_SHOWN_FAILURES = 10


class ExactDuplicates(runs.Run):
    """A search for copies of files."""

    @property
    def duplicates(self) -> dict[SampleId, list[SampleId]]:
        """For each sample that has copies behind it: their ids, in order."""
        if not self._dataset.has_field(self.key):
            return {}
        path = f"{self.key}.of"
        ids, found = columns.read_scalars(self._samples().exists(path), [path])
        groups: dict[SampleId, list[SampleId]] = {}
        for sample, first in zip(ids, found[path], strict=True):
            groups.setdefault(first, []).append(sample)
        return groups

    @property
    def duplicate_ids(self) -> list[SampleId]:
        """The samples whose file was there before, under another sample."""
        return columns.read_ids(self.view())

    def view(self) -> "DatasetView":
        """The samples whose file was there before, the copies of one file together."""
        if not self._dataset.has_field(self.key):
            return self._samples().limit(0)
        return self._samples().exists(f"{self.key}.of").sort_by(f"{self.key}.of")

    def unique_view(self) -> "DatasetView":
        """The samples without the copies."""
        view = self._samples()
        return view.exists(f"{self.key}.of", False) if self._dataset.has_field(self.key) else view

    def _samples(self) -> "DatasetView":
        return self._dataset._view_of(self._record.get("view") or [])


def compute_exact_duplicates(
    samples: "SampleCollection",
    *,
    skip_failures: bool = True,
    duplicates_field: str = "exact_duplicates",
    progress: Progress = None,
) -> ExactDuplicates:
    """Find the samples whose files hold the same bytes as that of an earlier sample.

    Files of different sizes are not read; those of one hash are compared byte by byte.

    Args:
        samples: a dataset or view; of the samples with copies of one file, the first in its order counts as the
            original.
        skip_failures: note missing and unreadable files and go on. Otherwise the first one is an error.
        duplicates_field: the field to write, which also is the key of the run.
        progress: whether to show a bar: True, False, None (the setting), or a function of (done, total).

    Returns:
        The run, with `duplicates`, a dict of the first id to the later ones, `duplicate_ids` and `unique_view()`.

    Writes:
        On copies `<field>.of`, the id of the first sample with this file; on samples whose file failed
        `<field>.error`, the reason. In one action.

    Raises:
        UnreadableMediaError: if a file cannot be read and `skip_failures` is False.

    Example:
        ```python
        found = scb.compute_exact_duplicates(dataset)
        dataset.delete_samples(found.duplicate_ids)
        ```
    """
    with runs.record(
        samples, "exact_duplicates", key=duplicates_field, reads=["filepath"], writes=[duplicates_field],
        one_action=True,
    ) as run:  # fmt: skip
        ids, found = columns.read_scalars(samples, ["filepath"])
        paths = found["filepath"]
        with shown(len(ids), progress) as advance:
            groups, errors = identical_files(paths, advance=advance)
        if errors and not skip_failures:
            row = min(errors)
            raise UnreadableMediaError(f"{paths[row]}: {errors[row]}. Pass skip_failures=True to go on without it.")
        original = {row: ids[group[0]] for group in groups for row in group[1:]}
        run.summary = {"samples": len(ids), "duplicates": len(original), "groups": len(groups), "failed": len(errors)}
        if errors:
            run.summary["failures"] = [f"{paths[row]}: {errors[row]}" for row in sorted(errors)[:_SHOWN_FAILURES]]
        rows = sorted(original.keys() | errors.keys())
        replace_results(samples, duplicates_field, [ids[row] for row in rows], {
            "of": [original.get(row) for row in rows], "error": [errors.get(row) for row in rows],
        }, verb="compute_exact_duplicates")  # fmt: skip
    assert isinstance(run, ExactDuplicates), "the registry of runs gives it"
    return run
