"""Configs in files: JSON, and YAML as its version 1.2 has it. What is in them is checked by `brain.selection.config`.

PyYAML reads version 1.1, in which `no` is false, `1e-3` a string and `1:30` ninety. Here they are a string, a number
and a string, as people mean them.
"""

import json
import re
from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import Any

from ...dataset.errors import SelectionError, hint

ENDINGS = (".json", ".yaml", ".yml")
_SCALARS = (
    ("tag:yaml.org,2002:null", r"~|null|Null|NULL|", ("~", "n", "N", "")),
    ("tag:yaml.org,2002:bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("tag:yaml.org,2002:int", r"[-+]?(0|[1-9][0-9]*)", "-+0123456789"),
    (
        "tag:yaml.org,2002:float",
        r"[-+]?((\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+)",
        "-+.0123456789",
    ),
)


def read_config_file(path: str | PathLike[str]) -> dict[str, Any]:
    """Read a mapping from a file.

    Args:
        path: a file that ends in .json, .yaml or .yml.

    Raises:
        SelectionError: if there is no such file, it cannot be parsed (with the line), it is not a mapping, or a key is
            in it twice.
    """
    file = Path(path)
    if file.suffix.lower() not in ENDINGS:
        raise SelectionError(f"{str(path)!r} is not the path of a config: {', '.join(ENDINGS)}.")
    try:
        content = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise SelectionError(f"there is no file {str(path)!r}. {hint(file.name, _beside(file), 'There are')}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SelectionError(f"{path} cannot be read: {error}") from error
    value = _from_json(content, file) if file.suffix.lower() == ".json" else _from_yaml(content, file)
    if not isinstance(value, dict):
        raise SelectionError(f"{path} holds {value!r}, not a mapping with n_samples and strategies.")
    return value


def _beside(file: Path) -> list[str]:
    """The configs in the same folder."""
    if not file.parent.is_dir():
        return []
    return [other.name for other in file.parent.iterdir() if other.suffix.lower() in ENDINGS]


def _from_json(content: str, file: Path) -> Any:
    try:
        return json.loads(content, object_pairs_hook=lambda pairs: _once(pairs, str(file)))
    except json.JSONDecodeError as error:
        advice = " It reads as YAML: name it .yaml." if _is_yaml(content, file) else ""
        raise SelectionError(f"{file}, line {error.lineno}: {error.msg} (column {error.colno}).{advice}") from None


def _is_yaml(content: str, file: Path) -> bool:
    try:
        return isinstance(_from_yaml(content, file), dict)
    except SelectionError:
        return False


def _from_yaml(content: str, file: Path) -> Any:
    import yaml

    class Loader(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no types
        """PyYAML's safe loader, with the scalars of version 1.2 and each key once."""

        yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - the name and form are PyYAML's

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
            found = dict(super().construct_mapping(node, deep=deep))
            keys = [(self.construct_object(key, deep=True), None) for key, _ in node.value]
            _once(keys, f"{file}, line {node.start_mark.line + 1}")
            return found

    for tag, pattern, first in _SCALARS:
        Loader.add_implicit_resolver(tag, re.compile(f"^(?:{pattern})$"), list(first))
    try:
        return yaml.load(content, Loader)  # noqa: S506 - it is a SafeLoader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark is not None else ""
        said = getattr(error, "problem", None) or str(error)
        raise SelectionError(f"{file}{line}: {said}.") from None


def _once(pairs: Iterable[tuple[Any, Any]], where: str) -> dict[Any, Any]:
    """A mapping of the pairs, none of whose keys comes twice."""
    found: dict[Any, Any] = {}
    for key, value in pairs:
        if key in found:
            raise SelectionError(f"{where}: the key {key!r} is there twice.")
        found[key] = value
    return found
