"""Two processes write to one dataset in every way at once: what was acknowledged is there, and there once.

What they do is in `writing`. What has to be there is worked out from what they said.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import saccade as sc
from saccade.dataset import columns
from saccade.dataset.store import actions, connection
from tests.store.processes import ROOT
from tests.store.writing import NAME, SHARED


class Expected:
    """What the dataset has to hold, by the lines of both writers."""

    def __init__(self, dataset: sc.Dataset) -> None:
        self.values: dict[str, dict[str, int]] = {}
        self.vectors: dict[str, dict[str, int]] = {}
        self.tags: dict[str, list[str]] = {}
        for sample_id in dataset.values("id"):
            self.values[sample_id] = {"n": -1}
            self.vectors[sample_id] = {"embedding": -1}
            self.tags[sample_id] = ["old"]

    def take(self, call: list[Any]) -> None:
        kind, *rest = call
        if kind == "add":
            for sample_id, number in zip(*rest, strict=True):
                assert sample_id not in self.values, "an id was given twice"
                self.values[sample_id] = {"n": number, "late": number}
                self.vectors[sample_id] = {"embedding": number}
                self.tags[sample_id] = [f"t{number}"]
        elif kind == "edit":
            sample_id, number = rest
            who = number % 2
            self.values[sample_id][f"seen{who}"] = number
            self.vectors[sample_id][f"vector{who}"] = number
            self.tags[sample_id].append(f"t{number}")
        elif kind == "set":
            field, ids, numbers = rest
            for sample_id, number in zip(ids, numbers, strict=True):
                self.values[sample_id][field] = number
        elif kind == "tag":
            ids, number = rest
            for sample_id in ids:
                self.tags[sample_id].append(f"t{number}")
        else:
            for sample_id, number in zip(*rest, strict=True):
                self.vectors[sample_id]["embedding"] = number


def write_at_once(writes: int) -> tuple[sc.Dataset, Expected, list[list[Any]]]:
    dataset = sc.Dataset(NAME)
    dataset.add_samples(
        [sc.Sample(f"/old{n}.png", tags=["old"], n=-1, embedding=np.full(4, -1.0)) for n in range(SHARED)]
    )
    expected = Expected(dataset)
    writers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.store.writing", who, str(writes)],
            cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for who in "01"
    ]  # fmt: skip
    for writer in writers:
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        writer.stdin.write("\n")
        writer.stdin.flush()
    with ThreadPoolExecutor(2) as threads:  # both at once, or the one would wait until the other has been heard
        said = [output for output, _ in threads.map(lambda writer: writer.communicate(timeout=800), writers)]
    assert [writer.returncode for writer in writers] == [0, 0]
    calls = [json.loads(line) for lines in said for line in lines.splitlines()]
    for call in calls:
        expected.take(call)
    return dataset, expected, calls


@pytest.mark.parametrize("writes", [400, pytest.param(10_000, marks=pytest.mark.slow)])
def test_of_two_writers_at_once_no_write_is_lost_and_none_is_doubled(database, writes):
    dataset, expected, calls = write_at_once(writes)
    assert min(Counter(call[0] for call in calls).values()) > 1, "every way of writing was used"

    stored = {str(d.pop("_id")): d for d in connection.database()[f"samples.{dataset._id}"].find()}
    assert stored.keys() == expected.values.keys()
    assert list(expected.values)[:SHARED] == dataset.limit(SHARED).values("id")
    assert dataset.values("id") == sorted(stored)
    names = {name for values in expected.values.values() for name in values}
    for sample_id, document in stored.items():
        found = {name: value for name, value in document.items() if name in names}
        assert found == expected.values[sample_id], sample_id
        assert Counter(document["tags"]) == Counter(expected.tags[sample_id]), sample_id
    for field in ("embedding", "vector0", "vector1"):
        ids, matrix = columns.read_vectors(dataset, field)
        found = dict(zip(ids, matrix.tolist(), strict=True))
        wanted = {i: [float(held[field])] * len(matrix[0]) for i, held in expected.vectors.items() if field in held}
        assert found == wanted
    assert len(dataset.distinct("filepath")) == len(stored)
    assert dataset.count_sample_tags() == Counter(tag for tags in expected.tags.values() for tag in tags)
    assert actions.live_actions(dataset._id) == []
