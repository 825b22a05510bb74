"""The inputs of a selection: which vector, number or class of a sample a strategy looks at. Nothing is read here."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, TypeAlias

from ...dataset.errors import WrongValueError
from .checking import Check, Named, choice, class_names, mapping, optional, text, whole

_CHECKS: dict[str, Check] = {
    "dataset_id": optional(text("the name or id of a dataset")),
    "tag_name": optional(text("the name of a tag")),
    "score": text("the name of a score, such as 'uncertainty_margin'"),
    "name": choice(("CATEGORY_COUNT", "CLASS_DISTRIBUTION")),
    "categories": optional(class_names),
    "random_seed": optional(whole("a whole number", lambda _: True)),
}


@dataclass(frozen=True)
class Input(Named):
    """What the inputs share: their form in JSON, and that their values are checked when they are made."""

    type: ClassVar[str]
    checks: ClassVar[dict[str, Check]] = {}

    def __post_init__(self) -> None:
        """Check every value.

        Raises:
            SelectionError: if one is not what it may be. The message begins with its name.
        """
        for field in fields(self):
            check = self.checks.get(field.name) or _CHECKS[field.name]
            object.__setattr__(self, field.name, check(getattr(self, field.name), field.name))

    @property
    def kind(self) -> str:
        """What decides which strategies it can have: its type, and for predictions also what is read of them."""
        return self.type

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON form, with every default written out."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        given = {name: list(v) if isinstance(v, tuple) else v for name, v in values.items() if v is not None}
        return {"type": self.type, **given}


@dataclass(frozen=True)
class Embeddings(Input):
    """A vector of each sample, or one of each object in it.

    Attributes:
        key: the vector field; with `task`, the attribute of each label that holds its vector.
        task: a field of labels (detections, keypoints) whose vectors are compared in place of the samples' own.
        dataset_id: name or id of the dataset that has the tag `tag_name`; the one selected from by default.
        tag_name: the samples with this tag are the queries of SIMILARITY.
    """

    key: str = "embedding"
    task: str | None = None
    dataset_id: str | None = None
    tag_name: str | None = None

    type: ClassVar[str] = "EMBEDDINGS"
    checks: ClassVar[dict[str, Check]] = {
        "key": text("the name of a vector field"),
        "task": optional(text("the name of a field of labels")),
    }

    def __post_init__(self) -> None:
        """Check every value, and that a dataset comes with a tag."""
        super().__post_init__()
        if self.dataset_id is not None and self.tag_name is None:
            raise WrongValueError(
                "tag_name", f" is missing: which samples of the dataset {self.dataset_id!r} are meant?"
            )


@dataclass(frozen=True)
class Scores(Input):
    """A score of the predictions, as `compute_active_learning_scores` writes it: the field `<task>_<score>`.

    Attributes:
        task: the field of predictions.
        score: name of the score.
    """

    task: str
    score: str

    type: ClassVar[str] = "SCORES"
    checks: ClassVar[dict[str, Check]] = {"task": text("the name of a field of predictions")}


@dataclass(frozen=True)
class Predictions(Input):
    """The classes that were predicted for a sample.

    Attributes:
        task: the field of predictions.
        name: "CLASS_DISTRIBUTION", how much there is of each class; or "CATEGORY_COUNT", how many objects.
        categories: the classes that CATEGORY_COUNT counts; all by default.
    """

    task: str
    name: str
    categories: tuple[str, ...] | None = None

    type: ClassVar[str] = "PREDICTIONS"
    checks: ClassVar[dict[str, Check]] = {"task": text("the name of a field of predictions")}

    def __post_init__(self) -> None:
        """Check every value, and that only a count is restricted to categories."""
        super().__post_init__()
        if self.categories is not None and self.name != "CATEGORY_COUNT":
            raise WrongValueError(
                "categories", f"={list(self.categories)!r} is for CATEGORY_COUNT. {self.name} has all classes; which "
                "of them matter is said by the target.",
            )  # fmt: skip

    @property
    def kind(self) -> str:
        """PREDICTIONS and the name."""
        return f"{self.type} {self.name}"


@dataclass(frozen=True)
class Metadata(Input):
    """A number or a category in a field.

    Attributes:
        key: path of the field, such as "weather", "metadata.width" or "lightly.sharpness".
    """

    key: str

    type: ClassVar[str] = "METADATA"
    checks: ClassVar[dict[str, Check]] = {"key": text("the path of a field")}


@dataclass(frozen=True)
class RandomNumbers(Input):
    """A number for each sample, drawn by a hash of the seed and its id.

    Attributes:
        random_seed: the seed; that of the selection by default.
    """

    random_seed: int | None = None

    type: ClassVar[str] = "RANDOM"


AnyInput: TypeAlias = Embeddings | Scores | Predictions | Metadata | RandomNumbers

_REQUIRED = {
    "task": "the field of predictions",
    "score": "the name of a score, such as uncertainty_margin",
    "name": "CATEGORY_COUNT or CLASS_DISTRIBUTION",
    "key": "the path of a field",
}

INPUTS: Mapping[str, type[AnyInput]] = {
    kind.type: kind for kind in (Embeddings, Scores, Predictions, Metadata, RandomNumbers)
}


def parse_input(value: object, place: str = "input") -> AnyInput:
    """Read the JSON form of an input; a value that is an input already is given back.

    Args:
        value: such as `{"type": "METADATA", "key": "lightly.sharpness"}`.
        place: its path in the config, for messages.

    Raises:
        SelectionError: if the type or a key is not known, a key is missing, or a value is wrong.

    Example:
        >>> parse_input({"type": "SCORES", "task": "predictions", "score": "uncertainty_margin"})
        Scores(task='predictions', score='uncertainty_margin')
    """
    if isinstance(value, Embeddings | Scores | Predictions | Metadata | RandomNumbers):
        return value
    named = value.get("type") if isinstance(value, Mapping) else None
    shown = ("type", *_keys(INPUTS[named])) if isinstance(named, str) and named in INPUTS else ()
    given = mapping(value, place, ("type", *sorted({key for kind in INPUTS.values() for key in _keys(kind)})), shown)
    kind = INPUTS[choice(sorted(INPUTS))(given.pop("type", None), f"{place}.type")]
    for key in given:
        if key not in _keys(kind):
            owners = " and ".join(other.type for other in INPUTS.values() if key in _keys(other))
            raise WrongValueError(
                f"{place}.{key}", f"={given[key]!r} is for {owners}. {kind.type} takes: {', '.join(_keys(kind))}."
            )
    for key, what in _REQUIRED.items():
        if key in _keys(kind) and key not in given and kind is not Embeddings:
            raise WrongValueError(f"{place}.{key}", f" is missing; {kind.type} needs it: {what}.")
    try:
        return kind(**given)
    except WrongValueError as wrong:
        raise wrong.under(place) from None


def _keys(kind: type[AnyInput]) -> list[str]:
    return [field.name for field in fields(kind)]
