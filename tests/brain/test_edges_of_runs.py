"""Every verb twice, on views, in another order, on other threads, interrupted and taken back: runs and values."""

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from threadpoolctl import threadpool_limits

import saccade as sc
import saccade.brain as scb
from saccade.dataset.errors import RunError, ViewError
from tests.brain.verbs import COUNT, DIFFERENT, VERBS, declared, made, run_of, stored, unsound, values_of, vectors_of

pytestmark = pytest.mark.usefixtures("database")

WITHOUT_NUMBERS = ("exact duplicates", "similarity", "similarity of an array", "visualization",
                   "visualization of an array")  # fmt: skip
KEEPING_THE_FIRST = ("near duplicates", "near duplicates of an array", "exact duplicates")
"""Which of some duplicates is kept depends on their order, and says so."""

BACKWARDS = range(COUNT - 1, -1, -1)


@pytest.fixture(autouse=True)
def ctrl_c() -> Iterator[None]:
    """Let Ctrl-C interrupt also where the shell has it ignored, as it does for jobs in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Reports:
    """A `progress` that remembers what it is told, and at one of the reports presses Ctrl-C."""

    def __init__(self, pressed_at: int = 0) -> None:
        self.calls: list[tuple[int, int]] = []
        self._pressed_at = pressed_at

    def __call__(self, done: int, total: int) -> None:
        self.calls.append((done, total))
        if len(self.calls) == self._pressed_at:
            os.kill(os.getpid(), signal.SIGINT)


def results_of(dataset: sc.Dataset, run: Any) -> dict[str, Any]:
    """What a run wrote, by the names of the files."""
    tops = {path.split(".")[0] for path in declared(dataset, run)}
    return {name: {top: values.get(top) for top in tops} for name, values in values_of(dataset).items()}


def rounded(value: Any) -> Any:
    """Sums in another order differ in their last digits."""
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    if isinstance(value, list):
        return [rounded(one) for one in value]
    return round(value, 5) + 0.0 if isinstance(value, float) else value


def test_a_second_call_gives_the_same_bits_on_other_threads_and_deleting_its_run_takes_all_back(tmp_path, capsys):
    dataset = made(range(COUNT), tmp_path, row_3=lambda fields: fields.update(painted=None, embedding=None))
    for name, verb in VERBS.items():
        before, reports = stored(dataset), Reports()
        with threadpool_limits(2):
            first = verb(dataset, progress=reports)
        values = values_of(dataset)
        with threadpool_limits(1):
            second = verb(dataset, progress=True)
        assert values_of(dataset) == values, name
        assert second.summary() == first.summary() != {}, name
        assert unsound(dataset, name, second) == []
        assert dataset.list_runs() == [first.key]
        assert dataset.get_run_info(first.key).started == second.started > first.started, name
        lines = [line for line in dataset.history() if line.run == first.key]
        assert len(lines) == (0 if name == "similarity" else 2), name

        done, total = zip(*reports.calls, strict=True)
        assert list(done) == sorted(done), name
        assert done[-1] == total[-1] > 0, name
        assert f"{total[-1]}/{total[-1]}" in capsys.readouterr().err, name
        look_at(second, name)

        dataset.delete_run(first.key)
        assert stored(dataset) == before, name
        assert dataset.list_runs() == [], name
    scb.compute_uniqueness(dataset, progress=False)
    assert capsys.readouterr().err == ""


def look_at(run: Any, name: str) -> None:
    """See that all that a run has to show can be shown."""
    assert 0 < len(run.view()) <= COUNT, name
    for text in (repr(run), run._repr_html_()):
        assert run.key in text, name
        assert "completed" in text, name
    if name in WITHOUT_NUMBERS:
        with pytest.raises(RunError, match=r"wrote no field of numbers; it wrote \w+"):
            run.histogram()
    else:
        counts, edges = run.histogram(bins=4)
        assert (len(counts), len(edges)) == (4, 5), name
        assert sum(counts) > 0, name


def test_a_view_is_scored_by_itself_whatever_its_order_and_the_others_keep_what_they_had(tmp_path):
    dataset = made(range(COUNT), tmp_path)
    scb.compute_similarity(dataset, metric="euclidean", brain_key="index")
    view = dataset.match(sc.F("size.value") < 7)  # the last sample, a copy of the first, among them
    backwards = view.sort_by("filepath", reverse=True).limit(8)
    outside = {name for name in values_of(dataset) if name not in values_of(view)}
    assert (len(view), len(outside)) == (8, COUNT - 8)
    for verb in (scb.compute_uniqueness, scb.compute_representativeness):
        with run_of(verb, view, similarity_index="index") as run:
            by_index = results_of(dataset, run)
        assert all(by_index[one] == dict.fromkeys(by_index[one]) for one in outside)
        with run_of(verb, view, embeddings="embedding") as run:
            assert results_of(dataset, run) == by_index
    for name, verb in DIFFERENT.items():
        whole = results_of(dataset, verb(dataset))
        run = verb(view)
        straight = results_of(dataset, run)
        for one in outside:
            if "duplicates" in name or "leaky" in name:  # what is a duplicate of what is known as a whole or not at all
                assert all(value is None for found in straight[one].values() for value in (found or {}).values())
            else:
                assert straight[one] == whole[one], (name, one)
        if name not in KEEPING_THE_FIRST:
            assert rounded(results_of(dataset, verb(backwards))) == rounded(straight), name


def test_in_another_order_the_samples_get_the_same_values(tmp_path):
    one, other = made(range(COUNT), tmp_path, "one"), made(BACKWARDS, tmp_path, "other")
    for name, verb in DIFFERENT.items():
        first, second = results_of(one, verb(one)), results_of(other, verb(other))
        assert first.keys() == second.keys()
        if name == "exact duplicates":
            first, second = ([bool(any(values.values())) for values in found.values()] for found in (first, second))
            assert sum(first) == sum(second) == 1
        elif name not in KEEPING_THE_FIRST:
            assert rounded(first) == rounded(second), name


def test_after_ctrl_c_nothing_is_half_written_and_the_next_call_works(tmp_path):
    dataset = made(range(COUNT), tmp_path)
    interrupted = []
    for name, verb in DIFFERENT.items():
        before = stored(dataset)
        with pytest.raises(KeyboardInterrupt):
            verb(dataset, progress=Reports(pressed_at=1))
        (key,) = dataset.list_runs()
        run = dataset.get_run_info(key)
        if run.state == "interrupted":
            interrupted.append(name)
            assert stored(dataset) == before, name
        else:
            assert (run.state, run.message) == ("completed", "stopped after everything was written"), name
        values = values_of(dataset)
        again = verb(dataset)
        assert again.state == dataset.get_run_info(key).state == "completed", name
        assert run.state == "interrupted" or values_of(dataset) == values, name
        dataset.delete_run(key)
        assert stored(dataset) == before, name
    late = {name for name in DIFFERENT if name.startswith(("mistakenness of boxes", "hardness of boxes"))}
    assert set(DIFFERENT) - set(interrupted) <= late


def test_ctrl_c_in_a_second_call_leaves_the_first_run_and_its_values(tmp_path):
    dataset = made(range(COUNT), tmp_path)
    for name in ("uniqueness", "visualization", "mistakenness of masks", "similarity of an array", "leaky splits"):
        run = VERBS[name](dataset)
        before = stored(dataset)
        with pytest.raises(KeyboardInterrupt):
            VERBS[name](dataset, progress=Reports(pressed_at=1))
        assert stored(dataset) == before, name
        kept = dataset.get_run_info(run.key)
        assert (kept.state, kept.started, kept.facts) == ("completed", run.started, run.facts), name


def test_deleting_a_run_leaves_fields_that_were_declared_before_it(tmp_path):
    dataset = made(range(3), tmp_path)
    dataset.add_sample_field("hardness", sc.FloatField)
    before = stored(dataset)
    scb.compute_hardness(dataset, "guess")
    dataset.delete_run("hardness")
    assert stored(dataset) == before


def test_sorting_by_similarity_works_on_few_and_equal_samples_and_refuses_what_is_no_query(tmp_path):
    for numbers in ([1], [1, 1, 1], range(COUNT)):
        dataset = made(numbers, tmp_path)
        run = scb.compute_similarity(dataset)
        query = dataset.first()
        assert run.sort_by_similarity(query).first().id == query.id
        assert len(run.sort_by_similarity(query, k=100, reverse=True, dist_field="away")) == len(numbers)
        assert all(0 <= away <= 2 for away in dataset.values("away"))
        before = stored(dataset)
        for wrong in ([], [float("nan")] * 4, [1.0, 2.0], "0" * 24):
            with pytest.raises(ViewError):
                len(run.sort_by_similarity(wrong, dist_field="away"))
        assert stored(dataset) == before
    dataset.delete_samples(dataset)
    run = scb.compute_similarity(dataset, embeddings=vectors_of(dataset), brain_key="none")
    assert (run.index_size, run.get_embeddings()[1], len(run.view())) == (0, [], 0)
