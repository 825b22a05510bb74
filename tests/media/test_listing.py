"""Listing folders and buckets."""

import itertools
import os
import tracemalloc
from pathlib import Path

import pytest

import saccade as sc
from saccade.dataset.errors import DatasourceError, SourceUnavailableError

ODD = [
    "100%.jpg", "[x].jpg", "a b.jpg", "a#b.jpg", "a%20b.jpg", "a&b=c.jpg", "a+b.jpg", "a?b.jpg", 'q"q.jpg',
    "u\u0308.jpg", "x'y.jpg", "x/y/z.jpg", "~t.jpg", "ü.jpg",
]  # fmt: skip
"""Names that have been misread somewhere, in the order of their code points."""

OTHERS = ["notes.txt", ".hidden.jpg", ".lightly/thumb.jpg", "x/.tmp/1.jpg"]


@pytest.fixture(params=["local", "memory", "s3", "azure"])
def place(request, tmp_path):
    """A source of each kind: gives what puts files there, and a function that describes it as a datasource."""
    return PLACES[request.param](request, tmp_path)


class Local:
    def __init__(self, _request, tmp_path):
        self.url, self.options = str(tmp_path), {}

    def put(self, objects):
        for key, data in objects.items():
            path = Path(self.url, key)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


class Memory:
    _numbers = itertools.count()

    def __init__(self, _request, _tmp_path):
        self.url, self.options = f"memory://place{next(self._numbers)}/photos", {}

    def put(self, objects):
        import fsspec

        for key, data in objects.items():
            fsspec.filesystem("memory").pipe(f"{self.url}/{key}", data)


PLACES = {
    "local": Local,
    "memory": Memory,
    "s3": lambda request, _: request.getfixturevalue("s3"),
    "azure": lambda request, _: request.getfixturevalue("azure"),
}


def listed(place, media="media", start_after=None, **more):
    source = sc.Datasource(place.url, **place.options, **more)
    return [file.path[len(place.url) + 1 :] for file in source.files(media, start_after=start_after)]


def test_every_backend_lists_the_same_media_in_the_order_of_the_keys(place):
    place.put({name: name.encode() for name in [*ODD, *OTHERS, "clip.MP4"]})
    assert listed(place, "image") == sorted(ODD)
    assert listed(place, "video") == ["clip.MP4"]
    assert listed(place) == sorted([*ODD, "clip.MP4"])


def test_a_listing_goes_on_after_any_file(place):
    place.put(dict.fromkeys([*ODD, "x-/1.jpg", "x0.jpg", "x/z.jpg", "x.jpg"], b"1"))
    whole = listed(place)
    for position, name in enumerate(whole):
        assert listed(place, start_after=name) == whole[position + 1 :]
        assert listed(place, start_after=f"{place.url}/{name}") == whole[position + 1 :]


def test_sizes_and_times_are_listed(place):
    place.put({"a.jpg": b"12345", "empty.jpg": b""})
    files = list(sc.Datasource(place.url, **place.options).files())
    assert [file.size for file in files] == [5, 0]
    assert all(file.modified.tzinfo is not None and file.modified.year >= 2024 for file in files)


def test_relevant_files_are_listed_and_no_others(place):
    place.put(dict.fromkeys([*ODD, "s/4.png", "s/40.png", "s/41.png", "s/5.png", "s2/1.png"], b"1"))
    assert listed(place, relevant_files=["s/* s/4* !s/41.png", "a b.jpg", "gone.jpg"]) == [
        "a b.jpg",
        "s/4.png",
        "s/40.png",
    ]
    assert listed(place, relevant_files=["s*"]) == ["s/4.png", "s/40.png", "s/41.png", "s/5.png", "s2/1.png"]


def test_a_folder_inside_is_a_source_and_its_neighbours_are_not(place):
    place.put(dict.fromkeys(["in/1.jpg", "in/2/3.jpg", "in.jpg", "inside/1.jpg"], b"1"))
    source = sc.Datasource(f"{place.url}/in/", **place.options)
    assert [file.path for file in source.files()] == [f"{place.url}/in/1.jpg", f"{place.url}/in/2/3.jpg"]


def test_2500_keys_come_in_pages_of_a_thousand(s3):
    s3.put({f"{n:05}.jpg": b"1" for n in range(2_500)})
    files = sc.Datasource(s3.url, **s3.options).files()
    first = list(itertools.islice(files, 1_000))
    assert len(s3.proxy.listings()) == 1
    names = [file.path[len(s3.url) + 1 :] for file in [*first, *files]]
    assert names == [f"{n:05}.jpg" for n in range(2_500)]
    assert len(s3.proxy.listings()) == 3


def test_a_prefix_narrows_what_the_server_is_asked_for(s3):
    s3.put({f"{folder}/{n:05}.jpg": b"1" for folder in ("a", "b", "c") for n in range(1_100)})
    assert len(listed(s3, relevant_files=["b/0100*"])) == 10
    (request,) = s3.proxy.listings()
    assert request.query["prefix"] == ["b/"]
    s3.proxy.requests.clear()
    assert listed(s3, relevant_files=["c/01099.jpg", "a/00001.jpg"]) == ["a/00001.jpg", "c/01099.jpg"]
    assert [one.query["prefix"] for one in s3.proxy.listings()] == [["a/"], ["c/"]]


def test_a_listing_that_breaks_off_goes_on_where_it_was(s3):
    s3.put({f"{n:05}.jpg": b"1" for n in range(1_500)})
    files = sc.Datasource(s3.url, **s3.options).files()
    names = [next(files).path]
    s3.proxy.answer("", 503, "SlowDown", times=2)
    names += [file.path for file in files]
    assert names == [f"{s3.url}/{n:05}.jpg" for n in range(1_500)]
    assert len(s3.proxy.listings()) == 4


def test_a_large_listing_takes_little_memory(tmp_path):
    for folder in range(20):
        (tmp_path / str(folder)).mkdir()
        for n in range(500):
            (tmp_path / str(folder) / f"{n}.jpg").touch()
    files = sc.Datasource(tmp_path).files()
    next(files)
    tracemalloc.start()
    assert sum(1 for _ in files) == 9_999
    assert tracemalloc.get_traced_memory()[1] < 3_000_000  # 10,000 entries would be 4 MB
    tracemalloc.stop()


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(SourceUnavailableError, match="the folder does not exist"):
        list(sc.Datasource(tmp_path / "nowhere").files())


def test_links_in_circles_end(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "1.jpg").touch()
    (tmp_path / "in" / "back").symlink_to(tmp_path)
    (tmp_path / "broken.jpg").symlink_to(tmp_path / "nowhere")
    assert [file.path for file in sc.Datasource(tmp_path).files()] == [str(tmp_path / "in" / "1.jpg")]


def test_a_name_that_is_no_text_is_refused(tmp_path):
    (tmp_path / os.fsdecode(b"\xff.jpg")).touch()
    with pytest.raises((SourceUnavailableError, DatasourceError), match="not valid UTF-8"):
        list(sc.Datasource(tmp_path).files())


def test_a_key_that_obstore_cannot_read_is_an_error_that_says_what_to_do(s3):
    s3.put({"./a.jpg": b"1"})
    with pytest.raises(SourceUnavailableError, match="the key has parts that are empty"):
        list(sc.Datasource(s3.url, **s3.options).files())


def test_a_file_outside_is_not_below(s3):
    with pytest.raises(DatasourceError, match="does not lie below"):
        sc.Datasource(s3.url, **s3.options).files(start_after="s3://other/1.jpg").__next__()
