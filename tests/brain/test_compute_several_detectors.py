"""The mistakenness verb with several detectors, and with masks."""

import numpy as np
import pytest
from PIL import Image

import saccade as sc
import saccade.brain as scb
from saccade.dataset.errors import FieldKindError, SchemaError, UnreadableMediaError

pytestmark = pytest.mark.usefixtures("database")

N = 60
LEFT, RIGHT = [0.1, 0.3, 0.3, 0.3], [0.6, 0.3, 0.3, 0.3]
MODELS = ["first", "second"]


def detections(boxes, confidences=None, label="cat", masks=None):
    confidences = [None] * len(boxes) if confidences is None else confidences
    masks = [None] * len(boxes) if masks is None else masks
    return sc.Detections(
        detections=[
            sc.Detection(label=label, bounding_box=list(box), confidence=sure, mask=mask)
            for box, sure, mask in zip(boxes, confidences, masks, strict=True)
        ]
    )


@pytest.fixture
def dataset(database):
    """Two objects in each sample; in sample 7 one was left out. The second detector overlooks some others."""
    rng = np.random.default_rng(52)

    def seen(boxes):
        return detections([np.array(box) + rng.normal(0, 0.005, 4) for box in boxes], rng.uniform(0.8, 1, len(boxes)))

    made = sc.Dataset("street")
    made.add_samples(
        [
            sc.Sample(
                filepath=f"/{i}.png",
                ground_truth=detections([RIGHT] if i == 7 else [LEFT, RIGHT]),
                first=seen([LEFT, RIGHT]),
                second=seen([LEFT] if i % 5 == 0 else [LEFT, RIGHT]),
            )
            for i in range(N)
        ]
    )
    return made


def judge(dataset, models=MODELS, **options):
    return scb.compute_mistakenness(dataset, models, "ground_truth", **options)


def row(sample):
    return int(sample.filepath.split("/")[-1][:-4])


def test_what_several_detectors_miss_among_the_labels_comes_first(dataset):
    run = judge(dataset)
    assert row(run.view().first()) == 7
    sample = run.view().first()
    scores = [[one.mistakenness_missing for one in sample[model].detections] for model in MODELS]
    assert scores[0][0] == scores[1][0] > 5 * scores[0][1]
    assert run.reads == ["first", "second", "ground_truth"]
    assert {f"{model}.detections.mistakenness_missing" for model in MODELS} <= set(run.writes)
    assert run.params["pred_field"] == MODELS


def test_an_object_that_several_see_is_counted_and_added_once(dataset):
    before = [sample.to_dict() for sample in dataset]
    run = judge(dataset, copy_missing=True)
    sample = list(dataset)[7]
    assert sample["possible_missing"] == run.summary()["possible_missing"] == 1
    assert all(sample[model].detections[0].possible_missing is True for model in MODELS)
    judge(dataset, copy_missing=True)
    added = list(dataset)[7]["ground_truth"].detections
    assert [one.has_field("possible_missing") for one in added] == [False, True]
    dataset.delete_run("mistakenness")
    assert [sample.to_dict() for sample in dataset] == before


def test_samples_that_a_detector_did_not_answer_have_no_score(dataset):
    sample = list(dataset)[3]
    sample["second"] = None
    sample.save()
    judge(dataset)
    assert dataset.values("mistakenness")[3] is None
    assert dataset.count("mistakenness") == N - 1


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_none_one_two_and_three_samples_are_judged_by_several(dataset, count):
    assert judge(dataset.limit(count)).summary()["scored"] == count


def test_a_view_is_judged_by_itself_and_the_same_call_twice_gives_the_same(dataset):
    view, paths = dataset.skip(20), ["mistakenness", "second.detections.mistakenness_missing"]
    judge(view)
    first = dataset.values(paths)
    judge(view)
    assert dataset.values(paths) == first
    assert dataset.count("mistakenness") == N - 20


def test_several_detectors_that_cannot_be_judged_are_refused(dataset):
    with pytest.raises(SchemaError, match="with 'evidence'"):
        judge(dataset, method="confidence")
    with pytest.raises(SchemaError, match="each once"):
        judge(dataset, ["first", "first"])
    sample = list(dataset)[7]
    sample["second"].detections[0].confidence = float("nan")
    sample.save()
    with pytest.raises(FieldKindError, match=rf"'second' on sample {sample.id}"):
        judge(dataset)
    assert not dataset.has_field("mistakenness")


UPPER, LOWER = np.array([[1], [0]], dtype=bool), np.array([[0], [1]], dtype=bool)


@pytest.fixture
def masked(database, rng):
    """One object in each sample, the upper half of its box; in sample 7 the mask is the lower half."""
    made = sc.Dataset("masks")
    made.add_samples(
        [
            sc.Sample(
                filepath=f"/{i}.png",
                ground_truth=detections([LEFT], masks=[LOWER if i == 7 else UPPER]),
                predictions=detections([np.array(LEFT) + rng.normal(0, 0.003, 4)], [0.9], masks=[UPPER]),
            )
            for i in range(N)
        ]
    )
    return made


def test_with_masks_on_both_sides_the_masks_must_overlap(masked):
    assert row(judge(masked, "predictions").view().first()) == 7
    sample = list(masked)[7]
    assert sample["ground_truth"].detections[0].mistakenness_spurious > 0.5
    assert sample["ground_truth"].detections[0].possible_spurious is True
    assert sample["predictions"].detections[0].mistakenness_missing > 0.2
    np.testing.assert_array_equal(sample["ground_truth"].detections[0].mask, LOWER)


def test_with_masks_on_one_side_the_boxes_overlap(masked):
    for sample in masked:
        sample["predictions"].detections[0].mask = None
        sample.save()
    judge(masked, "predictions")
    assert masked.bounds("possible_spurious") == (0, 0)


def test_an_object_without_mask_among_others_with_fills_its_box(masked):
    samples = list(masked)
    samples[7]["ground_truth"].detections[0].mask = None
    samples[8]["ground_truth"].detections[0].mask = None
    samples[8]["predictions"].detections[0].mask = None
    for sample in samples[7:9]:
        sample.save()
    judge(masked, "predictions")
    samples = list(masked)
    # half a box against its half: an overlap of 0.5, where such predictions have about 1
    assert samples[7]["ground_truth"].detections[0].mistakenness_loc > 0.5
    assert samples[8]["ground_truth"].detections[0].mistakenness_loc < 0.1


def test_masks_in_files_are_read(masked, tmp_path):
    path = tmp_path / "lower.png"
    Image.fromarray(np.array([[0, 0], [255, 255]], dtype=np.uint8)).save(path)
    sample = list(masked)[9]
    sample["ground_truth"].detections[0].mask = None
    sample["ground_truth"].detections[0].mask_path = str(path)
    sample.save()
    judge(masked, "predictions")
    assert list(masked)[9]["ground_truth"].detections[0].mistakenness_spurious > 0.5
    path.write_bytes(b"no image")
    with pytest.raises(UnreadableMediaError, match=rf"lower\.png of sample {sample.id}"):
        judge(masked, "predictions", mistakenness_field="other")
    assert not masked.has_field("other")


def test_masks_of_a_view_in_another_order_belong_to_their_samples(masked):
    judge(masked, "predictions")
    first = masked.values("mistakenness")
    judge(masked.sort_by("filepath", reverse=True), "predictions")
    np.testing.assert_allclose(masked.values("mistakenness"), first, atol=1e-6)
    judge(masked.skip(5).limit(10), "predictions", mistakenness_field="part")
    assert row(masked.sort_by("part", reverse=True).first()) == 7


def test_several_detectors_with_masks_and_without_are_judged_together(masked, rng):
    masked.set_values("boxes", [detections([LEFT], [0.8]) for _ in range(N)])
    masked.set_values("other", [detections([LEFT], [0.8], masks=[UPPER]) for _ in range(N)])
    judge(masked, ["predictions", "other"])
    assert list(masked)[7]["ground_truth"].detections[0].mistakenness_spurious > 0.5
    judge(masked, ["predictions", "boxes"])
    assert masked.count("mistakenness") == N


def test_by_the_published_formula_boxes_count(masked):
    judge(masked, "predictions", method="confidence")
    assert masked.bounds("possible_spurious") == (0, 0)
