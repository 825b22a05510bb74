"""In a notebook, datasets, views, samples and runs show themselves as HTML."""

import nbformat
import pytest
from nbclient import NotebookClient

PREPARE = """
import saccade as sc
dataset = sc.Dataset("in a notebook")
dataset.add_samples(
    [sc.Sample(filepath=f"/images/{i}.png", ground_truth=sc.Classification(label="cat")) for i in range(3)]
)
"""

SCORE = """
import saccade.brain as scb
scb.compute_uniqueness(dataset, embeddings=[[0.0], [1.0], [3.0]], progress=True)
"""


def outputs(*cells: str) -> list[list]:
    """Run a notebook and give what each cell but the first puts out."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in (PREPARE, *cells)])
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    return [cell.outputs for cell in notebook.cells[1:]]


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    """Keep Jupyter's own files out of the user's."""
    for name in ("IPYTHONDIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))


def test_what_a_cell_ends_with_is_shown_as_html_and_as_text(database):
    cells = ["dataset", "dataset.limit(2)", "dataset.first()", SCORE]
    for found, mark in zip(outputs(*cells), ("in a notebook", "limit", "cat", "uniqueness"), strict=True):
        data = found[-1].data
        assert mark in data["text/html"]
        assert mark in data["text/plain"]


def test_a_bar_is_shown_without_a_warning(database):
    (found,) = outputs(SCORE)
    told = "".join(one.text for one in found if one.output_type == "stream")
    assert "3/3" in told
    assert "Warning" not in told
