"""Labels and metadata: attributes, identity, comparison, copies, and what the store uses."""

import copy
import inspect
import multiprocessing
import os
import pickle
import time
from datetime import UTC, datetime
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saccade.dataset import labels
from saccade.dataset.errors import FieldKindError, FieldNotFoundError, SchemaError
from saccade.dataset.labels import (
    Classification,
    Classifications,
    Detection,
    Detections,
    Document,
    ImageMetadata,
    Keypoint,
    Keypoints,
    KeypointSkeleton,
    Label,
    Metadata,
    Polyline,
    Polylines,
    Regression,
    Segmentation,
    TemporalDetection,
    TemporalDetections,
    VideoMetadata,
    document_types,
    new_id,
)
from saccade.dataset.types import Oid, is_id

HEX = "64b7f0c2a1d3e4f5a6b7c8d9"


def test_the_document_types_have_the_names_and_attributes_of_fiftyone():
    own = {
        name: [field for field in kind._fields if field not in {"id", "tags"}] for name, kind in document_types.items()
    }
    assert own == {
        "Regression": ["value", "confidence"],
        "Classification": ["label", "confidence", "logits"],
        "Classifications": ["classifications", "logits"],
        "Detection": ["label", "bounding_box", "mask", "mask_path", "confidence", "index"],
        "Detections": ["detections"],
        "Polyline": ["label", "points", "confidence", "index", "closed", "filled"],
        "Polylines": ["polylines"],
        "Keypoint": ["label", "points", "confidence", "index"],
        "KeypointSkeleton": ["labels", "edges"],
        "Keypoints": ["keypoints"],
        "Segmentation": ["mask", "mask_path"],
        "TemporalDetection": ["label", "support", "confidence"],
        "TemporalDetections": ["detections"],
        "Metadata": ["size_bytes", "mime_type"],
        "ImageMetadata": [
            "size_bytes", "mime_type", "width", "height", "num_channels", "orientation", "taken_at", "latitude",
            "longitude",
        ],
        "VideoMetadata": [
            "size_bytes", "mime_type", "frame_width", "frame_height", "frame_rate", "total_frame_count", "duration",
            "encoding_str",
        ],
    }  # fmt: skip


def test_single_labels_have_an_id_and_tags_and_lists_of_labels_do_not():
    for name, kind in document_types.items():
        is_list = kind.LIST_ATTRIBUTE is not None
        is_fact = issubclass(kind, Metadata | KeypointSkeleton)
        assert issubclass(kind, Label) == (not is_list and not is_fact), name
        assert ("id" in kind().field_names) == issubclass(kind, Label), name
        assert ("tags" in kind().field_names) == issubclass(kind, Label), name


@pytest.mark.parametrize("kind", [Classifications, Detections, Polylines, Keypoints, TemporalDetections])
def test_a_list_of_labels_begins_empty_and_holds_only_its_own_kind(kind):
    empty = kind()
    assert empty[kind.LIST_ATTRIBUTE] == []
    assert empty[kind.LIST_ATTRIBUTE] is not kind()[kind.LIST_ATTRIBUTE]
    with pytest.raises(FieldKindError, match=rf"{kind.__name__}\.{kind.LIST_ATTRIBUTE}: element 0: expected a"):
        kind(**{kind.LIST_ATTRIBUTE: [Regression()]})


def test_attributes_are_read_and_written_by_name_and_by_item():
    detection = Detection(label="cat", confidence=1)
    detection.index = np.int64(3)
    detection["label"] = "dog"
    assert (detection.label, detection["index"], detection.confidence) == ("dog", 3, 1.0)
    assert type(detection.confidence) is float
    assert detection.bounding_box is None


def test_a_value_of_another_kind_is_refused_at_once_and_leaves_the_old_one():
    classification = Classification(confidence=0.5)
    with pytest.raises(FieldKindError) as caught:
        classification.confidence = "high"
    assert str(caught.value) == "Classification.confidence: expected a number; got 'high' (str)"
    assert classification.confidence == 0.5
    with pytest.raises(FieldKindError, match=r"Classification\.label"):
        Classification(label=3)


@pytest.mark.parametrize(
    "box",
    [[0.1, 0.2, 0.3, 0.4], (0.1, 0.2, 0.3, 0.4), np.array([0.1, 0.2, 0.3, 0.4]), list(np.array([0.1, 0.2, 0.3, 0.4]))],
)
def test_a_box_is_stored_as_a_list_of_floats(box):
    stored = Detection(bounding_box=box).bounding_box
    assert stored == [0.1, 0.2, 0.3, 0.4]
    assert type(stored) is list
    assert {type(x) for x in stored} == {float}


def test_a_box_may_leave_the_image_and_hold_integers_and_huge_numbers():
    assert Detection(bounding_box=[-1, 0, 2, 5]).bounding_box == [-1.0, 0.0, 2.0, 5.0]
    assert Detection(bounding_box=[1e308] * 4).bounding_box == [1e308] * 4


@pytest.mark.parametrize(
    "box",
    [
        [], [1, 2, 3], [1, 2, 3, 4, 5], "abcd", 3, [0.1, 0.2, float("nan"), 0.4], [0.1, float("inf"), 0.3, 0.4],
        [float("inf"), -float("inf"), 0.0, 0.0], ["0.1", 0, 0, 0], [True, 0, 0, 0], [None] * 4, np.zeros((2, 2)),
        np.zeros((4, 1)), {"x": 1},
    ],
)  # fmt: skip
def test_a_box_that_is_not_four_finite_numbers_is_refused(box):
    with pytest.raises(FieldKindError, match=r"^Detection\.bounding_box: expected"):
        Detection(bounding_box=box)


def test_a_box_is_not_shared_with_the_list_it_came_from():
    box = [0.1, 0.2, 0.3, 0.4]
    detection = Detection(bounding_box=box)
    box[0] = 9.0
    assert detection.bounding_box[0] == 0.1


@pytest.mark.parametrize(
    "mask", [np.ones((2, 3), bool), np.ones((2, 3), np.uint8), np.ones((2, 3), int), [[1, 0], [0, 1]]]
)
def test_a_mask_is_a_plane_of_booleans_or_integers(mask):
    assert Detection(mask=mask).mask.ndim == 2


@pytest.mark.parametrize("mask", [np.ones((2, 3)), np.ones(3, bool), np.ones((2, 3, 3), bool), "mask.png"])
def test_any_other_mask_is_refused(mask):
    with pytest.raises(FieldKindError, match=r"Detection\.mask: expected"):
        Detection(mask=mask)


def test_the_mask_of_an_image_may_be_in_colours():
    assert Segmentation(mask=np.ones((2, 3, 3), np.uint8)).mask.shape == (2, 3, 3)
    with pytest.raises(FieldKindError):
        Segmentation(mask=np.ones((2, 3, 4), np.uint8))


def test_logits_are_float32_without_nan():
    assert Classification(logits=[0.5, -1]).logits.dtype == np.float32
    assert Classification(logits=[0.0, -np.inf]).logits[1] == -np.inf
    assert Classifications(logits=np.zeros(3)).logits.dtype == np.float32
    with pytest.raises(FieldKindError, match=r"Classification\.logits: NaN at position 1"):
        Classification(logits=[0.0, np.nan])
    for wrong in (np.zeros((2, 2)), 0.5, "abc", [True, False]):
        with pytest.raises(FieldKindError):
            Classification(logits=wrong)


def test_points_of_a_polyline_are_lists_of_lists_of_pairs():
    line = Polyline(points=[[(0, 0.5), (1, 1)], np.array([[0.1, 0.2]])])
    assert line.points == [[[0.0, 0.5], [1.0, 1.0]], [[0.1, 0.2]]]
    assert (line.closed, line.filled) == (False, False)
    with pytest.raises(FieldKindError, match="lists of"):
        Polyline(points=[(0, 0.5), (1, 1)])
    with pytest.raises(FieldKindError, match="finite"):
        Polyline(points=[[(0, float("nan"))]])
    with pytest.raises(FieldKindError, match=r"expected an \(x, y\) point"):
        Polyline(points=[[(0, 1, 2)]])


def test_points_of_a_keypoint_are_pairs_and_may_be_missing():
    points = Keypoint(points=[(0.1, 0.2), (np.nan, np.nan)], confidence=[0.9, None]).points
    assert points[0] == [0.1, 0.2]
    assert np.isnan(points[1]).all()
    with pytest.raises(FieldKindError, match=r"expected an \(x, y\) point"):
        Keypoint(points=[[[0.1, 0.2]], [[0.1, 0.2]]])


@pytest.mark.parametrize("support", [[3, 2], [0, 4], [1.5, 2], [1], "12", [1, 2, 3]])
def test_a_range_of_frames_is_two_ordered_integers_from_one(support):
    assert TemporalDetection(support=(2, 2)).support == [2, 2]
    with pytest.raises(FieldKindError, match=r"TemporalDetection\.support: expected"):
        TemporalDetection(support=support)


@pytest.mark.parametrize("tags", ["hard", [1], 3, [None]])
def test_tags_are_a_list_of_text(tags):
    assert Classification(tags=("a", "größe")).tags == ["a", "größe"]
    with pytest.raises(FieldKindError, match=r"Classification\.tags"):
        Classification(tags=tags)


def test_tags_begin_empty_and_are_not_shared():
    first, second = Classification(), Classification()
    first.tags.append("hard")
    assert second.tags == []


def test_dynamic_attributes_are_written_and_read_like_declared_ones():
    detection = Detection(label="cat", mood="surly")
    detection.age = np.int32(4)
    detection["größe"] = {"cm": (1, 2)}
    assert (detection.mood, detection["age"], detection.größe) == ("surly", 4, {"cm": [1, 2]})
    assert detection.field_names[-3:] == ("mood", "age", "größe")
    assert "mood" in detection
    assert detection.has_field("mood")
    del detection.mood
    assert "mood" not in detection


def test_a_dynamic_vector_becomes_float32_and_other_arrays_stay():
    detection = Detection(embedding=np.zeros(3), grid=np.zeros((2, 2)))
    assert (detection.embedding.dtype, detection.grid.dtype) == (np.float32, np.float64)


def test_a_dynamic_attribute_may_be_none_and_change_its_kind():
    detection = Detection(mood=None)
    assert detection.mood is None
    detection.mood = "surly"
    detection.mood = 3
    assert detection.mood == 3


@pytest.mark.parametrize("name", ["copy", "to_dict", "field_names", "_private", "with space", "3d", "LIST_ATTRIBUTE"])
def test_a_name_that_means_something_else_or_cannot_be_written_is_refused(name):
    with pytest.raises(SchemaError, match="cannot name a field"):
        setattr(Detection(), name, 3)
    with pytest.raises(SchemaError, match="cannot name a field"):
        Detection(**{name: 3})


def test_a_dynamic_value_that_cannot_be_stored_is_refused():
    with pytest.raises(FieldKindError, match="cannot be stored"):
        Detection(thing=object())
    with pytest.raises(FieldKindError, match=r"Detection\.scores: .*cannot be stored"):
        Detection(scores={"a": object()})


def test_reading_a_misspelled_attribute_names_the_nearest():
    detection = Detection(mood="surly")
    with pytest.raises(AttributeError, match=r"this Detection has no attribute 'lable'.*Did you mean 'label'\?"):
        _ = detection.lable
    with pytest.raises(AttributeError, match="Did you mean 'mood'"):
        _ = detection.modo
    with pytest.raises(FieldNotFoundError, match="Did you mean 'label'"):
        _ = detection["lable"]
    with pytest.raises(AttributeError):
        del detection.lable
    with pytest.raises(FieldNotFoundError):
        detection.clear_field("lable")
    with pytest.raises(FieldNotFoundError):
        detection.get_field("copy")
    assert not hasattr(detection, "_repr_html_")


def test_tab_completion_lists_declared_and_dynamic_attributes():
    assert {"label", "bounding_box", "id", "tags", "mood", "copy"} <= set(dir(Detection(mood="surly")))


def test_the_signature_names_the_declared_attributes():
    assert str(inspect.signature(Regression)) == "(*, id=None, tags=[], value=None, confidence=None, **attributes)"


def test_clearing_an_attribute_gives_its_beginning_back():
    line = Polyline(label="lane", closed=True, tags=["a"])
    del line["label"]
    line.closed = None
    line.tags = None
    assert (line.label, line.closed, line.tags) == (None, False, [])
    assert "label" not in line._attributes()


def test_iter_fields_gives_every_attribute():
    classification = Classification(label="cat", mood="surly", id=HEX)
    assert dict(classification.iter_fields()) == {
        "id": HEX, "tags": [], "label": "cat", "confidence": None, "logits": None, "mood": "surly",
    }  # fmt: skip


def test_ids_are_new_and_may_be_given():
    first, second = Classification(), Classification()
    assert is_id(first.id)
    assert first.id != second.id
    assert Classification(id=HEX.upper()).id == HEX
    assert type(Classification(id=Oid(HEX)).id) is str
    with pytest.raises(FieldKindError, match=r"Classification\.id: expected an id"):
        Classification(id="mine")
    with pytest.raises(AttributeError, match="can be replaced"):
        del first.id


def test_a_hundred_thousand_ids_differ():
    made = [new_id() for _ in range(100_000)]
    assert len(set(made)) == len(made)
    assert all(map(is_id, made[:100]))


def test_ids_go_on_when_the_clock_is_set_back(monkeypatch):
    before = new_id()
    monkeypatch.setattr(labels._ids, "time", lambda: time.time() - 1e6)
    assert new_id() > before


def _send_ids(connection):
    connection.send([new_id() for _ in range(50)])
    os._exit(0)


def test_a_forked_child_makes_other_ids_than_its_parent():
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_send_ids, args=(sender,))
    child.start()
    theirs = receiver.recv()
    child.join()
    mine = [new_id() for _ in range(50)]
    assert not set(mine) & set(theirs)
    assert mine[0][8:18] != theirs[0][8:18]


def test_labels_are_equal_when_id_and_content_are():
    first = Classification(label="cat", logits=[1.0, 2.0], scores=[float("nan")], id=HEX)
    second = Classification(label="cat", logits=[1.0, 2.0], scores=[float("nan")], id=HEX)
    assert first == second
    assert first != Classification(label="cat", logits=[1.0, 2.0], scores=[float("nan")])
    second.logits = [1.0, 3.0]
    assert first != second
    assert Classification(id=HEX) != Regression(id=HEX)
    assert Classification(id=HEX) != "cat"
    assert Classification(id=HEX, mood=None) == Classification(id=HEX)
    assert Classification(id=HEX, logits=[1.0]) != Classification(id=HEX)
    assert Metadata(size_bytes=3) == Metadata(size_bytes=3)
    assert Metadata() != ImageMetadata()


def test_labels_cannot_be_keys_because_they_change():
    with pytest.raises(TypeError, match="unhashable"):
        hash(Classification())


def test_a_copy_is_independent_and_its_labels_have_new_ids():
    original = Detections(detections=[Detection(label="cat", mask=np.ones((2, 2), bool), nested={"a": [1]})])
    other = original.copy()
    (before,), (after,) = original.detections, other.detections
    assert type(other) is Detections
    assert after.id != before.id
    assert after != before
    after.id = before.id
    assert other == original
    after.mask[0, 0] = False
    after.nested["a"].append(2)
    after.tags.append("x")
    assert before.mask.all()
    assert (before.nested, before.tags) == ({"a": [1]}, [])


@pytest.mark.parametrize("again", [copy.deepcopy, lambda label: pickle.loads(pickle.dumps(label))])
def test_deepcopy_and_pickle_keep_the_id(again):
    original = Detections(detections=[Detection(label="cat", mask=np.ones((2, 2), bool), mood="surly")])
    assert again(original) == original


def test_repr_shows_what_is_set_on_one_line_where_it_fits():
    assert repr(Classification(label="cat", confidence=0.9, id=HEX)) == (
        f"<Classification: {{'id': '{HEX}', 'tags': [], 'label': 'cat', 'confidence': 0.9}}>"
    )


def test_repr_takes_more_lines_where_needed_and_cuts_long_lists_and_arrays():
    detections = Detections(
        detections=[
            Detection(label="cat", id=HEX, bounding_box=[0.1 + 0.2, 0, 0, 0], mask=np.ones((28, 28), bool))
            for _ in range(10)
        ]
    )
    assert repr(detections).splitlines()[:9] == [
        "<Detections: {",
        "    'detections': [",
        "        <Detection: {",
        f"            'id': '{HEX}',",
        "            'tags': [],",
        "            'label': 'cat',",
        "            'bounding_box': [0.3, 0.0, 0.0, 0.0],",
        "            'mask': array(shape=(28, 28), dtype=bool),",
        "        }>,",
    ]
    assert "… 10 in all" in repr(detections)
    assert repr(detections).count("Detection:") == 3


def test_the_store_sees_only_what_is_set_and_no_id():
    assert Detection(label="cat", mood="surly", confidence=None)._attributes() == {
        "tags": [], "label": "cat", "mood": "surly",
    }  # fmt: skip
    assert Polyline()._attributes() == {"tags": [], "closed": False, "filled": False}
    assert Detections()._attributes() == {"detections": []}


def test_the_store_builds_labels_without_checks_and_fills_what_a_projection_left_out():
    values = {"label": "cat", "mood": 3}
    label = Detection._from_attributes(values, HEX)
    assert (label.id, label.label, label.mood, label.tags, label.confidence) == (HEX, "cat", 3, [], None)
    assert label._attributes() is values
    assert Detections._from_attributes({}, None).detections == []
    assert is_id(Detection._from_attributes({}, None).id)


def test_a_subclass_registers_itself_and_inherits():
    class Ellipse(Detection):
        _fields: ClassVar = {"angle": Regression._fields["value"]}
        _initial: ClassVar = {"angle": 0.0}

    try:
        ellipse = Ellipse(bounding_box=[0, 0, 1, 1], angle=3)
        assert (ellipse.angle, Ellipse().angle, ellipse.bounding_box) == (3.0, 0.0, [0.0, 0.0, 1.0, 1.0])
        assert Detections(detections=[ellipse]).detections == [ellipse]
        assert "angle" not in Detection().field_names
        with pytest.raises(SchemaError, match="there is a Detection in"):
            type("Detection", (Label,), {"__module__": "elsewhere"})
    finally:
        labels._document.document_types.pop("Ellipse")


def test_dates_in_dynamic_attributes_come_in_utc():
    assert Detection(seen=datetime(2024, 1, 1)).seen == datetime(2024, 1, 1, tzinfo=UTC)


@given(st.text(max_size=20).filter(lambda text: text.isprintable()), st.floats(allow_nan=False))
def test_any_text_and_number_is_kept_as_it_is(label, confidence):
    classification = Classification(label=label, confidence=confidence)
    assert (classification.label, classification.confidence) == (label, confidence)


def test_a_detection_is_made_in_microseconds():
    box = [0.1, 0.2, 0.3, 0.4]
    rounds = []
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(2000):
            Detection(label="cat", bounding_box=box, confidence=0.5)
        rounds.append((time.perf_counter() - start) / 2000)
    assert min(rounds) < 30e-6


def test_documents_without_a_declared_type_of_their_own_are_not_registered():
    assert "Label" not in document_types
    assert "Document" not in document_types
    assert issubclass(VideoMetadata, Document)
