"""Visualization: points that are the same every time, kept as vectors."""

import numpy as np
import pytest

import saccade as sc
import saccade.brain as scb
from saccade.brain.kernels.principal import principal_components
from saccade.brain.operations.visualization import Visualization
from saccade.dataset.errors import MissingExtraError, SchemaError

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def dataset(database, rng):
    made = sc.Dataset("points")
    vectors = rng.standard_normal((50, 12)).astype(np.float32)
    made.add_columns({"filepath": [f"/{i}.png" for i in range(50)], "embedding": vectors})
    return made


def test_components_are_those_of_a_singular_value_decomposition(rng):
    rows = rng.standard_normal((200, 7)) * [9, 5, 3, 1, 1, 1, 1] + 100
    points, shares = principal_components(rows, 3)
    left, values, _ = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    np.testing.assert_allclose(np.abs(points), np.abs(left * values)[:, :3], atol=1e-9)
    np.testing.assert_allclose(shares, (values**2 / (values**2).sum())[:3])


def test_the_sign_does_not_depend_on_the_order_of_the_rows(rng):
    rows, order = rng.standard_normal((100, 5)) * [5, 4, 3, 2, 1], rng.permutation(100)
    np.testing.assert_allclose(principal_components(rows[order])[0], principal_components(rows)[0][order], atol=1e-9)


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_no_range_of_numbers_is_lost(scale, rng):
    rows = rng.standard_normal((30, 4))
    np.testing.assert_allclose(
        principal_components(rows * scale)[0], principal_components(rows)[0] * scale, rtol=1e-6, atol=1e-9 * scale
    )


@pytest.mark.parametrize(("n", "d"), [(0, 3), (1, 3), (5, 1)])
def test_what_does_not_vary_is_placed_at_zero(n, d):
    points, shares = principal_components(np.ones((n, d)), 2)
    assert points.shape == (n, 2)
    assert not points.any()
    assert not shares.any()


def test_points_are_kept_as_vectors_and_loaded_with_the_run(dataset):
    run = scb.compute_visualization(dataset)
    ids, vectors = sc.dataset.columns.read_vectors(dataset, "embedding")
    np.testing.assert_allclose(run.points, principal_components(vectors)[0], rtol=1e-6)
    assert run.sample_ids == ids
    assert sum(run.summary()["explained_variance"]) <= 1
    loaded = dataset.load_run("visualization")
    assert isinstance(loaded, Visualization)
    np.testing.assert_array_equal(loaded.points, run.points)
    again = scb.compute_visualization(dataset, num_dims=3)
    assert again.points.shape == (50, 3)
    dataset.delete_run("visualization")
    assert not dataset.has_field("visualization")


def test_a_sample_that_has_lost_its_vector_loses_its_point(dataset):
    scb.compute_visualization(dataset)
    dataset.limit(1).set_values("embedding", [None])
    run = scb.compute_visualization(dataset, num_dims=3)
    assert run.points.shape == (49, 3)
    assert dataset.first().id not in run.sample_ids


def test_tsne_gives_the_same_points_for_the_same_seed(dataset):
    first = scb.compute_visualization(dataset, method="tsne", seed=3).points
    np.testing.assert_array_equal(scb.compute_visualization(dataset, method="tsne", seed=3).points, first)


def test_points_made_elsewhere_are_taken_as_they_are(dataset, rng):
    points = rng.standard_normal((50, 2)).astype(np.float32)
    run = scb.compute_visualization(dataset, points=points)
    np.testing.assert_array_equal(run.points, points)
    assert run.params["method"] == "manual"
    with pytest.raises(SchemaError, match=r"points has shape \(50, 3\); expected \(50, 2\)"):
        scb.compute_visualization(dataset, points=np.zeros((50, 3)), brain_key="other")
    assert not dataset.has_field("other")


def test_a_missing_extra_is_answered_with_the_command_that_installs_it(dataset, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "umap", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'saccade\[viz\]'"):
        scb.compute_visualization(dataset, method="umap")


def test_an_unknown_method_is_refused_before_anything_is_recorded(dataset):
    with pytest.raises(SchemaError, match="expected 'pca', 'tsne' or 'umap'"):
        scb.compute_visualization(dataset, method="lda")
    assert dataset.list_runs() == []


def test_an_empty_dataset_has_no_points(database):
    run = scb.compute_visualization(sc.Dataset("empty"))
    assert run.points.shape == (0, 2)
    assert (run.sample_ids, len(run.view())) == ([], 0)
