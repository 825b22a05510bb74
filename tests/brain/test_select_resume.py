"""A selection that was interrupted is kept on request, and gone on with."""

import numpy as np
import pytest

import saccade as sc
import saccade.brain as scb
from saccade.dataset.errors import SelectionError

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def dataset(database, rng):
    made = sc.Dataset("points")
    vectors = rng.standard_normal((40, 4)).astype(np.float32)
    made.add_columns({"filepath": [f"/{i}.png" for i in range(40)], "embedding": vectors})
    return made


def stopping_after(count):
    def progress(done, total):
        if done == count:
            raise KeyboardInterrupt

    return progress


def test_an_interrupted_selection_writes_nothing_unless_it_is_asked_to(dataset):
    with pytest.raises(KeyboardInterrupt):
        scb.select(dataset, n_samples=20, tag="batch", progress=stopping_after(6))
    assert dataset.count_sample_tags() == {}
    assert dataset.get_run_info("selections.batch").state == "interrupted"


def test_what_was_picked_by_then_is_kept_on_request_and_gone_on_with(dataset):
    whole = scb.select(dataset, n_samples=20, tag="whole")
    part = scb.select(dataset, n_samples=20, tag="batch", keep_interrupted=True, progress=stopping_after(6))
    assert 5 <= len(part) <= 6
    assert part.ids == whole.ids[: len(part)]
    assert part.run.state == "completed"
    assert part.report["note"] == f"interrupted after {len(part)} of 20 picks; resume=True goes on"
    seen = []
    rest = scb.select(dataset, n_samples=20, tag="batch", resume=True, progress=lambda *done: seen.append(done))
    assert rest.ids == whole.ids
    assert rest.distances == whole.distances
    assert seen[-1] == (20 - len(part), 20 - len(part))
    assert rest.view().values("selections.batch.rank") == list(range(20))
    assert dataset.count_sample_tags() == {"whole": 20, "batch": 20}


def test_a_smaller_selection_is_the_beginning_of_a_larger_one(dataset):
    scb.select(dataset, n_samples=5, tag="batch")
    larger = scb.select(dataset, n_samples=12, tag="batch", resume=True)
    assert larger.ids == scb.select(dataset, n_samples=12, tag="whole").ids


@pytest.mark.parametrize("size", [{"n_samples": 3}, {"proportion_samples": 0.1}])
def test_going_on_never_loses_picks(dataset, size):
    before = scb.select(dataset, n_samples=5, tag="batch")
    with pytest.raises(SelectionError, match=r"5 samples were picked before, and [34] are asked for.*prefix\([34]\)"):
        scb.select(dataset, **size, tag="batch", resume=True)
    assert dataset.load_selection("batch").ids == before.ids
    assert scb.select(dataset, n_samples=5, tag="batch", resume=True).ids == before.ids


def test_where_nothing_was_begun_it_begins(dataset):
    assert len(scb.select(dataset, n_samples=5, tag="batch", resume=True)) == 5


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"seed": 3}, "was made with seed=0, not 3"),
        ({"first": "index"}, "first='central', not 'index'"),
        ({"strategies": [scb.Diversity(), scb.Random()]}, r"was made with len\(strategies\)=1, not 2\. Give"),
        (
            {"strategies": [scb.Diversity(strength=2)]},
            r"strategies\[0\]\.strategy\.strength=1\.0, not 2\.0\. Give",
        ),
    ],
)
def test_what_was_made_in_another_way_is_not_gone_on_with(dataset, changed, message):
    scb.select(dataset, n_samples=5, tag="batch")
    with pytest.raises(SelectionError, match=message):
        scb.select(dataset, n_samples=9, tag="batch", resume=True, **changed)
    assert dataset.count_sample_tags() == {"batch": 5}


def test_another_view_or_samples_that_are_gone_are_not_gone_on_with(dataset):
    batch = scb.select(dataset, n_samples=5, tag="batch")
    with pytest.raises(SelectionError, match="with other stages"):
        scb.select(dataset.limit(20), n_samples=9, tag="batch", resume=True)
    dataset.tag_samples("kept")
    view = dataset.match_tags("kept")
    batch = scb.select(view, n_samples=5, tag="batch")
    dataset.select(batch.ids[2]).untag_samples("kept")
    with pytest.raises(SelectionError, match=f"sample {batch.ids[2]} was picked before, and cannot be picked any more"):
        scb.select(view, n_samples=9, tag="batch", resume=True)


def test_what_was_picked_by_other_vectors_is_not_gone_on_with(dataset, rng):
    before = scb.select(dataset, n_samples=5, tag="batch")
    dataset.set_values("embedding", rng.standard_normal((40, 4)).astype(np.float32))
    with pytest.raises(SelectionError, match=r"'batch' looked at embedding, changed since.*preselected_tag='batch'"):
        scb.select(dataset, n_samples=9, tag="batch", resume=True)
    grown = scb.select(dataset, n_total=9, tag="batch", preselected_tag="batch")
    assert (len(grown), set(grown.ids) & set(before.ids)) == (4, set())


def test_an_interrupted_selection_is_repeated_as_far_as_it_came(dataset):
    part = scb.select(dataset, n_samples=20, tag="batch", keep_interrupted=True, progress=stopping_after(6))
    again = part.replay()
    assert again.identical
    assert again.sizes == (len(part), len(part))


def test_a_tag_that_grows_is_not_resumed(dataset):
    dataset.limit(2).tag_samples("pool")
    with pytest.raises(SelectionError, match="the tag itself"):
        scb.select(dataset, n_samples=9, tag="pool", preselected_tag="pool", resume=True)


def test_a_selection_of_which_a_pick_was_deleted_is_not_gone_on_with(dataset):
    batch = scb.select(dataset, n_samples=6, tag="batch")
    dataset.delete_samples(batch.ids[2:3])
    with pytest.raises(SelectionError, match=r"1 of the 6 picks of the selection 'batch' were deleted since"):
        scb.select(dataset, n_samples=9, tag="batch", resume=True)
    assert dataset.count_sample_tags() == {"batch": 5}
