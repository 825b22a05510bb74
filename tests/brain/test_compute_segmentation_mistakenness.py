"""The mistakenness verb on masks: what is read, what is written, and what is refused."""

import numpy as np
import pytest
from PIL import Image

import saccade as sc
import saccade.brain as scb
from saccade.brain.kernels.segmentation_mistakenness import patch_doubt, segmentation_mistakenness
from saccade.dataset.errors import FieldKindError, FieldNotFoundError, SchemaError, UnreadableMediaError

pytestmark = pytest.mark.usefixtures("database")

N = 30
TARGETS = {1: "road", 2: "car"}
WRONG = {4: "car -> road", 17: "background -> car", 23: "car -> background"}
WRITTEN = ["mistakenness", "mistakenness_suggestion", "mistakenness_probability"]


@pytest.fixture
def truth(rng):
    """Each with a road below and a car somewhere on it."""
    masks = np.zeros((N, 24, 30), dtype=np.uint8)
    masks[:, 10:] = 1
    for mask in masks:
        row, column = rng.integers(11, 16), rng.integers(0, 22)
        mask[row : row + 6, column : column + 7] = 2
    return masks


@pytest.fixture
def given(truth):
    """Two cars more, and one that was cut out with the road below it."""
    masks = truth.copy()
    masks[4, 16:22, 22:29] = 2
    truth[4, 16:22, 22:29] = 1
    masks[17, truth[17] == 2] = 0
    masks[23, :7, :7] = 2
    return masks


@pytest.fixture
def probabilities(truth, rng):
    logits = np.eye(3)[truth] * 4 + rng.standard_normal((*truth.shape, 3))
    p = np.exp(logits)
    return (p / p.sum(axis=-1, keepdims=True)).astype(np.float32)


@pytest.fixture
def dataset(database, given, probabilities, tmp_path):
    made = sc.Dataset("streets")
    for i in range(N):
        np.save(tmp_path / f"{i:02}.npy", probabilities[i])
    made.add_samples(
        [
            sc.Sample(
                filepath=f"/photos/{i:02}.png",
                ground_truth=sc.Segmentation(mask=given[i]),
                predictions=sc.Segmentation(probabilities_path=str(tmp_path / f"{i:02}.npy")),
            )
            for i in range(N)
        ],
        dynamic=True,
    )
    made.default_mask_targets = TARGETS
    return made


def judge(dataset, **options):
    return scb.compute_mistakenness(dataset, "predictions", "ground_truth", **options)


def set_label(dataset, row, field, label):
    sample = dataset[dataset.values("id")[row]]
    sample[field] = label
    sample.save()


def found(dataset):
    """The doubted samples with what is suggested."""
    return {
        row: told
        for row, (score, told) in enumerate(
            zip(dataset.values("mistakenness"), dataset.values("mistakenness_suggestion"), strict=True)
        )
        if score is not None and score > 0.5
    }


def test_wrong_masks_are_doubted_and_the_classes_in_doubt_are_named(dataset):
    judge(dataset)
    assert found(dataset) == WRONG
    assert min(dataset.values("mistakenness_probability")[row] for row in WRONG) > 0.9


def test_scores_are_those_of_the_kernel(dataset, given, probabilities):
    run = judge(dataset)
    options = {"exponent": run.summary()["exponent"], "width": run.summary()["patch_width"]}
    doubts = [patch_doubt(mask, [p], **options) for mask, p in zip(given, probabilities, strict=True)]
    expected = segmentation_mistakenness([one.evidence for one in doubts], [one.probability for one in doubts])
    assert dataset.values("mistakenness") == pytest.approx(expected.tolist())
    assert dataset.values("mistakenness_probability") == pytest.approx([one.probability for one in doubts])


def test_the_run_begins_with_the_most_doubtful_and_says_what_it_did(dataset):
    run = judge(dataset)
    assert set(run.view().limit(3).values("filepath")) == {f"/photos/{i:02}.png" for i in WRONG}
    assert (run.key, run.operation, run.state) == ("mistakenness", "mistakenness", "completed")
    assert (run.reads, run.writes) == (["predictions", "ground_truth"], WRITTEN)
    assert (run.summary()["scored"], run.summary()["without_score"], run.summary()["doubted"]) == (N, 0, 3)
    assert run.summary()["quartiles"] == sorted(run.summary()["quartiles"])
    assert sum(run.histogram(4)[0]) == N
    assert "'ground_truth'" in dataset.get_field("mistakenness").description


def test_masks_in_files_are_as_good_as_masks_in_documents(dataset, given, tmp_path):
    judge(dataset)
    expected = dataset.values("mistakenness")
    labels = []
    for i in range(N):
        Image.fromarray(given[i]).save(tmp_path / f"{i:02}.png")
        labels.append(sc.Segmentation(mask_path=str(tmp_path / f"{i:02}.png")))
    dataset.set_values("ground_truth", labels)
    judge(dataset)
    assert dataset.values("mistakenness") == expected


def test_predicted_masks_alone_will_do(dataset, truth):
    dataset.set_values("predictions", [sc.Segmentation(mask=mask) for mask in truth])
    judge(dataset)
    assert set(np.argsort(dataset.values("mistakenness"))[-3:]) == set(WRONG)
    assert {row: dataset.values("mistakenness_suggestion")[row] for row in WRONG} == WRONG


def test_a_mask_that_its_model_is_not_sure_of_says_less(dataset, truth):
    labels = [sc.Segmentation(mask=mask, confidence=0.5 if i == 4 else 0.95) for i, mask in enumerate(truth)]
    dataset.set_values("predictions", labels)
    dataset.add_dynamic_sample_fields()
    judge(dataset)
    scores = dataset.values("mistakenness")
    assert scores[4] < min(scores[17], scores[23])


def test_values_without_a_name_are_not_judged_and_zero_is_the_background(dataset, given):
    masks = given.copy()
    masks[23, :7, :7] = 255
    dataset.set_values("ground_truth", [sc.Segmentation(mask=mask) for mask in masks])
    judge(dataset)
    assert found(dataset) == {row: told for row, told in WRONG.items() if row != 23}


def test_without_mask_targets_classes_are_called_by_their_numbers(dataset):
    dataset.default_mask_targets = {}
    judge(dataset)
    assert found(dataset) == {4: "2 -> 1", 17: "background -> 2", 23: "2 -> background"}


def test_without_mask_targets_and_probabilities_values_are_judged_that_predictions_know(dataset, given, truth):
    dataset.default_mask_targets = {}
    masks = given.copy()
    masks[23, :7, :7] = 255
    dataset.set_values("ground_truth", [sc.Segmentation(mask=mask) for mask in masks])
    dataset.set_values("predictions", [sc.Segmentation(mask=mask) for mask in truth])
    judge(dataset)
    assert set(np.argsort(dataset.values("mistakenness"))[-2:]) == {4, 17}


def test_what_has_no_mask_no_prediction_or_no_class_has_no_score(dataset):
    set_label(dataset, 0, "ground_truth", None)
    set_label(dataset, 1, "predictions", None)
    set_label(dataset, 2, "ground_truth", sc.Segmentation())
    set_label(dataset, 3, "ground_truth", sc.Segmentation(mask=np.full((24, 30), 255, dtype=np.uint8)))
    run = judge(dataset)
    for field in WRITTEN:
        assert dataset.limit(4).values(field) == [None] * 4
    assert (run.summary()["scored"], run.summary()["without_score"]) == (N - 4, 4)


def test_a_view_is_judged_by_itself(dataset, given, probabilities):
    view = dataset.sort_by("filepath", reverse=True).limit(20)
    run = judge(view)
    options = {"exponent": run.summary()["exponent"], "width": run.summary()["patch_width"]}
    doubts = [patch_doubt(given[i], [probabilities[i]], **options) for i in range(N - 1, N - 21, -1)]
    expected = segmentation_mistakenness([one.evidence for one in doubts], [one.probability for one in doubts])
    assert view.values("mistakenness") == pytest.approx(expected.tolist())
    assert dataset.count("mistakenness") == 20


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


def refused(dataset, error, match):
    with pytest.raises(error, match=match):
        judge(dataset)
    assert not dataset.has_field("mistakenness")
    assert dataset.get_run_info("mistakenness").state == "failed"


def test_a_file_that_cannot_be_read_is_named_with_its_sample_and_nothing_is_written(dataset, tmp_path):
    (tmp_path / "07.npy").write_bytes(b"no array")
    refused(dataset, UnreadableMediaError, rf"07\.npy of sample {dataset.values('id')[7]} cannot be read")


def test_a_mask_that_cannot_be_read_is_named_with_its_sample(dataset, tmp_path):
    (tmp_path / "mask.png").write_bytes(b"no image")
    set_label(dataset, 7, "ground_truth", sc.Segmentation(mask_path=str(tmp_path / "mask.png")))
    refused(dataset, UnreadableMediaError, rf"mask\.png of sample {dataset.values('id')[7]} cannot be read")


def test_nan_names_the_file_and_the_sample(dataset, probabilities, tmp_path):
    broken = probabilities[7].copy()
    broken[3, 3, 0] = np.nan
    np.save(tmp_path / "07.npy", broken)
    refused(dataset, FieldKindError, rf"07\.npy' of sample {dataset.values('id')[7]} are no probabilities")


def test_another_size_names_the_sample_and_both_sizes(dataset, probabilities, tmp_path):
    np.save(tmp_path / "07.npy", probabilities[7, :, :20])
    seventh = dataset.values("id")[7]
    refused(dataset, FieldKindError, rf"on sample {seventh}.*07\.npy.* is \(24, 20\) and the mask .* \(24, 30\)")
    set_label(dataset, 7, "predictions", sc.Segmentation(mask=np.zeros((5, 6), dtype=np.uint8)))
    refused(dataset, FieldKindError, rf"on sample {seventh}.* is \(5, 6\) and the mask .* \(24, 30\)")


def test_another_number_of_classes_names_the_sample(dataset, tmp_path):
    np.save(tmp_path / "07.npy", np.full((24, 30, 2), 0.5))
    refused(dataset, FieldKindError, rf"of sample {dataset.values('id')[7]} have 2 classes.* have 3")


def test_files_in_an_attribute_that_is_not_declared_are_not_passed_over(database, given, tmp_path):
    bare = sc.Dataset("bare")
    label = sc.Segmentation(probabilities_path=str(tmp_path / "0.npy"))
    bare.add_samples([sc.Sample(filepath="/0.png", ground_truth=sc.Segmentation(mask=given[0]), predictions=label)])
    refused(bare, FieldNotFoundError, r"'probabilities_path' that is not declared.*add_dynamic_sample_fields")
    bare.set_values("predictions", [sc.Segmentation(mask=given[0], confidence=0.5)])
    refused(bare, FieldNotFoundError, "'confidence' that is not declared")


def test_colours_are_refused(dataset):
    set_label(dataset, 7, "ground_truth", sc.Segmentation(mask=np.zeros((24, 30, 3), dtype=np.uint8)))
    refused(dataset, FieldKindError, rf"sample {dataset.values('id')[7]} has shape \(24, 30, 3\)")


def test_there_is_no_formula_by_confidence(dataset):
    with pytest.raises(SchemaError, match="method='confidence' has no formula for Segmentation"):
        judge(dataset, method="confidence")
    assert dataset.list_runs() == []


def test_what_several_models_say_is_averaged(dataset, probabilities, tmp_path):
    # One says a little more of the first class and less of the second, the other the other way round.
    apart = probabilities.min(axis=-1, keepdims=True) / 2 * np.array([1, -1, 0])
    for name, sign in (("first", 1), ("second", -1)):
        files = [str(tmp_path / f"{name}{i:02}.npy") for i in range(N)]
        for file, p in zip(files, probabilities + sign * apart, strict=True):
            np.save(file, p)
        dataset.set_values(name, [sc.Segmentation(probabilities_path=file) for file in files])
    dataset.add_dynamic_sample_fields()
    scb.compute_mistakenness(dataset, ["first", "second"], "ground_truth", "both")
    judge(dataset)
    np.testing.assert_allclose(dataset.values("both"), dataset.values("mistakenness"), rtol=1e-4)
    assert dataset.values("both_suggestion")[23] == WRONG[23]
    set_label(dataset, 7, "second", None)
    scb.compute_mistakenness(dataset, ["first", "second"], "ground_truth", "both")
    assert [row for row, score in enumerate(dataset.values("both")) if score is None] == [7]


@pytest.mark.parametrize("size", [0, 1, 2, 3])
def test_few_samples_are_defined(database, size):
    few = sc.Dataset("few")
    for field in ("ground_truth", "predictions"):
        few.add_sample_field(field, sc.EmbeddedDocumentField, embedded_doc_type=sc.Segmentation)
    mask = np.zeros((4, 4), dtype=np.uint8)
    few.add_samples(
        [
            sc.Sample(
                filepath=f"/{i}.png",
                ground_truth=sc.Segmentation(mask=mask),
                predictions=sc.Segmentation(mask=mask + i),
            )
            for i in range(size)
        ]
    )
    run = judge(few)
    assert (run.summary()["scored"], run.summary()["doubted"]) == (size, 0)
    assert few.count("mistakenness") == size if size else not few.has_field("mistakenness")
