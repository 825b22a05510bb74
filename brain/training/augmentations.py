"""Augmentations: what two views of an image differ in, so that a model learns to see past it.

All is plain torch on batches of tensors, on any device. Every image has parameters of its own. They are drawn by a
generator of the processor whatever the device, so the same seed gives the same views everywhere.

Source: the set of SimCLR (Chen et al., 2020, appendix A) with the milder colours that Lightly uses; rotation is ours.
"""

import math
from dataclasses import dataclass, fields

import torch
from torch import Tensor
from torch.nn import functional

from ...dataset.errors import ModelError, hint

_LUMA = (0.299, 0.587, 0.114)


@dataclass(frozen=True)
class Augmentations:
    """How views of an image are drawn.

    Attributes:
        crop_scale: smallest and largest share of the area that a crop keeps, in 0..1.
        crop_ratio: smallest and largest width / height of a crop, before it is resized to a square.
        rotation: the largest turn to either side, in degrees.
        horizontal_flip: the chance that a view is mirrored left to right, in 0..1. Set 0 where it changes the meaning,
            as with digits.
        vertical_flip: the chance that a view is turned upside down.
        jitter: the chance that the colours change, in 0..1.
        brightness: light is multiplied by 1 - brightness to 1 + brightness.
        contrast: the same for differences from the mean grey of the view.
        saturation: the same for differences from grey of each pixel.
        hue: the largest turn of the hues to either side, in turns: 0.5 is all of them.
        grey: the chance that a view loses its colours.
        blur: the chance that a view is blurred.
        blur_sigma: smallest and largest width of the blur, in hundredths of the view's side.
    """

    crop_scale: tuple[float, float] = (0.2, 1.0)
    crop_ratio: tuple[float, float] = (3 / 4, 4 / 3)
    rotation: float = 0.0
    horizontal_flip: float = 0.5
    vertical_flip: float = 0.0
    jitter: float = 0.8
    brightness: float = 0.4
    contrast: float = 0.4
    saturation: float = 0.4
    hue: float = 0.1
    grey: float = 0.2
    blur: float = 0.3
    blur_sigma: tuple[float, float] = (0.1, 1.5)

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        for name in ("horizontal_flip", "vertical_flip", "jitter", "grey", "blur"):
            _require(name, getattr(self, name), 0, 1, "a chance from 0 to 1")
        for name in ("brightness", "contrast", "saturation"):
            _require(name, getattr(self, name), 0, 1, "a strength from 0 to 1")
        _require("hue", self.hue, 0, 0.5, "turns from 0 to 0.5")
        _require("rotation", self.rotation, 0, 180, "degrees from 0 to 180")
        for name, top in (("crop_scale", 1.0), ("crop_ratio", 100.0), ("blur_sigma", 100.0)):
            low, high = _pair(name, getattr(self, name))
            _require(name, low, 1e-3, high, f"a pair from low to high, at most {top:g}")
            _require(name, high, low, top, f"a pair from low to high, at most {top:g}")

    @classmethod
    def of(cls, given: "Augmentations | dict[str, object] | None", **defaults: object) -> "Augmentations":
        """Take augmentations as they are given: as such, as a dict of those that differ from the defaults, or None.

        Raises:
            ModelError: if a name is unknown, or a value cannot be.

        Example:
            >>> Augmentations.of({"horizontal_flip": False}).horizontal_flip
            0.0
        """
        if isinstance(given, Augmentations):
            return given
        known = [field.name for field in fields(cls)]
        values: dict[str, object] = {**defaults, **(given or {})}
        for name, value in values.items():
            if name not in known:
                raise ModelError(f"no augmentation {name!r}. {hint(name, known, 'Augmentations')}")
            pair = name in {"crop_scale", "crop_ratio", "blur_sigma"}
            values[name] = _pair(name, value) if pair else _number(name, value)
        return cls(**values)  # type: ignore[arg-type]  # each was converted just above

    def views(self, images: Tensor, size: int, generator: torch.Generator) -> Tensor:
        """Draw one view of each image.

        Args:
            images: (n, 3, h, w) float in 0..1.
            size: the side of a view in pixels.
            generator: draws the parameters; it must be one of the processor.

        Returns:
            (n, 3, size, size) of the type of `images`, in 0..1.
        """
        views = self._cropped(images, size, generator)
        views = self._coloured(views, generator)
        return self._blurred(views, generator).clamp(0, 1)

    def _cropped(self, images: Tensor, size: int, generator: torch.Generator) -> Tensor:
        """Crop, turn and mirror in one resampling. What a turn reaches outside of the image is its rim."""
        n = len(images)
        area = _uniform(n, *self.crop_scale, generator)
        ratio = _uniform(n, math.log(self.crop_ratio[0]), math.log(self.crop_ratio[1]), generator).exp()
        wide, high = (area * ratio).sqrt().clamp(max=1), (area / ratio).sqrt().clamp(max=1)
        right, down = (1 - wide) * _uniform(n, -1, 1, generator), (1 - high) * _uniform(n, -1, 1, generator)
        turn = torch.deg2rad(_uniform(n, -self.rotation, self.rotation, generator))
        wide = wide * _sign(n, self.horizontal_flip, generator)
        high = high * _sign(n, self.vertical_flip, generator)
        cosine, sine = turn.cos(), turn.sin()
        # From the corners (±1, ±1) of the view to those of the crop: scale, turn, move.
        matrix = torch.stack(
            [torch.stack([wide * cosine, -high * sine, right], 1), torch.stack([wide * sine, high * cosine, down], 1)],
            1,
        ).to(images)
        grid = functional.affine_grid(matrix, [n, 3, size, size], align_corners=False)
        return functional.grid_sample(images, grid, padding_mode="border", align_corners=False)

    def _coloured(self, views: Tensor, generator: torch.Generator) -> Tensor:
        """Change colours by one affine map of (red, green, blue) for each view."""
        n = len(views)
        changed = torch.rand(n, generator=generator) < self.jitter
        brightness, contrast, saturation = (
            torch.where(changed, _uniform(n, 1 - strength, 1 + strength, generator), 1.0)
            for strength in (self.brightness, self.contrast, self.saturation)
        )
        hue = torch.where(changed, _uniform(n, -self.hue, self.hue, generator), 0.0)
        saturation = torch.where(torch.rand(n, generator=generator) < self.grey, 0.0, saturation)
        matrix = colour_matrices(hue, saturation)
        matrix = ((brightness * contrast)[:, None, None] * matrix).to(views)
        means = torch.einsum("c,nchw->n", torch.tensor(_LUMA).to(views), views) / (views.shape[2] * views.shape[3])
        offset = (brightness * (1 - contrast)).to(views) * means
        return torch.einsum("nij,njhw->nihw", matrix, views) + offset[:, None, None, None]

    def _blurred(self, views: Tensor, generator: torch.Generator) -> Tensor:
        """Blur some of the views by a Gaussian, along the rows and then along the columns."""
        n, channels, height, width = views.shape
        chosen = torch.rand(n, generator=generator) < self.blur
        sigma = _uniform(n, *self.blur_sigma, generator)[chosen] * width / 100
        reach = min(int(3 * self.blur_sigma[1] * width / 100 + 0.999), min(height, width) - 1)
        if not len(sigma) or reach < 1:
            return views
        kernels = gaussian_kernels(sigma, reach).to(views).repeat_interleave(channels, 0)
        rows = views[chosen.to(views.device)].reshape(1, -1, height, width)
        for shape, padding in (
            ((-1, 1, 1, 2 * reach + 1), (reach, reach, 0, 0)),
            ((-1, 1, 2 * reach + 1, 1), (0, 0, reach, reach)),
        ):
            padded = functional.pad(rows, padding, mode="reflect")
            rows = functional.conv2d(padded, kernels.reshape(shape), groups=len(kernels))
        blurred = views.clone()
        blurred[chosen.to(views.device)] = rows.reshape(-1, channels, height, width)
        return blurred


def colour_matrices(hue: Tensor, saturation: Tensor) -> Tensor:
    """The matrices that turn hues and scale the distance from grey, and keep greys as they are.

    Args:
        hue: (n,) turns of the colour circle.
        saturation: (n,) 0 for grey, 1 for no change.

    Returns:
        (n, 3, 3), to be multiplied with (red, green, blue).

    Source: a rotation about the grey axis of YIQ, which is linear in the colours and so far quicker than by way of HSV.
    """
    to_yiq = torch.tensor([_LUMA, (0.595716, -0.274453, -0.321263), (0.211456, -0.522591, 0.311135)])
    angle = 2 * torch.pi * hue
    cosine, sine = saturation * angle.cos(), saturation * angle.sin()
    one, zero = torch.ones_like(hue), torch.zeros_like(hue)
    turn = torch.stack([one, zero, zero, zero, cosine, -sine, zero, sine, cosine], 1).reshape(-1, 3, 3)
    matrices: Tensor = torch.linalg.inv(to_yiq) @ turn @ to_yiq
    return matrices


def gaussian_kernels(sigma: Tensor, reach: int) -> Tensor:
    """Weights of 2 * reach + 1 neighbouring pixels, (n, 2 * reach + 1), each row with the sum 1.

    Example:
        >>> gaussian_kernels(torch.tensor([0.5]), 1).round(decimals=4)
        tensor([[0.1065, 0.7870, 0.1065]])
    """
    distance = torch.arange(-reach, reach + 1, dtype=sigma.dtype)
    weights = torch.exp(-0.5 * (distance / sigma[:, None]) ** 2)
    return weights / weights.sum(1, keepdim=True)


def _uniform(n: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(n, generator=generator)


def _sign(n: int, chance: float, generator: torch.Generator) -> Tensor:
    return torch.where(torch.rand(n, generator=generator) < chance, -1.0, 1.0)


def _number(name: str, value: object) -> float:
    if not isinstance(value, int | float):
        raise ModelError(f"augmentation {name}={value!r} is not a number.")
    return float(value)


def _pair(name: str, value: object) -> tuple[float, float]:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise ModelError(f"augmentation {name}={value!r} is not a pair (low, high).")
    return _number(name, value[0]), _number(name, value[1])


def _require(name: str, value: float, low: float, high: float, expected: str) -> None:
    if not low <= value <= high:  # NaN is refused too
        raise ModelError(f"augmentation {name}={value!r}: expected {expected}.")
