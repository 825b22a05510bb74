"""Embedding a dataset: every image once, what is done is kept, and what fails is noted where it can be found."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import saccade as sc
import saccade.brain as scb
from saccade.brain.models.builtin import BuiltinModel
from saccade.brain.models.callable import CallableModel
from saccade.brain.operations import media_pass
from saccade.dataset.columns import model_of, read_vectors
from saccade.dataset.errors import FieldKindError, ModelError, UnreadableMediaError, WrongOutputShapeError
from saccade.dataset.media.image import decode_image
from tests.brain.conftest import counts

pytestmark = pytest.mark.usefixtures("database")


class Counting:
    """A model that remembers what it was asked for."""

    name, version, dim = "counting", "1", 3

    def __init__(self):
        self.seen = 0

    def embed(self, images):
        self.seen += len(images)
        return np.array([image.mean(axis=(0, 1)) for image in images], dtype=np.float32)


class Stopping(Counting):
    """The same, stopped after some images as by Ctrl-C."""

    def __init__(self, after):
        super().__init__()
        self.after = after

    def embed(self, images):
        if self.seen >= self.after:
            raise KeyboardInterrupt
        return super().embed(images)


@pytest.fixture
def dataset(database, image_files):
    return sc.Dataset.from_images(image_files, name="blocks", progress=False)


def test_every_image_gets_the_vector_of_its_own_pixels(dataset):
    scb.compute_embeddings(dataset)
    for sample in dataset:
        expected = described(sample.filepath)
        np.testing.assert_array_equal(sample["embedding"], expected)
    assert model_of(dataset, "embedding") == {"name": "builtin", "version": "2", "dimension": 352}


def described(path):
    return BuiltinModel().embed([decode_image(path)])[0]


def test_the_run_says_what_was_done(dataset):
    run = scb.compute_embeddings(dataset, batch_size=4)
    assert (run.key, run.operation, run.state) == ("embedding", "embeddings", "completed")
    assert run.params == {"model": "builtin", "version": "2", "batch_size": 4, "overwrite": False}
    assert counts(run) == {"embedded": 10, "had_vector": 0, "failed": 0}
    assert dataset.get_run_info("embedding").summary() == run.summary()
    assert run.view().count() == 10


def test_a_second_pass_embeds_only_what_is_new(dataset, tmp_path):
    model = Counting()
    scb.compute_embeddings(dataset, model, "colour")
    Image.new("RGB", (5, 5), "red").save(tmp_path / "new.png")
    dataset.add_images([tmp_path / "new.png"])
    run = scb.compute_embeddings(dataset, model, "colour")
    assert counts(run) == {"embedded": 1, "had_vector": 10, "failed": 0}
    assert model.seen == 11
    assert dataset.last()["colour"].tolist() == [255, 0, 0]


def test_a_pass_that_was_stopped_goes_on_where_it_was(dataset, monkeypatch):
    monkeypatch.setattr(media_pass, "_WRITE_ROWS", 4)
    with pytest.raises(KeyboardInterrupt):
        scb.compute_embeddings(dataset, Stopping(after=6), "colour", batch_size=2)
    assert dataset.get_run_info("colour").state == "interrupted"
    assert len(dataset.exists("colour")) == 4
    rest = Counting()
    run = scb.compute_embeddings(dataset, rest, "colour", batch_size=2)
    assert run.summary()["had_vector"] == 4
    assert rest.seen == 6
    assert len(dataset.exists("colour")) == 10


def test_broken_and_missing_files_are_noted_on_their_samples_and_in_the_run(dataset):
    broken, missing = dataset.values("filepath")[3:5]
    Path(broken).write_bytes(b"no image")
    Path(missing).unlink()
    run = scb.compute_embeddings(dataset)
    assert (run.state, run.summary()["embedded"], run.summary()["failed"]) == ("completed", 8, 2)
    assert run.summary()["failures"] == [
        f"{broken}: the file is text, not an image",
        f"{missing}: the file does not exist",
    ]
    assert dataset.exists("embedding_error").values("filepath") == [broken, missing]
    assert dataset[missing]["embedding_error"] == "the file does not exist"
    assert dataset[missing]["embedding"] is None


def test_a_repaired_file_is_embedded_next_time_and_its_note_removed(dataset):
    path = dataset.first().filepath
    picture = Path(path).read_bytes()
    Path(path).write_bytes(b"")
    scb.compute_embeddings(dataset)
    assert len(dataset.exists("embedding_error")) == 1
    Path(path).write_bytes(picture)
    run = scb.compute_embeddings(dataset)
    assert counts(run) == {"embedded": 1, "had_vector": 9, "failed": 0}
    assert len(dataset.exists("embedding_error")) == 0
    assert len(dataset.exists("embedding")) == 10


def test_a_failure_is_an_error_when_it_must_not_be_skipped(dataset):
    path = dataset.last().filepath
    Path(path).unlink()
    with pytest.raises(UnreadableMediaError, match=rf"{path}: the file does not exist\. Pass skip_failures=True"):
        scb.compute_embeddings(dataset, skip_failures=False)
    assert dataset.get_run_info("embedding").state == "failed"


def test_only_the_samples_of_a_view_are_embedded(dataset):
    scb.compute_embeddings(dataset.limit(3))
    assert len(dataset.exists("embedding")) == 3


def test_another_model_is_refused_before_it_embeds_anything(dataset):
    scb.compute_embeddings(dataset.limit(5), Counting(), "colour")
    other = Counting()
    other.version = "2"
    with pytest.raises(ModelError, match=r"'counting' \(version 1\), not of 'counting' \(version 2\)"):
        scb.compute_embeddings(dataset, other, "colour")
    assert other.seen == 0
    with pytest.raises(ModelError, match=r"holds vectors of model '.*' \(version .*\), not of 'builtin'"):
        scb.compute_embeddings(dataset, "builtin", "colour")
    assert len(dataset.exists("colour")) == 5


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_field_of_another_kind_is_refused_and_keeps_its_values(overwrite, dataset):
    dataset.set_values("note", ["a"] + [None] * (len(dataset) - 1))
    for field in ("filepath", "tags", "note"):
        before = dataset.values(field)
        with pytest.raises(FieldKindError, match=field):
            scb.compute_embeddings(dataset, "builtin", field, overwrite=overwrite)
        assert dataset.values(field) == before
        assert not dataset.has_field(f"{field}_error")


def test_overwriting_replaces_another_models_vectors_on_all_samples(dataset):
    scb.compute_embeddings(dataset, Counting(), "vectors")
    gone = dataset.last().filepath
    Path(gone).unlink()
    run = scb.compute_embeddings(dataset, "builtin", "vectors", overwrite=True)
    assert run.summary()["embedded"] == 9
    assert read_vectors(dataset, "vectors")[1].shape == (9, 352)
    assert model_of(dataset, "vectors")["name"] == "builtin"
    assert dataset[gone]["vectors"] is None


def test_overwriting_a_part_with_another_model_is_refused(dataset):
    scb.compute_embeddings(dataset, Counting(), "vectors")
    with pytest.raises(ModelError, match="for all samples with overwrite=True"):
        scb.compute_embeddings(dataset.limit(4), "builtin", "vectors", overwrite=True)
    assert read_vectors(dataset, "vectors")[1].shape == (10, 3)


def test_functions_are_models(dataset):
    scb.compute_embeddings(dataset, lambda images: [[image.shape[0], 1.0] for image in images], "height")
    assert dataset.first()["height"].tolist() == [24, 1]


def test_a_model_of_the_wrong_shape_fails_the_run_and_leaves_no_field(dataset):
    model = CallableModel(lambda images: np.zeros((len(images), 7, 7, 8)), name="my-net")
    with pytest.raises(WrongOutputShapeError, match=r"'my-net' returned shape \(10, 7, 7, 8\), float32, for 10 images"):
        scb.compute_embeddings(dataset, model, "maps")
    run = dataset.get_run_info("maps")
    assert run.state == "failed"
    assert "WrongOutputShapeError" in run.message
    assert not dataset.has_field("maps")


def test_an_empty_dataset_has_nothing_to_embed(database):
    run = scb.compute_embeddings(sc.Dataset("empty"))
    assert counts(run) == {"embedded": 0, "had_vector": 0, "failed": 0}


def test_progress_is_reported_to_a_function(dataset):
    seen = []
    scb.compute_embeddings(dataset, batch_size=4, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(4, 10), (8, 10), (10, 10)]


def test_a_batch_of_no_images_is_refused(dataset):
    with pytest.raises(ModelError, match="batch_size=0 is not a number of images"):
        scb.compute_embeddings(dataset, batch_size=0)
    assert dataset.list_runs() == []
