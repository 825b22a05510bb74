"""The fields of a dataset: declared, found in labels, renamed, copied, cleared, deleted, nested too; and indexes."""

from datetime import UTC, date, datetime

import numpy as np
import pytest

import saccade as sc
from saccade.dataset import columns
from saccade.dataset.errors import FieldKindError, FieldNotFoundError, SchemaError, StoreError
from saccade.dataset.types import Oid


def detections(*labels: str, **attributes):
    return sc.Detections(
        detections=[sc.Detection(label=label, bounding_box=[0, 0, 0.5, 0.5], **attributes) for label in labels]
    )


WHEN = date(2024, 5, 1)


@pytest.fixture
def filled(dataset) -> sc.Dataset:
    """Three samples: the second has no labels and no vector, the third an empty list of labels."""
    dataset.add_samples(
        [
            sc.Sample(
                "/1.png", score=0.5, embedding=np.array([1.0, 2.0]), facts={"a": 1, "deep": {"b": 2}},
                gt=sc.Classification(label="cat", mood="calm", feature=np.array([1.0, 0.0])),
                pred=detections("car", "bus", mood="fast", feature=np.array([3.0, 4.0, 5.0])),
            ),
            sc.Sample("/2.png", score=1.5),
            sc.Sample("/3.png", gt=sc.Classification(label="dog"), pred=detections()),
        ],
        dynamic=True,
    )  # fmt: skip
    return dataset


def kinds(dataset, **options) -> dict[str, str]:
    return {path: str(field) for path, field in dataset.get_field_schema(**options).items()}


# --- read -----------------------------------------------------------------------------------------------------------


def test_a_new_dataset_has_the_default_fields(dataset):
    assert kinds(dataset) == {
        "id": "ObjectIdField",
        "filepath": "StringField",
        "tags": "ListField(StringField)",
        "metadata": "EmbeddedDocumentField(Metadata)",
    }


def test_every_kind_is_inferred_from_values(dataset):
    dataset.add_sample(
        sc.Sample(
            "/1.png", a=True, b=1, c=1.5, d="x", e=date(2024, 5, 1), f=datetime(2024, 5, 1), g=Oid("a" * 24), h=[1, 2],
            i={"x": 1}, j=np.ones(3), k=np.ones((2, 2)), m=sc.Classification(), n=[1, "x"], o=[], p=[[1], [2.5]],
            q=np.ones(3, dtype=int),
        )
    )  # fmt: skip
    assert [kind for name, kind in kinds(dataset).items() if len(name) == 1] == [
        "BooleanField", "IntField", "FloatField", "StringField", "DateField", "DateTimeField", "ObjectIdField",
        "ListField(IntField)", "DictField", "VectorField", "ArrayField", "EmbeddedDocumentField(Classification)",
        "ListField", "ListField", "ListField(ListField(FloatField))", "ArrayField",
    ]  # fmt: skip
    sample = sc.load_dataset("street").first()
    assert sample.g == "a" * 24
    assert (sample.e, sample.f) == (date(2024, 5, 1), datetime(2024, 5, 1, tzinfo=UTC))
    assert (sample.n, sample.o, sample.p) == ([1, "x"], [], [[1], [2.5]])


def test_the_schema_can_be_filtered_and_flattened(filled):
    assert list(filled.get_field_schema(ftype=sc.FloatField)) == ["score"]
    assert list(filled.get_field_schema(embedded_doc_type=sc.Detections)) == ["pred"]
    flat = kinds(filled, flat=True)
    assert flat["pred.detections.label"] == "StringField"
    assert flat["pred.detections.mood"] == "StringField"
    assert flat["pred.detections.feature"] == "VectorField"
    assert flat["pred.detections"] == "ListField(EmbeddedDocumentField(Detection))"


def test_has_field_follows_paths(filled):
    for path in ("score", "gt.label", "gt.mood", "pred.detections.label", "facts.anything", "metadata.width", "id"):
        assert filled.has_field(path), path
        assert filled.has_sample_field(path), path
    for path in ("scor", "gt.lable", "pred.label", "score.x", "pred.detections.speed"):
        assert not filled.has_field(path), path


def test_get_field_gives_the_kind_or_none(filled):
    assert filled.get_field("score") == sc.FloatField()
    assert filled.get_field("pred.detections.feature") == sc.VectorField()
    assert filled.get_field("nothing") is None


def test_a_schema_is_the_same_in_every_object(filled):
    other = sc.load_dataset("street")
    filled.add_sample_field("later", sc.IntField)
    assert other.get_field_schema() == filled.get_field_schema()
    assert "later" in other.get_field_schema()


# --- declared -------------------------------------------------------------------------------------------------------


def test_a_field_can_be_declared_before_it_has_values(dataset):
    dataset.add_sample(sc.Sample("/1.png"))
    dataset.add_sample_field("note", sc.StringField, description="what people say", info={"by": "form"})
    dataset.add_sample_field("gt", sc.EmbeddedDocumentField, embedded_doc_type=sc.Classification)
    dataset.add_sample_field("words", sc.ListField, subfield=sc.StringField)
    dataset.add_sample_field("sizes", sc.ListField(sc.IntField()))
    field = dataset.get_field_schema()["note"]
    assert (field.description, field.info) == ("what people say", {"by": "form"})
    assert kinds(dataset)["gt"] == "EmbeddedDocumentField(Classification)"
    assert kinds(dataset)["words"] == "ListField(StringField)"
    assert kinds(dataset)["sizes"] == "ListField(IntField)"
    assert dataset.first().note is None
    assert dataset.values("gt.label") == [None]
    with pytest.raises(FieldKindError):
        dataset.add_sample(sc.Sample("/2.png", note=5))


def test_declaring_again_is_nothing_and_otherwise_widens_or_is_refused(filled):
    filled.add_sample_field("score", sc.FloatField)
    filled.add_sample_field("score", sc.IntField)
    assert kinds(filled)["score"] == "FloatField"
    filled.add_sample_field("n", sc.IntField)
    filled.add_sample_field("n", sc.FloatField)
    assert kinds(filled)["n"] == "FloatField"
    with pytest.raises(FieldKindError, match="'score' is of kind FloatField and cannot take values of kind StringF"):
        filled.add_sample_field("score", sc.StringField)


def test_an_attribute_of_labels_can_be_declared(filled):
    filled.add_sample_field("pred.detections.speed", sc.FloatField)
    filled.add_sample_field("gt.age", sc.IntField)
    assert filled.values("pred.detections.speed") == [[None, None], None, []]
    assert filled.match(sc.F("gt.age") > 3).values("id") == []
    filled.set_values("pred.detections.speed", [[1, 2], None, []])
    assert filled.values("pred.detections.speed") == [[1.0, 2.0], None, []]


@pytest.mark.parametrize("name", ["", "a b", "_private", "1st", "$x", "a-b", "save", "filepath", "id", "tags"])
def test_names_that_cannot_be_used_are_refused(dataset, name):
    with pytest.raises(SchemaError):
        dataset.add_sample_field(name, sc.StringField)
    assert len(dataset.get_field_schema()) == 4


def test_arguments_that_do_not_go_together_are_refused(dataset):
    with pytest.raises(SchemaError, match="needs embedded_doc_type"):
        dataset.add_sample_field("x", sc.EmbeddedDocumentField)
    with pytest.raises(SchemaError, match="embedded_doc_type goes with EmbeddedDocumentField, not with IntField"):
        dataset.add_sample_field("x", sc.IntField, embedded_doc_type=sc.Classification)
    with pytest.raises(SchemaError, match="subfield goes with"):
        dataset.add_sample_field("x", sc.IntField, subfield=sc.IntField)
    with pytest.raises(SchemaError, match="expected a field class such as FloatField"):
        dataset.add_sample_field("x", int)
    with pytest.raises(FieldNotFoundError):
        dataset.add_sample_field("nothing.x", sc.IntField)
    assert len(dataset.get_field_schema()) == 4


def test_dynamic_attributes_are_found_and_declared(dataset):
    dataset.add_samples(
        [
            sc.Sample("/1.png", gt=sc.Classification(label="cat", mood="calm", age=1), pred=detections("car", speed=5)),
            sc.Sample("/2.png", gt=sc.Classification(label="dog", age=1.5), pred=detections("car", when=WHEN)),
            sc.Sample("/3.png"),
        ]
    )  # fmt: skip
    assert not dataset.has_field("gt.mood")
    with pytest.raises(FieldNotFoundError, match="add_dynamic_sample_fields"):
        dataset.values("gt.mood")
    dataset.add_dynamic_sample_fields("gt")
    assert dataset.values("gt.mood") == ["calm", None, None]
    assert dataset.values("gt.age") == [1, 1.5, None]
    assert not dataset.has_field("pred.detections.speed")
    dataset.add_dynamic_sample_fields()
    assert dataset.values("pred.detections.speed") == [[5], [None], None]
    assert kinds(dataset, flat=True)["gt.age"] == "FloatField"
    dataset.add_dynamic_sample_fields()
    with pytest.raises(FieldNotFoundError, match="no field 'nothing'"):
        dataset.add_dynamic_sample_fields("nothing")


def test_dynamic_attributes_of_kinds_that_do_not_go_together_are_not_declared(dataset):
    dataset.add_samples(
        [
            sc.Sample("/1.png", gt=sc.Classification(mood="calm", age=1)),
            sc.Sample("/2.png", gt=sc.Classification(mood=5)),
        ]
    )
    with pytest.raises(FieldKindError, match=r"'gt\.mood'"):
        dataset.add_dynamic_sample_fields()
    assert not dataset.has_field("gt.mood")
    assert not dataset.has_field("gt.age")


def test_declared_attributes_are_enforced(filled):
    with pytest.raises(FieldKindError, match=r"'gt\.mood'"):
        filled.add_sample(sc.Sample("/4.png", gt=sc.Classification(label="cow", mood=5)))
    sample = filled.first()
    sample.gt.mood = 5
    with pytest.raises(FieldKindError, match=r"'gt\.mood'"):
        sample.save()
    assert filled.values("gt.mood") == ["calm", None, None]


# --- renamed --------------------------------------------------------------------------------------------------------


def test_a_field_is_renamed_with_its_values_and_place(filled):
    sample = filled.first()
    filled.rename_sample_field("score", "quality")
    assert filled.values("quality") == [0.5, 1.5, None]
    assert "score" not in filled.get_field_schema()
    with pytest.raises(FieldNotFoundError):
        filled.values("score")
    sample.reload()
    assert sample.quality == 0.5
    assert not sample.has_field("score")


def test_labels_are_renamed_with_all_that_is_declared_below_them(filled):
    before = filled.values("pred.detections.id")
    filled.rename_sample_field("pred", "boxes")
    assert filled.values("boxes.detections.label") == [["car", "bus"], None, []]
    assert filled.values("boxes.detections.mood") == [["fast", "fast"], None, []]
    assert filled.values("boxes.detections.id") == before
    assert [list(d.feature) for d in filled.first().boxes.detections] == [[3, 4, 5], [3, 4, 5]]
    assert not [path for path in filled.get_field_schema(flat=True) if path.startswith("pred")]


def test_an_attribute_of_a_label_is_renamed(filled):
    filled.rename_sample_field("gt.mood", "gt.temper")
    assert filled.values("gt.temper") == ["calm", None, None]
    assert filled.values("gt.label") == ["cat", None, "dog"]
    assert not filled.has_field("gt.mood")
    assert not hasattr(filled.first().gt, "mood")


def test_an_attribute_inside_a_list_of_labels_is_renamed(filled):
    filled.rename_sample_field("pred.detections.mood", "pred.detections.temper")
    assert filled.values("pred.detections.temper") == [["fast", "fast"], None, []]
    assert filled.values("pred.detections.label") == [["car", "bus"], None, []]
    assert not filled.has_field("pred.detections.mood")
    assert not hasattr(filled.first().pred.detections[0], "mood")


def test_vectors_are_renamed_without_being_copied(filled, database):
    stored = database[f"vectors.{filled._id}"].count_documents({})
    filled.rename_sample_field("embedding", "vector")
    filled.rename_sample_field("pred.detections.feature", "pred.detections.vector")
    assert [None if v is None else list(v) for v in filled.values("vector")] == [[1, 2], None, None]
    assert columns.read_vectors(filled, "vector")[1].tolist() == [[1, 2]]
    assert list(filled.first().vector) == [1, 2]
    assert list(filled.first().pred.detections[1].vector) == [3, 4, 5]
    assert database[f"vectors.{filled._id}"].count_documents({}) == stored
    with pytest.raises(FieldKindError, match="2 numbers"):
        filled.add_sample(sc.Sample("/4.png", vector=np.ones(3)))


def test_several_fields_are_renamed(filled):
    filled.rename_sample_fields({"score": "a", "gt": "b"})
    assert filled.values("a") == [0.5, 1.5, None]
    assert filled.values("b.label") == ["cat", None, "dog"]


def test_impossible_renames_change_nothing(filled):
    before = kinds(filled, flat=True)
    for old, new, message in (
        ("nothing", "x", "no field 'nothing'"),
        ("score", "gt", "there is such a field"),
        ("score", "a b", "cannot name a field"),
        ("score", "gt.score", "stays inside the sample"),
        ("gt.mood", "mood", "stays inside gt"),
        ("filepath", "path", "every sample has the field 'filepath'"),
        ("score", "tags", "there is such a field"),
        ("gt.label", "gt.name", "part of its class"),
    ):
        with pytest.raises(SchemaError, match=message):
            filled.rename_sample_field(old, new)
    assert kinds(filled, flat=True) == before
    assert filled.values("score") == [0.5, 1.5, None]


# --- copied ---------------------------------------------------------------------------------------------------------


def test_a_field_is_copied_and_the_copies_are_independent(filled):
    filled.clone_sample_field("score", "quality")
    filled.set_values("quality", [9, 9, 9])
    assert filled.values("score") == [0.5, 1.5, None]
    assert filled.values("quality") == [9, 9, 9]


def test_labels_and_vectors_are_copied(filled):
    filled.clone_sample_fields({"pred": "boxes", "embedding": "vector"})
    filled.delete_sample_field("pred")
    filled.delete_sample_field("embedding")
    assert filled.values("boxes.detections.mood") == [["fast", "fast"], None, []]
    assert list(filled.first().boxes.detections[0].feature) == [3, 4, 5]
    assert list(filled.first().vector) == [1, 2]


def test_attributes_are_copied(filled):
    filled.clone_sample_field("gt.mood", "gt.temper")
    filled.clone_sample_field("pred.detections.mood", "pred.detections.temper")
    assert filled.values(["gt.mood", "gt.temper"]) == [["calm", None, None]] * 2
    assert filled.values("pred.detections.temper") == filled.values("pred.detections.mood")


# --- cleared --------------------------------------------------------------------------------------------------------


def test_a_field_is_cleared_and_stays_declared(filled):
    for name in ("score", "gt", "embedding"):
        filled.clear_sample_field(name)
        assert name in filled.get_field_schema()
        assert len(filled.exists(name)) == 0
    assert filled.values("score") == [None] * 3
    assert filled.first().gt is None
    assert columns.read_vectors(filled, "embedding")[0] == []
    filled.set_values("embedding", [np.ones(7)] * 3)
    assert columns.read_vectors(filled, "embedding")[1].shape == (3, 7)


def test_attributes_are_cleared(filled):
    filled.clear_sample_fields(["gt.mood", "pred.detections.mood", "pred.detections.feature"])
    assert filled.values("gt.mood") == [None] * 3
    assert filled.values("pred.detections.mood") == [[None, None], None, []]
    assert filled.values("pred.detections.label") == [["car", "bus"], None, []]
    assert filled.has_field("pred.detections.mood")


# --- deleted --------------------------------------------------------------------------------------------------------


def test_a_field_is_deleted_with_its_values(filled):
    filled.delete_sample_field("score")
    assert "score" not in filled.get_field_schema()
    with pytest.raises(AttributeError, match="score"):
        _ = filled.first().score
    filled.add_sample(sc.Sample("/4.png", score="now a text"))
    assert filled.values("score") == [None, None, None, "now a text"]


def test_labels_are_deleted_with_all_that_is_declared_below_them(filled):
    filled.delete_sample_fields(["pred", "embedding"])
    assert not [path for path in filled.get_field_schema(flat=True) if path.startswith(("pred", "embedding"))]
    filled.add_sample(sc.Sample("/4.png", pred="text", embedding=np.ones(9)))
    assert len(filled.last().embedding) == 9


def test_attributes_are_deleted(filled):
    filled.delete_sample_fields(["gt.mood", "pred.detections.mood"])
    assert not filled.has_field("gt.mood")
    assert not filled.has_field("pred.detections.mood")
    assert "mood" not in filled.first().gt
    assert "mood" not in filled.first().pred.detections[0]
    assert filled.values("pred.detections.label") == [["car", "bus"], None, []]


def test_what_cannot_be_deleted_is_refused_unless_told_to_pass_over(filled):
    for name in ("filepath", "id", "tags", "metadata"):
        with pytest.raises(SchemaError, match="every sample has the field"):
            filled.delete_sample_field(name)
    with pytest.raises(SchemaError, match="part of its class"):
        filled.delete_sample_field("gt.label")
    with pytest.raises(FieldNotFoundError, match=r"no field 'scor'.*Did you mean 'score'"):
        filled.delete_sample_field("scor")
    filled.delete_sample_field("scor", error_level=1)
    assert filled.values("gt.label") == ["cat", None, "dog"]


def test_a_sample_in_hand_survives_the_deletion_of_a_field(filled):
    sample = filled.first()
    assert sample.score == 0.5
    filled.delete_sample_field("score")
    sample.gt.label = "cow"
    sample.save()
    assert filled.values("gt.label") == ["cow", None, "dog"]
    assert "score" not in filled.get_field_schema(), "saving something else does not bring it back"


def test_a_field_of_a_dict_is_no_field_of_its_own(filled):
    with pytest.raises(SchemaError):
        filled.delete_sample_field("facts.a")
    assert filled.values("facts") == [{"a": 1, "deep": {"b": 2}}, None, None]
    assert filled.values("facts.deep.b") == [2, None, None]


# --- indexes --------------------------------------------------------------------------------------------------------


def test_filepath_is_indexed_and_others_can_be(filled):
    assert filled.list_indexes() == ["_id_", "filepath_1"]
    assert filled.create_index("score") == "score_1"
    filled.create_index("pred.detections.label")
    filled.create_index([("gt.label", 1), ("score", -1)])
    assert filled.list_indexes() == ["_id_", "filepath_1", "gt.label_1_score_-1", "pred.detections.label_1", "score_1"]
    assert filled.get_index_information()["score_1"]["key"] == [("score", 1)]
    assert filled.match(sc.F("score") > 1).values("filepath") == ["/2.png"]
    filled.drop_index("score")
    filled.drop_index("gt.label_1_score_-1")
    assert filled.list_indexes() == ["_id_", "filepath_1", "pred.detections.label_1"]


def test_a_unique_index_refuses_what_repeats(filled):
    filled.set_values("score", [1, 1, 2])
    with pytest.raises(StoreError, match=r"a unique index on .* is not possible: values repeat"):
        filled.create_index("score", unique=True)
    filled.set_values("score", [1, 3, 2])
    filled.create_index("score", unique=True)
    sample = filled.first()
    sample.score = 2
    with pytest.raises((SchemaError, StoreError)):
        sample.save()
    with pytest.raises((SchemaError, StoreError)):
        filled.set_values("score", [5, 6, 6])
    assert filled.values("score") == [1, 3, 2]


def test_impossible_indexes_are_refused(filled):
    with pytest.raises(FieldNotFoundError, match="no field 'scor'"):
        filled.create_index("scor")
    with pytest.raises(SchemaError, match="holds vectors"):
        filled.create_index("embedding")
    for name in ("filepath", "_id_", "nothing"):
        with pytest.raises(SchemaError, match=r"no index .* that can be dropped\. Indexes: none"):
            filled.drop_index(name)
