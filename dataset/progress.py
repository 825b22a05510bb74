"""Progress bars: shown, not shown, or given to a function, by one convention everywhere."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from .settings import current
from .types import Progress


class Advance(Protocol):
    """What counts on: called with the number of things just done, and figures to show behind the bar."""

    def __call__(self, count: int, /, **figures: float) -> None:
        """Count on."""


@contextmanager
def shown(total: int | None, progress: Progress, unit: str = "samples") -> Iterator[Advance]:
    """Show progress inside a `with` block.

    Args:
        total: how much there is to do, if known.
        progress: True, False, None (ask the settings), or a function called with (done, total).
        unit: what is counted.

    Yields:
        A function to call with the number of things just done; figures given by name stand behind the bar.
    """
    if callable(progress):
        done = 0

        def report(count: int, /, **_figures: float) -> None:
            nonlocal done
            done += count
            progress(done, total if total is not None else done)

        yield report
    elif progress or (progress is None and current().show_progress):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="IProgress not found")  # then the bar is one of text
            from tqdm.auto import tqdm

        with tqdm(total=total, unit=f" {unit}") as bar:

            def advance(count: int, /, **figures: float) -> None:
                if figures:
                    bar.set_postfix(figures, refresh=False)
                bar.update(count)

            yield advance
    else:
        yield lambda _count, /, **_figures: None
