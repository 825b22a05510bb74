"""The hardness verb: what is read, what is written, and what is refused."""

import numpy as np
import pytest

import saccade as sc
import saccade.brain as scb
from saccade.brain.kernels.hardness import entropy, hardness, multilabel_hardness
from saccade.brain.kernels.neighbors import nearest_neighbors
from saccade.brain.kernels.probabilities import sigmoid, softmax
from saccade.dataset.errors import FieldKindError, SchemaError

pytestmark = pytest.mark.usefixtures("database")

CLASSES = ["cat", "dog", "owl"]
N = 40


@pytest.fixture
def logits(rng):
    return rng.standard_normal((N, 3)).astype(np.float32) * 2


@pytest.fixture
def vectors(rng):
    return rng.standard_normal((N, 4)).astype(np.float32)


@pytest.fixture
def dataset(database, logits):
    made = sc.Dataset("animals")
    made.add_samples(
        [
            sc.Sample(
                filepath=f"/{i}.png",
                predictions=sc.Classification(label=CLASSES[row.argmax()], logits=row),
                ground_truth=sc.Classification(label=CLASSES[i % 3]),
            )
            for i, row in enumerate(logits)
        ]
    )
    return made


def predict(dataset, logits, field="predictions"):
    """Give all samples predictions with these logits, not looked at."""
    labels = []
    for row in logits:
        labels.append(sc.Classification(label=CLASSES[0]))
        labels[-1].__dict__["logits"] = row
    dataset.set_values(field, labels)


def test_scores_are_those_of_the_kernel_and_need_no_names_of_classes(dataset, logits):
    run = scb.compute_hardness(dataset, "predictions")
    assert dataset.values("hardness") == pytest.approx(hardness(softmax(logits)).tolist())
    assert (run.operation, run.key, run.reads, run.writes) == ("hardness", "hardness", ["predictions"], ["hardness"])
    assert run.view().first()["hardness"] == dataset.bounds("hardness")[1]
    assert run.summary()["scored"] == N
    assert "0 to 1" in dataset.get_field("hardness").description


def test_neighbours_are_used_where_there_are_embeddings(dataset, logits, vectors):
    dataset.set_values("embedding", list(vectors))
    scb.compute_hardness(dataset, "predictions")
    distances, indices = nearest_neighbors(vectors, 10)
    expected = hardness(softmax(logits), distances=distances, indices=indices)
    assert dataset.values("hardness") == pytest.approx(expected.tolist())


def test_with_labels_it_is_their_improbability(dataset, logits):
    dataset.default_classes = CLASSES
    scb.compute_hardness(dataset, "predictions", ground_truth_field="ground_truth")
    assert dataset.values("hardness") == pytest.approx(hardness(softmax(logits), np.arange(N) % 3).tolist())


def test_with_labels_classes_must_be_named(dataset):
    with pytest.raises(SchemaError, match="3 numbers, but the dataset's default_classes has 0 names"):
        scb.compute_hardness(dataset, "predictions", ground_truth_field="ground_truth")


def test_by_entropy_it_is_the_published_formula(dataset, logits):
    scb.compute_hardness(dataset, "predictions", method="entropy")
    assert dataset.values("hardness") == pytest.approx(entropy(softmax(logits)).tolist())
    assert "ln(classes)" in dataset.get_field("hardness").description


def test_without_a_prediction_there_is_no_score(dataset):
    sample = dataset.first()
    sample["predictions"] = None
    sample.save()
    for method in ("evidence", "entropy"):
        run = scb.compute_hardness(dataset, "predictions", method, method=method)
        assert dataset.first()[method] is None
        assert run.summary()["without_score"] == 1


def test_a_prediction_without_logits_among_others_is_an_error_that_names_the_sample(dataset):
    sample = dataset.first()
    sample["predictions"].logits = None
    sample.save()
    for method in ("evidence", "entropy"):
        with pytest.raises(FieldKindError, match=rf"sample {sample.id} has no logits"):
            scb.compute_hardness(dataset, "predictions", method=method)


def test_without_any_logits_the_confidence_tells(database):
    dataset = sc.Dataset("sure")
    for i, confidence in enumerate([1.0, 0.5]):
        label = sc.Classification(label=CLASSES[i], confidence=confidence)
        dataset.add_sample(sc.Sample(filepath=f"/{i}.png", predictions=label))
    scb.compute_hardness(dataset, "predictions")
    assert dataset.values("hardness") == pytest.approx([0.0, 1.0])


def test_nan_in_row_7_names_sample_and_field_and_writes_nothing(dataset, logits):
    broken = logits.copy()
    broken[7, 1] = np.nan
    predict(dataset, broken)
    with pytest.raises(FieldKindError, match=rf"'predictions' of sample {dataset.values('id')[7]} hold NaN"):
        scb.compute_hardness(dataset, "predictions")
    assert not dataset.has_field("hardness")


def test_entropy_knows_no_labels(dataset):
    with pytest.raises(SchemaError, match="'entropy' without labels"):
        scb.compute_hardness(dataset, "predictions", ground_truth_field="ground_truth", method="entropy")


def test_of_several_classes_the_hardest_decides(database, logits):
    dataset = sc.Dataset("many")
    dataset.add_samples(
        [sc.Sample(filepath=f"/{i}.png", predictions=sc.Classifications(logits=row)) for i, row in enumerate(logits)]
    )
    scb.compute_hardness(dataset, "predictions")
    assert dataset.values("hardness") == pytest.approx(multilabel_hardness(sigmoid(logits)).tolist())


def test_the_same_call_twice_gives_the_same_values_and_one_run(dataset):
    scb.compute_hardness(dataset, "predictions")
    first = dataset.values("hardness")
    scb.compute_hardness(dataset, "predictions")
    assert dataset.values("hardness") == first
    assert dataset.list_runs() == ["hardness"]
