"""`saccade embed` and `saccade info`: what they do, print and return."""

import pytest
from PIL import Image

import saccade as sc
from saccade.app.cli.main import main
from saccade.dataset.columns import read_vectors

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def dataset(database, tmp_path):
    for number in range(3):
        Image.new("RGB", (8, 6), (80 * number, 0, 0)).save(tmp_path / f"{number}.png")
    return sc.Dataset.from_images_dir(tmp_path, name="reds")


def test_embed_fills_a_field_and_prints_the_run(dataset, capsys):
    assert main(["embed", "reds", "--field", "look", "--num-workers", "1", "--batch-size", "2"]) == 0
    assert read_vectors(dataset, "look")[1].shape == (3, 352)
    printed = capsys.readouterr().out
    assert "Operation: embeddings" in printed
    assert "embedded=3" in printed


def test_embed_with_media_finds_out_the_rest_in_the_same_pass(dataset, capsys):
    assert main(["embed", "reds", "--media"]) == 0
    assert "Operation: media" in capsys.readouterr().out
    assert dataset.first().metadata.width == 8
    assert dataset.count("content_hash") == dataset.count("lightly.sharpness") == len(dataset.exists("embedding")) == 3


def test_embed_takes_objects(dataset, capsys):
    box = sc.Detection(label="x", bounding_box=[0, 0, 1, 1])
    dataset.set_values("found", [sc.Detections(detections=[box.copy()]) for _ in range(3)])
    assert main(["embed", "reds", "--patches-field", "found"]) == 0
    assert len(dataset.to_patches("found").exists("found.embedding")) == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["embed", "blues"], "no dataset named 'blues'"),
        (["embed", "reds", "--model", "buildin"], "Did you mean 'builtin'"),
        (["embed", "reds", "--device", "cpu"], "no option 'device'"),
        (["embed", "reds", "--media", "--patches-field", "found"], "--patches-field"),
        (["info", "blues"], "no dataset named 'blues'"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(dataset, arguments, said, capsys):
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_info_shows_what_is_installed_and_where_things_are(dataset, capsys):
    assert main(["info"]) == 0
    printed = capsys.readouterr().out
    assert f"saccade      {sc.__version__}" in printed
    assert "simplejpeg" in printed
    assert "pip install 'saccade[viz]'" in printed


def test_info_shows_a_dataset(dataset, capsys):
    assert main(["info", "reds"]) == 0
    assert "Num samples: 3" in capsys.readouterr().out


def test_info_checks_that_all_of_it_works(dataset, tmp_path, monkeypatch, capsys):
    config = tmp_path / "config.toml"
    config.write_text(f'[datasources.good]\nurl = "{tmp_path}"\n[datasources.bad]\nurl = "{tmp_path}/gone"\n')
    assert main(["info", "--check"]) == 0
    assert "All works." in capsys.readouterr().out
    monkeypatch.setenv("SACCADE_CONFIG", str(config))
    assert main(["info", "--check"]) == 1
    printed = capsys.readouterr().out
    assert "ok    source good" in printed
    assert "0.png comes first" in printed
    assert "FAIL  source bad" in printed
    assert "1 of" in printed
