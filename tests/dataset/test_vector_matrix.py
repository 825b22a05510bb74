"""The vectors of a field as one matrix, which the second read maps from a file of the cache."""

import sys
from pathlib import Path

import numpy as np
import pytest

import saccade as sc
from saccade.dataset import columns, settings
from saccade.dataset.store import matrix_cache
from tests.dataset.examples import MATRIX, with_vectors
from tests.store.processes import run

F = sc.F


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    """A cache of its own for each test, and for the processes it starts."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("SACCADE_CACHE_DIR", str(folder))
    return folder


@pytest.fixture
def filled(dataset) -> sc.Dataset:
    return with_vectors(dataset)


@pytest.fixture
def fetched(monkeypatch) -> list[int]:
    """How many vectors each read asked of the server."""
    counts: list[int] = []
    fill = matrix_cache.fill_rows

    def counted(dataset_id, keys, matrix, rows):
        counts.append(len(rows))
        fill(dataset_id, keys, matrix, rows)

    monkeypatch.setattr(matrix_cache, "fill_rows", counted)
    return counts


def matrix_files() -> list[Path]:
    return sorted(settings.current().cache_dir.glob("vectors/*/*.matrix"))


def test_read_vectors_gives_one_matrix_without_the_samples_that_have_none(filled):
    ids, matrix = columns.read_vectors(filled, "embedding")
    assert ids == filled.values("id")[:10]
    assert matrix.dtype == np.float32
    assert np.array_equal(matrix, MATRIX)


def test_a_view_gives_its_own_rows_in_its_own_order(filled):
    view = filled.match(F("n") > 6).sort_by("n", reverse=True)
    ids, matrix = columns.read_vectors(view, "embedding")
    assert ids == view.values("id")[1:]
    assert np.array_equal(matrix, MATRIX[[9, 8, 7]])
    assert columns.read_vectors(filled.match(F("n") == 10), "embedding")[1].shape == (0, 0)


def test_a_field_without_any_vector_gives_an_empty_matrix(dataset):
    dataset.add_sample_field("embedding", sc.VectorField)
    assert columns.read_vectors(dataset, "embedding")[1].shape == (0, 0)
    dataset.add_sample(sc.Sample("/1.png"))
    assert columns.read_vectors(dataset, "embedding")[0] == []
    assert dataset.values("embedding") == [None]


def test_the_second_read_maps_the_cached_file(filled, fetched):
    columns.read_vectors(filled, "embedding")
    assert sum(fetched) >= 10
    assert len(matrix_files()) == 1
    fetched.clear()
    _, matrix = columns.read_vectors(sc.load_dataset("street"), "embedding")
    assert fetched == []
    assert np.array_equal(matrix, MATRIX)
    assert not matrix.flags.writeable
    assert not matrix.flags.owndata
    view = filled.match(F("n") < 3)
    assert np.array_equal(columns.read_vectors(view, "embedding")[1], MATRIX[:3])
    assert fetched == [], "a view takes its rows from the same file"


def test_the_file_serves_other_processes(filled, fetched):
    code = """
import saccade as sc
from saccade.dataset import columns
from saccade.dataset.store import matrix_cache
dataset = sc.load_dataset("street")
matrix_cache.fill_rows = None
print(columns.read_vectors(dataset, "embedding")[1].sum())
"""
    columns.read_vectors(filled, "embedding")
    assert float(run(code)) == MATRIX.sum()


def test_only_what_is_new_is_fetched(filled, fetched):
    columns.read_vectors(filled, "embedding")
    fetched.clear()
    filled.add_sample(sc.Sample("/11.png", embedding=np.ones(4)))
    filled.match(F("n") == 0).set_values("embedding", [np.zeros(4)])
    _, matrix = columns.read_vectors(filled, "embedding")
    assert sum(fetched) <= 4
    assert np.array_equal(matrix, [[0, 0, 0, 0], *MATRIX[1:], [1, 1, 1, 1]])


def test_a_change_is_never_hidden_by_the_cache(filled):
    for turn in range(5):
        filled.set_values("embedding", np.full((11, 4), turn))
        assert columns.read_vectors(filled, "embedding")[1].tolist() == [[turn] * 4] * 11
        filled.delete_samples(filled.last())
        filled.add_sample(sc.Sample(f"/{turn}.png", embedding=np.full(4, -turn)))
        assert columns.read_vectors(filled, "embedding")[1][-1].tolist() == [-turn] * 4


def damage_truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-7])


def damage_empty(file: Path) -> None:
    file.write_bytes(b"")


def damage_magic(file: Path) -> None:
    file.write_bytes(b"NOTHING!" + file.read_bytes()[8:])


def damage_counts(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[8:24] = np.array([-3, 2**40], dtype="<i8").tobytes()
    file.write_bytes(content)


def damage_keys(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[64 : 64 + 200] = bytes(200)
    file.write_bytes(content)


def damage_garbage(file: Path) -> None:
    file.write_bytes(matrix_cache._MAGIC + b"\xff" * 500)


def damage_one_bit_of_a_vector(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


def damage_the_order(file: Path) -> None:
    """Keys and vectors that belong together no longer, in a file that looks well."""
    content = bytearray(file.read_bytes())
    start = len(content) - 160
    content[start : start + 16], content[-16:] = content[-16:], content[start : start + 16]
    file.write_bytes(content)


def damage_checksum(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[30] ^= 1
    file.write_bytes(content)


def damage_directory(file: Path) -> None:
    file.unlink()
    file.mkdir()
    (file / "x").write_text("")


def damage_delete(file: Path) -> None:
    file.unlink()


@pytest.mark.parametrize("damage", [f for name, f in sorted(globals().items()) if name.startswith("damage_")])
def test_a_damaged_or_deleted_file_is_made_again(filled, damage):
    columns.read_vectors(filled, "embedding")
    [file] = matrix_files()
    damage(file)
    matrix_cache._verified.clear()  # as in a process that has not read it yet
    for _ in range(2):
        ids, matrix = columns.read_vectors(filled, "embedding")
        assert len(ids) == 10
        assert np.array_equal(matrix, MATRIX)


def test_a_matrix_in_hand_survives_the_deletion_of_its_file(filled):
    _, matrix = columns.read_vectors(filled, "embedding")
    [file] = matrix_files()
    file.unlink()
    filled.set_values("embedding", np.zeros((11, 4)))
    columns.read_vectors(filled, "embedding")
    assert np.array_equal(matrix, MATRIX)


@pytest.mark.skipif(sys.platform == "win32", reason="modes of folders mean nothing there")
def test_without_a_place_for_the_cache_reading_still_works(filled, tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("a file, not a folder")
    with settings.using(cache_dir=blocked):
        assert np.array_equal(columns.read_vectors(filled, "embedding")[1], MATRIX)
        assert np.array_equal(columns.read_vectors(filled[2:4], "embedding")[1], MATRIX[2:4])


def test_the_cache_is_bounded(filled, tmp_path):
    size = 64 + 64 * 4 + 10 * 4 * 4
    with settings.using(cache_dir=tmp_path, cache_gb=2.5 * size / 1e9):
        for name in ("a", "b", "c"):
            filled.clone_sample_field("embedding", name)
            assert np.array_equal(columns.read_vectors(filled, name)[1], MATRIX)
        kept = matrix_files()
        assert 1 <= len(kept) <= 2
        assert np.array_equal(columns.read_vectors(filled, "c")[1], MATRIX)
        assert matrix_files() == kept
    with settings.using(cache_dir=tmp_path / "none", cache_gb=0):
        assert np.array_equal(columns.read_vectors(filled, "a")[1], MATRIX)
        assert matrix_files() == []


def test_deleting_a_dataset_deletes_its_files(filled):
    columns.read_vectors(filled, "embedding")
    assert matrix_files()
    filled.delete()
    assert matrix_files() == []


def test_a_file_that_another_process_replaces_meanwhile_does_no_harm(filled, monkeypatch):
    build = matrix_cache._fill
    other = sc.load_dataset("street")

    def meanwhile(*args, **options):
        monkeypatch.setattr(matrix_cache, "_fill", build)
        other.set_values("embedding", np.zeros((11, 4)))
        columns.read_vectors(other, "embedding")
        return build(*args, **options)

    monkeypatch.setattr(matrix_cache, "_fill", meanwhile)
    ids, matrix = columns.read_vectors(filled, "embedding")
    assert matrix.tolist() == [[0] * 4] * 11, "the read began again, since what it read was written meanwhile"
    assert len(ids) == 11
