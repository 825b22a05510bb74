"""How objects overlap by their masks, read from the samples a few images at a time."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...dataset.errors import ConflictError
from ...dataset.types import SampleId
from ..kernels.boxes import Boxes, Overlaps, Pairings, pairings
from ..kernels.ensembles import Joined
from ..kernels.masks import Mask, mask_overlaps
from .objects import Objects
from .pixels import mask_in_file

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection

_IMAGES = 4
"""Images whose masks are in memory together."""

_SOURCES = ("mask", "mask_path")


def overlaps_with_masks(
    samples: "SampleCollection", ids: Sequence[SampleId], given: Objects, theirs: Sequence[Objects], joined: Joined
) -> Pairings:
    """Find how given and predicted objects overlap: by their masks where both fields have some, else by their boxes.

    An object without a mask, in a field that has some, fills its box.

    Raises:
        UnreadableMediaError: if the file of a mask cannot be read, naming it and the sample.
        ConflictError: if the labels of a sample were changed since their boxes were read.
    """
    pairs = pairings(given.boxes, joined.boxes)
    has_masks = [_has_masks(samples, side.path) for side in (given, *theirs)]
    if not (has_masks[0] and any(has_masks[1:])):
        return pairs
    ours, by_model = np.ones(len(given.boxes.images), dtype=bool), np.array(has_masks[1:])[joined.models]
    parts = [
        _Part(pairs.across, joined.boxes, given.boxes, by_model, ours),
        _Part(pairs.given, given.boxes, given.boxes, ours, ours),
        _Part(pairs.predicted, joined.boxes, joined.boxes, by_model, by_model),
    ]
    for image, of_given, of_models in _masks(samples, ids, given, theirs):
        starts = [int(np.searchsorted(boxes.images, image)) for boxes in (joined.boxes, given.boxes)]
        parts[0].refine(image, of_models, of_given, (starts[0], starts[1]))
        parts[1].refine(image, of_given, of_given, (starts[1], starts[1]))
        parts[2].refine(image, of_models, of_models, (starts[0], starts[0]))
    return Pairings(*(part.found() for part in parts))


class _Part:
    """Pairs whose overlap is worked out again, image by image."""

    def __init__(
        self, pairs: Overlaps, first: Boxes, second: Boxes, of_first: NDArray[np.bool_], of_second: NDArray[np.bool_]
    ) -> None:
        self.pairs, self.first, self.second = pairs, first, second
        self.images = first.images[pairs.left]
        is_itself = (pairs.left == pairs.right) & (first is second)
        self.wanted = of_first[pairs.left] & of_second[pairs.right] & ~is_itself
        self.iou = pairs.iou.copy()

    def refine(
        self, image: int, first_masks: Sequence[Mask], second_masks: Sequence[Mask], starts: tuple[int, int]
    ) -> None:
        begin, end = np.searchsorted(self.images, [image, image + 1])
        chosen = begin + np.flatnonzero(self.wanted[begin:end])
        pairs = Overlaps(self.pairs.left[chosen], self.pairs.right[chosen], self.pairs.iou[chosen])
        self.iou[chosen] = mask_overlaps(pairs, self.first, self.second, first_masks, second_masks, starts)

    def found(self) -> Overlaps:
        return self.pairs._replace(iou=self.iou).where(self.iou > 0)


def _has_masks(samples: "SampleCollection", path: str) -> bool:
    return any(samples.count(f"{path}.{source}") for source in _SOURCES)


def _masks(
    samples: "SampleCollection", ids: Sequence[SampleId], given: Objects, theirs: Sequence[Objects]
) -> Iterator[tuple[int, list[Mask], list[Mask]]]:
    """The number of each image, the masks of its given objects, and those of its predicted ones, model after model."""
    sides = (given, *theirs)
    image_of = {ids[row]: image for image, row in enumerate(given.rows)}
    paths = [f"{side.path}.{name}" for side in sides for name in ("id", *_SOURCES)]
    for batch in samples.iter_batches(paths, batch_size=_IMAGES):
        for position, sample_id in enumerate(batch["id"]):
            if sample_id not in image_of:
                continue
            image = image_of[sample_id]
            found: list[list[Mask]] = []
            for side in sides:
                label_ids, masks, files = (batch[f"{side.path}.{name}"][position] for name in ("id", *_SOURCES))
                if label_ids != side.ids[given.rows[image]]:
                    raise ConflictError(
                        f"the labels {side.path!r} of sample {sample_id} were changed meanwhile. Do it again."
                    )
                pairs = zip(masks, files, strict=True)
                found.append([_one_mask(mask, file, sample_id) for mask, file in pairs])
            yield image, found[0], [mask for one in found[1:] for mask in one]


def _one_mask(mask: Mask, path: Any, sample_id: SampleId) -> Mask:
    """A mask, or that in its file, not 0 where the object is; None if there is neither."""
    return mask_in_file(path, sample_id, "L") if mask is None and path is not None else mask
