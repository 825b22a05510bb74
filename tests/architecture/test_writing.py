"""Rules of writing that no linter knows."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ("app", "brain", "dataset", "saccade")
EVERYWHERE = (*LIBRARY, "benchmarks", "docs", "tests", "tutorials")
LONGEST_FILE = 400
ALIASES = {("numpy", "np"), ("Set", "AbstractSet")}  # the second: or it would hide the built-in's meaning


def files(*folders: str) -> list[Path]:
    """The Python files below the top folders, the links in saccade/ not followed."""
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return sorted(path for path in found if not any(parent.is_symlink() for parent in path.parents))


def imports(*folders: str) -> Iterator[tuple[Path, ast.Import | ast.ImportFrom]]:
    for path in files(*folders):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import | ast.ImportFrom):
                yield path, node


def test_nothing_but_numpy_is_imported_under_another_name():
    aliases = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {alias.name} as {alias.asname}"
        for path, node in imports(*LIBRARY)
        for alias in node.names
        if alias.asname is not None and (alias.name, alias.asname) not in ALIASES
    ]
    assert aliases == []


def test_the_packages_are_never_imported_by_their_bare_names():
    bare = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path, node in imports(*EVERYWHERE)
        for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""])
        if name.split(".")[0] in {"app", "brain", "dataset"} and not getattr(node, "level", 0)
    ]
    assert bare == []


@pytest.mark.parametrize("folder", LIBRARY)
def test_no_file_is_longer_than_a_reader_can_hold(folder):
    lengths = {path.relative_to(ROOT): path.read_text(encoding="utf-8").count("\n") for path in files(folder)}
    assert {path: length for path, length in lengths.items() if length > LONGEST_FILE} == {}


def test_no_module_has_a_name_that_says_nothing():
    nothing = {"base_utils", "common", "handler", "handlers", "helper", "helpers", "manager", "misc", "util", "utils"}
    assert [path for path in files(*LIBRARY) if {path.stem, path.parent.name} & nothing] == []


def test_every_exemption_gives_its_reason():
    exemption = re.compile(r"#\s*(?:noqa(?::\s*[A-Z0-9, ]+?)?|type:\s*ignore(?:\[[\w, -]+\])?)(?P<reason>\s*#.*)?$")
    bare = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in files(*LIBRARY, "benchmarks", "tutorials")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (found := exemption.search(line)) and not found["reason"]
    ]
    assert bare == []
