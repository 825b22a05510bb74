from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(51)


@pytest.fixture
def image_files(tmp_path: Path, rng: np.random.Generator) -> list[str]:
    """Ten small images of random blocks; the last is a copy of the first."""
    paths = []
    for number in range(9):
        blocks = Image.fromarray(rng.integers(0, 256, (4, 4, 3)).astype(np.uint8))
        path = tmp_path / f"{number}.png"
        blocks.resize((24, 24), Image.Resampling.NEAREST).save(path)
        paths.append(str(path))
    copy = tmp_path / "9.png"
    copy.write_bytes(Path(paths[0]).read_bytes())
    return [*paths, str(copy)]


def counts(run):
    """What a run did, without the number of bytes that it read."""
    return {name: value for name, value in run.summary().items() if name != "bytes_read"}
