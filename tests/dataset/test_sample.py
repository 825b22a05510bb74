"""Samples in hand: access by attribute and by name, what is refused, copies and other forms."""

import json
import os
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

import saccade as sc
from saccade.dataset.errors import FieldNotFoundError, SchemaError
from tests.dataset.examples import boxes, with_one_of_all


@pytest.fixture
def filled(dataset) -> sc.Dataset:
    return with_one_of_all(dataset)


def test_fields_are_read_and_set_by_attribute_and_by_name():
    sample = sc.Sample("/photos/1.png", tags=["new"], brightness=0.5)
    assert sample.brightness == sample["brightness"] == sample.get_field("brightness") == 0.5
    sample.brightness = 0.25
    sample["sharpness"] = 3
    sample.set_field("blur", None)
    assert (sample["brightness"], sample.sharpness, sample.blur) == (0.25, 3, None)
    assert sample.field_names == ("id", "filepath", "tags", "metadata", "brightness", "sharpness", "blur")
    assert "sharpness" in sample
    assert sample.has_field("blur")
    assert not sample.has_field("nothing")
    assert dict(sample.iter_fields())["sharpness"] == 3
    assert (sample.filename, sample.media_type) == ("1.png", "image")


def test_a_sample_of_a_dataset_has_all_its_fields(filled):
    filled.add_sample(sc.Sample("/2.png"))
    sample = filled.last()
    assert (sample.score, sample.gt, sample.tags, sample.metadata) == (None, None, [], None)
    assert set(sample.field_names) == set(filled.get_field_schema())


def test_unknown_fields_are_named_with_the_nearest():
    sample = sc.Sample("/1.png", brightness=0.5)
    with pytest.raises(AttributeError, match=r"no field 'brightnes'.*Did you mean 'brightness'"):
        _ = sample.brightnes
    with pytest.raises(KeyError, match="no field 'brightnes'"):
        _ = sample["brightnes"]
    with pytest.raises(FieldNotFoundError):
        sample.get_field("brightnes")
    assert getattr(sample, "brightnes", 7) == 7


def test_nested_values_are_read_by_path(filled):
    sample = filled.first()
    assert sample["gt.label"] == "cat"
    assert sample["facts.x"] == 1
    assert sample["metadata.width"] == 4
    with pytest.raises(FieldNotFoundError):
        _ = sample["gt.lable"]
    with pytest.raises(KeyError):
        _ = sample["facts.z"]


def test_a_field_is_cleared_by_deleting_it(filled):
    sample = filled.first()
    del sample.score
    del sample["gt"]
    sample.clear_field("words")
    with pytest.raises(FieldNotFoundError):
        del sample["nothing"]
    sample.save()
    again = filled.first()
    assert (again.score, again.gt, again.words) == (None, None, None)
    assert len(filled.exists("score")) == 0


@pytest.mark.parametrize("name", ["a b", "_x", "1st", "a.b", "save", "$x", ""])
def test_names_that_cannot_be_used_are_refused(name):
    sample = sc.Sample("/1.png")
    with pytest.raises(SchemaError):
        sample[name] = 1


def test_what_a_sample_is_cannot_be_set():
    sample = sc.Sample("/1.png")
    with pytest.raises(SchemaError, match="id is given by its dataset"):
        sample["id"] = "a" * 24
    for name in ("id", "in_dataset", "dataset", "filename", "media_type"):
        with pytest.raises(AttributeError):
            setattr(sample, name, 1)


def test_every_public_name_of_a_sample_is_refused_as_a_field():
    sample = sc.Sample("/1.png")
    names = {name for name in dir(sc.Sample) if not name.startswith("_")} - set(sample.field_names)
    for name in names:
        with pytest.raises((SchemaError, AttributeError)):
            sample[name] = 1
    assert len(names) > 10


@pytest.mark.parametrize("value", [object(), b"bytes", {1: 2}, {"a.b": 1}, {"$x": 1}, [object()], 2**63, {"": 0}])
def test_values_that_cannot_be_stored_are_refused_at_once(value):
    with pytest.raises(SchemaError):
        sc.Sample("/1.png", x=value)
    sample = sc.Sample("/1.png")
    with pytest.raises(SchemaError):
        sample.x = value


def test_a_value_of_the_wrong_kind_is_refused_at_once(filled):
    sample = filled.first()
    for name, value in (
        ("score", "high"), ("n", "1"), ("n", True), ("gt", boxes()), ("tags", "one"), ("tags", [1]),
        ("metadata", {"a": 1}), ("words", "one"), ("words", [1]), ("facts", 5), ("filepath", 5), ("filepath", ""),
        ("filepath", None),
    ):  # fmt: skip
        with pytest.raises(SchemaError):
            sample[name] = value
    sample.save()
    assert filled.first().to_dict() == sample.to_dict()


def test_numpy_and_tuples_become_plain_values(dataset):
    dataset.add_sample(sc.Sample("/1.png", a=np.float32(0.5), b=np.int64(3), c=(1, 2), d=np.bool_(True)))
    dataset.add_sample(sc.Sample("/2.png", e={"x": np.float64(1)}, f={"b", "a"}))
    sample = dataset.first()
    assert (sample.a, sample.b, sample.c, sample.d) == (0.5, 3, [1, 2], True)
    assert (dataset.last().e, dataset.last().f) == ({"x": 1.0}, ["a", "b"])
    assert [type(value) for value in (sample.a, sample.b, sample.d)] == [float, int, bool]


def test_dates_come_back_in_utc_to_the_millisecond(dataset):
    here = datetime(2024, 5, 1, 12, 0, 0, 123456).astimezone()
    dataset.add_sample(sc.Sample("/1.png", when=here, naive=datetime(2024, 5, 1, 12)))
    sample = dataset.first()
    assert sample.when == here.replace(microsecond=123000)
    assert sample.when.tzinfo is not None
    assert sample.naive == datetime(2024, 5, 1, 12, tzinfo=UTC)


def test_filepath_tags_and_metadata_can_be_changed(filled, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sample = filled.first()
    sample.filepath = "moved.png"
    sample.tags = ("b", "a", "b")
    sample.metadata = sc.Metadata(size_bytes=5)
    sample.save()
    again = filled[str(tmp_path / "moved.png")]
    assert again.filepath == os.path.join(tmp_path, "moved.png")
    assert again.tags == ["b", "a"]
    assert again.metadata == sc.Metadata(size_bytes=5)


def test_created_at_is_when_the_sample_was_added(filled):
    assert sc.Sample("/1.png").created_at is None
    assert abs(filled.first().created_at - datetime.now(UTC)) < timedelta(minutes=1)


def test_repr_shows_the_fields_and_html_the_picture(filled, photos):
    text = repr(filled.first())
    assert text.startswith("<Sample: {\n    'id': '")
    assert "'score': 0.5" in text
    assert "'label': 'cat'" in text
    html = sc.Sample(str(photos / "img1.png"))._repr_html_()
    assert "data:image/webp" in html


# --- other forms ------------------------------------------------------------------------------------------------------


def test_a_copy_is_independent_and_in_no_dataset(filled):
    sample = filled.first()
    copy = sample.copy()
    assert (copy.id, copy.in_dataset) == (None, False)
    assert copy.gt.id != sample.gt.id
    assert copy.gt.label == "cat"
    copy.words.append("three")
    copy.gt.label = "dog"
    copy.facts["y"].append(5)
    assert (sample.words, sample.gt.label, sample.facts) == (["one", "two"], "cat", {"x": 1, "y": [1]})
    filled.add_sample(copy)
    assert filled.values("gt.label") == ["cat", "dog"]


def test_a_copy_takes_or_leaves_fields(filled):
    sample = filled.first()
    some = sample.copy(fields=["score", "tags"])
    assert (some.filepath, some.score, some.tags) == ("/1.png", 0.5, ["a"])
    assert not some.has_field("gt")
    assert not sample.copy(omit_fields=["gt", "pred"]).has_field("gt")


def test_to_dict_holds_set_fields_as_json(filled):
    filled.add_sample(sc.Sample("/2.png"))
    assert filled.last().to_dict() == {"filepath": "/2.png", "tags": []}
    content = filled.first().to_dict()
    assert json.loads(json.dumps(content)) == content
    assert (content["score"], content["gt"]["label"]) == (0.5, "cat")
    again = sc.Sample.from_dict(content)
    assert again.to_dict() == content
    assert sc.Sample.from_json(filled.first().to_json(pretty_print=True)).to_dict() == content


def test_from_dict_needs_a_filepath():
    with pytest.raises(SchemaError, match=r"needs a 'filepath'\. Keys: file_path"):
        sc.Sample.from_dict({"file_path": "/1.png"})
