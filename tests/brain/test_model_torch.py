"""Any torch module is a model: pixels come normalised, what comes out is one vector per image, or a clear error."""

import numpy as np
import pytest
import torch
from PIL import Image

from saccade.brain.models.protocol import PreparingModel, TextEmbeddingModel
from saccade.brain.models.registry import get_model
from saccade.brain.models.torch_module import TorchModel
from saccade.dataset.errors import ModelError, WrongOutputShapeError


def network():
    torch.manual_seed(7)
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, 2), torch.nn.BatchNorm2d(8), torch.nn.ReLU(), torch.nn.Dropout(0.5),
        torch.nn.Conv2d(8, 16, 3, 2),
    )  # fmt: skip


class Echo(torch.nn.Module):
    """Returns what it is told to make of its input."""

    def __init__(self, make):
        super().__init__()
        self.make = make

    def forward(self, numbers):
        return self.make(numbers)


@pytest.fixture
def images(rng):
    return [rng.integers(0, 256, (40 + 9 * i, 50, 3)).astype(np.uint8) for i in range(7)]


def test_a_module_is_a_preparing_model_under_the_name_of_its_class(images):
    model = get_model(network(), image_size=32)
    assert isinstance(model, TorchModel)
    assert isinstance(model, PreparingModel)
    assert not isinstance(model, TextEmbeddingModel)
    assert (model.name, model.dim) == ("Sequential", None)
    vectors = model.embed(images)
    assert (vectors.shape, vectors.dtype, model.dim) == ((7, 16), np.float32, 16)
    assert get_model(network(), name="mine").name == "mine"


def test_embedding_is_preparing_and_embedding_what_was_prepared(images):
    model = get_model(network(), image_size=32)
    prepared = [model.prepare(image) for image in images]
    assert {(part.shape, part.dtype.name) for part in prepared} == {((32, 32, 3), "uint8")}
    np.testing.assert_array_equal(model.embed(images), model.embed_prepared(prepared))


def test_vectors_are_those_of_the_module_on_normalised_pixels():
    pixels = np.random.default_rng(3).integers(0, 256, (32, 32, 3)).astype(np.uint8)
    net = network().eval()
    numbers = (torch.from_numpy(pixels).float() / 255 - torch.tensor([0.485, 0.456, 0.406])) / torch.tensor(
        [0.229, 0.224, 0.225]
    )
    with torch.no_grad():
        expected = net(numbers.permute(2, 0, 1)[None]).mean(dim=(2, 3)).numpy()
    np.testing.assert_allclose(get_model(net, image_size=32).embed([pixels]), expected, atol=1e-5)


def test_a_vector_does_not_depend_on_the_images_beside_it(images):
    model = get_model(network().train(), image_size=32)
    together = model.embed(images)
    for image, vector in zip(images, together, strict=True):
        np.testing.assert_allclose(model.embed([image])[0], vector, atol=1e-6)


def test_the_module_keeps_its_modes_and_gradients(images):
    net = network().train()
    net[1].eval()
    before = [part.training for part in net.modules()]
    get_model(net, image_size=32).embed(images)
    assert [part.training for part in net.modules()] == before
    assert all(parameter.requires_grad and parameter.grad is None for parameter in net.parameters())
    assert int(net[1].num_batches_tracked) == 0


def test_no_images_give_no_rows(images):
    model = get_model(network(), image_size=32)
    assert model.embed([]).shape == (0, 0)
    model.embed(images)
    assert model.embed([]).shape == (0, 16)


@pytest.mark.parametrize(
    ("make", "options", "dim"),
    [
        (lambda x: x.mean(dim=(2, 3)), {}, 3),
        (lambda x: x.mean(dim=(2, 3), keepdim=True), {}, 3),
        (lambda x: x, {}, 3),
        (lambda x: x, {"pooling": "flatten"}, 3 * 8 * 8),
        (lambda x: x.flatten(2), {"pooling": "mean"}, 64),
        (lambda x: x.flatten(2), {"pooling": "first"}, 64),
        (lambda x: {"features": x}, {"pooling": lambda result: result["features"]}, 3),
    ],
    ids=["rows", "1 x 1 maps", "maps", "flat maps", "mean of tokens", "first token", "a function"],
)
def test_outputs_that_are_accepted(make, options, dim, images):
    assert get_model(Echo(make), image_size=8, **options).embed(images).shape == (7, dim)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda x: x.flatten(2), r"shape \(7, 3, 64\) for 7 images, and pooling=None makes no vector"),
        (lambda x: (x, x), r"returned a tuple; expected one array with a row per image"),
        (lambda x: x.mean(), r"returned shape \(\) for 7 images"),
        (lambda x: x[:2, :, 0, 0], r"returned shape \(2, 3\) for 7 images; expected \(7, d\)"),
    ],
)
def test_outputs_that_are_no_vectors_say_what_to_do(make, message, images):
    with pytest.raises(WrongOutputShapeError, match=message):
        get_model(Echo(make), image_size=8).embed(images)


def test_a_module_that_takes_other_images_says_what_it_got(images):
    with pytest.raises(ModelError, match=r"failed on 7 images of 8 x 8 pixels in 1 channels: .* image_size=, grey="):
        get_model(network(), image_size=8, grey=True).embed(images)


def test_grey_networks_get_the_luma():
    image = np.zeros((4, 4, 3), np.uint8)
    image[:, :2] = (255, 0, 0)
    model = get_model(Echo(lambda x: x), image_size=(2, 4), grey=True, pooling="flatten")
    rows = model.embed([image])[0].reshape(2, 4)
    np.testing.assert_allclose(rows[0, [0, 3]], [76 / 255, 0], atol=1e-6)


def test_cropping_keeps_the_proportions_and_cuts_the_middle_out():
    image = np.zeros((20, 60, 3), np.uint8)
    image[:, 20:40] = 255
    cropped = get_model(Echo(lambda x: x), image_size=20, resize="crop").prepare(image)
    assert cropped.min() == 255
    assert get_model(Echo(lambda x: x), image_size=20).prepare(image).min() == 0


def test_images_are_smoothed_where_they_shrink(rng):
    image = rng.integers(0, 256, (64, 64, 3)).astype(np.uint8)
    expected = np.asarray(Image.fromarray(image).resize((8, 8), Image.Resampling.BICUBIC))
    np.testing.assert_array_equal(get_model(network(), image_size=8).prepare(image), expected)


def test_what_is_prepared_shares_no_memory_with_the_image(rng):
    image = rng.integers(0, 256, (8, 8, 3)).astype(np.uint8)
    prepared = get_model(network(), image_size=8).prepare(image)
    np.testing.assert_array_equal(prepared, image)
    assert not np.shares_memory(prepared, image)


def test_the_version_changes_with_the_weights_and_with_the_settings():
    net = network()
    model = get_model(net, image_size=32)
    version = model.version
    assert get_model(network(), image_size=32).version == version
    assert get_model(network().half(), image_size=32).version != version
    other = get_model(net, image_size=64).version
    assert other.split("+")[0] == version.split("+")[0]
    assert len({version, other, get_model(net, image_size=32, pooling="mean").version}) == 3
    with torch.no_grad():
        net[0].weight[0, 0, 0, 0] += 1e-6
    assert model.version != version
    assert model.version.split("+")[1] == version.split("+")[1]


def test_a_module_in_half_precision_gets_half_precision(images):
    vectors = get_model(network().to(torch.bfloat16), image_size=32).embed(images)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, get_model(network(), image_size=32).embed(images), atol=0.05)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device": "cuda:99"}, "device='cuda:99' was asked for, and torch .* finds . CUDA cards"),
        ({"device": "gpu-please"}, "device='gpu-please' is unknown"),
        ({"size": 3}, r"has no option 'size'\. Options: .*image_size"),
        ({"image_size": 0}, "height=0 is no number of pixels"),
        ({"image_size": (8, 8, 3)}, r"image_size=\(8, 8, 3\) is no size"),
        ({"pooling": "max"}, "pooling='max' is unknown"),
        ({"resize": "pad"}, "resize='pad' is unknown. Use 'squeeze' or 'crop'"),
        ({"std": 0}, "divide by zero"),
        ({"mean": (1, 2)}, "has to be one number, or 3"),
        ({"mean": "grey"}, "mean='grey' has to be one number"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(options, message):
    with pytest.raises(ModelError, match=message):
        get_model(network(), **options)


@pytest.mark.parametrize("image", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), [[0]]])
def test_what_is_no_rgb_image_is_refused(image):
    with pytest.raises(ModelError, match=r"expected .*\(height, width, 3\) uint8"):
        get_model(network()).prepare(image)


def test_an_embedding_model_takes_no_options_any_more():
    with pytest.raises(ModelError, match="is an embedding model already, so its options image_size come too late"):
        get_model(get_model(network()), image_size=3)
