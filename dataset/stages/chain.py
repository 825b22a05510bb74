"""Stages one after another: their pipeline, the fields they leave, and what they do to samples; and concat.

Most stages begin with the samples that arrive. Concat brings in further samples of the dataset, so it is the one stage
that has to be told what fields the dataset has; the functions here take care of that.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ..errors import FieldNotFoundError, ViewError
from ..schema import Field, Schema
from ..types import OWN_SAMPLES, Bson
from .base import Stage
from .patches import ToPatches


@dataclass(frozen=True)
class Concat(Stage):
    """Let the samples of another view of the same dataset follow.

    A sample that is in both comes twice. A field that one of the two hides is hidden.

    Args:
        samples: the stages of the other view; none for the whole dataset. They are applied to the dataset itself,
            whatever stages come before this one.

    Example:
        >>> from .picking import Limit, Skip
        >>> print(Concat([Skip(5), Limit(3)]))
        concat([skip(5), limit(3)])
    """

    name = "concat"

    samples: Any

    def __post_init__(self) -> None:
        given = self.samples
        if not isinstance(given, list | tuple) or not all(isinstance(stage, Stage) for stage in given):
            raise ViewError(f"Concat() was given {given!r}. Use view.concat(other), or give the stages of a view.")
        if any(isinstance(stage, ToPatches) for stage in given):
            raise ViewError("concat() was given patches, which cannot follow samples. Concatenate the views first.")
        self._settle(samples=tuple(given))

    def validate(self, schema: Schema) -> None:
        """Check the stages of the other view against the fields of the dataset; raises what these raise."""
        for stage, arriving in walk(self.samples, schema):
            stage.validate(arriving)

    def to_mongo(self, schema: Schema) -> list[Bson]:
        """Give the steps of the pipeline.

        Args:
            schema: the fields of the dataset, not of the samples that arrive.
        """
        return self.following(schema, (), ordered=True)

    def following(self, schema: Schema, before: Sequence[Bson], *, ordered: bool) -> list[Bson]:  # noqa: ARG002  # they stay
        """Give the steps of the pipeline; `schema` is that of the dataset."""
        return [{"$unionWith": {"coll": OWN_SAMPLES, "pipeline": pipeline(self.samples, schema, ordered=ordered)}}]


def walk(stages: Iterable[Stage], dataset: Schema) -> Iterator[tuple[Stage, Schema]]:
    """Yield each stage with the fields that it has to be given: those that arrive, of the dataset for a Concat."""
    arriving = dataset
    for stage in stages:
        yield stage, dataset if isinstance(stage, Concat) else arriving
        arriving = _after(stage, arriving, dataset)


def schema_after(stages: Iterable[Stage], dataset: Schema) -> Schema:
    """Give the fields that samples have after all stages.

    Args:
        stages: the stages of a view.
        dataset: the fields of its dataset.
    """
    schema = dataset
    for stage in stages:
        schema = _after(stage, schema, dataset)
    return schema


def _after(stage: Stage, arriving: Schema, dataset: Schema) -> Schema:
    if not isinstance(stage, Concat):
        return stage.schema_after(arriving)
    following = schema_after(stage.samples, dataset)
    shown = arriving.only([name for name in arriving if name in following])
    for path in following.paths():
        if path.partition(".")[0] in shown:
            with suppress(FieldNotFoundError):  # an attribute that the other view adds is just missing here
                if shown.resolve(path).field != following[path]:
                    shown = shown.with_field(path, Field())
    return shown


def pipeline(stages: Sequence[Stage], dataset: Schema, *, ordered: bool = True) -> list[Bson]:
    """Give the pipeline that leads from the samples of a dataset through all stages.

    Args:
        stages: the stages of a view.
        dataset: the fields of its dataset.
        ordered: whether the order of the outcome matters; if not, the sort by id is left out where no stage needs it.

    Raises:
        FieldNotFoundError: if a field does not exist.
        ExpressionError: if an expression can never work.
        ViewError: if a stage cannot work on the fields.
    """
    needed = ordered or any(stage.needs_order for stage in stages)
    steps: list[Bson] = [{"$sort": {"_id": 1}}] if needed and not _is_sorted_first(stages) else []
    for stage, schema in walk(stages, dataset):
        steps.extend(stage.following(schema, tuple(steps), ordered=needed))
    return steps


def _is_sorted_first(stages: Iterable[Stage]) -> bool:
    """Whether a stage that sorts comes before any that counts positions."""
    for stage in stages:
        if stage.sets_order:
            return True
        if stage.needs_order:
            return False
    return False


def validate(stage: Stage, before: Sequence[Stage], dataset: Schema) -> None:
    """Check a stage that is to follow those `before`; raises what `pipeline` raises."""
    stage.validate(dataset if isinstance(stage, Concat) else schema_after(before, dataset))


def shaping(stages: Iterable[Stage], dataset: Schema) -> list[Bson] | None:
    """Give the steps that bring the changes of all stages to samples that were chosen already, one by one.

    Args:
        stages: the stages of a view.
        dataset: the fields of its dataset.

    Returns:
        The steps; None if only the whole pipeline can tell what a sample shows: where a stage says so, or where the
        parts of a Concat show their samples differently.
    """
    steps: list[Bson] = []
    for stage, schema in walk(stages, dataset):
        if isinstance(stage, Concat):
            if shaping(stage.samples, dataset) != steps:
                return None
            continue
        more = stage.shaping(schema)
        if more is None:
            return None
        steps += more
    return steps


def filtered_lists(stages: Iterable[Stage], dataset: Schema) -> frozenset[str]:
    """Give the paths of the lists that samples show in part or changed."""
    found: set[str] = set()
    for stage, schema in walk(stages, dataset):
        if isinstance(stage, Concat):
            found |= filtered_lists(stage.samples, dataset)
        else:
            found.update(stage.filtered_lists(schema))
    return frozenset(found)


def shapes_documents(stages: Iterable[Stage]) -> bool:
    """Whether samples show other contents than are stored."""
    return any(
        shapes_documents(stage.samples) if isinstance(stage, Concat) else stage.shapes_documents for stage in stages
    )
