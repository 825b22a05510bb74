"""`saccade info`: what is installed, where it keeps things and what is there; with `--check`, whether it works."""

import argparse
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ... import __version__
from ...dataset.media import known_sources
from ...dataset.media.datasource import Datasource
from ...dataset.named import list_datasets, load_dataset
from ...dataset.settings import Settings, config_file, current

if TYPE_CHECKING:
    from argparse import _SubParsersAction

EXTRAS = {
    "cloud": ("obstore", "buckets, fast"), "fast": ("simplejpeg", "JPEGs decoded faster and checked more strictly"),
    "onnx": ("onnxruntime", "onnx: models"), "tensorflow": ("tensorflow", "tf: models"),
    "torch": ("torch", "hf: models, and training"), "video": ("av", "videos"), "viz": ("umap", "method='umap'"),
}  # fmt: skip
"""What each extra brings, by a module of it; those that something uses already."""


def add_parser(subparsers: "_SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare `saccade info` and its options."""
    parser = subparsers.add_parser("info", help="the installation, or a dataset", description=__doc__)
    parser.add_argument("name", nargs="?", help="a dataset to describe instead")
    parser.add_argument("--check", action="store_true", help="try whether all of it works; the exit status is 1 if not")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print what is asked for."""
    if args.name is not None:
        print(load_dataset(args.name))
        return 0
    settings = current()
    for name, value in _facts(settings):
        print(f"{name:<12} {value}")
    return _check(settings) if args.check else 0


def _facts(settings: Settings) -> Iterator[tuple[str, str]]:
    yield "saccade", f"{__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    yield "settings", f"{config_file()}{'' if config_file().is_file() else ' (not there: defaults)'}"
    yield "data", str(settings.data_dir)
    yield "cache", str(settings.cache_dir)
    yield "database", "of its own" if settings.database_uri is None else "named by the settings"
    for extra, (module, use) in EXTRAS.items():
        there = find_spec(module) is not None
        yield extra, f"{_version(module)}: {use}" if there else f"not installed: {use}; pip install 'saccade[{extra}]'"
    for source in _sources():
        yield "source", f"{source.name}: {source.url}"


def _sources() -> list[Datasource]:
    found = map(known_sources.source_named, known_sources.names())
    return [source for source in found if source is not None]


def _version(module: str) -> str:
    try:
        return f"{module} {version(module)}"
    except PackageNotFoundError:  # the package has another name than its module
        return module


def _check(settings: Settings) -> int:
    """Try each part, say how it went, and give the exit status."""
    print()
    trials: dict[str, Callable[[], str]] = {
        "data": partial(_writable, settings.data_dir),
        "cache": partial(_writable, settings.cache_dir),
        "database": lambda: f"answers; {len(list_datasets()):,} datasets",
    }
    trials |= {extra: partial(_imported, module) for extra, (module, _) in EXTRAS.items() if find_spec(module)}
    trials |= {f"source {source.name}": partial(_listed, source) for source in _sources()}
    failed = 0
    for name, trial in trials.items():
        try:
            print(f"ok    {name}: {trial()}")
        except Exception as error:  # noqa: BLE001  # a package that is half installed raises anything
            failed += 1
            print(f"FAIL  {name}: {str(error) or type(error).__name__}")
    print("\nAll works." if not failed else f"\n{failed} of {len(trials)} do not work.")
    return 1 if failed else 0


def _writable(folder: Path) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"saccade")
    return f"{folder} can be written, {shutil.disk_usage(folder).free / 1e9:,.1f} GB free"


def _imported(module: str) -> str:
    import_module(module)
    return f"{_version(module)} can be imported"


def _listed(source: Datasource) -> str:
    first = next(iter(source.files()), None)
    return f"{source.url} can be listed" + (
        "; no image or video there" if first is None else f", {first.path} comes first"
    )
