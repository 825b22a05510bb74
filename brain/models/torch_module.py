"""Any `torch.nn.Module` as an embedding model.

The module gets (n, 3, height, width) numbers, by default of 224 x 224 pixels, normalised as most networks for photos
expect; what it returns is made one vector per image by `pooling.pooled`.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...dataset.errors import ModelError
from .extras import imported
from .network import IMAGENET_MEAN, IMAGENET_STD, Network, weights_hash
from .pooling import Pooling
from .preparation import Preparation, Resize, preparation_of


class TorchNetwork(Network):
    """What all networks of torch share: where and how a batch is computed."""

    def __init__(
        self, name: str, module: Any, preparation: Preparation, pooling: Pooling, *, device: Any | None,
        mixed_precision: bool,
    ) -> None:  # fmt: skip
        super().__init__(name, preparation, pooling)
        self._torch = imported("torch", "torch", f"model {name!r}")
        self._module = module if device is None else module.to(device)
        self._mixed_precision = mixed_precision

    def _weights(self) -> str:
        arrays = ((name, _bytes_of(self._torch, tensor)) for name, tensor in self._module.state_dict().items())
        return weights_hash(arrays)

    def _forward(self, batch: NDArray[np.uint8]) -> Any:
        device, dtype = self._place()
        with evaluating(self._module), self._torch.inference_mode(), self._precision(device):
            return self._output(self._numbers(batch, device, dtype))

    def _numbers(self, batch: NDArray[np.uint8], device: Any, dtype: Any) -> Any:
        """Send the pixels over as bytes, a quarter of their numbers, and normalise them there."""
        factor, offset = (self._torch.from_numpy(part).to(device) for part in self.preparation.factor_and_offset())
        pixels = self._torch.from_numpy(batch).to(device).float() * factor + offset
        return pixels.permute(0, 3, 1, 2).contiguous().to(dtype)

    def _output(self, numbers: Any) -> Any:
        return self._module(numbers)

    def _array(self, output: Any) -> NDArray[np.float32]:
        values: NDArray[np.float32] = output.detach().float().cpu().numpy()
        return values

    def _place(self) -> tuple[Any, Any]:
        for parameter in self._module.parameters():
            if parameter.is_floating_point():
                return parameter.device, parameter.dtype
        return self._torch.device("cpu"), self._torch.float32

    def _precision(self, device: Any) -> AbstractContextManager[Any]:
        if device.type != "cuda" or not self._mixed_precision:
            return nullcontext()
        is_wide = self._torch.cuda.is_bf16_supported()
        autocast: AbstractContextManager[Any] = self._torch.autocast(
            "cuda", dtype=self._torch.bfloat16 if is_wide else self._torch.float16
        )
        return autocast


class TorchModel(TorchNetwork):
    """Embeds with a `torch.nn.Module`, in evaluation mode and without gradients."""

    def __init__(
        self, module: Any, *, image_size: int | tuple[int, int] = 224, resize: Resize = "squeeze",
        grey: bool = False, mean: float | Sequence[float] | None = None, std: float | Sequence[float] | None = None,
        pooling: Pooling = None, device: str | None = None, mixed_precision: bool = True, name: str | None = None,
    ) -> None:  # fmt: skip
        """Wrap a module.

        Args:
            module: the module. It is moved to `device`; its modes and gradients are left as they are.
            image_size: pixels of each side, or (height, width).
            resize: "squeeze" brings an image to that size whatever its proportions; "crop" resizes its shorter side
                and cuts the middle out.
            grey: give the module one channel, the luma, instead of three.
            mean: of each channel or of all, for pixels in 0..1; by default those of ImageNet, and 0 for grey.
            std: as `mean`; by default those of ImageNet, and 1 for grey.
            pooling: how an output that is no (n, d) becomes vectors: None, "mean", "first", "flatten" or a function.
            device: "cpu", "cuda", "cuda:1", …; None leaves the module where it is.
            mixed_precision: on CUDA, compute in bfloat16 (float16 where the card lacks it). Vectors then differ from
                those of the CPU by about a hundredth; the version stays the same.
            name: kept with the vectors; by default the name of the module's class.

        Raises:
            ModelError: if the device or another option cannot be used.
            MissingExtraError: if torch is not installed.
        """
        chosen = name or type(module).__name__
        torch = imported("torch", "torch", f"model {chosen!r}")
        usual_mean, usual_std = ((0.0,), (1.0,)) if grey else (IMAGENET_MEAN, IMAGENET_STD)
        preparation = preparation_of(
            image_size, resize, is_grey=grey, mean=usual_mean if mean is None else mean,
            std=usual_std if std is None else std,
        )  # fmt: skip
        super().__init__(
            chosen, module, preparation, pooling, device=None if device is None else checked_device(torch, device),
            mixed_precision=mixed_precision,
        )  # fmt: skip


@contextmanager
def evaluating(module: Any) -> Iterator[None]:
    """Put a module into evaluation mode inside a `with` block, and back into the modes it had."""
    training = [part for part in module.modules() if part.training]
    module.eval()
    try:
        yield
    finally:
        for part in training:
            part.training = True


def checked_device(torch: Any, device: str | None) -> Any:
    """The device to use; None is the first CUDA card, or else the processor.

    Raises:
        ModelError: if there is no such device.
    """
    cards = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device is None:
        return torch.device("cuda" if cards else "cpu")
    try:
        chosen = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise ModelError(f"device={device!r} is unknown. Use 'cpu', 'cuda' or 'cuda:<number>'.") from error
    if chosen.type == "cuda" and (chosen.index or 0) >= cards:
        raise ModelError(
            f"device={device!r} was asked for, and torch {torch.__version__} finds {cards} CUDA cards. Use 'cpu' or "
            "None, or install torch with CUDA."
        )
    return chosen


def _bytes_of(torch: Any, tensor: Any) -> NDArray[Any]:
    """The numbers of a tensor; types that NumPy lacks, such as bfloat16, as their bytes."""
    plain = tensor.detach().cpu().contiguous()
    try:
        array: NDArray[Any] = plain.numpy()
    except TypeError:
        array = plain.reshape(-1).view(torch.uint8).numpy()
    return array
