"""Bringing the stored form of a dataset up to date: an action on all of it, so that one process does it at a time.

Killed in the middle, the action holds nothing that would have to be put back; whoever loads the dataset next takes the
claim over and does the steps that are not noted yet.
"""

from collections.abc import Sequence

from ..store import migrations
from .writing import action


def migrate(dataset_id: str, library_version: str, steps: Sequence[migrations.Step] | None = None) -> None:
    """Do the steps that a dataset still needs, after waiting for those who write to it.

    Args:
        dataset_id: the dataset.
        library_version: noted as the version that wrote its form.
        steps: all there are, in order; None means those of the library.
    """
    known = migrations.STEPS if steps is None else steps
    if not migrations.pending(dataset_id, known):
        return
    with action(dataset_id, "migrate", None) as work:
        for step in migrations.pending(dataset_id, known):  # asked again: another process may have been faster
            step.apply(work._hold)
            migrations.note_form(work._hold, step.version, library_version)
