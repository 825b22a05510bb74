"""Checkpoints: the state of a training in a file that is there as a whole or not at all."""

import hashlib
import io
import logging
from typing import Any

import torch

from ..models.trained import models_folder, write_whole

_log = logging.getLogger("saccade")


class Checkpoint:
    """The file that a training goes on from.

    Attributes:
        file: where it lies.
        fingerprint: what the training is; a state of another one is not taken.
    """

    def __init__(self, owner: str, fingerprint: str) -> None:
        """Name the file by `owner`, which is the dataset's id and the model's name."""
        self.file = models_folder() / "unfinished" / f"{hashlib.blake2b(owner.encode(), digest_size=8).hexdigest()}.pt"
        self.fingerprint = fingerprint

    def save(self, state: dict[str, Any]) -> None:
        """Write a state: tensors, numbers, text, and lists and dicts of these."""
        buffer = io.BytesIO()
        torch.save({"fingerprint": self.fingerprint, "state": state}, buffer)
        write_whole(self.file, buffer.getvalue())

    def load(self) -> dict[str, Any] | None:
        """Read the state; None if there is none, it is of another training, or it cannot be read."""
        if not self.file.is_file():
            return None
        try:
            found = torch.load(self.file, map_location="cpu", weights_only=True)
            state: dict[str, Any] = found["state"]
            same = found["fingerprint"] == self.fingerprint
        except Exception as error:  # noqa: BLE001  # a damaged file raises whatever its parser stumbles over
            _log.warning("the checkpoint %s cannot be read, so the training begins anew: %s", self.file, error)
            return None
        return state if same else None

    def remove(self) -> None:
        """Delete the file, if it is there."""
        self.file.unlink(missing_ok=True)
