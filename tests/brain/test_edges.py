"""Every verb on what is few, alike, missing, extreme or wrong: sound values, or an error and nothing written."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import saccade as sc
from saccade.dataset.errors import FieldKindError, SaccadeError
from tests.brain.verbs import (
    CLASSES,
    COUNT,
    DIFFERENT,
    VERBS,
    Change,
    declared,
    history_of,
    made,
    run_of,
    stored,
    unsound,
    values_of,
    vectors_of,
    written,
)

pytestmark = pytest.mark.usefixtures("database")

LABELS = ("truth", "guess", "truths", "guesses", "boxes", "found", "size", "told", "mask", "painted", "joints")
PAIRS = ("near_duplicates", "exact_duplicates", "leaks")
FINDING_NOTHING = ("similarity", "exact duplicates", "near duplicates of an array", "leaky splits of an array")
"""Verbs that write no number where no sample is a copy of another."""

OWN_VECTORS = tuple(name for name in VERBS if "array" in name or "nearest" in name)


def nothing(fields: dict[str, Any]) -> None:
    fields.update(dict.fromkeys((*LABELS, "embedding")))


def empty(fields: dict[str, Any]) -> None:
    """Labels that are there and say nothing; where others have logits, those without have to be None."""
    fields.update(boxes=sc.Detections(), found=sc.Detections(), joints=sc.Keypoints(), truths=sc.Classifications())
    fields.update(truth=sc.Classification(), guess=sc.Classification(), size=sc.Regression(), told=sc.Regression())
    fields.update(mask=sc.Segmentation(), painted=sc.Segmentation())


def of_one_class(fields: dict[str, Any]) -> None:
    for one in (*fields["boxes"].detections, *fields["found"].detections, fields["truth"], fields["guess"]):
        one.label = CLASSES[1]
    for name in ("truths", "guesses"):
        fields[name].classifications[0].label = CLASSES[1]
    fields["mask"].mask = np.zeros((8, 8), dtype=np.uint8)


def extreme(fields: dict[str, Any]) -> None:
    """Logits of a thousand, numbers in few bits and as integers, boxes without a size."""
    fields["guess"].logits = np.array([-1000, 1000, 0, -1000], dtype=np.float16)
    fields["guess"].confidence = 1
    fields["guesses"].logits = np.array([1000, -1000, 0, 1000])
    fields["embedding"] = fields["embedding"].astype(np.float16)
    fields["size"].value, fields["told"].value = 3, -(10**9)
    path = fields["painted"].probabilities_path
    np.save(path, np.eye(4, dtype=np.uint8)[np.load(path).argmax(axis=2)])
    for box in fields["boxes"].detections:
        box.bounding_box = [0, 1, 0, 0]


@pytest.mark.parametrize("numbers", [[], [1], [1, 2], [5] * 4])
def test_few_samples_and_those_that_are_all_alike_get_sound_values(tmp_path, numbers):
    dataset = made(numbers or [1], tmp_path)
    samples = dataset if numbers else dataset.limit(0)
    before = stored(dataset)
    for name, verb in DIFFERENT.items():
        reports: list[tuple[int, int]] = []
        run = verb(samples, progress=lambda *report, reports=reports: reports.append(report))
        assert reports or not numbers, name
        assert all(done == total for done, total in reports[-1:]), (name, reports)
        assert run.state == "completed"
        assert unsound(dataset, name, run) == []
        assert len(run.view()) <= len(numbers)
        if not numbers:
            assert stored(dataset) == before, name
        elif len(set(numbers)) == 1:
            for path in set(run.writes) - {*PAIRS}:
                values = [repr(value) for value in dataset.values(path)]
                assert len(set(values)) == 1, (name, path, values)


@pytest.mark.parametrize("change", [of_one_class, extreme])
def test_one_class_alone_and_extreme_numbers_get_sound_values(tmp_path, change):
    dataset = made(range(COUNT), tmp_path, all=change)
    for name, verb in DIFFERENT.items():
        assert unsound(dataset, name, verb(dataset)) == []


def test_samples_without_labels_or_vectors_get_none_and_the_others_values(tmp_path):
    missing = {f"row_{number}": nothing for number in (8, 9, 10)}
    dataset = made(range(11), tmp_path, row_5=empty, **missing)
    for name, verb in VERBS.items():
        run = verb(dataset)
        assert unsound(dataset, name, run) == []
        assert len(list(written(dataset, run))) > 0 or name in FINDING_NOTHING, name
        if name not in OWN_VECTORS:
            for path in declared(dataset, run):
                assert dataset.values(path)[8:] == [None] * 3, (name, path)


def test_where_no_sample_has_anything_nothing_is_written_and_fields_stay_declared(tmp_path):
    dataset = made(range(3), tmp_path)
    for field in (*LABELS, "embedding"):
        dataset.clear_sample_field(field)
    before = stored(dataset)
    refused = []
    for name, verb in VERBS.items():
        if name in OWN_VECTORS:
            continue
        try:
            with run_of(verb, dataset) as run:
                assert all(value is None for path in declared(dataset, run) for value in dataset.values(path)), name
        except SaccadeError as error:
            refused.append((name, str(error)[:34]))
        assert stored(dataset) == before, name
    of_vectors = ("uniqueness", "representativeness", "near duplicates", "leaky splits", "similarity", "visualization")
    assert refused == [(name, "none of the 3 samples has a vector") for name in of_vectors]


def logits(field: str) -> Change:
    return lambda fields: setattr(fields[field], "logits", np.array([0, 1, math.inf, 2]))


def value(field: str) -> Change:
    return lambda fields: setattr(fields[field], "value", math.nan)


def confidence(fields: dict[str, Any]) -> None:
    fields["guess"].confidence = fields["found"].detections[1].confidence = math.nan
    fields["joints"].keypoints[0].confidence[2] = math.inf


def box(field: str) -> Change:
    return lambda fields: setattr(fields[field].detections[0], "bounding_box", [0.1, 0.2, -0.3, 0.4])


def pixel(fields: dict[str, Any]) -> None:
    path = Path(fields["painted"].probabilities_path)
    pixels = np.load(path)
    pixels[3, 4, 1] = math.nan
    np.save(path, pixels)


OF_BOXES = [name for name in VERBS if "of boxes" in name]
WITH_LABELS = [name for name in OF_BOXES if "mistakenness" in name or "labels" in name]
OF_LOGITS = ["mistakenness of a class", "hardness of a class", "hardness of a class with labels", "entropy",
             "hardness with a history", "active learning of a class"]  # fmt: skip
WRONG: list[tuple[Change, str, list[str]]] = [
    (logits("guess"), "guess", OF_LOGITS),
    (logits("guesses"), "guesses", ["mistakenness of classes", "hardness of classes"]),
    (value("size"), "size", ["mistakenness of numbers"]),
    (value("told"), "told", ["mistakenness of numbers"]),
    (confidence, "guess", ["mistakenness by confidence"]),
    (confidence, "found", OF_BOXES),
    (confidence, "joints", ["active learning of keypoints"]),
    (box("boxes"), "boxes", WITH_LABELS),
    (box("found"), "found", [name for name in OF_BOXES if "active" not in name]),
    (pixel, "painted", ["mistakenness of masks", "active learning of masks"]),
]


@pytest.mark.parametrize(("change", "field", "names"), WRONG)
def test_a_wrong_number_in_row_7_is_an_error_that_names_it_and_writes_nothing(tmp_path, change, field, names):
    assert names
    dataset = made(range(COUNT - 1), tmp_path, row_7=change)
    wrong, before = dataset.values("id")[7], stored(dataset)
    for name in names:
        with pytest.raises(FieldKindError, match=f"(?s)(?=.*{wrong})(?=.*'{field}[.'])"):
            VERBS[name](dataset)
        assert [dataset.get_run_info(key).state for key in dataset.list_runs()] == ["failed"], name
        assert stored(dataset) == before, name
        dataset.delete_runs()


@pytest.mark.parametrize("name", ["embedding", "logits", "box"])
def test_a_nan_where_fields_can_hold_none_is_refused_before_there_is_a_sample(tmp_path, name):
    def change(fields: dict[str, Any]) -> None:
        if name == "embedding":
            fields["embedding"] = np.array([1, math.nan, 0, 0])
        elif name == "logits":
            fields["guess"].logits = np.array([1, math.nan, 0, 0])
        else:
            fields["boxes"].detections[0].bounding_box = [0, math.nan, 1, 1]

    with pytest.raises(FieldKindError, match=r"NaN|nan"):
        made(range(COUNT), tmp_path, row_7=change)


ARRAYS = {
    **dict.fromkeys(OWN_VECTORS, ("embeddings", vectors_of)),
    **dict.fromkeys(["mistakenness of a class", "mistakenness of classes", "mistakenness of numbers",
                     "hardness of a class", "hardness of classes"], ("embeddings", vectors_of)),
    **dict.fromkeys(["hardness with a history", "area under the margin", "forgetting"], ("history", history_of)),
}  # fmt: skip
"""For each verb that takes an array, by which name, and what makes one."""


def test_a_nan_in_an_array_names_the_sample_and_leaves_the_run_that_was_there(tmp_path):
    dataset = made(range(COUNT), tmp_path)
    wrong = dataset.values("id")[7]
    for name, (argument, array_of) in ARRAYS.items():
        array = array_of(dataset)
        array[..., 7, 2] = math.nan
        with run_of(VERBS[name], dataset, **{argument: array_of(dataset)}) as run:
            before = stored(dataset)
            with pytest.raises(FieldKindError, match=f"{argument} holds NaN or infinity for sample {wrong}"):
                VERBS[name](dataset, **{argument: array})
            assert stored(dataset) == before, name
            assert dataset.get_run_info(run.key).state == "completed", name
            assert dataset.get_run_info(run.key).started == run.started, name


def test_arrays_in_few_bits_and_of_integers_count_as_the_numbers_that_they_hold(tmp_path):
    dataset = made(range(COUNT), tmp_path)
    for name, (argument, array_of) in ARRAYS.items():
        array = (4 * array_of(dataset)).astype(np.int8)
        values = []
        for kind in (np.int8, np.float16):
            VERBS[name](dataset, **{argument: array.astype(kind)})
            values.append(values_of(dataset))
        assert values[0] == values[1], name


def test_an_array_that_can_hold_no_vectors_is_refused_and_the_smallest_numbers_are_not(tmp_path):
    dataset = made(range(4), tmp_path)
    before = stored(dataset)
    for name in OWN_VECTORS:
        for array in (np.zeros((4, 0)), np.ones((4, 2)) * 1j, np.zeros(4), [["a"]] * 4):
            with pytest.raises(SaccadeError, match="embeddings"):
                VERBS[name](dataset, embeddings=array)
        assert stored(dataset) == before, name
        dataset.delete_runs()
        assert unsound(dataset, name, VERBS[name](dataset, embeddings=vectors_of(dataset) * 1e-320)) == []
        dataset.delete_runs()
