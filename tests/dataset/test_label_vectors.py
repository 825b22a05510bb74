"""Vectors of labels; and the sweep, which deletes the vectors that nothing names any more."""

import numpy as np
import pytest

import saccade as sc
from saccade.dataset import columns, journal
from saccade.dataset.errors import ExpressionError, FieldKindError
from tests.dataset.examples import stored_vectors, with_vectors
from tests.store.processes import begin


@pytest.fixture
def filled(dataset) -> sc.Dataset:
    return with_vectors(dataset)


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
    assert stored_vectors(boxes, database) == 4


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
    before = stored_vectors(boxes, database)
    sample.pred.detections[1].label = "truck"
    sample.save()
    assert stored_vectors(boxes, database) == before
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
    assert stored_vectors(dataset, database) == 0
    logits = dataset.first().gt.logits
    assert logits.dtype == np.float32
    assert logits.tolist() == pytest.approx([0.1, 0.9])


def test_columns_of_label_vectors_are_refused_with_the_remedy(boxes):
    with pytest.raises(ExpressionError, match="labels"):
        boxes.values("pred.detections.feature")
    with pytest.raises(FieldKindError, match="not a vector field of samples"):
        columns.read_vectors(boxes, "pred.detections.feature")


# --- swept ------------------------------------------------------------------------------------------------------------


def test_a_sweep_deletes_what_neither_a_sample_nor_the_journal_names(filled, boxes, database):
    filled.set_values("embedding", np.ones((12, 4)))
    sample = filled.last()
    sample.pred.detections[0].feature = np.array([7.0, 8.0])
    sample.save()
    assert stored_vectors(filled, database) == 10 + 4 + 12 + 1
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
        assert stored_vectors(filled, database) == 11
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
    assert stored_vectors(filled, database) <= 11, (
        "the deleted sample's vector stays as long as the journal can bring it back"
    )


def test_logits_of_any_label_lie_within_it_and_are_read_and_set_as_arrays(dataset):
    boxes = [sc.Detection(label="cat", bounding_box=[0, 0, 1, 1], logits=np.array([1.0, -np.inf])) for _ in range(2)]
    dataset.add_sample(
        sc.Sample("/1.png", boxes=sc.Detections(detections=boxes), kind=sc.Classification(label="cat", logits=[1, 2]))
    )
    assert dataset.get_field_schema(flat=True)["boxes.detections.logits"] == sc.ArrayField()
    (found,) = dataset.values("boxes.detections.logits")
    assert [logits.tolist() for logits in found] == [[1.0, -np.inf]] * 2
    dataset.set_values("kind.logits", [np.array([3.0, 4.0])])
    dataset.set_values("boxes.detections.logits", [[np.array([5.0]), None]])
    sample = dataset.first()
    assert sample["kind"].logits.tolist() == [3, 4]
    assert sample["boxes"].detections[0].logits.tolist() == [5]
    assert not sample["boxes"].detections[1].has_field("logits")
    assert dataset.values("kind.logits")[0].dtype == np.float32
