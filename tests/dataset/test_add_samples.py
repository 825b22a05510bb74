"""Samples in: lists, generators, dicts, images, columns. Ids ascend in input order; a refused call leaves nothing."""

import signal
import threading
import time
from datetime import date
from pathlib import Path

import numpy as np
import pytest

import saccade as sc
from saccade.dataset import columns
from saccade.dataset.errors import DatasetNotFoundError, FieldKindError, FieldNotFoundError, SchemaError
from saccade.dataset.ingest import BATCH
from saccade.dataset.store import samples
from tests.store.processes import begin, run


def numbered(count: int, start: int = 0):
    return (sc.Sample(f"/{number}.png", n=number) for number in range(start, start + count))


def state(dataset: sc.Dataset):
    """All that a refused write must leave as it was."""
    fresh = sc.load_dataset(dataset.name)
    return fresh.values("id"), fresh.get_field_schema(flat=True), fresh.media_type, [s.to_dict() for s in fresh]


# --- what can be added ----------------------------------------------------------------------------------------------


def test_a_list_is_added_in_order_and_its_ids_returned(dataset):
    ids = dataset.add_samples(list(numbered(5)))
    assert len(dataset) == 5
    assert dataset.values("id") == ids == sorted(ids)
    assert dataset.values("n") == [0, 1, 2, 3, 4]


def test_a_generator_of_several_batches_keeps_its_order(dataset):
    ids = dataset.add_samples(numbered(2 * BATCH + 3))
    assert ids == sorted(set(ids))
    assert dataset.values("id") == ids
    assert dataset.values("n") == list(range(2 * BATCH + 3))


def test_dicts_and_paths_are_samples_too(dataset):
    ids = dataset.add_samples([{"filepath": "/1.png", "n": 1, "tags": ["a"]}, "/2.png", sc.Sample("/3.png", n=3)])
    assert dataset.values("filepath") == ["/1.png", "/2.png", "/3.png"]
    assert dataset.values("n") == [1, None, 3]
    assert dataset[ids[0]].tags == ["a"]


def test_one_sample_is_added_and_becomes_the_datasets(dataset):
    sample = sc.Sample("/1.png", n=1)
    assert (sample.id, sample.in_dataset, sample.dataset) == (None, False, None)
    sample_id = dataset.add_sample(sample)
    assert (sample.id, sample.in_dataset, sample.dataset) == (sample_id, True, dataset)
    sample.n = 2
    sample.save()
    assert dataset.values("n") == [2]


def test_samples_of_every_batch_of_a_list_become_the_datasets(dataset):
    samples = list(numbered(BATCH + 1))
    assert [sample.id for sample in samples] == [None] * len(samples)
    ids = dataset.add_samples(samples)
    assert [sample.id for sample in samples] == ids


def test_a_sample_of_another_dataset_is_copied_with_all_its_fields(dataset, database):
    dataset.add_sample(sc.Sample("/1.png", n=1, embedding=np.arange(3.0), gt=sc.Classification(label="cat")))
    source = dataset.first()
    other = sc.Dataset("other")
    other.add_samples(dataset)
    other.add_sample(source)
    assert source.dataset == dataset
    assert len(other) == 2
    assert other.values("gt.label") == ["cat", "cat"]
    assert [list(vector) for vector in other.values("embedding")] == [[0, 1, 2], [0, 1, 2]]
    assert not set(other.values("id")) & set(dataset.values("id"))
    dataset.delete()
    assert list(other.last().embedding) == [0, 1, 2]


def test_a_view_can_be_added_to_another_dataset(dataset):
    dataset.add_samples(numbered(4))
    other = sc.Dataset("other")
    other.add_samples(dataset.match(sc.F("n") > 1))
    assert other.values("n") == [2, 3]


def test_the_same_file_may_be_added_twice(dataset):
    dataset.add_samples([sc.Sample("/1.png", n=1), sc.Sample("/1.png", n=2)])
    assert dataset.values("n") == [1, 2]
    assert dataset["/1.png"].n == 1


def test_nothing_can_be_added(dataset):
    assert dataset.add_samples([]) == []
    assert dataset.add_samples(numbered(0)) == []
    assert len(dataset) == 0


@pytest.mark.parametrize("given", ["/1.png", {"filepath": "/1.png"}, sc.Sample("/1.png")])
def test_one_thing_is_not_taken_for_a_list(dataset, given):
    with pytest.raises(FieldKindError, match=r"alone\. Give a list of samples, or use add_sample\(\)"):
        dataset.add_samples(given)
    assert len(dataset) == 0


@pytest.mark.parametrize("wrong", [[5], [None], [["/1.png"]], [{"n": 1}]])
def test_what_is_no_sample_is_refused(dataset, wrong):
    with pytest.raises(SchemaError):
        dataset.add_samples([sc.Sample("/1.png"), *wrong])
    assert len(dataset) == 0


def test_relative_paths_become_absolute_and_urls_stay(dataset, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    dataset.add_samples([sc.Sample("a.png"), sc.Sample(Path("b.png")), sc.Sample("https://host/c.png?x=1")])
    assert dataset.values("filepath") == [str(tmp_path / "a.png"), str(tmp_path / "b.png"), "https://host/c.png?x=1"]


def test_add_images_takes_paths_and_tags(dataset):
    ids = dataset.add_images(["/1.png", Path("/2.png")], tags=["a", "b", "a"])
    assert dataset.values("id") == ids
    assert dataset.values("tags") == [["a", "b"], ["a", "b"]]
    assert dataset.media_type == "image"


def test_add_images_with_a_single_tag(dataset):
    dataset.add_images(["/1.png"], tags="train")
    assert dataset.first().tags == ["train"]


def test_progress_is_reported_per_batch(dataset):
    told = []
    dataset.add_samples(list(numbered(BATCH + 5)), progress=lambda done, total: told.append((done, total)))
    assert told == [(BATCH, BATCH + 5), (BATCH + 5, BATCH + 5)]


def test_the_media_type_is_what_the_files_are(database):
    for path, kind in (("/1.jpg", "image"), ("/1.mp4", "video"), ("/1.bin", "unknown")):
        dataset = sc.Dataset()
        dataset.add_images([path])
        assert (dataset.media_type, dataset.first().media_type) == (kind, kind)


# --- columns --------------------------------------------------------------------------------------------------------


def test_columns_become_samples(dataset):
    matrix = np.arange(12, dtype=np.float64).reshape(3, 4)
    ids = dataset.add_columns(
        {
            "filepath": ["/1.png", "/2.png", "/3.png"],
            "embedding": matrix,
            "score": np.array([0.1, 0.2, 0.3], dtype=np.float32),
            "count": np.arange(3, dtype=np.uint8),
            "flag": np.array([True, False, True]),
            "gt": [sc.Classification(label="cat"), None, None],
            "day": [date(2024, 5, 1), None, date(2024, 5, 3)],
            "name": np.array(["a", "b", "c"]),
            "tags": [["x"], [], ["y"]],
        }
    )
    assert dataset.values("id") == ids
    assert {name: str(field) for name, field in dataset.get_field_schema().items()} == {
        "id": "ObjectIdField", "filepath": "StringField", "tags": "ListField(StringField)",
        "metadata": "EmbeddedDocumentField(Metadata)", "embedding": "VectorField", "score": "FloatField",
        "count": "IntField", "flag": "BooleanField", "gt": "EmbeddedDocumentField(Classification)",
        "day": "DateField", "name": "StringField",
    }  # fmt: skip
    assert np.array_equal(np.stack(dataset.values("embedding")), matrix)
    assert dataset.values("score") == pytest.approx([0.1, 0.2, 0.3])
    assert dataset.values(["count", "flag", "name"]) == [[0, 1, 2], [True, False, True], ["a", "b", "c"]]
    assert dataset.values("gt.label") == ["cat", None, None]
    assert dataset.values("day") == [date(2024, 5, 1), None, date(2024, 5, 3)]
    assert dataset.values("tags") == [["x"], [], ["y"]]


def test_columns_of_different_lengths_or_without_paths_are_refused(dataset):
    with pytest.raises(SchemaError, match="different lengths: filepath 2, score 3"):
        dataset.add_columns({"filepath": ["/1.png", "/2.png"], "score": [1, 2, 3]})
    with pytest.raises(SchemaError, match="needs a 'filepath' column; got score"):
        dataset.add_columns({"score": [1, 2, 3]})
    with pytest.raises(SchemaError, match="'filepath'"):
        dataset.add_columns({})
    assert len(dataset) == 0
    assert "score" not in dataset.get_field_schema()


# --- the schema grows -----------------------------------------------------------------------------------------------


def test_fields_are_inferred_and_then_enforced(dataset):
    dataset.add_sample(sc.Sample("/1.png", score=0.5))
    with pytest.raises(FieldKindError, match=r"'score'.*FloatField"):
        dataset.add_sample(sc.Sample("/2.png", score="high"))
    assert len(dataset) == 1


def test_integers_widen_to_floats_once_and_never_back(dataset):
    dataset.add_sample(sc.Sample("/1.png", n=1))
    assert dataset.get_field_schema()["n"] == sc.IntField()
    dataset.add_samples([sc.Sample("/2.png", n=2), sc.Sample("/3.png", n=2.5)])
    assert dataset.get_field_schema()["n"] == sc.FloatField()
    dataset.add_sample(sc.Sample("/4.png", n=4))
    assert dataset.get_field_schema()["n"] == sc.FloatField()
    values = dataset.values("n")
    assert values == [1, 2, 2.5, 4]
    assert {type(value) for value in values} == {float}
    assert type(dataset.first().n) is float


def test_integers_and_floats_of_one_batch_come_as_floats_in_any_order(dataset):
    dataset.add_samples([sc.Sample("/1.png", n=1.5), sc.Sample("/2.png", n=2)])
    assert [type(sample.n) for sample in dataset] == [float, float]


def test_expand_schema_false_refuses_new_fields(dataset):
    dataset.add_sample(sc.Sample("/1.png", score=0.5))
    with pytest.raises(FieldNotFoundError, match=r"no field 'scor' on dataset 'street'.*Did you mean 'score'"):
        dataset.add_sample(sc.Sample("/2.png", scor=0.5), expand_schema=False)
    dataset.add_sample(sc.Sample("/2.png", score=0.25, other=None), expand_schema=False)
    assert dataset.values("score") == [0.5, 0.25]
    assert "scor" not in dataset.get_field_schema()


def test_dynamic_declares_the_attributes_of_labels(dataset):
    label = sc.Detections(detections=[sc.Detection(label="car", mood="calm"), sc.Detection(label="car", speed=5)])
    dataset.add_sample(sc.Sample("/1.png", pred=label))
    assert "pred.detections.mood" not in dataset.get_field_schema(flat=True)
    dataset.add_sample(sc.Sample("/2.png", pred=label.copy()), dynamic=True)
    assert dataset.get_field_schema(flat=True)["pred.detections.mood"] == sc.StringField()
    assert dataset.values("pred.detections.speed") == [[None, 5], [None, 5]]


def test_a_field_that_is_never_set_is_not_declared(dataset):
    dataset.add_sample(sc.Sample("/1.png", nothing=None))
    assert "nothing" not in dataset.get_field_schema()


# --- refused --------------------------------------------------------------------------------------------------------

REFUSED = {
    "a value of the wrong kind": sc.Sample("/x.png", n="text"),
    "a label of the wrong kind": sc.Sample("/x.png", gt=sc.Detections()),
    "a vector of the wrong length": sc.Sample("/x.png", embedding=np.ones(4)),
    "a label's vector of the wrong length": sc.Sample("/x.png", gt=sc.Classification(embedding=np.ones(4))),
    "a label's attribute of the wrong kind": sc.Sample("/x.png", gt=sc.Classification(embedding="none")),
    "a document that is too large": sc.Sample("/x.png", text="x" * 17_000_000),
}


@pytest.fixture
def filled(dataset):
    dataset.add_sample(
        sc.Sample("/0.png", n=1, embedding=np.ones(3), gt=sc.Classification(label="cat", embedding=np.ones(2)))
    )
    return dataset


@pytest.mark.parametrize("reason", REFUSED)
@pytest.mark.parametrize("lazy", [False, True], ids=["list", "generator"])
def test_a_refused_call_leaves_the_dataset_as_it_was(filled, reason, lazy):
    before = state(filled)
    bad = REFUSED[reason].copy()
    good = [sc.Sample(f"/{n}.png", n=n + 0.5, new=n, gt=sc.Classification(mood=np.ones(2))) for n in range(BATCH + 1)]
    given = [*good, bad, sc.Sample("/last.png")]
    with pytest.raises(SchemaError):
        filled.add_samples((s for s in given) if lazy else given)
    assert state(filled) == before
    if not lazy:
        assert not any(sample.in_dataset for sample in given)
        assert good[0].n == 0.5
        assert list(good[0].gt.mood) == [1, 1]


@pytest.mark.parametrize("vector", [np.array([1.0, np.nan]), np.array([np.inf, 1.0]), np.ones(0)])
def test_vectors_with_nan_and_empty_ones_are_refused_at_once(filled, vector):
    with pytest.raises(FieldKindError):
        sc.Sample("/x.png", embedding=vector)
    with pytest.raises(FieldKindError):
        sc.Classification(embedding=vector)
    before = state(filled)
    with pytest.raises(FieldKindError):
        filled.add_samples([{"filepath": "/y.png"}, {"filepath": "/x.png", "embedding": vector}])
    assert state(filled) == before


def test_a_refused_first_call_leaves_an_empty_dataset(dataset):
    before = state(dataset)
    with pytest.raises(FieldKindError):
        dataset.add_samples([sc.Sample("/1.png", embedding=np.ones(3)), sc.Sample("/2.png", embedding=np.ones(4))])
    assert state(dataset) == before
    dataset.add_sample(sc.Sample("/1.png", embedding=np.ones(4)))
    assert len(dataset.first().embedding) == 4


def test_a_sample_refused_once_can_be_mended_and_added(filled):
    sample = sc.Sample("/x.png", n="text", embedding=np.ones(3))
    with pytest.raises(FieldKindError):
        filled.add_sample(sample)
    sample.n = 5
    filled.add_sample(sample)
    assert filled.values("n") == [1, 5]
    assert list(filled.last().embedding) == [1, 1, 1]


def test_what_breaks_a_unique_index_is_refused_whole(filled):
    filled.create_index("n", unique=True)
    before = state(filled)
    for given in ([sc.Sample("/a.png", n=7), sc.Sample("/b.png", n=1)], numbered(2 * BATCH)):
        with pytest.raises(SchemaError, match="repeats the value"):
            filled.add_samples(given)
        assert state(filled) == before


# --- interrupted ----------------------------------------------------------------------------------------------------


def test_an_interrupted_generator_says_what_was_added(dataset):
    def broken():
        yield from numbered(BATCH + 7)
        raise OSError("the disk fell out")

    with pytest.raises(OSError, match="the disk fell out") as caught:
        dataset.add_samples(broken())
    assert dataset.values("n") == list(range(BATCH))
    assert caught.value.__notes__ == [
        f"add_samples was interrupted: {BATCH} samples were added, the last one {dataset.last().id}."
    ]
    assert dataset.media_type == "image"


def test_a_generator_that_is_interrupted_at_once_adds_nothing(dataset):
    def broken():
        yield sc.Sample("/1.png")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        dataset.add_samples(broken())
    assert not getattr(caught.value, "__notes__", [])
    assert len(dataset) == 0


def test_what_is_interrupted_while_it_is_inserted_is_not_half_there(dataset, monkeypatch):
    insert, calls = samples.insert, []

    def interrupted(dataset_id, documents):
        revision = insert(dataset_id, documents)
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return revision

    monkeypatch.setattr(samples, "insert", interrupted)
    given = list(numbered(2 * BATCH))
    with pytest.raises(KeyboardInterrupt) as caught:
        dataset.add_samples(given)
    assert f"{BATCH} samples were added, the last one {dataset.last().id}" in caught.value.__notes__[0]
    assert dataset.values("n") == list(range(BATCH))
    assert [sample.in_dataset for sample in given] == [True] * BATCH + [False] * BATCH


def test_what_the_server_stores_after_ctrl_c_counts_as_added(dataset, monkeypatch):
    insert, main = samples.insert, threading.main_thread()

    def interrupted(dataset_id, documents):
        time.sleep(0.2)  # the caller waits for it by now
        signal.pthread_kill(main.ident, signal.SIGINT)
        time.sleep(0.2)
        return insert(dataset_id, documents)

    monkeypatch.setattr(samples, "insert", interrupted)
    given = list(numbered(3))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    try:
        with pytest.raises(KeyboardInterrupt) as caught:
            dataset.add_samples(given)
    finally:
        signal.signal(signal.SIGINT, before)
    assert dataset.values("n") == [0, 1, 2]
    assert f"3 samples were added, the last one {dataset.last().id}" in caught.value.__notes__[0]
    assert all(sample.in_dataset for sample in given)


def test_what_the_server_refuses_late_takes_back_what_was_added_before(dataset):
    dataset.add_sample(sc.Sample("/0.png", n=2 * BATCH + 1))
    dataset.create_index("n", unique=True)
    columns = {"filepath": [f"/{number}.png" for number in range(3 * BATCH)], "n": list(range(3 * BATCH))}
    with pytest.raises(SchemaError, match="repeats the value"):
        dataset.add_columns(columns)
    assert dataset.values("n") == [2 * BATCH + 1]


# --- several at once ------------------------------------------------------------------------------------------------

ADD = """
import sys, saccade as sc
dataset = sc.load_dataset("street")
print("ready", flush=True)
sys.stdin.readline()
who, ids = "{who}", []
for start in range(0, 300, 30):
    ids += dataset.add_samples(sc.Sample(f"/{{who}}{{n}}.png", who=who, n=n) for n in range(start, start + 30))
print(",".join(ids))
"""


def test_two_processes_add_at_once_and_ids_ascend_in_the_order_of_each(dataset):
    processes = [begin(ADD.format(who=who)) for who in "ab"]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    ids = {}
    for who, process in zip("ab", processes, strict=True):
        said, complaints = process.communicate(timeout=60)
        assert process.returncode == 0, complaints
        ids[who] = said.strip().split(",")
    assert len(dataset) == 600
    assert dataset.values("id") == sorted({*ids["a"], *ids["b"]})
    for who in "ab":
        assert ids[who] == sorted(ids[who])
        mine = dataset.match(sc.F("who") == who)
        assert mine.values("id") == ids[who]
        assert mine.values("n") == list(range(300))
    assert min(ids["a"]) < max(ids["b"])
    assert min(ids["b"]) < max(ids["a"])


CLASH = """
import sys, numpy as np, saccade as sc
from saccade.dataset.errors import FieldKindError
dataset = sc.load_dataset("street")
print("ready", flush=True)
sys.stdin.readline()
for n in range(30):
    try:
        dataset.add_sample(sc.Sample("/1.png", **{{f"field{{n}}": {value}}}))
        print(1)
    except FieldKindError:
        print(0)
"""


def outcomes(*values: str) -> list[list[bool]]:
    """Which of 30 fields each of two processes could add, at the same moment, with its own value."""
    processes = [begin(CLASH.format(value=value)) for value in values]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    won = []
    for process in processes:
        said, complaints = process.communicate(timeout=60)
        assert process.returncode == 0, complaints
        won.append([line == "1" for line in said.split()])
    return won


def test_two_processes_that_declare_a_field_differently_do_not_both_win(dataset):
    won = outcomes("5", "'five'")
    schema = dataset.get_field_schema()
    for n, (first, second) in enumerate(zip(*won, strict=True)):
        assert first != second, f"field{n}"
        assert schema[f"field{n}"] == (sc.IntField() if first else sc.StringField())
        assert dataset.count(f"field{n}") == 1
    assert len(dataset) == 30


def test_two_processes_that_add_first_vectors_of_different_lengths_do_not_both_win(dataset):
    won = outcomes("np.ones(2)", "np.ones(3)")
    for n, (first, second) in enumerate(zip(*won, strict=True)):
        assert first != second, f"field{n}"
        assert columns.read_vectors(dataset, f"field{n}")[1].shape == (1, 2 if first else 3)


def test_ids_go_on_ascending_in_a_new_process(dataset):
    first = dataset.add_images(["/1.png"])
    code = "import saccade as sc; print(*sc.load_dataset('street').add_images(['/2.png', '/3.png']))"
    second = run(code).split()
    third = dataset.add_images(["/4.png"])
    assert dataset.values("id") == [*first, *second, *third]


# --- deleted --------------------------------------------------------------------------------------------------------


def test_samples_are_deleted_by_id_sample_view_or_iterable(dataset):
    ids = dataset.add_samples(numbered(8))
    dataset.delete_samples(ids[0])
    dataset.delete_samples(dataset[ids[1]])
    dataset.delete_samples([ids[2], dataset[ids[3]]])
    dataset.delete_samples(dataset.match(sc.F("n") == 4))
    dataset.delete_samples(sample for sample in dataset if sample.n == 5)
    assert dataset.values("n") == [6, 7]
    dataset.delete_samples([])
    assert len(dataset) == 2


def test_deleting_a_sample_that_is_not_there_deletes_none(dataset):
    ids = dataset.add_samples(numbered(3))
    dataset.delete_samples(ids[0])
    with pytest.raises(KeyError, match=ids[0]):
        dataset.delete_samples([ids[1], ids[0]])
    with pytest.raises(ValueError, match="no sample id"):
        dataset.delete_samples(["/1.png", ids[1]])
    assert dataset.values("n") == [1, 2]


def test_clear_removes_all_samples_and_keeps_the_fields(dataset):
    dataset.add_samples(numbered(5))
    dataset.info = {"a": 1}
    dataset.clear()
    assert len(dataset) == 0
    assert "n" in dataset.get_field_schema()
    assert sc.load_dataset("street").info == {"a": 1}
    dataset.add_samples(numbered(2))
    assert dataset.values("n") == [0, 1]


def test_a_deleted_dataset_takes_no_samples(dataset):
    dataset.delete()
    with pytest.raises(DatasetNotFoundError):
        dataset.add_samples(numbered(1))
