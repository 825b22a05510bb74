"""Merging and adding collections: by any key, list by list, label by label, vectors included; all or nothing."""

import numpy as np
import pytest

import saccade as sc
from saccade.dataset import runs
from saccade.dataset.columns import read_vectors, write_vectors
from saccade.dataset.errors import DatasetError, FieldKindError, FieldNotFoundError, ModelError, SchemaError

F = sc.F


def box(label: str, **attributes) -> sc.Detection:
    return sc.Detection(label=label, bounding_box=[0, 0, 1, 1], **attributes)


@pytest.fixture
def filled(dataset) -> sc.Dataset:
    dataset.add_samples(
        sc.Sample(
            f"/{n}.png", n=n, key=f"k{n}", tags=["old"], gt=sc.Classification(label="cat", mood="calm"),
            boxes=sc.Detections(detections=[box("cat"), box("dog")]),
        )
        for n in range(3)
    )  # fmt: skip
    return dataset


@pytest.fixture
def other(database) -> sc.Dataset:
    other = sc.Dataset("other")
    other.add_samples(
        sc.Sample(f"/{n}.png", n=n * 10, key=f"k{n}", tags=["new"], extra=f"x{n}", vec=np.full(3, n, np.float32))
        for n in range(1, 5)
    )
    return other


def contents(dataset) -> list[dict]:
    return [{"id": sample.id, **sample.to_dict()} for sample in dataset]


# --- which samples ---------------------------------------------------------------------------------------------------


def test_samples_with_the_same_filepath_are_merged_and_the_others_added(filled, other):
    filled.merge_samples(other)
    assert filled.values(["filepath", "n", "extra"]) == [
        ["/0.png", "/1.png", "/2.png", "/3.png", "/4.png"],
        [0, 10, 20, 30, 40],
        [None, "x1", "x2", "x3", "x4"],
    ]
    assert filled.values("tags") == [["old"], ["old", "new"], ["old", "new"], ["new"], ["new"]]
    assert filled.count("boxes.detections") == 6
    assert len(other) == 4


def test_all_changes_of_a_merge_are_one_action(filled, other, database):
    before = database["actions"].count_documents({"verb": "merge_samples", "fields": {"$ne": []}})
    filled.merge_samples(other)
    assert database["actions"].count_documents({"verb": "merge_samples", "fields": {"$ne": []}}) == before + 1


def test_samples_are_merged_from_lists_generators_and_dicts(filled):
    new = sc.Sample("/9.png", n=9)
    filled.merge_samples([sc.Sample("/0.png", n=5), new])
    assert new.in_dataset
    assert new.dataset == filled
    filled.merge_samples(sc.Sample(f"/{n}.png", n=n + 50) for n in range(2))
    filled.merge_samples([{"filepath": "/2.png", "n": 77}])
    filled.merge_sample(sc.Sample("/9.png", n=99))
    assert filled.values("n") == [50, 51, 77, 99]


def test_existing_samples_can_be_skipped_and_new_ones_left_out(filled, other):
    filled.merge_samples(other, insert_new=False)
    assert filled.values("n") == [0, 10, 20]
    filled.merge_samples([sc.Sample("/0.png", n=5), sc.Sample("/8.png", n=8)], skip_existing=True)
    assert filled.values("n") == [0, 10, 20, 8]


def test_any_field_or_function_can_be_the_key(filled):
    filled.merge_samples([sc.Sample("/moved.png", key="k1", n=100)], key_field="key")
    assert filled.values(["filepath", "n"]) == [["/0.png", "/moved.png", "/2.png"], [0, 100, 2]]
    filled.merge_samples([sc.Sample("/elsewhere/2.png", n=200)], key_fcn=lambda s: s.filename, omit_fields="filepath")
    assert filled.values(["filepath", "n"]) == [["/0.png", "/moved.png", "/2.png"], [0, 100, 200]]
    first = filled.first()
    first["n"] = 7
    filled.merge_samples([first], key_field="id", fields="n")
    assert filled.values("n") == [7, 100, 200]
    filled.merge_samples(
        [sc.Sample("/none.png", key=None, n=1), sc.Sample("/none.png", n=2, key=None)], key_field="key"
    )
    assert filled.values("n") == [7, 100, 200, 1, 2]


def test_the_key_of_each_sample_is_computed_once(filled):
    asked = []

    def key(sample: sc.Sample) -> str:
        asked.append(sample.in_dataset)
        return sample.filename

    filled.merge_samples([sc.Sample("/a/0.png", n=5), sc.Sample("/a/7.png")], key_fcn=key, fields="n")
    assert filled.values(["filepath", "n"]) == [["/0.png", "/1.png", "/2.png", "/a/7.png"], [5, 1, 2, None]]
    assert sorted(asked) == [False, False, True, True, True]


def test_a_key_that_several_have_is_refused(filled):
    before = contents(filled)
    with pytest.raises(SchemaError, match=r"several of the samples given have the key '/7.png' in 'filepath'"):
        filled.merge_samples([sc.Sample("/0.png", n=5), sc.Sample("/7.png"), sc.Sample("/7.png")])
    assert contents(filled) == before
    filled.add_samples([sc.Sample("/0.png", n=6)])
    with pytest.raises(SchemaError, match=r"several of samples of dataset 'street' have the key '/0.png'"):
        filled.merge_samples([sc.Sample("/1.png", n=9), sc.Sample("/0.png", n=5)])
    with pytest.raises(SchemaError, match="by key_fcn"):
        filled.merge_samples([sc.Sample("/1.png", n=9)], key_fcn=lambda _: "same")
    with pytest.raises(SchemaError, match=r"key_field='tags' gives \['old'\]. A key is a single value"):
        filled.merge_samples([sc.Sample("/1.png", n=9)], key_field="tags")
    with pytest.raises(FieldNotFoundError, match="no field 'keey' on this sample"):
        filled.merge_samples([sc.Sample("/1.png", key="k1")], key_field="keey")
    assert filled.values("n") == [0, 1, 2, 6]


# --- which fields ----------------------------------------------------------------------------------------------------


def test_only_some_fields_are_merged_or_under_other_names(filled, other):
    filled.merge_samples(other, fields=["n"])
    assert not filled.has_field("extra")
    assert filled.values("n") == [0, 10, 20, 30, 40]
    assert filled.values("tags")[3:] == [[], []]
    filled.merge_samples(other, fields={"extra": "more", "vec": "vector"}, insert_new=False)
    assert filled.values("more") == [None, "x1", "x2", "x3", "x4"]
    assert read_vectors(filled, "vector")[1][:, 0].tolist() == [1, 2, 3, 4]
    filled.merge_samples(other, omit_fields=["extra", "tags", "n"])
    assert filled.values("tags")[1] == ["old"]
    assert read_vectors(filled, "vec")[1].shape == (4, 3)
    with pytest.raises(FieldNotFoundError, match="no field 'extr' on dataset 'other'"):
        filled.merge_samples(other, fields="extr")


def test_none_changes_nothing(filled):
    filled.merge_samples([sc.Sample("/0.png", n=None, gt=None, tags=None)])
    assert (filled.first().n, filled.first().gt.label, filled.first().tags) == (0, "cat", ["old"])


def test_old_values_stay_without_overwrite(filled):
    filled.add_sample_field("note", sc.StringField)
    filled.merge_samples(
        [sc.Sample("/0.png", n=5, note="hello", tags=["new"], gt=sc.Classification(label="cow"))], overwrite=False
    )
    first = filled.first()
    assert (first.n, first.note, first.tags, first.gt.label) == (0, "hello", ["old", "new"], "cat")


def test_new_fields_are_declared_or_refused(filled, other):
    before = contents(filled)
    with pytest.raises(FieldNotFoundError, match=r"'extra'.*expand_schema is False"):
        filled.merge_samples(other, expand_schema=False)
    with pytest.raises(FieldNotFoundError, match=r"'fresh'.*expand_schema is False"):
        filled.merge_samples([sc.Sample("/0.png", n=4), sc.Sample("/1.png", fresh=1)], expand_schema=False)
    assert contents(filled) == before
    other.add_sample_field("empty", sc.FloatField, description="later")
    filled.merge_samples(other)
    assert filled.get_field("empty").description == "later"
    filled.merge_samples([sc.Sample("/0.png", gt=sc.Classification(label="a", mood="b", age=3))], dynamic=True)
    assert filled.values("gt.age") == [3, None, None, None, None]


def test_a_value_that_does_not_fit_leaves_everything_as_it_was(filled, other, database):
    before = contents(filled)
    with pytest.raises(FieldKindError, match="'n'"):
        filled.merge_samples([sc.Sample("/0.png", n=4, new_one=1), sc.Sample("/1.png", n="five")])
    other.add_sample_field("gt", sc.FloatField)
    with pytest.raises(FieldKindError, match="'gt'"):
        filled.merge_samples(other)
    assert contents(filled) == before
    assert not filled.has_field("new_one")
    filled.merge_samples([sc.Sample("/0.png", n=0.5)])
    assert isinstance(filled.get_field("n"), sc.FloatField)


# --- lists, labels, documents ----------------------------------------------------------------------------------------


def test_labels_are_merged_by_their_ids(filled):
    cat, dog = filled.first().boxes.detections
    changed, cow = cat.copy(), box("cow")
    changed.id, changed.label, changed.confidence = cat.id, "tiger", 0.5
    new = sc.Sample("/0.png", boxes=sc.Detections(detections=[cow, changed]))
    filled.merge_samples([new])
    labels = filled.first().boxes.detections
    assert [label.label for label in labels] == ["tiger", "dog", "cow"]
    assert [label.id for label in labels] == [cat.id, dog.id, cow.id]
    assert labels[0].confidence == 0.5
    changed.label = "lion"
    filled.merge_samples([new], overwrite=False)
    assert [label.label for label in filled.first().boxes.detections] == ["tiger", "dog", "cow"]
    filled.merge_samples([new], merge_lists=False)
    assert [label.label for label in filled.first().boxes.detections] == ["cow", "lion"]
    assert filled.last().boxes.detections[0].label == "cat"


def test_plain_lists_become_one_without_repetition(filled):
    filled.set_values("words", [["a", "b", "a"], ["a"], None])
    filled.merge_samples([sc.Sample(f"/{n}.png", words=["b", "c", "c"], tags=["old", "new"]) for n in range(3)])
    assert filled.values("words") == [["a", "b", "a", "c"], ["a", "b", "c"], ["b", "c", "c"]]
    assert filled.values("tags") == [["old", "new"]] * 3
    filled.merge_samples([sc.Sample("/0.png", words=["z"], tags=["only"])], merge_lists=False)
    assert (filled.first().words, filled.first().tags) == (["z"], ["only"])


def test_documents_are_merged_by_attributes_if_asked(filled):
    kept = filled.first().gt.id
    filled.merge_samples(
        [sc.Sample("/0.png", gt=sc.Classification(label="cow", confidence=0.5))], merge_embedded_docs=True
    )
    first = filled.first().gt
    assert (first.label, first.confidence, first.mood, first.id) == ("cow", 0.5, "calm", kept)
    filled.merge_samples(
        [sc.Sample("/0.png", gt=sc.Classification(label="sheep", age=3))], merge_embedded_docs=True, overwrite=False
    )
    first = filled.first().gt
    assert (first.label, first.age) == ("cow", 3)
    filled.merge_samples([sc.Sample("/0.png", gt=sc.Classification(label="bull"))])
    assert not filled.first().gt.has_field("mood")


# --- vectors, runs, facts --------------------------------------------------------------------------------------------


def test_vectors_are_copied_and_runs_are_not(filled, other):
    with runs.record(other, "embed", key="vec", writes=["vec"]):
        write_vectors(
            other, "vec", other.values("id"), np.eye(4, 3, dtype=np.float32), model={"name": "m", "version": "1"}
        )
    filled.merge_samples(other)
    other.delete()
    ids, matrix = read_vectors(filled, "vec")
    assert ids == filled.values("id")[1:]
    assert matrix.tolist() == np.eye(4, 3).tolist()
    assert filled.list_runs() == []
    from saccade.dataset.columns import model_of

    assert model_of(filled, "vec") == {"name": "m", "version": "1", "dimension": 3}


def test_vectors_of_labels_are_copied(filled):
    label = box("cow", emb=np.arange(3, dtype=np.float32))
    source = sc.Dataset("labels")
    source.add_samples([sc.Sample("/0.png", boxes=sc.Detections(detections=[label, box("hen")]))])
    filled.merge_samples(source)
    filled.merge_samples([sc.Sample("/1.png", boxes=sc.Detections(detections=[label.copy()]))])
    source.delete()
    assert filled.first().boxes.detections[2].emb.tolist() == [0, 1, 2]
    assert filled["/1.png"].boxes.detections[2].emb.tolist() == [0, 1, 2]
    filled.merge_samples([sc.Sample("/0.png", boxes=sc.Detections(detections=[box("pig")]))])
    assert [label.label for label in filled.first().boxes.detections] == ["cat", "dog", "cow", "hen", "pig"]
    assert filled.first().boxes.detections[2].emb.tolist() == [0, 1, 2]


def test_vectors_of_another_model_or_length_are_refused(filled, other):
    write_vectors(other, "vec", other.values("id"), np.eye(4, 3, dtype=np.float32), model={"name": "m", "version": "1"})
    write_vectors(filled, "vec", filled.values("id"), np.eye(3, dtype=np.float32), model={"name": "w", "version": "1"})
    before = contents(filled)
    with pytest.raises(ModelError, match="'vec' holds vectors of model 'w'"):
        filled.merge_samples(other)
    with pytest.raises(ModelError, match="'vec' holds vectors of model 'w'"):
        filled.add_collection(other)
    with pytest.raises(FieldKindError, match="'vec' holds vectors of 3 numbers; these have 2"):
        filled.merge_samples([sc.Sample("/0.png", n=5, vec=np.ones(2, np.float32))])
    assert contents(filled) == before


def test_facts_about_the_dataset_are_taken_over(filled, other):
    filled.info, filled.classes = {"a": 1}, {"gt": ["cat"]}
    other.info, other.classes, other.default_classes = {"a": 2, "b": 3}, {"gt": ["dog"], "boxes": ["x"]}, ["d"]
    filled.merge_samples(other, include_info=False)
    assert filled.info == {"a": 1}
    filled.merge_samples(other)
    assert (filled.info, filled.classes) == ({"a": 1, "b": 3}, {"gt": ["cat"], "boxes": ["x"]})
    assert filled.default_classes == ["d"]
    filled.merge_samples(other, overwrite_info=True)
    assert (filled.info["a"], filled.classes["gt"]) == (2, ["dog"])


def test_views_and_the_dataset_itself_can_be_merged(filled, other):
    filled.merge_samples(other.match(F("n") > 10).exclude_fields("vec").limit(2))
    assert filled.values("n") == [0, 1, 20, 30]
    assert not filled.has_field("vec")
    before = contents(filled)
    filled.merge_samples(filled)
    filled.merge_samples(filled.limit(2))
    assert contents(filled) == before
    empty = sc.Dataset("empty")
    filled.merge_samples(empty)
    empty.merge_samples(filled)
    assert empty.values("n") == [0, 1, 20, 30]


def test_what_is_no_collection_of_samples_is_refused(filled):
    for given in (sc.Sample("/1.png"), {"filepath": "/1.png"}, "/1.png"):
        with pytest.raises(SchemaError, match=r"alone. Give a list"):
            filled.merge_samples(given)
    with pytest.raises(FieldKindError, match="5 is no sample"):
        filled.merge_samples([5])
    with pytest.raises(SchemaError, match="Give a dataset or view"):
        filled.add_collection([sc.Sample("/1.png")])


# --- add_collection, add_dir -----------------------------------------------------------------------------------------


def test_a_collection_is_added_under_its_ids_once(filled, other):
    other.info = {"a": 1}
    added = filled.add_collection(other)
    assert added == other.values("id")
    assert filled.values("n") == [0, 1, 2, 10, 20, 30, 40]
    assert filled[added[0]].vec.tolist() == [1, 1, 1]
    assert filled.info == {"a": 1}
    assert filled.add_collection(other) == []
    (last,) = filled.add_samples([sc.Sample("/last.png")])
    assert filled.last().id == last > max(added)


def test_a_collection_is_added_under_new_ids(filled, other):
    label = filled.first().gt.id
    added = filled.add_collection(filled.limit(2), new_ids=True)
    assert filled.values("n") == [0, 1, 2, 0, 1]
    assert filled.values("id")[3:] == added
    assert filled.last().gt.label == "cat"
    assert label not in filled.values("gt.id")[3:]
    other.add_sample_field("empty", sc.FloatField)
    assert len(filled.add_collection(other, new_ids=True)) == 4
    assert filled.has_field("empty")
    assert filled.last().vec.tolist() == [4, 4, 4]


def test_a_folder_is_added(dataset, photos, animals):
    assert len(dataset.add_dir(photos, tags="trip")) == 4
    assert dataset.count_sample_tags() == {"trip": 4}
    dataset.classes = {"animal": ["horse"]}
    ids = dataset.add_dir(animals, sc.types.ImageClassificationDirectoryTree, label_field="animal")
    assert dataset.values("id")[4:] == ids
    assert dataset.count_values("animal.label") == {"cat": 2, "dog": 1}
    assert dataset.classes == {"animal": ["horse", "cat", "dog"]}
    assert len(dataset.add_dir(photos, sc.types.ImageDirectory, recursive=False)) == 3
    with pytest.raises(DatasetError, match="has no option 'recursiv'"):
        dataset.add_dir(photos, sc.types.ImageDirectory, recursiv=False)
    with pytest.raises(FieldNotFoundError, match="expand_schema is False"):
        dataset.add_dir(animals, "image_classification_directory_tree", label_field="other", expand_schema=False)
    assert len(dataset) == 11


def test_a_folder_that_fails_halfway_adds_nothing(dataset, animals, monkeypatch):
    real = sc.types.ImageClassificationDirectoryTree.values_of

    def values_of(self, path):
        if "dog" in str(path):
            raise DatasetError("unreadable")
        return real(self, path)

    monkeypatch.setattr(sc.types.ImageClassificationDirectoryTree, "values_of", values_of)
    with pytest.raises(DatasetError, match="unreadable"):
        dataset.add_dir(animals, sc.types.ImageClassificationDirectoryTree)
    assert len(dataset) == 0
