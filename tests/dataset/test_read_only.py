"""Datasets loaded with `read_only=True`: everything can be read, and whatever would write is refused."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import saccade as sc
import saccade.brain as scb
from saccade.dataset import columns, runs
from saccade.dataset.errors import ReadOnlyError
from saccade.dataset.store import actions
from saccade.dataset.view import DatasetView
from tests.store.forms.write import lines

Write = Callable[[Any], object]


def attribute(name: str, value: Any) -> Write:
    return lambda it: setattr(it, name, value)


def fresh() -> sc.Sample:
    return sc.Sample("/new.png")


def in_context(collection: Any) -> None:
    with collection.save_context() as context:
        for sample in collection:
            sample["score"] = 0.0
            context.save(sample)


BOTH: dict[str, Write] = {
    "compute_embeddings": lambda c: c.compute_embeddings("builtin", "vectors"),
    "compute_metadata": lambda c: c.compute_metadata(),
    "compute_patch_embeddings": lambda c: c.compute_patch_embeddings("builtin", "boxes", "vectors"),
    "delete_brain_run": lambda c: c.delete_brain_run("uniqueness"),
    "delete_brain_runs": lambda c: c.delete_brain_runs(),
    "delete_labels": lambda c: c.delete_labels(tags=["old"]),
    "delete_run": lambda c: c.delete_run("uniqueness"),
    "delete_runs": lambda c: c.delete_runs(),
    "merge_labels": lambda c: c.merge_labels("boxes", "cars"),
    "set_label_values": lambda c: c.set_label_values(
        "boxes.detections.new", dict.fromkeys(c.values("boxes.detections.id", unwind=True), 1)
    ),
    "update_samples": lambda c: c.update_samples(lambda sample: sample.set_field("score", 7.0), skip_failures=False),
    "clear": lambda c: c.clear(),
    "clear_sample_field": lambda c: c.clear_sample_field("score"),
    "clear_sample_fields": lambda c: c.clear_sample_fields(["score"]),
    "clone_sample_field": lambda c: c.clone_sample_field("score", "again"),
    "clone_sample_fields": lambda c: c.clone_sample_fields({"score": "again"}),
    "classes": attribute("classes", {"weather": ["sun"]}),
    "default_classes": attribute("default_classes", ["sun"]),
    "default_mask_targets": attribute("default_mask_targets", {1: "cat"}),
    "default_skeleton": attribute("default_skeleton", sc.KeypointSkeleton(labels=["left"])),
    "description": attribute("description", "new"),
    "info": attribute("info", {"new": 1}),
    "mask_targets": attribute("mask_targets", {"masks": {1: "cat"}}),
    "skeletons": attribute("skeletons", {"points": sc.KeypointSkeleton(labels=["left"])}),
    "tags": attribute("tags", ["new"]),
    "rename_brain_run": lambda c: c.rename_brain_run("uniqueness", "u"),
    "rename_run": lambda c: c.rename_run("uniqueness", "u"),
    "save_context": in_context,
    "set_values": lambda c: c.set_values("score", [0.0] * len(c)),
    "sort_by_similarity": lambda c: c.sort_by_similarity([1.0, 0.0], dist_field="near"),
    "split_labels": lambda c: c.split_labels("boxes", "cars"),
    "tag_labels": lambda c: c.tag_labels("new"),
    "tag_samples": lambda c: c.tag_samples("new"),
    "untag_labels": lambda c: c.untag_labels("old"),
    "untag_samples": lambda c: c.untag_samples("even"),
}
"""What writes on datasets and on views, each with a use that would change something."""

DATASET: dict[str, Write] = {
    **BOTH,
    "add_collection": lambda d: d.add_collection(sc.load_dataset("other")),
    "add_columns": lambda d: d.add_columns({"filepath": ["/new.png"]}),
    "add_datasource": lambda d: d.add_datasource(Path(sc.load_dataset("other").first().filepath).parent),
    "add_dir": lambda d: d.add_dir(str(Path(sc.load_dataset("other").first().filepath).parent)),
    "add_dynamic_sample_fields": lambda d: d.add_dynamic_sample_fields(),
    "add_images": lambda d: d.add_images(["/new.png"]),
    "add_images_dir": lambda d: d.add_images_dir(str(Path(sc.load_dataset("other").first().filepath).parent)),
    "add_images_patt": lambda d: d.add_images_patt(sc.load_dataset("other").first().filepath),
    "add_videos": lambda d: d.add_videos(["/new.mp4"]),
    "add_videos_dir": lambda d: d.add_videos_dir(str(Path(sc.load_dataset("other").first().filepath).parent)),
    "add_videos_patt": lambda d: d.add_videos_patt(sc.load_dataset("other").first().filepath),
    "add_sample": lambda d: d.add_sample(fresh()),
    "add_sample_field": lambda d: d.add_sample_field("new", sc.IntField),
    "add_samples": lambda d: d.add_samples([fresh()]),
    "create_index": lambda d: d.create_index("score"),
    "delete": lambda d: d.delete(),
    "delete_sample_field": lambda d: d.delete_sample_field("score"),
    "delete_sample_fields": lambda d: d.delete_sample_fields(["score"]),
    "delete_samples": lambda d: d.delete_samples(d.first().id),
    "delete_selection": lambda d: d.delete_selection("best"),
    "delete_saved_view": lambda d: d.delete_saved_view("some"),
    "delete_saved_views": lambda d: d.delete_saved_views(),
    "drop_index": lambda d: d.drop_index("count"),
    "merge_sample": lambda d: d.merge_sample(fresh()),
    "merge_samples": lambda d: d.merge_samples([fresh()]),
    "rename_sample_field": lambda d: d.rename_sample_field("score", "mark"),
    "rename_sample_fields": lambda d: d.rename_sample_fields({"score": "mark"}),
    "save": lambda d: d.save(),
    "save_view": lambda d: d.save_view("more", d.limit(1)),
    "undo": lambda d: d.undo(),
    "update_saved_view_info": lambda d: d.update_saved_view_info("some", {"color": "#ff0000"}),
    "name": attribute("name", "avenue"),
    "persistent": attribute("persistent", False),
}
"""What writes on datasets."""

VIEW: dict[str, Write] = {
    **BOTH,
    "keep": lambda v: v.keep(),
    "keep_fields": lambda v: v.select_fields("score").keep_fields(),
    "save": lambda v: v.set_field("score", sc.F("score") + 1).save(),
}
"""What writes on views."""

SAMPLE: dict[str, Write] = {"save": lambda s: (s.set_field("score", 7.0), s.save())}
"""What writes on samples."""

READS = {
    "add_stage", "aggregate", "bounds", "clear_field", "clone", "concat", "copy", "count", "count_label_tags",
    "count_sample_tags", "count_values", "created_at", "dataset", "dataset_name", "datasources", "deleted", "distinct",
    "exclude", "exclude_by", "exclude_fields", "exclude_labels", "exists", "field_names", "filename",
    "filter_field", "filter_labels", "first", "from_datasource", "from_dict", "from_dir", "from_images",
    "from_images_dir", "from_images_patt", "from_json", "from_videos", "from_videos_dir", "from_videos_patt",
    "get_brain_info", "get_classes", "get_dynamic_field_schema", "get_field",
    "get_field_revisions", "get_field_schema", "get_index_information", "get_mask_targets", "get_run_info",
    "get_saved_view_info", "get_skeleton", "group_by", "has_brain_run", "has_brain_runs", "has_classes",
    "has_field", "has_mask_targets", "has_run", "has_runs", "has_sample_field", "has_saved_view",
    "has_saved_views", "has_skeleton", "head", "histogram_values", "history", "id", "in_dataset", "is_saved",
    "iter_batches", "iter_fields", "iter_samples",
    "last", "last_modified_at", "limit", "limit_labels", "list_brain_runs",
    "list_indexes", "list_runs", "list_saved_views", "list_selections", "list_view_stages",
    "load_brain_results", "load_brain_view", "load_run", "load_run_view", "load_saved_view", "load_selection",
    "make_unique_field_name", "map_labels", "map_samples",
    "map_values", "match", "match_labels", "match_tags", "max", "mean", "media_type", "min", "mongo", "name",
    "one", "quantiles", "read_only", "reload", "schema", "select", "select_by", "select_fields", "select_labels",
    "set_field", "shuffle", "skip", "sort_by", "stages", "stats", "std", "sum", "summary", "tail", "take",
    "to_dict", "to_json", "to_patches", "validate_field_type", "validate_fields_exist", "values", "view",
    "view_from_dict", "write_json",
}  # fmt: skip
"""What reads, or makes another dataset, or changes a sample in hand until it is saved."""


@pytest.fixture(scope="module")
def stored(server: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A database with a dataset of everything that can be changed, and another one."""
    from PIL import Image

    from saccade.dataset.store import connection

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SACCADE_DATABASE_NAME", "test_read_only")
        folder = tmp_path_factory.mktemp("photos")
        Image.new("RGB", (4, 4)).save(folder / "1.png")
        (folder / "1.mp4").touch()
        sc.Dataset.from_images_dir(folder, name="other")
        fill(sc.Dataset("street"))
        yield connection.database()
        connection.database().client.drop_database("test_read_only")


def fill(dataset: sc.Dataset) -> None:
    for number in range(6):
        box = sc.Detection(label="car", bounding_box=[0, 0, 0.5, 0.5], tags=["old"], angle=number)
        sample = sc.Sample(f"/{number}.png", tags=["even"] if number % 2 == 0 else [], count=number, score=number / 2)
        sample["boxes"] = sc.Detections(detections=[box])
        sample["weather"] = sc.Classification(label="rain")
        sample["embedding"] = np.array([number, 1.0], dtype=np.float32)
        dataset.add_sample(sample)
    scb.compute_uniqueness(dataset, embeddings="embedding")
    scb.select(dataset.match_tags("even", bool=False), n_samples=2, tag="best")
    dataset.create_index("count")
    dataset.save_view("some", dataset.match_tags("even"))
    dataset.info, dataset.classes = {"a": 1}, {"weather": ["sun", "rain"]}


def public(*kinds: type) -> set[str]:
    return {name for kind in kinds for name in dir(kind) if not name.startswith("_")}


def test_every_public_name_is_known_as_one_that_reads_or_as_one_that_writes():
    """Whoever adds a method says here whether it writes; if it does, the tests below try it."""
    for kind, writing in ((sc.Dataset, DATASET), (DatasetView, VIEW), (sc.Sample, SAMPLE)):
        assert public(kind) - READS - set(writing) == set()
        assert set(writing) - public(kind) == set()
    assert READS - public(sc.Dataset, DatasetView, sc.Sample) == set()


@pytest.mark.parametrize("name", DATASET)
def test_a_dataset_refuses_to_be_changed(stored, name):
    check_refused(stored, DATASET[name], sc.load_dataset("street", read_only=True))


@pytest.mark.parametrize("name", VIEW)
def test_a_view_refuses_to_change_its_dataset(stored, name):
    check_refused(stored, VIEW[name], sc.load_dataset("street", read_only=True).match_tags("even"))


@pytest.mark.parametrize("name", SAMPLE)
def test_a_sample_refuses_to_change_its_dataset(stored, name):
    check_refused(stored, SAMPLE[name], sc.load_dataset("street", read_only=True).first())


def test_computing_and_selecting_is_refused(stored):
    dataset = sc.load_dataset("street", read_only=True)
    check_refused(stored, lambda d: scb.compute_uniqueness(d, embeddings="embedding"), dataset)
    check_refused(stored, lambda d: columns.write_scalars(d, {"score": [1.0] * 6}, d.values("id")), dataset)

    check_refused(stored, lambda d: scb.select(d, n_samples=2, tag="new"), dataset)

    def recorded(dataset: sc.Dataset) -> None:
        with runs.record(dataset, "mine", key="mine"):
            pass

    check_refused(stored, recorded, dataset)


def check_refused(database: Any, write: Write, target: Any) -> None:
    before = lines(database)
    with pytest.raises(ReadOnlyError, match=r"'street' was loaded with read_only=True, and nothing was changed\. Use"):
        write(target)
    assert lines(database) == before


@pytest.mark.parametrize("name", sorted(set(DATASET) - {"persistent", "delete"}))
def test_the_same_use_changes_a_dataset_that_was_loaded_to_be_changed(stored, name):
    """Otherwise the refusal above would prove nothing."""
    dataset = sc.load_dataset("street").clone("clone")
    try:
        before = lines(stored)
        DATASET[name](dataset)
        assert lines(stored) != before
    finally:
        dataset.delete()


def test_everything_can_be_read(stored):
    before = lines(stored)
    dataset, open_one = sc.load_dataset("street", read_only=True), sc.load_dataset("street")
    assert dataset == open_one
    assert dataset.to_dict() == open_one.to_dict()
    assert repr(dataset) == repr(open_one)
    ids, vectors = columns.read_vectors(dataset, "embedding")
    assert (list(ids), vectors.shape) == (open_one.values("id"), (6, 2))
    assert dataset.load_saved_view("some").count() == 3
    assert dataset.get_run_info("uniqueness").state == "completed"
    assert dataset.load_run_view("uniqueness").count() == 6
    assert dataset.bounds("score") == (0, 2.5)
    assert dataset.match(sc.F("count") > 3).values("count") == [4, 5]
    assert dataset.load_selection("best").replay().identical
    assert dataset.first().boxes.detections[0].label == "car"
    assert dataset.stats()["samples_count"] == 6
    dataset.reload()
    assert not dataset.deleted
    assert lines(stored) == before


def test_it_can_be_cloned_and_merged_from_and_exported(stored, tmp_path):
    dataset = sc.load_dataset("street", read_only=True)
    clone = dataset.match_tags("even").clone("evens")
    target = sc.Dataset("target")
    try:
        assert not clone.read_only
        clone.tag_samples("mine")
        assert clone.count_sample_tags() == {"even": 3, "mine": 3}
        target.add_collection(dataset)
        assert len(target) == 6
        dataset.write_json(tmp_path / "street.json")
        assert "car" in (tmp_path / "street.json").read_text()
    finally:
        clone.delete()
        target.delete()


def test_another_handle_of_the_same_dataset_still_writes(stored):
    dataset = sc.load_dataset("street", read_only=True)
    open_one = sc.load_dataset("street")
    open_one.set_values("score", [9.0] * 6)
    assert dataset.values("score") == [9.0] * 6
    open_one.set_values("score", [number / 2 for number in range(6)])
    with pytest.raises(ReadOnlyError):
        dataset.set_values("score", [1.0] * 6)


def test_what_a_dead_writer_left_is_neither_read_nor_undone(database):
    dataset = sc.Dataset("street")
    dataset.add_sample(sc.Sample("/1.png", score=1.0))
    number = actions.next_number(dataset._id)
    actions.open_action(
        dataset._id, number, {"verb": "set_values", "fields": ["score"], "who": "ann", "writer": "saccade-dead-1"},
        actions.claims_of(["score"]),
    )  # fmt: skip
    readable = sc.load_dataset("street", read_only=True)
    with pytest.raises(ReadOnlyError, match=r"set_values was stopped half-way .* Use load_dataset\('street'\)"):
        columns.read_scalars(readable, ["score"])
    assert actions.live_actions(dataset._id) != []
    sc.load_dataset("street")
    assert columns.read_scalars(readable, ["score"])[1] == {"score": [1.0]}


def test_nothing_is_made_for_reading_only(database):
    with pytest.raises(sc.errors.DatasetNotFoundError):
        sc.load_dataset("street", create_if_necessary=True, read_only=True)
    assert sc.load_dataset("street", create_if_necessary=True).name == "street"
    assert sc.load_dataset("street", create_if_necessary=True) == sc.load_dataset("street", reload=True)
    with pytest.raises(PermissionError):
        sc.load_dataset("street", read_only=True).add_sample(fresh())
