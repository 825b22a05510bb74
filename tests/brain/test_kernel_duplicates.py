"""Near-duplicates, leaks and copies of files: worked by hand, against plain loops, and at the edges."""

import numpy as np
import pytest

from saccade.brain.kernels.copies import identical_files
from saccade.brain.kernels.duplicates import duplicate_radius, leaks, near_duplicates
from saccade.brain.kernels.neighbors import nearest_neighbors


def walked(vectors, radius):
    """Keep rows one after another, by all distances at once."""
    apart = np.linalg.norm(vectors[:, None] - vectors[None], axis=2)
    near = apart**2 <= radius[:, None] * radius[None]
    kept = []
    for row in range(len(vectors)):
        if not near[row, kept].any():
            kept.append(row)
    return [row if row in kept else kept[int(np.argmin(apart[row, kept]))] for row in range(len(vectors))]


@pytest.fixture
def scattered(rng):
    rows = rng.standard_normal((300, 6)) * np.repeat([0.1, 1.0, 5.0], 100)[:, None]
    again = rows[rng.choice(300, 40, replace=False)]
    return np.r_[rows, again + 0.001 * rng.standard_normal(again.shape)]


def test_a_row_repeats_the_nearest_kept_one_within_the_threshold():
    found = near_duplicates([[0.0], [1.0], [0.15], [0.2], [0.9], [0.0]], 0.25, metric="euclidean")
    assert found.of.tolist() == [0, 1, 0, 0, 1, 0]
    assert found.distances == pytest.approx([0, 0, 0.15, 0.2, 0.1, 0])


def test_the_threshold_itself_is_within():
    assert near_duplicates([[0.0], [0.5], [1.25]], 0.5, metric="euclidean").of.tolist() == [0, 0, 2]


@pytest.mark.parametrize("threshold", [None, 0.002, 0.5])
def test_the_walk_agrees_with_a_plain_loop(threshold, scattered):
    found = near_duplicates(scattered, threshold, metric="euclidean")
    assert found.of.tolist() == walked(scattered, duplicate_radius(scattered, threshold, metric="euclidean"))


def test_planted_copies_are_found_in_dense_and_in_thin_regions_without_a_threshold(scattered):
    found = near_duplicates(scattered, metric="euclidean")
    repeats = found.of != np.arange(340)
    assert repeats[300:].mean() > 0.95
    assert repeats[:300].mean() < 0.02


def test_the_radius_is_three_eighths_of_the_mean_distance_to_the_fourth_to_twelfth_different_row(rng):
    rows = rng.standard_normal((50, 4))
    copies = np.r_[rows, np.repeat(rows[:1], 30, axis=0)]
    expected = nearest_neighbors(rows, 12)[0][:, 3:].prod(axis=1) ** (1 / 9) * 3 / 8
    np.testing.assert_allclose(duplicate_radius(copies, metric="euclidean")[:50], expected, rtol=1e-12)
    np.testing.assert_allclose(duplicate_radius(copies, metric="euclidean")[50:], expected[0], rtol=1e-12)


def test_a_cosine_radius_is_three_eighths_of_the_chord():
    rows = np.array([[1.0, 0.0], [0.0, 1.0]])  # their chord is sqrt(2), three eighths of it squared and halved 9 / 64
    assert duplicate_radius(rows) == pytest.approx([9 / 64, 9 / 64])


def test_three_near_copies_leave_the_scale_of_an_image_as_it_is(rng):
    rows = rng.standard_normal((50, 8))
    with_copies = np.r_[rows, rows[:1] + np.array([[1e-3], [2e-3], [3e-3]])]
    found = near_duplicates(with_copies, metric="euclidean")
    assert found.of[50:].tolist() == [0, 0, 0]
    assert found.radius[0] >= duplicate_radius(rows, metric="euclidean")[0] * 0.8


def test_a_pair_counts_up_to_the_geometric_mean_of_both_radii():
    # Twelve at -2.3: 3/8 of the way there is 0.86 from 0, and 1.24 from 1. The mean is 1.03.
    rows = np.r_[0.0, 1.0, -2.3 - 1e-6 * np.arange(12)][:, None]
    assert duplicate_radius(rows, metric="euclidean")[:2] == pytest.approx([0.8625, 1.2375], rel=1e-4)
    assert near_duplicates(rows, metric="euclidean").of[:2].tolist() == [0, 0]
    assert leaks(rows, np.eye(2, dtype=bool)[[0, *[1] * 13]], metric="euclidean").counts[:2].tolist() == [1, 1]


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_copies_are_found_at_any_threshold_and_identical_rows_are_one_group(metric):
    rows = np.full((500, 3), 2.0)
    for threshold in (None, 0.0, 0.1):
        assert near_duplicates(rows, threshold, metric=metric).of.tolist() == [0] * 500


def test_rows_of_one_direction_are_the_same_in_cosine_and_not_in_euclidean():
    rows = [[1.0, 1.0], [3.0, 3.0], [1.0, -1.0]]
    assert near_duplicates(rows, 1e-6).of.tolist() == [0, 0, 2]
    assert near_duplicates(rows, 1e-6, metric="euclidean").of.tolist() == [0, 1, 2]


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_none_one_two_and_three_rows_are_defined(n):
    assert near_duplicates(np.arange(1.0, 1 + 2 * n).reshape(n, 2), 0.0).of.tolist() == list(range(n))
    assert leaks(np.arange(1.0, 1 + 2 * n).reshape(n, 2), np.zeros((n, 2), bool)).counts.tolist() == [0] * n


@pytest.mark.parametrize("threshold", [-0.1, float("nan")])
def test_a_threshold_that_is_no_distance_is_refused(threshold):
    with pytest.raises(ValueError, match="must be a distance"):
        near_duplicates([[0.0], [1.0]], threshold)


@pytest.mark.parametrize("threshold", [None, 0.5])
def test_every_pair_across_splits_counts(scattered, rng, threshold):
    scattered[[50, 51, 150, 250, 251]] = scattered[[0, 0, 100, 200, 200]]
    member = rng.random((340, 3)) < [0.5, 0.3, 0.1]
    found = leaks(scattered, member, threshold, metric="euclidean")
    radius = duplicate_radius(scattered, threshold, metric="euclidean")
    np.testing.assert_array_equal(found.radius, radius)
    apart = np.linalg.norm(scattered[:, None] - scattered[None], axis=2)
    for row in range(340):
        crossing = [
            other
            for other in range(340)
            if apart[row, other] ** 2 <= radius[row] * radius[other] and member[row].any() and member[other].any()
            and (member[row] | member[other]).sum() > 1 and (other != row or member[row].sum() > 1)
        ]  # fmt: skip
        assert found.counts[row] == len(crossing)
        assert found.nearest[row] == (min(crossing, key=lambda other: apart[row, other]) if crossing else -1)


def test_a_pair_between_two_that_were_not_kept_is_a_leak_too():
    # 0 and 0.3 are 0.3 apart; of the walk, both would only be attached to 0.15, which is in no split
    member = np.array([[False, False], [True, False], [False, True]])
    found = leaks([[0.15], [0.0], [0.3]], member, 0.3, metric="euclidean")
    assert found.counts.tolist() == [0, 1, 1]
    assert found.nearest.tolist() == [-1, 2, 1]


def test_a_thousand_copies_in_two_splits_are_counted_without_a_million_of_pairs():
    member = np.array([[True, False], [False, True]] * 500)
    found = leaks(np.ones((1000, 3)), member)
    assert found.counts.tolist() == [500] * 1000
    assert found.nearest[:2].tolist() == [1, 0]


def test_a_row_in_two_splits_leaks_into_itself():
    found = leaks([[1.0, 0.0], [0.0, 1.0]], np.array([[True, True], [True, False]]), 0.0)
    assert (found.counts.tolist(), found.nearest.tolist(), found.distances[0]) == ([1, 0], [0, -1], 0.0)


def test_memberships_of_another_length_are_refused():
    with pytest.raises(ValueError, match=r"member has shape \(2, 2\); expected \(3, s\)"):
        leaks(np.eye(3), np.zeros((2, 2), bool))


def test_files_are_copies_if_all_their_bytes_are_the_same(tmp_path, monkeypatch):
    contents = {"a": b"one", "b": b"two", "c": b"one", "d": b"longer", "e": b"", "f": b"", "g": b"one"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    paths = [str(tmp_path / name) for name in contents]
    assert identical_files(paths) == ([[0, 2, 6], [4, 5]], {})
    monkeypatch.setattr("saccade.brain.kernels.copies._digest", lambda path: b"every hash collides")
    assert identical_files(paths) == ([[0, 2, 6], [4, 5]], {})


def test_a_large_file_is_compared_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr("saccade.brain.kernels.copies._CHUNK", 7)
    for name, content in (("a", b"x" * 20), ("b", b"x" * 19 + b"y"), ("c", b"x" * 20)):
        (tmp_path / name).write_bytes(content)
    assert identical_files([str(tmp_path / name) for name in "abc"])[0] == [[0, 2]]


def test_files_that_cannot_be_read_are_noted_and_the_rest_is_compared(tmp_path):
    (tmp_path / "a").write_bytes(b"one")
    paths = [str(tmp_path / name) for name in ("a", "gone", "a")] + [str(tmp_path)]
    seen = []
    groups, errors = identical_files(paths, advance=seen.append)
    assert groups == [[0, 2]]
    assert errors == {1: "the file does not exist", 3: "it is no file"}
    assert sum(seen) == 4


def test_more_rows_of_one_direction_than_are_listed_all_count():
    rows = np.outer(np.arange(1.0, 41.0), [3.0, 4.0])
    found = leaks(np.r_[rows, [[1.0, -1.0]]], np.array([[True, False], [False, True]] * 20 + [[True, False]]))
    assert found.counts.tolist() == [20] * 40 + [0]
    assert near_duplicates(rows).of.tolist() == [0] * 40
