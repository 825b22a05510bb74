"""Views of patches: rows that are labels, read and written where they lie in their samples."""

import numpy as np
import pytest

import saccade as sc
from saccade.brain import compute_leaky_splits, compute_uniqueness
from saccade.dataset.columns import read_vectors, write_scalars, write_vectors
from saccade.dataset.errors import (
    ConflictError,
    DatasetError,
    FieldKindError,
    FieldNotFoundError,
    SampleNotFoundError,
    SchemaError,
    ViewError,
)
from saccade.dataset.splitting import random_split

F = sc.F

BOXES = {
    "/0.png": [("cat", 0.9), ("dog", 0.2)],
    "/1.png": [("bus", 0.5), ("cat", 0.4), ("Straße 🚌", None)],
    "/2.png": [],
    "/3.png": None,
}
ROWS = [(path, label, confidence) for path, boxes in BOXES.items() for label, confidence in boxes or ()]
LABELS = [label for _, label, _ in ROWS]


def box(label: str, confidence: float | None = None) -> sc.Detection:
    return sc.Detection(label=label, confidence=confidence, bounding_box=[0.1, 0.2, 0.3, 0.4])


@pytest.fixture
def street(dataset) -> sc.Dataset:
    dataset.add_samples(
        sc.Sample(
            path, tags=["day"], n=float(number), metadata=sc.ImageMetadata(width=100 * (number + 1), height=50),
            gt=None if boxes is None else sc.Detections(detections=[box(*given) for given in boxes]),
            other=sc.Detections(detections=[box("far")]),
        )
        for number, (path, boxes) in enumerate(BOXES.items())
    )  # fmt: skip
    return dataset


@pytest.fixture
def patches(street):
    return street.to_patches("gt")


def labels_of(street: sc.Dataset) -> list[list[str]]:
    return [[label.label for label in sample.gt.detections] if sample.gt else [] for sample in street]


NESTED = [LABELS[:2], LABELS[2:], [], []]


# --- reading ---------------------------------------------------------------------------------------------------------


def test_rows_come_in_the_order_of_the_samples_then_of_their_labels(patches):
    assert list(zip(patches.values("filepath"), *patches.values(["gt.label", "gt.confidence"]), strict=True)) == ROWS
    assert [(p.filepath, p.gt.label, p.gt.confidence) for p in patches] == ROWS


def test_ids_are_those_of_the_labels_and_of_the_samples(street, patches):
    expected = [(label.id, sample.id) for sample in street if sample.gt for label in sample.gt.detections]
    assert list(zip(*patches.values(["id", "sample_id"]), strict=True)) == expected
    assert [(p.id, p.sample_id) for p in patches] == expected
    assert patches.values("gt.id") == patches.values("id")


@pytest.mark.parametrize("batch_size", [1, 2, 100])
def test_batches_of_any_size_give_the_same_rows(patches, batch_size):
    view = patches.sort_by("gt.label")
    assert [p.gt.label for p in view.iter_samples(batch_size=batch_size)] == sorted(LABELS)


def test_a_patch_has_the_file_and_metadata_of_its_sample_and_the_tags_of_its_label(street, patches):
    street.match_labels(filter=F("label") == "dog", fields="gt").filter_labels("gt", F("label") == "dog").tag_labels(
        "x", "gt"
    )
    dog = patches.match(F("gt.label") == "dog").first()
    assert (dog.filepath, dog.metadata.width, dog.tags, dog.gt.tags) == ("/0.png", 100, ["x"], ["x"])
    assert dog.field_names == ("id", "filepath", "tags", "metadata", "sample_id", "gt")
    with pytest.raises(AttributeError):
        _ = dog.n


def test_counting_and_looking_around(patches):
    assert (len(patches), patches.count(), patches.count("gt"), patches.count("gt.confidence")) == (5, 5, 5, 4)
    assert patches.first().gt.label == "cat"
    assert patches.last().gt.label == "Straße 🚌"
    assert [p.gt.label for p in patches.head(2)] == LABELS[:2]
    assert [p.gt.label for p in patches.tail(2)] == LABELS[-2:]
    assert patches[1:3].values("gt.label") == LABELS[1:3]
    assert patches[np.array([True, False, False, False, True])].values("gt.label") == [LABELS[0], LABELS[4]]
    assert patches[F("gt.label") == "bus"].count() == 1
    dog = patches.values("id")[1]
    assert dog in patches
    assert patches[dog].gt.label == "dog"
    assert patches.one(F("gt.label") == "dog").id == dog
    with pytest.raises(SampleNotFoundError):
        _ = patches[patches.values("sample_id")[0]]


def test_aggregations_see_single_labels(patches):
    known = [confidence for *_, confidence in ROWS if confidence is not None]
    assert patches.count_values("gt.label") == {"cat": 2, "dog": 1, "bus": 1, "Straße 🚌": 1}
    assert patches.bounds("gt.confidence") == (min(known), max(known))
    assert patches.mean("gt.confidence") == pytest.approx(sum(known) / 4)
    assert patches.distinct("gt.label") == sorted(set(LABELS))
    counts, _, other = patches.histogram_values("gt.confidence", bins=2, range=(0, 1))
    assert (counts, other) == ([2, 2], 0)
    assert len(patches.distinct("sample_id")) == 2
    areas = patches.values(F("gt.bounding_box")[2] * F("gt.bounding_box")[3] * F("metadata.width"))
    assert areas == pytest.approx([12, 12, 24, 24, 24])


def test_stages_before_decide_which_labels_become_rows(street):
    assert street.match(F("n") > 0).to_patches("gt").values("gt.label") == LABELS[2:]
    assert street.filter_labels("gt", F("label") == "cat").to_patches("gt").values("gt.label") == ["cat", "cat"]
    assert street.sort_by("n", reverse=True).to_patches("gt").values("gt.label") == LABELS[2:] + LABELS[:2]
    view = street.map_labels("gt", {"cat": "lion"}).to_patches("gt")
    assert view.values("gt.label") == [p.gt.label for p in view] == ["lion", "dog", "bus", "lion", "Straße 🚌"]


STAGES = {
    "match": (lambda p: p.match(F("gt.confidence") > 0.3), ["cat", "bus", "cat"]),
    "match unicode": (lambda p: p.match(F("gt.label") == "Straße 🚌"), ["Straße 🚌"]),
    "sort_by": (lambda p: p.sort_by("gt.confidence"), ["dog", "cat", "bus", "cat", "Straße 🚌"]),
    "limit and skip": (lambda p: p.skip(1).limit(2), ["dog", "bus"]),
    "select": (lambda p: p.select(p.values("id")[3::-3], ordered=True), ["cat", "cat"]),
    "select patches": (lambda p: p.select([p.first(), p.last()]), ["cat", "Straße 🚌"]),
    "select a view": (lambda p: p.select(p.skip(3)), ["cat", "Straße 🚌"]),
    "exclude": (lambda p: p.exclude(p.values("id")[:4]), ["Straße 🚌"]),
    "exists": (lambda p: p.exists("gt.confidence", False), ["Straße 🚌"]),
    "select_by": (lambda p: p.select_by("gt.label", ["dog", "bus"]), ["dog", "bus"]),
    "exclude_by": (lambda p: p.exclude_by("gt.label", ["dog", "cat"]), ["bus", "Straße 🚌"]),
    "select_by sample": (lambda p: p.select_by("sample_id", p.values("sample_id")[:1]), ["cat", "dog"]),
    "match sample": (lambda p: p.match(F("sample_id") == p.values("sample_id")[0]), ["cat", "dog"]),
    "match_labels": (lambda p: p.match_labels(filter=F("confidence") > 0.6), ["cat"]),
    "match_labels by ids": (lambda p: p.match_labels(ids=p.values("id")[2]), ["bus"]),
    "match_labels by labels": (
        lambda p: p.match_labels(labels=[{"sample_id": p.last().sample_id, "field": "gt", "label_id": p.last().id}]),
        ["Straße 🚌"],
    ),
    "filter_labels": (lambda p: p.filter_labels("gt", F("label") == "cat"), ["cat", "cat"]),
    "select_labels": (lambda p: p.select_labels(ids=p.values("id")[:2]), ["cat", "dog"]),
    "exclude_labels": (lambda p: p.exclude_labels(ids=p.values("id")[:2]), LABELS[2:]),
    "select_fields": (lambda p: p.select_fields("gt.label"), LABELS),
    "exclude_fields": (lambda p: p.exclude_fields("gt.confidence"), LABELS),
}


@pytest.mark.parametrize("name", STAGES)
def test_stages_after_work_on_rows(street, patches, name):
    make, expected = STAGES[name]
    view = make(patches)
    assert view.values("gt.label") == expected
    assert [p.gt.label for p in view] == expected
    assert len(view) == len(expected)
    again = street.view_from_dict(view.to_dict())
    assert again == view
    assert type(again) is type(view)
    assert again.values("gt.label") == expected


def test_random_stages_draw_among_rows(patches):
    assert sorted(patches.shuffle(seed=1).values("gt.label")) == sorted(LABELS)
    taken = patches.take(3, seed=1)
    assert len({*taken.values("id")} & {*patches.values("id")}) == 3
    assert [p.id for p in taken] == taken.values("id")


def test_single_labels_polylines_and_keypoints_make_patches(dataset):
    line, point = sc.Polyline(label="p", points=[[(0, 0), (1, 1)]]), sc.Keypoint(label="k", points=[(0, 0)])
    dataset.add_samples(
        [
            sc.Sample(
                "/0.png", one=box("a"), lines=sc.Polylines(polylines=[line]), points=sc.Keypoints(keypoints=[point])
            ),
            sc.Sample("/1.png"),
        ]
    )  # fmt: skip
    for field, label in (("one", "a"), ("lines", "p"), ("points", "k")):
        view = dataset.to_patches(field)
        assert [(p.id, p[field].label) for p in view] == [(view.values(f"{field}.id")[0], label)]
        view.first()[field].label = "not saved"
        view.set_values(f"{field}.label", [label * 2])
        patch = view.first()
        patch[field].label += "!"
        patch.save()
        assert view.values(f"{field}.label") == [f"{label}{label}!"]


def test_a_field_of_samples_called_sample_id_stays_theirs(street, patches):
    street.set_values("sample_id", ["d", "c", "b", "a"])
    assert street.sort_by("sample_id").values("n") == [3.0, 2.0, 1.0, 0.0]
    assert patches.first().sample_id == patches.values("sample_id")[0] == street.first().id
    assert street.match(F("sample_id") == "c").to_patches("gt").values("gt.label") == LABELS[2:]


def test_a_dataset_without_labels_has_no_patches(dataset):
    dataset.add_sample(sc.Sample("/0.png", gt=sc.Detections()))
    view = dataset.to_patches("gt")
    assert (len(view), list(view), view.values("gt.label"), view.count_values("gt.label")) == (0, [], [], {})
    assert not view
    with pytest.raises(DatasetError):
        view.first()
    view.set_values("gt.label", [])
    view.tag_labels("x")
    assert "Num patches: 0" in repr(view)


def test_the_repr_shows_patches(patches):
    text = repr(patches.limit(2))
    assert "Num patches: 2" in text
    assert "Patch fields:" in text
    assert '1. to_patches("gt")' in text
    assert "Num patches" in patches._repr_html_()
    assert repr(patches.first()).startswith("<PatchView: {\n    'id': ")


def test_views_of_patches_are_saved_and_loaded(street, patches):
    street.save_view("cats", patches.match(F("gt.label") == "cat"))
    loaded = street.load_saved_view("cats")
    assert (loaded.name, loaded.values("gt.label")) == ("cats", ["cat", "cat"])
    assert isinstance(loaded, type(patches))
    loaded.tag_labels("feline")
    assert street.count_label_tags() == {"feline": 2}


def test_completion_shows_what_works(patches):
    offered = dir(patches)
    assert {"match", "set_values", "tag_labels", "first"} <= set(offered)
    assert not {"clone", "keep", "to_patches", "group_by", "concat", "save"} & set(offered)


# --- writing ---------------------------------------------------------------------------------------------------------


def test_set_values_writes_to_the_labels_of_the_rows_alone(street, patches):
    other = street.values("other.detections.label")
    patches.match(F("gt.confidence") > 0.3).sort_by("gt.confidence").set_values("gt.mistakenness", [0.1, 0.2, 0.3])
    assert street.values("gt.detections.mistakenness") == [[0.3, None], [0.2, 0.1, None], [], None]
    assert street.values("other.detections.label") == other
    patches.match(F("gt.mistakenness") > 0.15).set_values("gt.label", {patches.values("id")[0]: "lion"})
    assert labels_of(street) == [["lion", "dog"], *NESTED[1:]]
    patches.set_values("gt.confidence", {"lion": 0.75, "dog": None}, key_field="gt.label")
    assert street.values("gt.detections.confidence") == [[0.75, None], [0.5, 0.4, None], [], None]
    patches.set_values("tags", [["a"], [], ["b", "c"], [], []])
    assert street.count_label_tags("gt") == {"a": 1, "b": 1, "c": 1}
    patches.set_values("gt.index", [1, None, None, None, 5], skip_none=True)
    assert street.values("gt.detections.index") == [[1, None], [None, None, 5], [], None]


REFUSED_VALUES = {
    "too few": (("gt.x", [1]), {}, SchemaError, "was given 1 values for the 5 patches"),
    "unknown key": (("gt.x", {"a" * 24: 1}), {}, SchemaError, "keys are the id of no sample"),
    "key_field without a dict": (("gt.x", [1] * 5), {"key_field": "gt.label"}, SchemaError, "needs a dict"),
    "a field of samples": (("n", [1] * 5), {}, ViewError, "set on the dataset"),
    "the label": (("gt", [None] * 5), {}, ViewError, "Set an attribute of theirs"),
    "another kind": (("gt.confidence", ["x"] * 5), {}, FieldKindError, "on label .* of sample"),
    "an id": (("gt.id", ["x"] * 5), {}, SchemaError, "says which label it is"),
    "a new attribute": (("gt.new", [1] * 5), {"dynamic": False}, FieldNotFoundError, "'new'"),
    "an attribute not to declare": (("gt.new", [1] * 5), {"expand_schema": False}, FieldNotFoundError, "'new'"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED_VALUES)
def test_values_that_cannot_be_written_are_refused_and_nothing_changes(street, patches, name):
    given, options, error, message = REFUSED_VALUES[name]
    before = street.to_dict()
    with pytest.raises(error, match=message):
        patches.set_values(*given, **options)
    assert street.to_dict() == before


def test_tags_of_patches_are_tags_of_labels(street, patches):
    few = patches.match(F("gt.confidence") < 0.45)
    few.tag_samples("unsure")
    assert street.count_label_tags() == few.count_sample_tags() == few.count_label_tags() == {"unsure": 2}
    assert street.count_sample_tags() == {"day": 4}
    assert patches.match_tags("unsure").values("gt.label") == ["dog", "cat"]
    assert patches.match_tags("unsure", bool=False).count() == 3
    patches.match_labels(tags="unsure").limit(1).untag_labels("unsure")
    assert patches.values("tags") == [[], [], [], ["unsure"], []]
    patches.untag_samples("unsure")
    assert street.count_label_tags() == {}


def test_labels_that_patches_show_are_deleted_and_moved(street, patches):
    street.delete_labels(view=patches.match(F("gt.label") == "cat"))
    assert labels_of(street) == [["dog"], ["bus", "Straße 🚌"], [], []]
    patches.delete_labels(ids=patches.values("id")[0])
    patches.split_labels("gt", "moved", filter=F("label") == "bus")
    assert labels_of(street) == [[], ["Straße 🚌"], [], []]
    assert street.to_patches("moved").values("moved.label") == ["bus"]
    assert street.count("other.detections") == 4


def test_saving_a_patch_writes_what_changed_of_its_label(street, patches):
    one, two = patches.head(2)
    one.gt.label = "lion"
    one.tags = ["seen"]
    two.gt.confidence = 0.25
    two.tags.append("twice")
    one.save()
    two.save()
    assert labels_of(street)[0] == ["lion", "dog"]
    assert street.values("gt.detections.tags")[0] == [["seen"], ["twice"]]
    assert street.values("gt.detections.confidence")[0] == [0.9, 0.25]
    one.gt.label = "tiger"
    one.save()
    assert patches.first().gt.label == "tiger"


def test_autosave_saves_patches_of_the_same_sample_in_one_batch(street, patches):
    for patch in patches.iter_samples(autosave=True):
        patch.gt.label = patch.gt.label.upper()
    assert labels_of(street) == [[label.upper() for label in labels] for labels in NESTED]
    with patches.save_context() as context:
        for patch in patches.sort_by("gt.label", reverse=True):
            patch.gt.index = len(patch.gt.label)
            context.save(patch)
    assert street.values("gt.detections.index") == [[3, 3], [3, 3, 9], [], None]


def test_a_patch_of_a_view_that_shows_other_values_saves_what_was_set(street):
    for patch in street.map_labels("gt", {"cat": "lion"}).to_patches("gt").select_fields("gt.label"):
        patch.gt.index = 3
        patch.save()
    assert labels_of(street) == NESTED
    assert street.values("gt.detections.confidence") == [[0.9, 0.2], [0.5, 0.4, None], [], None]
    assert street.values("gt.detections.index") == [[3, 3], [3, 3, 3], [], None]


def test_an_edit_of_other_labels_between_reading_and_saving_is_kept(street, patches):
    patch = patches.first()
    sample = street.first()
    sample.gt.detections = [box("new"), *sample.gt.detections]
    sample.gt.detections[2].label = "wolf"
    sample.save()
    patch.gt.label = "lion"
    patch.save()
    assert labels_of(street)[0] == ["new", "lion", "wolf"]


def test_a_label_that_was_deleted_meanwhile_is_a_conflict_and_stays_deleted(street, patches):
    patch = patches.first()
    patches.limit(1).delete_labels(ids=patch.id)
    patch.gt.label = "lion"
    with pytest.raises(ConflictError):
        patch.save()
    assert labels_of(street)[0] == ["dog"]
    with pytest.raises(SampleNotFoundError):
        patch.reload()


def test_labels_deleted_during_a_loop_are_passed_over(street, patches):
    seen = []
    for patch in patches.iter_samples(batch_size=1):
        seen.append(patch.gt.label)
        if len(seen) == 1:
            street.delete_samples(street.values("id")[1])
    assert seen == LABELS[:2]


def test_labels_in_lists_of_a_class_of_the_users_own_are_saved(dataset):
    class Boxes(sc.Detections):
        """Extends the class."""

    class Box(sc.Detection):
        """Extends the class."""

    box = Box(label="cat", bounding_box=[0, 0, 1, 1])
    dataset.add_samples([sc.Sample("/0.png", gt=sc.Detections()), sc.Sample("/1.png", gt=Boxes(detections=[box]))])
    patch = dataset.to_patches("gt").first()
    patch.gt.label = "lion"
    patch.save()
    stored = dataset.last().gt
    assert (type(stored), type(stored.detections[0]), stored.detections[0].label) == (Boxes, Box, "lion")


def test_a_label_with_the_same_id_can_take_the_place_of_the_one_in_hand(street, patches):
    patch, again = patches.first(), patches.first()
    again.gt.label = "lion"
    patch.gt = again.gt
    patch.save()
    assert labels_of(street)[0] == ["lion", "dog"]


def test_attributes_of_every_kind_can_be_set(street, patches):
    patches.set_values("gt.bounding_box", np.tile([0.5, 0.5, 0.25, 0.25], (5, 1)))
    assert street.values("gt.detections.bounding_box")[0] == [[0.5, 0.5, 0.25, 0.25]] * 2
    patches.set_values("gt.mask", [np.ones((2, 3), dtype=bool), None, None, None, None])
    assert patches.first().gt.mask.shape == (2, 3)
    patches.set_values("gt.embedding", np.ones((5, 2), np.float32))
    patches.set_values("gt.embedding", [None] * 5)
    assert read_vectors(patches, "gt.embedding")[0] == []


def test_reload_drops_what_was_not_saved(street, patches):
    patch = patches.first()
    patch.gt.label = "lion"
    street.set_values("gt.detections.confidence", {street.first().id: [0.1, 0.1]})
    patch.reload()
    assert (patch.gt.label, patch.gt.confidence) == ("cat", 0.1)


def test_a_patch_refuses_what_belongs_to_its_sample(street, patches):
    before = street.to_dict()
    patch = patches.first()
    for name, value in (("filepath", "/x.png"), ("n", 3.0), ("metadata", None), ("sample_id", "a" * 24)):
        with pytest.raises(ViewError, match="Change the label"):
            patch[name] = value
    with pytest.raises(ViewError, match="is another"):
        patch.gt = box("new")
    with pytest.raises(ViewError, match="is another"):
        patch.gt = None
    patch.metadata.width = 7
    with pytest.raises(ViewError, match="'metadata' of a patch cannot be set"):
        patch.save()
    with pytest.raises(ViewError, match="cannot be made"):
        type(patch)("/x.png")
    assert street.to_dict() == before


def test_a_copy_of_a_patch_is_a_sample_of_its_own(dataset, patches):
    made = patches.first().copy()
    assert (made.gt.label, made.filepath, made.id, type(made)) == ("cat", "/0.png", None, sc.Sample)


# --- what is refused -------------------------------------------------------------------------------------------------

REFUSED = {
    "to_patches": lambda p: p.to_patches("gt"),
    "group_by": lambda p: p.group_by("gt.label"),
    "set_field": lambda p: p.set_field("gt.label", "x"),
    "filter_field": lambda p: p.filter_field("gt.label", F() == "cat"),
    "map_labels": lambda p: p.map_labels("gt", {"cat": "lion"}),
    "map_values": lambda p: p.map_values("gt.label", {"cat": "lion"}),
    "limit_labels": lambda p: p.limit_labels("gt", 1),
    "concat": lambda p: p.concat(p),
    "concat to samples": lambda p: p._root.concat(p),
    "mongo": lambda p: p.mongo([{"$limit": 1}]),
    "filter_labels that empties": lambda p: p.filter_labels("gt", F("label") == "cat", only_matches=False),
    "select_labels that empties": lambda p: p.select_labels(tags="x", omit_empty=False),
    "clone": lambda p: p.clone("other"),
    "keep": lambda p: p.keep(),
    "keep_fields": lambda p: p.keep_fields(),
    "save": lambda p: p.save(),
    "select samples": lambda p: p.select(p._root),
    "select by patches": lambda p: p._root.select(p),
    "exclude by a patch": lambda p: p._root.exclude(p.first()),
    "add_samples": lambda p: p._root.add_samples(p),
    "add a patch": lambda p: p._root.add_sample(p.first()),
    "delete_samples": lambda p: p._root.delete_samples(p),
    "delete a patch": lambda p: p._root.delete_samples(p.first()),
    "merge_samples": lambda p: p._root.merge_samples(p),
    "add_collection": lambda p: p._root.add_collection(p),
    "random_split": lambda p: random_split(p, {"train": 1.0}),
    "write_scalars": lambda p: write_scalars(p, {"u": [1.0] * 5}, p.values("id")),
    "write_vectors": lambda p: write_vectors(p, "v", p.values("id"), np.ones((5, 2))),
    "a split": lambda p: compute_leaky_splits(p._root, {"a": p, "b": p._root}, embeddings=np.eye(4)),
    "a score": lambda p: compute_uniqueness(p, embeddings=np.eye(5)),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_meaning_for_patches_is_refused_and_nothing_changes(street, patches, name):
    before = street.to_dict()
    with pytest.raises(ViewError, match="patch"):
        REFUSED[name](patches)
    assert street.to_dict() == before
    assert sc.list_datasets() == ["street"]
    assert [key for key in street.list_runs() if street.get_run_info(key).state != "failed"] == []


def test_there_is_no_way_to_add_to_patches(patches):
    assert not hasattr(patches, "add_samples")
    assert not hasattr(patches, "delete_samples")


# --- vectors ---------------------------------------------------------------------------------------------------------


def test_vectors_of_labels_are_written_and_read_in_the_order_of_the_rows(street, patches):
    rows = np.arange(15, dtype=np.float32).reshape(5, 3)
    patches.set_values("gt.embedding", rows)
    ids, matrix = read_vectors(patches, "gt.embedding")
    assert ids == patches.values("id")
    np.testing.assert_array_equal(matrix, rows)
    ids, matrix = read_vectors(patches.sort_by("gt.confidence", reverse=True), "gt.embedding")
    np.testing.assert_array_equal(matrix, rows[[0, 2, 3, 1, 4]])
    np.testing.assert_array_equal(street.first().gt.detections[1].embedding, rows[1])
    np.testing.assert_array_equal(patches[3:4].first().gt.embedding, rows[3])


def test_labels_without_a_vector_are_left_out_and_none_among_the_values(street, patches):
    patches.match(F("gt.confidence") > 0.3).set_values("gt.embedding", np.eye(3, dtype=np.float32))
    ids, matrix = read_vectors(patches, "gt.embedding")
    assert ids == patches.exists("gt.embedding").values("id")
    np.testing.assert_array_equal(matrix, np.eye(3))
    values = patches.values("gt.embedding")
    assert [value is None for value in values] == [False, True, False, False, True]
    np.testing.assert_array_equal(values[2], [0, 1, 0])
    patches.set_values("gt.embedding", [None, np.ones(3), np.zeros(3), None, None], skip_none=True)
    np.testing.assert_array_equal(
        read_vectors(patches, "gt.embedding")[1], [[1, 0, 0], [1, 1, 1], [0, 0, 0], [0, 0, 1]]
    )
    with pytest.raises(FieldKindError, match="holds vectors of 3 numbers; these have 5"):
        patches.set_values("gt.embedding", np.ones((5, 5)))


def test_a_patch_saves_a_new_vector_of_its_label(street, patches):
    patches.set_values("gt.embedding", np.eye(5, dtype=np.float32))
    patch = patches.last()
    patch.gt.embedding = np.full(5, 2, np.float32)
    patch.save()
    expected = np.eye(5)
    expected[4] = 2
    np.testing.assert_array_equal(read_vectors(patches, "gt.embedding")[1], expected)
    with pytest.raises(FieldKindError, match=r"not a vector field of patches\. Vector fields: gt.embedding"):
        read_vectors(patches, "gt.label")


# --- labels with the same id -----------------------------------------------------------------------------------------


def test_labels_of_different_samples_with_the_same_id_each_have_their_row(street):
    street.add_samples(sc.Sample(f"/copy{sample.filepath}", gt=sample.gt) for sample in list(street.limit(2)))
    patches = street.to_patches("gt")
    ids = patches.values("id")
    assert (len(ids), len(set(ids))) == (10, 5)
    assert [p.filepath for p in patches] == patches.values("filepath")
    view = patches.match(F("filepath").starts_with("/copy"))
    view.set_values("gt.label", [f"copy of {label}" for label in LABELS])
    assert patches.values("gt.label") == [p.gt.label for p in patches] == LABELS + [f"copy of {one}" for one in LABELS]
    view.tag_labels("copied")
    assert street.count_label_tags() == {"copied": 5}
    assert [p.sample_id for p in patches.select(ids[:1])] == [street.first().id, view.first().sample_id]
    patches.set_values("gt.embedding", np.arange(10, dtype=np.float32).reshape(10, 1))
    assert [float(v[0]) for v in patches.sort_by("gt.label").values("gt.embedding")] == [
        float(row) for row in np.argsort(patches.values("gt.label"), kind="stable")
    ]
    with pytest.raises(ViewError, match="comes twice"):
        _ = patches[[True] * 3 + [False] * 7]
    patch = view.first()
    patch.gt.label = "lion"
    patch.save()
    assert [p.gt.label for p in patches if p.id == ids[0]] == ["cat", "lion"]


def test_labels_of_one_sample_with_the_same_id_are_shown_but_not_written_by_value(street, patches, database):
    stored = database[f"samples.{street._id}"]
    stored.delete_many({"filepath": {"$ne": "/0.png"}})
    stored.update_one({}, {"$set": {"gt.detections.1._id": stored.find_one()["gt"]["detections"][0]["_id"]}})
    assert patches.values("gt.label") == [p.gt.label for p in patches] == ["cat", "dog"]
    assert [p.gt.label for p in patches.match(F("gt.label") == "dog")] == ["dog"]
    with pytest.raises(SchemaError, match="comes twice"):
        patches.set_values("gt.label", ["a", "b"])


def test_a_sample_that_comes_twice_gives_its_patches_twice(street):
    patches = street.limit(1).concat(street.limit(2)).to_patches("gt")
    assert patches.values("gt.label") == [p.gt.label for p in patches] == LABELS[:2] + LABELS
    with pytest.raises(SchemaError, match="comes twice"):
        patches.set_values("gt.label", ["x"] * 7)
    patches.tag_labels("x")
    assert street.count_label_tags("gt") == {"x": 5}
