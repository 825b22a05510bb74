"""Labels in bulk: tagged, untagged, counted, deleted, split; of a view those that it shows; each one action."""

import numpy as np
import pytest

import saccade as sc
from saccade.dataset.errors import FieldKindError, FieldNotFoundError, SchemaError, ViewError

F = sc.F


def box(label: str, **attributes) -> sc.Detection:
    return sc.Detection(label=label, bounding_box=[0, 0, 1, 1], **attributes)


@pytest.fixture
def filled(dataset) -> sc.Dataset:
    """Three samples: boxes [cat, dog], [cat], none; a class on the first two; a polyline nowhere."""
    dataset.add_samples([
        sc.Sample("/0.png", boxes=sc.Detections(detections=[box("cat", score=0.5), box("dog", tags=["old"])]),
                  gt=sc.Classification(label="cat", tags=["old", "b"])),
        sc.Sample("/1.png", boxes=sc.Detections(detections=[box("cat", emb=np.ones(3, np.float32))]),
                  gt=sc.Classification(label="cow")),
        sc.Sample("/2.png", n=1),
    ])  # fmt: skip
    dataset.add_sample_field("lines", sc.EmbeddedDocumentField, embedded_doc_type=sc.Polylines)
    return dataset


def contents(dataset) -> list[dict]:
    return [{"id": sample.id, **sample.to_dict()} for sample in dataset]


def tags(dataset) -> tuple[list, list]:
    return dataset.values("boxes.detections.tags"), dataset.values("gt.tags")


# --- tags ------------------------------------------------------------------------------------------------------------


def test_all_labels_are_tagged_once(filled):
    for _ in range(2):
        filled.tag_labels(["new", "b"])
    assert filled.count_label_tags() == {"b": 5, "new": 5, "old": 2}
    first = filled.first()
    assert [label.tags for label in first.boxes.detections] == [["new", "b"], ["old", "new", "b"]]
    assert first.gt.tags == ["old", "b", "new"]
    assert first.boxes.detections[0].score == 0.5
    assert filled["/1.png"].boxes.detections[0].emb.tolist() == [1, 1, 1]
    assert filled.last().boxes is None


def test_labels_of_some_fields_are_tagged_and_counted(filled):
    filled.tag_labels("new", "gt")
    assert filled.count_label_tags() == {"new": 2, "old": 2, "b": 1}
    assert filled.count_label_tags("boxes") == {"old": 1}
    assert filled.count_label_tags(["gt", "lines"]) == {"new": 2, "b": 1, "old": 1}


def test_tags_of_labels_are_removed_where_they_are(filled):
    filled.untag_labels("old")
    assert filled.count_label_tags() == {"b": 1}
    filled.untag_labels(["b", "never"], label_fields=["gt"])
    assert filled.count_label_tags() == {}
    assert filled.first().gt.tags == []


def test_a_view_tags_the_labels_that_it_shows(filled):
    filled.filter_labels("boxes", F("label") == "cat").tag_labels("cats", "boxes")
    assert filled.values("boxes.detections.label") == [["cat", "dog"], ["cat"], None]
    assert filled.match_tags("old").count_label_tags() == {}
    assert [[label.tags for label in s.boxes.detections] for s in filled.limit(2)] == [[["cats"], ["old"]], [["cats"]]]
    filled.filter_labels("gt", F("label") == "cow").untag_labels("old")
    assert filled.first().gt.tags == ["old", "b"]
    filled.exclude_fields("boxes").untag_labels("cats")
    assert filled.count_label_tags("boxes")["cats"] == 2


def test_what_is_no_tag_or_no_label_field_is_refused(filled):
    before = contents(filled)
    with pytest.raises(SchemaError, match="Tags are text that is not empty"):
        filled.tag_labels("")
    with pytest.raises(ViewError, match="'n' holds no labels"):
        filled.tag_labels("x", "n")
    with pytest.raises(FieldNotFoundError, match="no field 'box' on dataset 'street'"):
        filled.tag_labels("x", ["gt", "box"])
    with pytest.raises(FieldNotFoundError, match="no field 'gt' on this view"):
        filled.exclude_fields("gt").untag_labels("old", "gt")
    assert contents(filled) == before


def test_each_change_of_labels_is_one_action_and_none_where_there_is_nothing(filled, database):
    def count() -> int:
        return database["actions"].count_documents({})

    before = count()
    filled.tag_labels("new")
    filled.delete_labels(tags="b")
    filled.split_labels("boxes", "cats", filter=F("label") == "cat")
    assert count() == before + 3
    filled.limit(0).tag_labels("x")
    filled.tag_labels("x", "lines")
    filled.delete_labels(tags="never")
    assert count() == before + 3


# --- delete ----------------------------------------------------------------------------------------------------------


def test_labels_are_deleted_by_id_tag_view_or_one_by_one(filled):
    cat, dog = filled.first().boxes.detections
    filled.delete_labels(ids=dog.id)
    assert filled.values("boxes.detections.label") == [["cat"], ["cat"], None]
    filled.delete_labels(tags=["old"])
    assert filled.values("gt.label") == [None, "cow", None]
    assert filled.first().gt is None
    filled.delete_labels(labels=[{"sample_id": filled.first().id, "field": "boxes", "label_id": cat.id}])
    assert filled.values("boxes.detections.label") == [[], ["cat"], None]
    filled.delete_labels(view=filled.limit(2), fields="boxes")
    assert filled.values("boxes.detections.label") == [[], [], None]
    filled.delete_labels(view=filled.view())
    assert filled.count("gt") == 0
    assert len(filled) == 3


def test_labels_are_deleted_only_from_named_fields_and_from_what_a_view_shows(filled):
    filled.delete_labels(tags="old", fields=["gt"])
    assert filled.values("boxes.detections.label") == [["cat", "dog"], ["cat"], None]
    filled.skip(1).delete_labels(ids=filled.values("boxes.detections.id", unwind=True))
    assert filled.values("boxes.detections.label") == [["cat", "dog"], [], None]


def test_labels_to_delete_must_be_named_in_one_way(filled):
    before = contents(filled)
    with pytest.raises(ViewError, match=r"was given nothing. Give one of labels, ids, tags and view"):
        filled.delete_labels()
    with pytest.raises(ViewError, match="was given ids and tags"):
        filled.delete_labels(ids="0" * 24, tags="old")
    other = sc.Dataset("other")
    for view in (other.view(), 5):
        with pytest.raises(ViewError, match="Give a view of dataset 'street'"):
            filled.delete_labels(view=view)
    with pytest.raises(ViewError, match="is for datasets"):
        filled.limit(1).delete_labels(view=filled.view())
    with pytest.raises(ViewError, match="'n' holds no labels"):
        filled.delete_labels(tags="old", fields="n")
    with pytest.raises(ViewError, match="no label id"):
        filled.delete_labels(ids="dog")
    assert contents(filled) == before


# --- split -----------------------------------------------------------------------------------------------------------


def test_labels_are_moved_to_a_field_of_their_own(filled):
    filled.add_dynamic_sample_fields()
    filled.split_labels("boxes", "cats", filter=F("label") == "cat")
    assert filled.values("boxes.detections.label") == [["dog"], [], None]
    assert filled.values("cats.detections.label") == [["cat"], ["cat"], None]
    assert filled.values("cats.detections.score") == [[0.5], [None], None]
    assert filled["/1.png"].cats.detections[0].emb.tolist() == [1, 1, 1]
    assert filled.last().cats is None
    filled["/1.png"].cats.detections[0].label = "lynx"
    filled.split_labels("boxes", "cats")
    assert filled.values("cats.detections.label") == [["cat", "dog"], ["cat"], None]


def test_a_view_moves_the_labels_that_it_shows(filled):
    filled.limit(1).filter_labels("boxes", F("label") == "cat").split_labels("boxes", "cats")
    assert filled.values("boxes.detections.label") == [["dog"], ["cat"], None]
    assert filled.values("cats.detections.label") == [["cat"], None, None]


def test_single_labels_are_moved_where_there_is_none(filled):
    filled.split_labels("gt", "animal", filter=F("label") == "cat")
    assert filled.values("gt.label") == [None, "cow", None]
    assert filled.values("animal.label") == ["cat", None, None]
    filled.split_labels("gt", "animal")
    assert filled.values("animal.label") == ["cat", "cow", None]
    filled.set_values("gt", [sc.Classification(label="hen"), None, None])
    before = contents(filled)
    with pytest.raises(FieldKindError, match="has a label in 'animal' already"):
        filled.split_labels("gt", "animal")
    assert contents(filled) == before


def test_labels_are_moved_only_to_fields_for_them(filled):
    before, schema = contents(filled), filled.get_field_schema()
    for target in ("gt", "n", "lines", "boxes"):
        with pytest.raises(FieldKindError, match=f"cannot be moved to '{target}'"):
            filled.split_labels("boxes", target)
    for target in ("a b", "a.b", ""):
        with pytest.raises(SchemaError, match="cannot name a field"):
            filled.split_labels("boxes", target)
    with pytest.raises(ViewError, match="'n' holds no labels"):
        filled.split_labels("n", "m")
    assert (contents(filled), filled.get_field_schema()) == (before, schema)
