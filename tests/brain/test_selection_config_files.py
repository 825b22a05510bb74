"""Configs in files: JSON and YAML are read as people mean them, and what is wrong is said with the line."""

import json

import pytest

from saccade.brain.selection.config import SelectionConfig, parse_config
from saccade.brain.selection.files import read_config_file
from saccade.brain.selection.strategies import Balance, Diversity, Weights
from saccade.dataset.errors import SelectionError

YAML = """\
n_samples: 50  # to label
strategies:
  - input: {type: EMBEDDINGS, key: clip}
    strategy: {type: DIVERSITY, strength: 1e-3}
  - input: {type: METADATA, key: answer}
    strategy:
      type: BALANCE
      target: {yes: 0.5, no: 0.25, 12: .1, 2024-01-01: 0.05, 1:30: 0.05}
"""


def written(tmp_path, name, content):
    (tmp_path / name).write_text(content, encoding="utf-8")
    return tmp_path / name


def test_yaml_is_read_as_people_mean_it(tmp_path):
    target = {"yes": 0.5, "no": 0.25, "12": 0.1, "2024-01-01": 0.05, "1:30": 0.05}
    for name in ("wishes.yaml", "wishes.YML"):
        parsed = parse_config(written(tmp_path, name, YAML))
        assert parsed == SelectionConfig((Diversity("clip", strength=1e-3), Balance("answer", target)), n_samples=50)


def test_json_is_read_by_path_or_string(tmp_path):
    config = SelectionConfig((Diversity(), Weights("x")), n_total=5)
    path = written(tmp_path, "wishes.json", "\ufeff" + json.dumps(config.to_dict()))
    assert parse_config(path) == parse_config(str(path)) == config


def test_scalars_of_yaml_have_the_types_they_look_like(tmp_path):
    content = "{a: 1, b: -2.5, c: .5, d: 1e3, e: true, f: null, g: ~, h: , i: 007, j: 'x', k: 1.0, l: 0}"
    assert read_config_file(written(tmp_path, "a.yaml", content)) == {
        "a": 1, "b": -2.5, "c": 0.5, "d": 1000.0, "e": True, "f": None, "g": None, "h": None, "i": "007", "j": "x",
        "k": 1.0, "l": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", '{"n_samples": 5,\n "strategies": [}', r"a\.json, line 2: Expecting value \(column 17\)\."),
        ("a.json", "{n_samples: 5}", r"line 1: .* It reads as YAML: name it \.yaml\."),
        ("a.json", '{"n_samples": 5, "n_samples": 6}', r"a\.json: the key 'n_samples' is there twice"),
        ("a.json", "[1]", r"holds \[1\], not a mapping"),
        ("a.json", "", "line 1: Expecting value"),
        ("a.yaml", "n_samples: 5\nstrategies: [", r"a\.yaml, line \d"),
        ("a.yaml", "n_samples: 5\n\tstrategies: x", r"a\.yaml, line 2: found character '\\t'"),
        ("a.yaml", "n_samples: 5\nn_samples: 6", r"a\.yaml, line 1: the key 'n_samples' is there twice"),
        ("a.yaml", "x: 1\ny:\n  b: 1\n  b: 2", r"a\.yaml, line 3: the key 'b' is there twice"),
        ("a.yaml", "? [1, 2]\n: 3", r"a\.yaml, line 1: found unhashable key"),
        ("a.yaml", "!!python/object:os.system {}", r"a\.yaml, line 1: could not determine a constructor"),
        ("a.yaml", "", "holds None, not a mapping"),
        ("a.yaml", "n_samples: five\nstrategies: [{input: {type: EMBEDDINGS}, strategy: {type: DIVERSITY}}]",
         r"a\.yaml: n_samples='five' is not a whole number"),
        ("a.toml", "n_samples = 5", r"selection_config='.*a\.toml' is neither .* \.json, \.yaml, \.yml"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_answered_with_its_line(tmp_path, name, content, message):
    with pytest.raises(SelectionError, match=message):
        parse_config(written(tmp_path, name, content))


def test_a_file_that_is_not_there_is_answered_with_those_that_are(tmp_path):
    written(tmp_path, "wishes.yaml", YAML)
    with pytest.raises(SelectionError, match=r"there is no file '.*wish\.yaml'\..*Did you mean 'wishes\.yaml'"):
        parse_config(tmp_path / "wish.yaml")
    with pytest.raises(SelectionError, match="there is no file"):
        parse_config(tmp_path / "none" / "wish.yaml")


def test_what_is_no_text_is_refused(tmp_path):
    (tmp_path / "a.json").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "b.json").mkdir()
    for name in ("a.json", "b.json"):
        with pytest.raises(SelectionError, match="cannot be read"):
            parse_config(tmp_path / name)
