"""The page on selection: every block of it runs, one after the other, on a dataset that has what they name."""

import re
from pathlib import Path

import numpy as np
import yaml

import saccade as sc
import saccade.brain as scb
from saccade.brain.selection.config import parse_config

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "selection.md").read_text(encoding="utf-8")


def street():
    """Make the dataset."""
    dataset = sc.Dataset("street")
    dataset.default_classes = ["car", "bus", "bike"]
    random = np.random.default_rng(51)
    probabilities = random.dirichlet([2, 1, 1], 200)
    dataset.add_samples(
        [
            sc.Sample(
                filepath=f"/street/{i:03}.png",
                embedding=random.normal(size=4),
                weather=["sunny", "rain", "night", "night"][i % 4],
                video=f"v{i // 20}",
                patient=f"p{i % 30}",
                taken=float(2 * i),
                minutes=float(1 + i % 7),
                lightly={"sharpness": float(i), "luminance": float(i % 90)},
                predictions=sc.Classification(label=dataset.default_classes[p.argmax()], logits=np.log(p)),
                tags=[["labelled"], ["crossings"], [], []][i // 50],
            )
            for i, p in enumerate(probabilities)
        ],
        dynamic=True,
    )
    scb.compute_active_learning_scores(dataset, "predictions")
    return dataset


def test_every_block_of_the_page_runs(database, tmp_path, monkeypatch, capsys):
    street()
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(block, names)
    assert names["again"].identical
    assert len(names["grown"]) == 30
    assert "WEIGHTS" in capsys.readouterr().out
    assert (tmp_path / "batch-7.csv").exists()


def test_the_file_on_the_page_is_a_config():
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert [one.type for one in parse_config(yaml.safe_load(block)).strategies] == [
        "DIVERSITY",
        "BALANCE",
    ]


def test_the_page_names_every_strategy_and_input():
    from saccade.brain.selection.inputs import INPUTS
    from saccade.brain.selection.strategies import STRATEGIES

    for kind in (*STRATEGIES.values(), *INPUTS.values()):
        assert f"`{kind.type}`" in PAGE
        assert f"{kind.__name__}(" in PAGE
        for option in getattr(kind, "options", ()):
            assert option.key in PAGE
