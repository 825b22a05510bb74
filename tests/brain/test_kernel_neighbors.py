"""Exact neighbours: worked by hand, against plain numpy, and the same whatever the block size."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from saccade.brain.kernels.duplicates import near_duplicates
from saccade.brain.kernels.neighbors import nearest_neighbors
from saccade.brain.kernels.screening import LowerBounds, lower_bounds_for
from saccade.brain.kernels.vectors import checked, squared_distances, unit_factors


def plain(vectors, k, metric):
    """All distances at once, in float64, stably sorted."""
    rows = np.asarray(vectors, dtype=np.float64)
    if metric == "cosine":
        rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    squared = np.square(rows[:, None] - rows[None]).sum(axis=2)
    np.fill_diagonal(squared, np.inf)
    order = np.argsort(squared, axis=1, kind="stable")[:, :k]
    kept = np.take_along_axis(squared, order, axis=1)
    return (kept / 2 if metric == "cosine" else np.sqrt(kept)), order


def test_neighbours_on_a_line_are_those_one_sees():
    distances, indices = nearest_neighbors([[0.0], [1.0], [3.0], [7.0]], k=2)
    assert distances.tolist() == [[1, 3], [1, 2], [2, 3], [4, 6]]
    assert indices.tolist() == [[1, 2], [0, 2], [1, 0], [2, 1]]


def test_cosine_ignores_length_and_opposite_directions_are_two_apart():
    distances, indices = nearest_neighbors([[1.0, 0.0], [5.0, 0.0], [-2.0, 0.0], [0.0, 3.0]], k=3, metric="cosine")
    assert distances[0].tolist() == [0, 1, 2]
    assert indices[0].tolist() == [1, 3, 2]


def test_equal_distances_go_to_the_lowest_index():
    square = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
    assert nearest_neighbors(square, k=2)[1].tolist() == [[1, 2], [0, 3], [0, 3], [1, 2]]


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize(("n", "d"), [(7, 3), (40, 2), (300, 17)])
def test_neighbours_equal_a_plain_computation(n, d, metric, rng):
    vectors = rng.standard_normal((n, d)).astype(np.float32)
    distances, indices = nearest_neighbors(vectors, k=5, metric=metric)
    expected, order = plain(vectors, 5, metric)
    np.testing.assert_array_equal(indices, order)
    np.testing.assert_allclose(distances, expected, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_no_block_size_changes_a_single_bit(metric, rng):
    vectors = rng.standard_normal((200, 33)).astype(np.float32)
    vectors[40:60] = vectors[7]
    vectors[60:80] = vectors[8] + 1e-7 * rng.standard_normal((20, 33)).astype(np.float32)
    whole = nearest_neighbors(vectors, k=4, metric=metric)
    for block_rows in (1, 3, 64, 1000):
        part = nearest_neighbors(vectors, k=4, metric=metric, block_rows=block_rows)
        np.testing.assert_array_equal(part[0], whole[0])
        np.testing.assert_array_equal(part[1], whole[1])


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_float32_vectors_of_any_scale_are_told_apart(scale, rng):
    vectors = (rng.standard_normal((60, 8)) * scale).astype(np.float32)
    np.testing.assert_array_equal(nearest_neighbors(vectors, k=3)[1], plain(vectors / scale, 3, "euclidean")[1])


def test_points_closer_than_float32_can_tell_are_still_ordered_rightly():
    line = 1000.0 + np.array([[0.0], [3e-6], [4e-6], [9e-6]])
    assert nearest_neighbors(line, k=1)[1].ravel().tolist() == [1, 2, 1, 2]


def test_distances_follow_their_rows_when_these_are_shuffled(rng):
    vectors = rng.standard_normal((120, 9))
    order = rng.permutation(120)
    np.testing.assert_array_equal(nearest_neighbors(vectors[order], k=3)[0], nearest_neighbors(vectors, k=3)[0][order])


def test_copies_are_at_distance_exactly_zero(rng):
    vectors = rng.standard_normal((50, 31)).astype(np.float32) * 7
    vectors[30] = vectors[4]
    for metric in ("euclidean", "cosine"):
        distances, indices = nearest_neighbors(vectors, k=1, metric=metric)
        assert distances[[4, 30], 0].tolist() == [0, 0]
        assert indices[[4, 30], 0].tolist() == [30, 4]


def test_identical_rows_have_the_lowest_others_as_neighbours():
    distances, indices = nearest_neighbors(np.ones((500, 6)), k=2)
    assert not distances.any()
    assert indices[0].tolist() == [1, 2]
    assert indices[1].tolist() == [0, 2]
    assert indices[499].tolist() == [0, 1]


@pytest.mark.parametrize(("n", "found"), [(0, 0), (1, 0), (2, 1), (3, 2), (4, 3), (9, 3)])
def test_with_fewer_than_k_others_all_of_them_are_found(n, found):
    distances, indices = nearest_neighbors(np.arange(2.0 * n).reshape(n, 2), k=3)
    assert distances.shape == indices.shape == (n, found)


def test_a_row_of_zeros_is_half_a_turn_from_everything_in_cosine():
    assert nearest_neighbors([[0.0, 0.0], [1.0, 0.0], [0.0, 0.0]], k=2, metric="cosine")[0].tolist() == [
        [0, 0.5], [0.5, 0.5], [0, 0.5],
    ]  # fmt: skip


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_are_refused_with_their_row(bad):
    vectors = np.zeros((9, 2))
    vectors[7, 1] = bad
    with pytest.raises(ValueError, match=r"shape \(9, 2\), holds NaN or infinity in row 7"):
        nearest_neighbors(vectors, k=1)


@pytest.mark.parametrize("vectors", [[1.0, 2.0], np.zeros((2, 2, 2)), np.zeros((3, 0)), [["a"]]])
def test_what_is_no_matrix_of_numbers_is_refused(vectors):
    with pytest.raises(ValueError, match="expected"):
        nearest_neighbors(vectors, k=1)


@pytest.mark.parametrize("arguments", [{"k": 0}, {"k": 1, "block_rows": 0}, {"k": 1, "metric": "manhattan"}])
def test_arguments_without_meaning_are_refused(arguments):
    with pytest.raises(ValueError, match=r"at least 1|unknown"):
        nearest_neighbors([[0.0], [1.0]], **arguments)


def test_integers_and_half_floats_are_taken_as_numbers():
    assert checked([[1, 2]]).dtype == np.float64
    assert checked(np.zeros((1, 2), np.float16)).dtype == np.float32


def test_a_distance_does_not_depend_on_the_pairs_beside_it(rng):
    vectors = rng.standard_normal((300, 129)).astype(np.float32)
    left, right = rng.integers(0, 300, 9000), rng.integers(0, 300, 9000)
    together = squared_distances(vectors, np.ones(300), left, right)
    alone = [squared_distances(vectors, np.ones(300), left[i : i + 1], right[i : i + 1])[0] for i in range(0, 9000, 97)]
    assert together[::97].tolist() == alone


def test_very_long_and_very_short_rows_get_length_one():
    rows = np.array([[3e200, 4e200], [3e-200, 4e-200]])
    np.testing.assert_allclose(rows * unit_factors(rows)[:, None], [[0.6, 0.8], [0.6, 0.8]])


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_screening_by_few_directions_finds_what_a_plain_computation_finds(metric, rng, monkeypatch):
    monkeypatch.setattr("saccade.brain.kernels.screening._ROWS", 256)
    rows = rng.standard_normal((900, 5)) @ rng.standard_normal((5, 80)) + 0.01 * rng.standard_normal((900, 80))
    rows[17] = 1e4
    vectors = rows.astype(np.float32)
    factors = np.ones(900)
    assert lower_bounds_for(vectors, factors, vectors, factors, 3).width < 80
    distances, indices = nearest_neighbors(vectors, 3, metric=metric)
    expected, order = plain(vectors, 3, metric)
    np.testing.assert_array_equal(indices, order)
    np.testing.assert_allclose(distances, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_a_search_that_holds_a_part_of_the_products_at_once_finds_the_same(metric, rng, monkeypatch):
    # sorted, so that the first rows to be looked at are far from most
    vectors = np.sort(rng.standard_normal((700, 3)), axis=0).astype(np.float32)
    vectors[300:340] = vectors[10]
    whole = nearest_neighbors(vectors, k=4, metric=metric)
    monkeypatch.setattr("saccade.brain.kernels.neighbors._TILE", 64)
    monkeypatch.setattr("saccade.brain.kernels.neighbors._TILES", 2)
    part = nearest_neighbors(vectors, k=4, metric=metric)
    np.testing.assert_array_equal(part[0], whole[0])
    np.testing.assert_array_equal(part[1], whole[1])
    asked = nearest_neighbors(vectors, k=4, metric=metric, queries=vectors[::7], excluding=np.arange(0, 700, 7))
    np.testing.assert_array_equal(asked[1], whole[1][::7])
    few = [near_duplicates(vectors, threshold, metric=metric).of for threshold in (0.0, 0.01)]
    monkeypatch.undo()
    for threshold, of in zip((0.0, 0.01), few, strict=True):
        np.testing.assert_array_equal(of, near_duplicates(vectors, threshold, metric=metric).of)


def test_no_bound_exceeds_the_distance_it_bounds(rng):
    rows = (rng.standard_normal((200, 40)) * np.geomspace(1, 1e-3, 40)).astype(np.float32)
    rows[3] *= 1000
    factors = np.ones(200)
    one, other = np.repeat(np.arange(200), 200), np.tile(np.arange(200), 200)
    true = squared_distances(rows, factors, one, other).reshape(200, 200)
    for directions in (None, np.linalg.qr(rng.standard_normal((40, 40)))[0], np.eye(40)[:, :6]):
        bounds = LowerBounds(rows.mean(axis=0, dtype=np.float64), directions)
        left, right = bounds.left(rows, factors), bounds.right(rows, factors)
        assert (left @ right.T <= true).all()
        np.testing.assert_array_equal(bounds.turned(right), left)


@pytest.mark.parametrize("threads", [1, 3])
def test_no_number_of_threads_changes_a_single_bit(threads, rng):
    vectors = rng.standard_normal((2000, 20)).astype(np.float32)
    whole = nearest_neighbors(vectors, 4, block_rows=2000)
    with threadpool_limits(threads, user_api="blas"):
        part = nearest_neighbors(vectors, 4, block_rows=100)
    np.testing.assert_array_equal(part[0], whole[0])
    np.testing.assert_array_equal(part[1], whole[1])


def test_queries_find_their_nearest_rows_and_never_the_one_they_are(rng):
    vectors = rng.standard_normal((300, 7)).astype(np.float32)
    asked = np.r_[vectors[[4, 250]], rng.standard_normal((1, 7)).astype(np.float32)]
    distances, indices = nearest_neighbors(vectors, 5, queries=asked)
    assert indices[:2, 0].tolist() == [4, 250]
    assert distances[:2, 0].tolist() == [0, 0]
    _, without = nearest_neighbors(vectors, 5, queries=asked, excluding=np.array([4, 250, -1]))
    own = nearest_neighbors(vectors, 5)[1]
    np.testing.assert_array_equal(without, [own[4], own[250], indices[2]])


def test_queries_of_another_width_are_refused_and_none_find_nothing():
    with pytest.raises(ValueError, match=r"queries has shape \(1, 3\) and vectors \(2, 1\)"):
        nearest_neighbors([[0.0], [1.0]], 1, queries=[[0.0, 0.0, 0.0]])
    assert nearest_neighbors([[0.0], [1.0]], 3, queries=np.empty((0, 1)))[0].shape == (0, 2)
    assert nearest_neighbors(np.empty((0, 1)), 3, queries=[[1.0]])[0].shape == (1, 0)


def test_stopping_in_the_middle_ends_the_search_at_once(rng):
    def stop(done):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        nearest_neighbors(rng.standard_normal((500, 3)), 2, block_rows=5, advance=stop)
