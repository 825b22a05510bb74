"""Regions of interest: only a part of an image counts, for every verb that compares images."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import saccade as sc
import saccade.brain as scb
from saccade.brain.kernels.neighbors import nearest_neighbors
from saccade.brain.kernels.uniqueness import nearest_uniqueness
from saccade.brain.models import streaming
from saccade.brain.models.builtin import BuiltinModel
from saccade.dataset.columns import model_of, read_vectors
from saccade.dataset.errors import (
    FieldKindError,
    FieldNotFoundError,
    ModelError,
    SchemaError,
    UndoError,
    UnreadableMediaError,
)
from saccade.dataset.media.image import decode_image
from saccade.dataset.media.inspection import inspect_image
from tests.brain.conftest import counts

pytestmark = pytest.mark.usefixtures("database")

RED, BLUE, GREEN = (255, 0, 0), (0, 0, 255), (0, 255, 0)
LEFT, RIGHT = [0.0, 0.0, 0.5, 1.0], [0.5, 0.0, 0.5, 1.0]


class MeanColour:
    """The mean colour of an image, which can be worked out by hand; it remembers the sizes that it was given."""

    name, version, dim = "mean colour", "1", 3

    def __init__(self):
        self.sizes = []

    def embed(self, images):
        self.sizes += [image.shape[:2] for image in images]
        return np.array([image.mean(axis=(0, 1)) for image in images], dtype=np.float32)


def halves(path: Path, left, right, size=(8, 4)) -> str:
    """Save an image of two colours."""
    image = Image.new("RGB", size, left)
    image.paste(right, (size[0] // 2, 0, *size))
    image.save(path)
    return str(path)


def boxes(*found):
    return sc.Detections(detections=[sc.Detection(label="thing", bounding_box=box) for box in found])


@pytest.fixture
def dataset(database, tmp_path):
    """Red and blue with regions in: the red half, the blue one, both, none; and one that is all red."""
    made = sc.Dataset("halves")
    paths = [halves(tmp_path / f"{i}.png", RED, BLUE) for i in range(4)] + [halves(tmp_path / "4.png", RED, RED)]
    regions = [boxes(LEFT), boxes(RIGHT), boxes(LEFT, RIGHT), boxes(), None]
    made.add_samples([
        sc.Sample(filepath=path, regions=region) if region is not None else sc.Sample(filepath=path)
        for path, region in zip(paths, regions, strict=True)
    ])  # fmt: skip
    return made


def vectors_of(dataset, **arguments):
    scb.compute_uniqueness(dataset, roi_field="regions", embeddings="kept", **arguments)
    return read_vectors(dataset, "kept")[1]


def test_the_vector_of_an_image_is_the_mean_over_its_regions_and_without_any_of_the_whole(dataset):
    purple = [127.5, 0, 127.5]
    assert vectors_of(dataset, model=MeanColour()).tolist() == [[*RED], [*BLUE], purple, purple, [*RED]]


def test_a_region_of_one_colour_has_the_vector_of_an_image_of_that_colour(dataset, tmp_path):
    Image.new("RGB", (4, 4), RED).save(tmp_path / "red.png")
    expected = BuiltinModel().embed([decode_image(tmp_path / "red.png")])[0]
    found = vectors_of(dataset)
    np.testing.assert_array_equal(found[0], expected)
    np.testing.assert_array_equal(found[4], expected)
    assert np.linalg.norm(found, axis=1) == pytest.approx(1)


def test_a_region_of_the_same_as_another_image_is_a_copy_of_it(dataset):
    scb.compute_uniqueness(dataset, roi_field="regions", model=MeanColour())
    scores = dataset.values("uniqueness")
    assert scores[0] == scores[4] == 0
    assert scores[2] == scores[3] == 0
    assert scores[1] > 0


def test_vectors_are_not_kept_without_a_name(dataset):
    run = scb.compute_uniqueness(dataset, "uniqueness", "regions", model=MeanColour())
    assert set(dataset.get_field_schema()) == {"id", "filepath", "tags", "metadata", "regions", "uniqueness"}
    assert dataset.list_runs() == ["uniqueness"]
    assert run.reads == ["filepath", "regions"]
    assert run.params["embeddings"] == "(regions)"
    assert (run.params["roi_field"], run.params["model"], run.params["alpha"]) == ("regions", "mean colour", None)
    assert run.summary()["whole_images"] == 2
    first = dataset.values("uniqueness")
    scb.compute_uniqueness(dataset, roi_field="regions", model=MeanColour())
    assert dataset.values("uniqueness") == first
    assert dataset.list_runs() == ["uniqueness"]


def test_kept_vectors_are_not_computed_again_and_new_samples_get_theirs(dataset, tmp_path):
    model = MeanColour()
    scb.compute_uniqueness(dataset, roi_field="regions", embeddings="kept", model=model)
    assert len(model.sizes) == 6
    run = scb.compute_uniqueness(dataset, roi_field="regions", embeddings="kept", model=model)
    scb.compute_uniqueness(dataset, roi_field="regions", embeddings="kept")  # the model is not known by name
    assert len(model.sizes) == 6
    assert run.params["embeddings"] == "kept"
    assert model_of(dataset, "kept") == {
        "name": "mean colour", "version": "1", "dimension": 3, "regions": "the regions in 'regions'",
    }  # fmt: skip
    dataset.add_samples([sc.Sample(filepath=halves(tmp_path / "new.png", GREEN, RED), regions=boxes(LEFT))])
    scb.compute_uniqueness(dataset, roi_field="regions", embeddings="kept", model=model)
    assert len(model.sizes) == 7
    assert dataset.last()["kept"].tolist() == [*GREEN]
    assert counts(dataset.get_run_info("kept")) == {
        "embedded": 1, "had_vector": 5, "failed": 0, "whole_images": 0, "regions_outside": 0,
    }  # fmt: skip


def test_the_built_in_model_goes_on_with_what_is_missing(dataset):
    scb.compute_uniqueness(dataset.limit(2), roi_field="regions", embeddings="kept")
    assert dataset.count("kept") == 2
    scb.compute_uniqueness(dataset, roi_field="regions", embeddings="kept")
    assert dataset.count("kept") == 5


def test_vectors_of_whole_images_of_other_regions_and_models_are_not_taken_for_these(dataset):
    scb.compute_embeddings(dataset, MeanColour(), "whole")
    with pytest.raises(ModelError, match="'whole' holds vectors of whole images, not of the regions in 'regions'"):
        scb.compute_uniqueness(dataset, roi_field="regions", embeddings="whole")
    scb.compute_uniqueness(dataset, roi_field="regions", embeddings="kept", model=MeanColour())
    with pytest.raises(ModelError, match=r"the regions in 'regions', not of the regions in 'regions', alpha=0\.5"):
        scb.compute_uniqueness(dataset, roi_field="regions", embeddings="kept", alpha=0.5)
    with pytest.raises(ModelError, match=r"of model 'mean colour' \(version 1\) on the regions in 'regions', not of"):
        scb.compute_embeddings(dataset, MeanColour(), "kept")
    with pytest.raises(ModelError, match=r"of model 'mean colour' .*, not of 'builtin'"):
        scb.compute_uniqueness(dataset, roi_field="regions", embeddings="kept", model="builtin")
    scb.compute_embeddings(dataset, MeanColour(), "kept", overwrite=True)
    assert model_of(dataset, "kept") == {"name": "mean colour", "version": "1", "dimension": 3}
    assert dataset.list_runs() == ["kept", "uniqueness", "whole"]


def test_vectors_that_labels_hold_are_used_and_nothing_is_embedded(dataset):
    regions = dataset.limit(3).to_patches("regions")
    regions.set_values("regions.colour", [np.array(row, dtype=np.float32) for row in [RED, BLUE, GREEN, RED]])
    dataset.set_values("filepath", [f"/gone/{i}.png" for i in range(5)])
    run = scb.compute_uniqueness(dataset, roi_field="regions", embeddings="colour", method="nearest")
    assert dataset.count("uniqueness") == run.summary()["scored"] == 3
    assert run.summary()["without_vector"] == 2
    assert (run.reads, run.params["roi_embeddings"]) == (["regions"], "colour")
    near = nearest_neighbors(np.array([RED, BLUE, [127.5, 127.5, 0]]), 3)[0]  # the third has a green and a red label
    assert dataset.values("uniqueness")[:3] == pytest.approx(nearest_uniqueness(near).tolist())
    with pytest.raises(SchemaError, match="hold vectors 'colour' already, and model was given too"):
        scb.compute_uniqueness(dataset, roi_field="regions", embeddings="colour", model=MeanColour())
    with pytest.raises(SchemaError, match="none of the 2 samples has a label with a vector 'colour'"):
        scb.compute_uniqueness(dataset.skip(3), roi_field="regions", embeddings="colour")


def test_labels_that_a_view_hides_do_not_count(dataset):
    hidden = dataset.filter_labels("regions", sc.F("label") == "nothing", only_matches=False)
    assert vectors_of(hidden, model=MeanColour()).tolist() == [[127.5, 0, 127.5]] * 4 + [[*RED]]


@pytest.mark.parametrize("kind", ["Detection", "Polyline", "Polylines"])
def test_single_detections_and_lines_are_regions_too(database, tmp_path, kind):
    line = sc.Polyline(points=[[[0.5, 0.0], [0.75, 1.0]], [[1.0, 0.5]]])
    region = {
        "Detection": sc.Detection(bounding_box=RIGHT),
        "Polyline": line,
        "Polylines": sc.Polylines(polylines=[line, sc.Polyline()]),
    }[kind]
    made = sc.Dataset("one")
    made.add_samples([sc.Sample(filepath=halves(tmp_path / "a.png", RED, BLUE), regions=region)])
    made.add_samples([sc.Sample(filepath=halves(tmp_path / "b.png", GREEN, GREEN))])
    assert vectors_of(made, model=MeanColour()).tolist() == [[*BLUE], [*GREEN]]


def test_regions_grow_shrink_and_become_squares(database, tmp_path):
    made = sc.Dataset("one")
    path = halves(tmp_path / "a.png", RED, BLUE, (20, 10))
    made.add_samples([sc.Sample(filepath=path, regions=boxes([0.25, 0.25, 0.5, 0.5]))])
    for arguments, size in [
        ({}, (5, 10)),
        ({"alpha": 1.0}, (10, 20)),
        ({"alpha": -0.6}, (2, 4)),
        ({"force_square": True}, (10, 10)),
    ]:
        model = MeanColour()
        scb.compute_uniqueness(made, roi_field="regions", model=model, **arguments)
        assert model.sizes == [size]


def test_regions_at_the_rim_are_cut_those_of_no_size_are_a_pixel_and_those_outside_do_not_count(database, tmp_path):
    made = sc.Dataset("odd")
    regions = [
        boxes([0.75, -1, 5, 5]),
        boxes([0.0, 0.0, 0.0, 0.0]),
        boxes([1.5, 0, 1, 1], LEFT),
        boxes([1.5, 0, 1, 1], [0, -2, 1, 1]),
        sc.Detections(detections=[sc.Detection(label="without a place")]),
    ]
    made.add_samples([
        sc.Sample(filepath=halves(tmp_path / f"{i}.png", RED, BLUE), regions=region) for i, region in enumerate(regions)
    ])  # fmt: skip
    model = MeanColour()
    vectors = vectors_of(made, model=model)
    assert vectors.tolist() == [[*BLUE], [*RED], [*RED], [127.5, 0, 127.5], [127.5, 0, 127.5]]
    assert model.sizes == [(4, 2), (1, 1), (4, 4), (4, 8), (4, 8)]
    summary = made.get_run_info("kept").summary()
    assert (summary["whole_images"], summary["regions_outside"]) == (2, 3)


def test_each_file_is_decoded_once_and_a_batch_is_never_larger_than_asked(dataset, monkeypatch):
    opened, calls = [], []

    def counted(data, wanted):
        opened.append(data)
        return inspect_image(data, wanted)

    class Watching(MeanColour):
        def embed(self, images):
            calls.append(len(images))
            return super().embed(images)

    monkeypatch.setattr(streaming, "inspect_image", counted)
    dataset.set_values("regions", [boxes(*[LEFT] * 7)] * 5)
    scb.compute_uniqueness(dataset, roi_field="regions", model=Watching(), batch_size=4)
    assert sorted(opened) == sorted(Path(path).read_bytes() for path in dataset.values("filepath"))
    assert (sum(calls), max(calls)) == (35, 4)


def test_broken_and_missing_files_are_recorded_and_get_no_score(dataset, tmp_path):
    Path(dataset.first().filepath).write_bytes(b"no image")
    dataset.add_samples([sc.Sample(filepath=str(tmp_path / "gone.png"), regions=boxes(LEFT))])
    run = scb.compute_uniqueness(dataset, roi_field="regions", model=MeanColour())
    assert [score is None for score in dataset.values("uniqueness")] == [True, *[False] * 4, True]
    assert (run.summary()["scored"], run.summary()["failed"]) == (4, 2)
    assert run.summary()["failures"][1] == f"{tmp_path / 'gone.png'}: the file does not exist"
    scb.compute_uniqueness(dataset, roi_field="regions", embeddings="kept", model=MeanColour())
    assert dataset.last()["kept_error"] == "the file does not exist"
    assert dataset.count("kept") == 4


def test_a_failure_is_raised_on_request_and_nothing_is_written(dataset):
    Path(dataset.last().filepath).unlink()
    with pytest.raises(UnreadableMediaError, match=r"4\.png: the file does not exist\. Pass skip_failures=True"):
        scb.compute_uniqueness(dataset, roi_field="regions", skip_failures=False)
    assert dataset.get_run_info("uniqueness").state == "failed"
    assert not dataset.has_field("uniqueness")
    with pytest.raises(UnreadableMediaError, match="does not exist"):
        scb.compute_near_duplicates(dataset, embeddings="whole", model="builtin", skip_failures=False)


def test_where_every_file_fails_the_error_gives_the_reasons(database):
    made = sc.Dataset("gone")
    made.add_samples([sc.Sample(filepath="/gone/1.png", regions=boxes(LEFT))])
    with pytest.raises(SchemaError, match=r"none of the 1 images could be embedded: /gone/1\.png: the file does not"):
        scb.compute_representativeness(made, roi_field="regions")
    with pytest.raises(FieldNotFoundError, match="Field 'kept_error' says why"):
        scb.compute_representativeness(made, roi_field="regions", embeddings="kept")
    assert not made.has_field("representativeness")


def test_a_model_that_gives_nan_for_a_region_has_no_vector_for_the_image(dataset):
    class Blind(MeanColour):
        def embed(self, images):
            return [[np.nan if image[0, 0, 2] else 1.0] for image in images]

    run = scb.compute_uniqueness(dataset, roi_field="regions", model=Blind())
    assert run.summary()["failures"] == [
        f"{path}: model 'mean colour' returned NaN or infinity" for path in dataset.values("filepath")[1:3]
    ]


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_few_samples_are_scored(dataset, count):
    few = dataset.limit(count) if count else sc.Dataset("empty")
    if not count:
        few.add_sample_field("regions", sc.EmbeddedDocumentField, embedded_doc_type=sc.Detections)
    for embeddings in (None, "kept"):
        run = scb.compute_uniqueness(few, roi_field="regions", embeddings=embeddings, model=MeanColour())
        assert run.summary()["scored"] == count


def test_every_verb_takes_regions(dataset):
    model = MeanColour()
    found = scb.compute_near_duplicates(dataset, 0.0, "regions", model=model)
    ids = dataset.values("id")
    assert found.duplicate_ids == [ids[3], ids[4]]
    assert len(found.unique_view()) == 3
    assert scb.compute_representativeness(dataset, roi_field="regions", model=model).summary()["scored"] == 5
    dataset.limit(1).tag_samples("train")
    dataset.skip(1).tag_samples("test")
    leaks = scb.compute_leaky_splits(dataset, ["train", "test"], 0.0, "regions", model=model)
    assert leaks.leak_ids == [ids[0], ids[4]]
    with pytest.raises(SchemaError, match="vectors or views that it does not hold"):
        leaks.leaks_for_sample(ids[0])
    kept = scb.compute_leaky_splits(dataset, ["train", "test"], 0.0, "regions", "kept", model=model)
    assert kept.leaks_for_sample(ids[0]).values("id") == [ids[4]]


def test_regions_are_scored_against_a_reference_where_they_are_kept(dataset):
    run = scb.compute_uniqueness(dataset, roi_field="regions", embeddings="kept", model=MeanColour())
    scb.compute_uniqueness(dataset.limit(1), "again", "regions", "kept", reference=run)
    assert dataset.first()["again"] == dataset.first()["uniqueness"]
    with pytest.raises(SchemaError, match="no field holds the vectors, and the reference has none"):
        scb.compute_uniqueness(dataset, "again", "regions", reference=dataset)
    with pytest.raises(SchemaError, match="embeddings is an array, and the reference has none"):
        scb.compute_uniqueness(dataset, "again", embeddings=np.eye(5), reference=dataset)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"roi_field": "region"}, FieldNotFoundError, "Did you mean 'regions'"),
        ({"roi_field": "filepath"}, FieldKindError, "roi_field works on Detection, Detections, Polyline, Polylines"),
        ({"roi_field": "regions", "alpha": -1}, SchemaError, "alpha=-1 would leave nothing"),
        ({"roi_field": "regions", "alpha": float("inf")}, SchemaError, "alpha=inf"),
        ({"roi_field": "regions", "embeddings": np.eye(5)}, SchemaError, "embeddings is an array"),
        ({"alpha": 0.1}, SchemaError, "Name these by roi_field"),
        ({"force_square": True}, SchemaError, "Name these by roi_field"),
        ({"roi_field": "regions", "batch_size": 0}, ModelError, "batch_size=0"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_recorded(dataset, arguments, error, message):
    with pytest.raises(error, match=message):
        scb.compute_uniqueness(dataset, **arguments)
    assert dataset.list_runs() == []


def test_a_pass_that_is_stopped_writes_nothing_and_says_so(dataset):
    class Stopping(MeanColour):
        def embed(self, images):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scb.compute_uniqueness(dataset, roi_field="regions", model=Stopping())
    assert dataset.get_run_info("uniqueness").state == "interrupted"
    assert not dataset.has_field("uniqueness")


def test_progress_ends_with_all_images_and_all_scores(dataset):
    seen = []
    scb.compute_uniqueness(
        dataset, roi_field="regions", batch_size=2, progress=lambda done, total: seen.append((done, total))
    )
    assert seen.count((5, 5)) == 2
    assert seen[-1] == (5, 5)


def test_undo_does_not_bring_vectors_of_regions_back_among_those_of_whole_images(dataset):
    scb.compute_uniqueness(dataset, roi_field="regions", embeddings="kept", model=MeanColour())
    dataset.delete_sample_field("kept")
    deleted = dataset.history()[0].number
    scb.compute_embeddings(dataset, MeanColour(), "kept")
    with pytest.raises(UndoError, match="for vectors of another model"):
        dataset.undo(deleted)
    assert model_of(dataset, "kept") == {"name": "mean colour", "version": "1", "dimension": 3}
