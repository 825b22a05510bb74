"""How a Hugging Face model wants its images: its `preprocessor_config.json`, carried out by `preparation`.

The image processors of transformers are not used: those without torchvision do not exist for every model, and none can
prepare an image alone and leave it uint8. On the same image the numbers are the same, which the tests show.
"""

import json
from pathlib import Path
from typing import Any

from PIL import Image

from ...dataset.errors import ModelError
from .preparation import Preparation, checked_sides, per_channel

_CROP_BELOW = 384  # ConvNeXt: smaller images are resized a little larger, and cropped


def preparation_in(name: str, folder: Path, image_size: int | tuple[int, int] | None = None) -> Preparation:
    """Read how images are prepared for the model in a folder.

    Args:
        name: the model's name, for messages.
        folder: where its files are.
        image_size: another size than the model's own; what is cut off at the borders stays in proportion.

    Raises:
        ModelError: if the folder does not say it, or asks for something that has no fixed size.
    """
    config = _config_in(name, folder)
    if not config.get("do_resize", True) or "max_num_patches" in config:
        raise ModelError(
            f"model {name!r} takes images of any size, one shape per image, which cannot be put in one batch. Use a "
            "model with a fixed size."
        )
    (height, width), shortest_side = _sizes(name, config)
    if image_size is not None:
        wanted = (image_size, image_size) if isinstance(image_size, int) else checked_sides(image_size)
        if shortest_side is not None:
            shortest_side = max(*wanted, round(shortest_side * min(wanted) / min(height, width)))
        height, width = wanted
    is_normalised = config.get("do_normalize", True) and config.get("image_mean") is not None
    return Preparation(
        height, width, shortest_side, Image.Resampling(config.get("resample", Image.Resampling.BICUBIC)),
        scale=config.get("rescale_factor", 1 / 255) if config.get("do_rescale", True) else 1.0,
        mean=per_channel("image_mean", config["image_mean"] if is_normalised else 0.0),
        std=per_channel("image_std", config["image_std"] if is_normalised else 1.0),
    )  # fmt: skip


def _config_in(name: str, folder: Path) -> dict[str, Any]:
    for file, key in (("preprocessor_config.json", None), ("processor_config.json", "image_processor")):
        path = folder / file
        if path.is_file():
            try:
                content = json.loads(path.read_text(encoding="utf-8"))
            except ValueError as error:
                raise ModelError(f"model {name!r}: {path} is no JSON: {error}") from error
            config: dict[str, Any] | None = content if key is None else content.get(key)
            if config is not None:
                return config
    raise ModelError(
        f"model {name!r}: {folder} holds no preprocessor_config.json, so it is not known how images are prepared for "
        "it. Save the model's image processor there too: `processor.save_pretrained(folder)`."
    )


def _sizes(name: str, config: dict[str, Any]) -> tuple[tuple[int, int], int | None]:
    """(height, width), and how long the shorter side is before that is cut out; None where images are squeezed."""
    size, crop = config.get("size"), config.get("crop_size")
    is_cropped = bool(config.get("do_center_crop", crop is not None))
    if isinstance(size, int):  # as it was written before 2023
        size = {"shortest_edge": size} if is_cropped or "crop_pct" in config else {"height": size, "width": size}
    if isinstance(crop, int):
        crop = {"height": crop, "width": crop}
    if isinstance(size, dict) and size.get("shortest_edge") and not size.get("longest_edge"):
        side = int(size["shortest_edge"])
        if config.get("crop_pct"):
            return (side, side), int(side / config["crop_pct"]) if side < _CROP_BELOW else None
        return ((int(crop["height"]), int(crop["width"])) if is_cropped and crop else (side, side)), side
    if isinstance(size, dict) and size.get("height") and size.get("width") and not is_cropped:
        return (int(size["height"]), int(size["width"])), None
    raise ModelError(
        f"model {name!r} prepares images in a way that is not supported: size={size}, crop_size={crop}, "
        f"do_center_crop={is_cropped}. Use a function as the model instead."
    )
