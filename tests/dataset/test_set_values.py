"""Values for many samples at once: lists, dicts, keys, nested paths; and that a refused call writes nothing."""

import math
from datetime import date

import numpy as np
import pytest

import saccade as sc
from saccade.dataset import columns
from saccade.dataset.errors import FieldKindError, FieldNotFoundError, SchemaError

F = sc.F


def boxes(*labels: str) -> sc.Detections:
    return sc.Detections(detections=[sc.Detection(label=label, bounding_box=[0, 0, 0.5, 0.5]) for label in labels])


@pytest.fixture
def filled(dataset) -> sc.Dataset:
    """Four samples: with two boxes, with one, with an empty list and with none."""
    dataset.add_samples(
        [
            sc.Sample(
                "/0.png", n=0, key="a", gt=sc.Classification(label="cat"), pred=boxes("car", "bus"), facts={"x": 1}
            ),
            sc.Sample("/1.png", n=1, key="b", gt=sc.Classification(label="dog"), pred=boxes("car")),
            sc.Sample("/2.png", n=2, key="a", pred=boxes()),
            sc.Sample("/3.png", n=3),
        ]
    )
    return dataset


def state(dataset: sc.Dataset):
    fresh = sc.load_dataset(dataset.name)
    return fresh.get_field_schema(flat=True), [sample.to_dict() for sample in fresh]


# --- one per sample -------------------------------------------------------------------------------------------------


def test_a_list_is_written_in_the_order_of_the_samples(filled):
    filled.set_values("score", [0.5, 0.25, None, 1])
    assert filled.values("score") == [0.5, 0.25, None, 1]
    assert filled.get_field_schema()["score"] == sc.FloatField()
    assert [type(value) for value in filled.values("score")] == [float, float, type(None), float]


@pytest.mark.parametrize(
    "values",
    [
        ["cat", "dog", None] * 100,
        [str(number) for number in range(300)],
        [True, False, False] * 100,
        [3, -1, 2**40] * 100,
        [float(number % 2) for number in range(300)],
        [[number % 2] for number in range(300)],
    ],
)
def test_what_many_samples_share_and_what_each_has_alone_is_written_alike(dataset, values):
    dataset.add_samples([sc.Sample(f"/{number}.png") for number in range(300)])
    dataset.set_values("new", values)
    assert dataset.values("new") == values
    dataset.set_values("new", values[::-1])
    assert dataset.values("new") == values[::-1]


def test_values_that_are_equal_but_of_different_types_are_not_taken_for_the_same(dataset):
    dataset.add_samples([sc.Sample(f"/{number}.png", facts={}) for number in range(300)])
    values = [1, True, "1"] * 100
    dataset.set_values("facts.x", values)
    assert [type(value) for value in dataset.values("facts.x")] == [int, bool, str] * 100


def test_large_values_are_sent_in_messages_that_the_server_takes(dataset):
    dataset.add_samples([sc.Sample(f"/{number}.png") for number in range(5)])
    values = [chr(97 + number) * 6_000_000 for number in range(5)]
    dataset.set_values("long", values)
    assert dataset.values("long") == values


def test_a_view_is_written_in_its_own_order(filled):
    filled.sort_by("n", reverse=True).limit(2).set_values("score", ["three", "two"])
    assert filled.values("score") == [None, None, "two", "three"]


@pytest.mark.parametrize(
    "values",
    [
        np.array([1.5, 2.5, 3.5, 4.5], dtype=np.float32), (1.5, 2.5, 3.5, 4.5), range(4), np.arange(4), list("abcd"),
        [True, False, True, None], [date(2024, 5, day) for day in (1, 2, 3, 4)], [[1], [2, 3], [], None],
        [{"x": 1}, {}, None, {"y": [1]}],
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_every_kind_of_column_can_be_written(filled, values):
    filled.set_values("new", values)
    assert filled.values("new") == list(values)


def test_generators_are_columns_too(filled):
    filled.set_values("new", (n * n for n in range(4)))
    assert filled.values("new") == [0, 1, 4, 9]


def test_labels_can_be_written(filled):
    filled.set_values("other", [sc.Classification(label=label, confidence=0.5) for label in "wxyz"])
    assert filled.get_field_schema()["other"] == sc.EmbeddedDocumentField(sc.Classification)
    assert filled.values("other.label") == list("wxyz")
    filled.set_values("pred", [None, boxes("tram"), None, boxes("bike", "bike")])
    assert filled.values("pred.detections.label") == [None, ["tram"], None, ["bike", "bike"]]


def test_default_fields_can_be_written(filled, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    filled.set_values("tags", [["x"], [], ["y", "z"], ["x"]])
    filled.set_values("metadata", [sc.ImageMetadata(width=n) for n in range(4)])
    filled.set_values("filepath", ["a.png", "/b.png", "s3://bucket/c.png", "/d.png"])
    assert filled.count_sample_tags() == {"x": 2, "y": 1, "z": 1}
    assert filled.values("metadata.width") == [0, 1, 2, 3]
    assert filled.values("filepath") == [str(tmp_path / "a.png"), "/b.png", "s3://bucket/c.png", "/d.png"]


def test_what_was_written_is_read_by_samples(filled):
    sample = filled.first()
    filled.set_values("score", [0.5] * 4)
    assert filled.first().score == 0.5
    sample.reload()
    assert sample.score == 0.5


def test_writing_nothing_is_nothing(filled):
    before = state(filled)
    filled.match(F("n") > 100).set_values("score", [])
    filled.set_values("score", {})
    assert state(filled) == before


# --- by key ---------------------------------------------------------------------------------------------------------


def test_a_dict_is_written_by_id(filled):
    ids = filled.values("id")
    filled.set_values("score", {ids[3]: 3, ids[1]: 1})
    assert filled.values("score") == [None, 1, None, 3]


def test_a_dict_is_written_by_the_values_of_a_key_field(filled):
    filled.set_values("score", {"a": 1.5, "b": 2.5}, key_field="key")
    assert filled.values("score") == [1.5, 2.5, 1.5, None]
    filled.set_values("score", {0: 7}, key_field="n")
    filled.set_values("score", {"/3.png": 8}, key_field="filepath")
    assert filled.values("score") == [7, 2.5, 1.5, 8]
    filled.set_values("score", {"dog": 9}, key_field="gt.label")
    assert filled.values("score") == [7, 9, 1.5, 8]
    filled.set_values("score", {filled.first().id: 0}, key_field="id")
    assert filled.values("score")[0] == 0


def test_keys_that_no_sample_has_are_refused(filled):
    before = state(filled)
    with pytest.raises(SchemaError, match="2 of 3 keys are the 'key' value of no sample in dataset 'street': 'x', 'y'"):
        filled.set_values("score", {"a": 1, "x": 2, "y": 3}, key_field="key")
    with pytest.raises(SchemaError, match="1 of 1 keys are the id of no sample in this view"):
        filled.match(F("n") > 0).set_values("score", {filled.first().id: 1})
    with pytest.raises(FieldNotFoundError, match="no field 'kee'"):
        filled.set_values("score", {"a": 1}, key_field="kee")
    with pytest.raises(SchemaError, match="key_field='key' needs a dict"):
        filled.set_values("score", [1, 2, 3, 4], key_field="key")
    assert state(filled) == before


# --- nested ---------------------------------------------------------------------------------------------------------


def test_an_attribute_of_a_label_is_written(filled):
    filled.set_values("gt.confidence", [0.5, None, None, None])
    assert filled.values("gt.confidence") == [0.5, None, None, None]
    assert filled.values("gt.label") == ["cat", "dog", None, None]


def test_a_new_attribute_of_a_label_is_declared(filled):
    filled.match(F("gt") != None).set_values("gt.mood", ["calm", "wild"])  # noqa: E711  # an expression
    assert filled.get_field_schema(flat=True)["gt.mood"] == sc.StringField()
    assert filled.values("gt.mood") == ["calm", "wild", None, None]
    assert filled.first().gt.mood == "calm"


def test_an_attribute_inside_a_list_of_labels_is_written(filled):
    filled.set_values("pred.detections.confidence", [[0.5, 1], [None], [], None])
    assert filled.values("pred.detections.confidence") == [[0.5, 1.0], [None], [], None]
    assert filled.values("pred.detections.label") == [["car", "bus"], ["car"], [], None]
    filled.set_values("pred.detections.mood", [["calm", "wild"], ["calm"], None, None])
    assert filled.values("pred.detections.mood") == [["calm", "wild"], ["calm"], [], None]
    assert filled.get_field_schema(flat=True)["pred.detections.mood"] == sc.StringField()
    filled.set_values("pred.detections.mood", [[None, "wild"], None, None, None])
    assert filled.values("pred.detections.mood") == [[None, "wild"], ["calm"], [], None]


def test_the_elements_of_a_list_of_labels_are_written(filled):
    filled.set_values("pred.detections", [[sc.Detection(label="tram")], [], [sc.Detection(label="bike")], None])
    assert filled.values("pred.detections.label") == [["tram"], [], ["bike"], None]


def test_values_in_a_dict_are_written(filled):
    filled.set_values("facts.y", [1, 2, 3, None])
    assert filled.values("facts") == [{"x": 1, "y": 1}, {"y": 2}, {"y": 3}, {"y": None}]
    filled.set_values("fresh.deep.rank", [1, 2, 3, 4])
    assert filled.get_field_schema()["fresh"] == sc.DictField()
    assert filled.values("fresh.deep.rank") == [1, 2, 3, 4]


def test_without_a_label_an_attribute_cannot_be_written(filled):
    before = state(filled)
    with pytest.raises(FieldKindError, match=r"has no 'gt', so 'gt\.confidence' cannot be set on it\. Pass None"):
        filled.set_values("gt.confidence", [0.5, 0.5, 0.5, None])
    assert state(filled) == before


def test_as_many_values_as_labels_are_expected(filled):
    before = state(filled)
    first = filled.first().id
    with pytest.raises(SchemaError, match=f"sample {first} has 2 labels in 'pred.detections', but was given 3 values"):
        filled.set_values("pred.detections.confidence", [[1, 1, 1], [1], [], None])
    with pytest.raises(SchemaError, match="has 0 labels"):
        filled.set_values("pred.detections.confidence", [[1, 1], [1], [], [1]])
    with pytest.raises(SchemaError, match="each sample needs a list of values; got 5"):
        filled.set_values("pred.detections.confidence", [5, [1], [], None])
    assert state(filled) == before


@pytest.mark.parametrize("path", ["id", "gt.id", "gt._id", "pred.detections.id", "pred.detections._id", "gt._cls"])
def test_ids_cannot_be_written(filled, path):
    before = state(filled)
    with pytest.raises(SchemaError):
        filled.set_values(path, [None, ["a" * 24], [], None] if "detections" in path else ["a" * 24] * 4)
    assert state(filled) == before


# --- refused --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("values", [[], [1, 2, 3], [1, 2, 3, 4, 5], np.arange(3)])
def test_one_value_per_sample_is_expected(filled, values):
    before = state(filled)
    with pytest.raises(SchemaError, match=f"was given {len(values)} values for the 4 samples of dataset 'street'"):
        filled.set_values("score", values)
    assert state(filled) == before


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("n", [1, 2, "three", 4]),
        ("n", [1, 2, True, 4]),
        ("key", ["a", "b", 3, "d"]),
        ("gt", [sc.Classification(), None, sc.Detection(), None]),
        ("gt.label", ["a", 5, None, None]),
        ("gt.confidence", [0.5, "high", None, None]),
        ("pred.detections.confidence", [[0.5, "high"], [1], [], None]),
        ("pred.detections.bounding_box", [[[0, 0, 1, 1], [0, 0, 1]], [[0, 0, 1, 1]], [], None]),
        ("facts", [{}, {}, 5, None]),
        ("tags", [["a"], "b", [], []]),
        ("tags", [["a"], [""], [], []]),
        ("filepath", ["/a.png", None, "/c.png", "/d.png"]),
        ("filepath", ["/a.png", "", "/c.png", "/d.png"]),
        ("new", [1, "two", 3, 4]),
        ("new", [object()] * 4),
        ("new", [{"a.b": 1}] * 4),
        ("n", [1, 2, 2**63, 4]),
        ("n.deep", [1, 2, 3, 4]),
        ("key.deep", ["a"] * 4),
        ("a b", [1, 2, 3, 4]),
        ("_x", [1, 2, 3, 4]),
        ("save", [1, 2, 3, 4]),
        ("new", [None] * 4),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_refused_call_writes_nothing(filled, field, values):
    before = state(filled)
    with pytest.raises(SchemaError):
        filled.set_values(field, values)
    assert state(filled) == before


def test_the_sample_with_the_bad_value_is_named(filled):
    with pytest.raises(FieldKindError, match=f"'key' on sample {filled.values('id')[2]}: expected text; got 3"):
        filled.set_values("key", ["a", "b", 3, "d"])


def test_expand_schema_false_refuses_new_fields(filled):
    before = state(filled)
    with pytest.raises(FieldNotFoundError, match="Did you mean 'key'"):
        filled.set_values("kee", [1, 2, 3, 4], expand_schema=False)
    with pytest.raises(FieldNotFoundError, match="no field 'mood'"):
        filled.set_values("gt.mood", ["calm", "calm", None, None], dynamic=False)
    assert state(filled) == before
    filled.set_values("key", ["x"] * 4, expand_schema=False)
    assert filled.values("key") == ["x"] * 4


def test_skip_none_leaves_samples_as_they_are(filled):
    filled.set_values("n", [None, 10, None, 30], skip_none=True)
    assert filled.values("n") == [0, 10, 2, 30]
    filled.set_values("n", [None, 10, None, 30])
    assert filled.values("n") == [None, 10, None, 30]


def test_integers_widen_to_floats_once(filled):
    filled.set_values("n", [0, 1.5, 2, 3])
    assert filled.get_field_schema()["n"] == sc.FloatField()
    assert filled.values("n") == [0.0, 1.5, 2.0, 3.0]
    filled.set_values("n", [1, 2, 3, 4])
    assert filled.get_field_schema()["n"] == sc.FloatField()
    assert {type(value) for value in filled.values("n")} == {float}


def test_none_clears_a_value_and_the_field_no_longer_exists_there(filled):
    filled.set_values("n", [None, 1, None, 3])
    assert filled.exists("n").values("n") == [1, 3]
    assert filled.first().n is None


def test_progress_is_reported(filled):
    told = []
    filled.set_values("score", [1, 2, 3, 4], progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (4, 4)


# --- scores ---------------------------------------------------------------------------------------------------------


def test_scores_are_written_by_id_in_one_action(filled):
    ids = filled.values("id")
    columns.write_scalars(filled, {"score": np.array([0.5, 0.25], dtype=np.float32), "rank": [1, None]}, ids[1:3])
    assert filled.values(["score", "rank"]) == [[None, 0.5, 0.25, None], [None, 1, None, None]]
    columns.write_scalars(filled, {"selections.one.rank": [1, 2]}, ids[:2])
    columns.write_scalars(filled, {"selections.two.rank": [3]}, ids[:1])
    assert filled.values("selections")[:3] == [{"one": {"rank": 1}, "two": {"rank": 3}}, {"one": {"rank": 2}}, None]
    assert filled.get_field_schema()["selections"] == sc.DictField()


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf, np.float32("nan"), np.float64("inf")])
@pytest.mark.parametrize("as_array", [True, False])
def test_nan_and_infinity_are_no_scores(filled, wrong, as_array):
    before, ids = state(filled), filled.values("id")
    values = [0.5, wrong, 0.5, 0.5]
    with pytest.raises(FieldKindError, match=rf"would be -?(nan|inf) on sample {ids[1]}; a score must be finite"):
        columns.write_scalars(filled, {"other": [1] * 4, "score": np.array(values) if as_array else values}, ids)
    assert state(filled) == before


def test_nan_may_stand_in_a_field_that_is_no_score(filled):
    filled.set_values("loss", [0.5, math.nan, math.inf, None])
    assert math.isnan(filled.values("loss")[1])
    assert filled.bounds("loss") == (0.5, math.inf)


def test_scores_of_the_wrong_length_kind_or_place_are_refused(filled):
    before, ids = state(filled), filled.values("id")
    for column, message in (
        ({"score": [1, 2, 3]}, "3 values for 4 samples"),
        ({"score": np.ones((4, 2))}, r"shape \(4, 2\); expected \(4,\)"),
        ({"key": [1, 2, 3, 4]}, "'key' is of kind StringField"),
        ({"score": [None] * 4}, "has no value on any sample"),
        ({"score": [1, "two", 3, 4]}, "cannot take values"),
        ({"gt.score": [1, 2, 3, 4]}, "gt"),
        ({"n.score": [1, 2, 3, 4]}, "'n"),
        ({"a b": [1, 2, 3, 4]}, "cannot name a field"),
        ({"filepath": [1, 2, 3, 4]}, "filepath"),
    ):
        with pytest.raises(SchemaError, match=message):
            columns.write_scalars(filled, column, ids)
    assert state(filled) == before


def test_scores_of_samples_that_are_gone_are_passed_over(filled):
    ids = filled.values("id")
    filled.delete_samples(ids[0])
    columns.write_scalars(filled, {"score": [0, 1, 2, 3]}, ids)
    assert filled.values("score") == [1, 2, 3]


def test_read_scalars_reads_several_fields_in_one_pass(filled):
    ids, found = columns.read_scalars(filled, ["n", "gt.label", "id", "key"])
    assert ids == filled.values("id") == found["id"]
    assert found["n"] == [0, 1, 2, 3]
    assert found["gt.label"] == ["cat", "dog", None, None]
    assert columns.read_scalars(filled.sort_by("n", reverse=True), ["n"])[1]["n"] == [3, 2, 1, 0]
    assert columns.read_scalars(filled, []) == (ids, {})
    with pytest.raises(FieldNotFoundError):
        columns.read_scalars(filled, ["n", "nothing"])
