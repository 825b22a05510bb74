"""Samples read through views that show other values than are stored: what they show, and what they save."""

import numpy as np
import pytest

import saccade as sc
from saccade.dataset.columns import read_vectors, write_scalars
from saccade.dataset.errors import ConflictError, DatasetError, FieldNotFoundError, SchemaError, ViewError

F = sc.F


def boxes(*labels: str) -> sc.Detections:
    return sc.Detections(
        detections=[
            sc.Detection(label=label, bounding_box=[0, 0, 0.5, 0.5], confidence=n / 10, tags=["t"] if n else [])
            for n, label in enumerate(labels)
        ]
    )


@pytest.fixture
def street(database) -> sc.Dataset:
    """Three samples; the last has neither labels nor a number."""
    dataset = sc.Dataset("street")
    dataset.add_samples(
        [
            sc.Sample(
                "/0.png", tags=["a"], n=1.5, s="b", words=["x", "y"], facts={"k": 1}, vec=np.ones(3, np.float32),
                gt=sc.Classification(label="cat", confidence=0.5, logits=np.array([0.5, 1.0])),
                pred=boxes("car", "bus"),
            ),
            sc.Sample("/1.png", tags=["a", "b"], n=-1.0, s="a", gt=sc.Classification(label="dog"), pred=boxes("bus")),
            sc.Sample("/2.png"),
        ]
    )  # fmt: skip
    return dataset


@pytest.fixture
def stored(street, database):
    """The stored documents."""
    return lambda: list(database[f"samples.{street._id}"].find().sort("_id", 1))


CHANGING = {
    "set_field": lambda d: d.set_field("n", F("n") * 2).set_field("s", "z").set_field("words", F("words").append("z")),
    "set_field to none": lambda d: d.set_field("n", None).set_field("gt.label", None).set_field("tags", None),
    "set_field in labels": lambda d: d.set_field("pred.detections.mood", 1).set_field("pred.detections.confidence", 9),
    "set_field of nan": lambda d: d.set_field("n", float("nan")).set_field("gt.confidence", float("nan")),
    "set_field of empty tags": lambda d: d.set_field("pred.detections.tags", []).set_field("gt.tags", []),
    "set_field of unknown kind": lambda d: d.set_field("n", F("facts.k")),
    "map_labels": lambda d: d.map_labels("pred", {"bus": "lorry"}).map_labels("gt", {"cat": "lion", "dog": None}),
    "map_values": lambda d: d.map_values("tags", {"a": "A"}).map_values("pred.detections.tags", {"t": "T"}),
    "filter_field": lambda d: d.filter_field("n", F() > 0, False).filter_field("gt.label", F() == "cat", False),
    "filter_field of labels": lambda d: d.filter_field("gt", F("label") == "cat", False).filter_field(
        "pred", F("detections").length() > 1, False
    ),
    "filter_labels": lambda d: d.filter_labels("pred", F("label") == "car", False),
    "limit_labels": lambda d: d.limit_labels("pred", 1),
    "select_labels": lambda d: d.select_labels(tags="t", omit_empty=False),
    "exclude_labels": lambda d: d.exclude_labels(tags="t", omit_empty=False),
    "select_fields": lambda d: d.select_fields(["pred.detections.label", "n"]),
    "mongo": lambda d: d.mongo([{"$set": {"n": 7, "gt.label": None, "gt.tags": [], "s": "$_id", "words": ["only"]}}]),
    "mongo of several": lambda d: d.mongo([
        {"$group": {"_id": "$_id", "one": {"$first": "$$ROOT"}}},
        {"$replaceRoot": {"newRoot": "$one"}},
        {"$set": {"n": 7, "s": "z"}},
    ]),
    "concat": lambda d: d.set_field("n", 5).concat(d.map_labels("gt", {"cat": "lion"})),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGING)
def test_reading_and_saving_writes_nothing_that_only_the_view_shows(street, stored, name):
    before = repr(stored())
    view = CHANGING[name](street)
    assert len(list(view)) >= 3
    for sample in view:
        sample.to_dict()
        sample.save()
    for sample in view.iter_samples(autosave=True, batch_size=2):
        sample.to_dict()
    assert repr(stored()) == before


@pytest.mark.parametrize("name", CHANGING)
def test_a_change_is_saved_without_what_only_the_view_shows(street, stored, name):
    before = stored()
    view = CHANGING[name](street)
    sample = view.first()
    sample.to_dict()
    sample.n = 42.5
    sample.save()
    before[0]["n"] = 42.5
    assert repr(stored()) == repr(before)


@pytest.mark.parametrize("name", [name for name in CHANGING if name not in {"limit_labels", "select_fields"}])
def test_an_attribute_of_a_label_is_saved_alone(street, stored, name):
    before = stored()
    sample = CHANGING[name](street).first()
    sample.to_dict()
    if sample.gt is None:
        return
    sample.gt.index = 3
    sample.save()
    before[0]["gt"]["index"] = 3
    assert repr(stored()) == repr(before)


def test_what_the_user_sets_is_saved(street):
    view = street.set_field("n", F("n") * 2).map_labels("pred", {"bus": "lorry"}).map_labels("gt", {"cat": "lion"})
    sample = view.first()
    assert (sample.n, sample.gt.label) == (3.0, "lion")
    assert [label.label for label in sample.pred.detections] == ["car", "lorry"]
    sample.n = sample.n + 1
    sample.gt.label = "tiger"
    sample.pred.detections[1].label = "tram"
    sample.pred.detections[1].tags.append("seen")
    sample.tags.append("c")
    sample.save()
    again = street.first()
    assert (again.n, again.gt.label, again.gt.confidence, again.tags) == (4.0, "tiger", 0.5, ["a", "c"])
    assert [(label.label, label.tags) for label in again.pred.detections] == [("car", []), ("tram", ["t", "seen"])]
    assert np.array_equal(again.gt.logits, [0.5, 1.0])


def test_a_tag_of_a_label_is_added_beside_those_that_the_view_renames(street):
    sample = street.map_values("pred.detections.tags", {"t": "T"}).first()
    assert sample.pred.detections[1].tags == ["T"]
    sample.pred.detections[1].tags.append("new")
    sample.save()
    assert street.values("pred.detections.tags")[0] == [None, ["t", "new"]]


PARTIAL = {
    "set_field": lambda d: d.set_field("pred.detections.confidence", 0.5),
    "set_field of the list": lambda d: d.set_field("pred.detections", F("detections").sort("confidence", reverse=True)),
    "map_labels": lambda d: d.map_labels("pred", {"bus": "lorry"}),
    "map_values": lambda d: d.map_values("pred.detections.tags", {"t": "T"}),
    "filter_field": lambda d: d.filter_field("pred", F("detections").length() > 9, False),
    "limit_labels": lambda d: d.limit_labels("pred", 1),
    "select_labels": lambda d: d.select_labels(tags="t"),
    "select_labels of another field": lambda d: d.select_labels(fields="gt"),
    "exclude_labels": lambda d: d.exclude_labels(tags="t"),
    "select_fields": lambda d: d.select_fields("pred.detections.label"),
    "exclude_fields": lambda d: d.exclude_fields("pred.detections.bounding_box"),
    "mongo": lambda d: d.mongo([{"$set": {"pred.x": 1}}]),
    "concat": lambda d: d.concat(d.limit_labels("pred", 1)),
}


@pytest.mark.parametrize("name", PARTIAL)
def test_labels_that_are_shown_in_part_or_changed_cannot_be_added_or_removed(street, stored, name):
    before = repr(stored())
    view = PARTIAL[name](street)
    for change in (
        lambda sample: sample.pred.detections.append(sc.Detection(label="tram")),
        lambda sample: sample.set_field("pred", boxes("tram")),
        lambda sample: sample.pred.detections.clear(),
    ):
        sample = view.first()
        if sample.pred is None:
            sample.pred = boxes("tram")
        else:
            change(sample)
        with pytest.raises(DatasetError, match=r"'pred.*' shows only part of its labels in this view.*Do it on"):
            sample.save()
    assert repr(stored()) == before


def test_other_lists_that_the_view_changes_cannot_be_saved(street, stored):
    before = repr(stored())
    for view, change in (
        (street.map_values("words", {"x": "X"}), lambda sample: sample.words.append("z")),
        (street.set_field("words", F("words").reverse()), lambda sample: sample.set_field("words", ["z"])),
        (street.filter_field("tags", F().length() > 5, False), lambda sample: sample.tags.append("c")),
        (
            street.set_field("pred.detections.bounding_box", [0.0, 0.0, 1.0, 1.0]),
            lambda sample: sample.pred.detections[0].bounding_box.reverse(),
        ),
    ):
        sample = view.first()
        change(sample)
        with pytest.raises(DatasetError, match="or other values than are stored"):
            sample.save()
    assert repr(stored()) == before


def test_a_label_that_is_hidden_cannot_be_replaced(street, stored):
    before = repr(stored())
    for view in (
        street.filter_field("gt", F("label") == "dog", only_matches=False),
        street.select_labels(fields="pred"),
        street.exclude_labels(ids=street.first().gt.id),
        street.mongo([{"$unset": "gt"}]),
    ):
        sample = view.first()
        assert sample.gt is None
        sample.gt = sc.Classification(label="mouse")
        with pytest.raises(DatasetError, match="shows only part"):
            sample.save()
    assert repr(stored()) == before


def test_vectors_are_read_and_kept_through_views(street, stored):
    before = repr(stored())
    view = street.map_labels("gt", {"cat": "lion"}).set_field("n", 3)
    sample = view.first()
    assert sample.vec.tolist() == [1, 1, 1]
    sample.save()
    assert repr(stored()) == before
    sample.vec = np.zeros(3, np.float32)
    sample.save()
    assert street.first().vec.tolist() == [0, 0, 0]
    assert street.first().gt.label == "cat"


def test_two_writers_of_a_view_still_see_each_other(street):
    mine, theirs = (street.set_field("n", 3).first() for _ in range(2))
    mine.words.append("mine")
    theirs.words.append("theirs")
    mine.save()
    with pytest.raises(ConflictError):
        theirs.save()


# --- views ----------------------------------------------------------------------------------------------------------


def test_aggregations_see_what_a_view_shows(street):
    assert street.set_field("n", F("n") * 2).values("n") == [3.0, -2.0, None]
    assert street.map_labels("pred", {"bus": "lorry"}).count_values("pred.detections.label") == {"car": 1, "lorry": 2}
    assert street.filter_field("n", F() > 0).bounds("n") == (1.5, 1.5)
    assert street.limit_labels("pred", 1).count("pred.detections") == 2
    counted = street.set_field("pred.count", F("$pred.detections").length())
    assert counted.values("pred.count") == [2, 1, None]
    assert counted.first().pred["count"] == 2
    assert "pred.count" in counted.get_field_schema(flat=True)
    assert "pred.count" not in street.get_field_schema(flat=True)


def test_a_view_of_two_parts_gives_each_sample_as_its_part_shows_it(street):
    view = street.set_field("n", 5).limit(2).concat(street.map_labels("gt", {"cat": "lion"}).limit(1))
    shown = [(sample.filename, sample.n, sample.gt.label) for sample in view]
    assert shown == [("0.png", 5, "cat"), ("1.png", 5, "dog"), ("0.png", 1.5, "lion")]
    assert len(view) == 3
    assert view.values("gt.label") == ["cat", "dog", "lion"]
    assert [sample.filename for sample in view.iter_samples(batch_size=1)] == ["0.png", "1.png", "0.png"]
    assert view.last().gt.label == "lion"
    assert view[1:].first().gt.label == "dog"


def test_a_sample_that_comes_twice_is_read_twice(street):
    view = street.limit(2).concat(street.skip(1))
    assert [sample.filename for sample in view] == ["0.png", "1.png", "1.png", "2.png"]
    assert [sample.filename for sample in view.iter_samples(batch_size=1)] == ["0.png", "1.png", "1.png", "2.png"]
    assert view.select_fields("n").values("n") == [1.5, -1.0, -1.0, None]


def test_a_sample_that_comes_twice_is_written_once(street):
    view = street.limit(2).concat(street.skip(1))
    first, second, third = street.values("id")
    with pytest.raises(SchemaError, match=f"sample {second} comes twice in this view"):
        view.set_values("n", [1.0, 2.0, 3.0, 4.0])
    view.set_values("n", {first: 1.0, second: 2.0, third: 3.0})
    assert street.values("n") == [1.0, 2.0, 3.0]
    view.tag_samples("seen")
    assert street.count_sample_tags()["seen"] == 3
    view.untag_samples("seen")
    assert "seen" not in street.count_sample_tags()
    with pytest.raises(SchemaError, match="samples come twice"):
        write_scalars(view, {"n": [1.0, 2.0, 3.0, 4.0]}, view.values("id"))
    ids, matrix = read_vectors(street.limit(1).concat(street), "vec")
    assert ids == [first, first]
    assert matrix.tolist() == [[1, 1, 1]] * 2
    street.delete_samples(view)
    assert len(street) == 0


def test_only_views_of_the_same_dataset_can_be_concatenated(street):
    assert len(street.concat(sc.load_dataset("street"))) == 6
    other = sc.Dataset("other")
    with pytest.raises(ViewError, match="samples of dataset 'other', and this is this view of dataset 'street'"):
        street.limit(1).concat(other)
    for wrong in (street.first(), ["a"], None):
        with pytest.raises(ViewError, match="Give this dataset or a view of it"):
            street.concat(wrong)


def test_raw_steps_that_look_at_several_samples_are_read_through_the_whole_pipeline(street):
    newest = street.mongo([
        {"$sort": {"n": -1}},
        {"$group": {"_id": {"$size": "$tags"}, "one": {"$first": "$$ROOT"}}},
        {"$replaceRoot": {"newRoot": "$one"}},
        {"$sort": {"n": -1}},
        {"$set": {"s": "first"}},
    ])  # fmt: skip
    assert [sample.filename for sample in newest] == ["0.png", "1.png", "2.png"]
    assert [(sample.filename, sample.s) for sample in newest.limit(1)] == [("0.png", "first")]


def test_raw_steps_that_give_no_samples_are_an_error_that_says_so(street):
    view = street.mongo([{"$group": {"_id": "$s"}}])
    with pytest.raises(ViewError, match=r"mongo\(\) in this view gives .* as a sample's '_id'"):
        list(view)
    with pytest.raises(ViewError, match=r"gives .* as a sample's '_id'"):
        view.set_values("n", [1, 2, 3])


def test_grouped_samples_are_read_in_their_order(street):
    view = street.group_by("gt.label", sort_expr=F("n").max(), reverse=True)
    assert [sample.filename for sample in view] == ["0.png", "1.png", "2.png"]
    assert [sample.filename for sample in street.group_by("s")] == ["1.png", "0.png", "2.png"]
    with pytest.raises(ViewError, match="flat=False"):
        street.group_by("s", flat=False)


def test_views_survive_being_stored(street):
    view = (
        street.match_labels(tags="t").map_values("s", {"a": "b"}).concat(street.select_by("s", ["b"]))
        .set_field("pred.detections.mood", "good").exclude_labels(tags="t", omit_empty=False)
    )  # fmt: skip
    again = street.view_from_dict(view.to_dict())
    assert again == view
    assert [sample.to_dict() for sample in again] == [sample.to_dict() for sample in view]


def test_every_stage_is_a_method_and_checked_at_the_call(street):
    assert all(callable(getattr(street, name)) for name in street.list_view_stages())
    for call in (
        lambda: street.set_field("nope", 1),
        lambda: street.map_values("nope", {}),
        lambda: street.filter_field("nope", F() > 1),
        lambda: street.map_labels("nope", {}),
        lambda: street.limit_labels("nope", 1),
        lambda: street.match_labels(fields="nope", tags="a"),
        lambda: street.select_by("nope", 1),
        lambda: street.group_by("nope"),
        lambda: street.exclude_fields("n").concat(street).match(F("n") > 1),
    ):
        with pytest.raises(FieldNotFoundError, match="no field"):
            call()


def test_a_copy_of_a_sample_has_what_the_view_shows(street):
    copy = street.map_labels("gt", {"cat": "lion"}).first().copy()
    assert copy.gt.label == "lion"
    other = sc.Dataset("other")
    other.add_samples(street.set_field("n", 3).limit(1))
    assert other.first().n == 3
