"""Attributes of labels in lists, read as columns, are what the labels hold, whatever form their lists have."""

import random

import pytest

import saccade as sc
from saccade.dataset.store.connection import database as connected

TEXTS = ["car", "bus", "", "größe", "tram\0", "a" * 100, "b\0b", "\x02label\0", "日本"]


def boxes(labels) -> sc.Detections:
    return sc.Detections(detections=[sc.Detection(label=label, bounding_box=[0, 0, 1, 1]) for label in labels])


def read(dataset: sc.Dataset, attribute: str) -> list[list[object] | None]:
    """The values as the samples say."""
    samples = list(dataset)
    return [each.boxes and [label[attribute] for label in each.boxes.detections] for each in samples]


@pytest.mark.parametrize("lists", [
    [["car"], ["bus", "tram"]],
    [["car"] * 120, ["bus"] * 3, [], ["tram"] * 11],
    [None, ["car"], None],
    [None, None],
    [[], []],
    [["car", None], [None], ["bus"]],
    [TEXTS, TEXTS[::-1], TEXTS * 3],
    [random.Random(seed).choices(TEXTS[:3], k=seed % 23) for seed in range(200)],
])  # fmt: skip
def test_texts_in_lists_are_those_of_the_labels(dataset, lists):
    dataset.add_samples(
        sc.Sample(f"/{n}.png", boxes=None if labels is None else boxes(labels)) for n, labels in enumerate(lists)
    )
    if "boxes" not in dataset.get_field_schema():
        dataset.add_sample_field("boxes", sc.EmbeddedDocumentField, embedded_doc_type=sc.Detections)
    assert dataset.values("boxes.detections.label") == lists == read(dataset, "label")
    ids, again = dataset.values(["id", "boxes.detections.label"])
    assert again == lists
    assert dataset.sort_by("id", reverse=True).values("boxes.detections.label") == lists[::-1]
    assert dataset.select(ids[:1]).values("boxes.detections.label") == lists[:1]


def test_numbers_in_lists_are_those_of_the_labels_also_from_before_their_field_was_widened(dataset):
    for n, confidences in enumerate([[0.5, None], [1.0], [], [0.25, 0.125, None]]):
        labels = [sc.Detection(label="car", confidence=confidence) for confidence in confidences]
        dataset.add_sample(sc.Sample(f"/{n}.png", boxes=sc.Detections(detections=labels)))
    expected = [[0.5, None], [1.0], [], [0.25, 0.125, None]]
    assert dataset.values("boxes.detections.confidence") == expected == read(dataset, "confidence")
    connected()[f"samples.{dataset._id}"].update_one(
        {"filepath": "/1.png"}, {"$set": {"boxes.detections.0.confidence": 1}}
    )
    assert [type(value) for value in dataset.values("boxes.detections.confidence")[1]] == [float]
    assert dataset.values("boxes.detections.confidence", unwind=True) == [0.5, None, 1.0, 0.25, 0.125, None]
    assert dataset.values("boxes.detections.confidence", missing_value=-1)[0] == [0.5, -1]
