"""Progress bars: shown, not shown, or given to a function, by one convention everywhere."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .settings import current
from .types import Progress


@contextmanager
def shown(total: int | None, progress: Progress, unit: str = "samples") -> Iterator[Callable[[int], None]]:
    """Show progress inside a `with` block.

    Args:
        total: how much there is to do, if known.
        progress: True, False, None (ask the settings), or a function called with (done, total).
        unit: what is counted.

    Yields:
        A function to call with the number of things just done.
    """
    if callable(progress):
        done = 0

        def report(count: int) -> None:
            nonlocal done
            done += count
            progress(done, total if total is not None else done)

        yield report
    elif progress or (progress is None and current().show_progress):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="IProgress not found")  # then the bar is one of text
            from tqdm.auto import tqdm

        with tqdm(total=total, unit=f" {unit}") as bar:

            def advance(count: int) -> None:
                bar.update(count)

            yield advance
    else:
        yield lambda _count: None
