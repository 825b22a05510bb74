"""The mistakenness verb on detections: what labels, predictions and samples get, and that nothing is lost."""

import numpy as np
import pytest

import saccade as sc
import saccade.brain as scb
from saccade.dataset.errors import FieldKindError, SchemaError
from saccade.dataset.journal import retention
from saccade.dataset.store import actions

pytestmark = pytest.mark.usefixtures("database")

N = 60
CLASSES = ["cat", "dog"]


@pytest.fixture
def scene(rng):
    """Of each sample the true objects and the predicted ones: two boxes with classes."""
    truth = [[(CLASSES[(i + j) % 2], [0.1 + 0.5 * j, 0.3, 0.3, 0.3]) for j in range(2)] for i in range(N)]
    seen = [[(name, [x + rng.normal(0, 0.005) for x in box]) for name, box in objects] for objects in truth]
    return truth, seen, rng.uniform(0.8, 1, (N, 2))


def detections(objects, confidences=None):
    confidences = [None] * len(objects) if confidences is None else confidences
    return sc.Detections(
        detections=[
            sc.Detection(label=name, bounding_box=box, confidence=sure)
            for (name, box), sure in zip(objects, confidences, strict=True)
        ]
    )


@pytest.fixture
def dataset(database, scene):
    """Sample 5 has a wrong class, 6 a wrong place, 7 an object too few, 8 one too many."""
    truth, seen, sure = scene
    given = [list(objects) for objects in truth]
    given[5][1] = (CLASSES[CLASSES.index(given[5][1][0]) - 1], given[5][1][1])
    given[6][0] = (given[6][0][0], [0.2, 0.3, 0.3, 0.3])
    del given[7][0]
    given[8].append(("cat", [0.35, 0.65, 0.3, 0.3]))
    made = sc.Dataset("street")
    made.add_samples(
        [
            sc.Sample(
                filepath=f"/{i}.png",
                ground_truth=detections(given[i]),
                predictions=detections(seen[i], sure[i].tolist()),
            )
            for i in range(N)
        ]
    )
    return made


def judge(dataset, **options):
    return scb.compute_mistakenness(dataset, "predictions", "ground_truth", **options)


def row(sample):
    return int(sample.filepath.split("/")[-1][:-4])


def test_the_doubtful_samples_come_first_and_each_object_says_why(dataset, scene):
    run = judge(dataset)
    assert {row(sample) for sample in run.view().limit(4)} == {5, 6, 7, 8}
    samples = list(dataset)
    swapped, misplaced, spurious = (samples[i]["ground_truth"].detections for i in (5, 6, 8))
    assert swapped[1].mistakenness > 5 * swapped[0].mistakenness
    assert swapped[1].mistakenness_suggestion == scene[0][5][1][0]
    assert misplaced[0].mistakenness_loc > 5 * misplaced[1].mistakenness_loc
    assert spurious[2].mistakenness_spurious > 5 * spurious[0].mistakenness_spurious
    assert spurious[2].possible_spurious is True
    assert not spurious[0].has_field("possible_spurious")
    left_out = samples[7]["predictions"].detections
    assert left_out[0].mistakenness_missing > 5 * left_out[1].mistakenness_missing
    assert samples[8]["possible_spurious"] == 1
    assert samples[0]["possible_spurious"] == samples[0]["possible_missing"] == 0
    assert run.summary()["scored"] == N
    assert run.summary()["possible_spurious"] == 1


def test_boxes_and_their_own_attributes_stay_as_they_were(dataset):
    before = [(s["ground_truth"], s["predictions"]) for s in dataset]
    judge(dataset)
    judge(dataset, mistakenness_field="by_confidence", method="confidence")
    for (labels, predictions), sample in zip(before, dataset, strict=True):
        for old, new in ((labels, sample["ground_truth"]), (predictions, sample["predictions"])):
            for one, other in zip(old.detections, new.detections, strict=True):
                assert (one.id, one.label, one.bounding_box) == (other.id, other.label, other.bounding_box)
                assert one.confidence == other.confidence


def test_deleting_the_run_leaves_the_boxes_without_its_scores(dataset):
    before = [sample["ground_truth"].to_dict() for sample in dataset]
    judge(dataset)
    judge(dataset)
    dataset.delete_run("mistakenness")
    assert [sample["ground_truth"].to_dict() for sample in dataset] == before
    assert not dataset.has_field("possible_missing")
    assert not dataset.has_field("ground_truth.detections.mistakenness")


def test_deleting_the_run_keeps_what_was_edited_since(dataset):
    judge(dataset)
    sample = dataset.first()
    sample["ground_truth"].detections[0].label = "owl"
    sample.save()
    dataset.delete_run("mistakenness")
    first = dataset.first()["ground_truth"].detections[0]
    assert first.label == "owl"
    assert not first.has_field("mistakenness")
    assert len(dataset.first()["ground_truth"].detections) == 2


def test_deleting_a_run_whose_images_are_gone_leaves_the_boxes_too(dataset):
    before = [sample["ground_truth"].to_dict() for sample in dataset]
    judge(dataset)
    for record in actions.list_actions(dataset._id, {"live": False}):
        retention.forget(dataset._id, record["number"])
    dataset.delete_run("mistakenness")
    assert [sample["ground_truth"].to_dict() for sample in dataset] == before
    assert not dataset.has_field("mistakenness")


def test_undo_takes_the_scores_away(dataset):
    before = [sample["ground_truth"].to_dict() for sample in dataset]
    judge(dataset)
    dataset.undo()
    assert [sample["ground_truth"].to_dict() for sample in dataset] == before


def test_missing_objects_are_added_once_and_go_with_the_run(dataset):
    # by the published rule, which takes every sure prediction without a match
    options = {"method": "confidence", "missing_confidence": 0.5, "copy_missing": True}
    before = [sample["ground_truth"].to_dict() for sample in dataset]
    judge(dataset, **options)
    added = list(dataset)[7]["ground_truth"].detections
    assert len(added) == 2
    assert added[1].possible_missing is True
    assert added[1].id not in {one.id for one in list(dataset)[7]["predictions"].detections}
    judge(dataset, **options)
    assert len(list(dataset)[7]["ground_truth"].detections) == 2
    dataset.delete_run("mistakenness")
    assert [sample["ground_truth"].to_dict() for sample in dataset] == before


def test_by_confidence_the_scores_are_the_published_ones(dataset, scene):
    judge(dataset, method="confidence")
    samples, sure = list(dataset), scene[2]
    assert samples[5]["ground_truth"].detections[1].mistakenness == pytest.approx((1 + sure[5, 1]) / 2)
    assert samples[0]["ground_truth"].detections[0].mistakenness == pytest.approx((1 - sure[0, 0]) / 2)
    assert samples[5]["mistakenness"] == pytest.approx((1 + sure[5, 1]) / 2)
    assert samples[8]["ground_truth"].detections[2].possible_spurious is True
    assert not samples[8]["ground_truth"].detections[2].has_field("mistakenness")


def test_where_there_is_nothing_to_score_there_is_no_score(database):
    dataset = sc.Dataset("bare")
    none, one = sc.Detections(), detections([("cat", [0.1, 0.1, 0.2, 0.2])], [0.9])
    pairs = [(none, none), (one, None), (None, one), (one.copy(), one.copy()), (none.copy(), one.copy())]
    dataset.add_samples(
        [sc.Sample(filepath=f"/{i}.png", ground_truth=a, predictions=b) for i, (a, b) in enumerate(pairs)]
    )
    for method in ("evidence", "confidence"):
        judge(dataset, method=method)
        scores = dataset.values("mistakenness")
        assert scores[:3] == [None, None, None]
        assert 0 <= scores[3] <= 1
        assert dataset.values("possible_missing")[:3] == [0, None, None]


def test_an_empty_dataset_is_judged_without_a_word(dataset):
    assert judge(dataset.limit(0)).summary()["scored"] == 0


def test_a_view_is_judged_by_itself(dataset):
    judge(dataset.skip(30))
    assert dataset.count("mistakenness") == N - 30
    assert not dataset.first()["ground_truth"].detections[0].has_field("mistakenness")


def test_a_prediction_without_confidence_is_an_error_that_names_the_sample(dataset):
    sample = list(dataset)[7]
    sample["predictions"].detections[0].confidence = None
    sample.save()
    with pytest.raises(FieldKindError, match=rf"'predictions' on sample {sample.id} .* confidence None"):
        judge(dataset)
    assert not dataset.has_field("mistakenness")
    assert not dataset.first()["ground_truth"].detections[0].has_field("mistakenness")


def test_a_box_that_cannot_be_is_an_error_that_names_the_sample(dataset):
    sample = list(dataset)[7]
    sample["ground_truth"].detections[0].bounding_box = [0.1, 0.1, -0.2, 0.2]
    sample.save()
    with pytest.raises(FieldKindError, match=rf"'ground_truth' of sample {sample.id} has the box"):
        judge(dataset)


def test_parameters_that_cannot_be_are_refused(dataset):
    with pytest.raises(SchemaError, match=r"iou=1\.5"):
        judge(dataset, iou=1.5)
    with pytest.raises(SchemaError, match="each once"):
        scb.compute_mistakenness(dataset, ["predictions", "predictions"], "ground_truth")
    dataset.set_values("class", [sc.Classification(label="a")] * N)
    with pytest.raises(FieldKindError, match="works on Detections"):
        scb.compute_mistakenness(dataset, "class", "ground_truth")


def test_the_same_call_twice_gives_the_same_values(dataset):
    judge(dataset)
    first = dataset.values(["mistakenness", "ground_truth.detections.mistakenness_loc"])
    judge(dataset)
    assert dataset.values(["mistakenness", "ground_truth.detections.mistakenness_loc"]) == first


def test_scores_follow_their_samples_whatever_their_order(dataset):
    judge(dataset)
    first = np.array(dataset.values("mistakenness"))
    judge(dataset.sort_by("filepath", reverse=True))
    np.testing.assert_allclose(dataset.values("mistakenness"), first, atol=1e-6)
