"""Training through the verb: what is kept, what is refused, and that a killed training ends as an undisturbed one."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import saccade as sc
import saccade.brain as scb
from saccade.app.cli.main import main
from saccade.brain.models.protocol import EmbeddingModel
from saccade.brain.models.registry import get_model
from saccade.brain.models.trained import TrainedModel, models_folder
from saccade.brain.training import loop
from saccade.brain.training.recipes import recipe_for
from saccade.dataset.columns import read_vectors
from saccade.dataset.errors import FieldKindError, FieldNotFoundError, ModelError, RunError

ROOT = Path(__file__).resolve().parents[2]
QUICK = {"image_size": 8, "dimension": 8, "epochs": 2, "progress": False}


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def stripes(folder: Path, count: int = 40, seed: int = 0) -> list[str]:
    """Images of stripes along the rows or the columns, in colours of their own."""
    rng = np.random.default_rng(seed)
    paths = []
    folder.mkdir(exist_ok=True)
    for number in range(count):
        lines = np.repeat(rng.integers(0, 256, (8, 1, 3)), 8, axis=1)
        image = lines if number % 2 else lines.transpose(1, 0, 2)
        paths.append(str(folder / f"{number}.png"))
        Image.fromarray(image.astype(np.uint8)).save(paths[-1])
    return paths


@pytest.fixture
def place(database):
    """A database and a folder for models, both empty."""
    yield
    shutil.rmtree(models_folder(), ignore_errors=True)


@pytest.fixture
def dataset(place, tmp_path):
    dataset = sc.Dataset("street")
    dataset.add_samples(
        sc.Sample(path, kind=sc.Classification(label="rows" if i % 2 else "columns"), text="ab"[i % 2])
        for i, path in enumerate(stripes(tmp_path / "images"))
    )
    return dataset


def weights(model: TrainedModel) -> dict[str, torch.Tensor]:
    return model._network.state_dict()


# --- what is given and kept -----------------------------------------------------------------------------------------


def test_a_trained_model_is_used_by_its_name(dataset):
    run = scb.train_embedding_model(dataset, **QUICK)
    assert run.model_name == "street-vicreg"
    assert scb.list_models() == ["street-vicreg"]
    scb.compute_embeddings(dataset, model="street-vicreg", embeddings_field="own")
    _, vectors = read_vectors(dataset, "own")
    assert vectors.shape == (40, 8)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    assert run.state == "completed"
    assert run.summary()["images"] == 40
    assert run.summary()["epochs"] == 2
    assert "images" not in run.curve()
    assert run.curve()["epoch"] == [0, 1, 2]
    assert run.curve()["loss"][0] is None
    assert run.curve()["accuracy"] == [None] * 3
    assert all(0 <= value <= 1 for name in ("agreement", "spread") for value in run.curve()[name])
    (facts,) = scb.list_models(info=True)
    assert facts["version"] == run.model.version == run.summary()["version"]
    assert Path(facts["file"]).is_file()
    assert facts["dataset_name"] == "street"
    assert type(sc.load_dataset("street").get_run_info(run.key)) is type(run)


def test_a_trained_model_runs_where_it_is_told_to_and_takes_no_other_option(dataset):
    scb.train_embedding_model(dataset, "street", **QUICK)
    assert scb.compute_embeddings(dataset, "street", device="cpu").summary()["embedded"] == 40
    with pytest.raises(ModelError, match=r"device='nowhere' is unknown"):
        scb.compute_embeddings(dataset, "street", "other", device="nowhere")
    with pytest.raises(ModelError, match=r"model 'street' has no option image_size"):
        scb.compute_embeddings(dataset, "street", "other", model_kwargs={"image_size": 9})


def test_the_model_prepares_images_one_by_one(dataset):
    model = scb.train_embedding_model(dataset, **QUICK).model
    assert isinstance(model, EmbeddingModel)
    images = [np.random.default_rng(i).integers(0, 256, (9 + i, 30, 3)).astype(np.uint8) for i in range(3)]
    prepared = [model.prepare(image) for image in images]
    assert [image.shape for image in prepared] == [(8, 8, 3)] * 3
    assert np.array_equal(model.embed(images), model.embed_prepared(prepared))
    assert model.embed([]).shape == (0, 8)
    many = [np.random.default_rng(i).integers(0, 256, (8, 8, 3)).astype(np.uint8) for i in range(75)]
    assert np.array_equal(model.embed(many), np.concatenate([model.embed([image]) for image in many]))
    with pytest.raises(ModelError, match=r"shape \(3, 3\)"):
        model.prepare(np.zeros((3, 3), np.uint8))


def test_the_same_seed_gives_the_same_weights_and_another_one_others(dataset):
    one = scb.train_embedding_model(dataset, "one", **QUICK).model
    again = scb.train_embedding_model(dataset, "again", **QUICK).model
    other = scb.train_embedding_model(dataset, "other", seed=1, **QUICK).model
    assert one.version == again.version != other.version
    assert all(torch.equal(a, b) for a, b in zip(weights(one).values(), weights(again).values(), strict=True))


def test_a_second_call_finds_the_model_that_the_first_one_made(dataset):
    first = scb.train_embedding_model(dataset, "street", **QUICK)
    file = next(models_folder().glob("street-*.safetensors"))
    written = file.stat().st_mtime_ns
    again = scb.train_embedding_model(dataset, "street", **QUICK)
    assert again.summary()["trained"] == "before"
    assert again.summary()["version"] == first.summary()["version"]
    assert file.stat().st_mtime_ns == written


@pytest.mark.parametrize("method", ["simclr", "vicreg"])
@pytest.mark.parametrize("backbone", ["cnn", "vit"])
def test_every_method_and_backbone_learns_and_is_loaded_again(dataset, method, backbone):
    run = scb.train_embedding_model(dataset, method=method, backbone=backbone, **{**QUICK, "epochs": 8})
    losses = run.curve()["loss"][1:]
    assert losses[-1] < losses[0]
    loaded = get_model(f"street-{method}")
    image = np.random.default_rng(0).integers(0, 256, (8, 8, 3)).astype(np.uint8)
    assert np.array_equal(loaded.embed([image]), run.model.embed([image]))


def test_labels_validate_and_teach_nothing(dataset):
    plain = scb.train_embedding_model(dataset, "plain", **{**QUICK, "epochs": 1})
    for field in ("kind", "text"):
        run = scb.train_embedding_model(dataset, field, label_field=field, **{**QUICK, "epochs": 1})
        assert 0 <= run.curve()["accuracy"][-1] <= 1
        assert run.summary()["accuracy"]["untrained"] == run.curve()["accuracy"][0]
        assert run.model.version == plain.model.version


def test_names_may_be_in_any_alphabet(dataset):
    run = scb.train_embedding_model(dataset, "улица 猫 é", **QUICK)
    assert run.key == "model_улица_猫_é"
    scb.compute_embeddings(dataset, model="улица 猫 é", embeddings_field="own")
    assert dataset.count("own") == 40
    scb.delete_model("улица 猫 é")
    assert not list(models_folder().glob("*.safetensors"))


def test_broken_files_are_left_out_and_counted(dataset, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"nothing")
    whole = scb.train_embedding_model(dataset, "whole", **QUICK)
    dataset.add_samples([sc.Sample(str(tmp_path / name)) for name in ("broken.png", "missing.png")])
    run = scb.train_embedding_model(dataset, "some", **QUICK)
    assert run.summary()["failed"] == 2
    assert run.summary()["images"] == 40
    assert any("missing.png: the file does not exist" in reason for reason in run.summary()["failures"])
    assert run.model.version == whole.model.version


def test_a_view_is_trained_on_alone(dataset):
    assert scb.train_embedding_model(dataset.limit(20), **QUICK).summary()["images"] == 20


def test_a_function_is_told_of_files_and_then_of_epochs(dataset):
    told = []
    scb.train_embedding_model(dataset, **{**QUICK, "progress": lambda done, total: told.append((done, total))})
    assert told == [*((done, 40) for done in range(1, 41)), (1, 2), (2, 2)]


def test_the_bar_shows_loss_and_agreement(dataset, capsys):
    scb.train_embedding_model(dataset, **{**QUICK, "progress": True})
    said = capsys.readouterr().err
    assert "epochs/s" in said or "s/ epochs" in said or "epochs" in said
    assert "loss=" in said
    assert "agreement=" in said


# --- names and files ------------------------------------------------------------------------------------------------


def test_a_name_that_is_taken_is_refused_before_any_file_is_read(dataset):
    first = scb.train_embedding_model(dataset, "street", **QUICK)
    told = []
    with pytest.raises(
        ModelError, match=r"there is a model 'street' already, trained on 'street' at .* overwrite=True"
    ):
        scb.train_embedding_model(dataset, "street", **{**QUICK, "epochs": 3, "progress": lambda *on: told.append(on)})
    assert told == []
    with pytest.raises(ModelError, match="with other images or arguments"):
        scb.train_embedding_model(dataset.limit(30), "street", **QUICK)
    assert get_model("street").version == first.summary()["version"]
    second = scb.train_embedding_model(dataset, "street", overwrite=True, seed=1, **QUICK)
    assert get_model("street").version == second.summary()["version"] != first.summary()["version"]
    assert len(list(models_folder().glob("*.safetensors"))) == 1
    with pytest.raises(ModelError, match="there is version"):
        _ = first.model


def test_a_deleted_model_and_a_deleted_file_are_told_apart(dataset):
    run = scb.train_embedding_model(dataset, "street", **QUICK)
    (file,) = models_folder().glob("*.safetensors")
    content = file.read_bytes()
    file.unlink()
    with pytest.raises(ModelError, match=r"the weights of model 'street' are not there: .*street-.*\.safetensors does"):
        scb.compute_embeddings(dataset, model="street", embeddings_field="own")
    file.write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelError, match="cannot be read"):
        _ = run.model
    file.write_bytes(content)
    assert run.model.dim == 8
    scb.delete_model("street")
    assert not file.exists()
    with pytest.raises(ModelError, match="the model 'street' was deleted"):
        _ = run.model
    with pytest.raises(ModelError, match=r"no trained model 'street'\. Trained models: none"):
        scb.delete_model("street")


def test_weights_of_another_model_are_not_taken(dataset):
    scb.train_embedding_model(dataset, "one", **QUICK)
    scb.train_embedding_model(dataset, "two", seed=1, **QUICK)
    one, two = (next(models_folder().glob(f"{name}-*.safetensors")) for name in ("one", "two"))
    one.write_bytes(two.read_bytes())
    with pytest.raises(ModelError, match="are not those of model 'one'"):
        get_model("one")


def test_equal_models_under_two_names_are_deleted_one_by_one(dataset):
    scb.train_embedding_model(dataset, "a b", **QUICK)
    scb.train_embedding_model(dataset, "a-b", **QUICK)
    scb.delete_model("a b")
    assert get_model("a-b").dim == 8


def test_deleting_the_run_keeps_the_model_and_deleting_the_dataset_too(dataset):
    run = scb.train_embedding_model(dataset, "street", **QUICK)
    dataset.delete_run(run.key)
    assert dataset.list_runs() == []
    assert get_model("street").dim == 8
    dataset.delete()
    assert scb.list_models() == ["street"]


def test_an_unknown_name_lists_the_trained_models(dataset):
    scb.train_embedding_model(dataset, "street-simclr", **QUICK)
    with pytest.raises(ModelError, match=r"Models: builtin, street-simclr\. Did you mean 'street-simclr'"):
        get_model("street-simcrl")


@pytest.mark.parametrize("name", ["", " ", "builtin", "a/b", "hf:x", "x.npy", ".x", "x" * 201, "a\nb", 7])
def test_a_name_that_cannot_be_used_is_refused(dataset, name):
    with pytest.raises(ModelError, match="cannot be the name of a model"):
        scb.train_embedding_model(dataset, name, **QUICK)


# --- what cannot be trained -----------------------------------------------------------------------------------------


def test_too_few_images_are_refused(dataset, tmp_path):
    with pytest.raises(ModelError, match=r"there are 1 images to train on\. At least 16 are needed"):
        scb.train_embedding_model(dataset.limit(1), **QUICK)
    lost = sc.Dataset("lost")
    lost.add_samples([sc.Sample(str(tmp_path / f"{i}.png")) for i in range(20)])
    with pytest.raises(ModelError, match="0 images to train on; 20 could not be read, the first: the file does not"):
        scb.train_embedding_model(lost, **QUICK)
    assert lost.get_run_info("model_lost_vicreg").state == "failed"
    with pytest.raises(ModelError, match="there are 0 images"):
        scb.train_embedding_model(sc.Dataset("empty"), **QUICK)


def test_images_that_are_all_the_same_are_refused(place, tmp_path):
    Image.new("RGB", (20, 20), "red").save(tmp_path / "red.png")
    dataset = sc.Dataset("red")
    dataset.add_samples([sc.Sample(str(tmp_path / "red.png")) for _ in range(20)])
    with pytest.raises(ModelError, match="all 20 images are the same"):
        scb.train_embedding_model(dataset, **QUICK)


def test_a_training_that_collapses_says_so():
    images = np.zeros((20, 8, 8, 3), np.uint8)
    with pytest.raises(ModelError, match="the training collapsed: after epoch 1 all images have the same vector"):
        loop.train(images, recipe_for(20, image_size=8, dimension=4, epochs=1))


def test_a_training_that_breaks_says_so():
    images = np.random.default_rng(0).integers(0, 256, (64, 8, 8, 3)).astype(np.uint8)
    recipe = recipe_for(64, method="vicreg", image_size=8, dimension=4, epochs=20, learning_rate=900.0, backbone="vit")
    with pytest.raises(ModelError, match=r"Use a smaller learning_rate|collapsed"):
        loop.train(images * 0 + 255 * (images > 127).astype(np.uint8), recipe)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"method": "byol"}, ModelError, "method='byol' is unknown"),
        ({"backbone": "resnet"}, ModelError, "no backbone 'resnet'"),
        ({"device": "gpu"}, ModelError, "device='gpu' is unknown"),
        ({"device": "cuda:9"}, ModelError, "device='cuda:9' was asked for, and torch .* finds"),
        ({"label_field": "kinds"}, FieldNotFoundError, "no field 'kinds'.*Did you mean 'kind'"),
        ({"label_field": "tags"}, FieldKindError, "label_field='tags' holds"),
        ({"augmentations": {"mirror": 1}}, ModelError, "no augmentation 'mirror'"),
        ({"brain_key": "a b"}, RunError, "is not an identifier"),
        ({"epochs": "3"}, ModelError, "epochs='3'"),
    ],
)
def test_a_wrong_argument_is_named_and_leaves_nothing_behind(dataset, arguments, error, message):
    with pytest.raises(error, match=message):
        scb.train_embedding_model(dataset, **{**QUICK, **arguments})
    assert dataset.list_runs() == []
    assert scb.list_models() == []


# --- stopping and going on ------------------------------------------------------------------------------------------


def test_a_training_without_progress_stops_early_and_gives_its_best_epoch():
    images = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 3)).astype(np.uint8)
    recipe = recipe_for(40, image_size=8, dimension=4, epochs=30, patience=2, learning_rate=1e-9)
    trained = loop.train(images, recipe)
    assert trained.stopped
    assert len(trained.curve) - 1 == trained.best + 2
    assert trained.curve[trained.best].score >= max(epoch.score for epoch in trained.curve[1:]) - 1e-3


KILLED = """
import sys, torch
torch.set_num_threads(1)
import saccade as sc, saccade.brain as scb
from saccade.brain.training import loop
loop.EPOCH_SECONDS = loop.STEP_SECONDS = {seconds}

def progress(done, total):
    print(done, total, flush=True)

run = scb.train_embedding_model(
    sc.load_dataset("street"), "model", image_size=8, dimension=8, epochs=12, batch_size=8, label_field="kind",
    progress=progress,
)
print("version", run.summary()["version"], run.summary().get("resumed_after_epoch"), flush=True)
"""


def started(seconds: float = 0) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", KILLED.format(seconds=seconds)], cwd=ROOT, text=True, stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


@pytest.mark.slow
def test_a_training_that_is_killed_and_called_again_gives_the_model_of_an_undisturbed_one(dataset):
    quiet = {"image_size": 8, "dimension": 8, "epochs": 12, "batch_size": 8, "label_field": "kind", "progress": False}
    undisturbed = scb.train_embedding_model(dataset, "undisturbed", **quiet)
    for at in ("2 12", "7 12"):
        with started() as process:
            for line in process.stdout:
                if line.strip() == at:
                    process.send_signal(signal.SIGKILL)
                    break
            process.wait()
        assert process.returncode == -signal.SIGKILL
        assert scb.list_models() == ["undisturbed"]
        assert dataset.get_run_info("model_model").state in {"interrupted", "running"}
    with started() as process:
        said = process.stdout.read().splitlines()
    assert process.returncode == 0
    (_, version, resumed) = said[-1].split()
    assert version == undisturbed.summary()["version"]
    assert int(resumed) >= 6
    assert dataset.get_run_info("model_model").curve() == undisturbed.curve()
    assert not list((models_folder() / "unfinished").glob("*.pt"))


def test_a_training_goes_on_in_the_middle_of_an_epoch(place, monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 3)).astype(np.uint8)
    recipe = recipe_for(40, image_size=8, dimension=4, epochs=3, batch_size=8)
    whole = loop.train(images, recipe)
    checkpoint = loop.Checkpoint("owner", "same")
    monkeypatch.setattr(loop, "STEP_SECONDS", 0)
    monkeypatch.setattr(loop, "EPOCH_SECONDS", 1e9)
    steps = []
    learn = loop._Training._learn

    def interrupted(self, rows):
        if len(steps) == 8:
            raise KeyboardInterrupt
        steps.append(1)
        return learn(self, rows)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop._Training, "_learn", interrupted)
        with pytest.raises(KeyboardInterrupt):
            loop.train(images, recipe, checkpoint=checkpoint)
    assert (checkpoint.load()["epoch"], checkpoint.load()["step"]) == (1, 3)
    resumed = loop.train(images, recipe, checkpoint=checkpoint)
    assert resumed.resumed == 1
    assert resumed.curve == whole.curve
    assert all(torch.equal(resumed.weights[name], whole.weights[name]) for name in whole.weights)
    assert loop.train(images, recipe, checkpoint=checkpoint, resume=False).resumed is None


# --- the command ----------------------------------------------------------------------------------------------------


def test_the_command_trains_and_says_what_came_of_it(dataset, capsys):
    quick = ["--image-size", "8", "--dimension", "8", "--epochs", "2", "--no-flip", "--label-field", "kind"]
    assert main(["train", "street", "--model-name", "own", *quick]) == 0
    said = capsys.readouterr().out
    assert "model      'own', version" in said
    assert "trained on 40 images" in said
    assert "accuracy" in said
    assert get_model("own").image_size == 8
    assert main(["train", "street", "--model-name", "own", *quick]) == 0
    assert "was trained before" in capsys.readouterr().out
    assert main(["train", "nowhere"]) == 1
    assert "no dataset named 'nowhere'" in capsys.readouterr().err
