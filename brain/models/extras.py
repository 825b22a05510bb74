"""Optional packages of models: imported when a model needs them, and named with the command that installs them."""

from importlib import import_module
from typing import Any

from ...dataset.errors import MissingExtraError


def imported(package: str, extra: str, wanted_by: str) -> Any:
    """Import an optional package.

    Args:
        package: its import name.
        extra: the extra of Saccade that brings it.
        wanted_by: what needs it, for the message.

    Raises:
        MissingExtraError: if it is not installed.

    Example:
        >>> imported("no_such_net", "torch", "model 'hf:facebook/dinov2-small'")
        Traceback (most recent call last):
            ...
        saccade.dataset.errors.MissingExtraError: model 'hf:facebook/dinov2-small' needs the package no_such_net: pip
        install 'saccade[torch]'. The model 'builtin' needs no other package.
    """
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package.partition(".")[0]:
            raise  # it is there, and lacks something itself
        raise MissingExtraError(
            f"{wanted_by} needs the package {package}: pip install 'saccade[{extra}]'. The model 'builtin' needs no "
            "other package."
        ) from error
