"""Datasets from folders, images, dicts and JSON: what comes in, what goes out again, and what failure leaves."""

import json
import math
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

import saccade as sc
from saccade import types
from saccade.dataset.errors import DatasetError, DatasetExistsError, FieldKindError, SchemaError
from tests.store.processes import begin, until


def stored(database) -> set[str]:
    return {name for name in database.list_collection_names() if name.startswith(("samples.", "vectors.", "images."))}


# --- from folders and images ----------------------------------------------------------------------------------------


def test_from_dir_reads_a_folder_of_images_in_natural_order(database, photos):
    dataset = sc.Dataset.from_dir(photos, dataset_type=types.ImageDirectory, name="photos")
    names = [Path(path).relative_to(photos).as_posix() for path in dataset.values("filepath")]
    assert names == ["img1.png", "img2.png", "img10.png", "trip/img1.png"]
    assert dataset.name == "photos"
    assert dataset.media_type == "image"
    assert dataset.persistent
    assert len(sc.load_dataset("photos")) == 4


def test_from_dir_takes_the_type_by_name_or_leaves_it_out(database, photos):
    assert len(sc.Dataset.from_dir(photos, "image_directory", name="a")) == 4
    assert len(sc.Dataset.from_dir(str(photos), name="b")) == 4


def test_from_dir_reads_a_classification_tree_with_its_classes(database, animals):
    dataset = sc.Dataset.from_dir(
        animals, dataset_type=types.ImageClassificationDirectoryTree, name="animals", label_field="animal", tags="new"
    )
    assert dataset.values("animal.label") == [None, "cat", "cat", "dog"]
    assert dataset.classes == {"animal": ["cat", "dog"]}
    assert dataset.count_values("tags") == {"new": 4}
    assert dataset.get_field_schema()["animal"] == sc.EmbeddedDocumentField(sc.Classification)


def test_from_dir_hands_options_to_the_format(database, photos):
    dataset = sc.Dataset.from_dir(photos, types.ImageDirectory, name="a", recursive=False, max_samples=2)
    assert len(dataset) == 2
    with pytest.raises(DatasetError, match=r"no option 'recursiv'.* Did you mean 'recursive'"):
        sc.Dataset.from_dir(photos, types.ImageDirectory, name="b", recursiv=False)


def test_from_dir_says_what_is_wrong_with_a_folder_and_leaves_no_dataset(database, tmp_path):
    with pytest.raises(DatasetError, match=r"no folder .*nowhere"):
        sc.Dataset.from_dir(tmp_path / "nowhere", types.ImageDirectory, name="a")
    with pytest.raises(DatasetError, match="no dataset type 'coca'"):
        sc.Dataset.from_dir(tmp_path, "coca", name="a")
    with pytest.raises(DatasetError, match="needs dataset_dir"):
        sc.Dataset.from_dir(dataset_type=types.ImageDirectory, name="a")
    assert sc.list_datasets() == []


def test_from_dir_of_an_empty_folder_is_an_empty_dataset(database, tmp_path):
    dataset = sc.Dataset.from_dir(tmp_path, types.ImageDirectory, name="a")
    assert len(dataset) == 0
    assert sc.list_datasets() == ["a"]


def test_from_images_takes_paths_and_urls(database, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    dataset = sc.Dataset.from_images(["a.png", Path("sub/../b.png"), "s3://bucket/c.png"], name="a", tags=["x", "y"])
    assert dataset.values("filepath") == [str(tmp_path / "a.png"), str(tmp_path / "b.png"), "s3://bucket/c.png"]
    assert dataset.count_values("tags") == {"x": 3, "y": 3}


def test_from_images_dir_looks_into_folders_unless_told_not_to(database, photos):
    assert len(sc.Dataset.from_images_dir(photos, name="a")) == 4
    assert len(sc.Dataset.from_images_dir(photos, name="b", recursive=False, tags="flat").match_tags("flat")) == 3


@pytest.mark.parametrize("temporary", [True, False])
def test_constructors_make_temporary_datasets_too(database, photos, temporary):
    assert sc.Dataset.from_images_dir(photos, persistent=not temporary).persistent is not temporary
    assert sc.Dataset.from_dict({"samples": []}, persistent=not temporary).persistent is not temporary


# --- out and in again -----------------------------------------------------------------------------------------------

MASK = np.eye(4, dtype=np.uint8)
WHEN = datetime(2024, 5, 1, 12, 30, 15, 250_000, tzinfo=UTC)
LABELS = {
    "regression": sc.Regression(value=0.25, confidence=0.5),
    "classification": sc.Classification(
        label="cat", confidence=0.9, logits=np.array([0.1, 2.0]), tags=["hard"], mood="calm"
    ),
    "classifications": sc.Classifications(
        classifications=[sc.Classification(label="cat"), sc.Classification(label="dog")], logits=np.array([1.0, 2.0])
    ),
    "detections": sc.Detections(
        detections=[
            sc.Detection(label="car", bounding_box=[0.1, 0.2, 0.3, 0.4], mask=MASK > 0, confidence=0.5, index=3),
            sc.Detection(label="car", bounding_box=[0, 0, 1, 1], mask_path="/m.png", when=WHEN, sizes=[1, 2]),
        ]
    ),
    "detection": sc.Detection(label="car", bounding_box=[0.5, 0.5, 0.25, 0.25], embedding=np.array([1.0, 2.0, 3.0])),
    "polylines": sc.Polylines(
        polylines=[sc.Polyline(label="lane", points=[[(0.1, 0.2), (0.3, 0.4)], []], closed=True, filled=False, index=1)]
    ),
    "keypoints": sc.Keypoints(
        keypoints=[sc.Keypoint(label="nose", points=[(0.5, 0.5), (math.nan, math.nan)], confidence=[0.5, 0.25])]
    ),
    "segmentation": sc.Segmentation(mask=MASK),
    "temporal": sc.TemporalDetections(detections=[sc.TemporalDetection(label="jump", support=[3, 9], confidence=0.5)]),
}  # fmt: skip
PLAIN = {
    "flag": True, "count": -(2**62), "score": 0.1, "worst": math.inf, "text": "schön\n", "day": date(2024, 5, 1),
    "when": WHEN, "words": ["a", "b"], "empty": [], "box": {"a": {"b": [1, 2.5, None, "x"]}, "c": None},
    "embedding": np.arange(4, dtype=np.float32), "heat": np.arange(6, dtype=np.float32).reshape(2, 3),
    "days": [date(2024, 5, 1), date(2024, 5, 2)],
}  # fmt: skip


@pytest.fixture
def full(dataset):
    """One sample with a value of every kind, and one with none."""
    first = sc.Sample("/1.png", tags=["new"], metadata=sc.ImageMetadata(width=4, height=3, size_bytes=10), **PLAIN)
    for name, label in LABELS.items():
        first[name] = label
    dataset.add_samples([first, sc.Sample("/2.png")], dynamic=True)
    dataset.tags, dataset.info, dataset.description = ["day"], {"camera": {"height": 1.5}, "map": MASK}, "A street."
    dataset.classes, dataset.default_classes = {"classification": ["cat", "dog"]}, ["car"]
    return dataset


def same(a, b) -> bool:
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and np.array_equal(a, b)
    return type(a) is type(b) and a == b


def assert_as_given(sample):
    assert sample.tags == ["new"]
    assert sample.metadata == sc.ImageMetadata(width=4, height=3, size_bytes=10)
    for name, value in PLAIN.items():
        assert same(value, sample[name]), name
    for name, label in LABELS.items():
        assert sample[name] == label, name


def test_every_kind_of_value_comes_back_as_it_was_stored(full):
    assert_as_given(sc.load_dataset("street").first())


def test_every_kind_of_value_survives_a_dict(full):
    content = json.loads(json.dumps(full.to_dict(), allow_nan=False))
    full.delete()
    again = sc.Dataset.from_dict(content)
    assert again.name == "street"
    assert_as_given(again.first())


def test_every_kind_of_value_survives_a_json_file(full, tmp_path):
    path = tmp_path / "deep" / "street.json"
    full.write_json(path, pretty_print=True)
    again = sc.Dataset.from_json(path, name="again")
    assert_as_given(sc.load_dataset("again").first())
    assert again.last().to_dict() == {"filepath": "/2.png", "tags": []}
    assert again.to_dict()["samples"] == full.to_dict()["samples"]


def test_json_text_is_read_like_a_file(full):
    assert_as_given(sc.Dataset.from_json(full.to_json(), name="again").first())


def test_facts_and_declarations_survive_a_dict(full):
    full.add_sample_field("note", sc.StringField, description="what people say", info={"source": "form"})
    again = sc.Dataset.from_dict(full.to_dict(), name="again")
    assert (again.tags, again.description) == (["day"], "A street.")
    assert again.info["camera"] == {"height": 1.5}
    assert np.array_equal(again.info["map"], MASK)
    assert again.classes == {"classification": ["cat", "dog"]}
    assert again.default_classes == ["car"]
    assert again.get_field_schema(flat=True) == full.get_field_schema(flat=True)
    assert "detection.embedding" in again.get_field_schema(flat=True)
    note = again.get_field_schema()["note"]
    assert (note.description, note.info) == ("what people say", {"source": "form"})


def test_labels_keep_their_ids_and_samples_get_new_ones(full):
    again = sc.Dataset.from_dict(full.to_dict(), name="again")
    assert again.values("detections.detections.id") == full.values("detections.detections.id")
    assert not set(again.values("id")) & set(full.values("id"))


def test_a_dict_of_another_form_is_refused_and_leaves_no_dataset(database):
    for content in (
        {},
        [],
        {"samples": 5},
        {"samples": [5]},
        {"samples": [{"tags": []}]},
        {"samples": [{"filepath": "/1.png", "id": 3}]},
        {"samples": [], "sample_fields": 5},
        {"samples": [], "sample_fields": {"n": {}}},
        {"samples": [], "sample_fields": {"a.b": {"type": "int"}}},
        {"samples": [], "sample_fields": {"save": {"type": "int"}}},
        {"samples": [], "info": 5},
        {"samples": [], "classes": ["cat"]},
        {"samples": [], "tags": [5]},
    ):
        with pytest.raises(SchemaError):
            sc.Dataset.from_dict(content, name="a")
    with pytest.raises(FieldKindError):
        sc.Dataset.from_dict(
            {"sample_fields": {"n": {"type": "int"}}, "samples": [{"filepath": "/1.png", "n": "x"}]}, name="a"
        )
    assert sc.list_datasets() == []
    assert stored(database) == set()


def test_a_file_that_is_missing_or_no_json_is_refused(database, tmp_path):
    with pytest.raises(DatasetError, match=r"none\.json' cannot be read: No such file"):
        sc.Dataset.from_json(tmp_path / "none.json")
    (tmp_path / "picture.json").write_bytes(bytes(range(256)))
    with pytest.raises(DatasetError, match=r"picture\.json' cannot be read: it is no text"):
        sc.Dataset.from_json(tmp_path / "picture.json")
    (tmp_path / "broken.json").write_text('{"samples": [')
    with pytest.raises(DatasetError, match=r"broken\.json' is not JSON"):
        sc.Dataset.from_json(tmp_path / "broken.json")
    assert sc.list_datasets() == []


# --- failure --------------------------------------------------------------------------------------------------------


def bad_samples():
    yield from (f"/{n}.png" for n in range(1500))
    raise RuntimeError("the disk fell out")


def test_a_constructor_that_fails_leaves_nothing(database):
    with pytest.raises(RuntimeError, match="the disk fell out"):
        sc.Dataset.from_images(bad_samples(), name="a")
    assert sc.list_datasets() == []
    assert stored(database) == set()
    assert database["datasets"].count_documents({}) == 0
    sc.Dataset("a")


def test_a_constructor_that_fails_to_replace_a_dataset_leaves_the_old_one(dataset, database):
    dataset.add_sample(sc.Sample("/1.png", n=1))
    with pytest.raises(RuntimeError, match="the disk fell out"):
        sc.Dataset.from_images(bad_samples(), name="street", overwrite=True)
    assert sc.list_datasets() == ["street"]
    assert sc.load_dataset("street").values("n") == [1]
    new = sc.Dataset.from_images(["/2.png"], name="street", overwrite=True)
    assert (new.name, sc.list_datasets(), dataset.deleted) == ("street", ["street"], True)
    assert sc.load_dataset("street").values("filepath") == ["/2.png"]
    assert len(stored(database)) == 1


def test_a_constructor_refuses_a_taken_name_without_touching_its_holder(dataset, photos):
    dataset.add_images(["/1.png"])
    with pytest.raises(DatasetExistsError):
        sc.Dataset.from_images_dir(photos, name="street")
    assert len(sc.load_dataset("street")) == 1
    assert len(sc.Dataset.from_images_dir(photos, name="street", overwrite=True)) == 4


def test_a_dataset_under_construction_is_invisible(database):
    def paths():
        yield "/1.png"
        seen.append((sc.list_datasets(), sc.dataset_exists("a")))

    seen: list[object] = []
    sc.Dataset.from_images(paths(), name="a")
    assert seen == [([], False)]
    assert sc.list_datasets() == ["a"]


SLOW = """
import sys, time, saccade as sc
def paths():
    for n in range(1200):
        yield f"/{n}.png"
    print("half", flush=True)
    time.sleep(60)
sc.Dataset.from_images(paths(), name="half")
"""


def test_a_constructor_that_is_killed_leaves_an_invisible_dataset_that_the_next_open_removes(dataset, database):
    with begin(SLOW) as process:
        assert process.stdout.readline() == "half\n"
        assert len(stored(database)) == 2, "what is being made is there"
        assert sc.list_datasets() == ["street"]
        assert len(stored(database)) == 2, "its maker lives, so it stays"
        with pytest.raises(DatasetExistsError):
            sc.Dataset("half")
        process.kill()
    assert not sc.dataset_exists("half")

    def removed() -> bool:
        sc.load_dataset("street")
        return len(stored(database)) == 1

    until(removed)
    assert database["datasets"].count_documents({}) == 1
    sc.Dataset("half")


@pytest.mark.parametrize("images", [[""], [5], [b"/1.png"], [None]])
def test_what_is_no_path_is_refused(database, images):
    with pytest.raises(SchemaError, match="a sample needs the path or URL of its media"):
        sc.Dataset.from_images(images)
    assert sc.list_datasets() == []
