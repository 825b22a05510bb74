"""The hardness verb on detections: what samples and their objects get, and that nothing is lost."""

import numpy as np
import pytest

import saccade as sc
import saccade.brain as scb
from saccade.dataset.errors import FieldKindError, SchemaError

pytestmark = pytest.mark.usefixtures("database")

N = 30
LEFT, RIGHT = [0.1, 0.1, 0.3, 0.3], [0.6, 0.6, 0.3, 0.3]


def detections(boxes, confidences=None, **attributes):
    confidences = [None] * len(boxes) if confidences is None else confidences
    return sc.Detections(
        detections=[
            sc.Detection(label="cat", bounding_box=box, confidence=sure, **attributes)
            for box, sure in zip(boxes, confidences, strict=True)
        ]
    )


@pytest.fixture
def sure(rng):
    return rng.uniform(0.55, 1, (N, 2))


@pytest.fixture
def dataset(database, sure):
    """Two objects in each sample; those of sample 5 are found half-heartedly, and one of sample 6 not at all."""
    sure[5] = 0.45
    made = sc.Dataset("street")
    seen = [detections([LEFT, RIGHT], row.tolist()) for row in sure]
    seen[6] = detections([LEFT], [sure[6, 0]])
    made.add_samples(
        [
            sc.Sample(filepath=f"/{i}.png", ground_truth=detections([LEFT, RIGHT]), predictions=one)
            for i, one in enumerate(seen)
        ]
    )
    return made


def row(sample):
    return int(sample.filepath.split("/")[-1][:-4])


def test_the_hardest_sample_comes_first_and_each_object_says_how_sure_it_is(dataset, sure):
    run = scb.compute_hardness(dataset, "predictions")
    assert row(run.view().first()) == 5
    samples = list(dataset)
    assert samples[5]["hardness"] == pytest.approx(0.9 / 1.4)
    hits = sure[0].sum()
    assert samples[0]["hardness"] == pytest.approx((2 - hits) / (2 * hits + 2 - hits + 0.5))
    assert samples[0]["predictions"].detections[0].hardness == pytest.approx(2 - 2 * sure[0, 0])
    assert run.summary()["scored"] == N
    assert (run.operation, run.reads) == ("hardness", ["predictions"])
    assert "0 to 1" in dataset.get_field("hardness").description


def test_with_labels_what_was_not_found_is_hard(dataset):
    run = scb.compute_hardness(dataset, "predictions", ground_truth_field="ground_truth")
    assert row(run.view().first()) == 6
    assert run.reads == ["predictions", "ground_truth"]


def test_probabilities_of_objects_give_the_margin_of_their_classes(dataset):
    view = dataset.limit(7)
    view.set_values("predictions.detections.probabilities", [[[0.6, 0.3, 0.1]] * 2] * 6 + [[[1.0, 0.0, 0.0]]])
    scb.compute_hardness(view, "predictions")
    scores = view.values("predictions.detections.hardness")
    assert scores[0] == pytest.approx([0.7, 0.7])
    assert scores[6] == pytest.approx([0.0])
    with pytest.raises(FieldKindError, match=rf"sample {dataset.values('id')[7]} has none numbers and another has 3"):
        scb.compute_hardness(dataset, "predictions", "other")
    assert not dataset.has_field("other")


def test_logits_of_objects_go_through_softmax(database):
    dataset = sc.Dataset("logits")
    logits = np.log(np.array([0.6, 0.3, 0.1], dtype=np.float32))
    dataset.add_samples([sc.Sample(filepath="/0.png", predictions=detections([LEFT], [0.9], logits=logits))])
    scb.compute_hardness(dataset, "predictions")
    assert dataset.values("predictions.detections.hardness") == [pytest.approx([0.7])]


def test_probabilities_that_are_none_name_the_sample(dataset):
    dataset.limit(1).set_values("predictions.detections.probabilities", [[[0.6, 0.6]] * 2])
    with pytest.raises(FieldKindError, match=rf"sample {dataset.values('id')[0]} is \[0\.6, 0\.6\]"):
        scb.compute_hardness(dataset.limit(1), "predictions")


def test_deleting_the_run_leaves_the_boxes_as_they_were(dataset):
    before = [sample.to_dict() for sample in dataset]
    for truth in (None, "ground_truth"):
        scb.compute_hardness(dataset, "predictions", ground_truth_field=truth)
        dataset.delete_run("hardness")
        assert [sample.to_dict() for sample in dataset] == before
        assert not dataset.has_field("hardness")
        assert not dataset.has_field("predictions.detections.hardness")


def test_the_same_call_twice_gives_the_same_values_and_one_run(dataset):
    paths = ["hardness", "predictions.detections.hardness"]
    scb.compute_hardness(dataset, "predictions")
    first = dataset.values(paths)
    scb.compute_hardness(dataset, "predictions")
    assert dataset.values(paths) == first
    assert dataset.list_runs() == ["hardness"]


def test_where_there_is_nothing_to_score_there_is_no_score(database):
    dataset = sc.Dataset("bare")
    none, one = sc.Detections(), detections([LEFT], [0.9])
    pairs = [(none, none), (one, None), (None, one), (one.copy(), none.copy()), (none.copy(), one.copy())]
    dataset.add_samples(
        [sc.Sample(filepath=f"/{i}.png", ground_truth=a, predictions=b) for i, (a, b) in enumerate(pairs)]
    )
    scb.compute_hardness(dataset, "predictions")
    expected = pytest.approx(0.1 / 2.4)
    assert dataset.values("hardness") == [0, None, expected, 0, expected]
    scb.compute_hardness(dataset, "predictions", ground_truth_field="ground_truth")
    scores = dataset.values("hardness")
    assert (scores[0], scores[1], scores[2], scores[3]) == (0, None, None, pytest.approx(1 / 1.5))
    assert 0 <= scores[4] < 1


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_none_one_two_and_three_samples_are_scored(dataset, count):
    for truth in (None, "ground_truth"):
        run = scb.compute_hardness(dataset.limit(count), "predictions", ground_truth_field=truth)
        assert run.summary()["scored"] == count
        assert len(run.view()) == count
    if count:
        assert dataset.count("hardness") == count


def test_a_view_is_scored_and_the_others_are_left_alone(dataset):
    scb.compute_hardness(dataset.skip(20), "predictions")
    assert dataset.count("hardness") == N - 20
    assert not dataset.first()["predictions"].detections[0].has_field("hardness")


@pytest.mark.parametrize("wrong", [None, float("nan"), 1.5])
def test_a_confidence_that_cannot_be_names_the_sample_and_writes_nothing(dataset, wrong):
    sample = list(dataset)[7]
    sample["predictions"].detections[0].confidence = wrong
    sample.save()
    with pytest.raises(FieldKindError, match=rf"'predictions' on sample {sample.id}"):
        scb.compute_hardness(dataset, "predictions")
    assert not dataset.has_field("hardness")
    assert not dataset.first()["predictions"].detections[0].has_field("hardness")


def test_a_box_that_cannot_be_names_the_sample(dataset):
    sample = list(dataset)[7]
    sample["predictions"].detections[0].bounding_box = [0.1, 0.1, -0.2, 0.2]
    sample.save()
    with pytest.raises(FieldKindError, match=rf"'predictions' of sample {sample.id} has the box"):
        scb.compute_hardness(dataset, "predictions")


def test_what_boxes_do_not_have_is_refused(dataset):
    with pytest.raises(SchemaError, match="of Detections, hardness has method='evidence'"):
        scb.compute_hardness(dataset, "predictions", method="entropy")
    with pytest.raises(SchemaError, match="no embeddings"):
        scb.compute_hardness(dataset, "predictions", embeddings=np.ones((N, 2)))
    dataset.set_values("class", [sc.Classification(label="a")] * N)
    with pytest.raises(FieldKindError, match="works on Detections"):
        scb.compute_hardness(dataset, "predictions", ground_truth_field="class")
