"""What a dataset says about its labels: classes, mask targets, skeletons; and what is true of its fields."""

import pytest

import saccade as sc
from saccade.dataset.errors import FieldKindError, FieldNotFoundError, SchemaError

SKELETON = sc.KeypointSkeleton(labels=["left", "right"], edges=[[0, 1]])


def test_class_names_of_a_field_are_its_own_else_the_default_ones(dataset):
    assert (dataset.get_classes("weather"), dataset.has_classes("weather")) == (None, False)
    dataset.default_classes = ["car"]
    dataset.classes = {"weather": ["sun", "rain"]}
    assert dataset.get_classes("weather") == ["sun", "rain"]
    assert dataset.view().get_classes("objects") == ["car"]
    assert dataset.has_classes("objects")


def test_mask_targets_and_skeletons_persist(dataset):
    dataset.mask_targets = {"masks": {1: "cat", 255: "void"}, "colors": {"#FF00aa": "dog"}}
    dataset.default_mask_targets = {0: "nothing"}
    dataset.skeletons, dataset.default_skeleton = {"points": SKELETON}, sc.KeypointSkeleton(labels=["nose"])
    again = sc.load_dataset("street")
    assert again.mask_targets == {"masks": {1: "cat", 255: "void"}, "colors": {"#FF00aa": "dog"}}
    assert (again.get_mask_targets("masks"), again.get_mask_targets("others")) == (
        {1: "cat", 255: "void"},
        {0: "nothing"},
    )
    assert again.skeletons == {"points": SKELETON}
    assert (again.get_skeleton("points"), again.get_skeleton("others").labels) == (SKELETON, ["nose"])
    assert again.has_mask_targets("others")
    assert again.has_skeleton("others")
    again.default_skeleton = None
    assert sc.load_dataset("street").default_skeleton is None


def test_changes_in_place_are_written_by_save(dataset):
    dataset.mask_targets["masks"] = {2: "dog"}
    dataset.skeletons["points"] = SKELETON
    dataset.save()
    assert sc.load_dataset("street").mask_targets == {"masks": {2: "dog"}}
    assert sc.load_dataset("street").skeletons == {"points": SKELETON}


@pytest.mark.parametrize(
    "targets", [{"x": "cat"}, {1: "cat", "#ff00aa": "dog"}, {True: "cat"}, {1: 2}, ["cat"], {"#ff": "a"}]
)
def test_mask_targets_that_mean_nothing_are_refused(dataset, targets):
    for name, given in (("mask_targets", {"masks": targets}), ("default_mask_targets", targets)):
        with pytest.raises(SchemaError, match=f"{name}.* was given"):
            setattr(dataset, name, given)
    assert sc.load_dataset("street").mask_targets == {}


def test_skeletons_are_skeletons(dataset):
    with pytest.raises(SchemaError, match=r"skeletons\['points'\] was given \[0, 1\]; expected a KeypointSkeleton"):
        dataset.skeletons = {"points": [0, 1]}
    with pytest.raises(SchemaError, match="expected a dict by field"):
        dataset.skeletons = SKELETON


def test_what_is_said_goes_with_clones_merges_and_json(dataset, tmp_path):
    dataset.add_sample(sc.Sample("/1.png", masks=sc.Segmentation(), points=sc.Keypoints()))
    dataset.mask_targets, dataset.skeletons = {"masks": {1: "cat"}, "gone": {2: "x"}}, {"points": SKELETON}
    dataset.default_mask_targets, dataset.default_skeleton = {0: "nothing"}, SKELETON
    dataset.write_json(tmp_path / "street.json")
    read = sc.Dataset.from_json(tmp_path / "street.json", name="read")
    clone = dataset.clone("clone")
    merged = sc.Dataset("merged")
    merged.mask_targets = {"masks": {9: "mine"}}
    merged.merge_samples(dataset)
    for other in (read, clone, merged):
        assert (other.default_mask_targets, other.default_skeleton) == ({0: "nothing"}, SKELETON)
        assert other.skeletons == {"points": SKELETON}
    assert read.mask_targets == dataset.mask_targets
    assert clone.mask_targets == {"masks": {1: "cat"}}
    assert merged.mask_targets == {"masks": {9: "mine"}, "gone": {2: "x"}}


def test_a_view_reads_and_sets_what_its_dataset_says(dataset):
    view = dataset.limit(1)
    view.classes, view.tags, view.description = {"weather": ["sun"]}, ["a"], "A street."
    view.info, view.default_mask_targets = {"b": 1}, {1: "cat"}
    again = sc.load_dataset("street")
    assert (again.classes, again.tags, again.description) == ({"weather": ["sun"]}, ["a"], "A street.")
    assert (again.limit(1).info, again.limit(1).default_mask_targets) == ({"b": 1}, {1: "cat"})


def test_a_field_name_that_nobody_has_is_found(dataset):
    assert dataset.make_unique_field_name("score") == "score"
    dataset.add_sample_field("score", sc.FloatField)
    dataset.add_sample_field("score_1", sc.FloatField)
    assert dataset.make_unique_field_name("score") == "score_2"
    assert dataset.select_fields([]).make_unique_field_name("score") == "score_2"
    assert dataset.make_unique_field_name() == "field"


def test_fields_are_checked_for_what_they_are(dataset):
    dataset.add_sample_field("score", sc.FloatField)
    dataset.add_sample_field("marks", sc.ListField, subfield=sc.IntField)
    dataset.add_sample_field("boxes", sc.EmbeddedDocumentField, embedded_doc_type=sc.Detections)
    dataset.validate_fields_exist(["score", "boxes.detections.label"])
    with pytest.raises(FieldNotFoundError, match="no field 'skore'"):
        dataset.validate_fields_exist("skore")
    dataset.validate_field_type("score", sc.FloatField)
    dataset.validate_field_type("score", ftype=(sc.IntField, sc.FloatField))
    dataset.validate_field_type("marks", sc.ListField, subfield=sc.IntField)
    dataset.validate_field_type("boxes", embedded_doc_type=(sc.Detections, sc.Polylines))
    with pytest.raises(FieldKindError, match="'score' of dataset 'street' is a FloatField; IntField was expected"):
        dataset.validate_field_type("score", sc.IntField)
    with pytest.raises(FieldKindError, match="StringField was expected"):
        dataset.validate_field_type("marks", subfield=sc.StringField)
    with pytest.raises(FieldKindError, match="Keypoints was expected"):
        dataset.validate_field_type("boxes", embedded_doc_type=sc.Keypoints)


def test_attributes_that_nobody_declared_are_found(dataset):
    labels = [sc.Detection(label="car", angle=3, odd=1), sc.Detection(label="car", odd="x")]
    dataset.add_sample(sc.Sample("/1.png", boxes=sc.Detections(detections=labels), weather=sc.Classification(wind=0.5)))
    found = dataset.get_dynamic_field_schema()
    assert {path: str(kind) for path, kind in found.items() if not isinstance(kind, list)} == {
        "boxes.detections.angle": "IntField", "weather.wind": "FloatField"
    }  # fmt: skip
    assert sorted(map(str, found["boxes.detections.odd"])) == ["IntField", "StringField"]
    assert list(dataset.view().get_dynamic_field_schema("weather")) == ["weather.wind"]
    dataset.add_dynamic_sample_fields("weather")
    assert dataset.get_dynamic_field_schema(["weather"]) == {}
    with pytest.raises(FieldNotFoundError, match="no field 'wether'"):
        dataset.get_dynamic_field_schema("wether")


# --- a function on every sample -------------------------------------------------------------------------------------


@pytest.fixture
def numbered(dataset) -> sc.Dataset:
    dataset.add_samples([sc.Sample(f"/{n}.png", count=n) for n in range(5)])
    return dataset


def test_a_function_is_called_on_every_sample_in_order(numbered):
    view = numbered.sort_by("count", reverse=True)
    assert list(view.map_samples(lambda sample: sample.count * 2)) == [
        (sample_id, 2 * n) for sample_id, n in zip(view.values("id"), [4, 3, 2, 1, 0], strict=True)
    ]


def test_what_the_function_sets_is_saved_if_asked(numbered):
    for _ in numbered.map_samples(lambda sample: sample.set_field("double", 2 * sample.count)):
        pass
    assert not numbered.has_field("double")
    numbered.limit(3).update_samples(lambda sample: sample.set_field("double", 2 * sample.count))
    assert numbered.values("double") == [0, 2, 4, None, None]


def test_failures_are_raised_or_passed_over_with_a_warning(numbered, caplog):
    def change(sample: sc.Sample) -> None:
        sample["inverse"] = 1 / sample.count

    with pytest.raises(ZeroDivisionError):
        numbered.update_samples(change, skip_failures=False)
    numbered.update_samples(change)
    assert numbered.values("inverse") == [None, 1, 1 / 2, 1 / 3, 1 / 4]
    assert "was passed over: ZeroDivisionError: division by zero" in caplog.text


# --- of values ------------------------------------------------------------------------------------------------------


def test_first_and_last_of_nothing_are_value_errors(dataset):
    for ask in (dataset.first, dataset.last, dataset.limit(1).first):
        with pytest.raises(ValueError, match="has no samples"):
            ask()


def test_values_pass_through_an_expression_or_a_function(dataset):
    boxes = sc.Detections(
        detections=[sc.Detection(label="car", bounding_box=[0, 0, 0.5, 0.5]), sc.Detection(label=None)]
    )
    dataset.add_samples([
        sc.Sample("/1.png", tags=["a", "b"], boxes=boxes, count=2, embedding=[3.0, 4.0]), sc.Sample("/2.png")
    ])  # fmt: skip
    assert dataset.values("count", sc.F() * 2) == [4, None]
    assert dataset.values("boxes.detections.label", sc.F().upper(), "?") == [["CAR", "?"], "?"]
    assert dataset.values("count", transform=str) == ["2", None]
    assert dataset.values("count", missing_value="none", transform=str) == ["2", "none"]
    assert dataset.values("tags", transform=len) == [2, 0]
    assert dataset.values("boxes.detections.label", transform=str.upper) == [["CAR", None], None]
    assert dataset.values("boxes.detections.label", unwind=True, transform=str.upper) == ["CAR", None]
    assert dataset.values("boxes.detections.bounding_box", transform=lambda box: box[2] * box[3])[0] == [0.25, None]
    assert dataset.values("boxes", transform=lambda label: len(label.detections)) == [2, None]
    assert dataset.values(["count", "filepath"], transform=repr) == [["2", None], ["'/1.png'", "'/2.png'"]]
    assert dataset.values(sc.F("count") + 1, transform=lambda value: -value) == [-3, None]


def test_vectors_are_given_to_the_function_as_arrays(dataset):
    import numpy as np

    dataset.add_samples([sc.Sample("/1.png", embedding=np.array([3.0, 4.0], dtype=np.float32)), sc.Sample("/2.png")])
    assert dataset.values("embedding", transform=lambda vector: float(np.linalg.norm(vector))) == [5.0, None]


def test_aggregations_take_an_expression_and_can_be_safe(dataset):
    dataset.add_samples(
        [sc.Sample(f"/{n}.png", x=float(value)) for n, value in enumerate(["1", "2", "2", "inf", "nan"])]
    )
    assert dataset.bounds("x", safe=True) == (1, 2)
    assert dataset.bounds("x", sc.F() * 10, safe=True) == (10, 20)
    assert (dataset.min("x", sc.F() + 1), dataset.max("x", sc.F() + 1, True)) == (2, 3)
    assert (dataset.count("x"), dataset.count("x", safe=True)) == (5, 3)
    assert (dataset.sum("x", safe=True), dataset.mean("x", safe=True)) == (5, 5 / 3)
    assert dataset.std("x", sc.F() * 3, True, True) == pytest.approx(3**0.5)
    assert dataset.quantiles("x", 0.5, sc.F() * 2, True) == 4
    assert (dataset.distinct("x"), dataset.distinct("x", safe=True)) == ([1, 2, float("inf")], [1, 2])
    assert dataset.count_values("x", sc.F() > 1) == {True: 3, False: 2}
    assert dataset.count_values("x", safe=True) == {2: 2, 1: 1}
    assert dataset.histogram_values("x", sc.F() * 2, bins=2, range=(0, 6))[0] == [1, 2]
