"""The verb of active-learning scores: which fields it writes for which labels, and what it refuses."""

import numpy as np
import pytest

import saccade as sc
import saccade.brain as scb
from saccade.brain.kernels.active_learning import UNCERTAINTIES, object_frequency
from saccade.brain.kernels.probabilities import softmax
from saccade.dataset.errors import FieldKindError, FieldNotFoundError, SchemaError, UnreadableMediaError

pytestmark = pytest.mark.usefixtures("database")


def dataset_of(labels, **declared):
    made = sc.Dataset("predicted")
    made.add_samples(
        [sc.Sample(filepath=f"/{i}.png", predictions=label) for i, label in enumerate(labels)], dynamic=True
    )
    return made


@pytest.fixture
def logits(rng):
    return rng.standard_normal((8, 4)).astype(np.float32)


@pytest.fixture
def classified(database, logits):
    return dataset_of([sc.Classification(label="a", logits=row) for row in logits] + [None])


def test_classifications_have_three_scores_named_after_the_field(classified, logits):
    run = scb.compute_active_learning_scores(classified, "predictions")
    for name, score in UNCERTAINTIES.items():
        assert classified.limit(8).values(f"predictions_{name}") == pytest.approx(score(softmax(logits)).tolist())
        assert classified.last()[f"predictions_{name}"] is None
    assert run.writes == [f"predictions_{name}" for name in UNCERTAINTIES]
    assert run.summary()["predictions_uncertainty_margin"]["scored"] == 8
    assert run.view().first()[run.writes[0]] == classified.bounds(run.writes[0])[1]


def test_some_scores_under_another_prefix(classified):
    run = scb.compute_active_learning_scores(classified, "predictions", ["uncertainty_margin"], "al")
    assert run.writes == ["al_uncertainty_margin"]
    assert run.key == "al_active_learning"
    assert not classified.has_field("predictions_uncertainty_margin")


def test_the_scores_of_classes_can_be_asked_for_together(classified):
    run = scb.compute_active_learning_scores(classified, "predictions", ["uncertainty_margin", "classification_scores"])
    assert sorted(run.writes) == sorted(f"predictions_{name}" for name in UNCERTAINTIES)


def test_a_name_that_no_score_has_is_answered_with_those_there_are(classified):
    with pytest.raises(FieldNotFoundError, match=r"no score 'margin' for Classification.*uncertainty_margin"):
        scb.compute_active_learning_scores(classified, "predictions", ["margin"])


def test_probabilities_are_read_where_labels_have_them(database):
    p = [[0.5, 0.3, 0.2], [1.0, 0.0, 0.0]]
    dataset = dataset_of([sc.Classification(label="a", probabilities=row) for row in p])
    scb.compute_active_learning_scores(dataset, "predictions")
    assert dataset.values("predictions_uncertainty_margin") == pytest.approx([0.8, 0.0])


@pytest.mark.parametrize("row", [[0.5, 0.6], [-0.5, 1.5], [float("nan"), 1.0]])
def test_what_are_no_probabilities_is_an_error_that_names_the_sample(database, row):
    dataset = dataset_of([sc.Classification(label="a", probabilities=one) for one in ([0.5, 0.5], row)])
    with pytest.raises(FieldKindError, match=rf"of sample {dataset.last().id} are no probabilities.*normalize=True"):
        scb.compute_active_learning_scores(dataset, "predictions")
    assert not dataset.has_field("predictions_uncertainty_margin")


def test_normalizing_divides_by_the_sum_but_negative_stays_an_error(database):
    dataset = dataset_of([sc.Classification(label="a", probabilities=[1.0, 3.0])])
    scb.compute_active_learning_scores(dataset, "predictions", normalize=True)
    assert dataset.first()["predictions_uncertainty_margin"] == pytest.approx(0.5)
    worse = sc.Dataset("worse")
    label = sc.Classification(label="a", probabilities=[-1.0, 3.0])
    worse.add_samples([sc.Sample(filepath="/a.png", predictions=label)], dynamic=True)
    with pytest.raises(FieldKindError, match="none below 0"):
        scb.compute_active_learning_scores(worse, "predictions", normalize=True)


def objects(*pairs):
    box = [0.1, 0.1, 0.2, 0.2]
    return sc.Detections(
        detections=[sc.Detection(label=label, bounding_box=box, confidence=sure) for label, sure in pairs]
    )


def test_objects_give_five_scores(database):
    dataset = dataset_of([objects(("cat", 0.9), ("cat", 0.5)), objects(("cat", 0.8), ("dog", 0.8)), objects(), None])
    run = scb.compute_active_learning_scores(dataset, "predictions")
    frequency = object_frequency([0, 0, 1, 1], [0, 0, 0, 1], 3).tolist()
    assert dataset.values("predictions_object_frequency") == pytest.approx([*frequency, None])
    assert dataset.values("predictions_objectness_least_confidence") == pytest.approx([0.3, 0.2, 0.0, None])
    # of two classes, a confidence of 0.5 is as unsure as can be, and 0.8 against 0.2 has a margin of 0.6
    assert dataset.values("predictions_uncertainty_margin") == pytest.approx([1.0, 0.4, 0.0, None])
    assert "RELATIVE" in dataset.get_field("predictions_object_frequency").description
    assert len(run.writes) == 5


def test_objects_with_probabilities_are_scored_by_these(database):
    detections = objects(("cat", 0.9))
    detections.detections[0]["probabilities"] = [0.5, 0.3, 0.2]
    dataset = dataset_of([detections])
    scb.compute_active_learning_scores(dataset, "predictions", ["uncertainty_margin"])
    assert dataset.first()["predictions_uncertainty_margin"] == pytest.approx(0.8, abs=1e-6)


def test_parameters_outside_zero_to_one_are_refused(database):
    dataset = dataset_of([objects(("cat", 0.9))])
    with pytest.raises(SchemaError, match="min_score=2"):
        scb.compute_active_learning_scores(dataset, "predictions", min_score=2)


def test_an_object_without_confidence_is_an_error_that_names_the_sample(database):
    dataset = dataset_of([objects(("cat", None))])
    with pytest.raises(FieldKindError, match=rf"sample {dataset.first().id}.* confidence None"):
        scb.compute_active_learning_scores(dataset, "predictions")


def test_segmentations_are_scored_by_their_files(database, tmp_path, rng):
    image = rng.dirichlet(np.ones(3), (100, 7)).astype(np.float32)
    np.save(tmp_path / "0.npy", image)
    dataset = dataset_of([sc.Segmentation(probabilities_path=str(tmp_path / "0.npy")), None])
    scb.compute_active_learning_scores(dataset, "predictions")
    for name, score in UNCERTAINTIES.items():
        expected = score(image.reshape(-1, 3)).mean()
        assert dataset.values(f"predictions_{name}") == pytest.approx([expected, None], abs=1e-6)


def test_a_file_that_cannot_be_read_is_named_with_its_sample(database, tmp_path):
    (tmp_path / "0.npy").write_bytes(b"no array")
    dataset = dataset_of([sc.Segmentation(probabilities_path=str(tmp_path / "0.npy"))])
    with pytest.raises(UnreadableMediaError, match=rf"0\.npy of sample {dataset.first().id} cannot be read"):
        scb.compute_active_learning_scores(dataset, "predictions")


def test_segmentations_without_files_are_answered_with_what_to_do(database):
    dataset = dataset_of([sc.Segmentation(mask=np.zeros((2, 2), dtype=np.uint8))])
    with pytest.raises(FieldNotFoundError, match="'probabilities_path'"):
        scb.compute_active_learning_scores(dataset, "predictions")


def test_keypoints_are_scored_by_the_confidence_of_their_points(database):
    points = sc.Keypoints(keypoints=[sc.Keypoint(points=[(0.1, 0.1), (0.2, 0.2)], confidence=[0.5, 0.7])])
    dataset = dataset_of([points, sc.Keypoints(), None])
    scb.compute_active_learning_scores(dataset, "predictions")
    assert dataset.values("predictions_mean_uncertainty") == pytest.approx([0.4, 0.0, None])


def test_an_empty_dataset_and_a_view_without_predictions_are_defined(classified):
    assert scb.compute_active_learning_scores(classified.skip(8), "predictions").state == "completed"
    assert scb.compute_active_learning_scores(classified.limit(0), "predictions").state == "completed"


def test_the_same_call_twice_gives_the_same_values_and_one_run(classified):
    scb.compute_active_learning_scores(classified, "predictions")
    first = classified.values("predictions_uncertainty_entropy")
    scb.compute_active_learning_scores(classified, "predictions")
    assert classified.values("predictions_uncertainty_entropy") == first
    assert classified.list_runs() == ["predictions_active_learning"]
