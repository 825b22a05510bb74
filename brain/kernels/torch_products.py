"""Screened distances by torch: on a CUDA device, or in bfloat16 where a processor is quicker with it.

The only place in the kernels that knows torch, which is imported when products are made.
"""

import time
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...dataset.types import FloatArray
from .products import NumpyProducts, Products, Two

if TYPE_CHECKING:
    import torch

_HALF = 2.0**-8  # the largest relative error of rounding to bfloat16, which has 8 bits
_SINGLE = 2.0**-24
_TRIED = (512, 256, 128)
_QUICKER = 3.0  # how much quicker bfloat16 must be, since it leaves more to measure


class TorchProducts:
    """Products on a device of torch, in float32 or bfloat16; sums are in float32 always, and then rounded."""

    def __init__(self, device: str = "cpu", dtype: "torch.dtype | None" = None) -> None:
        """Choose where and how precisely products are computed; float32 by default."""
        import torch

        self._torch, self._device, self._dtype = torch, torch.device(device), dtype or torch.float32
        if self._device.type == "cuda":
            torch.backends.cuda.matmul.allow_tf32 = False  # its 11 bits are not those of float32
            torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction = False

    def error(self, width: int) -> float:
        """Both factors and their product are rounded to bfloat16; else as for BLAS."""
        rounding = ((1 + _HALF) ** 3 - 1) / 2 if self._dtype == self._torch.bfloat16 else 0.0
        return rounding + (0.6 * width + 6.0) * _SINGLE

    def nearest_two(
        self, left: NDArray[np.float32], left_squares: FloatArray, right: NDArray[np.float32], right_squares: FloatArray
    ) -> Two:
        """Find the two nearest by one product."""
        torch = self._torch
        mine, theirs = (torch.from_numpy(side).to(self._device, self._dtype) for side in (left, right))
        product = (mine @ theirs.T).to(torch.float32)
        squares = torch.from_numpy(np.asarray(right_squares, dtype=np.float32)).to(self._device)
        screened = torch.addcmul(squares, product, product.new_tensor(-2.0))
        if screened.shape[1] == 1:
            screened = torch.nn.functional.pad(screened, (0, 1), value=torch.inf)
        values, places = torch.topk(screened, 2, dim=1, largest=False)
        lengths = left_squares.astype(np.float32)
        two = values.cpu().numpy() + lengths[:, None]
        return two[:, 0], places[:, 0].cpu().numpy(), two[:, 1]


def products_of(device: str) -> Products:
    """What is quickest on a device; on the processor by a trial of some milliseconds.

    Raises:
        RuntimeError: if there is no such device.
    """
    import torch

    if torch.device(device).type != "cpu":
        torch.zeros(1, device=device)
        return TorchProducts(device)
    m, d, k = _TRIED
    left, right = (np.ones((rows, d), dtype=np.float32) for rows in (m, k))
    tried: list[Products] = [NumpyProducts(), TorchProducts(dtype=torch.bfloat16)]
    seconds = []
    for products in tried:
        took = []
        for _ in range(3):
            start = time.perf_counter()
            products.nearest_two(left, np.ones(m), right, np.ones(k))
            took.append(time.perf_counter() - start)
        seconds.append(min(took))
    return tried[0] if seconds[0] <= _QUICKER * seconds[1] else tried[1]
