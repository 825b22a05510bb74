"""Values that are stored a column at a time look as they do when they are stored one by one."""

from datetime import UTC, datetime

import bson
import numpy as np
import pytest
from bson import ObjectId

import saccade as sc
from saccade.dataset.errors import SchemaError
from saccade.dataset.store import codec, samples
from saccade.dataset.store.elements import documents, elements, id_elements, label_elements, null

WHEN = datetime(2024, 5, 1, 12, tzinfo=UTC)
COLUMNS = {
    "floats": [0.5, -0.0, float("inf"), 1e-300],
    "texts": ["a", "", "déjà vu", "nul \0 inside"],
    "few": ["a", "b", "a", "a"],
    "flags": [True, False, None, True],
    "counts": [1, -1, 2**40, None],
    "gaps": [None, 0.25, None, 1.0],
    "nothing": [None, None, None, None],
    "mixed": [1, "one", [1, [2]], {"a": WHEN}],
    "times": [WHEN, WHEN, None, WHEN],
}

LABELS = {
    "classes": [sc.Classification(label=name) for name in "abc"],
    "some are tagged": [sc.Classification(label="a"), sc.Classification(label="b", tags=["x", "y"])],
    "some have logits": [
        sc.Classification(label="a", logits=np.arange(3.0), confidence=0.5), sc.Classification(label="b"),
    ],
    "boxes": [sc.Detection(label="a", bounding_box=[0, 0.5, 1, 0.25], index=number) for number in (0, 2**33)],
    "with more attributes": [sc.Detection(label="a", area=7, crowd=True), sc.Detection(label="b", mood="calm")],
    "without anything": [sc.Classification(), sc.Regression()][:1],
    "metadata, which has no id": [sc.ImageMetadata(size_bytes=5, mime_type="image/png", width=3, height=4)],
}  # fmt: skip


def test_columns_of_values_give_the_documents_that_the_values_give():
    ids = [ObjectId() for _ in range(4)]
    made = documents(
        [
            id_elements(b"".join(one.binary for one in ids)),
            *(elements(name, column) for name, column in COLUMNS.items()),
        ]
    )
    for row, document in enumerate(made):
        held = {name: column[row] for name, column in COLUMNS.items() if column[row] is not None}
        assert document == bson.encode({"_id": ids[row], **held})


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
def test_columns_of_labels_give_the_documents_that_the_labels_give(labels):
    made = label_elements("shown", labels)
    assert made is not None
    for document, label in zip(documents([made]), labels, strict=True):
        assert codec.from_raw(document) == {"shown": codec.from_raw(codec.to_raw(codec.encode(label, "shown")))}


@pytest.mark.parametrize(
    "label",
    [
        sc.Detections(detections=[sc.Detection(label="a")]),
        sc.Detection(mask=np.ones((2, 2), dtype=bool)),
        sc.Classification(feature=np.ones(3)),
        sc.Keypoint(points=[(0.5, 0.5)]),
    ],
)
def test_labels_that_hold_more_than_numbers_and_text_are_left_to_those_who_look_at_each(label):
    assert label_elements("shown", [label]) is None


def test_logits_of_different_lengths_are_left_to_those_who_look_at_each():
    labels = [sc.Classification(logits=np.zeros(size)) for size in (2, 3)]
    assert label_elements("shown", labels) is None


def test_null_is_stored_where_it_is_asked_for():
    assert bson.decode(documents([[null("metadata")]])[0]) == {"metadata": None}


def test_what_cannot_be_stored_is_refused_by_name():
    with pytest.raises(SchemaError, match="a value of 'name' cannot be stored"):
        elements("name", ["\ud800"])
    with pytest.raises(SchemaError, match="a value of 'number' cannot be stored"):
        elements("number", [2**64])


def test_samples_with_and_without_vectors_are_stored_alike(database):
    def photos(**more):
        label = sc.Classification(id="507f1f77bcf86cd799439011", label="cat", logits=[0.5, 1.5], mood="calm")
        metadata = sc.ImageMetadata(width=4)
        first = sc.Sample("/1.png", tags=["a"], metadata=metadata, label=label, number=1, score=0.5, **more)
        return [first, sc.Sample("/2.png", boxes=sc.Detections(), when=WHEN, day=WHEN.date())]

    stored = []
    for more in ({}, {"vector": np.ones(3)}):
        dataset = sc.Dataset()
        dataset.add_samples(photos(**more))
        found = list(database[samples.samples_name(dataset._id)].find({}, {"_id": 0, "vector": 0}).sort("_id", 1))
        stored.append(found)
    assert stored[0] == stored[1]
    assert stored[0][1]["metadata"] is None
