"""set_field, map_labels, map_values and filter_field."""

import pytest

from saccade.dataset import schema
from saccade.dataset.errors import ExpressionError, FieldNotFoundError, SchemaError, ViewError
from saccade.dataset.expressions import VALUE, F
from saccade.dataset.stages import (
    ExcludeFields,
    FilterField,
    FilterLabels,
    Limit,
    MapLabels,
    MapValues,
    Match,
    SetField,
    SortBy,
)
from tests.stages.conftest import FIELDS, NAN

ABSENT = "absent"


@pytest.fixture
def column(run):
    """The values at a path of the documents that stages leave."""

    def at(value, keys):
        if isinstance(value, list):
            return [at(item, keys) for item in value]
        if not keys:
            return value
        return at(value[keys[0]], keys[1:]) if isinstance(value, dict) and keys[0] in value else ABSENT

    return lambda path, *stages: [at(document, path.split(".")) for document in run(*stages)]


# --- set_field ------------------------------------------------------------------------------------------------------


def test_a_field_shows_the_result_of_an_expression(column):
    assert column("n", SetField("n", F("n") * 2))[:4] == [1.0, None, 3.0, -2.0]
    assert column("s", SetField("s", F("truth.label"))) == ["cat", "dog", ABSENT, ABSENT, "cat", ABSENT]
    assert column("n", SetField("n", F("tags").length())) == [1, 2, 0, 2, 1, 3]
    assert column("n", SetField("n", 7)) == [7] * 6
    assert column("n", SetField("n", None)) == [None] * 6
    assert column("tags", SetField("tags", F("tags").append("x")))[:2] == [["a", "x"], ["a", "b", "x"]]


def test_an_attribute_of_each_label_is_set_from_that_label(column):
    labels = [["CAT", "DOG"], [], ABSENT, ["DOG"], ABSENT, ["CAT"]]
    assert column("found.detections.label", SetField("found.detections.label", F("label").upper())) == labels
    assert column("found.detections.label", SetField("found.detections[].label", F("label").upper())) == labels
    assert column("truth.label", SetField("truth.label", F("$s")))[:2] == ["b", "a"]
    bounded = SetField("found.detections.confidence", F("confidence").max(0.5))
    assert column("found.detections.confidence", bounded) == [[0.9, 0.5], [], ABSENT, [0.5], ABSENT, [0.5]]


def test_a_dollar_reaches_the_sample_from_within_a_label(column):
    assert column("found.detections.confidence", SetField("found.detections.confidence", F("$n"))) == [
        [0.5, 0.5],
        [],
        ABSENT,
        [-1.0],
        ABSENT,
        [0.5],
    ]


def test_an_expression_may_bind_names_of_its_own(column):
    spread = F("bounding_box").map(F() * F("$n")).reduce(VALUE + F(), 0.0)
    total = spread.let_in(spread + spread)
    assert column("found.detections.confidence", SetField("found.detections.confidence", total))[0] == [2.0, 2.0]
    same = (F("label") == F("$truth.label")) & (F("label").upper() == F("$truth.label").upper())
    shown = column("found.detections.confidence", SetField("found.detections.confidence", same.if_else(1.0, 0.0)))
    assert shown[0] == [1.0, 0.0]


def test_where_the_label_is_missing_nothing_is_put(run):
    documents = run(SetField("truth.label", "x"), SetField("found.detections.label", "y"), SetField("d.x", 1))
    assert [document.get("truth", ABSENT) for document in documents][2:4] == [None, ABSENT]
    assert [document.get("found", ABSENT) for document in documents][2::2] == [None, ABSENT]
    assert [document.get("d", ABSENT) for document in documents] == [ABSENT] * 3 + [{"x": 1}] * 3


def test_none_inside_a_label_leaves_the_attribute_out(run):
    documents = run(SetField("truth.label", None), SetField("found.detections.confidence", F("$s").strlen()))
    assert "label" not in documents[0]["truth"]
    assert "confidence" in documents[0]["found"]["detections"][0]
    assert documents[0]["found"]["detections"][0]["bounding_box"] == [0, 0, 1, 1]
    emptied = run(SetField("found.detections.confidence", F("$d.x").to_double()))
    assert "confidence" not in emptied[0]["found"]["detections"][0]


def test_an_attribute_may_be_new_and_later_stages_know_it(column, kept):
    stage = SetField("found.detections.is_sure", F("confidence") > 0.3)
    assert column("found.detections.is_sure", stage) == [[True, False], [], ABSENT, [False], ABSENT, [True]]
    assert kept(stage, FilterLabels("found", F("is_sure"))) == [0, 5]
    assert kept(SetField("found.count", F("$found.detections").length()), Match(F("found.count") > 1)) == [0]
    after = stage.schema_after(FIELDS)
    assert after.resolve("found.detections.is_sure").field == schema.BooleanField()
    assert SetField("truth.twice", F("$n") * 2).schema_after(FIELDS)["truth.twice"] == schema.FloatField()
    assert SetField("truth.words", F("label").split("a")).schema_after(FIELDS)["truth.words"] == schema.ListField(
        schema.StringField()
    )


def test_a_field_of_the_sample_must_exist():
    with pytest.raises(FieldNotFoundError, match="no field 'nope'"):
        SetField("nope", 1).validate(FIELDS)
    with pytest.raises(FieldNotFoundError, match="no field 'tr'"):
        SetField("tr.label", 1).validate(FIELDS)
    with pytest.raises(FieldNotFoundError, match="'lable'"):
        SetField("truth.label", F("lable")).validate(FIELDS)
    with pytest.raises(SchemaError, match="cannot name a field"):
        SetField("truth.a b", 1).validate(FIELDS)
    with pytest.raises(FieldNotFoundError, match="nothing inside"):
        SetField("n.x", 1).validate(FIELDS)


def test_what_tells_samples_apart_or_is_no_value_of_the_database_cannot_be_set():
    for field in ("id", "_id", "truth.id", "found.detections.id", "truth._cls"):
        with pytest.raises(ViewError, match="cannot be changed"):
            SetField(field, "a" * 24).validate(FIELDS)
    for field in ("v", "truth.logits", "found.detections.mask"):
        with pytest.raises(ViewError, match="cannot compute"):
            SetField(field, None).validate(FIELDS)
    for field in (3, "", "tags[]"):
        with pytest.raises(ViewError, match="Give the name of a field"):
            SetField(field, 1)
    with pytest.raises(ExpressionError, match="read_vectors"):
        SetField("n", F("v")).validate(FIELDS)


def test_a_value_of_another_kind_is_refused():
    for field, expr in (("n", F("s")), ("s", 3), ("tags", "a"), ("tags", F("tags").map(F().strlen())), ("truth", "x")):
        with pytest.raises(ViewError, match=f"into {field!r}"):
            SetField(field, expr).validate(FIELDS)


def test_a_value_of_unknown_kind_makes_the_field_one_of_unknown_kind(kept):
    stage = SetField("n", F("d.x"))
    assert stage.schema_after(FIELDS)["n"] == schema.Field()
    assert kept(stage, Match(F("n") > 1)) == [3]
    assert kept(stage, Match(F("n") + 1 == 3)) == [3]
    assert SetField("n", None).schema_after(FIELDS) == FIELDS
    assert SetField("n", F("n") * 2).schema_after(FIELDS) == FIELDS
    assert SetField("found.detections", F("detections").filter(F("label") == "cat")).schema_after(FIELDS) == FIELDS


def test_later_stages_see_what_is_shown(kept):
    assert kept(SetField("n", F("tags").length()), SortBy("n", reverse=True), Limit(2)) == [5, 1]
    assert kept(SetField("truth.label", F("label").upper()), Match(F("truth.label") == "CAT")) == [0, 4]


def test_labels_can_be_rebuilt_as_a_list(column):
    best = SetField("found.detections", F("detections").sort("confidence")[:1])
    assert column("found.detections.label", best) == [["dog"], [], ABSENT, ["dog"], ABSENT, ["cat"]]
    shouted = SetField("found.detections", F("detections").map(F().set_field("label", F("label").upper())))
    assert column("found.detections.label", shouted)[0] == ["CAT", "DOG"]


# --- map_labels -----------------------------------------------------------------------------------------------------


def test_labels_are_renamed(column):
    renamed = MapLabels("found", {"dog": "canine", "bird": "avian"})
    assert column("found.detections.label", renamed) == [
        ["cat", "canine"],
        [],
        ABSENT,
        ["canine"],
        ABSENT,
        ["cat"],
    ]
    single = column("truth.label", MapLabels("truth", {"cat": "feline"}))
    assert single == ["feline", "dog", ABSENT, ABSENT, "feline", ABSENT]
    assert column("truth.label", MapLabels("truth", {})) == ["cat", "dog", ABSENT, ABSENT, "cat", ABSENT]


def test_a_label_that_is_mapped_to_none_has_no_name(run):
    documents = run(MapLabels("truth", {"cat": None}))
    assert ["label" in documents[number]["truth"] for number in (0, 1, 4)] == [False, True, False]


def test_only_fields_whose_labels_have_names_can_be_mapped():
    with pytest.raises(ViewError, match="'n' holds no labels"):
        MapLabels("n", {"a": "b"}).validate(FIELDS)
    with pytest.raises(ViewError, match="Use 'found'"):
        MapLabels("found.detections", {"a": "b"}).validate(FIELDS)
    mask = FIELDS.with_field("mask", schema.EmbeddedDocumentField("Segmentation"))
    with pytest.raises(FieldNotFoundError, match="'label' on the Segmentation in 'mask'"):
        MapLabels("mask", {"a": "b"}).validate(mask)
    for wrong in ([("a", "b")], "cat", None):
        with pytest.raises(ViewError, match="Give a dict from old values"):
            MapLabels("found", wrong)


# --- map_values -----------------------------------------------------------------------------------------------------


def test_values_are_replaced_and_all_others_stay(column):
    assert column("s", MapValues("s", {"a": "A", "b": None}))[:3] == [None, "A", None]
    assert column("n", MapValues("n", {0.5: 5, -1: 1}))[:4] == [5, None, 1.5, 1]
    assert column("s", MapValues("s", {None: "none"})) == ["b", "a", "none", "c", "none", "a"]
    assert column("n", MapValues("n", {NAN: 0.0}))[0] == 0.5


def test_in_a_list_each_element_is_replaced(column):
    assert column("tags", MapValues("tags", {"a": "A"}))[:4] == [["A"], ["A", "b"], [], ["b", "c"]]


def test_attributes_of_labels_are_replaced(column, database):
    stage = MapValues("found.detections.label", {"dog": "canine"})
    assert column("found.detections.label", stage)[0] == ["cat", "canine"]
    database.samples.update_one({"filepath": "/3.png"}, {"$set": {"found.detections.0.tags": ["odd", "small"]}})
    assert column("found.detections.tags", MapValues("found.detections.tags", {"odd": "even"}))[3] == [
        ["even", "small"]
    ]


def test_keys_and_values_of_every_kind_are_kept(column):
    stage = MapValues("d.x", {2: "two", "text": [1, {"a": 2.5}], "a.b": True, "$x": None})
    assert column("d.x", stage)[3:5] == ["two", [1, {"a": 2.5}]]


def test_the_kind_of_a_mapped_field_is_known_only_if_all_values_share_it():
    assert MapValues("s", {"a": "b"}).schema_after(FIELDS) == FIELDS
    assert MapValues("s", {"a": None}).schema_after(FIELDS) == FIELDS
    assert MapValues("s", {"a": 1}).schema_after(FIELDS)["s"] == schema.Field()
    assert MapValues("tags", {"a": 1}).schema_after(FIELDS)["tags"] == schema.Field()


# --- filter_field ---------------------------------------------------------------------------------------------------


def test_values_that_do_not_meet_the_condition_become_none(column, kept):
    assert column("n", FilterField("n", F() > 0.5, only_matches=False))[:4] == [None, None, 1.5, None]
    assert kept(FilterField("n", F() > 0)) == [0, 2, 5]
    assert column("s", FilterField("s", F().is_in(["a", "b"]), only_matches=False)) == [
        "b", "a", ABSENT, None, None, "a",
    ]  # fmt: skip


def test_names_are_looked_up_in_the_value_and_a_dollar_in_the_sample(kept):
    assert kept(FilterField("truth", F("label") == "cat")) == [0, 4]
    assert kept(FilterField("n", F() < F("$tags").length())) == [0, 3, 5]
    assert kept(FilterField("tags", F().length() > 1)) == [1, 3, 5]
    assert kept(FilterField("d", F("x") == 2)) == [3]


def test_attributes_inside_labels_are_filtered_one_by_one(run, kept, column):
    sure = FilterField("found.detections.confidence", F() > 0.3, only_matches=False)
    assert column("found.detections.confidence", sure) == [[0.9, ABSENT], [], ABSENT, [ABSENT], ABSENT, [0.4]]
    assert kept(FilterField("found.detections.confidence", F() > 0.3)) == [0, 5]
    assert kept(FilterField("truth.label", F() == "dog")) == [1]


def test_what_every_sample_needs_cannot_be_filtered():
    for field in ("id", "filepath"):
        with pytest.raises(ViewError, match=r"every sample has|cannot be changed"):
            FilterField(field, F() == "x").validate(FIELDS)
    with pytest.raises(ViewError, match="cannot compute"):
        FilterField("v", F().exists()).validate(FIELDS)
    with pytest.raises(ViewError, match="no expression"):
        FilterField("n", True)
    with pytest.raises(FieldNotFoundError, match="no field 'nope'"):
        FilterField("nope", F() > 1).validate(FIELDS)
    with pytest.raises(FieldNotFoundError, match="no field 'n'"):
        FilterField("n", F() > 1).validate(ExcludeFields("n").schema_after(FIELDS))


# --- what a sample must not save ------------------------------------------------------------------------------------


def test_which_labels_and_lists_leave_changed_is_known():
    assert SetField("n", 1).filtered_lists(FIELDS) == ()
    assert SetField("tags", F("tags")).filtered_lists(FIELDS) == ("tags",)
    assert MapLabels("truth", {}).filtered_lists(FIELDS) == ()
    assert MapLabels("found", {}).filtered_lists(FIELDS) == ("found.detections",)
    assert SetField("found.detections.mood", 1).filtered_lists(FIELDS) == ("found.detections",)
    assert MapValues("found.detections.tags", {}).filtered_lists(FIELDS) == ("found.detections",)
    assert FilterField("truth", F().exists()).filtered_lists(FIELDS) == ("truth",)
    boxes = {"found.detections", "found.detections.bounding_box", "found"}
    assert set(FilterField("found", F().exists()).filtered_lists(FIELDS)) == boxes
