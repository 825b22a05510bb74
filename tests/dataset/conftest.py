from pathlib import Path

import pytest
from PIL import Image

import saccade as sc


@pytest.fixture
def dataset(database) -> sc.Dataset:
    """An empty dataset in an empty database."""
    return sc.Dataset("street")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of four small images, one of them in a folder inside, and a file that is none."""
    folder = tmp_path / "photos"
    (folder / "trip").mkdir(parents=True)
    for name in ("img1.png", "img2.png", "img10.png", "trip/img1.png"):
        Image.new("RGB", (8, 6), "red").save(folder / name)
    (folder / "notes.txt").write_text("nothing")
    return folder


@pytest.fixture
def animals(tmp_path: Path) -> Path:
    """A folder of images per class: two cats, one dog, one that nobody named."""
    folder = tmp_path / "animals"
    for name in ("cat/1.png", "cat/2.png", "dog/1.png", "_unlabeled/1.png"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (4, 4)).save(path)
    return folder
