"""The mistakenness verb on numbers: what is read, what is written, and what is refused."""

import numpy as np
import pytest

import saccade as sc
import saccade.brain as scb
from saccade.brain.kernels.neighbors import nearest_neighbors
from saccade.brain.kernels.regression_mistakenness import regression_mistakenness
from saccade.dataset.errors import FieldKindError, SchemaError

pytestmark = pytest.mark.usefixtures("database")

N = 80
WRONG = (4, 17, 31)
WRITTEN = ["mistakenness", "mistakenness_suggestion", "mistakenness_probability"]


@pytest.fixture
def vectors(rng):
    return rng.standard_normal((N, 2)).astype(np.float32)


@pytest.fixture
def predicted(rng, vectors):
    return vectors[:, 0] * 10.0 + rng.standard_normal(N)


@pytest.fixture
def given(rng, vectors):
    values = vectors[:, 0] * 10.0 + 0.5 * rng.standard_normal(N)
    values[list(WRONG)] += [15, -15, 15]
    return values


@pytest.fixture
def dataset(database, predicted, given):
    made = sc.Dataset("ages")
    made.add_samples(
        [
            sc.Sample(
                filepath=f"/photos/{i:02}.png",
                age=sc.Regression(value=float(given[i])),
                predictions=sc.Regression(value=float(predicted[i])),
            )
            for i in range(N)
        ]
    )
    return made


def judge(dataset, **options):
    return scb.compute_mistakenness(dataset, "predictions", "age", **options)


def test_scores_and_suggestions_are_those_of_the_kernel(dataset, predicted, given):
    judge(dataset)
    expected = regression_mistakenness(predicted, given)
    assert dataset.values("mistakenness") == pytest.approx(expected.scores.tolist())
    assert dataset.values("mistakenness_suggestion") == pytest.approx(expected.suggestions.tolist())
    assert dataset.values("mistakenness_probability") == pytest.approx(expected.probabilities.tolist())


def test_the_run_begins_with_the_most_doubtful_and_says_what_it_did(dataset):
    run = judge(dataset)
    assert set(run.view().limit(3).values("filepath")) == {f"/photos/{i:02}.png" for i in WRONG}
    assert (run.key, run.operation, run.state) == ("mistakenness", "mistakenness", "completed")
    assert run.reads == ["predictions", "age"]
    assert run.writes == WRITTEN
    assert (run.summary()["scored"], run.summary()["without_score"], run.summary()["doubted"]) == (N, 0, 3)
    assert run.summary()["quartiles"] == sorted(run.summary()["quartiles"])
    assert sum(run.histogram(4)[0]) == N
    assert "'age'" in dataset.get_field("mistakenness").description


def test_neighbours_are_used_where_there_are_embeddings(dataset, vectors, predicted, given):
    dataset.set_values("embedding", list(vectors))
    run = judge(dataset)
    assert run.params["embeddings"] == "embedding"
    assert run.reads == ["predictions", "age", "embedding"]
    distances, indices = nearest_neighbors(vectors, 15)
    expected = regression_mistakenness(predicted, given, distances=distances, indices=indices).scores
    assert dataset.values("mistakenness") == pytest.approx(expected.tolist())
    judge(dataset, mistakenness_field="alone", embeddings=False)
    assert dataset.values("alone") == pytest.approx(regression_mistakenness(predicted, given).scores.tolist())


def test_several_models_are_put_together(dataset, vectors, predicted, given):
    second = [sc.Regression(value=float(value)) for value in vectors[:, 0] * 10 + 3]
    dataset.set_values("other", second)
    run = scb.compute_mistakenness(dataset, ["predictions", "other"], "age")
    expected = regression_mistakenness([predicted, [one.value for one in second]], given).scores
    assert dataset.values("mistakenness") == pytest.approx(expected.tolist())
    assert run.params["pred_field"] == ["predictions", "other"]


def test_a_view_is_judged_by_itself(dataset, predicted, given):
    view = dataset.sort_by("filepath", reverse=True).limit(20)
    judge(view)
    expected = regression_mistakenness(predicted[:-21:-1], given[:-21:-1]).scores
    assert view.values("mistakenness") == pytest.approx(expected.tolist())
    assert dataset.count("mistakenness") == 20


def test_what_has_no_label_or_no_prediction_has_no_score(dataset):
    samples = list(dataset.limit(3))
    samples[0]["age"] = None
    samples[1]["predictions"] = None
    samples[2]["age"].value = None
    for sample in samples:
        sample.save()
    run = judge(dataset)
    for field in WRITTEN:
        assert dataset.limit(4).values(field)[:3] == [None, None, None]
        assert dataset.limit(4).values(field)[3] is not None
    assert (run.summary()["scored"], run.summary()["without_score"]) == (N - 3, 3)


def test_the_same_call_twice_gives_the_same_values_and_one_run(dataset):
    judge(dataset)
    first = dataset.values("mistakenness")
    judge(dataset)
    assert dataset.values("mistakenness") == first
    assert dataset.list_runs() == ["mistakenness"]


def test_deleting_the_run_removes_what_it_wrote(dataset):
    judge(dataset)
    dataset.delete_run("mistakenness")
    assert [name for name in dataset.get_field_schema() if name.startswith("mistakenness")] == []


@pytest.mark.parametrize(("field", "value"), [("age", np.nan), ("predictions", np.inf)])
def test_nan_and_infinity_name_sample_and_field_and_write_nothing(dataset, field, value):
    seventh = dataset.values("id")[7]
    sample = dataset[seventh]
    sample[field] = sc.Regression(value=value)
    sample.save()
    with pytest.raises(FieldKindError, match=rf"'{field}' of sample {seventh} has the value {value}"):
        judge(dataset)
    assert not dataset.has_field("mistakenness")
    assert dataset.get_run_info("mistakenness").state == "failed"


def test_there_is_no_formula_by_confidence(dataset):
    with pytest.raises(SchemaError, match=r"method='confidence' has no formula for Regression.*method='evidence'"):
        judge(dataset, method="confidence")


def test_labels_and_predictions_must_be_of_one_kind(dataset):
    dataset.set_values("class", [sc.Classification(label="a")] * N)
    with pytest.raises(FieldKindError, match="with the Regression field 'age' works on Regression"):
        scb.compute_mistakenness(dataset, "class", "age")


def test_equal_labels_are_not_doubted(dataset):
    dataset.set_values("age", [sc.Regression(value=3.0)] * N)
    run = judge(dataset)
    assert dataset.values("mistakenness") == [0.0] * N
    assert run.summary()["doubted"] == 0


@pytest.mark.parametrize("size", [0, 1, 2, 3])
def test_few_samples_are_defined(database, size):
    few = sc.Dataset("few")
    for field in ("age", "predictions"):
        few.add_sample_field(field, sc.EmbeddedDocumentField, embedded_doc_type=sc.Regression)
    few.add_samples(
        [
            sc.Sample(filepath=f"/{i}.png", age=sc.Regression(value=i), predictions=sc.Regression(value=i + 0.5))
            for i in range(size)
        ]
    )
    run = judge(few)
    assert (run.summary()["scored"], run.summary()["doubted"]) == (size, 0)
    assert few.count("mistakenness") == size if size else not few.has_field("mistakenness")
