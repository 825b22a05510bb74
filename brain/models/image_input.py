"""What a finished network says about the images it takes: read from the shape of its input."""

from dataclasses import dataclass
from typing import Any, Literal

from ...dataset.errors import ModelError
from .preparation import checked_sides

Layout = Literal["NCHW", "NHWC"]


@dataclass(frozen=True)
class ImageInput:
    """The images that a network takes.

    Attributes:
        height: rows; None where any number will do.
        width: columns; None where any number will do.
        channels: 1 or 3.
        channels_first: whether a batch is (n, channels, height, width).
    """

    height: int | None
    width: int | None
    channels: int
    channels_first: bool

    def size(self, name: str, image_size: int | tuple[int, int] | None) -> tuple[int, int]:
        """Settle (height, width) where the network and the caller may both have a say.

        Raises:
            ModelError: if neither says it, or they contradict each other.
        """
        wanted = (image_size,) * 2 if image_size is None or isinstance(image_size, int) else checked_sides(image_size)
        sides: list[int] = []
        for own, asked in zip((self.height, self.width), wanted, strict=True):
            if own is None and asked is None:
                raise ModelError(f"model {name!r} takes images of any size. Say which: image_size=224, for instance.")
            if own is not None and asked not in (None, own):
                raise ModelError(
                    f"model {name!r} takes images of {self.height or 'any'} x {self.width or 'any'} pixels, and "
                    f"image_size={image_size!r} was asked for. Leave it out."
                )
            sides.append(asked if own is None else own)
        return sides[0], sides[1]


def image_input(name: str, shape: Any, layout: Layout | None = None) -> ImageInput:
    """Read the shape of a network's input.

    Args:
        name: the model's name, for messages.
        shape: four axes; those that may have any length are no numbers.
        layout: "NCHW" or "NHWC", where the shape does not tell.

    Raises:
        ModelError: if these are no images, or the layout cannot be told.

    Example:
        >>> image_input("net", ("batch", 224, 224, 3))
        ImageInput(height=224, width=224, channels=3, channels_first=False)
    """
    if layout not in (None, "NCHW", "NHWC"):
        raise ModelError(f"layout={layout!r} is unknown. Use 'NCHW', 'NHWC' or None.")
    axes = [axis if isinstance(axis, int) and axis > 0 else None for axis in shape]
    if len(axes) != 4:
        raise ModelError(f"model {name!r} takes an input of shape {tuple(shape)}, which is no batch of images.")
    told = [kind for kind, axis in (("NCHW", axes[1]), ("NHWC", axes[3])) if axis in {1, 3}]
    if layout is None and len(told) != 1:
        raise ModelError(
            f"model {name!r} takes an input of shape {tuple(shape)}, which does not tell where the channels are. Say "
            "layout='NCHW' or layout='NHWC'."
        )
    channels_first = (layout or told[0]) == "NCHW"
    channels = axes[1] if channels_first else axes[3]
    if channels not in (None, 1, 3):
        raise ModelError(f"model {name!r} takes images of {channels} channels; there are 3, or 1 in grey.")
    height, width = axes[2:] if channels_first else axes[1:3]
    return ImageInput(height, width, channels or 3, channels_first)
