"""The record of the server that serves a data folder: written by its supervisor, believed only while it is true."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from .supervisor import PROC, answers, process_start


@dataclass(frozen=True)
class Record:
    """A server that answered a ping when this was written.

    Attributes:
        pid: its process.
        started: when that process began, in the system's notation; a pid alone may have been given away again.
        socket: where it listens.
        version: of mongod.
    """

    pid: int
    started: str
    socket: str
    version: str

    @classmethod
    def read(cls, path: Path) -> "Record | None":
        """Read a record; None if there is none or it cannot be understood."""
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            return cls(int(values["pid"]), str(values["started"]), str(values["socket"]), str(values["version"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def is_alive(self) -> bool:
        """Whether this very process still runs."""
        return process_start(self.pid) == self.started

    def seems_alive(self) -> bool:
        """The same in microseconds, for a server that was alive a while ago.

        Where there is no `/proc`, another process that was given the same pid would be mistaken for it.
        """
        if PROC.is_dir():
            return self.is_alive()
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def answers(self, timeout: float = 2.0) -> bool:
        """Whether the server answers a ping."""
        return answers(self.socket, timeout)
