"""What is seen of bulk writes, and undoing them: values, tags, labels, samples and declarations come back."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import saccade as sc
import saccade.brain as scb
from saccade.dataset import journal
from saccade.dataset.errors import DatasetNotFoundError, ReadOnlyError, SaccadeError, UndoError
from saccade.dataset.journal import retention
from saccade.dataset.store import actions, catalog, connection, field_records, migrations, vectors
from tests.store.processes import begin, kill, run

COUNT = 12
ADVISORY = {"revision", "edits"}


@pytest.fixture
def dataset(database) -> sc.Dataset:
    """Samples with a value of every kind, some of them missing."""
    made = sc.Dataset("street")
    made.add_samples([
        sc.Sample(
            f"/photos/{i}.png", tags=["b", "a", "c"][: i % 4], count=i if i % 3 else None, weight=i / 7,
            facts={"inner": {"x": i}, "y": 1} if i % 2 else None, embedding=np.array([i, 1.0]),
            truth=sc.Classification(label="cat", confidence=0.5) if i % 5 else None,
            found=sc.Detections(detections=[
                sc.Detection(label="dog", bounding_box=[0, 0, 1, 1], tags=["seen"][: k % 2]) for k in range(i % 3)
            ]),
        )
        for i in range(COUNT)
    ])  # fmt: skip
    made.add_sample_field("truth.colour", sc.StringField, description="of its fur")
    made.set_values("truth.colour", ["red" if i % 5 else None for i in range(COUNT)])
    return made


def everything(dataset: sc.Dataset) -> Any:
    """The samples and the declarations as stored, but for what only counts changes."""
    fields = {
        path: {key: value for key, value in record.items() if key not in ADVISORY and value != {}}
        for path, record in field_records.by_path(dataset._id).items()
    }
    documents = connection.database()[f"samples.{dataset._id}"].find().sort("_id", 1)
    return list(documents), fields


def stored_vectors(dataset: sc.Dataset, field: str = "embedding") -> Any:
    return [None if value is None else value.tolist() for value in dataset.values(field)]


def cats(dataset: sc.Dataset) -> sc.DatasetView:
    return dataset.filter_labels("truth", sc.F("label") == "cat")


def merge(dataset: sc.Dataset) -> None:
    given = [sc.Sample(f"/photos/{i}.png", tags=["merged"], weight=float(i), fresh="x") for i in range(5)]
    dataset.merge_samples(given, insert_new=False)


VERBS: dict[str, Callable[[sc.Dataset], object]] = {
    "set_values": lambda d: d.set_values("weight", [float(-i) for i in range(COUNT)]),
    "set_values of none": lambda d: d.set_values("weight", [None] * COUNT),
    "set_values of a new field": lambda d: d.set_values("fresh", ["x"] * COUNT),
    "set_values that widens": lambda d: d.set_values("count", [i + 0.5 for i in range(COUNT)]),
    "set_values in a dict": lambda d: d.set_values("facts.inner.z", list(range(COUNT))),
    "set_values in a new dict": lambda d: d.set_values("more.inner.z", list(range(COUNT))),
    "set_values of an attribute": lambda d: cats(d).set_values("truth.confidence", [0.9] * len(cats(d))),
    "set_values of a new attribute": lambda d: d.set_values(
        "truth.mood", ["calm" if i % 5 else None for i in range(COUNT)], dynamic=True
    ),
    "set_values in lists": lambda d: d.set_values("found.detections.label", [["x"] * (i % 3) for i in range(COUNT)]),
    "set_values of labels": lambda d: d.set_values("truth", [sc.Classification(label="z") for _ in range(COUNT)]),
    "set_values of tags": lambda d: d.set_values("tags", [["z"]] * COUNT),
    "set_values of vectors": lambda d: d.set_values("embedding", [np.array([-i, 2.0]) for i in range(COUNT)]),
    "set_values of new vectors": lambda d: d.set_values("other", [np.array([i, 2.0, 3.0]) for i in range(COUNT)]),
    "tag_samples": lambda d: d.tag_samples(["a", "new"]),
    "untag_samples": lambda d: d.untag_samples(["a", "b"]),
    "random_split": lambda d: sc.random_split(d, {"a": 0.5, "b": 0.5}, seed=1),
    "tag_labels": lambda d: d.tag_labels("seen", label_fields=["truth", "found"]),
    "untag_labels": lambda d: d.untag_labels("seen"),
    "delete_labels": lambda d: d.delete_labels(view=d.filter_labels("found", sc.F("label") == "dog").limit(6)),
    "delete_labels of one per sample": lambda d: d.delete_labels(view=cats(d).limit(3), fields="truth"),
    "split_labels": lambda d: d.split_labels("found", "others"),
    "delete_samples": lambda d: d.delete_samples(d.limit(5)),
    "keep": lambda d: d.limit(5).keep(),
    "keep_fields": lambda d: d.select_fields(["weight", "truth"]).keep_fields(),
    "save of a view": lambda d: d.set_field("weight", sc.F("weight") * 2).save(),
    "merge_samples": merge,
    "rename_sample_field": lambda d: d.rename_sample_field("truth", "label"),
    "rename_sample_field of vectors": lambda d: d.rename_sample_field("embedding", "vector"),
    "rename_sample_field of an attribute": lambda d: d.rename_sample_field("truth.colour", "truth.color"),
    "clone_sample_field": lambda d: d.clone_sample_field("embedding", "double"),
    "clear_sample_field": lambda d: d.clear_sample_field("facts"),
    "clear_sample_field of an attribute": lambda d: d.clear_sample_field("truth.colour"),
    "delete_sample_field": lambda d: d.delete_sample_field("truth"),
    "delete_sample_field of vectors": lambda d: d.delete_sample_field("embedding"),
    "delete_sample_field of an attribute": lambda d: d.delete_sample_field("truth.colour"),
    "compute_uniqueness": scb.compute_uniqueness,
    "select": lambda d: scb.select(d, n_samples=3, tag="batch"),
}


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_undone_done_again_and_undone_again(dataset, verb):
    before, vectors_before = everything(dataset), stored_vectors(dataset)
    VERBS[verb](dataset)
    after = everything(dataset)
    assert after != before
    undone = dataset.undo()
    assert everything(dataset) == before
    assert stored_vectors(dataset) == vectors_before
    assert undone.conflicts == {}
    assert undone.missing == []
    assert undone.restored > 0
    again = dataset.undo(undone)
    assert everything(dataset) == after
    assert again.undoes == undone.number
    last = dataset.undo(undone.undoes)
    assert everything(dataset) == before
    assert (last.conflicts, last.undoes) == ({}, undone.undoes)


def test_calling_it_again_goes_further_back(dataset):
    states = []
    for verb in (
        "tag_samples",
        "set_values of a new attribute",
        "rename_sample_field",
        "delete_samples",
        "clear_sample_field",
    ):
        states.append(everything(dataset))
        VERBS[verb](dataset)
    for state in reversed(states):
        dataset.undo()
        assert everything(dataset) == state


def test_an_older_one_is_undone_by_its_number_and_the_newer_ones_stay(dataset):
    weights = dataset.values("weight")
    dataset.set_values("weight", [9.0] * COUNT)
    dataset.tag_samples("new")
    (_, entry) = dataset.history(2)
    dataset.undo(entry)
    assert dataset.values("weight") == weights
    assert dataset.count_sample_tags()["new"] == COUNT
    assert [entry.state for entry in dataset.history(3)] == ["done", "done", "undone"]
    dataset.undo()
    assert "new" not in dataset.count_sample_tags()


# --- what was changed since -----------------------------------------------------------------------------------------


def test_what_was_changed_since_is_named_and_left_alone(dataset, caplog):
    weights, ids = dataset.values("weight"), dataset.values("id")
    dataset.set_values("weight", [9.0] * COUNT)
    sample = dataset[ids[4]]
    sample["weight"] = 4.5
    sample.save()
    dataset.select(ids[7]).set_values("weight", [7.5])
    dataset.delete_samples(ids[2])
    undone = dataset.undo(dataset.history()[2])
    assert undone.conflicts == {"weight": [ids[4], ids[7]]}
    assert undone.missing == [ids[2]]
    assert undone.restored == COUNT - 3
    expected = {**dict(zip(ids, weights, strict=True)), ids[4]: 4.5, ids[7]: 7.5}
    del expected[ids[2]]
    assert dict(zip(dataset.values("id"), dataset.values("weight"), strict=True)) == expected
    said = f"'weight' of 2 samples ({ids[4]}, {ids[7]}), changed since"
    assert said in repr(undone)
    assert said in caplog.text
    assert f"1 sample ({ids[2]}), deleted since" in repr(undone)
    assert dataset.select(undone.conflicts["weight"]).values("weight") == [4.5, 7.5]


def test_what_is_already_as_it_was_is_no_conflict(dataset):
    weights = dataset.values("weight")
    dataset.set_values("weight", [9.0] * COUNT)
    dataset.set_values("weight", weights)
    undone = dataset.undo(dataset.history()[1])
    assert (undone.conflicts, undone.restored) == ({}, 0)


def test_an_undo_that_left_something_is_undone_as_far_as_it_went(dataset):
    ids = dataset.values("id")
    dataset.set_values("weight", [9.0] * COUNT)
    dataset.select(ids[3]).set_values("weight", [1.0])
    undone = dataset.undo(dataset.history()[1])
    assert undone.conflicts == {"weight": [ids[3]]}
    dataset.undo(undone)
    assert dataset.values("weight") == [9.0] * 3 + [1.0] + [9.0] * (COUNT - 4)


def test_a_field_stays_declared_while_a_later_value_is_in_it(dataset):
    dataset.set_values("fresh", ["x"] * COUNT)
    dataset.limit(1).set_values("fresh", ["later"])
    dataset.undo(dataset.history()[1])
    assert dataset.values("fresh") == ["later"] + [None] * (COUNT - 1)


def test_tags_of_others_stay_whatever_is_undone(dataset):
    dataset.untag_samples("a")
    dataset.tag_samples("later")
    assert dataset.undo(dataset.history()[1]).conflicts == {}
    assert [sample.tags for sample in dataset[:4]] == [
        ["later"], ["b", "later"], ["b", "later", "a"], ["b", "c", "later", "a"]
    ]  # fmt: skip
    dataset.tag_samples("new")
    dataset.untag_samples("new")
    dataset.undo(dataset.history()[1])
    assert "new" not in dataset.count_sample_tags()


def test_an_entry_of_a_dict_comes_back_beside_later_ones(dataset):
    dataset.set_values("more.x", [1] * COUNT)
    dataset.limit(2).set_values("more.y", [2, 2])
    assert dataset.undo(dataset.history()[1]).conflicts == {}
    assert dataset.values("more") == [{"y": 2}] * 2 + [None] * (COUNT - 2)


def test_no_label_comes_into_being_out_of_one_attribute(dataset):
    colours = dataset.values("truth.colour")
    dataset.clear_sample_field("truth.colour")
    dataset.limit(3).set_values("truth", [None, None, sc.Classification(label="new")])
    undone = dataset.undo(dataset.history()[1])
    assert undone.conflicts == {"truth.colour": [dataset.values("id")[1]]}
    assert dataset.values("truth")[:2] == [None, None]
    assert dataset.values("truth.colour")[3:] == colours[3:]


def test_labels_that_were_edited_since_are_named_with_their_sample(dataset):
    before = everything(dataset)
    dataset.tag_labels("checked", label_fields="found")
    sample = dataset[dataset.values("id")[2]]
    sample["found"].detections[0].label = "wolf"
    sample.save()
    assert dataset.undo().conflicts == {"found": [sample.id]}
    stored = everything(dataset)[0]
    assert stored[2]["found"]["detections"][0]["label"] == "wolf"
    assert stored[:2] + stored[3:] == before[0][:2] + before[0][3:]


def test_a_sample_that_is_there_again_is_not_replaced(dataset):
    ids = dataset.values("id")
    copy = dataset.clone("copy")
    dataset.delete_samples(ids[:3])
    copy.set_values("weight", [5.0] * COUNT)
    dataset.add_collection(copy.select(ids[1]))
    undone = dataset.undo()
    assert undone.conflicts == {"id": [ids[1]]}
    assert undone.restored == 2
    assert dataset.values("id") == ids
    assert dataset.values("weight")[:3] == [0.0, 5.0, 2 / 7]


def test_samples_that_were_edited_since_they_came_back_are_not_deleted_again(dataset):
    ids = dataset.values("id")
    dataset.delete_samples(ids[:3])
    undone = dataset.undo()
    dataset.select(ids[1]).set_values("weight", [5.0])
    again = dataset.undo(undone)
    assert again.conflicts == {"id": [ids[1]]}
    assert dataset.values("id") == [ids[1], *ids[3:]]


# --- what cannot be undone ------------------------------------------------------------------------------------------


def refused(dataset: sc.Dataset, number: Any = None) -> str:
    """The message with which an undo is refused; it changed nothing."""
    before = everything(dataset)
    with pytest.raises(UndoError) as raised:
        dataset.undo(number)
    assert everything(dataset) == before
    assert actions.live_actions(dataset._id) == []
    return str(raised.value)


def test_nothing_to_undo(database):
    empty = sc.Dataset("empty")
    empty.add_samples([sc.Sample("/a.png", embedding=np.ones(3))])
    assert len(empty.history()) == 0
    assert refused(empty).startswith("there is nothing to undo: no bulk write is known")
    assert refused(empty, 7) == "there is no action 7 to undo. history() lists those there are."
    assert refused(empty, "x").startswith("undo() was given 'x'")
    assert refused(empty, True).startswith("undo() was given True")


def test_a_dataset_that_was_deleted_has_no_history(dataset):
    sc.delete_dataset("street")
    for call in (dataset.history, dataset.undo):
        with pytest.raises(DatasetNotFoundError):
            call()


def test_what_is_undone_is_not_undone_twice(dataset):
    dataset.tag_samples("new")
    undone = dataset.undo()
    assert refused(dataset, undone.undoes) == (
        f"action {undone.undoes}, tag_samples, cannot be undone: action {undone.number} has undone it; "
        f"undo({undone.number}) does it again."
    )
    dataset.undo(undone.number)
    assert dataset.undo().undoes == undone.undoes


def test_clear_cannot_be_undone_and_keeps_nothing(dataset):
    dataset.clear()
    assert "cannot be undone: clear() keeps nothing of the samples that it deletes" in refused(dataset)
    assert list(connection.database()[f"images.{dataset._id}"].find({"op": "delete"})) == []
    assert vectors.all_keys(dataset._id) == []


def test_what_was_rolled_back_need_not_be_undone(dataset):
    with pytest.raises(KeyError), journal.action(dataset._id, "set_values", ["weight"]):
        raise KeyError
    entry = dataset.history()[0]
    assert entry.state == "rolled back"
    assert "it was rolled back, so nothing of it is there" in refused(dataset, entry)
    assert dataset.undo().verb == "set_values", "the one before"


def test_images_that_are_gone_are_named_with_what_is_kept(dataset, monkeypatch):
    dataset.tag_samples("new")
    monkeypatch.setattr(retention, "KEEP_BYTES", 0)
    journal.trim(dataset._id)
    entry = dataset.history()[0]
    assert not entry.can_be_undone
    assert "cannot be undone: what it overwrote is kept for 7 days, and 2 GB of it at most, and is gone" in refused(
        dataset
    )
    assert "done; cannot be undone" in repr(dataset.history())


def test_what_was_overwritten_in_an_older_stored_form_does_not_come_back(dataset, monkeypatch):
    dataset.tag_samples("new")
    monkeypatch.setattr(catalog, "FORMAT_VERSION", 99)
    journal.migrate(dataset._id, "9", [migrations.Step(99, lambda hold: None)])
    assert [entry.verb for entry in dataset.history(1)] == ["tag_samples"]
    with pytest.raises(UndoError, match="in the form of an older version of Saccade"):
        dataset.undo()


def test_a_dataset_that_is_to_be_read_only_shows_its_history_and_keeps_it(dataset):
    dataset.tag_samples("new")
    read_only = sc.load_dataset("street", read_only=True)
    assert read_only.history() == dataset.history()
    with pytest.raises(ReadOnlyError):
        read_only.undo()
    assert dataset.history()[0].state == "done"


def test_images_that_go_while_they_are_read_end_the_undo(dataset, monkeypatch):
    dataset.set_values("weight", [9.0] * COUNT)
    number = dataset.history()[0].number
    claim = journal.Action._claim

    def late(work: journal.Action) -> None:
        claim(work)
        journal.forget(dataset._id, number)

    monkeypatch.setattr(journal.Action, "_claim", late)
    assert "what it overwrote is being dropped just now" in refused(dataset)


def test_a_write_that_is_under_way_in_another_process_is_waited_for_by_its_user(dataset):
    code = (
        "import sys, saccade as sc\nfrom saccade.dataset import journal\n"
        "dataset = sc.load_dataset('street')\n"
        "with journal.action(dataset._id, 'long_work', ['weight']) as action:\n"
        "    action.set(dataset.values('id'), {'weight': [1.0] * len(dataset)})\n"
        "    print('halted', flush=True)\n    sys.stdin.readline()\n"
    )
    with begin(code) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "halted\n"
        entry = dataset.history()[0]
        assert (entry.state, entry.verb) == ("under way", "long_work")
        with pytest.raises(UndoError, match=rf"still under way, by .*process {process.pid}.*; wait until it has ended"):
            dataset.undo(entry)
        kill(process.pid)
    sc.load_dataset("street")
    assert "it was rolled back" in refused(dataset, entry)


def test_a_field_declared_again_with_another_kind_is_not_mixed(dataset):
    dataset.delete_sample_field("weight")
    dataset.set_values("weight", ["heavy"] * COUNT)
    number = dataset.history()[1].number
    assert refused(dataset, number) == (
        f"action {number}, delete_sample_field, cannot be undone: field 'weight' was declared again, of kind "
        "StringField instead of FloatField; rename or delete that one first."
    )
    dataset.rename_sample_field("weight", "words")
    dataset.undo(number)
    assert dataset.values("weight")[7] == 1.0
    assert dataset.values("words")[7] == "heavy"


def test_a_field_declared_again_with_the_same_kind_takes_the_values_where_it_has_none(dataset):
    weights = dataset.values("weight")
    dataset.delete_sample_field("weight")
    dataset.limit(1).set_values("weight", [5.0])
    undone = dataset.undo(dataset.history()[1])
    assert undone.conflicts == {"weight": [dataset.first().id]}
    assert dataset.values("weight") == [5.0, *weights[1:]]


@pytest.mark.parametrize("verb", ["clear_sample_field", "delete_samples"])
def test_values_do_not_come_back_into_a_field_that_was_deleted_since(dataset, verb):
    before = everything(dataset)
    dataset.clear_sample_field("weight") if verb == "clear_sample_field" else dataset.delete_samples(dataset.limit(2))
    dataset.delete_sample_field("weight")
    (later, first) = dataset.history(2)
    assert refused(dataset, first) == (
        f"action {first.number}, {verb}, cannot be undone: action {later.number} took field 'weight' away since; "
        f"undo({later.number}) first."
    )
    dataset.undo()
    dataset.undo()
    assert everything(dataset) == before


def test_vectors_of_another_length_or_model_are_not_mixed(dataset):
    model = {"name": "net", "version": "1"}
    from saccade.dataset.columns import write_vectors

    dataset.clear_sample_field("embedding")
    number = dataset.history()[0].number
    write_vectors(dataset, "embedding", dataset.values("id")[:3], np.ones((3, 5)), model=model)
    assert "gave field 'embedding' vectors of another model since" in refused(dataset, number)
    dataset.undo()
    dataset.add_samples([sc.Sample("/late.png", embedding=np.ones(7))])
    assert "field 'embedding' holds vectors of 7 numbers by now, not of 2" in refused(dataset, number)


def test_a_unique_index_that_does_not_admit_an_old_value_stops_the_undo(dataset):
    dataset.create_index("weight", unique=True)
    dataset.delete_samples(dataset.limit(3))
    number = dataset.history()[0].number
    dataset.limit(1).set_values("weight", [1 / 7])
    message = refused(dataset, number)
    assert f"action {number}, delete_samples, cannot be undone: a unique index does not admit an old value" in message
    assert "weight" in message
    dataset.undo()
    dataset.undo()
    assert len(dataset) == COUNT
    dataset.set_values("weight", [float(100 + i) for i in range(COUNT)])
    number = dataset.history()[0].number
    dataset.add_samples([sc.Sample("/late.png", weight=1 / 7)])
    assert "a unique index does not admit" in refused(dataset, number)


def test_under_a_unique_index_values_that_moved_up_move_down_again(dataset):
    dataset.set_values("rank", [float(i) for i in range(COUNT)])
    dataset.create_index("rank", unique=True)
    before = everything(dataset)
    dataset.set_values("rank", [float(i - 1) for i in range(COUNT)])
    dataset.undo()
    assert everything(dataset) == before


# --- whose, and when ------------------------------------------------------------------------------------------------


def test_what_another_process_did_is_seen_and_undone(dataset):
    before = everything(dataset)
    run("import saccade as sc; d = sc.load_dataset('street'); d.tag_samples('theirs'); d.delete_sample_field('weight')")
    (deletion, tagging) = dataset.history(2)
    assert [deletion.verb, tagging.verb] == ["delete_sample_field", "tag_samples"]
    assert deletion.who != dataset.history()[2].who
    assert "weight" not in dataset.get_field_schema()
    dataset.undo()
    dataset.undo()
    assert everything(dataset) == before
    run("import saccade as sc; d = sc.load_dataset('street'); d.undo(d.history()[0])")
    assert dataset.count_sample_tags()["theirs"] == COUNT
    assert dataset.history()[0].undoes == dataset.history()[1].number


def test_of_two_who_undo_the_same_at_once_one_does(dataset):
    before = everything(dataset)
    dataset.set_values("weight", [9.0] * COUNT)
    number = dataset.history()[0].number
    code = (
        "import sys, saccade as sc\nfrom saccade.dataset.errors import UndoError\n"
        "dataset = sc.load_dataset('street')\nprint('ready', flush=True)\nsys.stdin.readline()\n"
        f"try: dataset.undo({number})\nexcept UndoError as error: print(error)\nelse: print('undid it')"
    )
    processes = [begin(code) for _ in range(2)]
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    said = sorted(process.communicate(timeout=60)[0] for process in processes)
    assert said[1] == "undid it\n", said
    assert "has undone it" in said[0]
    assert everything(dataset) == before


def test_the_history_shows_what_was_done_newest_first(dataset):
    dataset.tag_samples("<b>")
    scb.compute_uniqueness(dataset)
    dataset.delete_samples(dataset.limit(2))
    history = dataset.history()
    assert [entry.verb for entry in history[:3]] == ["delete_samples", "compute_uniqueness", "tag_samples"]
    assert [entry.samples for entry in history[:3]] == [2, COUNT, COUNT]
    assert [entry.fields for entry in history[:3]] == [None, ("uniqueness",), ("tags",)]
    assert history[1].run == "uniqueness"
    assert history[0].number > history[1].number
    assert history[0].finished >= history[0].started
    assert history[:2] == dataset.history(2)
    assert len(dataset.history(None)) == len(history)
    lines = repr(history).splitlines()
    assert lines[0] == "History of street"
    assert lines[1].split() == ["number", "started", "(UTC)", "who", "what", "fields", "samples", "state"]
    assert "(run uniqueness)" in lines[3]
    assert "<td" in history._repr_html_()
    with pytest.raises(UndoError, match="limit=0"):
        dataset.history(0)


def test_the_sweep_spares_the_vectors_of_what_can_be_undone(dataset):
    before = stored_vectors(dataset)
    dataset.delete_samples(dataset.limit(5))
    dataset.set_values("embedding", [np.zeros(2)] * len(dataset))
    dataset.delete_sample_field("embedding")
    assert journal.sweep(dataset._id) == 0
    for _ in range(3):
        dataset.undo()
    assert stored_vectors(dataset) == before
    assert dataset.get_field_schema()["embedding"] == sc.VectorField()
    dataset.add_samples([sc.Sample("/late.png", embedding=np.array([7.0, 7.0]))])


# --- runs -----------------------------------------------------------------------------------------------------------


def test_a_run_whose_scores_are_undone_says_so_until_they_are_there_again(dataset):
    scb.compute_uniqueness(dataset)
    scores = dataset.values("uniqueness")
    undone = dataset.undo()
    run = dataset.get_run_info("uniqueness")
    assert (run.state, run.message) == ("undone", "1 of its 1 bulk writes are undone")
    assert "uniqueness" not in dataset.get_field_schema()
    dataset.undo(undone)
    assert (dataset.get_run_info("uniqueness").state, dataset.values("uniqueness")) == ("completed", scores)
    dataset.undo()
    scb.compute_uniqueness(dataset)
    assert dataset.get_run_info("uniqueness").state == "completed", "it is another run"


def test_deleting_a_run_takes_nothing_away_that_was_undone_before(dataset):
    scb.select(dataset, n_samples=3, tag="batch")
    chosen = dataset.match_tags("batch").values("id")
    dataset.undo()
    dataset.select(chosen).tag_samples("batch")
    dataset.delete_run("selections.batch")
    assert dataset.match_tags("batch").values("id") == chosen


def test_a_deleted_run_comes_back_with_what_it_wrote(dataset):
    scb.compute_uniqueness(dataset)
    before, run = everything(dataset), repr(dataset.get_run_info("uniqueness"))
    dataset.delete_run("uniqueness")
    deleted = everything(dataset)
    assert "uniqueness" not in dataset.get_field_schema()
    undone = dataset.undo()
    assert everything(dataset) == before
    assert repr(dataset.get_run_info("uniqueness")) == run
    dataset.undo(undone)
    assert everything(dataset) == deleted
    assert dataset.list_runs() == []
    dataset.undo()
    dataset.delete_run("uniqueness")
    assert everything(dataset) == deleted


# --- at random ------------------------------------------------------------------------------------------------------

FIELDS = ("weight", "count", "facts", "truth", "found", "fresh", "renamed", "copied", "embedding")
LATER = ("fresh", "renamed", "copied")


def _rows(start: int, stop: int) -> Callable[[sc.Dataset], sc.DatasetView]:
    return lambda dataset: dataset.skip(start).limit(stop - start)


def steps() -> Any:
    """Bulk writes, and undos, as pairs of what they are and a function of the dataset."""
    rows = st.tuples(st.integers(0, COUNT - 2), st.integers(1, COUNT)).map(lambda pair: (pair[0], sum(pair)))
    field, tag = st.sampled_from(FIELDS), st.sampled_from(["a", "b", "new"])
    number = st.sampled_from([0.5, 2.0, 7, None])

    def on_rows(work: Callable[[sc.DatasetView, Any], object]) -> Callable[[Any], Callable[[sc.Dataset], object]]:
        return lambda drawn: lambda dataset: work(_rows(*drawn[0])(dataset), drawn[1])

    return st.one_of(
        st.tuples(rows, number).map(on_rows(lambda view, value: view.set_values("weight", [value] * len(view)))),
        st.tuples(rows, number).map(on_rows(lambda view, value: view.set_values("count", [value] * len(view)))),
        st.tuples(rows, number).map(on_rows(lambda view, value: view.set_values("fresh", [value] * len(view)))),
        st.tuples(rows, number).map(on_rows(lambda view, value: view.set_values("facts.inner.x", [value] * len(view)))),
        st.tuples(rows, number).map(on_rows(lambda view, value: view.set_values("facts", [{"n": value}] * len(view)))),
        st.tuples(rows, number).map(
            on_rows(lambda view, value: view.set_values("truth", [sc.Classification(label=str(value))] * len(view)))
        ),
        st.tuples(rows, number).map(
            on_rows(lambda view, value: view.set_values("embedding", [np.array([value or 0, 1.0])] * len(view)))
        ),
        st.tuples(rows, tag).map(on_rows(lambda view, tag: view.tag_samples(tag))),
        st.tuples(rows, tag).map(on_rows(lambda view, tag: view.untag_samples(tag))),
        st.tuples(rows, tag).map(on_rows(lambda view, tag: view.tag_labels(tag))),
        st.tuples(rows, tag).map(on_rows(lambda view, tag: view.untag_labels(tag))),
        st.tuples(rows, tag).map(on_rows(lambda view, _: view.delete_labels(view=None, tags="a"))),
        st.tuples(rows, tag).map(on_rows(lambda view, _: view._root.delete_samples(view))),
        field.map(lambda name: lambda dataset: dataset.clear_sample_field(name)),
        field.map(lambda name: lambda dataset: dataset.delete_sample_field(name)),
        field.map(lambda name: lambda dataset: dataset.rename_sample_field(name, "renamed")),
        field.map(lambda name: lambda dataset: dataset.clone_sample_field(name, "copied")),
        st.just(lambda dataset: dataset.rename_sample_field("truth.colour", "truth.shade")),
        st.just(lambda dataset: dataset.clear_sample_field("truth.colour")),
        st.just(lambda dataset: dataset.delete_sample_field("truth.colour")),
        st.integers(0, 5).map(lambda back: lambda dataset: dataset.undo(dataset.history()[back])),
    )


@pytest.mark.parametrize("count", [30, pytest.param(200, marks=pytest.mark.slow)])
def test_whatever_is_done_and_undone_one_by_one_gives_back_every_earlier_state(dataset, count):
    @settings(max_examples=count, suppress_health_check=list(HealthCheck))
    @given(st.lists(steps(), min_size=1, max_size=7))
    def check(work: list[Callable[[sc.Dataset], object]]) -> None:
        copy = dataset.clone()
        states: list[tuple[int, Any]] = []
        try:
            for step in work:
                before, number = everything(copy), actions.last_number(copy._id)
                with suppress(SaccadeError, IndexError):
                    step(copy)
                states += [(e.number, before) for e in copy.history() if e.number > number and e.state == "done"]
                assert everything(copy) == before or (states and states[-1][0] > number)
            for number, before in reversed(states):
                assert copy.undo(number).conflicts == {}
                assert everything(copy) == before
        finally:
            copy.delete()

    check()
