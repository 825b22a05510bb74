"""A network in an ONNX file, by onnxruntime: no torch and no tensorflow is needed.

Size, channels and layout are read from the graph. Numbers are normalised as for `TorchModel`, so that an exported
module gives the vectors it gave before; a graph that takes bytes gets the pixels as they are.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from ...dataset.errors import ModelError, hint
from .extras import imported
from .image_input import Layout, image_input
from .network import IMAGENET_MEAN, IMAGENET_STD, Network
from .pooling import Pooling
from .preparation import Resize, preparation_of

_TYPES = {
    "tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64, "tensor(uint8)": np.uint8,
}  # fmt: skip


class OnnxModel(Network):
    """Embeds with a graph of one image input."""

    def __init__(
        self, path: str, *, image_size: int | tuple[int, int] | None = None, resize: Resize = "squeeze",
        layout: Layout | None = None, mean: float | Sequence[float] | None = None,
        std: float | Sequence[float] | None = None, output: str | None = None, pooling: Pooling = None,
        device: str | None = None,
    ) -> None:  # fmt: skip
        """Open a file.

        Args:
            path: the .onnx file; weights in files beside it are found.
            image_size: pixels of each side, or (height, width), where the graph takes any.
            resize: as `TorchModel`.
            layout: "NCHW" or "NHWC", where the shape does not tell.
            mean: of each channel or of all, for pixels in 0..1; by default those of ImageNet, and 0 for grey.
            std: as `mean`; by default those of ImageNet, and 1 for grey.
            output: the output to take; by default the first.
            pooling: as `TorchModel`.
            device: "cpu" or "cuda"; None is CUDA if onnxruntime has it.

        Raises:
            ModelError: if there is no such file, it is no graph of one image input, or an option does not fit it.
            MissingExtraError: if onnxruntime is not installed.
        """
        name = f"onnx:{path}"
        self._path = Path(path).expanduser()
        if not self._path.is_file():
            raise ModelError(f"model {name!r}: there is no file {self._path}.")
        runtime = imported("onnxruntime", "onnx", f"model {name!r}")
        self._session = _session(runtime, name, self._path, device)
        inputs = self._session.get_inputs()
        if len(inputs) != 1 or inputs[0].type not in _TYPES:
            listed = ", ".join(f"{given.name} {given.type}" for given in inputs)
            raise ModelError(f"model {name!r} takes {listed or 'nothing'}; expected one batch of images as numbers.")
        self._input, self._type = inputs[0].name, _TYPES[inputs[0].type]
        takes = image_input(name, inputs[0].shape, layout)
        rows = inputs[0].shape[0]
        self._rows: int | None = rows if isinstance(rows, int) and rows > 0 else None
        self._output = _output(name, [given.name for given in self._session.get_outputs()], output)
        is_plain = self._type is np.uint8
        if is_plain and not (mean is None and std is None):
            raise ModelError(f"model {name!r} takes pixels as bytes, which have no mean= or std=. Leave them out.")
        is_usual = takes.channels == 3 and not is_plain
        preparation = preparation_of(
            takes.size(name, image_size), resize, is_grey=takes.channels == 1, scale=1.0 if is_plain else 1 / 255,
            mean=(IMAGENET_MEAN if is_usual else 0.0) if mean is None else mean,
            std=(IMAGENET_STD if is_usual else 1.0) if std is None else std,
        )  # fmt: skip
        super().__init__(name, preparation, pooling)
        self.channels_first = takes.channels_first
        self._digest = _hash_of_files(self._path, self._output)

    def _weights(self) -> str:
        return self._digest

    def _forward(self, batch: NDArray[np.uint8]) -> Any:
        numbers = self.preparation.numbers(batch, channels_first=self.channels_first).astype(self._type)
        rows = self._rows or len(numbers)
        outputs = [self._run(numbers[start : start + rows], rows) for start in range(0, len(numbers), rows)]
        return outputs[0] if len(outputs) == 1 else np.concatenate(outputs)

    def _run(self, numbers: NDArray[Any], rows: int) -> NDArray[Any]:
        """Send some images through; a graph for a fixed number gets the last one again until they are as many."""
        count = len(numbers)
        if count < rows:
            numbers = np.concatenate([numbers, np.repeat(numbers[-1:], rows - count, axis=0)])
        (returned,) = self._session.run([self._output], {self._input: numbers})
        result: NDArray[Any] = returned[:count] if count < rows and len(returned) == rows else returned
        return result


def _session(runtime: Any, name: str, path: Path, device: str | None) -> Any:
    there = runtime.get_available_providers()
    if device not in (None, "cpu", "cuda"):
        raise ModelError(f"device={device!r} is unknown. Use 'cpu', 'cuda' or None.")
    has_cuda = "CUDAExecutionProvider" in there
    if device == "cuda" and not has_cuda:
        raise ModelError(
            f"device='cuda' was asked for, and onnxruntime {runtime.__version__} has only {', '.join(there)}. "
            "Use 'cpu', or install onnxruntime-gpu."
        )
    wanted = ["CUDAExecutionProvider"] if has_cuda and device != "cpu" else []
    try:
        return runtime.InferenceSession(str(path), providers=[*wanted, "CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has errors of its own, which differ between its versions
        raise ModelError(f"model {name!r} cannot be opened: {str(error).strip()[:300]}") from error


def _output(name: str, known: list[str], output: str | None) -> str:
    if output is not None and output not in known:
        raise ModelError(f"model {name!r} has no output {output!r}. {hint(output, known, 'Outputs')}")
    return output or known[0]


def _hash_of_files(path: Path, output: str) -> str:
    """A hash of the graph, of weights that lie beside it, and of the output that is taken."""
    digest = xxhash.xxh3_128(output.encode())
    for file in (path, path.with_name(path.name + ".data"), path.with_name(path.name + "_data")):
        if file.is_file():
            with file.open("rb") as content:
                while block := content.read(1 << 22):
                    digest.update(block)
    return digest.hexdigest()[:12]
