"""The documents say what is so: links lead somewhere, examples run."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_to_one(page):
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not (page.parent / target).exists()] == []


def test_every_document_is_reached_from_the_index():
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    pages = {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")} - {"index.md"}
    assert {page for page in pages if f"]({page})" not in index} == set()


def test_the_commands_that_the_readme_names_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for page in ("README.md", "CONTRIBUTING.md"):
        for target in re.findall(r"^make ([\w-]+)", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"{page} names `make {target}`"


def test_the_example_of_the_readme_runs(database, tmp_path):
    photos(tmp_path / "photos", 12)
    (example,) = re.findall(r"<!-- example -->\n```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len(run(example, tmp_path).splitlines()) == 5


def test_the_example_of_a_model_of_ones_own_runs(database, tmp_path):
    photos(tmp_path / "photos", 12)
    (example,) = re.findall(r"<!-- example -->\n```python\n(.*?)```", (ROOT / "docs/models.md").read_text(), re.DOTALL)
    assert run(example, tmp_path).strip().endswith(".png")


def test_the_example_of_a_pass_runs(database, tmp_path):
    photos(tmp_path / "photos", 12)
    (tmp_path / "photos" / "3.png").write_bytes(b"<html>")
    (example,) = re.findall(r"<!-- example -->\n```python\n(.*?)```", (ROOT / "docs/media.md").read_text(), re.DOTALL)
    assert "3.png'], ['the file is HTML, not an image']" in run(example, tmp_path)


@pytest.mark.parametrize("tutorial", sorted((ROOT / "tutorials").glob("*.py")), ids=lambda path: path.stem)
def test_every_tutorial_runs_also_a_second_time(database, tmp_path, tutorial):
    code = tutorial.read_text(encoding="utf-8")
    assert run(code, tmp_path).splitlines()
    run(code, tmp_path)


def photos(folder: Path, number: int) -> None:
    """Write images of different colours."""
    folder.mkdir()
    for i in range(number):
        Image.new("RGB", (32, 32), (20 * i % 256, 70 * i % 256, 200)).save(folder / f"{i}.png")


def run(code: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
