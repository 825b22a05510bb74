"""What BALANCE and the counts of categories read: how much of every class each sample has."""

import math
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...dataset.errors import FieldKindError, SelectionError, hint
from ...dataset.stages.labels import LabelField, label_field
from ..kernels.boxes import boxes_of
from ..selection.checking import class_name
from ..selection.inputs import Metadata, Predictions
from .objects import Objects, object_probabilities, probability_paths
from .predictions import answers_of, attributes_of, check_width, class_names
from .selection_fields import CATEGORIES, needs, require_kind, shown
from .selection_universe import Universe, stored_name

OTHERS = "(all others)"
"""What the group of all classes is called that a target does not name."""

_CELLS = 1 << 28
"""So many shares, of all samples and classes, are held at most: 2 GB."""

_DIGITS = 12


class Shares(NamedTuple):
    """How much of each class the samples have: probabilities, or how often it occurs.

    Attributes:
        values: (n, classes) float64; a row of zeros where a sample has no class.
        classes: their names.
        known: the names of all classes there are, where some were put together.
    """

    values: NDArray[np.float64]
    classes: list[str]
    known: Sequence[str] = ()

    @property
    def has(self) -> NDArray[np.bool_]:
        """(n,) which samples have a class."""
        return np.asarray(self.values.any(axis=1))

    def grouped(self, named: Sequence[str]) -> "Shares":
        """The classes that are named, with zeros where no sample has one, and all others as one."""
        position_of = {name: k for k, name in enumerate(self.classes)}
        others = [k for k, name in enumerate(self.classes) if name not in set(named)]
        columns = [self.values[:, position_of[c]] if c in position_of else np.zeros(len(self.values)) for c in named]
        return Shares(np.stack([*columns, self.values[:, others].sum(axis=1)], axis=1), [*named, OTHERS], self.classes)


def read_shares(universe: Universe, source: Metadata | Predictions, named: Sequence[str] | None = None) -> Shares:
    """Read how much of each class the samples have.

    Of classifications that is the probabilities, or 1 for the class of a label without any; of objects the sum of
    their probabilities, or how many of each class there are; of a field of categories 1 for its value, and of a list
    how often each occurs in it.

    Args:
        universe: the samples.
        source: predictions, or a field.
        named: classes that stay by themselves, while all others are one group; every class by itself if None.

    Raises:
        FieldNotFoundError: if there is no such field.
        SelectionError: if its values are no categories, or they are too many.
    """
    if isinstance(source, Predictions):
        found = _of_predictions(universe, stored_name(universe.samples, source.task))
        return found if named is None else found.grouped(named)
    require_kind(universe.samples, source.key, CATEGORIES, "BALANCE")
    rows, names = _categories(universe, source.key)
    seen = list(dict.fromkeys(names))
    classes = sorted(seen) if named is None else [*named, OTHERS]
    _check_cells(universe, source.key, len(classes))
    position_of = {name: k for k, name in enumerate(classes)}
    columns = [position_of.get(name, len(classes) - 1) for name in names]
    values = np.zeros((len(universe.ids), len(classes)))
    np.add.at(values, (rows, columns), 1.0)
    return Shares(values, classes, seen)


def _check_cells(universe: Universe, path: str, classes: int) -> None:
    if classes * len(universe.ids) > _CELLS:
        raise SelectionError(
            f"{path!r} has {classes} different values on {len(universe.ids)} samples, too many to balance. Name those "
            "that matter in a target, or use GROUP_CAP to take only a few of each."
        )


def _categories(universe: Universe, path: str) -> tuple[list[int], list[str]]:
    """The categories of a field, and the row that has each."""
    rows: list[int] = []
    names: list[str] = []
    for row, value in enumerate(universe.column(path)):
        for one in value if isinstance(value, list) else [value]:
            if one is None:
                continue
            name = class_name(one)
            if name is None:
                raise SelectionError(
                    f"{path!r} is {shown(one)} on sample {universe.ids[row]}; {needs('BALANCE', CATEGORIES)} "
                    "For numbers there is WEIGHTS; for labels the input PREDICTIONS."
                )
            rows.append(row)
            names.append(name)
    return rows, names


def category_counts(universe: Universe, source: Predictions) -> NDArray[np.float64]:
    """Count the labels of each sample, all or those of some classes; NaN where it has no prediction.

    Raises:
        SelectionError: if a category is neither a class of the dataset nor of any label.
    """
    task = stored_name(universe.samples, source.task)
    field = _label_field(universe, task)
    labels = _listed(universe.columns([f"{field.root_path}.label"])[f"{field.root_path}.label"], field)
    if source.categories is None:
        return np.array([np.nan if one is None else len(one) for one in labels], dtype=np.float64)
    known = {*class_names(universe.samples, task), *_seen(labels)}
    for category in source.categories:
        if category not in known and universe.ids:  # of no samples, no class is known
            raise SelectionError(
                f"categories: no label in {task!r} is a {category!r}, and no class of the dataset is called so. "
                f"{hint(category, known, 'Classes')}"
            )
    wanted = set(source.categories)
    counts = [np.nan if one is None else sum(name in wanted for name in one) for one in labels]
    return np.array(counts, dtype=np.float64)


def _of_predictions(universe: Universe, task: str) -> Shares:
    field = _label_field(universe, task)
    if field.attribute == "classifications":
        return _of_classifications(universe, field, "Classifications")
    if field.attribute is not None:
        return _of_objects(universe, field)
    given = f"{task}.probabilities"
    if given in universe.samples._schema().paths():
        listed = universe.columns([given])[given]
        if any(one is not None for one in listed):
            return _of_probabilities(universe, task, listed)
    return _of_classifications(universe, field, "Classification")


def _of_classifications(universe: Universe, field: LabelField, kind: str) -> Shares:
    """By their logits or confidences; where no label has any, as in a ground truth, each counts as certain."""
    columns = universe.columns(attributes_of(field.path, kind))
    label, confidence, logits = attributes_of(field.path, kind)
    inner = columns[confidence]
    sure = inner if field.attribute is None else chain.from_iterable(one for one in inner if one is not None)
    if all(one is None for one in chain(sure, columns[logits])):
        return _counted(universe, field.path, _listed(columns[label], field))
    answers = answers_of(universe.samples, field.path, kind, universe.ids, columns)
    values = np.zeros((len(universe.ids), len(answers.classes)))
    values[answers.rows] = answers.probabilities
    return Shares(values, answers.classes)


def _of_objects(universe: Universe, field: LabelField) -> Shares:
    """The sum of the probabilities of each sample's objects; where no object has any, how many of each class."""
    paths = probability_paths(universe.samples, field.path) if field.attribute == "detections" else []
    label = f"{field.root_path}.label"
    columns = universe.columns([label, *paths])
    labels = _listed(columns[label], field)
    objects = _objects(universe, field, labels)
    found = object_probabilities(objects, paths, columns) if objects.owners else None
    if found is None:
        return _counted(universe, field.path, labels)
    names = class_names(universe.samples, field.path)
    check_width(universe.samples, field.path, found.shape[1], names)
    values = np.zeros((len(universe.ids), len(names)))
    np.add.at(values, np.repeat(objects.rows, objects.lengths), found)
    return Shares(values, names)


def _of_probabilities(universe: Universe, task: str, listed: Sequence[Any]) -> Shares:
    names = class_names(universe.samples, task)
    values = np.zeros((len(listed), len(names)))
    for row, one in enumerate(listed):
        if one is not None:
            check_width(universe.samples, task, len(one), names)
            values[row] = one
    if not np.isfinite(values).all() or (values < 0).any():
        row = int(np.argmin((np.isfinite(values) & (values >= 0)).all(axis=1)))
        raise FieldKindError(
            f"the probabilities in {task!r} of sample {universe.ids[row]} are below 0 or no numbers. Correct them."
        )
    return Shares(values, names)


def _counted(universe: Universe, task: str, labels: Sequence[Sequence[str | None] | None]) -> Shares:
    """How often each class is among the labels of each sample."""
    classes = list(dict.fromkeys([*class_names(universe.samples, task), *_seen(labels)]))
    _check_cells(universe, task, len(classes))
    position_of = {name: k for k, name in enumerate(classes)}
    pairs = [(row, position_of[name]) for row, one in enumerate(labels) for name in one or () if name is not None]
    values = np.zeros((len(labels), len(classes)))
    if pairs:
        np.add.at(values, tuple(np.array(pairs).T), 1.0)
    return Shares(values, classes)


def _objects(universe: Universe, field: LabelField, labels: Sequence[Sequence[Any] | None]) -> Objects:
    """The objects of all samples, without what is not needed of them here."""
    rows = [row for row, one in enumerate(labels) if one is not None]
    lengths = [len(labels[row] or ()) for row in rows]
    owners = [universe.ids[row] for row in rows for _ in labels[row] or ()]
    nothing = boxes_of(np.empty(0, dtype=np.int64), np.empty((0, 4)), [])
    return Objects(field.root_path, [], rows, lengths, owners, [], nothing, np.empty(0))


def _label_field(universe: Universe, task: str) -> LabelField:
    schema = universe.samples._schema()
    schema.resolve(task, universe.samples._title())
    return label_field(schema, task)


def _listed(column: Sequence[Any], field: LabelField) -> list[Any]:
    """The classes of each sample's labels as a list, also where a sample has one label; None where it has none."""
    return [None if one is None else [one] for one in column] if field.attribute is None else list(column)


def _seen(labels: Sequence[Sequence[str | None] | None]) -> list[str]:
    return sorted({name for one in labels if one is not None for name in one if name is not None})


def target_of(
    shares: Shares, target: Mapping[str, float] | None, distribution: str, counted: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """The mix of the classes that is wanted, which sums to 1.

    Args:
        shares: what the samples have; with a target, of the classes that it names and of all others.
        target: shares of classes; what is left to 1 is for all others.
        distribution: "TARGET", "UNIFORM" over the classes that there are, or "INPUT", the mix of the candidates.
        counted: (n,) which samples are candidates.
    """
    if target is not None and distribution == "TARGET":
        rest = round(1.0 - math.fsum(target.values()), _DIGITS)  # as written: of 0.4 and 0.2 it is 0.4
        return np.array([*target.values(), max(0.0, rest)])
    there = shares.values[counted].sum(axis=0)
    mix = there if distribution == "INPUT" else (there > 0).astype(np.float64)
    total = mix.sum()
    return mix / total if total > 0 else np.full(len(mix), 1 / max(1, len(mix)))
