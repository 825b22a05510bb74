"""Explanations: what decided about each pick, and the report: figures that can be worked out by hand."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from saccade.brain.selection import explanation
from saccade.brain.selection.explanation import class_shares, evenness, explain, mean_rank, reason
from saccade.brain.selection.report import report_of

from .selection_cases import farthest_first

DRAWN_FIRST = "first pick"


class Static:
    """An objective whose value of a row never changes."""

    vectors = None

    def __init__(self, values, name="WEIGHTS", strength=1.0, label=None):
        self.values, self.name, self.strength = np.asarray(values, dtype=float), name, strength
        self.label = label or name

    def history(self, rows, past):
        with np.errstate(divide="ignore"):
            return np.tile(self.strength * np.log(self.values[rows]), (len(past.picks), 1))

    def history_of_picks(self, past):
        with np.errstate(divide="ignore"):
            return self.strength * np.log(self.values[past.picks])


class Apart:
    """DIVERSITY: the distance to the nearest earlier pick, of plain points."""

    name, label, normalize, offsets = "DIVERSITY", "DIVERSITY embedding", False, None

    def __init__(self, vectors, strength=1.0):
        self.vectors, self.strength = np.asarray(vectors, dtype=float), strength

    def history(self, rows, past):
        nearest, found = np.full(len(rows), np.inf), []
        for earlier in [*past.preselected.tolist(), *past.picks.tolist()]:
            found.append(self.strength * np.log(nearest, where=nearest > 0, out=np.full(len(rows), -np.inf)))
            away = np.linalg.norm(self.vectors[rows] - self.vectors[earlier], axis=1)
            nearest = np.minimum(nearest, away)
        return np.array(found[len(past.preselected) :]).reshape(len(past.picks), len(rows))

    def history_of_picks(self, past):
        return np.array([self.history(past.picks[[at]], past)[at, 0] for at in range(len(past.picks))])


class Classes(Static):
    def __init__(self, shares, target, classes=None):
        super().__init__(np.ones(len(shares)), "BALANCE", label="BALANCE weather")
        self.shares, self.target, self.classes = np.asarray(shares, dtype=float), np.asarray(target), classes


def picked(rows, distances=None, next_distance=float("nan"), stopped="n_samples"):
    distances = np.full(len(rows), np.nan) if distances is None else np.asarray(distances, dtype=float)
    return SimpleNamespace(rows=np.array(rows, dtype=np.int64), distances=distances, next_distance=next_distance,
                           stopped=stopped)  # fmt: skip


def everything(n):
    return np.ones(n, dtype=bool)


def test_shares_are_those_of_the_mean_leads_over_the_candidates_left():
    # Row 3 leads by log 4 in one objective and by log 2 in the other: 2/3 and 1/3.
    found = explain([Static([1, 1, 1, 4], "A"), Static([1, 1, 1, 2], "B")], [3], everything(4))
    assert found.shares.tolist() == [pytest.approx([2 / 3, 1 / 3])]
    assert found.reasons == ["A 67 %, B 33 %"]


def test_the_strength_counts():
    found = explain([Static([1, 1, 4], "A", strength=0.5), Static([1, 1, 2], "B", strength=3)], [2], everything(3))
    assert found.shares.tolist() == [pytest.approx([1 / 4, 3 / 4])]


def test_a_negative_strength_speaks_for_low_values():
    found = explain([Static([5, 5, 1], "A", strength=-1.0), Static([1, 1, 1], "B")], [2], everything(3))
    assert found.reasons == ["A 100 %"]
    assert found.standing.tolist() == [[1.0, 0.5]]


def test_what_speaks_against_a_pick_has_no_share():
    found = explain([Static([9, 9, 1], "A"), Static([1, 1, 2], "B")], [2], everything(3))
    assert found.shares.tolist() == [[0.0, 1.0]]
    assert found.standing.tolist() == [[0.0, 1.0]]


def test_earlier_picks_and_the_pick_itself_are_not_compared_with():
    found = explain([Static([1, 2, 4], "A")], [2, 1, 0], everything(3))
    assert found.standing.ravel().tolist()[:2] == [1.0, 1.0]
    assert np.isnan(found.standing[2, 0])
    assert found.shares.ravel().tolist() == [1.0, 1.0, 0.0]
    assert found.reasons == ["A 100 %", "A 100 %", "no strategy prefers it"]


def test_only_candidates_are_compared_with():
    found = explain([Static([9, 1, 2], "A")], [2], np.array([False, True, True]))
    assert found.reasons == ["A 100 %"]


def test_values_of_zero_do_not_make_a_share_infinite():
    found = explain([Static([0, 0, 1], "A"), Static([1, 1, 1000], "B")], [2], everything(3))
    assert found.shares.tolist() == [pytest.approx([0.5, 0.5])]
    none = explain([Static([0, 0, 0], "A")], [1], everything(3))
    assert none.shares.tolist() == [[0.0]]


def test_the_first_pick_of_diversity_is_no_better_than_others():
    vectors = [[0.0], [1.0], [2.0], [6.0]]
    found = explain([Apart(vectors)], [2, 3, 0], everything(4))
    assert found.reasons == ["first pick", "DIVERSITY 100 %", "DIVERSITY 100 %"]


def test_diversity_and_weights_share_as_worked_out_by_hand():
    # 2 was picked: 0, 1 and 3 are 2, 1 and 4 away; 3 leads by log 4 - (log 2 + log 1) / 2, and in weights by log 8.
    vectors, weights = [[0.0], [1.0], [2.0], [6.0]], [1, 1, 1, 8]
    found = explain([Apart(vectors), Static(weights)], [2, 3], everything(4))
    apart, heavy = np.log(4) - np.log(2) / 2, np.log(8)
    assert found.shares[1].tolist() == pytest.approx([apart / (apart + heavy), heavy / (apart + heavy)])
    assert found.reasons[1] == "WEIGHTS 67 %, DIVERSITY 33 %"


def test_objectives_of_one_name_are_called_by_their_labels():
    one, two = Static([1, 2], label="WEIGHTS a"), Static([1, 2], label="WEIGHTS b")
    assert explain([one, two], [1], everything(2)).reasons == ["WEIGHTS a 50 %, WEIGHTS b 50 %"]


def test_small_shares_are_not_said():
    assert reason(["A", "B", "C"], [0.96, 0.04, 0.0]) == "A 96 %"
    assert reason(["A", "B"], [0.3, 0.7]) == "B 70 %, A 30 %"


def test_no_picks_and_no_objectives_are_explained_too():
    assert explain([Static([1, 2])], [], everything(2)).reasons == []
    assert explain([], [1, 0], everything(2)).reasons == ["first pick", "no strategy prefers it"]


def test_many_picks_are_compared_with_fewer_candidates(monkeypatch):
    monkeypatch.setattr(explanation, "_CELLS", 1000)
    seen = []

    class Watched(Static):
        def history(self, rows, picks):
            seen.append(len(rows))
            return super().history(rows, picks)

    explain([Watched(np.arange(1.0, 501.0))], np.arange(30), everything(500))
    assert seen == [33]


def test_classes_are_added_up_over_rows():
    shares = [[1, 0, 0], [0, 0.5, 0.5], [0, 0, 0]]
    assert class_shares(np.array(shares), [0, 1, 2]).tolist() == [0.5, 0.25, 0.25]
    assert class_shares(np.array(shares), [2]).tolist() == [0, 0, 0]


def test_evenness_is_one_for_equal_shares_and_zero_for_one_class():
    assert evenness(np.array([0.25] * 4)) == pytest.approx(1)
    assert evenness(np.array([0.5, 0.5, 0, 0])) == pytest.approx(0.5)
    assert evenness(np.array([1.0, 0.0])) == 0
    assert evenness(np.array([1.0])) == 1


def test_ranks_are_among_the_candidates_and_ties_share_theirs():
    values = np.array([5.0, 1.0, 1.0, 3.0, 99.0])
    candidates = np.array([True, True, True, True, False])
    assert mean_rank(values, candidates, [0]) == 1
    assert mean_rank(values, candidates, [1]) == pytest.approx(0.5 / 3)
    assert mean_rank(values, candidates, [0, 3]) == pytest.approx((1 + 2 / 3) / 2)
    assert np.isnan(mean_rank(values, candidates, []))


# --- the report -----------------------------------------------------------------------------------------------------


def test_the_report_of_diversity_has_a_curve_a_certificate_and_a_comparison(rng):
    vectors = rng.standard_normal((200, 5))
    found = farthest_first(vectors, 31)
    rows, distances = found.rows, found.distances
    report, reasons = report_of([Apart(vectors)], picked(rows[:30], distances[:30], distances[30]),
                                candidates=everything(200))  # fmt: skip
    assert len(reasons) == 30
    assert report["selected"] == 30
    assert report["candidates"] == 200
    assert report["stopped"] == "n_samples"
    assert report["smallest_distance"] == distances[29]
    assert report["radius"] == distances[30]
    assert report["radius_bound"] == distances[30] / 2
    curve = report["curve"]
    assert {len(values) for values in curve.values()} == {len(curve["picks"])}
    assert curve["picks"][-1] == 30
    assert curve["largest_distance"][-1] == pytest.approx(distances[30], rel=1e-5)
    assert report["evaluated"] == 200
    assert report["comparison"]["diversity"]["picks"] > report["comparison"]["diversity"]["random"]
    assert report["comparison"]["coverage"]["picks"] == curve["coverage"][-1]
    (objective,) = report["objectives"]
    assert objective["label"] == "DIVERSITY embedding"
    assert objective["standing"] > 0.9
    assert json.loads(json.dumps(report, allow_nan=False)) == report


def test_of_objects_there_is_no_bound_of_the_radius():
    # Rows {0}, {10}, {20} and {0, 10, 20}: the last alone covers all others, whatever the distances of other picks.
    objective = Apart(np.array([0.0, 10.0, 20.0, 0.0, 10.0, 20.0])[:, None])
    objective.offsets = np.array([0, 1, 2, 3, 6])
    objective.history = lambda rows, past: np.zeros((len(past.picks), len(rows)))
    objective.history_of_picks = lambda past: np.zeros(len(past.picks))
    report, _ = report_of([objective], picked([0, 1], [np.inf, 10.0], 10.0), candidates=everything(4))
    assert report["radius"] == report["smallest_distance"] == 10.0
    assert "radius_bound" not in report


def test_without_vectors_the_report_has_what_applies():
    report, reasons = report_of([Static([1, 2, 3, 4])], picked([3, 2]), candidates=everything(4))
    assert reasons == ["WEIGHTS 100 %", "WEIGHTS 100 %"]
    assert report == {
        "selected": 2, "candidates": 4, "stopped": "n_samples",
        "objectives": [{"label": "WEIGHTS", "strength": 1.0, "share": 1.0, "standing": 1.0, "rank": 0.833333}],
    }  # fmt: skip


def test_classes_are_reported_against_their_target():
    shares = [[1, 0], [1, 0], [1, 0], [0, 1], [0, 1]]
    objective = Classes(shares, [2, 2], ["sun", "rain"])
    report, _ = report_of([objective], picked([0, 3, 1]), candidates=everything(5), preselected=[4])
    assert report["preselected"] == 1
    assert report["candidates"] == 4
    (classes,) = report["classes"]
    assert classes == {
        "label": "BALANCE weather", "classes": ["sun", "rain"], "target": [0.5, 0.5], "selected": [0.5, 0.5],
        "candidates": [0.75, 0.25], "error": 0.0,
    }  # fmt: skip
    assert report["comparison"]["balance"]["picks"] == 1.0


def test_classes_without_names_are_numbered():
    report, _ = report_of([Classes([[1, 0], [0, 1]], [0.5, 0.5])], picked([0]), candidates=everything(2))
    assert report["classes"][0]["classes"] == ["0", "1"]
    assert report["classes"][0]["error"] == 0.5


def test_a_selection_of_nothing_has_a_report():
    report, reasons = report_of([Apart(np.zeros((3, 2)))], picked([]), candidates=np.zeros(3, dtype=bool))
    assert reasons == []
    assert report["selected"] == 0
    assert report["candidates"] == 0
    assert report["objectives"] == [{"label": "DIVERSITY embedding", "strength": 1.0}]
    assert "curve" not in report


def test_one_pick_of_one_candidate_has_a_report():
    report, reasons = report_of([Apart([[1.0, 2.0]])], picked([0], [np.inf]), candidates=everything(1))
    assert reasons == ["first pick"]
    assert report["curve"]["coverage"] == [1.0]
    assert report["comparison"]["diversity"] == {"picks": None, "random": None}
    assert json.dumps(report, allow_nan=False)


def test_preselected_rows_cover_and_are_not_drawn_at_random(rng):
    vectors = rng.standard_normal((50, 3))
    preselected = list(range(20))
    whole = farthest_first(vectors, 6, preselected=preselected)
    rows, distances = whole.rows, whole.distances
    found = picked(rows[:5], distances[:5], distances[5])
    report, reasons = report_of([Apart(vectors)], found, candidates=everything(50),
                                preselected=preselected)  # fmt: skip
    assert report["candidates"] == 30
    assert set(reasons) == {"DIVERSITY 100 %"}
    alone, _ = report_of([Apart(vectors)], picked(rows[:5]), candidates=everything(50))
    assert report["curve"]["mean_distance"][0] < alone["curve"]["mean_distance"][0]


def test_the_report_is_the_same_each_time_and_another_for_another_seed(rng):
    vectors = rng.standard_normal((300, 4))
    given = ([Apart(vectors)], picked(rng.permutation(300)[:9]))
    one, again = (report_of(*given, candidates=everything(300), seed=1) for _ in range(2))
    other = report_of(*given, candidates=everything(300), seed=2)
    assert one == again
    assert other[0]["curve"]["random_coverage"] != one[0]["curve"]["random_coverage"]
