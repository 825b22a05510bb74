"""Products that screen: the two nearest, and errors that stay within their bounds."""

import numpy as np
import pytest

from saccade.brain.kernels.products import NumpyProducts, smallest_two


def torch_products(device="cpu", name="float32"):
    torch = pytest.importorskip("torch")
    from saccade.brain.kernels.torch_products import TorchProducts

    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("there is no GPU")
    return TorchProducts(device, getattr(torch, name))


KINDS = pytest.mark.parametrize("made", [
    pytest.param(NumpyProducts, id="numpy"),
    pytest.param(torch_products, id="float32"),
    pytest.param(lambda: torch_products(name="bfloat16"), id="bfloat16"),
    pytest.param(lambda: torch_products("cuda"), id="cuda float32"),
    pytest.param(lambda: torch_products("cuda", "bfloat16"), id="cuda bfloat16"),
])  # fmt: skip


def sides(m, k, d, rng, *, spread=1.0):
    """Rows in float32 and their squared lengths, twice."""
    left, right = ((spread * rng.random((rows, d))).astype(np.float32) for rows in (m, k))
    return left, np.square(left, dtype=np.float64).sum(axis=1), right, np.square(right, dtype=np.float64).sum(axis=1)


def true_distances(left, right):
    """Squared distances in float64."""
    return np.square(left.astype(np.float64)[:, None] - right).sum(axis=2)


@KINDS
def test_the_two_nearest_are_found_where_they_are_clear(made):
    left = np.array([[0.0, 0.0], [8.0, 0.0]], dtype=np.float32)
    right = np.array([[1.0, 0.0], [0.0, 4.0], [8.0, 2.0]], dtype=np.float32)
    squares = [np.square(side, dtype=np.float64).sum(axis=1) for side in (left, right)]
    first, nearest, second = made().nearest_two(left, squares[0], right, squares[1])
    assert first.tolist() == [1, 4]
    assert nearest.tolist() == [0, 2]
    assert second.tolist() == [16, 49]


@KINDS
def test_one_row_has_no_second_nearest(made):
    left, left_squares, right, right_squares = sides(3, 1, 4, np.random.default_rng(0))
    first, nearest, second = made().nearest_two(left, left_squares, right, right_squares)
    assert np.isfinite(first).all()
    assert nearest.tolist() == [0, 0, 0]
    assert np.isinf(second).all()


@KINDS
@pytest.mark.parametrize("d", [1, 2, 7, 300])
def test_what_is_screened_is_within_the_error_that_is_told(made, d):
    products = made()
    for seed in range(30):
        given = sides(20, 6, d, np.random.default_rng(seed), spread=10.0 ** (seed % 7 - 3))
        first, nearest, second = products.nearest_two(*given)
        true = true_distances(given[0], given[2])
        reach = np.square(np.sqrt(given[1]) + np.sqrt(given[3]).max())
        bound = products.error(d) * reach
        assert (np.abs(first - true[np.arange(20), nearest]) <= bound).all()
        assert (np.abs(first - true.min(axis=1)) <= bound).all()
        assert (np.abs(second - np.sort(true, axis=1)[:, 1]) <= bound).all()


def test_the_error_of_bfloat16_covers_three_roundings_the_same_way():
    # each lies halfway between two neighbours, and so does about their product
    products = torch_products(name="bfloat16")
    ends = np.arange(1, 2, 2.0**-10, dtype=np.float32)[:, None]
    squares = np.square(ends, dtype=np.float64)[:, 0]
    worst = 0.0
    for end, square in zip(ends, squares, strict=True):
        first, _, _ = products.nearest_two(ends, squares, end[None], np.array([square]))
        error = np.abs(first - np.square(ends.astype(np.float64) - end)[:, 0]) / np.square(ends[:, 0] + end[0])
        worst = max(worst, float(error.max()))
    assert worst <= products.error(1)


def test_the_smallest_two_of_each_row_are_found_the_first_among_equals():
    first, nearest, second = smallest_two(
        np.array([[3.0, 1.0, 2.0], [5.0, 5.0, 9.0]], np.float32), np.array([10.0, 0.0])
    )
    assert first.tolist() == [11, 5]
    assert nearest.tolist() == [1, 0]
    assert second.tolist() == [12, 5]


def test_the_quickest_products_of_the_processor_are_chosen():
    pytest.importorskip("torch")
    from saccade.brain.kernels.torch_products import TorchProducts, products_of

    assert isinstance(products_of("cpu"), NumpyProducts | TorchProducts)


def test_a_device_that_is_not_there_is_an_error():
    torch = pytest.importorskip("torch")
    from saccade.brain.kernels.torch_products import products_of

    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises((RuntimeError, AssertionError)):
        products_of("cuda")
