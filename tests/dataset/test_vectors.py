"""Vectors: written like any field, stored beside the samples, read as one cached matrix, swept when unnamed."""

import sys
from pathlib import Path

import numpy as np
import pytest

import saccade as sc
from saccade.dataset import columns, journal, settings
from saccade.dataset.errors import ExpressionError, FieldKindError, FieldNotFoundError, ModelError, SchemaError
from saccade.dataset.store import matrix_cache, vectors
from tests.store.processes import begin, run

F = sc.F


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    """A cache of its own for each test, and for the processes it starts."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("SACCADE_CACHE_DIR", str(folder))
    return folder


MATRIX = np.arange(40, dtype=np.float32).reshape(10, 4)
MODEL = {"name": "tiny", "version": "1"}


@pytest.fixture
def filled(dataset) -> sc.Dataset:
    """Ten samples with vectors, and one without."""
    dataset.add_samples(sc.Sample(f"/{n}.png", n=n, embedding=row) for n, row in enumerate(MATRIX))
    dataset.add_sample(sc.Sample("/10.png", n=10))
    return dataset


@pytest.fixture
def fetched(monkeypatch) -> list[int]:
    """How many vectors each read asked of the server."""
    counts: list[int] = []
    fetch = vectors.fetch_vectors

    def counted(dataset_id, keys):
        counts.append(len(keys))
        return fetch(dataset_id, keys)

    monkeypatch.setattr(vectors, "fetch_vectors", counted)
    return counts


def matrix_files() -> list[Path]:
    return sorted(settings.current().cache_dir.glob("vectors/*/*.matrix"))


def stored(dataset, database) -> int:
    return database[f"vectors.{dataset._id}"].count_documents({})


def listed(values) -> list:
    return [None if value is None else list(value) for value in values]


# --- like any field -------------------------------------------------------------------------------------------------


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
    before = stored(filled, database)
    for n in range(3):
        sample.n = 100 + n
        _ = sample.embedding
        sample.save()
    assert stored(filled, database) == before
    other = filled.first()
    _ = other.embedding
    other.n = 200
    other.save()
    assert stored(filled, database) == before


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
    assert stored(dataset, database) == 1


# --- refused --------------------------------------------------------------------------------------------------------


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


# --- models ---------------------------------------------------------------------------------------------------------


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


# --- one matrix -----------------------------------------------------------------------------------------------------


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
from saccade.dataset.store import vectors
dataset = sc.load_dataset("street")
vectors.fetch_vectors = None
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
    file.write_bytes(b"SACCADE1" + b"\xff" * 500)


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


# --- labels ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def boxes(dataset) -> sc.Dataset:
    dataset.add_sample(
        sc.Sample(
            "/1.png",
            pred=sc.Detections(
                detections=[
                    sc.Detection(label="car", feature=np.array([1.0, 2.0]), colour=np.array([9.0, 9.0, 9.0])),
                    sc.Detection(label="bus", feature=np.array([3.0, 4.0])),
                    sc.Detection(label="tram"),
                ]
            ),
            gt=sc.Classification(label="cat", feature=np.array([5.0])),
        )
    )
    return dataset


def features(dataset, name="feature"):
    return [None if name not in d or d[name] is None else list(d[name]) for d in dataset.first().pred.detections]


def test_labels_have_vectors_too(boxes, database):
    assert features(boxes) == [[1, 2], [3, 4], None]
    assert features(boxes, "colour") == [[9, 9, 9], None, None]
    assert list(boxes.first().gt.feature) == [5]
    assert boxes.get_field_schema(flat=True)["pred.detections.feature"] == sc.VectorField()
    assert stored(boxes, database) == 4


def test_values_of_labels_hold_their_vectors(boxes):
    boxes.add_sample(sc.Sample("/2.png"))
    [label, missing] = boxes.values("gt")
    assert (list(label.feature), missing) == ([5], None)
    [found, _] = boxes.values("pred")
    assert list(found.detections[1].feature) == [3, 4]
    [listed_labels, _] = boxes.values("pred.detections")
    assert list(listed_labels[0].colour) == [9, 9, 9]
    assert [d.label for d in boxes.values("pred.detections", unwind=True)] == ["car", "bus", "tram"]


def test_a_vector_of_a_label_is_changed_with_its_label(boxes, database):
    sample = boxes.first()
    sample.pred.detections[0].feature = np.array([7.0, 8.0])
    sample.pred.detections[1].label = "lorry"
    sample.save()
    assert features(boxes) == [[7, 8], [3, 4], None]
    before = stored(boxes, database)
    sample.pred.detections[1].label = "truck"
    sample.save()
    assert stored(boxes, database) == before
    assert boxes.values("pred.detections.label") == [["car", "truck", "tram"]]


def test_a_vector_moves_between_labels_by_value(boxes):
    sample = boxes.first()
    one, two, three = sample.pred.detections
    three.feature = one.feature
    one.feature, two.feature = two.feature, one.feature
    sample.save()
    assert features(boxes) == [[3, 4], [1, 2], [1, 2]]


def test_labels_move_with_their_vectors(boxes):
    sample = boxes.first()
    sample.pred.detections.reverse()
    sample.save()
    assert features(boxes) == [None, [3, 4], [1, 2]]
    del sample.pred.detections[1]
    sample.save()
    assert features(boxes) == [None, [1, 2]]
    copy = sample.copy()
    boxes.add_sample(copy)
    assert [None if "feature" not in d else list(d.feature) for d in boxes.last().pred.detections] == [None, [1, 2]]


def test_vectors_of_labels_have_one_length(boxes):
    sample = boxes.first()
    sample.pred.detections[2].feature = np.ones(3)
    with pytest.raises(FieldKindError, match="2 numbers"):
        sample.save()
    assert features(boxes) == [[1, 2], [3, 4], None]


def test_logits_stay_inside_their_label(dataset, database):
    dataset.add_sample(sc.Sample("/1.png", gt=sc.Classification(label="cat", logits=np.array([0.1, 0.9]))))
    assert stored(dataset, database) == 0
    logits = dataset.first().gt.logits
    assert logits.dtype == np.float32
    assert logits.tolist() == pytest.approx([0.1, 0.9])


def test_columns_of_label_vectors_are_refused_with_the_remedy(boxes):
    with pytest.raises(ExpressionError, match="labels"):
        boxes.values("pred.detections.feature")
    with pytest.raises(FieldKindError, match="not a vector field of samples"):
        columns.read_vectors(boxes, "pred.detections.feature")


# --- swept ----------------------------------------------------------------------------------------------------------


def test_a_sweep_deletes_what_neither_a_sample_nor_the_journal_names(filled, boxes, database):
    filled.set_values("embedding", np.ones((12, 4)))
    sample = filled.last()
    sample.pred.detections[0].feature = np.array([7.0, 8.0])
    sample.save()
    assert stored(filled, database) == 10 + 4 + 12 + 1
    assert journal.sweep(filled._id) == 1, "only the label's replaced vector: the journal names the samples' old ones"
    assert len(columns.read_vectors(filled, "embedding")[0]) == 12
    assert [list(d.feature) for d in filled.last().pred.detections[:2]] == [[7, 8], [3, 4]]
    assert journal.sweep(filled._id) == 0


def test_a_sweep_spares_the_vectors_of_samples_that_are_just_being_added(filled, database):
    code = """
import sys, saccade as sc, numpy as np
from saccade.dataset.store import samples
insert = samples.insert
def slow(*args):
    print("now", flush=True)
    sys.stdin.readline()
    return insert(*args)
samples.insert = slow
sc.load_dataset("street").add_sample(sc.Sample("/new.png", embedding=np.full(4, 5.0)))
"""
    with begin(code) as process:
        assert process.stdout.readline() == "now\n"
        assert stored(filled, database) == 11
        assert journal.sweep(filled._id) == 0
        complaints = process.communicate("\n", timeout=30)[1]
        assert process.returncode == 0, complaints
    assert filled.last().embedding.tolist() == [5, 5, 5, 5]


def test_vectors_of_a_refused_call_are_swept(filled, database):
    bad = [sc.Sample("/a.png", a=np.ones(2), embedding=np.ones(4)), sc.Sample("/b.png", embedding=np.ones(5))]
    with pytest.raises(FieldKindError):
        filled.add_samples(bad)
    filled.add_sample(sc.Sample("/c.png", embedding=np.ones(4)))
    filled.delete_samples(filled.last())
    journal.sweep(filled._id)
    assert len(columns.read_vectors(filled, "embedding")[0]) == 10
    assert stored(filled, database) <= 11, "the deleted sample's vector stays as long as the journal can bring it back"
