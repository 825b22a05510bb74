"""Every module has its place in the layers, which `make check` enforces."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OUTSIDE = {"saccade.dataset.extensions"}
"""Modules that stand beside the layers: `extensions` only knows the names of the verbs above it."""


def test_every_module_is_in_a_layer():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    (layers,) = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    placed = {name for layer in layers for name in re.findall(r"[\w.]+", layer)}
    modules = {f"saccade.{folder}.{name}" for folder in ("brain", "dataset") for name in parts(ROOT / folder)}
    assert modules - placed - OUTSIDE == set()


def parts(folder: Path) -> list[str]:
    return [
        path.stem
        for path in folder.iterdir()
        if (path.suffix == ".py" or (path / "__init__.py").exists()) and path.stem != "__init__"
    ]
