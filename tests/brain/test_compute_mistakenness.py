"""The mistakenness verb on class labels: what is read, what is written, and what is refused."""

import numpy as np
import pytest

import saccade as sc
import saccade.brain as scb
from saccade.brain.kernels.hardness import entropy
from saccade.brain.kernels.mistakenness import mistakenness, multilabel_mistakenness
from saccade.brain.kernels.neighbors import nearest_neighbors
from saccade.brain.kernels.probabilities import sigmoid, softmax
from saccade.dataset.errors import FieldKindError, FieldNotFoundError, SchemaError

pytestmark = pytest.mark.usefixtures("database")

CLASSES = ["cat", "dog", "owl"]
N = 60


@pytest.fixture
def truth():
    return np.arange(N) % 3


@pytest.fixture
def logits(rng, truth):
    return (np.eye(3)[truth] * 3 + rng.standard_normal((N, 3))).astype(np.float32)


@pytest.fixture
def given(truth):
    labels = truth.copy()
    labels[[4, 17, 31]] = (labels[[4, 17, 31]] + 1) % 3
    return labels


@pytest.fixture
def dataset(database, logits, given):
    made = sc.Dataset("animals")
    made.add_samples(
        [
            sc.Sample(
                filepath=f"/photos/{i}.png",
                ground_truth=sc.Classification(label=CLASSES[given[i]]),
                predictions=sc.Classification(
                    label=CLASSES[logits[i].argmax()],
                    confidence=float(softmax(logits[i : i + 1]).max()),
                    logits=logits[i],
                ),
            )
            for i in range(N)
        ]
    )
    made.default_classes = CLASSES
    return made


def predict(dataset, logits, field="predictions"):
    """Give all samples predictions with these logits, not looked at."""
    labels = []
    for row in logits:
        labels.append(sc.Classification(label=CLASSES[0]))
        labels[-1].__dict__["logits"] = row
    dataset.set_values(field, labels)


def judge(dataset, **options):
    return scb.compute_mistakenness(dataset, "predictions", "ground_truth", **options)


def test_scores_and_suggestions_are_those_of_the_kernel(dataset, logits, given):
    judge(dataset)
    expected = mistakenness(softmax(logits), given)
    assert dataset.values("mistakenness") == pytest.approx(expected.scores.tolist())
    assert dataset.values("mistakenness_suggestion") == [CLASSES[k] for k in expected.suggestions]
    assert dataset.values("mistakenness_probability") == pytest.approx(expected.probabilities.tolist())


def test_the_run_begins_with_the_most_doubtful_and_says_what_it_did(dataset):
    run = judge(dataset)
    assert set(run.view().limit(3).values("filepath")) == {f"/photos/{i}.png" for i in (4, 17, 31)}
    assert (run.key, run.operation, run.state) == ("mistakenness", "mistakenness", "completed")
    assert run.reads == ["predictions", "ground_truth"]
    assert run.writes == ["mistakenness", "mistakenness_suggestion", "mistakenness_probability"]
    assert run.summary()["scored"] == N
    assert run.summary()["doubted"] >= 3
    assert run.summary()["quartiles"] == sorted(run.summary()["quartiles"])
    counts, edges = run.histogram(4)
    assert sum(counts) == N
    assert len(edges) == 5
    assert "ground_truth" in dataset.get_field("mistakenness").description


def test_neighbours_are_used_where_there_are_embeddings(dataset, logits, given, truth, rng):
    vectors = (np.eye(3)[truth] * 5 + rng.standard_normal((N, 3))).astype(np.float32)
    dataset.set_values("embedding", list(vectors))
    run = judge(dataset)
    assert run.params["embeddings"] == "embedding"
    assert run.reads == ["predictions", "ground_truth", "embedding"]
    distances, indices = nearest_neighbors(vectors, 15)
    expected = mistakenness(softmax(logits), given, distances=distances, indices=indices).scores
    assert dataset.values("mistakenness") == pytest.approx(expected.tolist())
    judge(dataset, mistakenness_field="alone", embeddings=False)
    assert dataset.values("alone") == pytest.approx(mistakenness(softmax(logits), given).scores.tolist())
    judge(dataset, mistakenness_field="by_array", embeddings=vectors)
    assert dataset.values("by_array") == pytest.approx(expected.tolist())


def test_samples_without_a_vector_are_judged_by_the_model(dataset, truth, rng):
    vectors = (np.eye(3)[truth] * 5 + rng.standard_normal((N, 3))).astype(np.float32)
    dataset.set_values("embedding", [None if i == 5 else row for i, row in enumerate(vectors)])
    judge(dataset)
    assert dataset.count("mistakenness") == N


def test_a_view_is_judged_by_itself_with_vectors_of_the_whole(dataset, logits, given, truth, rng):
    vectors = (np.eye(3)[truth] * 5 + rng.standard_normal((N, 3))).astype(np.float32)
    dataset.set_values("embedding", list(vectors))
    view = dataset.sort_by("filepath", reverse=True).limit(20)
    rows = [int(path.split("/")[-1][:-4]) for path in view.values("filepath")]
    judge(view)
    distances, indices = nearest_neighbors(vectors[rows], 15)
    expected = mistakenness(softmax(logits[rows]), given[rows], distances=distances, indices=indices).scores
    assert view.values("mistakenness") == pytest.approx(expected.tolist())
    assert dataset.count("mistakenness") == 20


def test_what_has_no_label_or_no_prediction_has_no_score(dataset):
    samples = list(dataset.limit(3))
    samples[0]["ground_truth"] = None
    samples[1]["predictions"] = None
    samples[2]["ground_truth"].label = None
    for sample in samples:
        sample.save()
    run = judge(dataset)
    assert dataset.limit(3).values("mistakenness") == [None, None, None]
    assert dataset.limit(3).values("mistakenness_suggestion") == [None, None, None]
    assert (run.summary()["scored"], run.summary()["without_score"]) == (N - 3, 3)


def test_scores_that_no_longer_hold_go_when_it_is_done_again(dataset):
    judge(dataset)
    sample = dataset.first()
    sample["ground_truth"] = None
    sample.save()
    judge(dataset)
    assert dataset.first()["mistakenness"] is None


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


def test_without_logits_the_confidence_is_spread_over_the_other_classes(dataset, logits, given):
    dataset.set_values("predictions.logits", [None] * N)
    judge(dataset)
    sure = softmax(logits).max(axis=1)
    p = np.repeat(((1 - sure) / 2)[:, None], 3, axis=1)
    p[np.arange(N), logits.argmax(axis=1)] = sure
    assert dataset.values("mistakenness") == pytest.approx(mistakenness(p, given).scores.tolist(), abs=1e-6)


def test_several_models_are_averaged(dataset, logits, given):
    predict(dataset, logits[:, ::-1].copy(), "other")
    scb.compute_mistakenness(dataset, ["predictions", "other"], "ground_truth")
    expected = mistakenness((softmax(logits) + softmax(logits[:, ::-1])) / 2, given).scores
    assert dataset.values("mistakenness") == pytest.approx(expected.tolist())


def test_a_label_that_is_no_class_of_the_model_is_judged_all_the_same(dataset):
    sample = dataset.first()
    sample["ground_truth"].label = "zebra"
    sample.save()
    judge(dataset)
    assert dataset.first()["mistakenness"] > 0.9
    assert dataset.first()["mistakenness_suggestion"] in CLASSES


def test_the_classes_of_the_field_come_before_the_default_ones(dataset, logits, given):
    dataset.classes = {"predictions": CLASSES[::-1]}
    judge(dataset)
    assert dataset.values("mistakenness") == pytest.approx(mistakenness(softmax(logits), 2 - given).scores.tolist())


def test_logits_that_are_not_told_which_class_is_which_are_refused(dataset):
    dataset.default_classes = ["cat", "dog"]
    with pytest.raises(SchemaError, match=r"'predictions' have 3 numbers, but .* default_classes has 2 names"):
        judge(dataset)
    assert not dataset.has_field("mistakenness")
    assert dataset.get_run_info("mistakenness").state == "failed"


def test_nan_in_row_7_names_sample_and_field_and_writes_nothing(dataset, logits):
    seventh = dataset.values("id")[7]
    broken = logits.copy()
    broken[7, 1] = np.nan
    predict(dataset, broken)
    with pytest.raises(FieldKindError, match=rf"'predictions' of sample {seventh} hold NaN"):
        judge(dataset)
    assert not dataset.has_field("mistakenness")


def test_logits_of_different_lengths_are_refused_with_both_samples(dataset, logits):
    ids = dataset.values("id")
    predict(dataset, [row[:2] if i == 3 else row for i, row in enumerate(logits)])
    with pytest.raises(FieldKindError, match=rf"different lengths.*2 on sample {ids[3]}"):
        judge(dataset)


def test_neither_logits_nor_confidence_is_an_error_that_names_the_sample(dataset):
    dataset.set_values("predictions.logits", [None] * N)
    dataset.set_values("predictions.confidence", [None] * N)
    with pytest.raises(FieldKindError, match=rf"sample {dataset.first().id} has no logits and the confidence None"):
        judge(dataset)


def test_logits_of_a_thousand_are_no_trouble(dataset, logits):
    predict(dataset, np.where(logits > 1, 1000, -1000).astype(np.float32))
    judge(dataset)
    assert dataset.bounds("mistakenness")[1] <= 1


def test_fields_of_other_kinds_are_refused(dataset):
    with pytest.raises(FieldKindError, match="'filepath' holds StringField"):
        scb.compute_mistakenness(dataset, "filepath", "ground_truth")
    with pytest.raises(FieldNotFoundError, match="Did you mean 'predictions'"):
        scb.compute_mistakenness(dataset, "prediction", "ground_truth")
    with pytest.raises(SchemaError, match="method='entropy'"):
        judge(dataset, method="entropy")


def test_by_confidence_it_is_the_published_formula(dataset, logits, given):
    judge(dataset, method="confidence")
    sure = softmax(logits).max(axis=1)
    signed = np.where(logits.argmax(axis=1) == given, -sure, sure)
    assert dataset.values("mistakenness") == pytest.approx(((1 + signed) / 2).tolist(), abs=1e-6)
    assert not dataset.has_field("mistakenness_suggestion")
    judge(dataset, method="confidence", use_logits=True, mistakenness_field="by_logits")
    signed = np.where(logits.argmax(axis=1) == given, -1, 1) * np.exp(-entropy(softmax(logits)))
    assert dataset.values("by_logits") == pytest.approx(((1 + signed) / 2).tolist())


def test_stopping_in_the_middle_leaves_no_field_and_says_interrupted(dataset, truth):
    dataset.set_values("embedding", list(np.eye(3, dtype=np.float32)[truth]))

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        judge(dataset, progress=stop)
    assert not dataset.has_field("mistakenness")
    assert dataset.get_run_info("mistakenness").state == "interrupted"


@pytest.mark.parametrize("size", [0, 1, 2, 3])
def test_few_samples_are_defined(database, size):
    few = sc.Dataset("few")
    few.add_sample_field("ground_truth", sc.EmbeddedDocumentField, embedded_doc_type=sc.Classification)
    few.add_sample_field("predictions", sc.EmbeddedDocumentField, embedded_doc_type=sc.Classification)
    few.add_samples(
        [
            sc.Sample(
                filepath=f"/{i}.png",
                ground_truth=sc.Classification(label="a"),
                predictions=sc.Classification(label="b", confidence=0.75),
            )
            for i in range(size)
        ]
    )
    run = judge(few)
    assert run.summary()["scored"] == size
    assert few.count("mistakenness") == size if size else not few.has_field("mistakenness")


def test_where_nothing_can_be_scored_the_field_is_there_and_empty(database):
    bare = sc.Dataset("bare")
    bare.add_samples([sc.Sample(filepath="/a.png", ground_truth=sc.Classification(label="a"))])
    bare.add_sample_field("predictions", sc.EmbeddedDocumentField, embedded_doc_type=sc.Classification)
    run = judge(bare)
    assert run.summary() == {"scored": 0, "without_score": 1, "doubted": 0}
    assert bare.values("mistakenness") == [None]


def test_of_several_labels_the_doubtful_one_is_named(database, rng):
    truth = rng.random((40, 3)) < 0.5
    logits = (np.where(truth, 3, -3) + rng.standard_normal((40, 3))).astype(np.float32)
    given = truth.copy()
    given[7, 1], given[9, 2] = ~given[7, 1], ~given[9, 2]
    dataset = sc.Dataset("many")
    dataset.add_samples(
        [
            sc.Sample(
                filepath=f"/{i}.png",
                ground_truth=sc.Classifications(
                    classifications=[sc.Classification(label=CLASSES[k]) for k in np.flatnonzero(given[i])]
                ),
                predictions=sc.Classifications(
                    classifications=[sc.Classification(label=CLASSES[k]) for k in np.flatnonzero(truth[i])],
                    logits=logits[i],
                ),
            )
            for i in range(40)
        ]
    )
    dataset.default_classes = CLASSES
    judge(dataset)
    expected = multilabel_mistakenness(sigmoid(logits), given)
    assert dataset.values("mistakenness") == pytest.approx(expected.scores.tolist())
    suggestions = dataset.values("mistakenness_suggestion")
    assert suggestions[7] == ("-" if given[7, 1] else "+") + "dog"
    assert suggestions[9] == ("-" if given[9, 2] else "+") + "owl"
    judge(dataset, method="confidence", use_logits=True, mistakenness_field="sure")
    assert np.argsort(dataset.values("sure"))[-2:].tolist() in ([7, 9], [9, 7])
    with pytest.raises(SchemaError, match="use_logits=True"):
        judge(dataset, method="confidence")
