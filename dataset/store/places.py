"""Where the embedded server of a data folder keeps its files, and whether these places are fit for it.

The data lie under the data folder; the socket lies elsewhere, in a private folder with a short path, because a unix
socket's path may not be longer than about a hundred bytes.
"""

import errno
import hashlib
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote_plus

from ..errors import ServerStartError
from ..settings import Settings, runtime_root

SOCKET_NAME = "mongodb-27017.sock"

_LONGEST_SOCKET_PATH = 107 if sys.platform == "linux" else 103
_NETWORK_FILE_SYSTEMS = {"afs", "ceph", "cifs", "fuse.sshfs", "lustre", "nfs", "nfs4", "smb3", "smbfs"}


@dataclass(frozen=True)
class Places:
    """The files of one embedded server.

    Attributes:
        data: mongod's own folder.
        server: log, record and locks.
    """

    data: Path
    server: Path

    @classmethod
    def of(cls, settings: Settings) -> "Places":
        """The places under the data folder of `settings`; nothing is made."""
        return cls(settings.data_dir / "db", settings.data_dir / "server")

    @property
    def record(self) -> Path:
        """Who serves this data folder, or did last."""
        return self.server / "record.json"

    @property
    def log(self) -> Path:
        """What mongod and the supervisor said."""
        return self.server / "mongod.log"

    @property
    def start_lock(self) -> Path:
        """Held by whoever starts or stops the server."""
        return self.server / "start.lock"

    @property
    def supervisor_lock(self) -> Path:
        """Held by the supervisor for as long as the server runs."""
        return self.server / "supervisor.lock"

    @property
    def clients(self) -> Path:
        """One file per client process, locked while it lives."""
        return self.server / "clients"

    @property
    def kept(self) -> Path:
        """There while the server shall stay without clients."""
        return self.server / "kept"

    def make(self) -> None:
        """Make the folders.

        Raises:
            ServerStartError: if they cannot be made or written to, or lie on a network disk.
        """
        try:
            for folder in (self.data, self.server, self.clients):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for folder in (self.data, self.server):
                with tempfile.TemporaryFile(dir=folder):
                    pass
        except OSError as error:
            raise ServerStartError(cannot_write(self, error)) from error
        kind = file_system(self.data)
        if kind in _NETWORK_FILE_SYSTEMS:
            raise ServerStartError(
                f"the data folder {self.data.parent} lies on a network disk ({kind}), where a database can lose data. "
                "Choose a folder on a local disk with SACCADE_DATA_DIR, or use a MongoDB server on another machine "
                "with SACCADE_DATABASE_URI."
            )


def cannot_write(places: Places, error: OSError) -> str:
    """Say that a file under the data folder cannot be written, and what to do."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return no_space(places)
    return (
        f"the data folder {places.data.parent} cannot be written to: {error.strerror} ({error.filename}). "
        "Give yourself the right to write there, or choose another folder with SACCADE_DATA_DIR."
    )


def no_space(places: Places) -> str:
    """Say that nothing more fits under the data folder, and what to do."""
    return (
        f"there is no space to write in {places.data.parent}: the disk or the quota is full, or the limit on a file's "
        "size (`ulimit -f`) is too low. A new database needs about 300 MB. Make room, or choose another folder with "
        "SACCADE_DATA_DIR. What was written before is intact."
    )


def socket_uri(socket: str) -> str:
    """The MongoDB URI of a unix socket."""
    return f"mongodb://{quote_plus(socket)}"


def choose_socket(settings: Settings, places: Places, last: str | None) -> str:
    """Choose where the server shall listen, and make its private folder.

    Args:
        settings: `runtime_dir` decides if it is set.
        places: the data folder, from whose path the folder's name is made.
        last: the socket before, taken again where possible so that clients which are still there find the new server.

    Raises:
        ServerStartError: if the path is too long or the folder is not private.
    """
    if settings.runtime_dir is None and last is not None and _is_private(Path(last).parent.parent):
        folder = Path(last).parent
    else:
        name = hashlib.sha256(os.fsencode(places.data.resolve())).hexdigest()[:12]
        folder = _runtime_root(settings) / name
    socket = folder / SOCKET_NAME
    length = len(os.fsencode(socket))
    if length > _LONGEST_SOCKET_PATH:
        raise ServerStartError(
            f"the socket's path {socket} is {length} bytes long; the system allows {_LONGEST_SOCKET_PATH}. "
            "Choose a folder with a shorter path with SACCADE_RUNTIME_DIR."
        )
    if settings.runtime_dir is None:
        _make_private(folder.parent)
    _make_private(folder)
    return str(socket)


def file_system(path: Path, mounts: str | None = None) -> str:
    """The kind of file system that holds `path`, as Linux names it; "" where that is not known.

    Args:
        path: an existing path.
        mounts: the text of `/proc/self/mountinfo`; None reads it.
    """
    if mounts is None:
        try:
            mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
    found = (0, "")
    for line in mounts.splitlines():
        left, _, right = line.partition(" - ")
        point = left.split()[4].replace("\\040", " ")
        if path.is_relative_to(point) and len(point) >= found[0]:  # a later mount hides an earlier one
            found = (len(point), right.split()[0])
    return found[1]


def _runtime_root(settings: Settings) -> Path:
    if settings.runtime_dir is not None:
        return settings.runtime_dir
    root = runtime_root()
    # Under `su` the variable still names the other user's folder.
    if root is not None and _is_private(root) and os.access(root, os.W_OK):
        return root / "saccade"
    # Not the `tempfile` module's choice, which can be long. Owner and mode are checked before it is used.
    return Path("/tmp") / f"saccade-{os.getuid()}"  # noqa: S108  # checked by _make_private


def _is_private(folder: Path) -> bool:
    try:
        state = folder.lstat()
    except OSError:
        return False
    return folder.is_dir() and not folder.is_symlink() and state.st_uid == os.getuid() and state.st_mode & 0o077 == 0


def _make_private(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ServerStartError(
            f"the socket's folder {folder} cannot be made: {error.strerror}. Choose another with SACCADE_RUNTIME_DIR."
        ) from error
    if not _is_private(folder):
        state = folder.lstat()
        raise ServerStartError(
            f"the socket's folder {folder} must be a folder of yours (user {os.getuid()}) that nobody else can open; "
            f"it belongs to user {state.st_uid} and has mode {state.st_mode & 0o7777:o}. "
            "Remove it, or choose another with SACCADE_RUNTIME_DIR."
        )
