"""Models of transformers from a folder or the cache: images as their own processor prepares them, texts, versions."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import AutoModel, BitImageProcessorPil, CLIPImageProcessorPil, ConvNextImageProcessorPil

import saccade as sc
import saccade.brain as scb
from saccade.brain.models.hugging_face_preparation import preparation_in
from saccade.brain.models.protocol import PreparingModel, TextEmbeddingModel
from saccade.brain.models.registry import get_model
from saccade.dataset.errors import ModelError

from .tiny_networks import clip, dinov2, siglip

ROOT = Path(__file__).resolve().parents[2]
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    return {make.__name__: make(root / make.__name__) for make in (dinov2, clip, siglip)}


@pytest.fixture
def images(rng):
    return [rng.integers(0, 256, (40 + 9 * i, 70, 3)).astype(np.uint8) for i in range(5)]


def copied(folder, place):
    shutil.copytree(folder, place)
    return place


def edited(folder, place, **changes):
    """A copy of a model whose image processor has other settings; None takes one out."""
    path = copied(folder, place) / "preprocessor_config.json"
    config = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({key: value for key, value in config.items() if value is not None}))
    return f"hf:{place}"


@pytest.mark.parametrize("kind", ["dinov2", "clip", "siglip"])
def test_a_folder_is_a_preparing_model(kind, folders, images):
    model = get_model(f"hf:{folders[kind]}")
    assert isinstance(model, PreparingModel)
    assert isinstance(model, TextEmbeddingModel) == (kind != "dinov2")
    vectors = model.embed(images)
    np.testing.assert_array_equal(vectors, model.embed_prepared([model.prepare(image) for image in images]))
    np.testing.assert_allclose(model.embed(images[:1])[0], vectors[0], atol=1e-6)
    assert vectors.dtype == np.float32
    assert np.abs(vectors[0] - vectors[1]).max() > 1e-4


def test_dino_gives_the_class_token_after_the_last_norm(folders, images):
    expected = reference(folders["dinov2"], images).last_hidden_state[:, 0].numpy()
    np.testing.assert_allclose(get_model(f"hf:{folders['dinov2']}").embed(images), expected, atol=1e-4)
    np.testing.assert_allclose(
        get_model(f"hf:{folders['dinov2']}", pooling="first").embed(images), expected, atol=1e-4
    )  # fmt: skip


def test_the_mean_is_that_of_the_patches_alone(folders, images):
    expected = reference(folders["dinov2"], images).last_hidden_state[:, 1:].mean(1).numpy()
    np.testing.assert_allclose(get_model(f"hf:{folders['dinov2']}", pooling="mean").embed(images), expected, atol=1e-4)


def reference(folder, images):
    """What transformers gives with its own image processor."""
    processor = CLIPImageProcessorPil.from_pretrained(folder)
    with torch.no_grad():
        return AutoModel.from_pretrained(folder).eval()(**processor(list(images), return_tensors="pt"))


def test_clip_gives_the_projected_features_of_images_and_texts_at_length_one(folders, images):
    from transformers import AutoTokenizer

    net, tokenizer = AutoModel.from_pretrained(folders["clip"]).eval(), AutoTokenizer.from_pretrained(folders["clip"])
    texts = ["a red car", "tree"]
    numbers = CLIPImageProcessorPil.from_pretrained(folders["clip"])(list(images), return_tensors="pt")
    with torch.no_grad():
        both = net(**numbers, **tokenizer(texts, padding=True, return_tensors="pt"))
    model = get_model(f"hf:{folders['clip']}")
    np.testing.assert_allclose(model.embed(images), both.image_embeds.numpy(), atol=1e-5)
    np.testing.assert_allclose(model.embed_text(texts), both.text_embeds.numpy(), atol=1e-5)


def test_siglip_reads_texts_filled_up_to_full_length(folders, images):
    from transformers import AutoTokenizer

    net, tokenizer = AutoModel.from_pretrained(folders["siglip"]), AutoTokenizer.from_pretrained(folders["siglip"])
    tokens = tokenizer(["a red car"], padding="max_length", max_length=8, return_tensors="pt")
    with torch.no_grad():
        features = net.eval().get_text_features(input_ids=tokens["input_ids"]).pooler_output.numpy()
    (vector,) = get_model(f"hf:{folders['siglip']}").embed_text(["a red car"])
    np.testing.assert_allclose(vector, features[0] / np.linalg.norm(features), atol=1e-5)


def test_a_text_has_the_same_vector_beside_longer_ones(folders):
    for kind in ("clip", "siglip"):
        model = get_model(f"hf:{folders[kind]}")
        together = model.embed_text(["tree", "a red car a green car a blue car a red tree"])
        np.testing.assert_allclose(together[:1], model.embed_text(["tree"]), atol=1e-6)


PROCESSORS = [
    CLIPImageProcessorPil(),
    CLIPImageProcessorPil(size={"shortest_edge": 40}, crop_size={"height": 24, "width": 32}),
    CLIPImageProcessorPil(size={"height": 30, "width": 20}, do_center_crop=False, resample=2),
    BitImageProcessorPil(size={"shortest_edge": 256}, crop_size={"height": 224, "width": 224}),
    BitImageProcessorPil(do_rescale=False, do_normalize=False),
    ConvNextImageProcessorPil(size={"shortest_edge": 32}, crop_pct=0.875),
]


@pytest.mark.parametrize("processor", PROCESSORS, ids=lambda processor: type(processor).__name__)
@pytest.mark.parametrize("shape", [(300, 417), (417, 300), (64, 64), (20, 31)])
def test_images_are_prepared_as_transformers_does(processor, shape, rng, tmp_path):
    processor.save_pretrained(tmp_path)
    image = rng.integers(0, 256, (*shape, 3)).astype(np.uint8)
    preparation = preparation_in("hf:x", tmp_path)
    numbers = preparation.numbers(preparation.prepare(image)[None], channels_first=True)
    expected = np.asarray(processor(Image.fromarray(image), return_tensors="np")["pixel_values"])
    np.testing.assert_allclose(numbers, expected, atol=1e-5 * max(1, np.abs(expected).max()))


def test_sizes_as_they_were_written_before_2023_are_understood(folders, tmp_path):
    cropped = get_model(edited(folders["dinov2"], tmp_path / "a", size=32, crop_size=28)).preparation
    assert (cropped.height, cropped.width, cropped.shortest_side) == (28, 28, 32)
    squeezed = get_model(edited(folders["dinov2"], tmp_path / "b", size=28, crop_size=None, do_center_crop=None))
    assert (squeezed.preparation.height, squeezed.preparation.shortest_side) == (28, None)


@pytest.mark.parametrize("kind", ["dinov2", "clip", "siglip"])
def test_another_size_is_looked_at_whole_and_is_another_version(kind, folders, images):
    usual, larger = get_model(f"hf:{folders[kind]}"), get_model(f"hf:{folders[kind]}", image_size=56)
    assert larger.prepare(images[0]).shape == (56, 56, 3)
    assert larger.embed(images).shape == usual.embed(images).shape
    assert larger.version != usual.version
    if kind != "siglip":
        assert larger.preparation.shortest_side == 64


def test_a_size_that_cuts_patches_is_refused(folders):
    with pytest.raises(ModelError, match=r"patches of 14 pixels, and image_size=30 x 30 .*Use image_size=28"):
        get_model(f"hf:{folders['dinov2']}", image_size=30)


def test_the_version_of_a_folder_changes_with_its_weights(folders, tmp_path):
    version = get_model(f"hf:{folders['dinov2']}").version
    assert get_model(f"hf:{copied(folders['dinov2'], tmp_path / 'same')}").version == version
    assert get_model(f"hf:{dinov2(tmp_path / 'other', seed=1)}").version != version


def test_a_model_without_a_trained_pooler_gives_its_class_token(images, tmp_path):
    from transformers import ViTConfig, ViTForImageClassification

    tiny = ViTConfig(
        hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, image_size=28, patch_size=14
    )
    ViTForImageClassification(tiny).save_pretrained(tmp_path)
    CLIPImageProcessorPil(size={"height": 28, "width": 28}, do_center_crop=False).save_pretrained(tmp_path)
    first, again = (get_model(f"hf:{tmp_path}").embed(images) for _ in range(2))
    np.testing.assert_array_equal(first, again)  # a pooler with random weights would differ each time
    np.testing.assert_array_equal(first, get_model(f"hf:{tmp_path}", pooling="first").embed(images))


def test_register_tokens_are_left_out_of_the_mean(images, tmp_path):
    from transformers import DINOv3ViTConfig, DINOv3ViTModel

    tiny = DINOv3ViTConfig(
        hidden_size=32, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2, image_size=28, patch_size=14,
        num_register_tokens=3,
    )  # fmt: skip
    DINOv3ViTModel(tiny).save_pretrained(tmp_path)
    CLIPImageProcessorPil(size={"height": 28, "width": 28}, do_center_crop=False).save_pretrained(tmp_path)
    states = reference(tmp_path, images).last_hidden_state
    assert states.shape[1] == 1 + 3 + 4
    for pooling, expected in ((None, states[:, 0]), ("mean", states[:, 4:].mean(1))):
        vectors = get_model(f"hf:{tmp_path}", pooling=pooling).embed(images)
        np.testing.assert_allclose(vectors, expected.numpy(), atol=1e-4)


def test_a_convolutional_net_gives_its_pooled_maps(images, tmp_path):
    from transformers import ConvNextV2Config, ConvNextV2Model

    ConvNextV2Model(ConvNextV2Config(hidden_sizes=[8, 8, 8, 16], depths=[1, 1, 1, 1])).save_pretrained(tmp_path)
    ConvNextImageProcessorPil(size={"shortest_edge": 64}, crop_pct=0.875).save_pretrained(tmp_path)
    model, maps = get_model(f"hf:{tmp_path}"), get_model(f"hf:{tmp_path}", pooling="mean")
    assert model.embed(images).shape == maps.embed(images).shape == (5, 16)
    assert model.version != maps.version


def test_a_model_of_words_is_refused(tmp_path):
    from transformers import BertConfig, BertModel

    tiny = BertConfig(
        vocab_size=9, hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1
    )  # fmt: skip
    BertModel(tiny).save_pretrained(tmp_path)
    CLIPImageProcessorPil().save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="is a BertModel, which takes no images"):
        get_model(f"hf:{tmp_path}")


def test_weights_that_are_missing_are_never_made_up(folders, tmp_path):
    place = copied(folders["dinov2"], tmp_path / "part")
    weights = load_file(place / "model.safetensors")
    del weights["encoder.layer.1.mlp.fc1.weight"]
    save_file(weights, place / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"lacks 1 weights in .*'encoder\.layer\.1\.mlp\.fc1\.weight'.*random"):
        get_model(f"hf:{place}")


def test_folders_that_hold_no_usable_model_say_what_is_missing(folders, tmp_path):
    with pytest.raises(ModelError, match="names a folder that does not exist: /nowhere/at/all"):
        get_model("hf:/nowhere/at/all")
    place = copied(folders["dinov2"], tmp_path / "a")
    (place / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"cannot be opened from .*model\.safetensors"):
        get_model(f"hf:{place}")
    (place / "preprocessor_config.json").unlink()
    with pytest.raises(ModelError, match=r"holds no preprocessor_config\.json.*save_pretrained"):
        get_model(f"hf:{place}")
    with pytest.raises(ModelError, match="is a folder, which has no revision 'main'"):
        get_model(f"hf:{place}", revision="main")


def test_processors_without_a_fixed_size_are_refused(folders, tmp_path):
    with pytest.raises(ModelError, match="takes images of any size"):
        get_model(edited(folders["siglip"], tmp_path / "a", max_num_patches=256))
    with pytest.raises(ModelError, match="in a way that is not supported: size="):
        get_model(edited(folders["dinov2"], tmp_path / "b", size={"longest_edge": 100}))


def test_clip_without_a_tokenizer_embeds_images_and_says_why_no_text(folders, images, tmp_path):
    place = copied(folders["clip"], tmp_path / "a")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (place / name).unlink()
    model = get_model(f"hf:{place}")
    assert model.embed(images).shape == (5, 12)
    with pytest.raises(ModelError, match=r"cannot embed text: the tokenizer in .* cannot be opened"):
        model.embed_text(["tree"])


def test_a_model_that_embeds_text_has_one_space(folders):
    with pytest.raises(ModelError, match="leave out pooling='mean'"):
        get_model(f"hf:{folders['clip']}", pooling="mean")


def in_another_process(code, home, **environment):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", f"from saccade.brain.models.registry import get_model\n{code}"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "HF_HOME": str(home), "HF_HUB_OFFLINE": "1", **environment},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    return done.returncode, done.stdout.strip(), done.stderr.strip()


def test_weights_that_cannot_be_fetched_are_an_error_that_says_what_to_do(tmp_path):
    code, _, error = in_another_process("get_model('hf:facebook/dinov2-small')", tmp_path)
    assert code == 1
    message = error.splitlines()[-1]
    assert f"model 'hf:facebook/dinov2-small' is not in the cache ({tmp_path}) and cannot be fetched" in message
    for remedy in ("hf download facebook/dinov2-small", "'hf:FOLDER'", "HF_HOME", "HF_HUB_OFFLINE=1", "'builtin'"):
        assert remedy in message


def test_a_model_in_the_cache_is_used_without_a_network_and_its_commit_is_its_version(folders, tmp_path):
    place = tmp_path / "hub" / "models--lab--tiny"
    (place / "refs").mkdir(parents=True)
    (place / "refs" / "main").write_text(COMMIT)
    copied(folders["dinov2"], place / "snapshots" / COMMIT)
    code, printed, error = in_another_process("print(get_model('hf:lab/tiny'))", tmp_path)
    assert (code, error) == (0, "")
    assert printed.startswith("HuggingFaceModel(name='hf:lab/tiny', version='0123456789ab+")


def test_text_finds_images_by_the_name_of_the_model_that_is_kept_with_the_vectors(database, folders, image_files):
    dataset = sc.Dataset.from_images(image_files, name="texts", progress=False)
    name = f"hf:{folders['clip']}"
    scb.compute_embeddings(dataset, name, progress=False)
    model = get_model(name)
    vectors = model.embed(
        [np.asarray(Image.open(path).convert("RGB")) for path in image_files]
    ) @ model.embed_text(["a red car"])[0]  # fmt: skip
    found = dataset.sort_by_similarity("a red car", k=3).values("filepath")
    order = np.argsort(-vectors, kind="stable")
    assert found == [image_files[row] for row in order[:3]]


def test_the_same_model_with_other_weights_is_noticed(database, folders, image_files, tmp_path):
    dataset = sc.Dataset.from_images(image_files, name="weights", progress=False)
    place = copied(folders["dinov2"], tmp_path / "model")
    scb.compute_embeddings(dataset, f"hf:{place}", progress=False)
    shutil.rmtree(place)
    dinov2(place, seed=5)
    with pytest.raises(ModelError, match=r"holds vectors of model 'hf:.*' \(version .*\), not of 'hf:"):
        scb.compute_embeddings(dataset, f"hf:{place}", progress=False)
    run = scb.compute_embeddings(dataset, f"hf:{place}", overwrite=True, progress=False)
    assert run.summary()["embedded"] == 10
