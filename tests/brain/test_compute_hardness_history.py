"""The hardness verb with the history of a training: what is written, and what is refused."""

import numpy as np
import pytest

import saccade as sc
import saccade.brain as scb
from saccade.brain.kernels.hardness import hardness
from saccade.brain.kernels.histories import area_under_margin, forgetting, mean_probabilities
from saccade.brain.kernels.probabilities import softmax
from saccade.dataset.errors import FieldKindError, SchemaError

pytestmark = pytest.mark.usefixtures("database")

CLASSES = ["cat", "dog", "owl"]
N, EPOCHS = 40, 6


@pytest.fixture
def logits(rng):
    return rng.standard_normal((N, 3)).astype(np.float32) * 2


@pytest.fixture
def history(rng):
    return rng.standard_normal((EPOCHS, N, 3)).astype(np.float32) * 2


@pytest.fixture
def dataset(database, logits):
    made = sc.Dataset("animals")
    made.default_classes = CLASSES
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


def score(dataset, history, method="evidence", truth="ground_truth", **options):
    return scb.compute_hardness(
        dataset, "predictions", ground_truth_field=truth, method=method, history=history, **options
    )


def test_the_area_under_the_margin_is_written_as_hardness(dataset, history):
    run = score(dataset, history, "aum")
    expected = 1 / (1 + np.exp(area_under_margin(history, np.arange(N) % 3)))
    assert dataset.values("hardness") == pytest.approx(expected.tolist())
    assert run.view().first()["hardness"] == dataset.bounds("hardness")[1]
    assert (run.reads, run.writes, run.summary()["scored"]) == (["ground_truth"], ["hardness"], N)
    assert "0 to 1" in dataset.get_field("hardness").description


def test_forgetting_is_counted_and_what_was_never_learned_has_the_number_of_epochs(dataset, history):
    history[:, 0, 0], history[:, 0, 1] = -9, 9
    score(dataset, history, "forgetting")
    labels = np.arange(N) % 3
    counts = dataset.values("hardness")
    assert counts[0] == EPOCHS
    assert counts == np.minimum(forgetting(history, labels), EPOCHS).tolist()
    assert sorted(counts)[-2] == EPOCHS or max(counts[1:]) <= EPOCHS / 2


def test_with_evidence_the_mean_over_the_epochs_is_averaged_in(dataset, logits, history):
    labels, both = np.arange(N) % 3, (softmax(logits) + mean_probabilities(history)) / 2
    score(dataset, list(history))
    assert dataset.values("hardness") == pytest.approx(hardness(both, labels).tolist())
    score(dataset, history, truth=None)
    assert dataset.values("hardness") == pytest.approx(hardness(both).tolist())


def test_samples_without_a_label_have_no_score_and_the_others_keep_their_rows(dataset, history):
    labels = np.arange(N) % 3
    for row in (0, 7):
        sample = list(dataset)[row]
        sample["ground_truth"] = None
        sample.save()
    for method in ("aum", "forgetting", "evidence"):
        score(dataset, history, method)
        scores = dataset.values("hardness")
        assert (scores[0], scores[7]) == (None, None)
        assert dataset.count("hardness") == N - 2
    score(dataset, history, "aum")
    expected = 1 / (1 + np.exp(area_under_margin(history, labels)))
    assert dataset.values("hardness")[1:7] == pytest.approx(expected[1:7].tolist())


def test_rows_are_those_of_the_view(dataset, history):
    score(dataset, history, "aum")
    whole = dataset.values("hardness")
    dataset.delete_run("hardness")
    assert not dataset.has_field("hardness")
    score(dataset.skip(30), history[:, 30:], "aum")
    assert dataset.values("hardness")[:30] == [None] * 30
    assert dataset.values("hardness")[30:] == pytest.approx(whole[30:])
    turned = dataset.sort_by("filepath", reverse=True)
    order = [int(path[1:-4]) for path in turned.values("filepath")]
    score(turned, history[:, order], "aum")
    assert dataset.values("hardness") == pytest.approx(whole)


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_none_one_two_and_three_samples_are_scored(dataset, history, count):
    for method in ("aum", "forgetting", "evidence"):
        assert score(dataset.limit(count), history[:, :count], method).summary()["scored"] == count


def test_one_class_is_never_hard(database):
    dataset = sc.Dataset("cats")
    dataset.default_classes = ["cat"]
    label = sc.Classification(label="cat", confidence=0.5)
    dataset.add_samples([sc.Sample(filepath="/0.png", predictions=label, ground_truth=label.copy())])
    for method in ("aum", "forgetting", "evidence"):
        score(dataset, np.ones((2, 1, 1)), method)
        assert dataset.values("hardness") == [0]


def test_the_same_call_twice_gives_the_same_values_and_one_run(dataset, history):
    for method in ("aum", "evidence"):
        score(dataset, history, method)
        first = dataset.values("hardness")
        score(dataset, history, method)
        assert dataset.values("hardness") == first
    assert dataset.list_runs() == ["hardness"]


@pytest.mark.parametrize("method", ["aum", "forgetting", "evidence"])
@pytest.mark.parametrize(
    "wrong",
    [np.ones((2, N - 1, 3)), np.ones((2, N, 2)), np.ones((N, 3)), np.ones((0, N, 3)), 3, [np.ones((N, 3)), [1]]],
)
def test_another_shape_is_an_error_that_says_what_was_expected(dataset, wrong, method):
    with pytest.raises(SchemaError, match=r"expected \(epochs, 40, 3\)"):
        score(dataset, wrong, method)
    assert not dataset.has_field("hardness")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_and_infinity_name_sample_and_epoch_and_nothing_is_written(dataset, history, value):
    history[2, 7, 1] = value
    for method in ("aum", "forgetting", "evidence"):
        with pytest.raises(FieldKindError, match=rf"sample {dataset.values('id')[7]} in epoch 2 \(row 7\)"):
            score(dataset, history, method)
    assert not dataset.has_field("hardness")


def test_a_label_that_is_no_class_of_the_history_names_the_sample(dataset, history):
    sample = list(dataset)[7]
    sample["ground_truth"].label = "emu"
    sample.save()
    with pytest.raises(SchemaError, match=rf"'emu' of sample {sample.id} is none of the 3 classes"):
        score(dataset, history, "aum")


def test_a_history_needs_the_names_of_its_classes(dataset, history):
    dataset.default_classes = []
    with pytest.raises(SchemaError, match="needs the names of its classes"):
        score(dataset, history, "aum")


def test_what_does_not_go_together_is_refused(dataset, history):
    with pytest.raises(SchemaError, match="it needs history="):
        score(dataset, None, "aum")
    with pytest.raises(SchemaError, match="and ground_truth_field="):
        score(dataset, history, "forgetting", truth=None)
    with pytest.raises(SchemaError, match="another method than 'entropy'"):
        score(dataset, history, "entropy", truth=None)
    dataset.set_values("objects", [sc.Detections()] * N)
    with pytest.raises(SchemaError, match="for Classification"):
        scb.compute_hardness(dataset, "objects", history=history)
