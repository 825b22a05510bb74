"""Copies that are stored differently: files that decode to the same pixels."""

import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

import saccade as sc
import saccade.brain as scb
from saccade.brain.kernels.copies import identical_images
from saccade.dataset.errors import SchemaError, UnreadableMediaError
from saccade.dataset.media.image import decode_image


@pytest.fixture
def pixels(rng):
    return rng.integers(0, 256, (6, 8, 3)).astype(np.uint8)


@pytest.fixture
def paths(tmp_path, pixels):
    """0 PNG, 1 the same as BMP, 2 another image, 3 the bytes of 0, 4 with metadata, 5 the pixels in another size."""
    image = Image.fromarray(pixels)
    image.save(tmp_path / "0.png")
    image.save(tmp_path / "1.bmp")
    other = pixels.copy()
    other[5, 7, 2] ^= 1
    Image.fromarray(other).save(tmp_path / "2.png")
    (tmp_path / "3.png").write_bytes((tmp_path / "0.png").read_bytes())
    facts = PngImagePlugin.PngInfo()
    facts.add_text("Comment", "taken in May")
    image.save(tmp_path / "4.png", pnginfo=facts)
    Image.fromarray(pixels.reshape(8, 6, 3)).save(tmp_path / "5.png")
    return [str(path) for path in sorted(tmp_path.iterdir())]


def test_files_are_copies_if_size_and_pixels_are_the_same_whatever_the_format(paths):
    assert identical_images(paths, decode_image) == ([[0, 1, 3, 4]], {})


def test_images_of_one_hash_are_compared(paths, monkeypatch):
    monkeypatch.setattr("saccade.brain.kernels.copies._pixel_digest", lambda image: b"every hash collides")
    assert identical_images(paths, decode_image) == ([[0, 1, 3, 4]], {})
    assert identical_images([*paths, *paths[2:3]], decode_image)[0] == [[0, 1, 3, 4], [2, 6]]


def test_files_of_the_same_bytes_are_decoded_once_and_lone_ones_not_again(paths):
    decoded = []

    def watched(path):
        decoded.append(Path(path).name)
        return decode_image(path)

    identical_images(paths, watched)
    assert sorted(decoded[:5]) == ["0.png", "1.bmp", "2.png", "4.png", "5.png"]
    assert decoded[5:] == ["0.png", "1.bmp", "4.png"]  # those of one hash, to be certain
    decoded.clear()
    identical_images([paths[0], paths[3]], watched)
    assert decoded == ["0.png"]


def test_the_same_is_found_with_any_number_of_threads(paths):
    expected = identical_images(paths * 5, decode_image)
    seen, threads = [], set()

    def watched(path):
        threads.add(threading.get_ident())
        return decode_image(path)

    assert identical_images(paths * 5, watched, num_workers=4, advance=seen.append) == expected
    assert threading.get_ident() in threads  # what has one hash is compared here
    assert len(threads) > 1
    assert sum(seen) == 30


def test_warnings_of_decoders_stay_away_and_come_back_after_threads(paths):
    before = warnings.filters[:]
    identical_images(paths * 20, decode_image, num_workers=8)
    assert warnings.filters == before


def test_files_that_cannot_be_decoded_are_noted_and_are_copies_where_their_bytes_are(paths, tmp_path):
    for name in "xyz":
        (tmp_path / name).write_bytes(b"no image" if name < "z" else b"")
    seen = []
    given = [str(tmp_path / "x"), *paths, str(tmp_path / "y"), str(tmp_path / "z"), "/gone.png"]
    groups, errors = identical_images(given, decode_image, advance=seen.append)
    assert groups == [[0, 7], [1, 2, 4, 5]]
    assert errors == {
        0: "the file is text, not an image", 7: "the file is text, not an image",
        8: "the file is empty", 9: "the file does not exist",
    }  # fmt: skip
    assert sum(seen) == len(given)


def test_an_image_that_breaks_between_hash_and_comparison_is_noted(paths):
    calls = []

    def breaking(path):
        calls.append(path)
        if len(calls) > 5 and path == paths[4]:
            raise UnreadableMediaError("it broke")
        return decode_image(path)

    assert identical_images(paths, breaking) == ([[0, 1, 3]], {4: "it broke"})


def test_an_error_that_is_no_failure_of_a_file_is_raised_from_threads(paths):
    def wrong(path):
        raise KeyError(path)

    with pytest.raises(KeyError):
        identical_images(paths, wrong, num_workers=2)


@pytest.mark.parametrize("count", [0, 1])
def test_none_and_one_image_have_no_copies(paths, count):
    assert identical_images(paths[:count], decode_image) == ([], {})


def test_the_verb_finds_copies_by_bytes_and_on_request_by_pixels(database, paths):
    images = sc.Dataset.from_images(paths, name="images", progress=False)
    ids = images.values("id")
    assert scb.compute_exact_duplicates(images).duplicates == {ids[0]: [ids[3]]}
    found = scb.compute_exact_duplicates(images, pixels=True)
    assert found.duplicates == {ids[0]: [ids[1], ids[3], ids[4]]}
    assert (found.params, found.summary()["duplicates"], found.summary()["groups"]) == ({"pixels": True}, 3, 1)
    again = scb.compute_exact_duplicates(images, 3, pixels=True)
    assert again.duplicates == found.duplicates
    assert images.list_runs() == ["exact_duplicates"]
    scb.compute_exact_duplicates(images, 3)
    assert images.exists("exact_duplicates.of").values("id") == [ids[3]]


def test_a_view_is_searched_in_its_own_order_and_within_itself(database, paths):
    images = sc.Dataset.from_images(paths, name="images", progress=False)
    ids = images.values("id")
    found = scb.compute_exact_duplicates(images.select([ids[4], ids[2], ids[1]], ordered=True), pixels=True)
    assert found.duplicates == {ids[4]: [ids[1]]}


def test_the_verb_notes_what_cannot_be_decoded_or_raises_it(database, paths, tmp_path):
    (tmp_path / "broken.png").write_bytes(Path(paths[0]).read_bytes()[:60])
    images = sc.Dataset.from_images([*paths, str(tmp_path / "broken.png")], name="images", progress=False)
    found = scb.compute_exact_duplicates(images, pixels=True)
    assert found.summary()["failed"] == 1
    assert images.last()["exact_duplicates"]["error"] == "the file is truncated"
    assert scb.compute_exact_duplicates(images).summary()["failed"] == 0
    with pytest.raises(UnreadableMediaError, match=r"broken\.png: the file is truncated"):
        scb.compute_exact_duplicates(images, None, False, pixels=True)
    with pytest.raises(SchemaError, match="num_workers=-1 is not a number of threads"):
        scb.compute_exact_duplicates(images, -1)


def test_few_samples_have_few_copies(database, paths):
    assert scb.compute_exact_duplicates(sc.Dataset("empty"), pixels=True).duplicates == {}
    for count, copies in [(1, 0), (2, 1), (3, 1)]:
        images = sc.Dataset.from_images(paths[:count], name=f"few {count}", progress=False)
        assert len(scb.compute_exact_duplicates(images, pixels=True).duplicate_ids) == copies
