"""What an embedding model is: a name, a version and one method; and another where it embeds text."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from ...dataset.types import FloatArray, RGBImage


@runtime_checkable
class EmbeddingModel(Protocol):
    """Anything with these four members can embed images."""

    @property
    def name(self) -> str:
        """A stable name; it is kept with the vectors."""

    @property
    def version(self) -> str:
        """Changes whenever the same image would get another vector."""

    @property
    def dim(self) -> int | None:
        """Length of a vector; None while it is not known before the first call."""

    def embed(self, images: Sequence[RGBImage]) -> FloatArray:
        """Embed images of any size.

        Args:
            images: (height, width, 3) uint8 each.

        Returns:
            (len(images), dim) float32, in the same order.
        """


@runtime_checkable
class TextEmbeddingModel(EmbeddingModel, Protocol):
    """An embedding model that puts texts beside the images that they describe."""

    def embed_text(self, texts: Sequence[str]) -> FloatArray:
        """Embed texts into the space of the images.

        Args:
            texts: what images may show, such as "a red car".

        Returns:
            (len(texts), dim) float32, in the same order.
        """
