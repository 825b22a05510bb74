"""The schema: paths, what they mean, and new schemas from old ones."""

import pytest

from saccade.dataset import labels
from saccade.dataset.errors import FieldKindError, FieldNotFoundError, SchemaError
from saccade.dataset.schema import (
    RESERVED_NAMES,
    SAMPLE_FIELDS,
    DictField,
    EmbeddedDocumentField,
    FloatField,
    IntField,
    ListField,
    ObjectIdField,
    Resolved,
    Schema,
    StringField,
    VectorField,
    check_field_name,
    documents,
)


@pytest.fixture
def schema():
    return Schema(
        {
            **SAMPLE_FIELDS,
            "uniqueness": FloatField(),
            "predictions": EmbeddedDocumentField(labels.Detections),
            "predictions.detections.mood": StringField(),
            "ground_truth": EmbeddedDocumentField(labels.Classification),
            "weather": DictField(),
            "counts": DictField(IntField()),
            "boxes": ListField(DictField()),
            "anything": ListField(),
        }
    )


def test_iteration_gives_the_top_level_names(schema):
    assert list(schema) == list(schema.names())
    assert schema.names()[:5] == ("id", "filepath", "tags", "metadata", "uniqueness")
    assert "predictions.detections.mood" not in list(schema)
    assert len(schema) == 11


def test_membership_and_brackets_take_declared_paths_too(schema):
    assert "predictions.detections.mood" in schema
    assert "predictions.detections.label" not in schema
    assert schema["uniqueness"] == FloatField()
    assert schema.get("mood") is None
    with pytest.raises(FieldNotFoundError, match="Did you mean 'uniqueness'"):
        schema["uniqeness"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("uniqueness", Resolved("uniqueness", "uniqueness", FloatField())),
        ("id", Resolved("id", "_id", ObjectIdField())),
        ("_id", Resolved("id", "_id", ObjectIdField())),
        ("tags", Resolved("tags", "tags", ListField(StringField()))),
        ("metadata.size_bytes", Resolved("metadata.size_bytes", "metadata.size_bytes", IntField())),
        ("metadata.width", Resolved("metadata.width", "metadata.width", IntField())),
        ("ground_truth.label", Resolved("ground_truth.label", "ground_truth.label", StringField())),
        ("ground_truth.id", Resolved("ground_truth.id", "ground_truth._id", ObjectIdField())),
        ("ground_truth._cls", Resolved("ground_truth._cls", "ground_truth._cls", StringField())),
        (
            "predictions.detections",
            Resolved("predictions.detections", "predictions.detections", ListField(EmbeddedDocumentField("Detection"))),
        ),
        (
            "predictions.detections.label",
            Resolved(
                "predictions.detections.label",
                "predictions.detections.label",
                StringField(),
                ("predictions.detections",),
            ),
        ),
        (
            "predictions.detections._id",
            Resolved(
                "predictions.detections.id", "predictions.detections._id", ObjectIdField(), ("predictions.detections",)
            ),
        ),
        (
            "predictions.detections.mood",
            Resolved(
                "predictions.detections.mood", "predictions.detections.mood", StringField(), ("predictions.detections",)
            ),
        ),
        ("weather.rain.mm", Resolved("weather.rain.mm", "weather.rain.mm", None)),
        ("weather._id", Resolved("weather._id", "weather._id", None)),
        ("counts.cats", Resolved("counts.cats", "counts.cats", IntField())),
        ("boxes.x", Resolved("boxes.x", "boxes.x", None, ("boxes",))),
        ("anything.x", Resolved("anything.x", "anything.x", None, ("anything",))),
    ],
)
def test_a_path_is_resolved(schema, path, expected):
    assert schema.resolve(path) == expected


def test_a_document_type_of_a_newer_version_may_hold_anything():
    schema = Schema({"place": EmbeddedDocumentField("GeoLocation")})
    assert schema.resolve("place.point.x").field is None


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (
            "uniqeness",
            (
                "no field 'uniqeness' on OWNER. Fields: anything, boxes, counts, filepath, ground_truth, id, metadata, "
                "predictions, tags, uniqueness, weather. Did you mean 'uniqueness'?"
            ),
        ),
        (
            "predictions.label",
            (
                "no field 'label' on the Detections in 'predictions' of OWNER. Fields: detections. "
                "Did you mean 'predictions.detections.label'?"
            ),
        ),
        ("filepath.x", "no field 'x' in 'filepath' of OWNER: it is of kind StringField, with nothing inside."),
        ("counts.cats.x", "no field 'x' in 'counts.cats' of OWNER: it is of kind IntField, with nothing inside."),
    ],
)
def test_an_unknown_path_is_an_error_that_names_what_there_is(schema, path, message):
    with pytest.raises(FieldNotFoundError) as caught:
        schema.resolve(path, owner="OWNER")
    assert str(caught.value) == message
    assert isinstance(caught.value, KeyError)


def test_an_unknown_attribute_names_the_known_ones_declared_ones_and_the_way_to_declare_it(schema):
    with pytest.raises(FieldNotFoundError) as caught:
        schema.resolve("predictions.detections.moood")
    message = str(caught.value)
    assert "on the Detection in 'predictions.detections' of the dataset" in message
    assert "bounding_box" in message
    assert "Did you mean 'mood'?" in message
    assert "add_dynamic_sample_fields()" in message


@pytest.mark.parametrize("path", ["", ".", "weather.", "weather.$where", "uniqueness..x", "predictions..label"])
def test_a_malformed_path_is_not_found(schema, path):
    with pytest.raises(FieldNotFoundError):
        schema.resolve(path)


def test_flat_gives_every_path_with_attributes_behind_their_label(schema):
    flat = list(schema.flat())
    start = flat.index("predictions")
    assert flat[start : start + 5] == [
        "predictions",
        "predictions.detections",
        "predictions.detections.id",
        "predictions.detections.tags",
        "predictions.detections.label",
    ]
    assert flat[flat.index("predictions.detections.mood") + 1] == "ground_truth"
    assert len(flat) == len(set(flat))


def test_every_flat_path_resolves_to_its_field(schema):
    assert all(schema.resolve(path).field == field for path, field in schema.flat().items())


def test_a_field_is_added_without_changing_the_schema_it_comes_from(schema):
    wider = schema.with_field("embedding", VectorField())
    assert "embedding" in wider
    assert "embedding" not in schema


def test_a_field_that_is_replaced_keeps_its_place(schema):
    assert schema.with_field("uniqueness", StringField()).names() == schema.names()


def test_an_attribute_is_declared_below_a_label_or_a_dict(schema):
    assert schema.with_field("ground_truth.source", StringField()).resolve("ground_truth.source").field == StringField()
    assert schema.with_field("weather.rain", FloatField()).resolve("weather.rain").field == FloatField()


def test_nothing_is_declared_below_a_number_or_a_missing_field(schema):
    with pytest.raises(SchemaError, match="'x' cannot lie inside 'uniqueness'"):
        schema.with_field("uniqueness.x", FloatField())
    with pytest.raises(FieldNotFoundError):
        schema.with_field("missing.x", FloatField())


def test_a_field_is_removed_with_what_lies_below_it(schema):
    narrower = schema.without("predictions")
    assert "predictions.detections.mood" not in narrower
    assert "predictions" not in narrower
    assert narrower.names() == tuple(name for name in schema.names() if name != "predictions")
    assert "predictions" in schema.without("predictions.detections.mood")
    with pytest.raises(FieldNotFoundError):
        schema.without("prediction")


def test_a_prefix_of_a_name_is_another_field():
    schema = Schema({"a": FloatField(), "ab": FloatField()})
    assert schema.without("a").names() == ("ab",)
    assert schema.renamed("a", "c").names() == ("c", "ab")


def test_only_the_named_fields_are_kept_in_their_order(schema):
    kept = schema.only(["predictions", "id"])
    assert kept.paths() == ("id", "predictions", "predictions.detections.mood")
    with pytest.raises(FieldNotFoundError, match="Did you mean 'predictions'"):
        schema.only(["prediction"])


def test_a_field_is_renamed_with_what_lies_below_it_and_keeps_its_place(schema):
    renamed = schema.renamed("predictions", "model_a")
    assert renamed.names().index("model_a") == schema.names().index("predictions")
    assert renamed.resolve("model_a.detections.mood").field == StringField()


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ("uniqueness", "weather", "there is such a field"),
        ("uniqueness", "weather.x", "stays inside the sample"),
        ("predictions.detections.mood", "mood", "stays inside predictions.detections"),
        ("uniqueness", "save", "means something else"),
        ("uniqueness", "_x", "'x'"),
        ("uniqeness", "x", "Did you mean 'uniqueness'"),
    ],
)
def test_a_renaming_that_cannot_be_is_refused(schema, old, new, part):
    with pytest.raises(SchemaError, match=part.replace("(", r"\(")):
        schema.renamed(old, new)


def test_schemas_with_the_same_fields_are_equal(schema):
    assert schema == Schema({path: schema[path] for path in schema.paths()})
    assert hash(schema) == hash(Schema({path: schema[path] for path in schema.paths()}))
    assert schema != schema.with_field("x", FloatField())


@pytest.mark.parametrize("name", ["uniqueness", "größe", "标签", "class", "x1", "CamelCase", "a_"])
def test_identifiers_of_any_language_name_a_field(name):
    check_field_name(name)


@pytest.mark.parametrize("name", ["", "a.b", "$a", "_a", "1a", "a b", "a-b", "a\0"])
def test_other_text_does_not_name_a_field(name):
    with pytest.raises(SchemaError, match="cannot name a field"):
        check_field_name(name)


def test_a_name_that_cannot_be_used_comes_with_one_that_can():
    with pytest.raises(SchemaError, match="such as 'image_quality'"):
        check_field_name("image quality")
    with pytest.raises(SchemaError, match="Try 'save_'"):
        check_field_name("save")


def test_a_name_that_is_no_text_is_refused():
    with pytest.raises(FieldKindError):
        check_field_name(3)


def test_names_of_sample_fields_are_not_reserved():
    assert not RESERVED_NAMES & set(SAMPLE_FIELDS)


def test_documents_hold_the_attributes_of_labels_and_metadata():
    assert documents["ImageMetadata"]["size_bytes"] == IntField()
    assert list(documents["Classification"]) == ["id", "tags", "label", "confidence", "logits"]
