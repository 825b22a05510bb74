"""What a package says it offers is what it offers."""

import ast
import importlib
from pathlib import Path
from types import ModuleType

import pytest

import saccade

PACKAGES = [
    "saccade",
    "saccade.types",
    "saccade.brain",
    "saccade.dataset.aggregations",
    "saccade.dataset.expressions",
    "saccade.dataset.formats",
    "saccade.dataset.labels",
    "saccade.dataset.schema",
    "saccade.dataset.stages",
]


def package(name: str) -> ModuleType:
    return saccade.types if name == "saccade.types" else importlib.import_module(name)


@pytest.mark.parametrize("name", PACKAGES)
def test_every_name_in_all_can_be_had(name):
    found = package(name)
    assert len(found.__all__) == len(set(found.__all__))
    assert [public for public in found.__all__ if not hasattr(found, public)] == []


@pytest.mark.parametrize("name", PACKAGES)
def test_all_equals_what_is_visible(name):
    found = package(name)
    for public in found.__all__:
        getattr(found, public)
    assert visible(found) == set(found.__all__)


def test_the_lazy_names_are_those_that_type_checkers_see():
    tree = ast.parse(Path(saccade.__file__).read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    shown = {
        alias.name: f".{statement.module}"
        for statement in block.body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
    }
    assert shown == saccade._HOME_OF
    assert set(shown) == set(saccade.__all__)


def test_every_label_field_and_aggregation_is_a_public_name():
    for home in ("aggregations", "labels", "schema"):
        offered = importlib.import_module(f"saccade.dataset.{home}")
        classes = {name for name in offered.__all__ if isinstance(getattr(offered, name), type)}
        inner = {"Aggregation", "Document", "Resolved", "Schema", "UnknownField"}
        assert classes - inner <= set(saccade.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'saccade' has no attribute 'Datset'"):
        _ = saccade.Datset


def test_dir_lists_the_public_names():
    assert set(dir(saccade)) == {*saccade.__all__, "__version__"}


def visible(module: ModuleType) -> set[str]:
    """The names without underscore that a module holds and that are the library's own, modules inside it left out."""
    inside = (
        {path.stem for path in Path(str(module.__file__)).parent.iterdir()} if hasattr(module, "__path__") else set()
    )
    return {
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and name != "TYPE_CHECKING"
        and is_ours(value)
        and (name not in inside or name in module.__all__)
    }


def is_ours(value: object) -> bool:
    home = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
    return home is None or home.startswith("saccade")
