"""A function of the user's on every sample: to compute something from each, or to change each."""

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from ..types import Progress, SampleId
from .base import Base

if TYPE_CHECKING:
    from ..sample import Sample

_log = logging.getLogger("saccade")


class Applying(Base):
    """Methods that call a function on each sample, in order."""

    def map_samples(
        self,
        map_fcn: "Callable[[Sample], Any]",
        save: bool = False,
        skip_failures: bool = False,
        *,
        batch_size: int | None = None,
        progress: Progress = False,
    ) -> Iterator[tuple[SampleId, Any]]:
        """Call a function on each sample, and give the ids with what it returned, one by one.

        Args:
            map_fcn: the function.
            save: save each sample after it, in batches: what the function set on it is written.
            skip_failures: whether to pass over samples on which the function fails, with a warning, instead of raising
                what it raised.
            batch_size: how many samples to read and save at once.
            progress: whether to show a bar.
        """
        with ExitStack() as stack:
            context = stack.enter_context(self.save_context(batch_size)) if save else None  # type: ignore[attr-defined]  # Writing supplies it
            for sample in self.iter_samples(progress=progress, batch_size=batch_size):  # type: ignore[attr-defined]  # Reading supplies it
                try:
                    result = map_fcn(sample)
                except Exception as error:  # it is the user's function, which may raise anything
                    if not skip_failures:
                        raise
                    _log.warning("sample %s was passed over: %s: %s", sample.id, type(error).__name__, error)
                    continue
                if context is not None:
                    context.save(sample)
                yield sample.id, result

    def update_samples(
        self,
        update_fcn: "Callable[[Sample], Any]",
        skip_failures: bool = True,
        *,
        batch_size: int | None = None,
        progress: Progress = False,
    ) -> None:
        """Call a function on each sample and save what it set; see `map_samples`."""
        for _ in self.map_samples(update_fcn, True, skip_failures, batch_size=batch_size, progress=progress):
            pass
