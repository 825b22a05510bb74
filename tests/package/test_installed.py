"""The wheel and the sdist are complete, and what they install works away from the checkout."""

import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.package

ROOT = Path(__file__).resolve().parents[2]
TOP_FOLDERS = ("app", "brain", "dataset")
LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist")

IMPORT_ALL = """
import importlib, pkgutil, saccade
networks = "saccade.brain.training.", "saccade.brain.models.backbones"
for module in pkgutil.walk_packages(saccade.__path__, "saccade."):
    if module.name.endswith(".__main__"):
        continue
    try:
        importlib.import_module(module.name)
    except ModuleNotFoundError as error:
        assert error.name == "torch" and module.name.startswith(networks), module.name
    print(module.name)
"""
"""Networks are classes of torch's. What leads to them says which extra is missing: tests/brain/test_model_*.py."""

MAKE_A_DATASET = """
import saccade as sc
from saccade import F

dataset = sc.Dataset("installed")
dataset.add_samples(sc.Sample(filepath=f"/images/{i}.png", size=i) for i in range(10))
print(sc.load_dataset("installed").match(F("size") >= 7).values("size"))
"""


def run(*command: str | Path, **options) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A folder with the sdist, and the wheel that was built from the sdist."""
    place = tmp_path_factory.mktemp("build")
    shutil.copytree(ROOT, place / "source", symlinks=True, ignore=LEFT_OUT)
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", place / "dist", place / "source")
    return place / "dist"


@pytest.fixture(scope="module")
def installed(built, tmp_path_factory) -> Path:
    """The `bin` folder of a fresh environment that holds the wheel and what it depends on, and no more."""
    place = tmp_path_factory.mktemp("environment")
    venv.create(place, with_pip=True)
    python = place / "bin" / "python"
    (wheel,) = built.glob("*.whl")
    run(python, "-m", "pip", "install", "-q", "-c", ROOT / "constraints.txt", wheel, cwd=place)
    return place / "bin"


@pytest.fixture
def away(tmp_path) -> dict:
    """Run in an empty folder, with nothing that leads back to the checkout."""
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    return {"cwd": tmp_path, "env": environment}


def modules_of_the_checkout() -> set[str]:
    found = {f"saccade/{path.relative_to(ROOT)}" for top in TOP_FOLDERS for path in (ROOT / top).rglob("*.py")}
    return found | {"saccade/__init__.py", "saccade/py.typed"}


def test_the_wheel_holds_every_module_once_and_no_tests(built):
    (path,) = built.glob("*.whl")
    with zipfile.ZipFile(path) as wheel:
        names = wheel.namelist()
    held = {name for name in names if ".dist-info/" not in name and not name.startswith("saccade/app/static/")}
    assert held == modules_of_the_checkout()
    assert len(names) == len(set(names))
    assert [name for name in names if "LICENSE" in name] != []


def test_the_sdist_holds_no_tests_and_no_server(built):
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as sdist:
        names = [name.partition("/")[2] for name in sdist.getnames()]
    assert [name for name in names if name.startswith(("tests", ".")) or "mongod" in name] == []
    assert {"LICENSE", "README.md", "setup.py", "pyproject.toml", "brain/__init__.py"} <= set(names)


def test_every_module_imports_without_any_extra(installed, away):
    imported = run(installed / "python", "-W", "error", "-c", IMPORT_ALL, **away).split()
    expected = {
        name.removesuffix(".py").replace("/", ".") for name in modules_of_the_checkout() if name.endswith(".py")
    }
    assert {*imported, "saccade"} == {name.removesuffix(".__init__") for name in expected}


def test_the_types_of_the_installed_package_are_seen(installed, away):
    (place,) = installed.parent.glob("lib/python*/site-packages")
    assert (place / "saccade" / "py.typed").is_file()
    assert not any(path.is_symlink() for path in (place / "saccade").rglob("*"))


def test_the_command_shows_its_help(installed, away):
    shown = run(installed / "saccade", "--help", **away)
    assert "demo" in shown
    assert "db" in shown


def test_a_dataset_is_made_and_found_again(installed, away, home):
    # `home`: a server of its own, or the one of the test run would have to be of the same installation.
    away["env"] = dict(os.environ)
    assert run(installed / "python", "-c", MAKE_A_DATASET, **away).strip() == "[7, 8, 9]"
    again = "import saccade as sc; print(sc.list_datasets(), sc.load_dataset('installed').count())"
    assert run(installed / "python", "-c", again, **away).strip() == "['installed'] 10"
    run(installed / "saccade", "db", "stop", **away)
