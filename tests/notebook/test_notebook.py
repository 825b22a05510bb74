"""In a notebook, datasets, views, samples and runs show themselves as HTML."""

import nbformat
from nbclient import NotebookClient

PREPARE = """
import saccade as sc
dataset = sc.Dataset("in a notebook")
dataset.add_samples(
    [sc.Sample(filepath=f"/images/{i}.png", ground_truth=sc.Classification(label="cat")) for i in range(3)]
)
"""


def shown(*cells: str) -> list[dict]:
    """Run a notebook and give what each cell but the first shows, by media type."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in (PREPARE, *cells)])
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    return [cell.outputs[-1].data for cell in notebook.cells[1:]]


def test_what_a_cell_ends_with_is_shown_as_html_and_as_text(database, monkeypatch, tmp_path):
    for name in ("IPYTHONDIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    dataset, view, sample = shown("dataset", "dataset.limit(2)", "dataset.first()")
    for data, mark in ((dataset, "in a notebook"), (view, "limit"), (sample, "cat")):
        assert mark in data["text/html"]
        assert mark in data["text/plain"]
