"""Keras models: applications, files and objects."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from saccade.brain.models.protocol import PreparingModel
from saccade.brain.models.registry import get_model
from saccade.dataset.errors import ModelError

# Keras itself asks tensorflow for weights in NumPy 1's way when it saves them.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def keras():
    return pytest.importorskip("keras")


@pytest.fixture
def images(rng):
    return [rng.integers(0, 256, (40 + 9 * i, 50, 3)).astype(np.uint8) for i in range(5)]


def network(keras, channels=3, size=12):
    keras.utils.set_random_seed(3)
    return keras.Sequential(
        [keras.Input((size, size, channels)), keras.layers.Conv2D(4, 3), keras.layers.GlobalAveragePooling2D()]
    )


def test_a_file_an_object_and_what_they_make_of_pixels_are_one(keras, images, tmp_path):
    net = network(keras)
    net.save(tmp_path / "net.keras")
    model, opened = get_model(net), get_model(f"tf:{tmp_path}/net.keras")
    assert isinstance(model, PreparingModel)
    assert (model.name, opened.name) == ("Sequential", f"tf:{tmp_path}/net.keras")
    assert model.version == opened.version
    vectors = model.embed(images)
    assert (vectors.shape, vectors.dtype, model.dim) == ((5, 4), np.float32, 4)
    prepared = [model.prepare(image) for image in images]
    np.testing.assert_array_equal(model.embed_prepared(prepared), vectors)
    expected = np.asarray(net(np.stack(prepared).astype(np.float32) / 255, training=False))
    np.testing.assert_allclose(vectors, expected, atol=1e-5)
    np.testing.assert_allclose(opened.embed(images), vectors, atol=1e-6)
    np.testing.assert_allclose(model.embed(images[:1])[0], vectors[0], atol=1e-5)


def test_the_version_changes_with_weights_and_settings(keras):
    net = network(keras)
    version = get_model(net).version
    assert get_model(network(keras)).version == version
    assert get_model(net, scale=1.0).version != version
    weights = net.get_weights()
    weights[0][0, 0, 0, 0] += 1e-5
    net.set_weights(weights)
    assert get_model(net).version != version


def test_options_of_models_of_ones_own(keras, images):
    grey = get_model(network(keras, channels=1), device="cpu")
    assert grey.prepare(images[0]).shape == (12, 12, 1)
    assert grey.embed(images).shape == (5, 4)
    pixels = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Rescaling(1.0)])
    with pytest.raises(ModelError, match="takes images of any size"):
        get_model(pixels)
    plain = get_model(pixels, image_size=8, scale=1, pooling="flatten")
    np.testing.assert_allclose(plain.embed(images[:1])[0], plain.prepare(images[0]).reshape(-1), atol=1e-3)
    maps = get_model(pixels, image_size=8, scale=1)
    np.testing.assert_allclose(maps.embed(images[:1])[0], maps.prepare(images[0]).mean(axis=(0, 1)), rtol=1e-4)
    unbuilt = get_model(keras.Sequential([keras.layers.Conv2D(4, 3)]), image_size=8)
    version = unbuilt.version
    assert unbuilt.embed(images).shape == (5, 4)
    assert unbuilt.version == version


def test_an_application_prepares_pixels_as_it_was_trained(keras, images):
    model = get_model("tf:MobileNetV2", weights=None, image_size=32)
    vectors = model.embed(images)
    assert (model.name, vectors.shape) == ("tf:MobileNetV2", (5, 1280))
    numbers = np.stack([model.prepare(image) for image in images]).astype(np.float32) / 127.5 - 1
    np.testing.assert_allclose(vectors, model._model.predict_on_batch(numbers), atol=1e-5)
    assert get_model("tf:MobileNetV2", weights=None).preparation.height == 224


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("tf:MobileNetV9", {}, r"neither a Keras application nor a \.keras or \.h5 file.*Did you mean 'MobileNetV2'"),
        ("tf:applications", {}, "neither a Keras application"),
        ("tf:/nowhere/net.keras", {}, r"there is no file /nowhere/net\.keras"),
        ("tf:MobileNetV2", {"scale": 1}, r"prepares pixels itself\. Leave scale="),
        ("tf:MobileNetV2", {"weights": None, "image_size": 7}, "cannot be made: Input size must be at least 32x32"),
        ("tf:MobileNetV2", {"weights": "/nowhere.h5"}, "cannot be made: .*weights"),
        ("tf:MobileNetV2", {"device": "tpu"}, "device='tpu' is unknown"),
    ],
)
def test_what_cannot_be_opened_is_refused(keras, name, options, message):
    with pytest.raises(ModelError, match=message):
        get_model(name, **options)


def test_files_and_models_that_do_not_fit_are_refused(keras, tmp_path):
    (tmp_path / "bad.keras").write_bytes(b"nothing")
    with pytest.raises(ModelError, match="cannot be opened"):
        get_model(f"tf:{tmp_path}/bad.keras")
    with pytest.raises(ModelError, match="weights=None is for applications by name"):
        get_model(network(keras), weights=None)
    one, other = keras.Input((8, 8, 3)), keras.Input((8, 8, 3))
    with pytest.raises(ModelError, match="takes 2 inputs; expected one batch of images"):
        get_model(keras.Model([one, other], keras.layers.Add()([one, other])))


def test_weights_that_cannot_be_fetched_are_an_error_that_says_what_to_do(keras, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", "from saccade.brain.models.registry import get_model; get_model('tf:MobileNetV2')"],
        env={
            **os.environ, "PYTHONPATH": str(ROOT), "KERAS_HOME": str(tmp_path),
            # A proxy that nobody answers at: no network, wherever this runs.
            "https_proxy": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9",
        },
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    message = done.stderr.strip().splitlines()[-1]
    assert "model 'tf:MobileNetV2' cannot be made: URL fetch failure" in message
    for remedy in ("KERAS_HOME", "weights='/path/of/the/file.h5'", ".keras file", "'builtin' needs no download"):
        assert remedy in message
