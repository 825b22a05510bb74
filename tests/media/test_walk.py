"""From a folder or a bucket to samples with everything known: each object read once, nothing on disk, nothing lost."""

import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
import xxhash

import saccade as sc
import saccade.brain as scb
from saccade.dataset.columns import read_vectors
from saccade.dataset.errors import SourceUnavailableError
from saccade.dataset.settings import current
from tests.media.corpus import FRAMES, Corpus, make_corpus

pytestmark = pytest.mark.usefixtures("database")

SMALL, LARGE = 100, 2000
FOUND = ["metadata", "lightly", "content_hash", "perceptual_hash", "media_error", "embedding", "embedding_error"]


@pytest.fixture(scope="module")
def corpora(tmp_path_factory):
    made = {}

    def make(count: int) -> Corpus:
        if count not in made:
            made[count] = make_corpus(count, tmp_path_factory.mktemp("encoder"))
        return made[count]

    return make


class Folder:
    """A folder with the interface of the servers."""

    def __init__(self, path: Path) -> None:
        self.url, self.options = str(path), {}

    def put(self, objects):
        for name, data in objects.items():
            path = Path(self.url, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def reads(self):
        return None


@pytest.fixture(params=["folder", "s3", "azure"])
def place(request, tmp_path):
    return Folder(tmp_path / "bucket") if request.param == "folder" else request.getfixturevalue(request.param)


@pytest.fixture(params=[SMALL, pytest.param(LARGE, marks=pytest.mark.slow)])
def corpus(request, corpora, place):
    made = corpora(request.param)
    place.put(made.files)
    return made


def imported(place, name):
    source = sc.Datasource(place.url, **place.options)
    return sc.Dataset.from_datasource(source, name=name, every=5)


def everything(dataset):
    return scb.compute_media(dataset, thumbnails=True, model="builtin")


def known(dataset, place):
    """All that was found out, by path inside the place and frame."""
    start = len(place.url) + 1
    vectors = dict(
        zip(*(rows if rank == 0 else rows.tolist() for rank, rows in enumerate(_vectors(dataset))), strict=True)
    )
    return {
        (sample.filepath[start:], sample["frame_number"]): {
            **{name: repr(sample[name]) for name in FOUND if name != "embedding"}, "vector": vectors.get(sample.id),
        }
        for sample in dataset
    }  # fmt: skip


def _vectors(dataset):
    return read_vectors(dataset, "embedding")


def test_every_figure_is_right_each_object_is_read_once_and_nothing_is_left_on_disk(
    place, corpus, tmp_path, monkeypatch
):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    dataset = imported(place, "photos")
    if place.reads() is not None:
        place.proxy.reset()
    run = everything(dataset)
    start = len(place.url) + 1
    by_name = {sample.filepath[start:]: sample for sample in dataset if sample.frame_number is None}
    assert sorted(by_name) == sorted(corpus.images)
    assert {name: s["media_error"] for name, s in by_name.items() if s["media_error"]} == corpus.broken
    assert {name: s["embedding_error"] for name, s in by_name.items() if s["embedding_error"]} == corpus.broken
    for name, (width, height) in corpus.sizes.items():
        sample = by_name[name]
        assert (sample.metadata.width, sample.metadata.height) == (width, height)
        assert (sample.metadata.mime_type, sample.metadata.size_bytes) == (corpus.kinds[name], len(corpus.files[name]))
        mean = sample["lightly"]["mean"]
        assert sum(mean) / len(mean) == pytest.approx(corpus.means[name], abs=0.02)
    for name, sample in by_name.items():
        assert sample["content_hash"] == xxhash.xxh3_128_hexdigest(corpus.files[name])
    for copy, original in corpus.copies.items():
        assert by_name[copy]["embedding"].tolist() == by_name[original]["embedding"].tolist()
    frames = [sample for sample in dataset if sample.frame_number is not None]
    assert len(frames) == 4 * len(range(0, FRAMES, 5))
    assert {frame.frame_number for frame in frames} == {1, 6, 11, 16}
    assert len({frame["content_hash"] for frame in frames}) == len(frames)
    assert run.summary()["failed"] == len(corpus.broken)
    assert run.summary()["bytes_read"] == sum(map(len, corpus.files.values()))
    if place.reads() is not None:
        assert place.reads() == dict.fromkeys(corpus.files, 1)
    kept = {path.relative_to(current().cache_dir).parts[0] for path in current().cache_dir.rglob("*") if path.is_file()}
    assert kept <= {"thumbnails", "matrices", "vectors"}
    assert list(temporary.iterdir()) == []


WORK = """
import sys
import saccade as sc, saccade.brain as scb
from saccade.brain.operations import media_pass
media_pass._WRITE_ROWS = 4
source = sc.Datasource(sys.argv[1], **eval(sys.argv[2]))
source.register() if hasattr(source, "register") else next(iter(source.files()), None)
dataset = sc.load_dataset("photos")
scb.compute_media(dataset, thumbnails=True, model="builtin", num_workers=1, batch_size=4)
"""


def test_a_pass_that_is_killed_and_continued_gives_what_an_undisturbed_one_gives(place, corpus):
    dataset = imported(place, "photos")
    process = subprocess.Popen([sys.executable, "-c", WORK, place.url, repr(place.options)])
    deadline = time.monotonic() + 120
    while len(dataset.history()) < 6:  # the last one may be under way, and is rolled back then
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = len(dataset.exists("content_hash"))
    assert done < len(dataset)
    run = everything(dataset)
    assert run.summary()["had_vector"] > 0
    undisturbed = imported(place, "undisturbed")
    everything(undisturbed)
    assert known(dataset, place) == known(undisturbed, place)


def test_objects_that_vanish_or_are_denied_are_noted_and_tried_again(s3, corpora):
    corpus = corpora(SMALL)
    s3.put(corpus.files)
    dataset = imported(s3, "photos")
    gone, denied = [name for name in corpus.images if name not in corpus.broken][:2]
    s3.delete(gone)
    s3.proxy.answer(denied, 403, "AccessDenied")
    assert everything(dataset).summary()["failed"] == len(corpus.broken) + 2
    reasons = dict(zip(dataset.values("filepath"), dataset.values("media_error"), strict=True))
    assert reasons[f"{s3.url}/{gone}"] == "the file does not exist"
    assert "denied" in reasons[f"{s3.url}/{denied}"]
    s3.put({gone: corpus.files[gone]})
    assert everything(dataset).summary()["failed"] == len(corpus.broken)
    assert len(dataset.exists("media_error")) == len(corpus.broken)


def test_a_token_that_expires_ends_the_pass_what_is_done_stays_and_it_goes_on(s3, corpora):
    corpus = corpora(SMALL)
    s3.put(corpus.files)
    dataset = imported(s3, "photos")

    def expire(done, _total):
        if done >= 30:
            s3.proxy.answer("", 403, "ExpiredToken", times=float("inf"))

    with pytest.raises(SourceUnavailableError, match=r"(?i)expired"):
        scb.compute_media(dataset, model="builtin", batch_size=10, num_workers=1, progress=expire)
    assert dataset.get_run_info("media").state == "failed"
    kept = len(dataset.exists("content_hash"))
    assert 30 <= kept < len(corpus.images)
    assert len(dataset.exists("media_error")) <= len(corpus.broken), "nothing is held against the files"
    s3.proxy.reset()
    everything(dataset)
    undisturbed = imported(s3, "undisturbed")
    everything(undisturbed)
    assert known(dataset, s3) == known(undisturbed, s3)
