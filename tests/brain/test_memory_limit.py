"""A limit on memory gives back what is mapped, and changes no pick."""

import mmap

import numpy as np
import pytest

import saccade as sc
import saccade.brain as scb
from saccade.brain.operations.memory import mapped_file, mapped_within, resident_bytes
from saccade.dataset.columns import read_vectors
from saccade.dataset.errors import SelectionError

pytestmark = pytest.mark.skipif(not hasattr(mmap.mmap, "madvise"), reason="this system gives no pages back")

MEGABYTE = 1 << 20


@pytest.fixture
def mapped(tmp_path, rng):
    file = tmp_path / "matrix"
    rng.standard_normal((16_000, 1024)).astype(np.float32).tofile(file)
    return np.memmap(file, dtype=np.float32, mode="r").reshape(16_000, 1024)


def test_mapped_pages_are_given_back_while_they_are_read_again_and_again(mapped):
    first = float(mapped.sum())  # all of its 64 MB are in memory now
    limit = resident_bytes() - 40 * MEGABYTE
    lowest = np.inf
    with mapped_within([mapped[10:, :]], limit):
        for _ in range(200):
            assert float(mapped[:1000].sum()) == float(mapped[:1000].sum())
            lowest = min(lowest, resident_bytes())
    assert lowest <= limit
    assert float(mapped.sum()) == first


def test_without_a_limit_nothing_is_given_back(mapped):
    mapped.sum()
    before = resident_bytes()
    with mapped_within([mapped], None):
        assert resident_bytes() >= before - MEGABYTE


def test_the_file_of_a_view_is_found_and_an_array_in_memory_has_none(mapped, rng):
    assert isinstance(mapped_file(mapped[5:7].T), mmap.mmap)
    assert mapped_file(rng.standard_normal((3, 2))) is None


@pytest.mark.parametrize("limit", [0, -5, "1GB", True])
def test_a_limit_is_above_zero(limit):
    with pytest.raises(SelectionError, match="is not a number of bytes above zero"), mapped_within([], limit):
        pass


def test_a_selection_is_the_same_with_next_to_no_memory(database, rng):
    dataset = sc.Dataset("points")
    vectors = rng.standard_normal((3000, 64)).astype(np.float32)
    dataset.add_columns({"filepath": [f"/{i}.png" for i in range(3000)], "embedding": vectors})
    assert isinstance(mapped_file(read_vectors(dataset, "embedding")[1]), mmap.mmap)
    free = scb.select(dataset, n_samples=300, tag="free")
    tight = scb.select(dataset, n_samples=300, tag="tight", memory_limit=MEGABYTE)
    assert tight.ids == free.ids
    assert tight.distances == free.distances
