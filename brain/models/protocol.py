"""What an embedding model is: a name, a version and one method; and more where it shrinks images or embeds text."""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from numpy.typing import NDArray

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
class PreparingModel(EmbeddingModel, Protocol):
    """An embedding model that can bring images to its own small form one by one, before their batch is full.

    A decoded photo takes 100 times the memory of what a network looks at. So images are prepared where they are
    decoded, in several threads at once, and only what is prepared waits for the batch.

    `embed(images)` equals `embed_prepared([prepare(image) for image in images])`.

    It may also say `shortest_side`: the shorter side in pixels below which an image holds too little for it, as a rule
    twice what it looks at. JPEG files are then decoded at 1/2, 1/4 or 1/8 of their size where that leaves as many.
    """

    def prepare(self, image: RGBImage) -> NDArray[Any]:
        """Bring one image to the form that `embed_prepared` takes; several threads call it at once.

        Args:
            image: (height, width, 3) uint8.

        Returns:
            An array that shares no memory with the image.

        Raises:
            ModelError: if the image is not (height, width, 3) uint8 with at least one pixel.
        """

    def embed_prepared(self, prepared: Sequence[NDArray[Any]]) -> FloatArray:
        """Embed what `prepare` gave; one thread calls it at a time.

        Returns:
            (len(prepared), dim) float32, in the same order.
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
