"""select_fields and exclude_fields."""

import pytest

from saccade.dataset.errors import FieldNotFoundError, ViewError
from saccade.dataset.expressions import F
from saccade.dataset.stages import ExcludeFields, Match, SelectFields
from tests.stages.conftest import FIELDS

GIVEN = ["_id", "filepath", "metadata", "tags"]


def test_select_fields_keeps_the_named_and_those_that_every_sample_has(run):
    assert sorted(run(SelectFields("n"))[0]) == sorted([*GIVEN, "n"])
    assert sorted(run(SelectFields())[0]) == GIVEN
    assert sorted(run(SelectFields(["truth", "tags", "id"]))[0]) == sorted([*GIVEN, "truth"])


def test_select_fields_keeps_single_attributes_of_labels(run):
    first = run(SelectFields("found.detections.label"))[0]
    assert sorted(first) == sorted([*GIVEN, "found"])
    assert sorted(first["found"]["detections"][0]) == ["_cls", "_id", "label", "tags"]
    whole = run(SelectFields(["found.detections.label", "found"]))[0]
    assert "bounding_box" in whole["found"]["detections"][0]


def test_exclude_fields_hides_the_named(run):
    first = run(ExcludeFields(["truth", "n"]))[0]
    assert not {"truth", "n"} & set(first)
    assert {"found", "s", *GIVEN} <= set(first)
    assert "bounding_box" not in run(ExcludeFields("found.detections.bounding_box"))[0]["found"]["detections"][0]
    assert repr(run(ExcludeFields([]))) == repr(run())


def test_a_later_stage_does_not_see_hidden_fields(run):
    with pytest.raises(FieldNotFoundError, match="no field 'n'"):
        run(ExcludeFields("n"), Match(F("n") > 1))
    with pytest.raises(FieldNotFoundError, match="no field 's'"):
        run(SelectFields("n"), Match(F("s") == "a"))
    assert len(run(SelectFields("n"), Match(F("n") > 1))) == 1
    assert list(SelectFields(["n", "found.detections.label"]).schema_after(FIELDS)) == [
        "id",
        "filepath",
        "tags",
        "metadata",
        "n",
        "found",
    ]


def test_fields_that_every_sample_has_cannot_be_hidden():
    for name in ("id", "filepath", "tags", "metadata"):
        with pytest.raises(ViewError, match="always shown"):
            ExcludeFields(["n", name])
    with pytest.raises(ViewError, match="always shown"):
        ExcludeFields("found.detections.id").validate(FIELDS)


def test_unknown_fields_are_named():
    for stage in (SelectFields("nope"), ExcludeFields("nope")):
        with pytest.raises(FieldNotFoundError, match="no field 'nope'"):
            stage.validate(FIELDS)
    with pytest.raises(ViewError, match="3 is not the name of a field"):
        SelectFields(3)
