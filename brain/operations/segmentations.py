"""Masks beside predicted masks, one image at a time: in class numbers, with the probabilities of their pixels."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ...dataset.errors import FieldKindError, FieldNotFoundError
from ...dataset.types import SampleId
from ..kernels.probabilities import first_invalid_row
from ..kernels.segmentation_mistakenness import UNJUDGED
from .pixels import open_probabilities, read_mask, read_rows
from .predictions import checked_confidence, read_columns

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection

_SURE = 0.9  # of a mask without a confidence; the calibration makes of it what it is worth


Blocks: TypeAlias = Callable[[], Iterator[NDArray[np.float64]]]
"""Reads the probabilities of an image, some rows at a time."""


class Image(NamedTuple):
    """One image.

    Attributes:
        row: of its sample.
        given: (h, w) class numbers; `UNJUDGED` for pixels without a class.
        blocks: reads the probabilities of its pixels, (rows, w, c) at a time, from the top.
    """

    row: int
    given: NDArray[np.int64]
    blocks: Blocks


class _Model(NamedTuple):
    """Where the predictions of one model are."""

    field: str

    @property
    def file(self) -> str:
        """The path of the attribute that names the file of probabilities."""
        return f"{self.field}.probabilities_path"

    @property
    def confidence(self) -> str:
        """The path of the confidence."""
        return f"{self.field}.confidence"


class Masks:
    """The masks and predictions of samples, and what their values mean.

    The probabilities of several models are averaged.

    Channel k of probabilities is the mask value k. A value is judged if it is a channel, or, where there are only
    predicted masks, if these know it; and where there are mask targets, if it has a name there or is 0, the background.

    Attributes:
        ids: all samples.
        names: of the classes, by class number.
    """

    ids: list[SampleId]
    names: list[str]

    def __init__(self, samples: "SampleCollection", label_field: str, pred_fields: Sequence[str]) -> None:
        """Read what is small, and find out about the classes.

        Raises:
            UnreadableMediaError: if a file cannot be read.
            FieldNotFoundError: if the attribute with the files or the one with the confidence is not declared.
        """
        self._samples, self._label = samples, label_field
        self._models = [_Model(field) for field in pred_fields]
        known = samples._schema().paths()
        dynamic = [path for model in self._models for path in (model.file, model.confidence) if path in known]
        for model in self._models:
            self._check_declared(model, dynamic)
        files = [f"{field}.mask_path" for field in (label_field, *pred_fields)]
        self.ids, self._columns = read_columns(samples, [*files, *dynamic])
        named = (samples.get_mask_targets(field) for field in (label_field, *pred_fields))
        found = next((targets for targets in named if targets), {})
        targets = {value: name for value, name in found.items() if isinstance(value, int)}
        values = self._channels() or (sorted({0, *targets}) if targets else self._predicted())
        self._values = np.array(values, dtype=np.int64)
        self._has_name = np.array([not targets or value == 0 or value in targets for value in values], dtype=bool)
        self.names = [targets.get(value) or ("background" if value == 0 else str(value)) for value in values]

    def images(self) -> Iterator[Image]:
        """Go through the images that have a mask and a prediction of every model; each is read when its turn comes.

        Raises:
            UnreadableMediaError: if a file cannot be read, naming it and the sample.
            FieldKindError: if the sizes of masks differ, or pixels have no probabilities, naming the sample.
        """
        for row, ours, theirs in self._pairs():
            files = [self._value(model.file, row) for model in self._models]
            is_there = [file is not None or mask is not None for file, mask in zip(files, theirs, strict=True)]
            if ours is None or not ours.size or not all(is_there):
                continue
            given = self._numbered(ours)
            readers = []
            for model, file, mask in zip(self._models, files, theirs, strict=True):
                if file is not None:
                    readers.append(self._of_file(model, row, file, given.shape))
                elif mask is not None:
                    self._check_size(model, row, "mask", mask.shape, given.shape)
                    predicted = self._numbered(mask)
                    given[predicted == UNJUDGED] = UNJUDGED
                    readers.append(self._of_mask(model, row, predicted))
            yield Image(row, given, _mean_of(readers))

    def _check_declared(self, model: _Model, known: Sequence[str]) -> None:
        """Refuse probabilities that are stored but cannot be seen, rather than pass over them."""
        unseen = {model.file, model.confidence}.difference(known)
        stored = self._samples.get_dynamic_field_schema(model.field) if unseen else {}
        for path in sorted(unseen.intersection(stored)):
            raise FieldNotFoundError(
                f"labels in {model.field!r} have an attribute {path.split('.')[-1]!r} that is not declared. "
                "dataset.add_dynamic_sample_fields() declares it."
            )

    def _value(self, path: str, row: int) -> Any:
        return self._columns[path][row] if path in self._columns else None

    def _pairs(self) -> Iterator[tuple[int, NDArray[np.int64] | None, list[NDArray[np.int64] | None]]]:
        """The row, mask and predicted masks of each sample; of these, None where there are probabilities."""
        row_of = {sample_id: row for row, sample_id in enumerate(self.ids)}
        paths = [f"{field}.mask" for field in (self._label, *(model.field for model in self._models))]
        for batch in self._samples.iter_batches(paths, batch_size=1):
            for sample_id, ours, *theirs in zip(batch["id"], *(batch[path] for path in paths), strict=True):
                row = row_of.get(sample_id)
                if row is None:
                    continue
                predicted = [
                    None if self._value(model.file, row) is not None else self._mask(model.field, row, mask)
                    for model, mask in zip(self._models, theirs, strict=True)
                ]
                yield row, self._mask(self._label, row, ours), predicted

    def _mask(self, field: str, row: int, mask: Any) -> NDArray[np.int64] | None:
        return read_mask(mask, self._value(f"{field}.mask_path", row), field, self.ids[row])

    def _channels(self) -> list[int]:
        """The channels of the first file; none if there is no file."""
        for model in self._models:
            files = self._columns.get(model.file, [])
            first = next((row for row, file in enumerate(files) if file is not None), None)
            if first is not None:
                return list(range(open_probabilities(files[first], self.ids[first]).shape[2]))
        return []

    def _predicted(self) -> list[int]:
        """The values in predicted masks."""
        found: set[int] = set()
        for _, _, theirs in self._pairs():
            for mask in theirs:
                found.update(() if mask is None else np.unique(mask).tolist())
        return sorted(found)

    def _numbered(self, mask: NDArray[np.int64]) -> NDArray[np.int64]:
        """Mask values as class numbers."""
        if not len(self._values):
            return np.full(mask.shape, UNJUDGED, dtype=np.int64)
        at = np.minimum(np.searchsorted(self._values, mask), len(self._values) - 1)
        return np.where((self._values[at] == mask) & self._has_name[at], at, UNJUDGED)

    def _of_file(self, model: _Model, row: int, path: str, size: tuple[int, ...]) -> Blocks:
        image = open_probabilities(path, self.ids[row])
        self._check_size(model, row, f"array {path}", image.shape[:2], size)
        if image.shape[2] != len(self._values):
            raise FieldKindError(
                f"the probabilities {path} of sample {self.ids[row]} have {image.shape[2]} classes; those of other "
                f"samples have {len(self._values)}."
            )

        def blocks() -> Iterator[NDArray[np.float64]]:
            for block in read_rows(image):
                flat = block.reshape(-1, block.shape[2])
                bad = first_invalid_row(flat)
                if bad is not None:
                    raise FieldKindError(
                        f"{path!r} of sample {self.ids[row]} are no probabilities: smallest {flat[bad].min():.4g}, sum "
                        f"{flat[bad].sum():.4g}; expected none below 0 and a sum of 1. Correct what {model.field!r} "
                        "names."
                    )
                yield block

        return blocks

    def _of_mask(self, model: _Model, row: int, predicted: NDArray[np.int64]) -> Blocks:
        """The predicted class of a pixel has the confidence of the whole, the others share the rest."""
        told = self._value(model.confidence, row)
        sure = _SURE if told is None else checked_confidence(model.field, self.ids[row], told)
        classes = len(self._values)
        rest = (1 - sure) / max(classes - 1, 1)

        def blocks() -> Iterator[NDArray[np.float64]]:
            for block in read_rows(predicted):
                numbers = block.astype(np.int64)
                p = np.full((*numbers.shape, classes), rest)
                np.put_along_axis(p, np.maximum(numbers, 0)[..., None], sure if classes > 1 else 1.0, axis=-1)
                yield p

        return blocks

    def _check_size(
        self, model: _Model, row: int, what: str, found: tuple[int, ...], expected: tuple[int, ...]
    ) -> None:
        if found != expected:
            raise FieldKindError(
                f"on sample {self.ids[row]}, the predicted {what} in {model.field!r} is {found} and the mask in "
                f"{self._label!r} {expected}, (height, width). Give both the same size."
            )


def _mean_of(readers: Sequence[Blocks]) -> Blocks:
    """Average what several models say of an image."""
    if len(readers) == 1:
        return readers[0]

    def blocks() -> Iterator[NDArray[np.float64]]:
        for parts in zip(*(reader() for reader in readers), strict=True):
            yield sum(parts[1:], start=parts[0]) / len(parts)

    return blocks
