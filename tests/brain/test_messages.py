"""Arguments that newcomers get wrong are answered with what is expected, not by Python from somewhere inside."""

import pytest

import saccade as sc
import saccade.brain as scb
from saccade.dataset.errors import FieldKindError, ModelError, RunError, SchemaError


@pytest.fixture
def dataset(database):
    dataset = sc.Dataset("mistaken")
    dataset.default_classes = ["cat", "dog"]
    dataset.add_samples(
        sc.Sample(
            filepath=f"/{i}.png",
            label=sc.Classification(label="cat"),
            prediction=sc.Classification(label="dog", confidence=0.5 + i / 10),
            boxes=sc.Detections(detections=[sc.Detection(label="cat", bounding_box=[0, 0, 1, 1], confidence=0.9)]),
            embedding=[float(i), 1.0],
        )
        for i in range(4)
    )
    return dataset


@pytest.mark.parametrize(
    ("verb", "arguments", "error", "message"),
    [
        ("mistakenness", {"pred_field": "boxes", "label_field": "boxes", "iou": "0.5"}, SchemaError, "iou='0.5' and"),
        ("mistakenness", {"pred_field": "label", "label_field": "prediction"}, FieldKindError, "Is it the field with"),
        ("uniqueness", {"roi_field": "boxes", "alpha": "1"}, SchemaError, "alpha='1' would"),
        ("uniqueness", {"uniqueness_field": None}, RunError, "run key None is not an identifier"),
        ("uniqueness", {"reference": "uniqueness"}, SchemaError, "reference='uniqueness' is no dataset, view or run"),
        ("uniqueness", {"model": "clip-vit-base32-torch"}, ModelError, "Or give an object with `embed`"),
        ("embeddings", {"batch_size": "8"}, ModelError, "batch_size='8' is not a number"),
        ("exact_duplicates", {"num_workers": "2"}, SchemaError, "num_workers='2' is not a number"),
        ("visualization", {"num_dims": "2"}, SchemaError, "num_dims='2': expected"),
        ("active_learning_scores", {"pred_field": "boxes", "min_score": "0"}, SchemaError, "min_score='0' must lie"),
    ],
)
def test_a_wrong_argument_is_named_with_what_is_expected(dataset, verb, arguments, error, message):
    with pytest.raises(error, match=message):
        getattr(scb, f"compute_{verb}")(dataset, **arguments)
    assert not dataset.has_field(verb)


def test_one_score_need_not_be_in_a_list(dataset):
    run = scb.compute_active_learning_scores(dataset, "prediction", "uncertainty_margin")
    assert run.writes == ["prediction_uncertainty_margin"]
