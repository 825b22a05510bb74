"""Datasets by name: made, loaded, listed, renamed, deleted, and the facts that each keeps about itself."""

import time
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from PIL import Image

import saccade as sc
from saccade.dataset.collection import reading
from saccade.dataset.errors import DatasetError, DatasetExistsError, DatasetNotFoundError, SchemaError
from saccade.dataset.store import catalog
from tests.store.processes import begin, run, until


def stored_names(database) -> set[str]:
    """The collections that hold something of some dataset."""
    return {name for name in database.list_collection_names() if "." in name}


# --- made and found -------------------------------------------------------------------------------------------------


def test_a_new_dataset_is_empty_persistent_and_listed(database):
    dataset = sc.Dataset("street")
    assert len(dataset) == 0
    assert not dataset
    assert dataset.persistent
    assert sc.list_datasets() == ["street"]
    assert sc.dataset_exists("street")
    assert not sc.dataset_exists("road")


def test_a_dataset_is_still_there_in_another_process(database):
    sc.Dataset("street").add_sample(sc.Sample("/1.png", brightness=0.5))
    code = "import saccade as sc; print(sc.load_dataset('street').first().brightness)"
    assert run(code).split() == ["0.5"]


def test_loading_gives_the_same_dataset(dataset):
    again = sc.load_dataset("street")
    assert again == dataset
    assert again is not dataset
    assert hash(again) == hash(dataset)
    assert sc.Dataset("road") != dataset


def test_loading_an_unknown_name_says_which_there_are(database):
    sc.Dataset("street")
    with pytest.raises(DatasetNotFoundError, match=r"no dataset named 'stret'\. Datasets: street\. Did you mean 'str"):
        sc.load_dataset("stret")
    with pytest.raises(KeyError):
        sc.load_dataset("stret")


def test_a_taken_name_is_refused_and_the_holder_unharmed(dataset):
    dataset.add_sample(sc.Sample("/1.png"))
    with pytest.raises(DatasetExistsError, match="a dataset named 'street' exists already"):
        sc.Dataset("street")
    with pytest.raises(ValueError, match="overwrite=True"):
        sc.Dataset("street")
    assert len(dataset) == 1


def test_overwrite_replaces_the_dataset_and_all_it_held(dataset, database):
    dataset.add_sample(sc.Sample("/1.png", embedding=np.ones(3)))
    new = sc.Dataset("street", overwrite=True)
    assert new != dataset
    assert len(new) == 0
    assert "embedding" not in new.get_field_schema()
    assert dataset.deleted
    assert not [name for name in stored_names(database) if dataset._id in name]


@pytest.mark.parametrize("name", ["", " ", "(hidden)", "x" * 201, "two\nlines", 5])
def test_names_that_cannot_be_used_are_refused(database, name):
    with pytest.raises(DatasetError, match="cannot name a dataset"):
        sc.Dataset(name)
    assert sc.list_datasets() == []


def test_a_name_may_hold_spaces_and_other_scripts(database):
    sc.Dataset("Straße 7 / été")
    assert sc.load_dataset("Straße 7 / été").name == "Straße 7 / été"


def test_without_a_name_one_is_made_from_the_time_and_never_twice(database):
    names = [sc.Dataset().name for _ in range(3)]
    assert len(set(names)) == 3
    assert all(name.startswith(str(datetime.now(UTC).year)) for name in names)


def test_list_datasets_filters_by_pattern_and_tags_and_tells_facts(database):
    for name in ("street-b", "street-a", "park"):
        sc.Dataset(name)
    sc.load_dataset("park").tags = ["green", "city"]
    sc.load_dataset("park").add_images(["/1.png", "/2.png"])
    assert sc.list_datasets() == ["park", "street-a", "street-b"]
    assert sc.list_datasets("street-*") == ["street-a", "street-b"]
    assert sc.list_datasets(tags="city") == ["park"]
    assert sc.list_datasets(tags=["green", "none"]) == ["park"]
    assert sc.list_datasets(glob_patt="street-*", tags="city") == []
    facts = sc.list_datasets(info=True)
    assert [f["name"] for f in facts] == ["park", "street-a", "street-b"]
    assert [f["num_samples"] for f in facts] == [2, 0, 0]
    assert facts[0]["media_type"] == "image"


# --- deleted --------------------------------------------------------------------------------------------------------


def test_deleting_a_dataset_leaves_nothing_of_it(dataset, database):
    dataset.add_sample(sc.Sample("/1.png", embedding=np.ones(3)))
    dataset.tag_samples("x")
    dataset.delete()
    assert dataset.deleted
    assert sc.list_datasets() == []
    assert stored_names(database) == set()
    for name in ("datasets", "fields", "runs", "actions", "counters"):
        assert database[name].count_documents({}) == 0, name


def test_a_deleted_dataset_in_hand_says_so(dataset):
    sc.delete_dataset("street")
    for use in (
        lambda: len(dataset),
        lambda: dataset.add_sample(sc.Sample("/1.png")),
        lambda: dataset.set_values("x", []),
        dataset.reload,
        dataset.first,
    ):
        with pytest.raises(DatasetNotFoundError, match="was deleted"):
            use()


def test_adding_to_a_dataset_that_is_deleted_meanwhile_leaves_no_collection(dataset, database):
    def samples():
        yield sc.Sample("/1.png")
        sc.delete_dataset("street")

    with pytest.raises(DatasetNotFoundError, match="was deleted"):
        dataset.add_samples(samples())
    assert stored_names(database) == set()


def test_delete_dataset_refuses_an_unknown_name_and_delete_datasets_takes_a_pattern(database):
    for name in ("a1", "a2", "b1"):
        sc.Dataset(name)
    with pytest.raises(DatasetNotFoundError, match="no dataset named 'c1'"):
        sc.delete_dataset("c1")
    assert sc.delete_datasets("a*") == ["a1", "a2"]
    assert sc.list_datasets() == ["b1"]


def test_a_name_is_free_again_after_deletion(dataset):
    dataset.delete()
    assert len(sc.Dataset("street")) == 0


# --- renamed --------------------------------------------------------------------------------------------------------


def test_a_dataset_can_be_renamed_and_keeps_its_samples(dataset):
    dataset.add_sample(sc.Sample("/1.png"))
    dataset.name = "road"
    assert dataset.name == "road"
    assert sc.list_datasets() == ["road"]
    assert len(sc.load_dataset("road")) == 1


def test_renaming_to_a_taken_or_impossible_name_is_refused(dataset):
    sc.Dataset("road")
    with pytest.raises(DatasetExistsError, match="'road' exists already"):
        dataset.name = "road"
    with pytest.raises(DatasetError, match="cannot name a dataset"):
        dataset.name = ""
    assert dataset.name == "street"
    assert sc.list_datasets() == ["road", "street"]


# --- not persistent -------------------------------------------------------------------------------------------------

HOLD = """
import sys, saccade as sc
dataset = {}
print("ready", flush=True)
sys.stdin.readline()
"""


def test_a_temporary_dataset_goes_with_the_process_that_made_it(database):
    run("import saccade as sc; sc.Dataset('draft', persistent=False).add_images(['/1.png']); sc.Dataset('kept')")
    assert sc.list_datasets() == ["kept"]
    assert len(stored_names(database)) == 1


def test_a_temporary_dataset_that_is_gone_cannot_be_found_or_loaded(database):
    run("import saccade as sc; sc.Dataset('draft', persistent=False)")
    assert not sc.dataset_exists("draft")
    run("import saccade as sc; sc.Dataset('draft', persistent=False)")
    with pytest.raises(DatasetNotFoundError):
        sc.load_dataset("draft")


def test_a_temporary_dataset_stays_while_its_process_lives(database):
    with begin(HOLD.format("sc.Dataset('draft', persistent=False)")) as process:
        assert process.stdout.readline() == "ready\n"
        assert sc.list_datasets() == ["draft"]
        process.kill()
    until(lambda: sc.list_datasets() == [])


def test_a_temporary_dataset_stays_while_any_process_that_loaded_it_lives(database):
    with begin(HOLD.format("sc.Dataset('draft', persistent=False)")) as maker:
        assert maker.stdout.readline() == "ready\n"
        with begin(HOLD.format("sc.load_dataset('draft')")) as user:
            assert user.stdout.readline() == "ready\n"
            maker.communicate("\n", timeout=30)
            assert sc.list_datasets() == ["draft"]
            user.communicate("\n", timeout=30)
    assert sc.list_datasets() == []


def test_a_temporary_dataset_can_be_made_persistent(database):
    run("import saccade as sc; sc.Dataset('draft', persistent=False).persistent = True")
    assert sc.list_datasets() == ["draft"]
    assert sc.load_dataset("draft").persistent


def test_making_a_dataset_temporary_does_not_take_it_from_who_does_so(database):
    run("import saccade as sc; sc.Dataset('draft')")
    dataset = sc.load_dataset("draft")
    dataset.persistent = False
    assert sc.list_datasets() == ["draft"]
    sc.Dataset("other")
    assert len(dataset) == 0
    assert not dataset.persistent


# --- facts ----------------------------------------------------------------------------------------------------------


def test_facts_are_kept(dataset):
    dataset.tags = ["day", "city", "day"]
    dataset.info = {"camera": "front", "height": 1.5, "lenses": [1, 2], "nested": {"when": "now"}}
    dataset.classes = {"ground_truth": ["cat", "dog"]}
    dataset.default_classes = ("car", "bus")
    dataset.description = "A street."
    again = sc.load_dataset("street")
    assert again.tags == ["day", "city"]
    assert again.info["camera"] == "front"
    assert again.info["height"] == 1.5
    assert again.info["lenses"] == [1, 2]
    assert again.classes == {"ground_truth": ["cat", "dog"]}
    assert again.default_classes == ["car", "bus"]
    assert again.description == "A street."


def test_facts_start_empty_and_can_be_emptied(dataset):
    assert (dataset.tags, dataset.info, dataset.classes, dataset.default_classes) == ([], {}, {}, [])
    assert dataset.description is None
    assert dataset.media_type is None
    dataset.tags, dataset.info, dataset.description = ["a"], {"a": 1}, "b"
    dataset.tags, dataset.info, dataset.description = [], {}, None
    again = sc.load_dataset("street")
    assert (again.tags, again.info, again.description) == ([], {}, None)


def test_facts_changed_in_place_are_kept_by_save(dataset):
    dataset.save()
    dataset.info["owner"] = "ann"
    dataset.tags.append("day")
    dataset.classes["ground_truth"] = ["cat"]
    dataset.default_classes.append("car")
    assert sc.load_dataset("street").info == {}
    dataset.save()
    again = sc.load_dataset("street")
    assert (again.info, again.tags) == ({"owner": "ann"}, ["day"])
    assert (again.classes, again.default_classes) == ({"ground_truth": ["cat"]}, ["car"])


def test_info_holds_what_a_sample_can_hold(dataset):
    dataset.info = {
        "matrix": np.eye(2),
        "best": sc.Classification(label="cat"),
        "score": np.float64(0.5),
        "day": datetime(2024, 5, 1),
    }
    info = sc.load_dataset("street").info
    assert np.array_equal(info["matrix"], np.eye(2))
    assert info["best"].label == "cat"
    assert info["score"] == 0.5
    assert info["day"] == datetime(2024, 5, 1, tzinfo=UTC)


def test_facts_of_the_wrong_kind_are_refused(dataset):
    for change in (
        {"description": 5},
        {"tags": [1]},
        {"info": {"a": object()}},
        {"info": 5},
        {"info": {"a.b": 1}},
        {"classes": {"ground_truth": [1]}},
        {"classes": ["cat"]},
        {"default_classes": "cat"},
    ):
        with pytest.raises(SchemaError):
            setattr(dataset, *next(iter(change.items())))
    again = sc.load_dataset("street")
    assert (again.description, again.tags, again.info, again.classes, again.default_classes) == (None, [], {}, {}, [])


def test_reload_brings_what_another_object_changed(dataset):
    other = sc.load_dataset("street")
    other.description = "changed"
    other.name = "road"
    assert dataset.description is None
    dataset.reload()
    assert (dataset.name, dataset.description) == ("road", "changed")


def test_two_objects_that_change_different_facts_both_win(dataset):
    other = sc.load_dataset("street")
    dataset.description = "mine"
    other.tags = ["theirs"]
    again = sc.load_dataset("street")
    assert (again.description, again.tags) == ("mine", ["theirs"])


def test_times_are_in_utc_and_modification_moves_on(dataset):
    assert abs(dataset.created_at - datetime.now(UTC)) < timedelta(minutes=1)
    seen = [dataset.last_modified_at]
    for change in (
        lambda: dataset.add_sample(sc.Sample("/1.png", n=1)),
        lambda: dataset.set_values("n", [2]),
        lambda: dataset.tag_samples("x"),
        lambda: setattr(dataset, "description", "new"),
        lambda: dataset.add_sample_field("m", sc.IntField),
        dataset.clear,
    ):
        until(lambda: catalog.now() > seen[-1])
        change()
        seen.append(dataset.last_modified_at)
    assert seen == sorted(set(seen))
    assert sc.load_dataset("street").created_at == dataset.created_at < seen[-1]


def test_saving_a_sample_modifies_its_dataset(dataset):
    dataset.add_sample(sc.Sample("/1.png", n=1))
    sample, before = dataset.first(), dataset.last_modified_at
    until(lambda: catalog.now() > before)
    sample.save()
    assert dataset.last_modified_at == before, "nothing was changed"
    sample.n = 2
    sample.save()
    assert dataset.last_modified_at > before


# --- shown ----------------------------------------------------------------------------------------------------------


def test_repr_tells_name_size_and_fields(dataset):
    dataset.tags = ["day"]
    dataset.add_samples([sc.Sample("/1.png", score=0.5, pred=sc.Classification(label="cat"))])
    text = repr(dataset)
    assert dataset.summary() == text
    for line in (
        "Name:        street",
        "Media type:  image",
        "Num samples: 1",
        "Persistent:  True",
        "Tags:        ['day']",
    ):
        assert line in text
    assert "score:    FloatField" in text
    assert "EmbeddedDocumentField(Classification)" in text


def test_html_shows_the_first_pictures(database, photos):
    dataset = sc.Dataset.from_images_dir(photos, name="photos")
    html = dataset._repr_html_()
    assert html.count("data:image/webp") == 4
    assert "photos" in html
    assert "filepath" in html


def test_pictures_that_take_long_do_not_hold_up_what_is_shown(database, tmp_path, monkeypatch):
    for number in range(3):
        Image.new("RGB", (8, 8), "red").save(tmp_path / f"{number}.png")
    dataset = sc.Dataset.from_images_dir(str(tmp_path), name="slow", progress=False)
    assert dataset._repr_html_().count("<img") == 3

    def waits(sample):
        time.sleep(0.1)

    monkeypatch.setattr(sc.Sample, "_thumbnail", waits)
    monkeypatch.setattr(reading, "_PICTURES_SECONDS", 0.15)
    assert len(list(dataset._thumbnails())) == 2


def test_stats_count_samples_and_bytes(dataset):
    empty = dataset.stats()
    assert empty["samples_count"] == empty["total_bytes"] == 0
    dataset.add_samples([sc.Sample(f"/{n}.png", embedding=np.ones(100)) for n in range(10)])
    dataset.tag_samples("x")
    stats = dataset.stats()
    assert stats["samples_count"] == 10
    assert stats["samples_bytes"] > 10 * 30
    assert stats["vectors_bytes"] > 10 * 400
    assert stats["journal_bytes"] > 0
    assert stats["total_bytes"] == stats["samples_bytes"] + stats["vectors_bytes"] + stats["journal_bytes"]


def test_view_from_dict_reads_what_to_dict_wrote(dataset):
    dataset.add_images([f"/{n}.png" for n in range(5)])
    view = dataset.skip(1).limit(2)
    assert dataset.view_from_dict(view.to_dict()).values("filepath") == ["/1.png", "/2.png"]
