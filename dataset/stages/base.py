"""What all stages share: a stage is an immutable value that says how a view narrows, orders or changes its samples."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any, ClassVar

from ..errors import ViewError, hint
from ..expressions import Node
from ..expressions.describe import briefly
from ..schema import Schema
from ..types import Bson

stage_types: "dict[str, type[Stage]]" = {}
"""Short name → stage class, as stored."""


@dataclass(frozen=True)
class Stage(ABC):
    """One step of a view.

    Attributes:
        name: its short name, as stored, which is also the name of the method on datasets and views.
        needs_order: whether its outcome depends on the order in which samples arrive.
        sets_order: whether it determines the order in which samples leave.
        shapes_documents: whether samples leave with other contents than they arrived with.
    """

    name: ClassVar[str] = ""
    needs_order: ClassVar[bool] = False
    sets_order: ClassVar[bool] = False
    shapes_documents: ClassVar[bool] = False

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.name:  # what several stages share has none
            stage_types[cls.name] = cls

    @abstractmethod
    def to_mongo(self, schema: Schema) -> list[Bson]:
        """Give the steps of the pipeline.

        Args:
            schema: the fields of the samples that arrive.

        Raises:
            FieldNotFoundError: if a field does not exist.
            ExpressionError: if an expression can never work.
            ViewError: if the stage cannot work on these fields.
        """

    def following(self, schema: Schema, before: Sequence[Bson], *, ordered: bool) -> list[Bson]:  # noqa: ARG002  # for those that look back
        """Give the steps of the pipeline where the stage follows others.

        Args:
            schema: the fields of the samples that arrive.
            before: the steps from the dataset's samples to those that arrive.
            ordered: whether the order of the samples matters.
        """
        return self.to_mongo(schema)

    def schema_after(self, schema: Schema) -> Schema:
        """Give the fields of the samples that leave."""
        return schema

    def shaping(self, schema: Schema) -> list[Bson] | None:
        """Give the steps that bring the stage's changes to samples that were chosen already, one by one.

        Args:
            schema: the fields of the samples that arrive.

        Returns:
            The steps; None if what a sample shows also depends on others, so that only the whole pipeline can tell.
        """
        return self.to_mongo(schema) if self.shapes_documents else []

    def filtered_lists(self, schema: Schema) -> tuple[str, ...]:  # noqa: ARG002  # for those that change contents
        """Give the paths of the labels and lists that leave in part or changed, which no sample may save as wholes."""
        return ()

    def validate(self, schema: Schema) -> None:
        """Check the stage against the fields of the samples that arrive; raises what `to_mongo` raises."""
        self.to_mongo(schema)

    def to_dict(self) -> dict[str, Any]:
        """Give the stage as JSON-able values."""
        return {"stage": self.name} | {part.name: _write(getattr(self, part.name)) for part in fields(self)}

    @staticmethod
    def from_dict(document: Mapping[str, Any]) -> "Stage":
        """Read a stage written by `to_dict`.

        Raises:
            ViewError: if this version knows no such stage, or not all of its arguments.
        """
        name = document.get("stage", "")
        if name not in stage_types:
            raise ViewError(f"no stage {name!r}. {hint(name, stage_types, 'Stages')} It may need a newer version.")
        chosen = stage_types[name]
        known = {part.name for part in fields(chosen)}
        unknown = document.keys() - known - {"stage"}
        if unknown:
            raise ViewError(
                f"the stage {name!r} has no argument {min(unknown)!r}. {hint(min(unknown), known, 'Arguments')} "
                "It may need a newer version."
            )
        lacking = {part.name for part in fields(chosen) if part.default is MISSING} - document.keys()
        if lacking:
            raise ViewError(
                f"the stored stage {name!r} lacks its argument {min(lacking)!r}. The view must be made anew."
            )
        return chosen(**{key: _read(value) for key, value in document.items() if key != "stage"})

    def __str__(self) -> str:
        shown: list[str] = []
        for part in fields(self):
            value = getattr(self, part.name)
            if part.default is MISSING:
                shown.append(_shown(value))
            elif value != part.default:
                shown.append(f"{part.name}={_shown(value)}")
        return f"{self.name}({', '.join(shown)})"

    def _settle(self, **values: Any) -> None:
        """Put arguments in their normal form, while the stage is made."""
        for name, value in values.items():
            object.__setattr__(self, name, value)


def names_of(given: Any, what: str) -> tuple[str, ...]:
    """Give one or several names as a tuple.

    Raises:
        ViewError: if something else was given, naming `what` was expected.
    """
    listed = [given] if isinstance(given, str) else list(given) if isinstance(given, Iterable) else [given]
    for name in listed:
        if not isinstance(name, str):
            raise ViewError(f"{name!r} is not {what}. Give text, or a list of texts.")
    return tuple(dict.fromkeys(listed))


def whole(value: Any, what: str) -> int:
    """Give a Python integer.

    Raises:
        ViewError: if something else was given, naming `what` it is for.
    """
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, int):
        raise ViewError(f"{what} is {value!r}; expected an integer.")
    return value


def _write(value: Any) -> Any:
    if isinstance(value, Node | Stage):
        return value.to_dict()
    if isinstance(value, tuple):
        return [_write(item) for item in value]
    return value


def _read(value: Any) -> Any:
    if isinstance(value, Mapping) and "node" in value:
        return Node.from_dict(value)
    if isinstance(value, Mapping) and "stage" in value:
        return Stage.from_dict(value)
    if isinstance(value, list | tuple):
        return tuple(_read(item) for item in value)
    return value


def _shown(value: Any) -> str:
    if isinstance(value, Node):
        return briefly(value)
    if isinstance(value, Stage):
        return str(value)
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple):
        items = [_shown(item) for item in value[:3]] + ([f"… {len(value)} in all"] if len(value) > 3 else [])
        return f"[{', '.join(items)}]"
    return repr(value)
