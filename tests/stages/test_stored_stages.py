"""Stages as values: equal, readable, and kept exactly when stored."""

import json

import pytest

from saccade.dataset.errors import ExpressionError, ViewError
from saccade.dataset.expressions import F
from saccade.dataset.stages import (
    Concat,
    Exclude,
    ExcludeBy,
    ExcludeFields,
    ExcludeLabels,
    Exists,
    FilterField,
    FilterLabels,
    GroupBy,
    Limit,
    LimitLabels,
    MapLabels,
    MapValues,
    Match,
    MatchLabels,
    MatchTags,
    Mongo,
    Select,
    SelectBy,
    SelectFields,
    SelectLabels,
    SetField,
    Shuffle,
    Skip,
    SortBy,
    SortBySimilarity,
    Stage,
    Take,
    ToPatches,
    stage_types,
)
from tests.stages.conftest import FIELDS, sample_id

IDS = [sample_id(number) for number in range(5)]
STAGES = {
    'match(F("n") > 0.5)': Match(F("n") > 0.5),
    'match_tags(["a", "b"], all=True)': MatchTags(["a", "b"], all=True),
    'exists("n", bool=False)': Exists("n", False),
    'sort_by("n", reverse=True)': SortBy("n", reverse=True),
    'sort_by([["n", -1], [F("tags").length(), 1]])': SortBy([("n", -1), (F("tags").length(), 1)]),
    'sort_by(F("n") + 1)': SortBy(F("n") + 1),
    "shuffle(seed=51)": Shuffle(seed=51),
    "take(10, seed=51)": Take(10, seed=51),
    "limit(10)": Limit(10),
    "skip(10)": Skip(10),
    f'select(["{IDS[0]}", "{IDS[1]}", "{IDS[2]}", … 5 in all], ordered=True)': Select(IDS, ordered=True),
    f'exclude(["{IDS[0]}"])': Exclude(IDS[0]),
    'select_fields(field_names=["n", "s"])': SelectFields(["n", "s"]),
    'exclude_fields(["n"])': ExcludeFields("n"),
    'filter_labels("found", F("confidence") > F("$n"), only_matches=False)': FilterLabels(
        "found", F("confidence") > F("$n"), only_matches=False
    ),
    'match_labels(tags=["good"], filter=F("confidence") > 0.9, fields=["found"], bool=False)': MatchLabels(
        tags="good", filter=F("confidence") > 0.9, fields="found", bool=False
    ),
    f'select_labels(labels=[["{IDS[0]}", "found", "{IDS[1]}"]], omit_empty=False)': SelectLabels(
        [{"sample_id": IDS[0], "field": "found", "label_id": IDS[1]}], omit_empty=False
    ),
    f'exclude_labels(ids=["{IDS[0]}"], fields=["found", "truth"])': ExcludeLabels(
        ids=IDS[0], fields=["found", "truth"]
    ),
    'limit_labels("found", 3)': LimitLabels("found", 3),
    'filter_field("n", F() > 0.5, only_matches=False)': FilterField("n", F() > 0.5, only_matches=False),
    'set_field("found.detections.mood", F("label").upper())': SetField("found.detections.mood", F("label").upper()),
    'set_field("n", 3.5)': SetField("n", 3.5),
    'map_labels("truth", {"cat": "lion", "dog": None})': MapLabels("truth", {"cat": "lion", "dog": None}),
    'map_values("n", {1: 2, None: 0.5, 3: 4, … 4 in all})': MapValues("n", {1: 2, None: 0.5, 3: 4, 5: 6}),
    'select_by("s", ["a", None], ordered=True)': SelectBy("s", ["a", None], ordered=True),
    'exclude_by("n", [3])': ExcludeBy("n", 3),
    'group_by("s", order_by="n", reverse=True, match_expr=F().length() > 1, sort_expr=F("n").max())': GroupBy(
        "s", order_by="n", reverse=True, match_expr=F().length() > 1, sort_expr=F("n").max()
    ),
    'group_by(["s", F("n") > 0])': GroupBy(["s", F("n") > 0]),
    'concat([match(F("n") > 1), limit(3)])': Concat([Match(F("n") > 1), Limit(3)]),
    "mongo([{'$match': {'n': 1}}, {'$limit': 2}])": Mongo([{"$match": {"n": 1}}, {"$limit": 2}]),
    'to_patches("found")': ToPatches("found"),
    'sort_by_similarity([0.5, -1.0], "v", metric="euclidean", k=3)': SortBySimilarity(
        [0.5, -1], "v", metric="euclidean", k=3
    ),
}


@pytest.mark.parametrize("text", STAGES)
def test_a_stage_reads_as_it_was_written(text):
    assert str(STAGES[text]) == text


@pytest.mark.parametrize("text", STAGES)
def test_a_stage_survives_being_stored(text, database):
    stage = STAGES[text]
    assert Stage.from_dict(json.loads(json.dumps(stage.to_dict()))) == stage
    database.views.insert_one({"stages": [stage.to_dict()]})
    (stored,) = database.views.find_one()["stages"]
    assert Stage.from_dict(stored) == stage
    assert Stage.from_dict(stored).to_mongo(FIELDS) == stage.to_mongo(FIELDS)


@pytest.mark.parametrize("text", STAGES)
def test_a_stage_cannot_be_changed(text):
    with pytest.raises(AttributeError):
        STAGES[text].name = "other"
    assert hash(STAGES[text]) == hash(STAGES[text])


def test_every_kind_of_stage_is_among_these():
    assert {stage.name for stage in STAGES.values()} == set(stage_types)


def test_what_a_newer_version_wrote_is_refused_by_name():
    with pytest.raises(ViewError, match=r"no stage 'mach'.*Did you mean 'match'"):
        Stage.from_dict({"stage": "mach"})
    with pytest.raises(ViewError, match="has no argument 'limits'"):
        Stage.from_dict({"stage": "limit", "limits": 3})
    with pytest.raises(ViewError, match="'limit' lacks"):
        Stage.from_dict({"stage": "limit"})
    with pytest.raises(ExpressionError, match="'nod'"):
        Stage.from_dict({"stage": "match", "filter": {"node": "nod"}})
    with pytest.raises(ViewError, match="no stage 'mach'"):
        Stage.from_dict({"stage": "concat", "samples": [{"stage": "mach"}]})
