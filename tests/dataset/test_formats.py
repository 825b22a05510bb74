"""Formats read folders as they say, in a fixed order, and refuse what they cannot read."""

import os

import pytest

from saccade import types
from saccade.dataset.errors import DatasetError
from saccade.dataset.formats import dataset_types, reader


@pytest.fixture
def folder(tmp_path):
    """Make files, empty ones: formats read names only."""

    def make(*names):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return tmp_path

    return make


def names(format_):
    return [os.path.relpath(values["filepath"], format_.folder) for values in format_]


def labels(format_, field="ground_truth"):
    return [values[field].label if field in values else None for values in format_]


def test_numbers_in_names_are_ordered_as_numbers(folder):
    root = folder("img10.png", "img9.png", "b/2.png", "b/10.png", "img1.png")
    assert names(types.ImageDirectory(root)) == ["b/2.png", "b/10.png", "img1.png", "img9.png", "img10.png"]


def test_only_images_that_are_not_hidden_are_taken(folder):
    root = folder("a.JPG", "b.webp", "c.txt", "d", ".hidden.png", ".cache/e.png", "f.png.bak", "labels.json")
    assert names(types.ImageDirectory(root)) == ["a.JPG", "b.webp"]


def test_inner_folders_are_left_out_if_not_recursive(folder):
    root = folder("a.png", "inner/b.png")
    assert names(types.ImageDirectory(root, recursive=False)) == ["a.png"]
    assert names(types.ImageDirectory(root, recursive=True)) == ["a.png", "inner/b.png"]


def test_filepaths_are_absolute(folder, monkeypatch):
    monkeypatch.chdir(folder("photos/a.png"))
    assert next(iter(types.ImageDirectory("photos")))["filepath"] == str(folder() / "photos" / "a.png")


def test_a_home_folder_may_be_written_with_a_tilde(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder("photos/a.png")))
    assert names(types.ImageDirectory("~/photos")) == ["a.png"]


def test_names_in_any_script_are_kept(folder):
    written = {"写真/猫 1.png", "фото/кот.png", "e\u0301te\u0301.png"}
    assert set(names(types.ImageDirectory(folder(*written)))) == written


def test_linked_folders_are_followed_once(folder):
    root = folder("a/1.png")
    (root / "a" / "again").symlink_to(root)
    assert len(types.ImageDirectory(root)) == 1


def test_an_empty_folder_gives_no_samples(tmp_path):
    assert list(types.ImageDirectory(tmp_path)) == []
    assert list(types.ImageClassificationDirectoryTree(tmp_path)) == []


def test_a_missing_folder_is_named_with_its_nearest_parent(tmp_path):
    with pytest.raises(DatasetError, match=r"no folder .*photos/june.*nearest that exists is") as failure:
        types.ImageDirectory(tmp_path / "photos" / "june")
    assert f"{tmp_path}." in str(failure.value)


def test_a_file_instead_of_a_folder_is_refused(folder):
    with pytest.raises(DatasetError, match="is a file"):
        types.ImageDirectory(folder("a.png") / "a.png")


def test_a_name_that_is_not_text_is_refused(tmp_path):
    os.close(os.open(os.fsencode(tmp_path) + b"/\xff.png", os.O_CREAT | os.O_WRONLY))
    with pytest.raises(DatasetError, match="not valid UTF-8"):
        list(types.ImageDirectory(tmp_path))


def test_max_samples_takes_the_first_ones(folder):
    root = folder(*(f"{i}.png" for i in range(20)))
    assert names(types.ImageDirectory(root, max_samples=3)) == ["0.png", "1.png", "2.png"]
    assert len(types.ImageDirectory(root, max_samples=0)) == 0
    assert len(types.ImageDirectory(root, max_samples=99)) == 20


def test_a_negative_max_samples_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="max_samples=-1"):
        types.ImageDirectory(tmp_path, max_samples=-1)


def test_shuffling_with_the_same_seed_gives_the_same_order(folder):
    root = folder(*(f"{i}.png" for i in range(20)))
    first = names(types.ImageDirectory(root, shuffle=True, seed=51))
    assert first == names(types.ImageDirectory(root, shuffle=True, seed=51))
    assert first != names(types.ImageDirectory(root, shuffle=True, seed=52))
    assert sorted(first) == sorted(names(types.ImageDirectory(root)))


def test_max_samples_of_a_shuffled_folder_is_a_random_part(folder):
    root = folder(*(f"{i}.png" for i in range(20)))
    everything = names(types.ImageDirectory(root, shuffle=True, seed=51))
    assert names(types.ImageDirectory(root, shuffle=True, seed=51, max_samples=5)) == everything[:5]


def test_a_tree_labels_each_image_with_its_outermost_folder(folder):
    tree = types.ImageClassificationDirectoryTree(folder("dog/1.png", "cat/1.png", "cat/outdoors/2.png"))
    assert list(zip(names(tree), labels(tree), strict=True)) == [
        ("cat/1.png", "cat"),
        ("cat/outdoors/2.png", "cat"),
        ("dog/1.png", "dog"),
    ]
    assert tree.classes == ["cat", "dog"]


def test_images_in_the_unlabeled_folder_have_no_label(folder):
    root = folder("cat/1.png", "_unlabeled/2.png", "?/3.png")
    assert labels(types.ImageClassificationDirectoryTree(root)) == ["?", None, "cat"]
    assert types.ImageClassificationDirectoryTree(root).classes == ["?", "cat"]
    assert labels(types.ImageClassificationDirectoryTree(root, unlabeled="?")) == [None, "_unlabeled", "cat"]
    assert labels(types.ImageClassificationDirectoryTree(root, unlabeled=None)) == ["?", "_unlabeled", "cat"]


def test_a_class_without_images_is_still_a_class(folder):
    root = folder("cat/1.png")
    (root / "dog").mkdir()
    assert types.ImageClassificationDirectoryTree(root).classes == ["cat", "dog"]


def test_images_beside_the_class_folders_are_passed_over(folder):
    assert names(types.ImageClassificationDirectoryTree(folder("cat/1.png", "overview.png"))) == ["cat/1.png"]


def test_a_tree_without_class_folders_is_refused(folder):
    with pytest.raises(DatasetError, match=r"2 images directly inside.*ImageDirectory"):
        list(types.ImageClassificationDirectoryTree(folder("1.png", "2.png")))


def test_the_label_field_is_a_choice(folder):
    tree = types.ImageClassificationDirectoryTree(folder("cat/1.png"), label_field="animal")
    assert labels(tree, "animal") == ["cat"]


def test_every_label_has_an_id_of_its_own(folder):
    tree = types.ImageClassificationDirectoryTree(folder("cat/1.png", "cat/2.png"))
    assert len({values["ground_truth"].id for values in tree}) == 2


def test_a_reader_opens_a_format_by_class_by_name_and_as_it_is(folder):
    root = folder("cat/1.png")
    for chosen in (types.ImageClassificationDirectoryTree, "image_classification_directory_tree"):
        assert labels(reader(chosen, root, label_field="animal"), "animal") == ["cat"]
    opened = types.ImageDirectory(root)
    assert reader(opened) is opened


def test_every_format_is_registered_under_its_short_name():
    shown = {getattr(types, name) for name in types.__all__} - {types.DatasetType}
    assert set(dataset_types.values()) == shown
    assert all(name == format_.name for name, format_ in dataset_types.items())


@pytest.mark.parametrize("chosen", ["image_directry", 3, int, None])
def test_an_unknown_format_is_refused_with_the_known_ones(tmp_path, chosen):
    with pytest.raises(DatasetError, match=r"no dataset type .*image_directory"):
        reader(chosen, tmp_path)


def test_an_unknown_option_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(DatasetError, match=r"no option 'recursiv'.*Did you mean 'recursive'\?"):
        reader(types.ImageDirectory, tmp_path, recursiv=True)


def test_a_reader_without_a_folder_is_refused():
    with pytest.raises(DatasetError, match="needs dataset_dir"):
        reader(types.ImageDirectory)


def test_an_open_dataset_takes_no_further_options(tmp_path):
    with pytest.raises(DatasetError, match="open already"):
        reader(types.ImageDirectory(tmp_path), recursive=False)
