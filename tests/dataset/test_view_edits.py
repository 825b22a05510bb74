"""What a view changes on the samples that it shows, and further ways to add images."""

import pytest
from PIL import Image

import saccade as sc
from saccade.dataset.errors import DatasetError, SchemaError


@pytest.fixture
def numbered(dataset) -> sc.Dataset:
    dataset.add_samples([sc.Sample(f"/{n}.png", count=n, box=sc.Classification(label=str(n))) for n in range(4)])
    return dataset


def test_a_view_clears_a_field_of_its_samples(numbered):
    numbered.skip(2).clear_sample_field("count")
    assert numbered.values("count") == [0, 1, None, None]
    numbered.limit(1).clear_sample_fields(["count", "box"])
    assert numbered.values("count") == [None, 1, None, None]
    assert numbered.values("box.label") == [None, "1", "2", "3"]
    with pytest.raises(SchemaError, match="every sample has the field 'filepath'"):
        numbered.limit(1).clear_sample_field("filepath")


def test_a_view_copies_a_field_of_its_samples(numbered):
    numbered.limit(2).clone_sample_fields({"box": "other", "count": "number"})
    assert numbered.values("other.label") == ["0", "1", None, None]
    assert numbered.values("number") == [0, 1, None, None]
    assert numbered.get_field("number") == numbered.get_field("count")


def test_clearing_a_view_deletes_its_samples(numbered):
    numbered.match(sc.F("count") > 1).clear()
    assert numbered.values("count") == [0, 1]


def test_a_run_view_may_show_the_fields_of_the_run_alone(numbered):
    import saccade.brain as scb

    assert not numbered.has_runs
    numbered.add_sample_field("embedding", sc.VectorField)
    numbered.set_values("embedding", [[float(n), 1.0] for n in range(4)])
    scb.compute_uniqueness(numbered.limit(3), embeddings="embedding")
    assert numbered.has_runs
    assert numbered.view().has_brain_runs
    view = numbered.load_brain_view("uniqueness", select_fields=True)
    assert list(view.get_field_schema()) == ["id", "filepath", "tags", "metadata", "embedding", "uniqueness"]
    assert len(view) == len(numbered.load_run_view(run_key="uniqueness")) == 3
    assert numbered.has_brain_run(brain_key="uniqueness")


def test_a_view_is_written_as_json_and_read_as_a_dataset(numbered, tmp_path):
    view = numbered.match(sc.F("count") > 1).select_fields("count").sort_by("count", reverse=True)
    view.write_json(tmp_path / "part.json")
    part = sc.Dataset.from_json(tmp_path / "part.json", name="part")
    assert part.values("count") == [3, 2]
    assert not part.has_field("box")
    assert sc.Dataset.from_json(view.to_json(pretty_print=True), name="again").values("count") == [3, 2]


def test_samples_can_be_added_as_images_and_get_the_tags(dataset):
    ids = dataset.add_images(["/1.png", sc.Sample("/2.png", tags=["mine"], count=3)], tags=["new", "mine"])
    assert dataset.values("id") == ids
    assert dataset.values("tags") == [["new", "mine"], ["mine", "new"]]
    assert dataset.values("count") == [None, 3]


def test_images_are_added_by_folder_and_by_pattern(dataset, photos):
    dataset.add_images_dir(photos, tags="a", recursive=False)
    assert len(dataset) == 3
    ids = dataset.add_images_patt(photos / "**" / "img1*.png", tags="b")
    assert len(ids) == 3
    shown = dataset.match_tags("b").values("filepath", transform=lambda path: path[len(str(photos)) + 1 :])
    assert shown == ["img1.png", "img10.png", "trip/img1.png"]
    with pytest.raises(DatasetError, match=r"no file matches .*\.gif'\. Check the pattern"):
        dataset.add_images_patt(str(photos / "*.gif"))
    made = sc.Dataset.from_images_patt(photos / "img?.png", name="made", tags=["c"])
    assert (len(made), made.count_sample_tags()) == (2, {"c": 2})


def test_patterns_find_files_alone(dataset, tmp_path):
    (tmp_path / "folder.png").mkdir()
    Image.new("L", (2, 2)).save(tmp_path / "1.png")
    assert len(dataset.add_images_patt(tmp_path / "*.png")) == 1
