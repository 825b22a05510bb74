"""Reading files from folders and buckets."""

import io
import os
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import saccade as sc
from saccade.dataset.errors import DatasourceError, UnreadableMediaError
from saccade.dataset.media.reading import BLOCK, counting, is_url, open_media, read_media, signed_url

ROOT = Path(__file__).resolve().parents[2]
BIG = bytes(range(256)) * (20 * BLOCK // 256) + b"end"


@pytest.fixture(params=["s3", "azure"])
def bucket(request):
    """A bucket whose options the process knows."""
    bucket = request.getfixturevalue(request.param)
    next(sc.Datasource(bucket.url, **bucket.options).files(), None)
    bucket.proxy.requests.clear()
    return bucket


def test_each_object_is_read_by_one_request(bucket):
    names = ["a b.jpg", "a#b.jpg", "50%.jpg", "a?b.jpg", "ü/ö.jpg", "empty.jpg"]
    bucket.put({name: name.encode() if name != "empty.jpg" else b"" for name in names})
    bucket.proxy.requests.clear()
    with counting() as traffic:
        read = {name: read_media(f"{bucket.url}/{name}") for name in names}
    assert read == {name: name.encode() if name != "empty.jpg" else b"" for name in names}
    assert bucket.reads() == dict.fromkeys(names, 1)
    assert len(bucket.proxy.requests) == len(names)
    assert (traffic.bytes, traffic.requests) == (sum(map(len, read.values())), len(names))


def test_a_file_is_sought_in_and_every_byte_is_fetched_once_in_order(bucket):
    bucket.put({"big.mp4": BIG})
    bucket.proxy.requests.clear()
    with counting() as traffic, open_media(f"{bucket.url}/big.mp4") as file:
        assert file.seekable()
        pieces = []
        while piece := file.read(300_000):
            pieces.append(piece)
        assert b"".join(pieces) == BIG
        assert traffic.bytes == len(BIG)
        assert file.seek(-3, io.SEEK_END) == len(BIG) - 3
        assert file.read() == b"end"
        assert traffic.bytes == len(BIG)  # the last blocks are still there
        assert file.seek(BLOCK + 7) == BLOCK + 7
        buffer = bytearray(10)
        assert file.readinto(buffer) == 10
        assert bytes(buffer) == BIG[BLOCK + 7 : BLOCK + 17]
        assert traffic.bytes == len(BIG) + BLOCK
    assert traffic.requests == 22
    assert {one.method for one in bucket.proxy.requests} == {"GET"}
    with pytest.raises(ValueError, match="closed"):
        file.read()


def test_an_empty_object_can_be_opened(bucket):
    bucket.put({"empty.mp4": b""})
    with open_media(f"{bucket.url}/empty.mp4") as file:
        assert file.read() == b""


def test_a_signed_url_can_be_read_by_anybody_until_it_expires(bucket):
    bucket.put(dict.fromkeys(("a b.jpg", "ü?#%.jpg", "in/1.jpg"), b"photo"))
    source = sc.Datasource(bucket.url, **bucket.options)
    for name in ("a b.jpg", "ü?#%.jpg", "in/1.jpg"):
        with urllib.request.urlopen(source.signed_url(name, 60)) as answer:
            assert answer.read() == b"photo"
    with urllib.request.urlopen(signed_url(f"{bucket.url}/in/1.jpg")) as answer:
        assert answer.read() == b"photo"
    for secret in ("secret_access_key", "account_key"):
        if secret in bucket.options:
            assert bucket.options[secret] not in source.signed_url("a b.jpg")


def test_a_signed_url_of_azure_stops_working(azure):
    azure.put({"1.jpg": b"photo"})
    url = sc.Datasource(azure.url, **azure.options).signed_url("1.jpg", 1)
    time.sleep(2.1)
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(url)
    assert caught.value.code == 403
    caught.value.close()


def test_what_cannot_be_signed_says_so(tmp_path, s3):
    with pytest.raises(DatasourceError, match="a local file has no signed URL"):
        sc.Datasource(tmp_path).signed_url("1.jpg")
    with pytest.raises(DatasourceError, match="a local file has no signed URL"):
        signed_url(str(tmp_path / "1.jpg"))
    with pytest.raises(DatasourceError, match="memory:// has no signed URLs"):
        sc.Datasource("memory://somewhere").signed_url("1.jpg")
    with pytest.raises(DatasourceError, match="expires=604801 is out of range"):
        sc.Datasource(s3.url, **s3.options).signed_url("1.jpg", 604_801)
    with pytest.raises(DatasourceError, match="does not lie below"):
        sc.Datasource(s3.url, **s3.options).signed_url("s3://other/1.jpg")


def test_32_threads_wait_for_their_answers_together(s3):
    names = [f"{n}.jpg" for n in range(320)]
    s3.put({name: bytes(50_000) for name in names})
    next(sc.Datasource(s3.url, **s3.options).files())
    s3.proxy.reset()
    s3.proxy.latency = 0.02
    with ThreadPoolExecutor(32) as threads:
        read = list(threads.map(lambda name: len(read_media(f"{s3.url}/{name}")), names))
    assert read == [50_000] * 320
    assert s3.reads() == dict.fromkeys(names, 1)
    assert s3.proxy.most_at_once >= 16


def test_local_files_are_read_and_counted(tmp_path):
    path = tmp_path / "a b.jpg"
    path.write_bytes(b"12345")
    with counting() as traffic:
        assert read_media(str(path)) == read_media(path.as_uri()) == b"12345"
        with open_media(str(path)) as file:
            assert file.seek(2) == 2
            assert file.read() == b"345"
    assert (traffic.bytes, traffic.requests) == (13, 3)
    read_media(str(path))
    assert traffic.requests == 3


@pytest.mark.parametrize("read", [read_media, open_media])
def test_a_local_file_that_cannot_be_read_has_its_reason(tmp_path, read):
    os.mkfifo(tmp_path / "pipe")
    for path, reason in (
        (tmp_path / "nowhere.jpg", "the file does not exist"),
        (tmp_path, "the path is a folder"),
        (tmp_path / "pipe", "the path is neither a file nor a folder"),
        ("/etc/hostname/1.jpg", "the file does not exist"),
        ("a\0b", "the path is not one that a file can have"),
        (str(tmp_path / ("x" * 300)), "the file cannot be read: File name too long"),
    ):
        with pytest.raises(UnreadableMediaError) as caught:
            read(str(path))
        assert str(caught.value) == reason


def test_a_url_has_a_scheme():
    assert [is_url(text) for text in ("s3://b/1", "memory://x", "file:///x", "/x", "x.jpg", "C:\\x", "a:b/c")] == [
        True, True, True, False, False, False, False,
    ]  # fmt: skip


def test_fsspec_reads_what_it_knows():
    import fsspec

    fsspec.filesystem("memory").pipe("memory://reading/a b.jpg", b"12345")
    with counting() as traffic:
        assert read_media("memory://reading/a b.jpg") == b"12345"
        with open_media("memory://reading/a b.jpg") as file:
            assert file.read() == b"12345"
    assert (traffic.bytes, traffic.requests) == (10, 2)
    with pytest.raises(UnreadableMediaError, match=r"^the file does not exist$"):
        read_media("memory://reading/gone.jpg")
    with pytest.raises(DatasourceError, match="no file system is known for nonsense://"):
        read_media("nonsense://reading/gone.jpg")


FORKING = """
import os, signal, sys
import saccade as sc
from saccade.dataset.media.reading import read_media

def child(what):
    pid = os.fork()
    if pid == 0:
        signal.alarm(20)  # one that hangs is killed
        try:
            print(what, len(read_media(sys.argv[1])), flush=True)
        except Exception as error:
            print(what, type(error).__name__, error, flush=True)
        os._exit(0)
    print(what, "ended with", os.waitpid(pid, 0)[1], flush=True)

child("before")
print(len(read_media(sys.argv[1])), flush=True)
child("after")
"""


def test_a_fork_reads_if_nothing_was_read_before_and_else_says_why_it_cannot(s3, tmp_path):
    s3.put({"1.jpg": b"12345"})
    config = tmp_path / "config.toml"
    lines = [f'{name} = "{value}"' for name, value in {"url": s3.url, **s3.options}.items()]
    config.write_text("\n".join(["[datasources.mine]", *lines]))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FORKING, f"{s3.url}/1.jpg"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "SACCADE_CONFIG": str(config)},
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    before, ended, parent, after, ended_too = done.stdout.splitlines()
    assert (before, ended, parent, ended_too) == ("before 5", "before ended with 0", "5", "after ended with 0")
    assert after.startswith("after SourceUnavailableError")
    assert "a fork of one that had read from a bucket already" in after
    assert '"spawn" or "forkserver"' in after


def test_without_obstore_the_error_names_what_to_install():
    code = (
        "import sys; sys.modules['obstore'] = None\n"
        "from saccade.dataset.media.reading import read_media\n"
        "from saccade.dataset.errors import MissingExtraError\n"
        "try: read_media('s3://bucket/1.jpg')\n"
        "except MissingExtraError as error: print(error)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "reading from s3:// needs obstore, which is not installed: pip install 'saccade[cloud]'\n"
