"""`saccade import`, as a person calls it."""

import pytest

import saccade as sc
from saccade.app.cli.main import main

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    (folder / "in").mkdir(parents=True)
    for name in ("1.jpg", "in/2.jpg", "in/3.jpg", "notes.txt"):
        (folder / name).touch()
    return folder


def test_import_makes_a_dataset_and_goes_on_with_it(photos, capsys):
    assert main(["import", str(photos), "street", "--tag", "new", "--tag", "raw"]) == 0
    assert capsys.readouterr().out == f"3 of 3 samples in 'street' are new, from {photos}.\n"
    assert sc.load_dataset("street").count_sample_tags() == {"new": 3, "raw": 3}
    (photos / "4.jpg").touch()
    assert main(["import", str(photos), "street"]) == 0
    assert capsys.readouterr().out == f"1 of 4 samples in 'street' are new, from {photos}.\n"


def test_import_takes_a_list_of_relevant_files(photos, tmp_path):
    (tmp_path / "relevant.txt").write_text("in/* !in/3.jpg in/2.jpg\n1.jpg\n\n")
    assert main(["import", str(photos), "street", "--relevant-files", str(tmp_path / "relevant.txt")]) == 0
    assert sc.load_dataset("street").values("filepath") == [str(photos / "1.jpg"), str(photos / "in/2.jpg")]


def test_a_source_that_cannot_be_listed_is_one_line_and_leaves_no_dataset(tmp_path, capsys, monkeypatch):
    assert main(["import", "nowhere", "street"]) == 1
    said = capsys.readouterr()
    assert said.err.startswith("saccade: 'nowhere' is neither a folder nor the name of a datasource.")
    assert main(["import", str(tmp_path), "street", "--relevant-files", str(tmp_path / "gone")]) == 1
    assert "cannot be read: No such file or directory" in capsys.readouterr().err
    assert sc.list_datasets() == []
