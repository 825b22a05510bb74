"""Runs: what computed which field, how it ended, and that deleting one takes back only what it wrote."""

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

import saccade as sc
from saccade.dataset import columns, runs
from saccade.dataset.errors import FieldKindError, RunError, RunNotFoundError, SaccadeError
from tests.store.processes import begin, run, until

F = sc.F


@pytest.fixture
def filled(dataset) -> sc.Dataset:
    dataset.add_samples(sc.Sample(f"/{n}.png", n=n, embedding=np.full(3, n / 2)) for n in range(5))
    return dataset


def score(samples, key="score", value=0.5, **options) -> runs.Run:
    """What a verb does: read, compute, write, record."""
    fields = {"reads": ["embedding"], "writes": [key], "params": {"k": 3}} | options
    with runs.record(samples, "scoring", key=key, **fields) as made:
        ids, _ = columns.read_vectors(samples, "embedding")
        columns.write_scalars(samples, {key: [value + row for row in range(len(ids))]}, ids)
        made.facts = {"mean": value}
    return made


# --- recorded -------------------------------------------------------------------------------------------------------


def test_a_run_says_what_it_did(filled):
    made = score(filled)
    assert filled.list_runs() == ["score"]
    assert filled.has_run("score")
    info = sc.load_dataset("street").get_run_info("score")
    assert (info.key, info.operation, info.version) == ("score", "scoring", 1)
    assert (info.state, info.message) == ("completed", None)
    assert (info.reads, info.writes, info.params, info.summary()) == (["embedding"], ["score"], {"k": 3}, {"mean": 0.5})
    assert info.library_version == sc.__version__
    assert abs(info.started - datetime.now(UTC)) < timedelta(minutes=1)
    assert info.finished >= info.started
    assert info.duration == (info.finished - info.started).total_seconds()
    assert (made.state, made.summary(), made.dataset) == ("completed", {"mean": 0.5}, filled)


def test_runs_are_listed_by_operation_and_by_parameters(filled):
    score(filled)
    score(filled, "other", params={"k": 5})
    with runs.record(filled, "select", key="batch", params={"n": 2}):
        pass
    assert filled.list_runs() == filled.list_brain_runs() == ["batch", "other", "score"]
    assert filled.list_runs("scoring") == filled.list_brain_runs("scoring") == ["other", "score"]
    assert filled.list_brain_runs(type="scoring", k=5) == ["other"]
    assert filled.list_brain_runs(n=2) == ["batch"]
    assert filled.list_runs("nothing") == filled.list_brain_runs(k=7) == []
    assert filled.match(F("n") > 3).list_runs() == ["batch", "other", "score"]


def test_fiftyones_names_do_the_same(filled):
    score(filled)
    assert filled.has_brain_run("score")
    assert filled.get_brain_info("score").operation == "scoring"
    assert len(filled.load_brain_view("score")) == 5
    filled.rename_brain_run("score", "better")
    assert filled.list_brain_runs() == ["better"]
    filled.delete_brain_run("better")
    assert not filled.has_brain_run("better")
    assert "score" not in filled.get_field_schema()
    score(filled)
    filled.delete_brain_runs()
    assert filled.list_brain_runs() == []


def test_an_unknown_run_is_named_with_the_nearest(filled):
    score(filled)
    message = r"no run 'scor' on dataset 'street'\. Runs: score\. Did you mean 'score'"
    for ask in (filled.get_run_info, filled.delete_run, filled.load_run_view, lambda key: filled.rename_run(key, "x")):
        with pytest.raises(RunNotFoundError, match=message):
            ask("scor")
    with pytest.raises(KeyError):
        filled.get_run_info("scor")


def test_a_run_knows_the_samples_it_was_computed_on(filled):
    made = score(filled.match(F("n") > 2))
    assert made.view().values("n") == [4, 3], "highest score first"
    assert filled.load_run_view("score").values("n") == [3, 4]
    assert sc.load_dataset("street").get_run_info("score").view().values("n") == [4, 3]


def test_a_run_is_shown(filled):
    text, html = repr(score(filled)), score(filled)._repr_html_()
    for part in ("score", "scoring (version 1)", "completed", "k=3", "mean=0.5"):
        assert part in text
        assert part in html


def test_running_again_replaces_the_record(filled):
    first = score(filled)
    second = score(filled, value=1.5, params={"k": 7})
    assert filled.list_runs() == ["score"]
    assert filled.get_run_info("score").params == {"k": 7}
    assert second.started >= first.started
    assert filled.values("score") == [1.5, 2.5, 3.5, 4.5, 5.5]


def test_deleting_a_run_takes_back_what_earlier_ones_under_its_key_wrote_too(filled):
    with runs.record(filled, "scoring", key="score", writes=["score", "reason"]):
        columns.write_scalars(filled, {"score": [1.0] * 5, "reason": ["so"] * 5}, filled.values("id"))
    for _ in range(2):
        assert score(filled).writes == ["score"]
    filled.delete_run("score")
    assert not {"score", "reason"} & set(filled.get_field_schema())


def test_a_key_belongs_to_one_operation(filled):
    score(filled)
    message = r"key 'score' is taken by a run of 'scoring'.*delete_run\('score'\)"
    with pytest.raises(RunError, match=message), runs.record(filled, "select", key="score"):
        pass
    assert filled.get_run_info("score").operation == "scoring"


@pytest.mark.parametrize("key", ["", "a b", "1st", "a-b"])
def test_a_key_is_an_identifier(filled, key):
    with pytest.raises(RunError, match="is not an identifier"), runs.record(filled, "scoring", key=key):
        pass
    assert filled.list_runs() == []


def test_parameters_are_any_plain_values(filled):
    params = {
        "matrix": np.float32(0.5), "names": ("a", "b"), "nested": {"x": [1, {"y": None}]}, "none": None,
        "flag": np.bool_(True), "a.b": 1, "nan": math.nan,
    }  # fmt: skip
    with runs.record(filled, "scoring", key="score", params=params) as made:
        made.facts = {"best": np.int64(3), "per.class": {"cat": np.float64(0.5)}}
    info = filled.get_run_info("score")
    assert (info.params["matrix"], info.params["names"], info.params["flag"]) == (0.5, ["a", "b"], True)
    assert info.params["nested"] == {"x": [1, {"y": None}]}
    assert info.params["a.b"] == 1
    assert info.summary() == {"best": 3, "per.class": {"cat": 0.5}}
    assert repr(info)


def test_parameters_that_cannot_be_kept_are_refused_before_anything_is_done(filled):
    done = []
    with pytest.raises(SaccadeError), runs.record(filled, "scoring", key="score", params={"model": object()}):
        done.append(1)
    assert done == []
    assert filled.list_runs() == []


def test_a_summary_that_cannot_be_kept_fails_the_run(filled):
    recorded = runs.record(filled, "scoring", key="score")
    with pytest.raises(RunError, match=r"cannot keep facts\.model"), recorded as made:
        made.facts = {"model": object()}
    assert filled.get_run_info("score").state == "failed"
    assert filled.get_run_info("score").summary() == {}


def test_a_run_tells_when_what_it_read_was_changed(filled):
    made = score(filled)
    assert made.is_stale() == []
    filled.set_values("n", [0] * 5)
    assert made.is_stale() == [], "it did not read that"
    sample = filled.first()
    sample.embedding = np.ones(3)
    sample.save()
    assert filled.get_run_info("score").is_stale() == ["embedding"]
    assert score(filled).is_stale() == []
    filled.set_values("embedding", np.zeros((5, 3)))
    assert filled.get_run_info("score").is_stale() == ["embedding"]


def test_field_revisions_move_with_values(filled):
    before = filled.get_field_revisions()
    filled.set_values("n", [1] * 5)
    after = filled.get_field_revisions()
    assert after["n"] != before["n"]
    assert after["embedding"] == before["embedding"]
    sample = filled.first()
    sample.n = 5
    sample.save()
    assert filled.get_field_revisions()["n"] not in {before["n"], after["n"]}


# --- failed and interrupted -----------------------------------------------------------------------------------------


def test_a_failed_run_leaves_a_record_and_no_field(filled):
    def fail():
        with runs.record(filled, "scoring", key="score", writes=["score"]):
            columns.write_scalars(filled, {"score": [1, math.nan, 1, 1, 1]}, filled.values("id"))

    with pytest.raises(FieldKindError, match="must be finite"):
        fail()
    info = filled.get_run_info("score")
    assert info.state == "failed"
    assert info.message.startswith("FieldKindError: 'score' would be nan on sample")
    assert info.finished is not None
    assert "score" not in filled.get_field_schema()
    assert "failed: FieldKindError" in repr(info)
    assert score(filled).state == "completed"


def test_an_interrupted_run_says_so(filled):
    with pytest.raises(KeyboardInterrupt), runs.record(filled, "scoring", key="score", writes=["score"]):
        raise KeyboardInterrupt
    info = filled.get_run_info("score")
    assert (info.state, info.message) == ("interrupted", None)


HANG = """
import sys, saccade as sc
from saccade.dataset import runs
with runs.record(sc.load_dataset("street"), "scoring", key="score", writes=["score"]):
    print("running", flush=True)
    sys.stdin.readline()
"""


def test_a_run_whose_process_was_killed_is_interrupted(filled):
    with begin(HANG) as process:
        assert process.stdout.readline() == "running\n"
        assert filled.get_run_info("score").state == "running"
        assert filled.get_run_info("score").duration is None
        with pytest.raises(RunError, match="under way in another process"):
            score(filled)
        process.kill()
    until(lambda: filled.get_run_info("score").state == "interrupted")
    assert score(filled).state == "completed"


KILLED = """
import os, signal, sys, saccade as sc
from saccade.dataset import columns, runs
dataset = sc.load_dataset("street")
ids = dataset.values("id")
for turn in range(2):  # what an earlier run of the same key wrote says nothing of the second
    with runs.record(dataset, "scoring", key="score", writes=["score"], one_action={one_action}):
        if turn == 1 and not {written}:
            os.kill(os.getpid(), signal.SIGKILL)
        columns.write_scalars(dataset, {{"score": [turn + 0.5] * len(ids)}}, ids)
        if turn == 1:
            os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(
    ("one_action", "written", "state"),
    [(True, True, "completed"), (True, False, "interrupted"), (False, True, "interrupted")],
)
def test_of_a_killed_run_it_is_known_whether_everything_was_written(filled, one_action, written, state):
    with begin(KILLED.format(one_action=one_action, written=written)) as process:
        process.communicate(timeout=60)
    until(lambda: filled.get_run_info("score").state != "running")
    info = filled.get_run_info("score")
    assert info.state == state
    assert filled.values("score") == [1.5 if written else 0.5] * 5
    if state == "completed":
        assert info.message == "stopped after everything was written"
        assert info.finished > info.started
    assert score(filled).message is None


def test_a_run_that_is_interrupted_after_everything_was_written_is_completed(filled):
    def stopped(*, before):
        with runs.record(filled, "scoring", key="score", writes=["score"], one_action=True):
            if before:
                raise KeyboardInterrupt
            columns.write_scalars(filled, {"score": [0.5] * 5}, filled.values("id"))
            raise KeyboardInterrupt

    for before, state in ((True, "interrupted"), (False, "completed")):
        with pytest.raises(KeyboardInterrupt):
            stopped(before=before)
        assert filled.get_run_info("score").state == state
    assert filled.values("score") == [0.5] * 5


def test_a_run_that_fails_leaves_the_record_of_an_earlier_one_whose_values_stand(filled):
    def fail(**options):
        with runs.record(filled, "scoring", key="score", writes=["score"], **options):
            raise ValueError

    made = score(filled)
    for error in (ValueError, KeyboardInterrupt):
        with pytest.raises(error), runs.record(filled, "scoring", key="score", one_action=True):
            raise error
        info = filled.get_run_info("score")
        assert (info.state, info.summary(), info.started) == ("completed", made.summary(), made.started)
    with pytest.raises(ValueError):  # noqa: PT011  # a run in several actions may have written some of its values
        fail()
    assert filled.get_run_info("score").state == "failed"
    with pytest.raises(ValueError):  # noqa: PT011  # there is none that completed any more
        fail(one_action=True)
    assert filled.get_run_info("score").message == "ValueError: "


def test_a_run_of_another_process_is_seen_to_complete(filled):
    run(HANG.replace("sys.stdin.readline()", "pass"))
    assert filled.get_run_info("score").state == "completed"


# --- deleted --------------------------------------------------------------------------------------------------------


def test_deleting_a_run_deletes_what_it_wrote(filled):
    before = filled.get_field_schema()
    score(filled)
    filled.delete_run("score")
    assert filled.list_runs() == []
    assert filled.get_field_schema() == before
    assert filled.values("n") == [0, 1, 2, 3, 4]


def test_deleting_a_run_spares_what_was_changed_since(filled):
    score(filled)
    sample = filled.first()
    sample.score = 9.0
    sample.save()
    filled.match(F("n") == 2).set_values("score", [8.0])
    filled.delete_run("score")
    assert filled.values("score") == [9, None, 8, None, None]
    assert "score" in filled.get_field_schema()


def test_deleting_a_run_spares_values_of_other_samples(filled):
    filled.set_values("score", [-1.0, -2.0, -3.0, -4.0, -5.0])
    score(filled.match(F("n") > 2))
    filled.delete_run("score")
    assert filled.values("score") == [-1, -2, -3, None, None]


def test_deleting_a_run_deletes_what_its_earlier_calls_wrote(filled):
    score(filled.limit(2))
    score(filled.skip(3))
    filled.delete_run("score")
    assert "score" not in filled.get_field_schema()


def test_deleting_a_run_takes_its_tags_and_its_part_of_a_dict(filled):
    filled.limit(1).tag_samples("batch")
    filled.set_values("selections", [{"old": {"rank": 1}}, None, None, None, None])
    ids = filled.values("id")
    with runs.record(filled, "select", key="selections.batch", writes=["tags", "selections.batch"]):
        filled.limit(3).tag_samples("batch")
        columns.write_scalars(filled, {"selections.batch.rank": [0, 1, 2]}, ids[:3])
    assert filled.values("selections")[0] == {"old": {"rank": 1}, "batch": {"rank": 0}}
    filled.delete_run("selections.batch")
    assert filled.values("tags") == [["batch"], [], [], [], []], "the first had it before"
    assert filled.values("selections") == [{"old": {"rank": 1}}, None, None, None, None]


def test_deleting_a_run_whose_samples_and_field_are_gone_is_no_error(filled):
    score(filled)
    filled.delete_samples(filled.limit(2))
    filled.delete_sample_field("score")
    filled.delete_run("score")
    assert filled.list_runs() == []
    assert len(filled) == 3
    assert "score" not in filled.get_field_schema()


def test_a_failed_run_can_be_deleted(filled):
    with pytest.raises(RuntimeError), runs.record(filled, "scoring", key="score", writes=["score"]):
        raise RuntimeError("no")
    filled.delete_run("score")
    assert filled.list_runs() == []


def test_all_runs_are_deleted(filled):
    score(filled)
    score(filled, "other")
    filled.delete_runs()
    assert filled.list_runs() == []
    assert not {"score", "other"} & set(filled.get_field_schema())


# --- renamed --------------------------------------------------------------------------------------------------------


def test_a_renamed_run_still_knows_what_it_wrote(filled):
    score(filled)
    filled.rename_run("score", "one")
    filled.rename_run("one", "two")
    assert filled.list_runs() == ["two"]
    assert filled.get_run_info("two").operation == "scoring"
    filled.delete_run("two")
    assert "score" not in filled.get_field_schema()


def test_deleting_a_renamed_run_spares_a_new_one_under_its_old_key(filled):
    score(filled.limit(2))
    filled.rename_run("score", "old")
    score(filled.skip(2))
    filled.delete_run("old")
    assert filled.list_runs() == ["score"]
    assert filled.values("score") == [None, None, 0.5, 1.5, 2.5]


def test_a_key_that_is_taken_or_cannot_be_used_is_refused(filled):
    score(filled)
    score(filled, "other")
    with pytest.raises(RunError, match="there is a run 'other' already"):
        filled.rename_run("score", "other")
    with pytest.raises(RunError, match="is not an identifier"):
        filled.rename_run("score", "a b")
    assert filled.list_runs() == ["other", "score"]
