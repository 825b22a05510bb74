"""Networks in ONNX files: what the graph says about its input is kept to, in both layouts and for any batch."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from saccade.brain.models.protocol import PreparingModel
from saccade.brain.models.registry import get_model
from saccade.dataset.errors import ModelError, WrongOutputShapeError

IMAGENET = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


def graph(path, shape, kind=TensorProto.FLOAT, weight=1.0, inputs=1, reduce=None):
    """A graph that gives the mean over the places, times a weight; in "maps", its input."""
    axes = [2, 3] if shape[1] in {1, 3} else [1, 2]
    axes = axes if reduce is None else reduce
    constants = [numpy_helper.from_array(np.array(axes, np.int64), "axes")]
    nodes = [helper.make_node("Cast", ["images"], ["numbers"], to=TensorProto.FLOAT)]
    nodes.append(helper.make_node("ReduceMean", ["numbers", "axes"], ["mean"], keepdims=0))
    constants.append(numpy_helper.from_array(np.array(weight, np.float32), "weight"))
    nodes.append(helper.make_node("Mul", ["mean", "weight"], ["vectors"]))
    nodes.append(helper.make_node("Identity", ["numbers"], ["maps"]))
    given = [helper.make_tensor_value_info(name, kind, shape) for name in ("images", "more")[:inputs]]
    taken = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("vectors", "maps")]
    made = helper.make_graph(nodes, "means", given, taken, constants)
    onnx.save(helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)
    return f"onnx:{path}"


@pytest.fixture
def images(rng):
    return [rng.integers(0, 256, (16, 24, 3)).astype(np.uint8) for _ in range(5)]


def normalised(images):
    return (np.stack(images) / 255 - IMAGENET[0]) / IMAGENET[1]


@pytest.mark.parametrize("shape", [("n", 3, 16, 24), ("n", 16, 24, 3)], ids=["NCHW", "NHWC"])
def test_layout_and_size_are_read_from_the_graph(shape, images, tmp_path):
    model = get_model(graph(tmp_path / "net.onnx", shape))
    assert isinstance(model, PreparingModel)
    np.testing.assert_allclose(model.embed(images), normalised(images).mean(axis=(1, 2)), atol=1e-5)
    assert (model.name, model.dim) == (f"onnx:{tmp_path}/net.onnx", 3)
    np.testing.assert_array_equal(model.embed(images), model.embed_prepared([model.prepare(i) for i in images]))


@pytest.mark.parametrize("rows", [1, 2, 8])
def test_a_graph_for_a_fixed_number_of_images_takes_any(rows, images, tmp_path):
    model = get_model(graph(tmp_path / "net.onnx", (rows, 3, 16, 24)))
    np.testing.assert_allclose(model.embed(images), normalised(images).mean(axis=(1, 2)), atol=1e-5)
    assert model.embed([]).shape == (0, 3)


def test_a_graph_for_any_size_needs_one(images, tmp_path):
    name = graph(tmp_path / "net.onnx", ("n", 3, "h", "w"))
    with pytest.raises(ModelError, match=r"takes images of any size\. Say which: image_size=224"):
        get_model(name)
    assert get_model(name, image_size=8).prepare(images[0]).shape == (8, 8, 3)
    assert get_model(name, image_size=(16, 24)).embed(images).shape == (5, 3)


def test_another_size_than_that_of_the_graph_is_refused(tmp_path):
    with pytest.raises(ModelError, match="takes images of 16 x 24 pixels, and image_size=32 was asked for"):
        get_model(graph(tmp_path / "net.onnx", ("n", 3, 16, 24)), image_size=32)


def test_where_the_shape_does_not_tell_the_layout_it_is_asked_for(images, tmp_path):
    name = graph(tmp_path / "net.onnx", ("n", "a", "b", "c"), reduce=[2, 3])
    with pytest.raises(ModelError, match=r"does not tell where the channels are\. Say layout='NCHW'"):
        get_model(name, image_size=8)
    assert get_model(name, image_size=8, layout="NCHW").embed(images).shape == (5, 3)
    with pytest.raises(ModelError, match="layout='NHCW' is unknown"):
        get_model(name, layout="NHCW")


def test_bytes_are_given_as_they_are(images, tmp_path):
    name = graph(tmp_path / "net.onnx", ("n", 3, 16, 24), TensorProto.UINT8)
    np.testing.assert_allclose(get_model(name).embed(images), np.stack(images).mean(axis=(1, 2)), rtol=1e-5)
    with pytest.raises(ModelError, match="pixels as bytes, which have no mean="):
        get_model(name, mean=0.5)


@pytest.mark.parametrize("kind", [TensorProto.FLOAT16, TensorProto.DOUBLE])
def test_numbers_come_in_the_type_of_the_graph(kind, images, tmp_path):
    vectors = get_model(graph(tmp_path / "net.onnx", ("n", 3, 16, 24), kind)).embed(images)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, normalised(images).mean(axis=(1, 2)), atol=0.01)


def test_a_graph_of_one_channel_gets_grey(images, tmp_path):
    model = get_model(graph(tmp_path / "net.onnx", ("n", 1, 8, 8)), mean=0.5, std=0.25)
    assert model.prepare(images[0]).shape == (8, 8, 1)
    assert model.embed([np.full((8, 8, 3), 255, np.uint8)]).tolist() == [[2.0]]


def test_another_output_is_chosen_by_name_and_maps_are_pooled(images, tmp_path):
    name = graph(tmp_path / "net.onnx", ("n", 16, 24, 3))
    maps = get_model(name, output="maps")
    np.testing.assert_allclose(maps.embed(images), get_model(name).embed(images), atol=1e-5)
    assert maps.version != get_model(name).version
    assert get_model(name, output="maps", pooling="flatten").embed(images).shape == (5, 16 * 24 * 3)
    with pytest.raises(ModelError, match=r"has no output 'map'\. Outputs: maps, vectors\. Did you mean 'maps'"):
        get_model(name, output="map")


def test_a_graph_that_mixes_images_up_is_refused(images, tmp_path):
    with pytest.raises(WrongOutputShapeError, match=r"returned shape \(3, 24\) for 5 images"):
        get_model(graph(tmp_path / "net.onnx", ("n", 3, 16, 24), reduce=[0, 2])).embed(images)


def test_the_version_changes_with_the_file(tmp_path):
    path, shape = tmp_path / "net.onnx", ("n", 3, 16, 24)
    first, again, other = (get_model(graph(path, shape, weight=weight)).version for weight in (1.0, 1.0, 2.0))
    assert first == again != other


def test_files_that_are_no_such_graph_say_so(tmp_path):
    with pytest.raises(ModelError, match=r"there is no file /nowhere/net\.onnx"):
        get_model("onnx:/nowhere/net.onnx")
    (tmp_path / "bad.onnx").write_bytes(b"nothing")
    with pytest.raises(ModelError, match="cannot be opened"):
        get_model(f"onnx:{tmp_path}/bad.onnx")
    with pytest.raises(ModelError, match=r"takes images tensor\(float\), more tensor\(float\); expected one batch"):
        get_model(graph(tmp_path / "two.onnx", ("n", 3, 16, 24), inputs=2))
    with pytest.raises(ModelError, match="takes images of 4 channels"):
        get_model(graph(tmp_path / "four.onnx", ("n", 16, 24, 4)), layout="NHWC")
    with pytest.raises(ModelError, match=r"shape \('n', 3\), which is no batch of images"):
        get_model(graph(tmp_path / "flat.onnx", ("n", 3), reduce=[1]))


def test_a_card_that_is_not_there_is_refused(tmp_path):
    import onnxruntime

    name = graph(tmp_path / "net.onnx", ("n", 3, 16, 24))
    with pytest.raises(ModelError, match="device='gpu' is unknown"):
        get_model(name, device="gpu")
    assert get_model(name, device="cpu").embed([np.zeros((4, 4, 3), np.uint8)]).shape == (1, 3)
    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        with pytest.raises(ModelError, match=r"device='cuda' was asked for, and onnxruntime .* has only"):
            get_model(name, device="cuda")
