"""Small networks that turn images into vectors: a convolutional one and a vision transformer.

They are made to be trained from nothing on some hundreds to some hundred thousand images, on a processor or one GPU.
Weights are drawn by a generator, so a seed gives the same network.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ...dataset.errors import ModelError, hint

_SMALLEST, _LARGEST = 8, 512


@dataclass(frozen=True)
class Backbone:
    """A kind of network in one size.

    Attributes:
        kind: "cnn" or "vit".
        width: channels of the first stage, or of the tokens.
        depth: blocks of each stage, or in all.
    """

    kind: str
    width: int
    depth: int


BACKBONES = {
    "cnn-small": Backbone("cnn", 32, 1),
    "cnn-medium": Backbone("cnn", 64, 2),
    "vit-small": Backbone("vit", 96, 4),
    "vit-medium": Backbone("vit", 192, 8),
}
"""The networks by name; "cnn" and "vit" alone are the small ones."""


def backbone_name(name: str) -> str:
    """The full name of a backbone.

    Raises:
        ModelError: if there is none.

    Example:
        >>> backbone_name("cnn")
        'cnn-small'
    """
    full = f"{name}-small" if name in {"cnn", "vit"} else name
    if full not in BACKBONES:
        raise ModelError(f"no backbone {name!r}. {hint(str(name), [*BACKBONES, 'cnn', 'vit'], 'Backbones')}")
    return full


def build_backbone(name: str, image_size: int, dimension: int, seed: int = 0) -> nn.Module:
    """Build a network with fresh weights.

    Args:
        name: one of `BACKBONES`.
        image_size: the side of its square images in pixels, from 8 to 512.
        dimension: the length of its vectors.
        seed: draws the weights.

    Returns:
        A module from (n, 3, image_size, image_size) float, normalised by `normalised`, to (n, dimension).

    Raises:
        ModelError: if there is no such backbone, or the size is out of range.
    """
    kind = BACKBONES[backbone_name(name)]
    if not _SMALLEST <= image_size <= _LARGEST:
        raise ModelError(f"image_size={image_size!r}: expected pixels from {_SMALLEST} to {_LARGEST}.")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if kind.kind == "cnn":
            return _ConvolutionalNetwork(kind, image_size, dimension)
        return _VisionTransformer(kind, image_size, dimension)


def normalised(images: Tensor) -> Tensor:
    """Bring pixels in 0..1 to about -2..2, as the networks expect them; alike for all channels and all data."""
    return (images - 0.45) / 0.25


def embed_pixels(network: nn.Module, pixels: NDArray[np.uint8], device: Any) -> Tensor:
    """Embed images of the right size as vectors of length one.

    Args:
        network: what `build_backbone` gave, on `device` and in evaluation mode.
        pixels: (n, size, size, 3) uint8.
        device: where to compute.

    Returns:
        (n, dimension) float32 on `device`.
    """
    with torch.inference_mode():
        images = torch.from_numpy(pixels).to(device).permute(0, 3, 1, 2).float() / 255
        return nn.functional.normalize(network(normalised(images)).float(), dim=1)


class _ConvolutionalNetwork(nn.Module):
    """Residual stages, each with half the side and twice the channels of the one before, down to about 4 x 4.

    Source: He et al., Deep Residual Learning, 2016; without the early pooling, which small images cannot afford.
    """

    def __init__(self, kind: Backbone, image_size: int, dimension: int) -> None:
        super().__init__()
        stride = 1 if image_size <= 32 else 2 if image_size <= 96 else 4
        layers: list[nn.Module] = [
            nn.Conv2d(3, kind.width, max(3, 2 * stride - 1), stride, max(1, stride - 1), bias=False),
            nn.BatchNorm2d(kind.width), nn.ReLU(),
        ]  # fmt: skip
        width, side = kind.width, image_size // stride
        layers += [_Residual(width, width, 1) for _ in range(kind.depth)]
        while side > 5 and width < 8 * kind.width:
            layers += [
                _Residual(width, 2 * width, 2),
                *(_Residual(2 * width, 2 * width, 1) for _ in range(kind.depth - 1)),
            ]
            width, side = 2 * width, (side + 1) // 2
        self.layers = nn.Sequential(*layers)
        self.out = nn.Linear(width, dimension)

    def forward(self, images: Tensor) -> Tensor:
        found: Tensor = self.out(self.layers(images).mean(dim=(2, 3)))
        return found


class _Residual(nn.Module):
    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU(),
            nn.Conv2d(after, after, 3, 1, 1, bias=False), nn.BatchNorm2d(after),
        )  # fmt: skip
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1 or before != after:
            self.shortcut = nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))

    def forward(self, images: Tensor) -> Tensor:
        return torch.relu(self.body(images) + self.shortcut(images))


class _VisionTransformer(nn.Module):
    """Patches as tokens with learned places, attention before which is normalised, and the mean of the tokens.

    Source: Dosovitskiy et al., An Image is Worth 16x16 Words, 2021; with the mean instead of a class token, and tokens
    made by convolutions, with which it learns from less (Xiao et al., Early Convolutions Help Transformers, 2021).
    """

    def __init__(self, kind: Backbone, image_size: int, dimension: int) -> None:
        super().__init__()
        halvings = max(1, math.ceil(math.log2(image_size / 8)))  # down to at most 8 x 8 tokens
        widths = [max(16, kind.width >> (halvings - 1 - step)) for step in range(halvings)]
        stem: list[nn.Module] = []
        for before, after in zip([3, *widths], widths, strict=False):
            stem += [nn.Conv2d(before, after, 3, 2, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
        self.tokens = nn.Sequential(*stem, nn.Conv2d(kind.width, kind.width, 1))
        side = -(-image_size // 2**halvings)
        self.places = nn.Parameter(0.02 * torch.randn(1, side * side, kind.width))
        self.blocks = nn.Sequential(*(_Attention(kind.width) for _ in range(kind.depth)))
        self.norm = nn.LayerNorm(kind.width)
        self.out = nn.Linear(kind.width, dimension)

    def forward(self, images: Tensor) -> Tensor:
        tokens = self.tokens(images).flatten(2).transpose(1, 2) + self.places
        found: Tensor = self.out(self.norm(self.blocks(tokens)).mean(dim=1))
        return found


class _Attention(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = width // 32
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.asked, self.answer = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mixed = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, tokens: Tensor) -> Tensor:
        n, count, width = tokens.shape
        asked = self.asked(self.before(tokens)).reshape(n, count, 3, self.heads, width // self.heads)
        query, key, value = asked.permute(2, 0, 3, 1, 4)
        seen = nn.functional.scaled_dot_product_attention(query, key, value)
        tokens = tokens + self.answer(seen.transpose(1, 2).reshape(n, count, width))
        mixed: Tensor = tokens + self.mixed(self.between(tokens))
        return mixed
