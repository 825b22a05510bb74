"""match_labels, select_labels and exclude_labels."""

from types import SimpleNamespace

import pytest

from saccade.dataset.errors import FieldNotFoundError, ViewError
from saccade.dataset.expressions import F
from saccade.dataset.stages import ExcludeFields, ExcludeLabels, MatchLabels, SelectFields, SelectLabels
from tests.stages.conftest import FIELDS, box, found, sample_id, truth

FELINE, CANINE, LONE = sample_id(501), sample_id(502), sample_id(503)
SAMPLES = [
    {"found": found(box("cat", 0.9) | {"_id": FELINE, "tags": ["good"]}, box("dog", 0.2) | {"_id": CANINE})},
    {"found": found(box("dog", 0.8) | {"_id": sample_id(504), "tags": ["bad", "small"]}), "truth": truth("dog")},
    {"found": found(), "truth": truth("cat") | {"_id": LONE, "tags": ["good"]}},
    {"found": None, "truth": None},
    {},
]


@pytest.fixture
def view(run, database):
    """What stages leave of five samples: the number of each, the labels found and the true one."""
    database.samples.delete_many({})
    database.samples.insert_many(
        to_documents([{"_id": sample_id(number), "tags": [], **sample} for number, sample in enumerate(SAMPLES)])
    )

    def shown(*stages):
        return [
            (
                int(str(document["_id"]), 16),
                [label["label"] for label in (document.get("found") or {}).get("detections", [])],
                (document.get("truth") or {}).get("label"),
            )
            for document in run(*stages)
        ]

    return shown


def to_documents(values):
    from saccade.dataset.store.codec import to_bson_query

    return to_bson_query(values)


@pytest.fixture
def kept(view):
    return lambda *stages: [number for number, _, _ in view(*stages)]


# --- match_labels ---------------------------------------------------------------------------------------------------


def test_samples_are_matched_by_ids_of_labels_in_any_field(kept):
    assert kept(MatchLabels(ids=FELINE)) == [0]
    assert kept(MatchLabels(ids=[CANINE, LONE, "f" * 24])) == [0, 2]
    assert kept(MatchLabels(ids=SimpleNamespace(id=str(LONE)))) == [2]
    assert kept(MatchLabels(ids=[])) == []


def test_samples_are_matched_by_tags_of_labels(kept):
    assert kept(MatchLabels(tags="good")) == [0, 2]
    assert kept(MatchLabels(tags=["small", "good"])) == [0, 1, 2]
    assert kept(MatchLabels(tags="good", fields="truth")) == [2]
    assert kept(MatchLabels(tags=[])) == []


def test_samples_are_matched_by_a_condition_on_labels(kept):
    assert kept(MatchLabels(filter=F("label") == "cat")) == [0, 2]
    assert kept(MatchLabels(filter=F("label") == "cat", fields=["found"])) == [0]
    assert kept(MatchLabels(filter=F("label") == F("$truth.label"), fields="found")) == [1]
    assert kept(MatchLabels(filter=~(F("confidence") > 0.5))) == [0, 1, 2]


def test_one_label_must_meet_every_criterion(kept):
    assert kept(MatchLabels(ids=[FELINE, CANINE], tags="good")) == [0]
    assert kept(MatchLabels(ids=CANINE, tags="good")) == []
    assert kept(MatchLabels(tags="good", filter=F("label") == "dog")) == []
    assert kept(MatchLabels(ids=FELINE, tags="good", filter=F("confidence") > 0.5)) == [0]


def test_single_labels_are_named_by_sample_field_and_id(kept):
    chosen = [
        {"sample_id": sample_id(0), "field": "found", "label_id": FELINE},
        {"sample_id": sample_id(2), "field": "truth", "label_id": LONE},
    ]
    assert kept(MatchLabels(labels=chosen)) == [0, 2]
    assert kept(MatchLabels(labels=chosen, fields="truth")) == [2]
    assert kept(MatchLabels(labels=chosen, tags="good", filter=F("label") == "cat")) == [0, 2]
    assert kept(MatchLabels(labels=chosen, ids=[LONE])) == [2]
    moved = {"sample_id": sample_id(1), "field": "found", "label_id": FELINE}
    assert kept(MatchLabels(labels=[moved])) == []
    assert kept(MatchLabels(labels=[])) == []


def test_bool_false_keeps_the_other_samples(kept):
    assert kept(MatchLabels(ids=FELINE, bool=False)) == [1, 2, 3, 4]
    assert kept(MatchLabels(tags="good", bool=False)) == [1, 3, 4]
    assert kept(MatchLabels(filter=F("label") == "dog", bool=False)) == [2, 3, 4]
    assert kept(MatchLabels(filter=F("label") == "dog", bool=True)) == [0, 1]


def test_without_criteria_no_label_is_meant(kept):
    assert kept(MatchLabels()) == []
    assert kept(MatchLabels(bool=False)) == [0, 1, 2, 3, 4]


def test_matching_labels_leaves_them_as_they_are(view):
    assert view(MatchLabels(tags="small")) == [(1, ["dog"], "dog")]
    assert view(MatchLabels(ids=FELINE)) == [(0, ["cat", "dog"], None)]


def test_fields_whose_labels_lack_the_attribute_are_passed_over_unless_named(kept):
    assert kept(MatchLabels(filter=F("bounding_box")[2] >= 1)) == [0, 1]
    with pytest.raises(FieldNotFoundError, match=r"'bounding_box' on the Classification in 'truth'"):
        MatchLabels(filter=F("bounding_box")[2] >= 1, fields=["found", "truth"]).validate(FIELDS)
    with pytest.raises(FieldNotFoundError, match="'confidenc'"):
        MatchLabels(filter=F("confidenc") > 1).validate(FIELDS)


# --- select_labels --------------------------------------------------------------------------------------------------


def test_only_the_selected_labels_are_left(view):
    assert view(SelectLabels(ids=[CANINE, LONE])) == [(0, ["dog"], None), (2, [], "cat")]
    assert view(SelectLabels(tags="good")) == [(0, ["cat"], None), (2, [], "cat")]
    assert view(SelectLabels(ids=FELINE, tags="bad")) == []
    named = {"sample_id": sample_id(0), "field": "found", "label_id": CANINE}
    assert view(SelectLabels(labels=[named])) == [(0, ["dog"], None)]
    assert view(SelectLabels(labels=[named], tags="good")) == []


def test_labels_of_other_fields_are_left_out(view):
    assert view(SelectLabels(fields="found")) == [(0, ["cat", "dog"], None), (1, ["dog"], None)]
    assert view(SelectLabels(tags=["bad", "good"], fields="found")) == [(0, ["cat"], None), (1, ["dog"], None)]
    assert view(SelectLabels(fields="truth")) == [(1, [], "dog"), (2, [], "cat")]


def test_samples_without_a_selected_label_stay_when_asked(view):
    assert view(SelectLabels(tags="small", omit_empty=False)) == [
        (0, [], None),
        (1, ["dog"], None),
        (2, [], None),
        (3, [], None),
        (4, [], None),
    ]


def test_without_criteria_all_labels_are_selected(view):
    assert view(SelectLabels()) == [(0, ["cat", "dog"], None), (1, ["dog"], "dog"), (2, [], "cat")]
    assert len(view(SelectLabels(omit_empty=False))) == 5


def test_a_sample_without_the_field_gets_none_by_selecting(run, view):
    assert "found" not in run(SelectLabels(ids=FELINE, fields="found", omit_empty=False))[4]


# --- exclude_labels -------------------------------------------------------------------------------------------------


def test_labels_that_meet_every_criterion_are_left_out(view):
    assert view(ExcludeLabels(ids=[FELINE, LONE])) == [(0, ["dog"], None), (1, ["dog"], "dog")]
    assert view(ExcludeLabels(tags="good")) == [(0, ["dog"], None), (1, ["dog"], "dog")]
    assert view(ExcludeLabels(ids=FELINE, tags="bad"))[0] == (0, ["cat", "dog"], None)
    assert view(ExcludeLabels(ids=[FELINE, CANINE], tags="good"))[0] == (0, ["dog"], None)
    named = {"sample_id": sample_id(1), "field": "truth", "label_id": sample_id(901)}
    assert view(ExcludeLabels(labels=[named]))[1] == (1, ["dog"], None)


def test_labels_are_left_out_of_the_named_fields_only(view):
    assert view(ExcludeLabels(tags="good", fields="found")) == [
        (0, ["dog"], None),
        (1, ["dog"], "dog"),
        (2, [], "cat"),
    ]


def test_samples_without_a_label_left_stay_when_asked(view):
    assert [number for number, *_ in view(ExcludeLabels(tags="good", omit_empty=False))] == [0, 1, 2, 3, 4]
    assert view(ExcludeLabels(tags="good", omit_empty=False))[2] == (2, [], None)
    assert [number for number, *_ in view(ExcludeLabels())] == [0, 1, 2]


# --- together -------------------------------------------------------------------------------------------------------


def test_where_there_are_no_labels_none_is_found(kept):
    assert kept(SelectFields(), MatchLabels(tags="good")) == []
    assert kept(SelectFields(), SelectLabels()) == []
    assert kept(SelectFields(), ExcludeLabels()) == []
    assert kept(SelectFields(), MatchLabels(filter=F("label") == "cat", bool=False)) == [0, 1, 2, 3, 4]
    assert kept(ExcludeFields("truth"), MatchLabels(tags="good")) == [0]


@pytest.mark.parametrize("stage", [MatchLabels, SelectLabels, ExcludeLabels])
def test_what_is_no_criterion_is_refused(stage):
    with pytest.raises(ViewError, match="no label id"):
        stage(ids="cat")
    with pytest.raises(ViewError, match="3 is not a tag"):
        stage(tags=3)
    for wrong in ("found", [{"field": "found"}], [("a", "found")], {"field": "found"}, 3):
        with pytest.raises(ViewError, match=r"label_id|no sample id"):
            stage(labels=wrong)
    with pytest.raises(ViewError, match="'n' holds no labels"):
        stage(tags="a", fields="n").validate(FIELDS)
    with pytest.raises(ViewError, match="Use 'found'"):
        stage(tags="a", fields="found.detections").validate(FIELDS)
    with pytest.raises(FieldNotFoundError, match="Did you mean 'found'"):
        stage(tags="a", fields=["truth", "foun"]).validate(FIELDS)
    with pytest.raises(ViewError, match="no expression"):
        MatchLabels(filter={"label": "cat"})


def test_which_labels_leave_in_part_is_known():
    assert SelectLabels(tags="a").filtered_lists(FIELDS) == ("truth", "found.detections")
    assert SelectLabels(tags="a", fields="truth").filtered_lists(FIELDS) == ("truth", "found.detections")
    assert SelectLabels(fields="found").filtered_lists(FIELDS) == ("truth",)
    assert ExcludeLabels(tags="a", fields="found").filtered_lists(FIELDS) == ("found.detections",)
    assert ExcludeLabels().filtered_lists(FIELDS) == ()
    assert MatchLabels(tags="a").filtered_lists(FIELDS) == ()
