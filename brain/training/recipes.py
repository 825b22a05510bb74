"""Recipes: everything that decides what a training does, with defaults by how many images there are."""

from dataclasses import asdict, dataclass, field
from numbers import Integral
from typing import Any

from ...dataset.errors import ModelError
from ..models.backbones import backbone_name
from .augmentations import Augmentations

SMALLEST = 16
"""Fewer images than this are refused: with so few others to be told from, nothing is learned."""

METHODS = ("simclr", "vicreg")

_EPOCHS = ((2_000, 60), (10_000, 40), (50_000, 20), (200_000, 10))
"""Up to so many images, so many epochs: fewer images are seen more often."""

_LEAST_EPOCHS = 5


@dataclass(frozen=True)
class Recipe:
    """What a training does. The same recipe, images and machine give the same weights.

    Attributes:
        method: "simclr" or "vicreg".
        backbone: one of `saccade.brain.models.backbones.BACKBONES`.
        image_size: the side in pixels of what the network looks at.
        dimension: the length of a vector.
        epochs: how often each image is seen, at most.
        batch_size: images per step, of two views each.
        learning_rate: the largest step of AdamW; it rises over the first twentieth of the steps and falls as a cosine.
        weight_decay: AdamW's.
        temperature: SimCLR's; the smaller, the more the hardest of the other images count.
        patience: epochs without a better validation after which the training stops.
        seed: draws weights, order and views.
        augmentations: what two views of an image differ in.
    """

    method: str
    backbone: str
    image_size: int
    dimension: int
    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float = 1e-4
    temperature: float = 0.2
    patience: int = 10
    seed: int = 0
    augmentations: Augmentations = field(default_factory=Augmentations)

    @property
    def stored_size(self) -> int:
        """The side of the images that crops are taken from: a little larger, so that crops lose less."""
        return self.image_size if self.image_size <= 32 else round(1.25 * self.image_size)

    def params(self) -> dict[str, Any]:
        """All of it as plain values."""
        return asdict(self)


def recipe_for(count: int, **given: Any) -> Recipe:
    """Fill in what was not given, by the number of images.

    Args:
        count: how many images there are.
        **given: attributes of `Recipe`; None takes the default.

    Raises:
        ModelError: if a value cannot be.

    Example:
        >>> recipe_for(500).epochs, recipe_for(5_000).epochs, recipe_for(1_000_000).epochs
        (60, 40, 5)
    """
    values = {name: value for name, value in given.items() if value is not None}
    method, backbone = values.get("method", "vicreg"), backbone_name(values.get("backbone", "cnn"))
    if method not in METHODS:
        raise ModelError(f"method={method!r} is unknown. Use {' or '.join(map(repr, METHODS))}.")
    epochs = next((epochs for most, epochs in _EPOCHS if count <= most), _LEAST_EPOCHS)
    usual: dict[str, Any] = {
        "image_size": 64, "dimension": 64, "epochs": epochs,
        "batch_size": 64 if count < 1_000 else 128 if count < 20_000 else 256,
        "learning_rate": 5e-4 if backbone.startswith("vit") else 2e-3,
    }  # fmt: skip
    values = {**usual, **values, "method": method, "backbone": backbone}
    values.setdefault("patience", max(5, int(values["epochs"]) // 2) if isinstance(values["epochs"], Integral) else 10)
    for name, least in {
        "dimension": 2,
        "epochs": 1,
        "batch_size": 4,
        "patience": 1,
        "seed": 0,
        "image_size": 8,
    }.items():
        value = values.get(name, least)
        if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
            raise ModelError(f"{name}={value!r}: expected a whole number, {least} or more.")
    if values["image_size"] > 512:
        raise ModelError(f"image_size={values['image_size']}: expected at most 512 pixels.")
    for name in ("learning_rate", "weight_decay", "temperature"):
        value = values.get(name, 1.0)
        if not isinstance(value, int | float) or not 0 < value < 1_000:
            raise ModelError(f"{name}={value!r}: expected a number above 0.")
    values["augmentations"] = Augmentations.of(values.get("augmentations"))
    return Recipe(**values)
