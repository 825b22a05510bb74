"""Datasets of folders and buckets."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import saccade as sc
from saccade.dataset.errors import DatasetError, DatasourceError, SourceUnavailableError
from saccade.dataset.media.reading import read_media

ROOT = Path(__file__).resolve().parents[2]
NAMES = ["a b.jpg", "a#b.jpg", "a?b.jpg", "in/10.png", "in/9.png", "v.mp4"]

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture(params=["s3", "azure"])
def bucket(request):
    bucket = request.getfixturevalue(request.param)
    bucket.put({name: name.encode() for name in [*NAMES, "notes.txt"]})
    return bucket


@pytest.fixture
def config(tmp_path, monkeypatch):
    """Writes datasources into a config file."""
    path = tmp_path / "config.toml"
    monkeypatch.setenv("SACCADE_CONFIG", str(path))

    def write(**tables):
        lines = []
        for name, table in tables.items():
            lines += [f"[datasources.{name}]", *(f"{key} = {value!r}" for key, value in table.items())]
        path.write_text("\n".join(lines))

    return write


def test_a_bucket_becomes_samples_with_urls(bucket):
    source = sc.Datasource(bucket.url, name="street", **bucket.options)
    dataset = sc.Dataset.from_datasource(source, "street", tags=["new"])
    assert dataset.values("filepath") == [f"{bucket.url}/{name}" for name in NAMES]
    assert dataset.media_type == "image"
    assert dataset.count_sample_tags() == {"new": len(NAMES)}
    assert dataset.datasources == [source]
    assert [read_media(path) for path in dataset.values("filepath")] == [name.encode() for name in NAMES]


def test_a_second_call_adds_what_is_new_and_leaves_the_rest_alone(bucket):
    source = sc.Datasource(bucket.url, **bucket.options)
    dataset = sc.Dataset.from_datasource(source, "street")
    bucket.put({"in/11.png": b"1", "z.mov": b"2"})
    bucket.delete("a b.jpg")
    added = dataset.add_datasource(source, tags="later")
    assert dataset.select(added).values("filepath") == [f"{bucket.url}/in/11.png", f"{bucket.url}/z.mov"]
    assert dataset.match_tags("later").values("id") == added
    assert len(dataset) == len(NAMES) + 2
    assert dataset.add_datasource(source) == []
    assert dataset.datasources == [source]


def test_relevant_files_and_progress(bucket):
    seen = []
    dataset = sc.Dataset("street")
    source = sc.Datasource(bucket.url, relevant_files=["in/*", "v.mp4"], **bucket.options)
    dataset.add_datasource(source, progress=lambda done, total: seen.append(done))
    assert [path[len(bucket.url) + 1 :] for path in dataset.values("filepath")] == ["in/10.png", "in/9.png", "v.mp4"]
    assert seen[0] == 2


def test_the_record_keeps_name_and_url_and_another_process_finds_the_options(s3, database, config):
    s3.put({"1.jpg": b"12345"})
    config(avenue={"url": s3.url, **s3.options})
    dataset = sc.Dataset.from_datasource("avenue", "avenue")
    (record,) = database["datasets"].find({"name": "avenue"})
    assert record["datasources"] == [{"name": "avenue", "url": s3.url}]
    code = (
        "import saccade as sc\nfrom saccade.dataset.media.reading import read_media\n"
        "dataset = sc.load_dataset('avenue')\nprint(dataset.datasources, read_media(dataset.first().filepath))"
    )
    assert child(code) == f"[Datasource('{s3.url}', name='avenue', {OPTIONS})] b'12345'\n"
    config()
    assert repr(sc.load_dataset("avenue").clone().datasources[0]).startswith(f"Datasource('{s3.url}', name='avenue'")
    assert dataset.datasources[0].name == "avenue"


OPTIONS = "access_key_id=***, endpoint=***, region=***, secret_access_key=***"


def child(code):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_longest_url_decides_whose_options_count(s3, config):
    s3.put({"in/1.jpg": b"1", "in/deep/2.jpg": b"2", "inside/3.jpg": b"3"})
    wrong = {**s3.options, "endpoint": "http://127.0.0.1:9", "retries": 0}
    config(all={"url": s3.url, **wrong}, part={"url": f"{s3.url}/in", **s3.options})
    assert read_media(f"{s3.url}/in/1.jpg") == b"1"
    assert read_media(f"{s3.url}/in/deep/2.jpg") == b"2"
    with pytest.raises(SourceUnavailableError):
        read_media(f"{s3.url}/inside/3.jpg")
    next(sc.Datasource(s3.url, **s3.options).files())  # what this process uses counts before the config file
    assert read_media(f"{s3.url}/inside/3.jpg") == b"3"


def test_from_dir_takes_urls(bucket, config):
    config(street={"url": bucket.url, **bucket.options})
    images = [f"{bucket.url}/{name}" for name in NAMES if not name.endswith(".mp4")]
    dataset = sc.Dataset.from_dir(bucket.url, name="street")
    assert dataset.values("filepath") == images
    assert [source.name for source in dataset.datasources] == ["street"]
    assert sc.Dataset.from_images_dir(bucket.url).values("filepath") == images
    assert sc.Dataset.from_images_dir(bucket.url, recursive=False).values("filepath") == images[:3]
    assert sc.Dataset.from_dir(f"{bucket.url}/in/").values("filepath") == images[3:]
    assert sc.Dataset.from_dir(bucket.url, max_samples=2).values("filepath") == images[:2]
    shuffled = sc.Dataset.from_dir(bucket.url, shuffle=True, seed=1).values("filepath")
    assert shuffled != images
    assert sorted(shuffled) == images
    with pytest.raises(DatasetError, match="ImageClassificationDirectoryTree reads local folders"):
        sc.Dataset.from_dir(bucket.url, sc.types.ImageClassificationDirectoryTree)


def test_a_local_folder_is_a_datasource_too(tmp_path):
    (tmp_path / "b").mkdir()
    for name in ("1.jpg", "b/2.png", "b/v.avi"):
        (tmp_path / name).touch()
    paths = [str(tmp_path / name) for name in ("1.jpg", "b/2.png", "b/v.avi")]
    dataset = sc.Dataset.from_datasource(tmp_path)
    assert dataset.values("filepath") == paths
    assert sc.Dataset.from_dir(tmp_path.as_uri()).values("filepath") == paths[:2]
    assert dataset.datasources == [sc.Datasource(tmp_path)]


def test_what_is_no_source_is_refused_by_name(config):
    config(street={"url": "s3://bucket"})
    with pytest.raises(DatasourceError, match=r"'stret' is neither a folder.* Did you mean 'street'\?"):
        sc.Dataset.from_datasource("stret")


def test_a_source_that_fails_leaves_no_dataset(s3):
    s3.proxy.answer("", 403, "InvalidAccessKeyId", times=9)
    with pytest.raises(SourceUnavailableError, match="does not know the access key"):
        sc.Dataset.from_datasource(sc.Datasource(s3.url, **s3.options), "street")
    assert sc.list_datasets() == []


def test_a_source_that_fails_in_the_middle_leaves_what_was_added(s3):
    s3.put({f"{n:05}.jpg": b"1" for n in range(2_500)})
    source = sc.Datasource(s3.url, **s3.options, retries=0)
    dataset = sc.Dataset("street")

    def progress(done, _total):
        if done == 1_000:
            s3.proxy.answer("", 400, "ExpiredToken", times=1)

    with pytest.raises(SourceUnavailableError, match="the credentials have expired"):
        dataset.add_datasource(source, progress=progress)
    assert 1_000 <= len(dataset) < 2_500
    dataset.add_datasource(source)
    assert dataset.values("filepath") == [f"{s3.url}/{n:05}.jpg" for n in range(2_500)]


ADDING = """
import sys
import saccade as sc
options = dict(argument.split("=", 1) for argument in sys.argv[2:])
print("begun", flush=True)
sc.load_dataset("street").add_datasource(sc.Datasource(sys.argv[1], **options))
"""


def test_killed_in_the_middle_a_second_call_adds_just_what_is_missing(s3):
    names = [f"{n:05}.jpg" for n in range(6_000)]
    s3.put(dict.fromkeys(names, b"1"))
    s3.proxy.latency = 0.3
    dataset = sc.Dataset("street")
    adding = subprocess.Popen(
        [sys.executable, "-c", ADDING, s3.url, *(f"{name}={value}" for name, value in s3.options.items())],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while len(dataset) < 1_000 and time.monotonic() < deadline:
        time.sleep(0.02)
    adding.send_signal(signal.SIGKILL)
    adding.wait()
    assert 1_000 <= len(dataset) < 6_000
    s3.proxy.reset()
    before = len(dataset)
    added = dataset.add_datasource(sc.Datasource(s3.url, **s3.options))
    assert len(added) == 6_000 - before
    assert dataset.values("filepath") == [f"{s3.url}/{name}" for name in names]
