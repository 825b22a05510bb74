"""Labels merged into another field, and values set on single labels."""

import pytest

import saccade as sc
from saccade.dataset.errors import FieldKindError, FieldNotFoundError, SchemaError, ViewError


@pytest.fixture
def labelled(dataset) -> sc.Dataset:
    """Boxes `p` on both samples and `q` on the first, single labels `c` on both and `d` on the first."""
    dataset.add_samples([
        sc.Sample("/1.png", p=boxes("x", "y"), q=boxes("z"), c=sc.Classification(label="in"),
                  d=sc.Classification(label="out")),
        sc.Sample("/2.png", p=boxes("w"), c=sc.Classification(label="in2")),
    ])  # fmt: skip
    return dataset


def boxes(*names: str) -> sc.Detections:
    return sc.Detections(detections=[sc.Detection(label=name) for name in names])


def test_merging_appends_the_labels_and_deletes_the_field(labelled):
    ids = labelled.values("p.detections.id")
    labelled.merge_labels("p", "q")
    assert labelled.values("q.detections.label") == [["z", "x", "y"], ["w"]]
    assert labelled.values("q.detections.id")[1] == ids[1]
    assert not labelled.has_field("p")
    stored = labelled.mongo([{"$match": {"p": {"$exists": True}}}])
    assert len(stored) == 0


def test_merging_into_a_new_field_moves_the_labels(labelled):
    labelled.merge_labels("p", "r")
    assert labelled.values("r.detections.label") == [["x", "y"], ["w"]]
    assert not labelled.has_field("p")


def test_merging_a_view_moves_what_it_shows_and_keeps_the_field(labelled):
    labelled.filter_labels("p", sc.F("label") != "y").merge_labels("p", "q")
    assert labelled.values("q.detections.label") == [["z", "x"], ["w"]]
    assert labelled.values("p.detections.label") == [["y"], []]


def test_labels_with_the_same_id_are_replaced_in_their_place(labelled):
    labelled.clone_sample_field("p", "p2")
    sample = labelled.first()
    sample.p2.detections[0].label = "changed"
    sample.save()
    labelled.merge_labels("p2", "p")
    assert labelled.values("p.detections.label") == [["changed", "y"], ["w"]]


def test_a_single_label_replaces_the_one_that_is_there(labelled):
    labelled.merge_labels("c", "d")
    assert labelled.values("d.label") == ["in", "in2"]
    assert not labelled.has_field("c")


def test_a_field_without_labels_is_deleted_too(dataset):
    dataset.add_sample_field("p", sc.EmbeddedDocumentField, embedded_doc_type=sc.Detections)
    dataset.add_sample(sc.Sample("/1.png", p=sc.Detections()))
    dataset.merge_labels("p", "q")
    assert not dataset.has_field("p")
    assert dataset.has_field("q")


def test_merging_what_does_not_fit_changes_nothing(labelled):
    before = labelled.to_dict()
    with pytest.raises(FieldKindError, match="cannot be moved to 'd'"):
        labelled.merge_labels("p", "d")
    with pytest.raises(FieldNotFoundError, match="no field 'pp'"):
        labelled.merge_labels("pp", "q")
    with pytest.raises(ViewError):
        labelled.merge_labels("tags", "q")
    assert labelled.to_dict() == before


# --- values of single labels ----------------------------------------------------------------------------------------


def test_values_are_set_by_the_ids_of_labels(labelled):
    x, y, w = labelled.values("p.detections.id", unwind=True)
    labelled.set_label_values("p.detections.rank", {x: 5, w: 7})
    assert labelled.values("p.detections.rank") == [[5, None], [7]]
    assert str(labelled.get_field("p.detections.rank")) == "IntField"
    labelled.set_label_values("p.detections.rank", [{"sample_id": "any", "label_id": y, "value": 1.5}])
    assert labelled.values("p.detections.rank") == [[5, 1.5], [7]]
    labelled.set_label_values("p.detections.label", {y: "Y"})
    assert labelled.values("p.detections.label") == [["x", "Y"], ["w"]]


def test_values_are_set_on_single_labels(labelled):
    labelled.set_label_values("c.confidence", {labelled.last().c.id: 0.25})
    assert labelled.values("c.confidence") == [None, 0.25]


def test_none_removes_a_value_unless_it_is_skipped(labelled):
    x, y, w = labelled.values("p.detections.id", unwind=True)
    labelled.set_label_values("p.detections.rank", {x: 5, y: 6, w: 7})
    labelled.set_label_values("p.detections.rank", {x: None, y: 8}, skip_none=True)
    assert labelled.values("p.detections.rank") == [[5, 8], [7]]
    labelled.set_label_values("p.detections.rank", {x: None})
    assert labelled.values("p.detections.rank") == [[None, 8], [7]]


@pytest.mark.parametrize(
    ("path", "value", "message", "options"),
    [
        ("p.detections.label", 5, "'p.detections.label'", {}),
        ("p.detections.new", 5, "no field", {"dynamic": False}),
        ("p.detections.id", "x", "says which label it is", {}),
        ("p.detections", 5, "names no attribute of labels. Labels lie at: p.detections, q.detections, c, d", {}),
        ("nope.label", "x", "no field 'nope.label'", {}),
    ],
)
def test_what_cannot_be_set_is_refused_and_nothing_is_written(labelled, path, value, message, options):
    before = labelled.to_dict()
    with pytest.raises((SchemaError, ViewError), match=message):
        labelled.set_label_values(path, {labelled.first().p.detections[0].id: value}, **options)
    assert labelled.to_dict() == before


def test_ids_of_other_labels_are_refused_and_nothing_is_written(labelled):
    (x, y), (w,) = labelled.values("p.detections.id")
    other = labelled.first().q.detections[0].id
    for ids in ([x, other], [x, "f" * 24], [x, "no id"]):
        with pytest.raises(SchemaError, match=rf"1 of 2 ids are those of no label in 'p' .*{ids[1]}.* Nothing was"):
            labelled.set_label_values("p.detections.rank", dict.fromkeys(ids, 1))
    with pytest.raises(SchemaError, match="of no label"):
        labelled.limit(1).set_label_values("p.detections.rank", {w: 1})
    with pytest.raises(SchemaError, match="Give a dict from ids of labels to values"):
        labelled.set_label_values("p.detections.rank", [5, 6])
    assert not labelled.has_field("p.detections.rank")
    labelled.set_label_values("p.detections.rank", {})
    assert y in labelled.values("p.detections.id")[0]
