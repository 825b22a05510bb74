"""Strategies on vectors: DIVERSITY, SIMILARITY, TYPICALITY and COVERAGE, as values."""

# ruff: noqa: A002 - `input` is the word of the config.

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ...dataset.errors import WrongValueError
from .checking import choice, number, optional, whole
from .inputs import Embeddings, Metadata, Predictions, Scores, parse_input
from .pairs import NORMALIZE, PAIRS, STRENGTH, Option, Strategy, values, vectors

_LONGEST = 2.0
"""The largest distance of two unit vectors."""
_NEIGHBORS = whole("a whole number of at least 2", lambda k: k > 1)


def _weights(value: object, place: str) -> Metadata | Scores | Predictions:
    """A number of each sample: a field path, or an input that has one."""
    try:
        source = values(value) if isinstance(value, str) else parse_input(value, place)
    except WrongValueError as wrong:
        raise wrong if wrong.place.startswith(place) else wrong.under(place) from None
    if not isinstance(source, Metadata | Scores | Predictions) or "WEIGHTS" not in PAIRS[source.kind]:
        raise WrongValueError(place, f"={value!r} is not a field path or another input of numbers, as for WEIGHTS.")
    return source


@dataclass(frozen=True, init=False)
class Diversity(Strategy):
    """DIVERSITY: samples far apart.

    Attributes:
        input: the vectors; with `task`, those of objects.
        strength: how much it counts against other strategies; 0 not at all, below 0 inverted.
        minimum_distance: nearer than this to a pick, a sample is left out. Between unit vectors, 0 to 2.
        normalize: whether vectors are brought to unit length.

    Example:
        >>> Diversity("clip", minimum_distance=0.1).to_dict()["strategy"]["stopping_condition_minimum_distance"]
        0.1
    """

    input: Embeddings
    strength: float
    minimum_distance: float | None
    normalize: bool

    type: ClassVar[str] = "DIVERSITY"
    options: ClassVar[tuple[Option, ...]] = (
        STRENGTH,
        Option(
            "minimum_distance", "stopping_condition_minimum_distance",
            optional(number("a number of at least 0; leave it out to have none", lambda x: x >= 0)),
        ),
        NORMALIZE,
    )  # fmt: skip

    def __init__(
        self, input: Embeddings | str = "embedding", *, strength: float = 1.0, minimum_distance: float | None = None,
        normalize: bool = True,
    ) -> None:  # fmt: skip
        """Take a vector field or its input."""
        given = {"strength": strength, "minimum_distance": minimum_distance, "normalize": normalize}
        self._fill(vectors(input), given)

    def _agree(self, places: Mapping[str, str]) -> None:
        if self.normalize and self.minimum_distance is not None and self.minimum_distance > _LONGEST:
            raise WrongValueError(
                places["minimum_distance"], f"={self.minimum_distance!r} is more than 2, the largest distance of two "
                "unit vectors. Give less, or normalize=false to compare the vectors as they are.",
            )  # fmt: skip


@dataclass(frozen=True, init=False)
class Similarity(Strategy):
    """SIMILARITY: samples near to those with a tag.

    Attributes:
        input: the vectors, with `tag_name` for the queries.
        strength: how much it counts against other strategies; 0 not at all, below 0 far ones are wanted.
        normalize: whether vectors are brought to unit length.
    """

    input: Embeddings
    strength: float
    normalize: bool

    type: ClassVar[str] = "SIMILARITY"
    options: ClassVar[tuple[Option, ...]] = (STRENGTH, NORMALIZE)

    def __init__(self, input: Embeddings, *, strength: float = 1.0, normalize: bool = True) -> None:
        """Take the input that names vectors and queries."""
        self._fill(vectors(input), {"strength": strength, "normalize": normalize})

    def _agree(self, places: Mapping[str, str]) -> None:
        if self.input.tag_name is None:
            raise WrongValueError(
                f"{places['input']}.tag_name", " is missing: near to which samples? Tag them, and "
                "give the tag; with dataset_id, if they are in another dataset.",
            )  # fmt: skip


@dataclass(frozen=True, init=False)
class Typicality(Strategy):
    """TYPICALITY: samples in dense regions, with near neighbours; outliers last.

    Attributes:
        input: the vectors; with `task`, those of objects.
        strength: how much it counts against other strategies; 0 not at all, below 0 outliers first.
        num_nearest_neighbors: how many neighbours are looked at, at least 2.
        minimum_typicality: samples less typical than this, 0 to 1, are left out.
        normalize: whether vectors are brought to unit length.
    """

    input: Embeddings
    strength: float
    num_nearest_neighbors: int
    minimum_typicality: float | None
    normalize: bool

    type: ClassVar[str] = "TYPICALITY"
    options: ClassVar[tuple[Option, ...]] = (
        STRENGTH,
        Option("num_nearest_neighbors", "num_nearest_neighbors", _NEIGHBORS, 20),
        Option(
            "minimum_typicality", "stopping_condition_minimum_typicality",
            optional(number("a number from 0 to 1", lambda x: 0 <= x <= 1)),
        ),
        NORMALIZE,
    )  # fmt: skip

    def __init__(
        self, input: Embeddings | str = "embedding", *, strength: float = 1.0, num_nearest_neighbors: int = 20,
        minimum_typicality: float | None = None, normalize: bool = True,
    ) -> None:  # fmt: skip
        """Take a vector field or its input."""
        given = {"strength": strength, "num_nearest_neighbors": num_nearest_neighbors,
                 "minimum_typicality": minimum_typicality, "normalize": normalize}  # fmt: skip
        self._fill(vectors(input), given)


@dataclass(frozen=True, init=False)
class Coverage(Strategy):
    """COVERAGE: few samples that stand for all (facility location): each candidate is near to one of the picks.

    Attributes:
        input: the vectors.
        strength: how much it counts against other strategies; 0 not at all, below 0 inverted.
        weights: a number of each sample that says how much it wants to be covered; all the same by default.
        weights_scale: "raw", the weights as they are; or "uncertainty": those of a model, from 0 to 1, which count the
            more, the surer it is on the whole.
        normalize: whether vectors are brought to unit length.
    """

    input: Embeddings
    strength: float
    weights: Metadata | Scores | Predictions | None
    weights_scale: str
    normalize: bool

    type: ClassVar[str] = "COVERAGE"
    options: ClassVar[tuple[Option, ...]] = (
        STRENGTH,
        Option("weights", "weights", optional(_weights), to_json=lambda w: w.to_dict()),
        Option("weights_scale", "weights_scale", choice(("raw", "uncertainty")), "raw"),
        NORMALIZE,
    )  # fmt: skip

    def __init__(
        self, input: Embeddings | str = "embedding", *, strength: float = 1.0,
        weights: Metadata | Scores | Predictions | str | None = None, weights_scale: str = "raw",
        normalize: bool = True,
    ) -> None:  # fmt: skip
        """Take a vector field or its input."""
        given = {"strength": strength, "weights": weights, "weights_scale": weights_scale, "normalize": normalize}
        self._fill(vectors(input), given)

    def _agree(self, places: Mapping[str, str]) -> None:
        if self.input.task is not None:
            raise WrongValueError(
                f"{places['input']}.task", f"={self.input.task!r} means objects; COVERAGE is for whole "
                "samples. For objects there are DIVERSITY, TYPICALITY and SIMILARITY.",
            )  # fmt: skip
