"""Vectors that were made elsewhere: every row reaches its own sample, and what is wrong is named by its row."""

import csv

import numpy as np
import pytest
import torch

import saccade as sc
import saccade.brain as scb
from saccade.brain import write_embeddings_csv
from saccade.brain.models.builtin import BuiltinModel
from saccade.brain.operations.given_vectors import is_given, read_given
from saccade.dataset.columns import write_vectors
from saccade.dataset.errors import FieldKindError, FieldNotFoundError, ModelError, SchemaError

FILES = ["/data/a/1.png", "/data/a/2.png", "/data/b/1.png", "/data/3.png"]


@pytest.fixture
def dataset(database):
    dataset = sc.Dataset("given")
    dataset.add_samples([sc.Sample(filepath=path) for path in FILES])
    return dataset


def written(path, rows, header=None):
    with path.open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(header or ["filenames", "embedding_0", "embedding_1", "labels"])
        lines.writerows(rows)
    return path


def test_vectors_are_refused_where_only_a_model_will_do(dataset):
    for given in (np.zeros((4, 2)), [[1.0]] * 4, "embeddings.csv"):
        with pytest.raises(ModelError, match=r"compute_media needs what makes them.*compute_embeddings"):
            scb.compute_media(dataset, model=given)
        with pytest.raises(ModelError, match="compute_patch_embeddings needs what makes them"):
            scb.compute_embeddings(dataset, given, patches_field="objects")
    assert dataset.list_runs() == []


def test_a_reason_is_taken_back_where_there_is_a_vector_now(dataset):
    scb.compute_embeddings(dataset)
    assert len(dataset.exists("embedding_error")) == 4, "there are no such files"
    first = dataset.first().id
    scb.compute_embeddings(dataset, {first: [1.0, 2.0]})
    assert dataset.exists("embedding_error").values("id") == dataset.values("id")[1:]


def test_a_table_that_is_no_text_is_an_error_that_names_it(dataset, tmp_path):
    table = written(tmp_path / "e.csv", [["b/1.png", 1, 2, 0]])
    table.write_bytes(table.read_bytes() + b"\xe9")
    with pytest.raises(ModelError, match=r"e\.csv is no table that can be read"):
        read_given(dataset, table)


def test_what_stands_for_vectors_is_told_from_what_makes_them():
    for given in (np.zeros((2, 3)), [[1.0]], {"a": [1.0]}, "x.npy", "/x/Embeddings.CSV", torch.zeros(2, 3)):
        assert is_given(given)
    for model in (
        "builtin",
        "hf:a/b.csv",
        "onnx:x.npy",
        BuiltinModel(),
        lambda images: images,
        torch.nn.Identity(),
        None,
    ):
        assert not is_given(model)


@pytest.mark.parametrize("kind", ["array", "list", "tensor", "integers", "file"])
def test_rows_come_in_the_order_of_the_samples(kind, dataset, tmp_path):
    rows = np.arange(8).reshape(4, 2).astype(np.float64)
    np.save(tmp_path / "v.npy", rows)
    given = {
        "array": rows, "list": rows.tolist(), "tensor": torch.from_numpy(rows), "integers": rows.astype(int),
        "file": str(tmp_path / "v.npy"),
    }[kind]  # fmt: skip
    found = read_given(dataset, given)
    assert found.ids == dataset.values("id")
    assert found.vectors.dtype == np.float32
    assert found.vectors.tolist() == rows.tolist()
    assert (found.name, found.missing, found.extra) == ("v.npy" if kind == "file" else "(array)", 0, 0)
    assert read_given(dataset[2:], rows[2:]).ids == dataset.values("id")[2:]


def test_vectors_by_id_may_leave_samples_out(dataset):
    ids = dataset.values("id")
    found = read_given(dataset, {ids[3]: [3.0, 4.0], ids[1]: np.array([1, 2])})
    assert found.ids == [ids[1], ids[3]]
    assert found.vectors.tolist() == [[1, 2], [3, 4]]
    assert (found.missing, found.extra) == (2, 0)
    part = read_given(dataset.limit(2), {ids[3]: [3.0, 4.0], ids[1]: [1, 2]})
    assert (part.ids, part.missing, part.extra) == ([ids[1]], 1, 1)
    with pytest.raises(SchemaError, match=r"1 of the 2 vectors are for no sample of dataset 'given', such as 'other'"):
        read_given(dataset, {ids[0]: [1.0], "other": [2.0]})


def test_the_version_is_that_of_the_numbers(dataset):
    rows = np.ones((4, 2))
    version = read_given(dataset, rows).version
    assert read_given(dataset, rows.tolist()).version == version
    assert read_given(dataset, rows * 2).version != version
    assert read_given(dataset, np.ones((4, 1))).version != version


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (np.zeros((3, 2)), SchemaError, r"the array has 3 rows for 4 samples\. Give one row per sample"),
        ([[1, 2], [3, 4], [5], [6, 7]], FieldKindError, r"row 2 has shape \(1,\), and row 0 has \(2,\)"),
        ([[1, 2], [3, np.nan], [5, 6], [7, 8]], FieldKindError, "row 1 holds NaN or infinity"),
        ([[1, 2], [3, 4], [5, 1e39], [7, 8]], FieldKindError, "row 2 holds NaN or infinity"),
        ([[1, 2], [3, "x"], [5, 6], [7, 8]], FieldKindError, "row 1 is no row of numbers"),
        ([[[1]], [[1]], [[1]], [[1]]], FieldKindError, r"row 0 has shape \(1, 1\)"),
        (np.zeros(4), FieldKindError, r"the array has shape \(4,\), float64; expected \(n, d\)"),
        (np.zeros((4, 0)), FieldKindError, r"shape \(4, 0\)"),
        (np.zeros((4, 2), complex), FieldKindError, "complex128"),
        (np.float64(3), FieldKindError, r"shape \(\)"),
    ],
)
def test_rows_that_are_wrong_are_named(given, error, message, dataset):
    with pytest.raises(error, match=message):
        read_given(dataset, given)


def test_a_vector_that_is_wrong_is_named_by_its_sample(dataset):
    ids = dataset.values("id")
    with pytest.raises(FieldKindError, match=f"sample {ids[1]} holds NaN"):
        read_given(dataset, {ids[0]: [1.0], ids[1]: [np.inf]})


def test_file_names_are_matched_by_the_longest_end_of_the_path_that_fits(dataset, tmp_path):
    ids = dataset.values("id")
    path = written(
        tmp_path / "embeddings.csv",
        [["b/1.png", 3, 3.5, 7], ["/data/a/2.png", 2, 2.5, 0], ["a/1.png", 1, 1.5, 0], ["else/9.png", 9, 9, 9]],
    )
    found = read_given(dataset, path)
    assert found.ids == ids[:3]
    assert found.vectors.tolist() == [[1, 1.5], [2, 2.5], [3, 3.5]]
    assert (found.name, found.missing, found.extra) == ("embeddings.csv", 1, 1)
    assert read_given(dataset.limit(1), str(path)).vectors.tolist() == [[1, 1.5]]


def test_base_names_that_fit_one_sample_are_enough(dataset, tmp_path):
    path = written(tmp_path / "e.csv", [["3.png", 3, 3, 0], ["2.png", 2, 2, 0]])
    assert read_given(dataset, path).vectors.tolist() == [[2, 2], [3, 3]]


def test_a_file_name_that_fits_several_samples_is_refused(dataset, tmp_path):
    path = written(tmp_path / "e.csv", [["3.png", 3, 3, 0], ["1.png", 1, 1, 0]])
    with pytest.raises(
        SchemaError, match=r"'1\.png' in .* \(row 1\) fits 2 samples, such as /data/a/1.png and /data/b/1"
    ):
        read_given(dataset, path)
    twice = written(tmp_path / "t.csv", [["a/1.png", 3, 3, 0], ["./a/1.png", 1, 1, 0]])
    with pytest.raises(SchemaError, match=r"names '\./a/1\.png' twice \(rows 0 and 1\)"):
        read_given(dataset, twice)


def test_columns_that_lightly_puts_before_the_labels_are_read_over(dataset, tmp_path):
    header = ["filenames", "embedding_0", "embedding_1", "masked", "selected", "labels"]
    path = written(tmp_path / "e.csv", [["3.png", 1, 2, 0, 1, 5]], header)
    assert read_given(dataset, path).vectors.tolist() == [[1, 2]]


@pytest.mark.parametrize(
    ("rows", "header", "error", "message"),
    [
        ([["3.png", 1, 0]], None, FieldKindError, "line 2: there are 3 values for 4 columns"),
        ([["2.png", 1, 2, 0], []], None, FieldKindError, "line 3: there are 0 values for 4 columns"),
        ([["2.png", 1, 2, 0], ["3.png", 1, "x", 0]], None, FieldKindError, r"line 3 \('3\.png'\): could not convert"),
        ([["2.png", 1, 2, 0], ["3.png", 1, "nan", 0]], None, FieldKindError, r"NaN or infinity for '3\.png' \(row 1\)"),
        (
            [["9.png", 1, 2, 0]],
            None,
            SchemaError,
            r"none of the 1 file names in .* '9\.png' there, and '/data/a/1.png'",
        ),
        ([], None, SchemaError, "none of the 0 file names"),
        (
            [["3.png", 1, 2, 0]],
            ["filenames", "embedding_1", "embedding_0", "labels"],
            ModelError,
            "expected filenames, e",
        ),
        ([["3.png", 1, 2, 0]], ["file", "x", "y", "labels"], ModelError, "begins with the columns file, x, y, labels"),
    ],
)
def test_files_that_are_not_as_lightly_writes_them_are_refused(rows, header, error, message, dataset, tmp_path):
    with pytest.raises(error, match=message):
        read_given(dataset, written(tmp_path / "e.csv", rows, header))


def test_files_that_cannot_be_read_say_so(dataset, tmp_path):
    with pytest.raises(ModelError, match=r"there is no file /nowhere/e\.csv"):
        read_given(dataset, "/nowhere/e.csv")
    (tmp_path / "e.npy").write_bytes(b"nothing")
    with pytest.raises(ModelError, match="is no array that can be read"):
        read_given(dataset, tmp_path / "e.npy")
    np.save(tmp_path / "o.npy", np.array([{}, {}], object))
    with pytest.raises(ModelError, match="is no array that can be read"):
        read_given(dataset, tmp_path / "o.npy")


def test_what_is_written_for_lightly_is_read_back_bit_by_bit(dataset, tmp_path, rng):
    vectors = rng.normal(size=(3, 5)).astype(np.float32)
    write_vectors(dataset, "embedding", dataset.values("id")[:3], vectors)
    assert write_embeddings_csv(dataset, "embedding", tmp_path / "e.csv") == 3
    lines = (tmp_path / "e.csv").read_text().splitlines()
    assert lines[0] == "filenames,embedding_0,embedding_1,embedding_2,embedding_3,embedding_4,labels"
    assert [line.split(",")[0] for line in lines[1:]] == ["a/1.png", "a/2.png", "b/1.png"]
    found = read_given(dataset, tmp_path / "e.csv")
    np.testing.assert_array_equal(found.vectors, vectors)
    assert (found.ids, found.missing) == (dataset.values("id")[:3], 1)
    with pytest.raises(FieldNotFoundError):
        write_embeddings_csv(dataset, "other", tmp_path / "o.csv")


def test_samples_that_share_a_file_cannot_be_told_apart_by_lightly(dataset, tmp_path):
    dataset.add_samples([sc.Sample(filepath=FILES[0])])
    write_vectors(dataset, "embedding", dataset.values("id"), np.ones((5, 2)))
    with pytest.raises(SchemaError, match=r"several samples have the file 'a/1\.png'"):
        write_embeddings_csv(dataset, "embedding", tmp_path / "e.csv")
