"""A vector for every object, on its label; each image is read once for all of its labels."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import saccade as sc
import saccade.brain as scb
from saccade.brain.models import streaming
from saccade.brain.operations import patch_embeddings
from saccade.dataset.columns import model_of, read_vectors
from saccade.dataset.errors import FieldKindError, ModelError, SchemaError, SourceUnavailableError, UnreadableMediaError
from saccade.dataset.media.inspection import inspect_image
from tests.brain.conftest import counts

pytestmark = pytest.mark.usefixtures("database")

LEFT, RIGHT, TOP = [0, 0, 0.5, 1], [0.5, 0, 0.5, 1], [0, 0, 1, 0.5]
COLOURS = [(250, 0, 0), (0, 250, 0), (0, 0, 250), (200, 200, 0)]


class MeanColour:
    """The mean colour of what it is shown."""

    version, dim = "1", 3

    def __init__(self, name="mean"):
        self.name = name
        self.shapes = []

    def embed(self, images):
        self.shapes += [image.shape[:2] for image in images]
        return np.array([image.mean(axis=(0, 1)) for image in images], dtype=np.float32)


def boxes(*places):
    return sc.Detections(detections=[sc.Detection(label=str(n), bounding_box=box) for n, box in enumerate(places)])


@pytest.fixture
def dataset(database, tmp_path):
    """Four images whose left and right halves have colours of their own; the last has no labels."""
    samples = []
    for number, colour in enumerate(COLOURS):
        pixels = np.zeros((6, 8, 3), np.uint8)
        pixels[:, :4], pixels[:, 4:] = colour, [value // 2 for value in colour]
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
        samples.append(sc.Sample(str(tmp_path / f"{number}.png"), objects=boxes(LEFT, RIGHT) if number < 3 else None))
    made = sc.Dataset("halves")
    made.add_samples(samples)
    return made


def vectors(dataset, field="objects", attribute="embedding"):
    return read_vectors(dataset.to_patches(field), f"{field}.{attribute}")[1].tolist()


HALVES = [[float(value) for value in half] for c in COLOURS[:3] for half in (c, [value // 2 for value in c])]


def test_every_label_gets_the_vector_of_the_part_that_it_marks(dataset):
    model = MeanColour()
    run = scb.compute_patch_embeddings(dataset, model, "objects")
    assert vectors(dataset) == HALVES
    assert model.shapes == [(6, 4)] * 6
    assert counts(run) == {"embedded": 6, "had_vector": 0, "outside": 0, "without_labels": 1, "failed": 0}
    assert (run.key, run.operation) == ("objects_embedding", "patch_embeddings")
    assert model_of(dataset, "objects.detections.embedding") == {
        "name": "mean", "version": "1", "dimension": 3, "regions": "the regions in 'objects'",
    }  # fmt: skip


def test_it_is_compute_embeddings_with_a_field_of_patches_and_a_method_of_the_dataset(dataset):
    scb.compute_embeddings(dataset, MeanColour(), "kept", patches_field="objects")
    assert vectors(dataset, attribute="kept") == HALVES
    dataset.compute_patch_embeddings(MeanColour(), "objects", "other")
    assert vectors(dataset, attribute="other") == HALVES


def test_each_image_is_read_once_and_batches_are_of_objects(dataset, monkeypatch):
    seen, sizes = [], []

    def counted(data, wanted):
        seen.append(data)
        return inspect_image(data, wanted)

    class Watching(MeanColour):
        def embed(self, images):
            sizes.append(len(images))
            return super().embed(images)

    monkeypatch.setattr(streaming, "inspect_image", counted)
    scb.compute_patch_embeddings(dataset, Watching(), "objects", batch_size=4)
    assert len(seen) == 3
    assert max(sizes) <= 4


def test_padding_and_squares_change_what_is_seen(dataset):
    model = MeanColour()
    scb.compute_patch_embeddings(dataset.limit(1), model, "objects", alpha=0.5)
    assert model.shapes[0] == (6, 5)
    squared = MeanColour()
    scb.compute_patch_embeddings(dataset.limit(1), squared, "objects", "squared", force_square=True)
    assert {height == width for height, width in squared.shapes} == {True}


def test_what_is_done_is_kept_and_new_labels_get_theirs(dataset):
    scb.compute_patch_embeddings(dataset, MeanColour(), "objects")
    sample = dataset.first()
    sample["objects"].detections.append(sc.Detection(label="new", bounding_box=TOP))
    sample.save()
    model = MeanColour()
    run = scb.compute_patch_embeddings(dataset, model, "objects")
    assert counts(run) == {"embedded": 1, "had_vector": 6, "outside": 0, "without_labels": 1, "failed": 0}
    assert model.shapes == [(3, 8)]
    assert len(vectors(dataset)) == 7


def test_a_pass_that_is_stopped_goes_on(dataset, monkeypatch):
    monkeypatch.setattr(patch_embeddings, "_WRITE_ROWS", 2)

    class Stopping(MeanColour):
        def embed(self, images):
            if len(self.shapes) >= 4:
                raise KeyboardInterrupt
            return super().embed(images)

    with pytest.raises(KeyboardInterrupt):
        scb.compute_patch_embeddings(dataset, Stopping(), "objects", batch_size=2)
    assert len(vectors(dataset)) == 4
    rest = MeanColour()
    scb.compute_patch_embeddings(dataset, rest, "objects", batch_size=2)
    assert len(rest.shapes) == 2
    assert vectors(dataset) == HALVES


def test_what_was_embedded_before_a_bucket_went_away_is_kept(dataset):
    class Losing(MeanColour):
        def embed(self, images):
            if len(self.shapes) >= 4:
                raise SourceUnavailableError("nothing can be read from s3://gone")
            return super().embed(images)

    with pytest.raises(SourceUnavailableError):
        scb.compute_patch_embeddings(dataset, Losing(), "objects", batch_size=2)
    assert len(vectors(dataset)) == 4


def test_single_labels_and_lines_have_places_too(dataset):
    first = dataset.first()
    first["one"] = sc.Detection(label="x", bounding_box=RIGHT)
    first["lines"] = sc.Polylines(polylines=[sc.Polyline(label="x", points=[[[0.0, 0.0], [0.5, 1.0]]])])
    first.save()
    scb.compute_patch_embeddings(dataset, MeanColour(), "one")
    assert vectors(dataset, "one") == [HALVES[1]]
    scb.compute_patch_embeddings(dataset, MeanColour(), "lines")
    assert vectors(dataset, "lines") == [HALVES[0]]


def test_boxes_outside_of_the_image_get_none(dataset):
    first = dataset.first()
    first["objects"].detections[0].bounding_box = [2, 2, 1, 1]
    first.save()
    run = scb.compute_patch_embeddings(dataset, MeanColour(), "objects")
    assert counts(run)["outside"] == 1
    assert len(vectors(dataset)) == 5


def test_another_model_is_refused_and_replaces_all_with_overwrite(dataset):
    scb.compute_patch_embeddings(dataset, MeanColour(), "objects")
    with pytest.raises(ModelError, match="'mean'"):
        scb.compute_patch_embeddings(dataset, MeanColour("other"), "objects")
    with pytest.raises(ModelError, match="alpha"):
        scb.compute_patch_embeddings(dataset, MeanColour(), "objects", alpha=0.3)

    class Wide(MeanColour):
        dim = 4

        def embed(self, images):
            return np.pad(super().embed(images), ((0, 0), (0, 1)))

    first = dataset.first()
    first["objects"].detections[0].bounding_box = [2, 2, 1, 1]
    first.save()
    scb.compute_patch_embeddings(dataset, Wide("wide"), "objects", overwrite=True)
    assert vectors(dataset) == [[*row, 0.0] for row in HALVES[1:]], "the label outside lost its old vector"
    assert model_of(dataset, "objects.detections.embedding")["name"] == "wide"


def test_broken_files_are_noted(dataset):
    path = Path(dataset.first().filepath)
    whole = path.read_bytes()
    path.write_bytes(b"no image")
    run = scb.compute_patch_embeddings(dataset, MeanColour(), "objects")
    assert (run.summary()["embedded"], run.summary()["failed"]) == (4, 1)
    assert dataset.first()["objects_embedding_error"] == "the file is text, not an image"
    with pytest.raises(UnreadableMediaError, match=r"0\.png"):
        scb.compute_patch_embeddings(dataset, MeanColour(), "objects", skip_failures=False)
    path.write_bytes(whole)
    scb.compute_patch_embeddings(dataset, MeanColour(), "objects")
    assert dataset.first()["objects_embedding_error"] is None
    assert vectors(dataset) == HALVES


def test_bad_input_is_refused_before_anything_is_done(dataset):
    dataset.set_values("number", [1, 2, 3, 4])
    with pytest.raises(FieldKindError, match=r"'number' holds .*; patches_field works on Detection"):
        scb.compute_patch_embeddings(dataset, MeanColour(), "number")
    with pytest.raises(SchemaError, match="alpha"):
        scb.compute_patch_embeddings(dataset, MeanColour(), "objects", alpha=-1)
    with pytest.raises(SchemaError, match="handle_missing"):
        scb.compute_patch_embeddings(dataset, MeanColour(), "objects", handle_missing="image")
    with pytest.raises(SchemaError, match="1 samples have no labels"):
        scb.compute_patch_embeddings(dataset, MeanColour(), "objects", handle_missing="error")
    assert not scb.compute_patch_embeddings(dataset.limit(0), MeanColour(), "objects").summary()["embedded"]


def test_deleting_the_run_takes_the_vectors_away_and_leaves_the_labels(dataset):
    scb.compute_patch_embeddings(dataset, MeanColour(), "objects")
    dataset.delete_run("objects_embedding")
    assert dataset.values("objects.detections.label") == [["0", "1"]] * 3 + [None]
    assert len(dataset.to_patches("objects")) == 6
    assert "objects.detections.embedding" not in dataset.get_field_schema(flat=True)


def test_views_embed_their_own_samples(dataset):
    scb.compute_patch_embeddings(dataset.skip(1).limit(1), MeanColour(), "objects")
    assert vectors(dataset) == HALVES[2:4]
