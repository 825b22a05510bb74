"""What stages mean, in plain Python: the judge of their pipelines. It shares no code with them but their arguments."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import reject

from saccade.dataset import stages
from saccade.dataset.stages import Stage
from tests.expressions.evaluator import (
    MISSING,
    evaluate,
    follow,
    is_absent,
    is_in,
    is_nan,
    or_none,
    truth,
)

Document = dict[str, Any]
LABELS = {"c": None, "p": "detections"}
"""The fields of labels, and the attribute that holds a list of them."""

LISTS = {"tags", "xs", "p.detections.label", "p.detections.confidence"}
"""The paths at which there are several values."""

ALWAYS = ("_id", "filepath", "tags", "metadata")


class View:
    """The samples of a view: documents in their order, and the names of the fields that they show."""

    def __init__(self, documents: Sequence[Document], shown: Sequence[str], drawn: Callable[[int], list[Any]]) -> None:
        """Begin with a dataset; `drawn` gives the ids that the server leaves after so many stages."""
        self.everything = list(documents)
        self.documents = list(documents)
        self.all_fields = list(shown)
        self.shown = list(shown)
        self._drawn = drawn

    def apply(self, chosen: Sequence[Stage]) -> "View":
        for position, stage in enumerate(chosen):
            if isinstance(stage, stages.Shuffle | stages.Take):
                self._at_random(stage, self._drawn(position + 1))
            else:
                STAGES[type(stage)](self, stage)
        return self

    # --- samples by what they hold ------------------------------------------------------------------------------------

    def keep(self, test: Callable[[Document], bool]) -> None:
        self.documents = [document for document in self.documents if test(document)]

    def match_tags(self, stage: Any) -> None:
        quantifier = all if stage.all else any
        self.keep(
            lambda document: quantifier(tag in document["tags"] for tag in stage.tags) == (stage.bool is not False)
        )

    def exists(self, stage: Any) -> None:
        self.keep(lambda document: has_value(document, stage.field) == (stage.bool is not False))

    def among(self, stage: Any) -> None:
        values = stage.values.value

        def is_chosen(document: Document) -> bool:
            found = follow(document, stage.field)
            if stage.field in LISTS:
                return isinstance(found, list) and any(item is not None and is_in(item, values) for item in found)
            return is_in(found, values)

        is_kept = isinstance(stage, stages.SelectBy)
        self.keep(lambda document: is_chosen(document) == is_kept)
        if is_kept and stage.ordered:

            def place(document: Document) -> int:
                found = or_none(follow(document, stage.field))
                return next(place for place, value in enumerate(values) if is_in(found, [value]))

            self.order(place)

    def match_labels(self, stage: Any) -> None:
        def has_label(document: Document) -> bool:
            names = [name for name in self.label_fields(stage) if criteria(stage)]
            return any(is_meant(stage, document, label) for name in names for label in labels_of(document, name))

        self.keep(lambda document: has_label(document) == (stage.bool is not False))

    # --- samples by place and id --------------------------------------------------------------------------------------

    def order(self, key: Callable[[Document], Any]) -> None:
        """Sort; what sorts the same is in the order of ids."""
        shown: dict[Any, Document] = {}
        for document in self.documents:
            if plain(shown.setdefault(document["_id"], document)) != plain(document):
                reject()  # a sample that comes twice, with different contents: their order is not determined
        self.documents.sort(key=lambda document: (key(document), document["_id"]))

    def sort_by(self, stage: Any) -> None:
        keys = stage.field_or_expr if isinstance(stage.field_or_expr, tuple) else ((stage.field_or_expr, 1),)
        self.order(lambda document: [rank(document, key, -way if stage.reverse else way) for key, way in keys])

    def group_by(self, stage: Any) -> None:
        def group_of(document: Document) -> Any:
            ranked = rank(document, stage.field_or_expr, 1)
            return tuple(ranked) if ranked[0] == 0 else (1,)

        sizes = Counter(map(group_of, self.documents))

        def key(document: Document) -> Any:
            group = group_of(document)
            size = sizes[group] * (-1 if stage.reverse else 1) if stage.sort_expr is not None else 0
            within = rank(document, stage.order_by, -1 if stage.reverse else 1) if stage.order_by is not None else []
            return size, group, within

        self.order(key)

    def select(self, stage: Any) -> None:
        self.keep(lambda document: document["_id"] in stage.sample_ids)
        if stage.ordered:
            self.order(lambda document: stage.sample_ids.index(document["_id"]))

    def limit(self, stage: Any) -> None:
        self.documents = self.documents[: max(0, stage.limit)]

    def skip(self, stage: Any) -> None:
        self.documents = self.documents[max(0, stage.skip) :]

    def concat(self, stage: Any) -> None:
        def drawn(_count: int) -> list[Any]:
            raise AssertionError("no concat of a random order is made")

        other = View(self.everything, self.all_fields, drawn).apply(stage.samples)
        self.documents += other.documents
        self.shown = [name for name in self.shown if name in other.shown]

    def _at_random(self, stage: Any, ids: list[Any]) -> None:
        """Any order will do, but it must be one of these samples."""
        size = max(0, stage.size) if isinstance(stage, stages.Take) else len(self.documents)
        here = [document["_id"] for document in self.documents]
        assert len(ids) == min(size, len(here))
        assert all(ids.count(one) <= here.count(one) for one in ids)
        self.order(lambda document: ids.index(document["_id"]) if document["_id"] in ids else len(ids))
        self.documents = self.documents[: len(ids)]

    # --- what samples show --------------------------------------------------------------------------------------------

    def change(self, field: str, new: Callable[[Document, Any, Any], Any]) -> None:
        """Put `new(document, around, old value)` at a path, where there is something that can hold it."""
        self.documents = [put(document, document, field.split("."), new) for document in self.documents]

    def set_field(self, stage: Any) -> None:
        self.change(stage.field, lambda document, around, _: evaluate(stage.expr, document, around))

    def map_labels(self, stage: Any) -> None:
        path = f"{stage.field}.{LABELS[stage.field]}.label" if LABELS[stage.field] else f"{stage.field}.label"
        self.change(path, lambda _, __, old: mapped(old, stage.map.value))

    def map_values(self, stage: Any) -> None:
        def changed(_document: Document, _around: Any, old: Any) -> Any:
            if stage.field in LISTS and isinstance(old, list):
                return [mapped(item, stage.map.value) for item in old]
            return mapped(old, stage.map.value)

        self.change(stage.field, changed)

    def filter_field(self, stage: Any) -> None:
        def shown(document: Document, _around: Any, old: Any) -> Any:
            return old if is_absent(old) or truth(evaluate(stage.filter, document, old)) else None

        self.change(stage.field, shown)
        if stage.only_matches:
            self.keep(lambda document: has_value(document, stage.field))

    def filter_labels(self, stage: Any) -> None:
        self.keep_labels(stage.field, lambda document, label: truth(evaluate(stage.filter, document, label)))
        if stage.only_matches:
            self.keep(lambda document: bool(labels_of(document, stage.field)))

    def limit_labels(self, stage: Any) -> None:
        attribute = LABELS[stage.field]
        self.documents = [
            with_labels(document, stage.field, labels_of(document, stage.field)[: max(0, stage.limit)])
            if not is_absent(document.get(stage.field)) and attribute
            else document
            for document in self.documents
        ]

    def select_labels(self, stage: Any) -> None:
        names = self.label_fields(stage)
        if criteria(stage):
            for name in names:
                self.keep_labels(name, lambda document, label: is_meant(stage, document, label))
        for name in set(LABELS) - set(names):
            self.change(name, lambda *_: MISSING)
        if stage.omit_empty:
            self.keep(lambda document: any(labels_of(document, name) for name in names))

    def exclude_labels(self, stage: Any) -> None:
        if criteria(stage):
            for name in self.label_fields(stage):
                self.keep_labels(name, lambda document, label: not is_meant(stage, document, label))
        if stage.omit_empty:
            shown = [name for name in LABELS if name in self.shown]
            self.keep(lambda document: any(labels_of(document, name) for name in shown))

    def keep_labels(self, field: str, test: Callable[[Document, Any], bool]) -> None:
        self.documents = [
            with_labels(document, field, [label for label in labels_of(document, field) if test(document, label)])
            for document in self.documents
        ]

    def label_fields(self, stage: Any) -> list[str]:
        return [name for name in LABELS if name in self.shown and (stage.fields is None or name in stage.fields)]

    def select_fields(self, stage: Any) -> None:
        tops = {name.split(".")[0] for name in stage.field_names}
        self.shown = [name for name in self.shown if name in ALWAYS or name in tops or name == "id"]
        # A field beside an attribute of it is shown whole.
        parts = [name for name in stage.field_names if "." in name and name.split(".")[0] not in stage.field_names]
        self.documents = [
            {
                name: only(value, name, parts)
                for name, value in document.items()
                if name in ALWAYS or name in tops
            }
            for document in self.documents
        ]  # fmt: skip

    def exclude_fields(self, stage: Any) -> None:
        self.shown = [name for name in self.shown if name not in stage.field_names]
        for name in stage.field_names:
            self.change(name, lambda *_: MISSING)


def rank(document: Document, key: Any, way: int) -> list[Any]:
    """By what a sample is sorted: those without an order come last in both directions, None below NaN."""
    stored = "_id" if key == "id" else key
    value = or_none(follow(document, stored) if isinstance(stored, str) else evaluate(stored, document))
    if value is None or is_nan(value):
        return [1, way * is_nan(value)]
    return [0, Backwards(value) if way == -1 else value]


class Backwards:
    """A value in the opposite order."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Backwards) and self.value == other.value

    def __hash__(self) -> int:
        return hash(self.value)

    def __lt__(self, other: "Backwards") -> bool:
        return other.value < self.value


def has_value(document: Document, path: str) -> bool:
    found = follow(document, path)
    if path in LISTS and "." in path:
        return isinstance(found, list) and any(not is_absent(item) for item in found)
    return not is_absent(found)


def labels_of(document: Document, field: str) -> list[Any]:
    held = document.get(field)
    if is_absent(held):
        return []
    return (held.get(LABELS[field]) or []) if LABELS[field] else [held]


def with_labels(document: Document, field: str, labels: list[Any]) -> Document:
    if is_absent(document.get(field)):
        return document
    new = {**document[field], LABELS[field]: labels} if LABELS[field] else (labels or [None])[0]
    return {**document, field: new}


def criteria(stage: Any) -> list[Any]:
    given = [stage.labels, stage.ids, stage.tags, getattr(stage, "filter", None)]
    return [one for one in given if one is not None]


def is_meant(stage: Any, document: Document, label: Any) -> bool:
    condition = getattr(stage, "filter", None)
    return (
        (stage.ids is None or label["_id"] in stage.ids)
        and (stage.tags is None or any(tag in label["tags"] for tag in stage.tags))
        and (condition is None or truth(evaluate(condition, document, label)))
    )


def mapped(value: Any, pairs: list[list[Any]]) -> Any:
    for old, new in pairs:
        if is_in(value, [old]):
            return new
    return value


def put(document: Document, around: Any, keys: Sequence[str], new: Callable[[Document, Any, Any], Any]) -> Any:
    if isinstance(around, list):
        return [put(document, item, keys, new) for item in around]
    if not isinstance(around, dict):
        return around
    first, *rest = keys
    old = around.get(first, MISSING)
    value = put(document, old, rest, new) if rest else new(document, around, old)
    others = {name: held for name, held in around.items() if name != first}
    return others if value is MISSING else {**others, first: value}


def only(value: Any, name: str, parts: Sequence[str]) -> Any:
    """The part of a value that the chosen paths show; of labels, also what tells them apart."""
    below = [part.split(".", 1)[1] for part in parts if part.startswith(f"{name}.")]
    if not below or not isinstance(value, dict | list):
        return value
    if isinstance(value, list):
        return [only(item, name, parts) for item in value]
    firsts = {part.split(".")[0] for part in below}
    kept = firsts | {"_id", "_cls", "tags"}
    return {key: only(held, key, below) for key, held in value.items() if key in kept}


def plain(value: Any) -> Any:
    """A value in a form that compares as the values do: None is as good as missing, NaN is NaN, True is not 1."""
    if isinstance(value, dict):
        return {name: plain(held) for name, held in sorted(value.items()) if not is_absent(held)}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, bool) or is_nan(value):
        return repr(value)
    return str(value) if type(value).__name__ in {"ObjectId", "Oid"} else value


STAGES: dict[type[Stage], Callable[[View, Any], None]] = {
    stages.Match: lambda view, stage: view.keep(lambda document: truth(evaluate(stage.filter, document))),
    stages.MatchTags: View.match_tags,
    stages.Exists: View.exists,
    stages.SelectBy: View.among,
    stages.ExcludeBy: View.among,
    stages.MatchLabels: View.match_labels,
    stages.SortBy: View.sort_by,
    stages.GroupBy: View.group_by,
    stages.Select: View.select,
    stages.Exclude: lambda view, stage: view.keep(lambda document: document["_id"] not in stage.sample_ids),
    stages.Limit: View.limit,
    stages.Skip: View.skip,
    stages.Concat: View.concat,
    stages.SetField: View.set_field,
    stages.MapLabels: View.map_labels,
    stages.MapValues: View.map_values,
    stages.FilterField: View.filter_field,
    stages.FilterLabels: View.filter_labels,
    stages.LimitLabels: View.limit_labels,
    stages.SelectLabels: View.select_labels,
    stages.ExcludeLabels: View.exclude_labels,
    stages.SelectFields: View.select_fields,
    stages.ExcludeFields: View.exclude_fields,
}
