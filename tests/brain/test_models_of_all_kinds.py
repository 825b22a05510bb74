"""What holds for every model that the library opens: the protocol, missing packages, names."""

import sys

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper

from saccade.brain.models.builtin import BuiltinModel
from saccade.brain.models.protocol import EmbeddingModel, PreparingModel
from saccade.brain.models.registry import can_be_found, get_model
from saccade.dataset.errors import MissingExtraError, ModelError


def test_the_builtin_model_prepares_images_and_describes_what_was_prepared(rng):
    images = [rng.integers(0, 256, (30 + 20 * i, 90, 3)).astype(np.uint8) for i in range(4)]
    model = BuiltinModel()
    assert isinstance(model, PreparingModel)
    prepared = [model.prepare(image) for image in images]
    assert {(part.shape, part.dtype.name) for part in prepared} == {((64, 64, 3), "uint8")}
    np.testing.assert_array_equal(model.embed_prepared(prepared), model.embed(images))


def test_what_is_prepared_shares_no_memory_with_an_image_of_that_very_size(rng):
    image = rng.integers(0, 256, (64, 64, 3)).astype(np.uint8)
    before = BuiltinModel().prepare(image)
    kept = before.copy()
    image[:] = 0
    np.testing.assert_array_equal(before, kept)


def test_a_model_without_prepare_is_still_a_model():
    class Plain:
        name, version, dim = "plain", "1", 1

        def embed(self, images):
            return np.zeros((len(images), 1))

    assert isinstance(get_model(Plain()), EmbeddingModel)
    assert not isinstance(get_model(Plain()), PreparingModel)


@pytest.mark.parametrize(
    ("package", "name", "extra"),
    [
        ("transformers", "hf:facebook/dinov2-small", "torch"),
        ("torch", "hf:facebook/dinov2-small", "torch"),
        ("keras", "tf:MobileNetV2", "tensorflow"),
        ("onnxruntime", "onnx:{}/net.onnx", "onnx"),
    ],
)
def test_a_missing_package_is_named_with_the_command_that_installs_it(package, name, extra, tmp_path, monkeypatch):
    given = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ("n", 3, 8, 8))]
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", given, [
        helper.make_tensor_value_info("y", TensorProto.FLOAT, ("n", 3, 8, 8))
    ])  # fmt: skip
    onnx.save(helper.make_model(graph), tmp_path / "net.onnx")
    monkeypatch.setitem(sys.modules, package, None)  # as if it were not installed
    with pytest.raises(MissingExtraError, match=rf"needs the package {package}: pip install 'saccade\[{extra}\]'"):
        get_model(name.format(tmp_path))


def test_names_that_a_model_can_be_found_by():
    assert all(can_be_found(name) for name in ("builtin", "hf:a/b", "tf:MobileNetV2", "onnx:x.onnx"))
    assert not any(can_be_found(name) for name in ("a net of mine", "http://x", "hf", "", None))


def test_options_that_a_model_does_not_have_are_refused():
    with pytest.raises(ModelError, match=r"model 'builtin' has no option 'device'\. Options: none"):
        get_model("builtin", device="cpu")
    with pytest.raises(ModelError, match=r"model 'mean' has no option 'nam'\. Options: name, version"):
        get_model(np.mean, nam="x")
    assert get_model(np.mean, name="x", version="2").version == "2"


@pytest.mark.parametrize("name", ["hf:", "hf", "tf", "onnx:", "s3:x"])
def test_a_family_without_a_name_is_no_model(name):
    with pytest.raises(ModelError, match="no embedding model"):
        get_model(name)


def test_a_class_of_modules_is_no_model():
    with pytest.raises(ModelError, match=r"is a class\. Pass an instance of it: Identity\(\.\.\.\)"):
        get_model(torch.nn.Identity)
