"""Text as a query: by a model that embeds words and images into one space, which must be that of the vectors."""

import json

import numpy as np
import pytest
from PIL import Image

import saccade as sc
import saccade.brain as scb
from saccade.brain.models import registry
from saccade.brain.models.protocol import EmbeddingModel, TextEmbeddingModel
from saccade.brain.models.text import embed_texts
from saccade.dataset.errors import ModelError, ViewError, WrongOutputShapeError

pytestmark = pytest.mark.usefixtures("database")

COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "white": (255, 255, 255), "black": (0, 0, 0)}


class ColourWords:
    """Puts an image at its mean colour, and a text at the mean of the colours that it names."""

    name, version, dim = "colour words", "1", 3

    def embed(self, images):
        return np.array([image.mean(axis=(0, 1)) for image in images], dtype=np.float32) / 255

    def embed_text(self, texts):
        named = [[COLOURS[word] for word in text.split() if word in COLOURS] for text in texts]
        return np.array([np.mean(colours or [(0, 0, 0)], axis=0) for colours in named], dtype=np.float32) / 255


@pytest.fixture
def dataset(database, tmp_path):
    """Images of one colour each: red, dark red, green, blue, and violet."""
    paths = []
    for name, colour in {
        "red": (250, 0, 0), "dark": (90, 10, 10), "green": (0, 240, 0), "blue": (0, 0, 240), "violet": (130, 0, 130),
    }.items():  # fmt: skip
        Image.new("RGB", (6, 6), colour).save(tmp_path / f"{name}.png")
        paths.append(str(tmp_path / f"{name}.png"))
    return sc.Dataset.from_images(paths, name="colours", progress=False)


@pytest.fixture
def index(dataset):
    return scb.compute_similarity(dataset, embeddings="colour", model=ColourWords())


def names(view):
    return [path.split("/")[-1][:-4] for path in view.values("filepath")]


def test_a_model_that_embeds_text_is_an_embedding_model_too():
    assert isinstance(ColourWords(), TextEmbeddingModel)
    assert isinstance(ColourWords(), EmbeddingModel)
    assert not isinstance(registry.get_model("builtin"), TextEmbeddingModel)


def test_the_index_knows_its_model_and_answers_text(index):
    assert names(index.sort_by_similarity("a red car")) == ["red", "dark", "violet", "green", "blue"]
    assert names(index.sort_by_similarity("something blue", k=2)) == ["blue", "violet"]
    assert names(index.sort_by_similarity("red", k=1, reverse=True)) == ["green"]


def test_a_dataset_or_view_is_given_the_model(dataset, index):
    assert names(dataset.sort_by_similarity("green grass", k=1, model=ColourWords())) == ["green"]
    view = dataset.match(sc.F("filepath").ends_with("t.png") | sc.F("filepath").ends_with("k.png"))
    assert names(scb.sort_by_similarity(view, "red", model=ColourWords())) == ["dark", "violet"]


def test_several_texts_ids_and_vectors_are_their_mean_direction(dataset, index):
    ids = dict(zip(names(dataset), dataset.values("id"), strict=True))
    violet = [index.sort_by_similarity(query, k=1) for query in (
        ["red", "blue"], ["red", ids["blue"]], [dataset[ids["red"]], "blue"], ["red", [0.0, 0.0, 7.0]], "red blue",
    )]  # fmt: skip
    assert [names(view) for view in violet] == [["violet"]] * 5
    assert names(index.sort_by_similarity(["green"], k=1)) == ["green"]


def test_the_view_keeps_the_vector_and_neither_the_text_nor_ids(dataset, index):
    view = index.sort_by_similarity("red", k=2)
    stored = json.dumps(view.to_dict())
    assert "[1.0, 0.0, 0.0]" in stored
    assert '"red"' not in stored
    assert not any(key in stored for key in dataset.values("id"))
    dataset.save_view("red ones", view)
    assert names(sc.load_dataset("colours").load_saved_view("red ones")) == ["red", "dark"]


def test_a_model_of_the_library_is_found_by_its_name(dataset, index, monkeypatch):
    monkeypatch.setitem(registry.MODELS, "colour words", f"{__name__}:ColourWords")
    assert names(sc.load_dataset("colours").sort_by_similarity("blue", k=1)) == ["blue"]


def test_where_no_model_is_known_the_error_says_to_pass_one(dataset, index):
    loaded = sc.load_dataset("colours").load_run("similarity")
    with pytest.raises(ViewError, match=r"of model 'colour words', which has to be given\. Pass model="):
        loaded.sort_by_similarity("red")
    assert names(loaded.sort_by_similarity("red", k=1, model=ColourWords())) == ["red"]
    scb.compute_similarity(dataset, embeddings=np.eye(5), brain_key="brought")
    with pytest.raises(ViewError, match=r"it is not known what made them\. Pass model="):
        dataset.sort_by_similarity("red", brain_key="brought")


def test_vectors_that_were_brought_are_asked_with_the_model_that_is_given(dataset):
    scb.compute_similarity(dataset, embeddings=np.eye(5)[:, :3] + 0.1, brain_key="brought")
    assert names(dataset.sort_by_similarity("green", k=1, model=ColourWords())) == ["dark"]


def test_a_model_that_embeds_no_text_says_so(dataset, index):
    scb.compute_similarity(dataset, brain_key="plain", model="builtin")
    with pytest.raises(ModelError, match="model 'builtin' does not embed text, so 'a red car' cannot be asked"):
        dataset.sort_by_similarity("a red car", brain_key="plain")


@pytest.mark.parametrize(("fact", "value"), [("name", "other words"), ("version", "2")])
def test_another_model_or_version_than_that_of_the_vectors_is_refused(index, fact, value):
    other = ColourWords()
    setattr(other, fact, value)
    with pytest.raises(ModelError, match=r"holds vectors of model 'colour words' \(version 1\), and the text would be"):
        index.sort_by_similarity("red", model=other)


@pytest.mark.parametrize(
    ("returned", "error", "message"),
    [
        (np.ones(3), WrongOutputShapeError, r"returned shape \(3,\), float64, for 1 texts; expected \(1, 3\) numbers"),
        (np.ones((2, 3)), WrongOutputShapeError, r"shape \(2, 3\)"),
        (np.ones((1, 4)), WrongOutputShapeError, r"expected \(1, 3\)"),
        (np.ones((1, 0)), WrongOutputShapeError, r"shape \(1, 0\)"),
        ([["red"]], WrongOutputShapeError, "expected"),
        ([[1.0, np.nan, 0.0]], ModelError, "returned NaN or infinity for 'red'"),
    ],
)
def test_what_is_no_vector_of_the_right_length_is_refused(dataset, index, returned, error, message):
    class Wrong(ColourWords):
        def embed_text(self, texts):
            return returned

    with pytest.raises(error, match=message):
        dataset.sort_by_similarity("red", model=Wrong())


def test_empty_text_is_refused(index):
    with pytest.raises(ModelError, match="a text is empty"):
        index.sort_by_similarity(["red", "  "])


def test_text_of_24_hex_digits_is_an_id(index):
    with pytest.raises(ViewError, match="no sample deadbeefdeadbeefdeadbeef with a vector"):
        index.sort_by_similarity("deadbeefdeadbeefdeadbeef")


def test_text_finds_by_regions_where_the_vectors_are_of_these(dataset, tmp_path):
    boxes = sc.Detections(detections=[sc.Detection(bounding_box=[0, 0, 0.5, 1])])
    dataset.set_values("boxes", [boxes] * 5)
    model = ColourWords()
    scb.compute_uniqueness(dataset, roi_field="boxes", embeddings="by_box", model=model)
    index = scb.compute_similarity(dataset, embeddings="by_box")
    assert names(index.sort_by_similarity("green", k=1, model=model)) == ["green"]


def test_all_texts_of_a_query_are_embedded_in_one_call():
    calls = []

    class Counting(ColourWords):
        def embed_text(self, texts):
            calls.append(list(texts))
            return super().embed_text(texts)

    assert embed_texts(Counting(), ["red", "blue"]).tolist() == [[1, 0, 0], [0, 0, 1]]
    assert calls == [["red", "blue"]]
