"""How things look: aligned text, escaped HTML, and small pictures."""

import base64
import io
from datetime import UTC, datetime
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from saccade.dataset import display
from saccade.dataset.labels import Classification, Detection, Detections, ImageMetadata

HEX = "64b7f0c2a1d3e4f5a6b7c8d9"
EVIL = "<script>alert('x')</script>\"&"
FACTS = {
    "name": "street",
    "media_type": "image",
    "num_samples": 200,
    "persistent": True,
    "tags": ["day"],
    "fields": {"id": "ObjectIdField", "ground_truth": "EmbeddedDocumentField(Detections)"},
}


class Checker(HTMLParser):
    """Collects tags and texts, and refuses tags that do not close in order."""

    def __init__(self, html):
        super().__init__()
        self.open, self.tags, self.text = [], [], ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_a_dataset_as_text():
    assert display.dataset_text(**FACTS) == (
        "Name:        street\n"
        "Media type:  image\n"
        "Num samples: 200\n"
        "Persistent:  True\n"
        "Tags:        ['day']\n"
        "Sample fields:\n"
        "    id:           ObjectIdField\n"
        "    ground_truth: EmbeddedDocumentField(Detections)"
    )


def test_a_view_as_text_lists_its_stages_in_order():
    lines = display.view_text(**FACTS, stages=["match(F('x') > 0.5)", "limit(10)"]).splitlines()
    assert lines[0] == "Dataset:     street"
    assert lines[-3:] == ["View stages:", "    1. match(F('x') > 0.5)", "    2. limit(10)"]


def test_a_sample_as_text():
    values = {
        "id": HEX,
        "filepath": "/größe/1.png",
        "tags": ["a"],
        "metadata": ImageMetadata(width=3, height=2),
        "embedding": np.zeros(512, np.float32),
        "scores": list(range(100)),
        "uniqueness": 0.5,
        "weather": None,
        "predictions": Detections(detections=[Detection(label="cat", id=HEX, bounding_box=[0.1, 0.2, 0.3, 0.4])]),
    }
    assert display.sample_text(values).splitlines() == [
        "<Sample: {",
        f"    'id': '{HEX}',",
        "    'filepath': '/größe/1.png',",
        "    'tags': ['a'],",
        "    'metadata': <ImageMetadata: {'width': 3, 'height': 2}>,",
        "    'embedding': array(shape=(512,), dtype=float32),",
        "    'scores': [0, 1, 2, … 100 in all],",
        "    'uniqueness': 0.5,",
        "    'weather': None,",
        "    'predictions': <Detections: {",
        "        'detections': [",
        "            <Detection: {",
        f"                'id': '{HEX}',",
        "                'tags': [],",
        "                'label': 'cat',",
        "                'bounding_box': [0.1, 0.2, 0.3, 0.4],",
        "            }>,",
        "        ],",
        "    }>,",
        "}>",
    ]


RUN = {
    "operation": "uniqueness (version 1)",
    "state": "completed",
    "params": {"k": 3, "metric": "cosine"},
    "started": datetime(2024, 5, 1, 12, 30, tzinfo=UTC),
    "duration": 1.234,
    "library_version": "0.1",
    "seeds": [1, 2],
}


def test_a_run_as_text():
    assert display.run_text("uniqueness", RUN) == (
        "Run:             uniqueness\n"
        "Operation:       uniqueness (version 1)\n"
        "State:           completed\n"
        "Params:          k=3, metric='cosine'\n"
        "Started:         2024-05-01 12:30:00+00:00\n"
        "Duration:        1.23 seconds\n"
        "Library version: 0.1\n"
        "Seeds:           [1, 2]"
    )


def evil_pages():
    facts = {**FACTS, "name": EVIL, "media_type": EVIL, "tags": [EVIL], "fields": {EVIL: EVIL}}
    values = {"filepath": f"/{EVIL}", EVIL: EVIL, "label": Classification(label=EVIL), "dict": {EVIL: [EVIL]}}
    return {
        "dataset": display.dataset_html(**facts, thumbnails=[f'"{EVIL}']),
        "view": display.view_html(**facts, stages=[EVIL]),
        "sample": display.sample_html(values, thumbnail=f'"{EVIL}'),
        "run": display.run_html(EVIL, {EVIL: EVIL, "params": {EVIL: EVIL}}),
    }


@pytest.mark.parametrize("name", ["dataset", "view", "sample", "run"])
def test_whatever_users_write_is_escaped(name):
    html = evil_pages()[name]
    page = Checker(html)
    assert "<script" not in html
    assert "script" not in page.tags
    assert EVIL.partition('"')[0].partition("/")[0] in page.text


def test_html_shows_what_the_text_shows():
    page = Checker(display.view_html(**FACTS, stages=["match(x < 0.5)"]))
    for part in ("street", "200", "['day']", "ground_truth", "EmbeddedDocumentField(Detections)", "match(x < 0.5)"):
        assert part in page.text
    assert "2024-05-01 12:30:00" in Checker(display.run_html("uniqueness", RUN)).text


def test_html_sets_no_colours_of_its_own():
    for html in evil_pages().values():
        assert "color:inherit" in html
        assert "#" not in html.replace("&#x27;", "").replace("&#39;", "")


def test_thumbnails_are_taken_lazily_and_missing_ones_passed_over():
    html = display.dataset_html(**FACTS, thumbnails=(uri for uri in [None, "data:image/png;base64,AA==", None]))
    assert Checker(html).tags.count("img") == 1
    assert "<img" not in display.dataset_html(**FACTS)
    assert "<img" not in display.sample_html({"filepath": "/a.png"})


def decoded(uri):
    head, _, data = uri.partition(",")
    assert head == "data:image/webp;base64"
    return Image.open(io.BytesIO(base64.b64decode(data)))


@pytest.mark.parametrize("mode", ["RGB", "L", "1", "P", "RGBA", "LA", "CMYK", "I;16", "F"])
def test_a_thumbnail_of_any_kind_of_image(tmp_path, mode):
    path = tmp_path / ("größe.tiff" if mode in {"CMYK", "F"} else "größe.png")
    Image.new(mode, (400, 200)).save(path)
    assert decoded(display.thumbnail(str(path))).size == (96, 48)


def test_a_small_image_is_not_enlarged_and_a_turned_one_is_turned(tmp_path):
    Image.new("RGB", (8, 4), "red").save(tmp_path / "small.png")
    small = decoded(display.thumbnail(str(tmp_path / "small.png")))
    assert (small.size, small.convert("RGB").getpixel((0, 0))) == ((8, 4), pytest.approx((255, 0, 0), abs=3))
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (400, 200)).save(tmp_path / "turned.jpg", exif=exif)
    assert decoded(display.thumbnail(str(tmp_path / "turned.jpg"), size=50)).size == (25, 50)


def test_sixteen_bits_are_scaled_and_not_clipped(tmp_path):
    Image.fromarray(np.full((4, 4), 32768, np.uint16)).save(tmp_path / "deep.png")
    assert decoded(display.thumbnail(str(tmp_path / "deep.png"))).getpixel((0, 0))[0] in {127, 128}


def test_an_unreadable_file_has_no_thumbnail(tmp_path):
    whole = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)).save(whole, "PNG")
    broken = {
        "text.png": b"no image",
        "empty.png": b"",
        "cut.png": whole.getvalue()[:500],
        "head.png": whole.getvalue()[:20],
    }
    for name, content in broken.items():
        (tmp_path / name).write_bytes(content)
        assert display.thumbnail(str(tmp_path / name)) is None, name
    for path in (str(tmp_path), str(tmp_path / "missing.png"), "s3://bucket/a.png", "", "a\0b"):
        assert display.thumbnail(path) is None


def test_a_selection_as_html_draws_its_coverage_beside_another():
    lines = {"selected": [(1.0, 0.0), (2.0, 0.5), (4.0, 1.0)], "at random": [(1.0, 0.0), (4.0, 0.95)]}
    html = display.selection_html(EVIL, {"note": EVIL}, lines, ["data:image/webp;base64,AAAA", None])
    shown = Checker(html)
    assert shown.tags.count("polyline") == 2
    assert shown.tags.count("img") == 1
    assert "script" not in shown.tags
    assert "selected 1.00" in shown.text
    assert "at random 0.95" in shown.text
    heights = [float(mark.split('y="')[1].split('"')[0]) for mark in html.split("<text ")[1:3]]
    assert heights[1] - heights[0] >= 13


def test_a_selection_without_a_curve_has_no_drawing():
    assert "svg" not in Checker(display.selection_html("batch", {"selected": "3"}, {"selected": []})).tags
