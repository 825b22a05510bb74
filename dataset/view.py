"""A view: a dataset and a tuple of stages. Immutable and lazy: nothing is read until something is asked of it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from . import display
from .cloning import Cloning
from .keeping import Keeping
from .stages import Stage
from .types import Bson

if TYPE_CHECKING:
    from .dataset import Dataset


def _of_dataset(name: str) -> Any:
    """A property of the dataset, to be read and set on its views too."""
    return property(
        lambda view: getattr(view._dataset, name), lambda view, value: setattr(view._dataset, name, value),
        doc=f"The `{name}` of the dataset.",
    )  # fmt: skip


class DatasetView(Cloning, Keeping):
    """Some of a dataset's samples, in some order, with some of their fields.

    Made by view stages, such as `dataset.match(F("uniqueness") > 0.5).limit(10)`.
    """

    _row: ClassVar[str] = "sample"
    """What it shows."""

    def __init__(self, dataset: "Dataset", stages: Sequence[Stage] = ()) -> None:
        """Wrap a dataset and stages that were checked."""
        self._dataset = dataset
        self._chain = tuple(stages)
        self._saved_as: str | None = None

    @property
    def _root(self) -> "Dataset":
        return self._dataset

    @property
    def _stages(self) -> tuple[Stage, ...]:
        return self._chain

    @property
    def name(self) -> str | None:
        """The name that it was saved under, if it was loaded by that name; else None."""
        return self._saved_as

    @property
    def is_saved(self) -> bool:
        """Whether it was loaded as a saved view."""
        return self._saved_as is not None

    def _named(self, name: str) -> "DatasetView":
        view = type(self)(self._dataset, self._chain)
        view._saved_as = name
        return view

    @property
    def dataset_name(self) -> str:
        """The name of the dataset."""
        return self._dataset.name

    @property
    def media_type(self) -> str | None:
        """The media type of the dataset."""
        return self._dataset.media_type

    classes = _of_dataset("classes")
    default_classes = _of_dataset("default_classes")
    default_mask_targets = _of_dataset("default_mask_targets")
    default_skeleton = _of_dataset("default_skeleton")
    description = _of_dataset("description")
    info = _of_dataset("info")
    mask_targets = _of_dataset("mask_targets")
    skeletons = _of_dataset("skeletons")
    tags = _of_dataset("tags")

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages, in order."""
        return self._chain

    def __eq__(self, other: object) -> bool:
        """Whether it is the same chain of stages on the same dataset."""
        return isinstance(other, DatasetView) and (self._dataset._id, self._chain) == (other._dataset._id, other._chain)

    def __hash__(self) -> int:
        """A hash that agrees with equality."""
        return hash((self._dataset._id, tuple(map(str, self._chain))))

    def to_dict(self) -> Bson:
        """The dataset's name and the stages, as plain values; `Dataset.view_from_dict` reads them."""
        return {"dataset": self._dataset.name, "stages": [stage.to_dict() for stage in self._chain]}

    def __repr__(self) -> str:
        """What the view shows, and how."""
        return display.view_text(**self._facts(), stages=[str(stage) for stage in self._chain], rows=self._row)

    def _repr_html_(self) -> str:
        return display.view_html(
            **self._facts(), stages=[str(stage) for stage in self._chain],
            thumbnails=self._thumbnails(), rows=self._row,
        )  # fmt: skip

    def summary(self) -> str:
        """What the repr shows."""
        return repr(self)
