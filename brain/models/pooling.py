"""From what a network returns to one flat vector per image."""

from collections.abc import Callable
from typing import Any, Literal

from ...dataset.errors import ModelError, WrongOutputShapeError

Pooling = Literal["mean", "first", "flatten"] | Callable[[Any], Any] | None
"""How a vector is made of a network's output; see `pooled`."""


def pooled(output: Any, pooling: Pooling, *, count: int, channels_first: bool, name: str) -> Any:
    """Bring a network's output to (count, d).

    ==================  ==========================  ==============================================================
    output              pooling                     vector
    ==================  ==========================  ==============================================================
    (n, d)              any                         as it is
    (n, d, 1, 1)        any                         without the axes of length one
    (n, c, h, w)        None, "mean"                the mean over all places (of (n, h, w, c) where channels come
                                                    last)
    (n, tokens, d)      "mean"                      the mean over all tokens
    (n, tokens, d)      "first"                     the first token (the class token of most transformers)
    more than 2 axes    "flatten"                   all numbers side by side
    anything            a function                  what it makes of the output; one of the forms above
    ==================  ==========================  ==============================================================

    Args:
        output: a NumPy array or a torch tensor.
        pooling: None, "mean", "first", "flatten" or a function.
        count: how many images went in.
        channels_first: whether maps are (n, c, h, w).
        name: the model's name, for messages.

    Raises:
        WrongOutputShapeError: if the output is none of these.
    """
    if callable(pooling):
        output, pooling = pooling(output), None
    shape = getattr(output, "shape", None)
    if shape is None:
        raise WrongOutputShapeError(
            f"model {name!r} returned a {type(output).__name__}; expected one array with a row per image. Pass "
            "pooling=, a function that takes the vectors out of it."
        )
    shape = tuple(int(length) for length in shape)
    if len(shape) < 2 or shape[0] != count or 0 in shape:
        raise WrongOutputShapeError(
            f"model {name!r} returned shape {shape} for {count} images; expected ({count}, d), or maps or tokens per "
            "image that pooling= makes one vector of."
        )
    if len(shape) == 2:
        return output
    if pooling == "flatten" or _is_flat(shape):
        return output.reshape(count, -1)
    if len(shape) == 4 and pooling in {None, "mean"}:
        return output.mean((2, 3) if channels_first else (1, 2))
    if len(shape) == 3 and pooling in {"mean", "first"}:
        return output.mean(1) if pooling == "mean" else output[:, 0]
    raise WrongOutputShapeError(
        f"model {name!r} returned shape {shape} for {count} images, and pooling={pooling!r} makes no vector of each. "
        "Use 'mean' or 'first' for tokens, 'mean' for maps, 'flatten', or a function of the output."
    )


def checked_pooling(pooling: Any) -> Pooling:
    """Give a way of pooling back that is one.

    Raises:
        ModelError: if it is none.
    """
    if pooling in (None, "mean", "first", "flatten") or callable(pooling):
        known: Pooling = pooling
        return known
    raise ModelError(f"pooling={pooling!r} is unknown. Use None, 'mean', 'first', 'flatten', or a function.")


def _is_flat(shape: tuple[int, ...]) -> bool:
    return sum(length > 1 for length in shape[1:]) <= 1
