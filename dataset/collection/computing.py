"""The verbs of the brain that users look for on a dataset; what they do is said there."""

from typing import TYPE_CHECKING, Any

from .. import extensions
from ..types import Progress
from .base import Base

if TYPE_CHECKING:
    from ..runs import Run


class Computing(Base):
    """Methods that read the files of samples."""

    def compute_metadata(
        self,
        overwrite: bool = False,
        num_workers: int | None = None,
        skip_failures: bool = True,
        warn_failures: bool = False,
        progress: Progress = None,
    ) -> "Run":
        """Find out the size, kind and shape of every file; see `saccade.brain.compute_metadata`."""
        run: Run = extensions.find("compute_metadata")(
            self, overwrite, num_workers, skip_failures, warn_failures, progress
        )
        return run

    def compute_embeddings(
        self,
        model: Any = "builtin",
        embeddings_field: str = "embedding",
        batch_size: int | None = None,
        num_workers: int | None = None,
        skip_failures: bool = True,
        progress: Progress = None,
        **options: Any,
    ) -> "Run":
        """A vector for every image; see `saccade.brain.compute_embeddings`, also for the options."""
        run: Run = extensions.find("compute_embeddings")(
            self, model, embeddings_field, batch_size, num_workers, skip_failures=skip_failures, progress=progress,
            **options,
        )  # fmt: skip
        return run

    def compute_patch_embeddings(
        self,
        model: Any,
        patches_field: str,
        embeddings_field: str = "embedding",
        force_square: bool = False,
        alpha: float | None = None,
        handle_missing: str = "skip",
        batch_size: int | None = None,
        num_workers: int | None = None,
        skip_failures: bool = True,
        progress: Progress = None,
        **options: Any,
    ) -> "Run":
        """A vector for every object; see `saccade.brain.compute_patch_embeddings`, also for the options."""
        run: Run = extensions.find("compute_patch_embeddings")(
            self, model, patches_field, embeddings_field, force_square, alpha, handle_missing, batch_size, num_workers,
            skip_failures, progress, **options,
        )  # fmt: skip
        return run
