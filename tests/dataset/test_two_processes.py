"""Two real processes that add to, score and edit one dataset at once lose nothing, and readers see no mixture."""

import numpy as np
import pytest

import saccade as sc
from saccade.dataset import columns, journal
from saccade.dataset.store import actions
from tests.store.processes import begin

F = sc.F


@pytest.fixture
def filled(dataset) -> sc.Dataset:
    dataset.add_samples(
        sc.Sample(
            f"/{n}.png", n=n, embedding=np.full(4, n / 2),
            pred=sc.Detections(detections=[sc.Detection(label="car"), sc.Detection(label="bus")]),
        )
        for n in range(60)
    )  # fmt: skip
    return dataset


HEAD = """
import sys, numpy as np, saccade as sc
from saccade.dataset import columns, runs
F = sc.F
dataset = sc.load_dataset("street")
print("ready", flush=True)
sys.stdin.readline()
"""


def together(*scripts: str) -> list[str]:
    """Run scripts in processes of their own that start at the same moment; gives what each printed."""
    processes = [begin(HEAD + script) for script in scripts]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    said = []
    for process in processes:
        output, complaints = process.communicate(timeout=90)
        assert process.returncode == 0, complaints
        said.append(output)
    return said


ADD = """
for turn in range(20):
    late = {"n": 1000 + turn, "late": True, "embedding": np.full(4, 7.0)}
    dataset.add_samples(sc.Sample(f"/{turn}-{i}.png", **late) for i in range(5))
"""
SCORE = """
for turn in range(12):
    with runs.record(dataset, "scoring", key="score", reads=["embedding"], writes=["score"]):
        ids, matrix = columns.read_vectors(dataset, "embedding")
        columns.write_scalars(dataset, {"score": matrix.sum(axis=1) + turn, "turn": [turn] * len(ids)}, ids)
"""
EDIT = """
for turn in range(3):
    for sample in dataset.limit(20):
        sample.tags.append(f"edit{turn}")
        sample["seen"] = turn
        sample.pred.detections[turn % 2].index = turn
        sample.save()
    with dataset.save_context(batch_size=8) as context:
        for sample in dataset.skip(20).limit(20):
            sample.tags.append(f"edit{turn}")
            context.save(sample)
"""
TAG = """
for turn in range(10):
    dataset.match(F("n") < 60).tag_samples(f"bulk{turn}")
    dataset.limit(30).set_values("pred.detections.confidence", [[turn / 10, 1.0]] * 30)
"""


def test_adding_scoring_editing_and_tagging_at_once_loses_nothing(filled):
    together(ADD, SCORE, EDIT, TAG)
    old = filled.match(F("n") < 60)
    assert len(old) == 60
    assert filled.count("late") == 100
    assert filled.values("id") == sorted(filled.values("id"))
    assert len(columns.read_vectors(filled, "embedding")[0]) == 160
    assert old.values("score") == [n * 2 + 11 for n in range(60)]
    assert set(old.values("turn")) == {11}
    bulk = {f"bulk{turn}" for turn in range(10)}
    edits = {f"edit{turn}" for turn in range(3)}
    for n, tags in enumerate(old.values("tags")):
        assert len(tags) == len(set(tags))
        assert set(tags) == (bulk | edits if n < 40 else bulk), n
    assert old.limit(20).values("seen") == [2] * 20
    assert old.limit(20).values("pred.detections.index") == [[2, 1]] * 20
    assert old.limit(30).values("pred.detections.confidence") == [[0.9, 1.0]] * 30
    assert filled.get_run_info("score").state == "completed"
    assert not actions.live_actions(filled._id)


READ = """
for turn in range(60):
    ids, found = columns.read_scalars(dataset, ["a", "b"])
    assert len(set(found["a"])) == 1, found
    assert found["a"] == found["b"]
    matrix = columns.read_vectors(dataset, "embedding")[1]
    assert len(set(matrix.ravel().tolist())) == 1, matrix
"""
WRITE = """
for turn in range(15):
    ids = dataset.values("id")
    columns.write_scalars(dataset, {"a": [turn] * len(ids), "b": [turn] * len(ids)}, ids)
    columns.write_vectors(dataset, "embedding", ids, np.full((len(ids), 4), turn))
"""


def test_columns_are_never_read_half_written(filled):
    filled.set_values("a", [-1] * 60)
    filled.set_values("b", [-1] * 60)
    filled.set_values("embedding", np.full((60, 4), -1))
    together(READ, WRITE)
    assert filled.values("a") == [14] * 60


COUNT = """
for turn in range({turns}):
    dataset.limit(40).set_values("{field}", [turn] * 40)
"""


def test_bulk_writes_on_different_fields_do_not_wait_in_vain(filled):
    together(COUNT.format(turns=15, field="left"), COUNT.format(turns=15, field="right"))
    assert filled.limit(40).values(["left", "right"]) == [[14] * 40] * 2


DELETE = """
for n in range({start}, 60, 2):
    dataset.delete_samples(dataset.match(F("n") == n))
"""


WRITE_ALL = """
for turn in range(10):
    ids = dataset.values("id")
    columns.write_scalars(dataset, {"left": [turn] * len(ids)}, ids)
"""


def test_two_processes_delete_and_write_at_once(filled):
    together(DELETE.format(start=0), WRITE_ALL)
    assert filled.values("n") == list(range(1, 60, 2))
    assert filled.values("left") == [9] * 30


GROW = """
for turn in range(20):
    sample = dataset.first()
    sample[f"{who}{{turn}}"] = {value}
    sample.save()
    dataset.add_sample(sc.Sample("/new.png", **{{f"shared{{turn}}": {value}}}))
"""


def test_two_processes_that_declare_fields_at_once_end_with_one_schema(filled):
    together(GROW.format(who="a", value="1"), GROW.format(who="b", value="1.5"))
    schema = filled.get_field_schema()
    sample = filled.first()
    for turn in range(20):
        assert schema[f"a{turn}"] == sc.IntField()
        assert schema[f"b{turn}"] == sc.FloatField()
        assert schema[f"shared{turn}"] == sc.FloatField(), "int widens to float whoever comes first"
        assert (sample[f"a{turn}"], sample[f"b{turn}"]) == (1, 1.5)
        assert sorted(filled.exists(f"shared{turn}").values(f"shared{turn}")) == [1.0, 1.5]


RENAME = """
from saccade.dataset.errors import SchemaError
try:
    for turn in range(8):
        dataset.rename_sample_field("n", "m")
        dataset.rename_sample_field("m", "n")
except SchemaError:
    pass  # the other process has just declared it again
"""
ADD_MORE = """
for turn in range(40):
    dataset.add_sample(sc.Sample("/more.png", n=turn))
"""


def test_a_field_renamed_while_samples_are_added_hides_no_value(filled):
    together(RENAME, ADD_MORE)
    assert len(filled) == 100
    names = {"n", "m"} & set(filled.get_field_schema())
    held = [value for name in names for value in filled.values(name) if value is not None]
    assert sorted(held) == sorted([*range(60), *range(40)])


MAKE = """
from saccade.dataset.errors import DatasetExistsError
for turn in range(15):
    try:
        sc.Dataset(f"made{turn}")
        print("won", turn)
    except DatasetExistsError:
        print("lost", turn)
print(*[sc.Dataset(persistent=True).name for _ in range(5)], sep="\\n")
"""


def test_two_processes_that_make_one_dataset_do_not_both_get_it(dataset):
    first, second = (said.splitlines() for said in together(MAKE, MAKE))
    for turn in range(15):
        assert {first[turn], second[turn]} == {f"won {turn}", f"lost {turn}"}
    names = first[15:] + second[15:]
    assert len(set(names)) == 10
    assert set(names) < set(sc.list_datasets())


# --- orders of events that are rare, one by one ---------------------------------------------------------------------


RELABEL = """
import saccade as sc
sample = sc.load_dataset("street").first()
sample.pred.detections[0].label = "truck"
print("go", flush=True)
sample.save()
"""


def test_an_edit_that_a_bulk_write_covers_is_written_again(filled):
    """The bulk write has read the labels before the edit, and writes the whole list after it."""

    def change(_start, old):
        if not edited:
            edited.append(begin(RELABEL))
            assert edited[0].stdout.readline() == "go\n"
        return {"pred.detections": [actions.value_at(document, "pred.detections") for document in old]}

    edited: list = []
    with journal.action(filled._id, "set_values", ["pred"]) as action:
        action.transform(filled.values("id")[:2], ["pred.detections"], change)
    complaints = edited[0].communicate(timeout=30)[1]
    assert edited[0].returncode == 0, complaints
    assert filled.first().pred.detections[0].label == "truck"


def test_an_edit_is_written_again_when_a_bulk_write_ended_between_write_and_look(filled, monkeypatch):
    sample = filled.first()
    sample.pred.detections[0].label = "truck"
    identity = [sample.id]
    apply = []
    from saccade.dataset.store import samples

    def apply_edits(dataset_id, edits):
        """The bulk write reads, the edit is written, the bulk write writes and ends; then the edit looks."""
        if apply:
            return original(dataset_id, edits)
        apply.append(1)
        with journal.action(dataset_id, "set_values", ["pred"]) as action:

            def change(_start, old):
                held = [actions.value_at(document, "pred.detections") for document in old]
                original(dataset_id, edits)
                return {"pred.detections": held}

            action.transform(identity, ["pred.detections"], change)
        assert filled.first().pred.detections[0].label == "car", "now the edit is covered"
        return None

    original = samples.apply_edits
    monkeypatch.setattr(samples, "apply_edits", apply_edits)
    sample.save()
    assert filled.first().pred.detections[0].label == "truck"


def test_a_read_begins_again_when_a_bulk_write_that_took_its_number_earlier_opens_meanwhile(filled):
    """The writer took its number before the reader looked, and opened after it."""
    record = {"verb": "late", "fields": ["n"], "run": None, "who": "test"}
    number = actions.next_number(filled._id)
    reads = []

    def read():
        reads.append(1)
        if len(reads) == 1:
            assert actions.open_action(filled._id, number, record, actions.claims_of(["n"]))
            actions.end_action(filled._id, number, {"live": True}, state="closed")
        return len(reads)

    assert journal.stable_read(filled._id, ["n"], read) == 2


def test_a_writer_that_took_its_number_long_ago_takes_a_new_one(filled, monkeypatch):
    given = actions.next_number
    old = actions.next_number(filled._id)
    for _ in range(actions.WINDOW):
        given(filled._id)
    numbers = iter([old])
    monkeypatch.setattr(actions, "next_number", lambda dataset_id: next(numbers, None) or given(dataset_id))
    with journal.action(filled._id, "set_values", ["n"]) as action:
        assert action.number > old + actions.WINDOW
    assert actions.read_action(filled._id, old)["state"] == "withdrawn"
