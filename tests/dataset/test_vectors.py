"""Vectors: written and read like any field, stored beside the samples as float32, of one length and model."""

import numpy as np
import pytest

import saccade as sc
from saccade.dataset import columns
from saccade.dataset.errors import ExpressionError, FieldKindError, FieldNotFoundError, ModelError, SchemaError
from tests.dataset.examples import MATRIX, stored_vectors, with_vectors

F = sc.F
MODEL = {"name": "tiny", "version": "1"}


@pytest.fixture
def filled(dataset) -> sc.Dataset:
    return with_vectors(dataset)


def listed(values) -> list:
    return [None if value is None else list(value) for value in values]


def test_a_vector_comes_back_as_float32(dataset):
    dataset.add_samples([sc.Sample("/1.png", embedding=np.array([0.1, 2.5])), sc.Sample("/2.png")])
    assert dataset.get_field_schema()["embedding"] == sc.VectorField()
    vector = dataset.first()["embedding"]
    assert vector.dtype == np.float32
    assert vector.tolist() == np.array([0.1, 2.5], dtype=np.float32).tolist()
    assert dataset.last().embedding is None
    assert listed(dataset.values("embedding"))[1] is None


def test_values_gives_one_vector_per_sample_in_order(filled):
    values = filled.values("embedding")
    assert np.array_equal(np.stack(values[:10]), MATRIX)
    assert values[10] is None
    assert filled.values("embedding", missing_value="none")[10] == "none"
    shuffled = filled.sort_by("n", reverse=True)
    assert listed(shuffled.values("embedding"))[:2] == [None, MATRIX[9].tolist()]
    assert filled.values(["n", "embedding"])[1][3].tolist() == MATRIX[3].tolist()


def test_exists_knows_which_samples_have_a_vector(filled):
    assert filled.exists("embedding").values("n") == list(range(10))
    assert filled.exists("embedding", False).values("n") == [10]
    assert filled.match(F("embedding").exists()).values("n") == list(range(10))
    assert filled.count("embedding") == 10


def test_other_expressions_on_vectors_name_read_vectors(filled):
    for use in (
        lambda: filled.match(F("embedding") > 5),
        lambda: filled.mean("embedding"),
        lambda: filled.distinct("embedding"),
        lambda: filled.values(F("embedding") * 2),
    ):
        with pytest.raises(ExpressionError, match="read_vectors"):
            use()
    with pytest.raises(ExpressionError):
        filled.sort_by("embedding")


def test_set_values_writes_vectors_and_none_removes_one(filled):
    new = [row + 1 for row in MATRIX] + [np.ones(4)]
    new[3] = None
    filled.set_values("embedding", new)
    values = filled.values("embedding")
    assert values[3] is None
    assert values[10].tolist() == [1, 1, 1, 1]
    assert values[0].tolist() == [1, 2, 3, 4]
    assert filled["/3.png"].embedding is None


def test_set_values_takes_a_matrix_lists_and_a_dict(filled):
    filled.set_values("other", np.ones((11, 3)))
    assert filled.get_field_schema()["other"] == sc.VectorField()
    filled.set_values("embedding", {filled.first().id: [9, 8, 7, 6]})
    assert filled.first().embedding.tolist() == [9, 8, 7, 6]
    assert listed(filled.values("embedding"))[1] == MATRIX[1].tolist()


def test_set_values_on_a_view_leaves_the_others(filled):
    filled.match(F("n") < 2).set_values("embedding", np.zeros((2, 4)))
    assert np.array_equal(np.stack(filled.values("embedding")[:10])[2:], MATRIX[2:])
    assert filled.first().embedding.tolist() == [0, 0, 0, 0]


def test_a_vector_is_set_on_a_sample(filled):
    sample = filled.last()
    sample["embedding"] = np.array([1, 2, 3, 4])
    sample.save()
    assert filled.last().embedding.tolist() == [1, 2, 3, 4]
    sample.embedding = [4.5, 3, 2, 1]
    sample.save()
    sample.embedding = None
    sample.n = 11
    sample.save()
    assert filled.last().embedding is None
    assert filled.last().n == 11


def test_two_vector_fields_of_one_sample_are_not_mixed_up(dataset):
    first = sc.Sample("/1.png", a=np.array([1.0, 2.0]), b=np.array([3.0, 4.0, 5.0]), c=np.array([6.0, 7.0]))
    dataset.add_sample(first)
    sample = dataset.first()
    assert [sample[name].tolist() for name in "abc"] == [[1, 2], [3, 4, 5], [6, 7]]
    sample.a, sample.b = sample.a + 1, sample.b + 1
    sample.save()
    assert listed(dataset.values("a") + dataset.values("b") + dataset.values("c")) == [[2, 3], [4, 5, 6], [6, 7]]


def test_a_sample_that_is_saved_again_does_not_store_its_vector_again(filled, database):
    sample = filled.last()
    sample.embedding = np.ones(4)
    sample.save()
    before = stored_vectors(filled, database)
    for n in range(3):
        sample.n = 100 + n
        _ = sample.embedding
        sample.save()
    assert stored_vectors(filled, database) == before
    other = filled.first()
    _ = other.embedding
    other.n = 200
    other.save()
    assert stored_vectors(filled, database) == before


def test_many_replacements_in_one_hand_are_all_seen(filled):
    sample = filled.first()
    _ = sample.embedding
    for n in range(200):
        sample.embedding = np.full(4, n, dtype=np.float32)
        if n % 40 == 39:
            sample.save()
            assert filled.first().embedding.tolist() == [n] * 4


def test_a_vector_that_was_read_is_not_changed_in_place(filled):
    vector = filled.first().embedding
    with pytest.raises(ValueError, match="read-only"):
        vector[0] = 5
    changed = filled.first()
    changed.embedding = vector + 1
    changed.save()
    assert filled.first().embedding.tolist() == [1, 2, 3, 4]


def test_integers_and_masks_are_arrays_not_vectors(dataset):
    dataset.add_sample(sc.Sample("/1.png", a=np.arange(3), b=np.array([True, False]), c=np.ones((2, 2))))
    assert [str(dataset.get_field_schema()[name]) for name in "abc"] == ["ArrayField"] * 3
    sample = dataset.first()
    assert (sample.a.tolist(), sample.b.tolist(), sample.c.tolist()) == ([0, 1, 2], [True, False], [[1, 1], [1, 1]])


def test_samples_are_light_since_vectors_lie_beside_them(dataset, database):
    dataset.add_sample(sc.Sample("/1.png", embedding=np.ones(1000)))
    document = database[f"samples.{dataset._id}"].find_one()
    assert isinstance(document["embedding"], int)
    assert stored_vectors(dataset, database) == 1


# --- refused ----------------------------------------------------------------------------------------------------------


def test_a_vector_of_another_length_is_refused_everywhere(filled):
    ids = filled.values("id")
    sample = filled.last()
    sample.embedding = np.ones(5)
    for write in (
        lambda: filled.add_sample(sc.Sample("/x.png", embedding=np.ones(5))),
        lambda: filled.match(F("n") == 10).set_values("embedding", [np.ones(5)]),
        lambda: columns.write_vectors(filled, "embedding", ids[:1], np.ones((1, 5))),
        sample.save,
    ):
        with pytest.raises(FieldKindError, match=r"(holds vectors of|given vectors of) 4 numbers.*5"):
            write()
    assert np.array_equal(columns.read_vectors(filled, "embedding")[1], MATRIX)
    assert len(filled) == 11


def test_vectors_of_different_lengths_are_refused(filled):
    ids = filled.values("id")
    with pytest.raises(FieldKindError, match="different lengths"):
        columns.write_vectors(filled, "new", ids[:2], [np.ones(2), np.ones(3)])
    with pytest.raises(FieldKindError):
        filled.set_values("new", [np.ones(2)] * 10 + [np.ones(3)])
    assert "new" not in filled.get_field_schema()


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_are_refused_with_the_samples_id(filled, wrong):
    ids = filled.values("id")
    bad = np.vstack([MATRIX, np.ones(4)])
    bad[7, 2] = wrong
    with pytest.raises(FieldKindError, match=f"sample {ids[7]} in field 'embedding' holds NaN or infinity"):
        columns.write_vectors(filled, "embedding", ids, bad)
    with pytest.raises(FieldKindError, match=ids[7]):
        filled.set_values("embedding", bad)
    sample = filled.first()
    with pytest.raises(FieldKindError):
        sample.embedding = bad[7]
    assert np.array_equal(columns.read_vectors(filled, "embedding")[1], MATRIX)


def test_as_many_vectors_as_samples_are_expected(filled):
    ids = filled.values("id")
    with pytest.raises(SchemaError, match="3 vectors for 2 samples"):
        columns.write_vectors(filled, "embedding", ids[:2], np.ones((3, 4)))
    with pytest.raises(FieldKindError, match=r"shape \(2,\); expected \(2, d\)"):
        columns.write_vectors(filled, "embedding", ids[:2], np.ones(2))
    with pytest.raises(SchemaError, match="2 values for the 11 samples"):
        filled.set_values("embedding", np.ones((2, 4)))


def test_a_field_of_another_kind_takes_no_vectors(filled):
    with pytest.raises(FieldKindError, match="'n' is of kind IntField"):
        columns.write_vectors(filled, "n", filled.values("id"), np.ones((11, 4)))
    with pytest.raises(FieldKindError, match=r"'n' is a IntField, not a vector field.*Vector fields: embedding"):
        columns.read_vectors(filled, "n")
    with pytest.raises(FieldNotFoundError, match="Did you mean 'embedding'"):
        columns.read_vectors(filled, "embeding")


# --- models -----------------------------------------------------------------------------------------------------------


def test_the_catalogue_names_the_model_of_a_field(filled):
    ids = filled.values("id")
    columns.write_vectors(filled, "deep", ids[:5], np.ones((5, 3)), model=MODEL)
    assert columns.model_of(filled, "deep") == {"name": "tiny", "version": "1", "dimension": 3}
    assert columns.model_of(filled, "embedding") == {"dimension": 4}
    columns.write_vectors(filled, "deep", ids[5:], np.ones((6, 3)), model=MODEL)
    assert columns.read_vectors(filled, "deep")[1].shape == (11, 3)


def test_another_model_is_refused_unless_it_replaces_all(filled):
    ids = filled.values("id")
    columns.write_vectors(filled, "deep", ids, np.ones((11, 3)), model=MODEL)
    other = {"name": "huge", "version": "1"}
    with pytest.raises(ModelError, match=r"holds vectors of model 'tiny' \(version 1\), not of 'huge' \(version 1\)"):
        columns.write_vectors(filled, "deep", ids, np.zeros((11, 3)), model=other)
    with pytest.raises(ModelError, match="version 2"):
        columns.write_vectors(filled, "deep", ids, np.zeros((11, 3)), model={"name": "tiny", "version": "2"})
    with pytest.raises(ModelError):
        columns.write_vectors(filled, "deep", ids[:10], np.zeros((10, 3)), model=other, overwrite=True)
    assert columns.read_vectors(filled, "deep")[1].tolist() == [[1, 1, 1]] * 11
    columns.write_vectors(filled, "deep", ids, np.zeros((11, 7)), model=other, overwrite=True)
    assert columns.model_of(filled, "deep") == {"name": "huge", "version": "1", "dimension": 7}
    assert columns.read_vectors(filled, "deep")[1].shape == (11, 7)


def test_a_field_without_vectors_takes_those_of_any_model(filled):
    ids = filled.values("id")
    columns.write_vectors(filled, "deep", ids, np.ones((11, 3)), model=MODEL)
    filled.clear_sample_field("deep")
    columns.write_vectors(filled, "deep", ids, np.ones((11, 5)), model={"name": "huge", "version": "1"})
    assert columns.model_of(filled, "deep")["dimension"] == 5


def test_writing_no_vectors_declares_nothing(filled):
    columns.write_vectors(filled, "deep", [], np.empty((0, 3)))
    assert "deep" not in filled.get_field_schema()


def test_samples_deleted_before_their_vectors_are_written_stay_deleted(filled):
    ids = filled.values("id")
    filled.delete_samples(ids[0])
    columns.write_vectors(filled, "deep", ids, np.ones((11, 3)))
    assert len(filled) == 10
    assert columns.read_vectors(filled, "deep")[0] == ids[1:]
