"""`saccade select`: what it picks, prints and returns."""

import json

import numpy as np
import pytest

import saccade as sc
from saccade.app.cli.main import main

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def dataset(database):
    dataset = sc.Dataset("photos")
    dataset.add_samples([sc.Sample(f"/{number}.jpg", sharpness=float(number)) for number in range(8)])
    turns = 2 * np.pi * np.arange(8) / 8
    circle = np.stack([np.cos(turns), np.sin(turns)], axis=1)
    dataset.set_values("embedding", list(circle))
    dataset.set_values("clip", list(circle))
    return dataset


def test_without_a_config_those_that_differ_most_are_picked(dataset, capsys):
    assert main(["select", "photos", "--n-samples", "2", "--tag", "far apart"]) == 0
    first, second = (int(path[1:-4]) for path in dataset.match_tags("far apart").values("filepath"))
    assert second - first == 4  # opposite on the circle
    assert "far apart" in capsys.readouterr().out


def test_another_vector_field_can_be_named(dataset):
    assert main(["select", "photos", "--proportion-samples", "0.5", "--embeddings", "clip", "--tag", "half"]) == 0
    assert dataset.match_tags("half").count() == 4
    (key,) = dataset.list_runs("select")
    (strategy,) = dataset.get_run_info(key).params["selection_config"]["strategies"]
    assert strategy["input"] == {"type": "EMBEDDINGS", "key": "clip"}


def test_the_config_of_a_file_is_carried_out(dataset, tmp_path):
    config = tmp_path / "wishes.yaml"
    config.write_text("{n_samples: 3, strategies: [{input: {type: EMBEDDINGS}, strategy: {type: DIVERSITY}}]}")
    assert main(["select", "photos", "--config", str(config), "--tag", "three"]) == 0
    assert dataset.match_tags("three").count() == 3


def test_a_config_of_several_strategies_is_carried_out(dataset, tmp_path):
    threshold = {"type": "THRESHOLD", "operation": "BIGGER", "threshold": 3}
    sharp = {"input": {"type": "METADATA", "key": "sharpness"}, "strategy": threshold}
    far = {"input": {"type": "EMBEDDINGS"}, "strategy": {"type": "DIVERSITY"}}
    (tmp_path / "wishes.json").write_text(json.dumps({"n_samples": 3, "strategies": [sharp, far]}))
    assert main(["select", "photos", "--config", str(tmp_path / "wishes.json"), "--tag", "sharp"]) == 0
    picked = dataset.match_tags("sharp").values("sharpness")
    assert len(picked) == 3
    assert min(picked) > 3


@pytest.mark.parametrize(("option", "value", "count"), [("--n-samples", "5", 5), ("--proportion-samples", "0.25", 2)])
def test_a_size_takes_the_place_of_the_one_in_the_file(dataset, tmp_path, option, value, count):
    config = tmp_path / "wishes.yml"
    config.write_text("method: coreset\nstopping_condition: {n_samples: 3, min_distance: -1}\n")
    assert main(["select", "photos", "--config", str(config), option, value, "--tag", "other"]) == 0
    assert dataset.match_tags("other").count() == count


def test_a_total_counts_samples_picked_before(dataset):
    dataset.limit(3).tag_samples("labelled")
    arguments = ["select", "photos", "--n-total", "5", "--preselected-tag", "labelled", "--tag", "next"]
    assert main(arguments) == 0
    new = dataset.exists("selections.next.rank")
    assert new.count() == 2
    assert new.match_tags("labelled").count() == 0


def test_the_seed_decides_what_is_random(dataset, tmp_path):
    config = tmp_path / "wishes.yaml"
    config.write_text("method: random\nstopping_condition: {n_samples: 4}\n")
    for tag, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        assert main(["select", "photos", "--config", str(config), "--seed", seed, "--tag", tag]) == 0
    picked = {tag: dataset.match_tags(tag).values("id") for tag in "abc"}
    assert picked["a"] == picked["b"] != picked["c"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["select", "photo", "--n-samples", "2"], "Did you mean 'photos'"),
        (["select", "photos"], "how many? Give --n-samples"),
        (["select", "photos", "--n-samples", "0"], "n_samples=0 is not a whole number"),
        (["select", "photos", "--n-samples", "2", "--embeddings", "embeding"], "Did you mean 'embedding'"),
        (["select", "photos", "--config", "gone.yaml"], "there is no file 'gone.yaml'"),
        (["select", "photos", "--config", "gone.yaml", "--embeddings", "clip"], "--config and --embeddings"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(dataset, arguments, said, capsys):
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_only_one_size_is_taken(dataset, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["select", "photos", "--n-samples", "2", "--n-total", "3"])
    assert "not allowed with argument" in capsys.readouterr().err
