"""One pass over the files: everything that is asked for, from one read, kept as it goes on."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import saccade as sc
import saccade.brain as scb
from saccade.brain.models import streaming
from saccade.brain.models.builtin import BuiltinModel
from saccade.brain.operations import media_pass
from saccade.dataset.columns import read_vectors
from saccade.dataset.errors import ModelError, SchemaError, UnreadableMediaError
from saccade.dataset.media.image import decode_image
from saccade.dataset.media.inspection import Wanted, inspect_image
from saccade.dataset.media.thumbnails import read_thumbnail, thumbnail_path
from tests.brain.conftest import counts
from tests.media.videos import write_video

pytestmark = pytest.mark.usefixtures("database")

EVERYTHING = {"thumbnails": True, "model": "builtin"}
FIELDS = ["metadata", "lightly", "content_hash", "perceptual_hash", "embedding", "media_error", "embedding_error"]


@pytest.fixture
def dataset(database, image_files):
    return sc.Dataset.from_images(image_files, name="blocks", progress=False)


@pytest.fixture
def read(monkeypatch):
    """What was asked of each file that was read."""
    seen = []

    def counted(data, wanted):
        seen.append(wanted)
        return inspect_image(data, wanted)

    monkeypatch.setattr(streaming, "inspect_image", counted)
    return seen


def known(dataset):
    """All that a pass finds out, by file."""
    return {
        Path(sample.filepath).name: {
            name: (list(map(float, sample[name])) if name == "embedding" else repr(sample[name]))
            for name in FIELDS
            if sample.has_field(name) and sample[name] is not None
        }
        for sample in dataset
    }


def test_everything_comes_from_one_read_of_each_file(dataset, read):
    run = scb.compute_media(dataset, **EVERYTHING)
    assert len(read) == 10
    assert run.state == "completed"
    assert counts(run) == {
        "embedded": 10, "had_vector": 0, "check": 10, "had_check": 0, "metadata": 10, "had_metadata": 0, "quality": 10,
        "had_quality": 0, "thumbnail": 10, "had_thumbnail": 0, "failed": 0,
    }  # fmt: skip
    assert run.summary()["bytes_read"] == sum(Path(path).stat().st_size for path in dataset.values("filepath"))


def test_what_is_found_is_what_the_file_holds(dataset):
    scb.compute_media(dataset, **EVERYTHING)
    for sample in dataset:
        data = Path(sample.filepath).read_bytes()
        expected = inspect_image(data, Wanted(metadata=True, quality=True, hashes=True, thumbnail=256))
        assert sample.metadata == expected.metadata
        assert sample["lightly"] == expected.quality
        assert (sample["content_hash"], sample["perceptual_hash"]) == (expected.content_hash, expected.perceptual_hash)
        assert read_thumbnail(sample["content_hash"], 256) == expected.thumbnail
    assert dataset.first()["content_hash"] == dataset.last()["content_hash"], "the last file is a copy of the first"


def test_alone_or_together_the_result_is_the_same(dataset, image_files):
    scb.compute_media(dataset, **EVERYTHING)
    apart = sc.Dataset.from_images(image_files, name="apart", progress=False)
    scb.compute_thumbnails(apart)
    scb.compute_embeddings(apart)
    scb.check_media(apart)
    scb.compute_quality(apart)
    apart.compute_metadata()
    assert known(apart) == known(dataset)


@pytest.mark.parametrize("workers", [1, 5])
def test_any_number_of_threads_gives_the_same(workers, dataset, image_files):
    scb.compute_media(dataset, **EVERYTHING)
    other = sc.Dataset.from_images(image_files, name="other", progress=False)
    scb.compute_media(other, **EVERYTHING, num_workers=workers, batch_size=3)
    assert known(other) == known(dataset)


def test_what_is_known_is_not_computed_again_and_files_with_all_of_it_are_not_read(dataset, read):
    scb.compute_metadata(dataset)
    scb.compute_embeddings(dataset.limit(4))
    read.clear()
    run = scb.compute_media(dataset, quality=False, check=False, model="builtin")
    assert len(read) == 6
    assert counts(run) == {"embedded": 6, "had_vector": 4, "metadata": 0, "had_metadata": 10, "failed": 0}
    read.clear()
    scb.compute_media(dataset, quality=False, check=False, model="builtin")
    assert read == []


def test_only_what_is_missing_is_written(dataset):
    scb.compute_quality(dataset)
    before = dataset.history()[0].number
    scb.compute_media(dataset, metadata=False)
    written = [action for action in dataset.history() if action.number > before]
    assert {field for action in written for field in action.fields} == {"content_hash", "perceptual_hash"}


def test_a_pass_that_is_stopped_keeps_what_is_done_and_goes_on(dataset, image_files, monkeypatch):
    monkeypatch.setattr(media_pass, "_WRITE_ROWS", 3)
    stopping = iter([False] * 7 + [True] * 99)

    def stopped(data, wanted):
        if next(stopping):
            raise KeyboardInterrupt
        return inspect_image(data, wanted)

    monkeypatch.setattr(streaming, "inspect_image", stopped)
    with pytest.raises(KeyboardInterrupt):
        scb.compute_media(dataset, **EVERYTHING, num_workers=1, batch_size=1)
    assert dataset.get_run_info("media").state == "interrupted"
    assert 3 <= len(dataset.exists("content_hash")) < 10
    monkeypatch.setattr(streaming, "inspect_image", inspect_image)
    scb.compute_media(dataset, **EVERYTHING)
    other = sc.Dataset.from_images(image_files, name="other", progress=False)
    scb.compute_media(other, **EVERYTHING)
    assert known(dataset) == known(other)


def test_broken_files_are_noted_with_what_could_be_found_out(dataset):
    cut, missing, text = map(Path, dataset.values("filepath")[2:5])
    cut.write_bytes(cut.read_bytes()[:-20])
    missing.unlink()
    text.write_text("no image")
    run = scb.compute_media(dataset, **EVERYTHING)
    assert (run.summary()["failed"], run.summary()["embedded"], run.summary()["quality"]) == (3, 7, 7)
    reasons = {Path(sample.filepath): sample["media_error"] for sample in dataset.exists("media_error")}
    assert reasons == {
        cut: "the file is truncated", missing: "the file does not exist", text: "the file is text, not an image",
    }  # fmt: skip
    assert dataset.exists("embedding_error").values("embedding_error") == list(reasons.values())
    assert dataset[str(cut)].metadata.width == 24
    assert dataset[str(cut)]["content_hash"] is not None
    assert dataset[str(missing)]["content_hash"] is None


def test_a_mended_file_loses_its_reason(dataset):
    path = Path(dataset.first().filepath)
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    scb.check_media(dataset)
    assert len(dataset.exists("media_error")) == 1
    path.write_bytes(whole)
    run = scb.check_media(dataset)
    assert counts(run) == {"check": 1, "had_check": 9, "failed": 0}
    assert len(dataset.exists("media_error")) == 0


def test_a_look_at_the_header_alone_takes_no_reason_back(database, tmp_path):
    path = tmp_path / "cut.jpg"
    decoded = np.random.default_rng(51).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    Image.fromarray(decoded).save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] + b"\xff\xd9")  # only who decodes it sees that the half is missing
    dataset = sc.Dataset.from_images([path], name="cut", progress=False)
    scb.check_media(dataset)
    reason = dataset.first()["media_error"]
    assert reason is not None
    dataset.compute_metadata()
    assert dataset.first()["media_error"] == reason
    assert dataset.first().metadata.width == 128
    path.write_bytes(whole)
    dataset.compute_metadata(overwrite=True)
    assert dataset.first()["media_error"] is None


def test_overwriting_looks_at_everything_again_and_clears_what_is_lost(dataset):
    scb.compute_media(dataset, **EVERYTHING)
    path = Path(dataset.first().filepath)
    path.unlink()
    Image.new("RGB", (7, 5), "red").save(dataset.values("filepath")[1])
    scb.compute_media(dataset, **EVERYTHING, overwrite=True)
    first, second = dataset.limit(2)
    assert [first[name] for name in ("metadata", "lightly", "content_hash", "embedding")] == [None] * 4
    assert first["media_error"] == "the file does not exist"
    assert (second.metadata.width, second["lightly"]["width"]) == (7, 7)


def test_nothing_else_in_the_dict_of_figures_is_lost(dataset):
    dataset.set_values("lightly", [{"mine": 1}] * 10)
    scb.compute_quality(dataset)
    assert dataset.first()["lightly"]["mine"] == 1
    assert dataset.first()["lightly"]["width"] == 24


def test_thumbnails_that_were_removed_are_made_again(dataset):
    scb.compute_thumbnails(dataset, size=8)
    first = thumbnail_path(dataset.first()["content_hash"], 8)
    with Image.open(first) as image:
        assert (image.format, image.size) == ("WEBP", (8, 8))
    first.unlink()
    run = scb.compute_thumbnails(dataset, size=8)
    assert first.exists()
    assert counts(run) == {"thumbnail": 2, "had_thumbnail": 8, "failed": 0}, "the copy shared the thumbnail"


def test_the_first_failure_is_an_error_if_failures_are_not_skipped(dataset):
    Path(dataset.values("filepath")[3]).unlink()
    for verb in (scb.compute_metadata, scb.compute_quality, scb.compute_thumbnails, scb.compute_media):
        with pytest.raises(UnreadableMediaError, match=r"3\.png: the file does not exist"):
            verb(dataset, skip_failures=False)


def test_failures_can_be_warned_of(dataset):
    Path(dataset.values("filepath")[3]).unlink()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        dataset.compute_metadata(warn_failures=True)
    assert "1 files failed" in str(caught[0].message)


def test_asking_for_nothing_or_nonsense_is_refused_before_anything_is_done(dataset):
    with pytest.raises(SchemaError, match="nothing is asked for"):
        scb.compute_media(dataset, metadata=False, quality=False, check=False)
    with pytest.raises(SchemaError, match="num_workers"):
        scb.compute_media(dataset, num_workers=-1)
    with pytest.raises(SchemaError, match="thumbnail"):
        scb.compute_thumbnails(dataset, size=0)
    with pytest.raises(ModelError, match="batch_size"):
        scb.compute_media(dataset, model="builtin", batch_size=0)
    assert dataset.list_runs() == []


def test_an_empty_dataset_has_nothing_to_do(database):
    empty = sc.Dataset("empty")
    run = scb.compute_media(empty, **EVERYTHING)
    assert (run.state, run.summary()["bytes_read"]) == ("completed", 0)


def test_a_view_is_all_that_is_looked_at(dataset):
    scb.compute_media(dataset.skip(8))
    assert [value is not None for value in dataset.values("content_hash")] == [False] * 8 + [True] * 2


def test_deleting_the_run_takes_away_what_it_wrote(dataset):
    scb.compute_quality(dataset)
    dataset.delete_run("lightly")
    assert not dataset.has_field("lightly")


def test_videos_and_their_frames_are_looked_at_once(database, tmp_path):
    path = tmp_path / "film.mp4"
    write_video(path, 12)
    dataset = sc.Dataset.from_videos([path], name="films", every=3)
    dataset.add_videos([path])
    run = scb.compute_media(dataset, **EVERYTHING)
    assert run.summary()["failed"] == 1, "a video as a whole has no vector"
    *frames, video = dataset
    assert [frame["frame_number"] for frame in frames] == [1, 4, 7, 10]
    assert len(read_vectors(dataset, "embedding")[0]) == 4
    assert {frame["content_hash"] for frame in frames}.isdisjoint({video["content_hash"]})
    assert len({frame["content_hash"] for frame in frames}) == 4
    assert type(video.metadata).__name__ == "VideoMetadata"
    assert video.metadata.total_frame_count == 12
    assert "add_videos" in video["embedding_error"]
    assert video["media_error"] is None
    assert read_thumbnail(video["content_hash"], 256) is not None
    expected = inspect_image(Path(path).read_bytes(), Wanted(hashes=True, check=False)).content_hash
    assert video["content_hash"] == expected


def test_methods_of_the_dataset_are_the_same_verbs(dataset):
    assert dataset.compute_metadata().operation == "metadata"
    run = dataset.compute_embeddings("builtin", "vectors")
    assert run.key == "vectors"
    np.testing.assert_array_equal(
        dataset.first()["vectors"], BuiltinModel().embed([decode_image(dataset.first().filepath)])[0]
    )
