"""filter_labels and limit_labels."""

import pytest

from saccade.dataset.errors import FieldNotFoundError, ViewError
from saccade.dataset.expressions import F
from saccade.dataset.stages import FilterLabels, LimitLabels, label_field, label_fields
from tests.stages.conftest import FIELDS


def test_labels_that_do_not_hold_are_left_out_of_the_list(run):
    documents = run(FilterLabels("found", F("confidence") > 0.3))
    assert [[box["label"] for box in document["found"]["detections"]] for document in documents] == [["cat"], ["cat"]]
    assert documents[0]["found"]["_cls"] == "Detections"
    assert documents[0]["found"]["detections"][0]["bounding_box"] == [0, 0, 1, 1]


def test_samples_without_a_matching_label_stay_when_asked(run):
    documents = run(FilterLabels("found", F("label") == "dog", only_matches=False))
    kept = [document.get("found", "missing") for document in documents]
    assert [len(found["detections"]) if isinstance(found, dict) else found for found in kept] == [
        1,
        0,
        None,
        1,
        "missing",
        0,
    ]


def test_a_single_label_becomes_none(run, kept):
    assert kept(FilterLabels("truth", F("label") == "cat")) == [0, 4]
    documents = run(FilterLabels("truth", F("label") == "cat", only_matches=False))
    assert [(document["truth"] or {}).get("label") for document in documents] == ["cat", None, None, None, "cat", None]


def test_a_negation_does_not_invent_labels(kept):
    assert kept(FilterLabels("truth", ~(F("label") == "cat"))) == [1]
    assert kept(FilterLabels("found", ~(F("confidence") > 0.3))) == [0, 3]


def test_a_dollar_reaches_the_sample(kept):
    assert kept(FilterLabels("found", F("confidence") < F("$n"))) == [0, 5]
    assert kept(FilterLabels("found", F("label") == F("$truth.label"))) == [0]
    assert kept(FilterLabels("truth", F("label").is_in(F("$found.detections.label")))) == [0]


def test_filters_follow_each_other(run):
    documents = run(FilterLabels("found", F("label") == "cat"), FilterLabels("found", F("confidence") < 0.5))
    assert [document["filepath"] for document in documents] == ["/5.png"]


def test_a_field_without_labels_is_refused():
    condition = F("label") == "cat"
    for field, word in (("n", "FloatField"), ("metadata", "Metadata"), ("tags", "ListField"), ("d", "DictField")):
        with pytest.raises(ViewError, match=f"{field!r} holds no labels.*{word}"):
            FilterLabels(field, condition).validate(FIELDS)
    with pytest.raises(ViewError, match="Use 'found'"):
        FilterLabels("found.detections", condition).validate(FIELDS)
    with pytest.raises(FieldNotFoundError, match="Did you mean 'found'"):
        FilterLabels("foun", condition).validate(FIELDS)
    with pytest.raises(FieldNotFoundError, match="'labl'"):
        FilterLabels("found", F("labl") == "cat").validate(FIELDS)
    with pytest.raises(ViewError, match="no expression"):
        FilterLabels("found", {"label": "cat"})


def test_only_the_first_labels_are_left(run):
    def left(stage):
        return [
            [box["label"] for box in document["found"]["detections"]] if document.get("found") else None
            for document in run(stage)
        ]

    assert left(LimitLabels("found", 1)) == [["cat"], [], None, ["dog"], None, ["cat"]]
    assert left(LimitLabels("found", 5)) == [["cat", "dog"], [], None, ["dog"], None, ["cat"]]
    assert left(LimitLabels("found", 0)) == left(LimitLabels("found", -1)) == [[], [], None, [], None, []]
    assert "found" not in run(LimitLabels("found", 1))[4]
    assert run(LimitLabels("found", 1))[0]["found"]["_cls"] == "Detections"


def test_only_lists_of_labels_can_be_limited():
    with pytest.raises(ViewError, match="'truth', which holds a single Classification"):
        LimitLabels("truth", 1).validate(FIELDS)
    with pytest.raises(ViewError, match="'n' holds no labels"):
        LimitLabels("n", 1).validate(FIELDS)
    with pytest.raises(ViewError, match=r"limit is 1\.5"):
        LimitLabels("found", 1.5)


def test_which_labels_leave_in_part_is_known():
    assert FilterLabels("found", F("label") == "cat").filtered_lists(FIELDS) == ("found.detections",)
    assert FilterLabels("truth", F("label") == "cat").filtered_lists(FIELDS) == ("truth",)
    assert LimitLabels("found", 1).filtered_lists(FIELDS) == ("found.detections",)


def test_labels_are_found_by_their_field():
    assert label_field(FIELDS, "found").root_path == "found.detections"
    assert label_field(FIELDS, "truth").root_path == "truth"
    assert label_fields(FIELDS) == ["truth", "found"]
