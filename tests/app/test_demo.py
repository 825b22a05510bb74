"""The demo: everything it says is true, and everything is in the database afterwards."""

import re

import numpy as np
import pytest

import saccade as sc
from saccade.app.cli import demo
from saccade.app.cli.main import main
from saccade.dataset import settings

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def said(database, capsys):
    assert main(["demo"]) == 0
    return capsys.readouterr().out


def test_the_demo_leaves_a_dataset_with_all_it_speaks_of(said):
    dataset = sc.load_dataset("digits")
    assert len(dataset) == 1797
    assert dataset.default_classes == [str(digit) for digit in range(10)]
    assert dataset.count("uniqueness") == 1797
    assert dataset.count("embedding") == 1797
    assert dataset.count_sample_tags() == {"to-label": 100}

    labels, truth = dataset.values("ground_truth.label"), dataset.values("true_label")
    wrong = [given != true for given, true in zip(labels, truth, strict=True)]
    assert sum(wrong) == 90
    assert truth == [path.split("/")[-2] for path in dataset.values("filepath")]

    predicted = dataset.values("predictions.label")
    assert np.mean([a == b for a, b in zip(predicted, truth, strict=True)]) > 0.9
    logits = np.stack([sample["predictions"].logits for sample in dataset])
    np.testing.assert_allclose(np.exp(logits).sum(axis=1), 1, atol=1e-4)
    assert [dataset.default_classes[k] for k in logits.argmax(axis=1)] == predicted
    np.testing.assert_allclose(np.exp(logits).max(axis=1), dataset.values("predictions.confidence"), rtol=1e-4)

    ranks = dataset.match_tags("to-label").sort_by("selections.to_label.rank").values("selections.to_label.rank")
    assert ranks == list(range(100))
    assert dataset.list_runs() == [
        "embedding", "hardness", "mistakenness", "predictions_active_learning", "selections.to_label", "uniqueness",
    ]  # fmt: skip
    doubted = dataset.sort_by("mistakenness", reverse=True).limit(90)
    found = sum(
        label != true for label, true in zip(*doubted.values(["ground_truth.label", "true_label"]), strict=True)
    )
    assert found >= 80
    assert f"{found} of the 90 most doubtful labels were made wrong" in said
    assert dataset.count("hardness") == dataset.count("predictions_uncertainty_margin") == 1797

    # what it printed
    steps = re.findall(r"^  (\w+) .* (\d+\.\d) s$", said, flags=re.MULTILINE)
    names = ["database", "images", "dataset", "labels", "predictions", "embeddings", "uniqueness"]
    names += ["mistakenness", "hardness", "unsure", "selection"]
    assert [name for name, _ in steps] == names
    assert "90 made wrong on purpose (5%)" in said
    assert len({len(line) for line in said.splitlines() if line.startswith("  ") and line.endswith(" s")}) == 1

    # the next lines can be typed as they are
    assert max(len(line) for line in said.splitlines() if not line.startswith("The images are in")) <= 88
    lines = re.findall(r"^    (.+)$", said, flags=re.MULTILINE)
    assert len(lines) == 3
    exec("\n".join(lines), {})

    # and a second run replaces the first
    assert main(["demo"]) == 0
    assert len(sc.load_dataset("digits")) == 1797
    assert (settings.current().data_dir / "demo" / "digits" / "7").is_dir()


def test_the_demo_does_not_replace_a_dataset_of_the_user(database, capsys):
    sc.Dataset("digits").add_images(["/my/own.png"])
    assert main(["demo"]) == 1
    assert "saccade demo --name demo-digits" in capsys.readouterr().err
    assert len(sc.load_dataset("digits")) == 1


def test_a_step_that_stops_ends_its_line(capsys):
    with pytest.raises(KeyboardInterrupt), demo._step("images"):
        raise KeyboardInterrupt
    assert capsys.readouterr().out == "  images       stopped\n"
