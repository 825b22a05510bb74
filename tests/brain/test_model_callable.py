"""Any function or fitted transformer is a model; anything else is refused with what to pass instead."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from saccade.brain.models.builtin import BuiltinModel
from saccade.brain.models.callable import CallableModel
from saccade.brain.models.protocol import EmbeddingModel
from saccade.brain.models.registry import get_model
from saccade.dataset.errors import ModelError, WrongOutputShapeError

IMAGES = [np.full((2, 2, 3), value, dtype=np.uint8) for value in (0, 51, 255)]


def mean_colour(images):
    return [image.mean(axis=(0, 1)) for image in images]


def test_a_function_is_a_model_under_its_own_name():
    model = get_model(mean_colour)
    assert isinstance(model, EmbeddingModel)
    assert (model.name, model.version, model.dim) == ("mean_colour", "1", None)
    vectors = model.embed(IMAGES)
    assert vectors.tolist() == [[0, 0, 0], [51, 51, 51], [255, 255, 255]]
    assert vectors.dtype == np.float32
    assert model.dim == 3


def test_a_name_and_version_can_be_given():
    model = CallableModel(mean_colour, name="colour", version="7")
    assert repr(model) == "CallableModel(name='colour', version='7')"


def test_a_transformer_fitted_on_grey_pixels_gets_grey_pixels():
    grey = np.array([[0.0, 0.0, 0.0, 0.0], [0.2, 0.2, 0.2, 0.2], [1.0, 1.0, 1.0, 1.0]])
    pca = PCA(1).fit(grey)
    model = get_model(pca)
    assert model.name == "PCA"
    np.testing.assert_allclose(model.embed(IMAGES), pca.transform(grey), atol=1e-6)


def test_a_transformer_fitted_on_colours_gets_colours():
    colours = np.repeat([[0.0], [0.2], [1.0]], 12, axis=1)
    pca = PCA(1).fit(colours)
    np.testing.assert_allclose(get_model(pca).embed(IMAGES), pca.transform(colours), atol=1e-6)


def test_a_transformer_refuses_images_it_was_not_fitted_on():
    model = get_model(PCA(1).fit(np.random.default_rng(0).random((5, 7))))
    with pytest.raises(ModelError, match="fitted on 7 columns; images of 2 x 2 pixels have 4 grey values or 12"):
        model.embed(IMAGES)
    with pytest.raises(ModelError, match=r"images of one size; among these are \(2, 2\) and \(3, 2\)"):
        model.embed([*IMAGES, np.zeros((3, 2, 3), np.uint8)])


@pytest.mark.parametrize("returned", [["a", "b"], [[1.0], [1.0, 2.0]], [object()] * 2])
def test_what_is_no_matrix_of_numbers_is_refused_by_name(returned):
    with pytest.raises(WrongOutputShapeError, match="model 'net' returned a list that is no matrix of numbers"):
        get_model(lambda _: returned, name="net").embed(IMAGES)


def test_a_short_name_finds_its_model():
    assert isinstance(get_model("builtin"), BuiltinModel)


def test_a_model_is_taken_as_it_is():
    model = BuiltinModel()
    assert get_model(model) is model


def test_an_unknown_name_lists_those_there_are():
    with pytest.raises(ModelError, match=r"no embedding model 'buildin'\. Models: builtin\. Did you mean 'builtin'\?"):
        get_model("buildin")


def test_what_cannot_embed_is_refused_with_what_can():
    with pytest.raises(ModelError, match="Pass a name such as 'builtin'"):
        get_model(3)
    with pytest.raises(ModelError, match=r"is a class\. Pass an instance of it: BuiltinModel\(\.\.\.\)"):
        get_model(BuiltinModel)
