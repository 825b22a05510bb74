"""Where a training computes."""

import torch

from ...dataset.errors import ModelError


def chosen_device(device: str | None) -> torch.device:
    """The device by its name; None is a GPU if there is one, else the processor.

    Raises:
        ModelError: if there is no such device.

    Example:
        >>> chosen_device("cpu")
        device(type='cpu')
    """
    cards = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device is None:
        return torch.device("cuda" if cards else "cpu")
    try:
        chosen = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise ModelError(f"device={device!r} is unknown. Use 'cpu', 'cuda' or 'cuda:<number>'.") from error
    if chosen.type == "cuda" and (chosen.index or 0) >= cards:
        raise ModelError(f"device={device!r}: torch {torch.__version__} finds {cards} CUDA cards. Use 'cpu' or None.")
    return chosen
