"""Two processes that select from one dataset at once: under different tags both do, under the same tag one does."""

import numpy as np
import pytest

import saccade as sc
import saccade.brain as scb
from saccade.dataset.errors import RunError
from tests.store.processes import begin

WAITING = """
import sys, saccade as sc, saccade.brain as scb

def wait(done, total):
    if done == 2:
        print("picking", flush=True)
        sys.stdin.readline()

batch = scb.select(sc.load_dataset("points"), n_samples=6, progress=wait{tag})
print(batch.tag, *batch.ids)
"""


@pytest.fixture
def dataset(database, rng):
    made = sc.Dataset("points")
    vectors = rng.standard_normal((40, 4)).astype(np.float32)
    made.add_columns({"filepath": [f"/{i}.png" for i in range(40)], "embedding": vectors})
    return made


def picking(**options):
    """Another process that has picked two samples, and goes on when it is told to."""
    process = begin(WAITING.format(tag="".join(f", {name}={value!r}" for name, value in options.items())))
    assert process.stdout.readline() == "picking\n"
    return process


def ended(process):
    """What it said at last."""
    said, complaints = process.communicate("\n", timeout=60)
    assert process.returncode == 0, complaints
    return said.split()


def test_under_different_tags_both_select_what_they_would_alone(dataset):
    process = picking(tag="theirs")
    ours = scb.select(dataset, n_samples=6, tag="ours")
    tag, *theirs = ended(process)
    assert (tag, theirs) == ("theirs", ours.ids)
    for name in ("ours", "theirs"):
        loaded = dataset.load_selection(name)
        assert (loaded.ids, loaded.ranks) == (ours.ids, list(range(6)))
    assert dataset.count_sample_tags() == {"ours": 6, "theirs": 6}


def test_under_the_same_tag_the_second_is_refused_and_the_first_is_made(dataset):
    process = picking(tag="batch")
    with pytest.raises(RunError, match=r"'selections\.batch' of 'select' is under way in another process"):
        scb.select(dataset, n_samples=3, tag="batch")
    _, *theirs = ended(process)
    assert dataset.load_selection("batch").ids == theirs
    assert dataset.count_sample_tags() == {"batch": 6}


def test_without_a_tag_each_takes_a_number_of_its_own(dataset):
    process = picking()
    assert scb.select(dataset, n_samples=3).tag == "selection-2"
    assert ended(process)[0] == "selection-1"
