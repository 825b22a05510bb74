"""Bulk changes of labels: tagged, untagged, deleted, moved. A view changes the labels that it shows."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .. import bulk, journal, stages
from ..errors import FieldKindError, ViewError
from ..expressions import ViewExpression
from ..schema import Field, check_field_name
from ..stages import LabelField
from ..store import actions, field_records, samples
from ..types import Bson, SampleId
from .base import Base

if TYPE_CHECKING:
    from ..view import DatasetView

_Chosen = dict[SampleId, set[Any]]
"""The ids of the labels that are meant, by sample."""


class Labelling(Base):
    """Methods that change labels; each is one action that happens whole or not at all."""

    def tag_labels(self, tags: str | Iterable[str], label_fields: str | Iterable[str] | None = None) -> None:
        """Add tags to all labels of the collection that lack them.

        Args:
            tags: a tag or several.
            label_fields: the field or fields whose labels are tagged; None means all that hold labels.

        Writes:
            The tags of the labels, in one action.

        Raises:
            SchemaError: if a tag is not text, or is empty.
            FieldNotFoundError: if a field does not exist.
            ViewError: if a field holds no labels.
        """
        listed = bulk.checked_tags(tags)
        self._retag("tag_labels", label_fields, lambda old: [*old, *(tag for tag in listed if tag not in old)])

    def untag_labels(self, tags: str | Iterable[str], label_fields: str | Iterable[str] | None = None) -> None:
        """Remove tags from all labels of the collection; see `tag_labels`."""
        listed = bulk.checked_tags(tags)
        self._retag("untag_labels", label_fields, lambda old: [tag for tag in old if tag not in listed])

    def count_label_tags(self, label_fields: str | Iterable[str] | None = None) -> dict[str, int]:
        """How many labels have each tag, the most frequent first.

        Args:
            label_fields: the field or fields to count in; None means all that hold labels.
        """
        counts: dict[str, int] = {}
        for labels in self._label_places(label_fields).values():
            root_path = labels.root_path if self._patched is None else labels.path
            found: dict[str, int] = self.count_values(f"{root_path}.tags")  # type: ignore[attr-defined]  # Aggregating supplies it
            for tag, count in found.items():
                counts[tag] = counts.get(tag, 0) + count
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    def delete_labels(
        self,
        labels: Any = None,
        ids: Any = None,
        tags: str | Iterable[str] | None = None,
        view: "DatasetView | None" = None,
        fields: str | Iterable[str] | None = None,
    ) -> None:
        """Delete labels, named in one of four ways; of a view, only those that it shows.

        Args:
            labels: single labels, as dicts with "sample_id", "field" and "label_id".
            ids: a label's id, or several.
            tags: a tag or several, of which a label has at least one.
            view: a view of the dataset, all of whose labels are deleted.
            fields: the field or fields whose labels may be deleted; None means all that hold labels.

        Writes:
            The fields of the labels, in one action.

        Raises:
            ViewError: if not exactly one way was used, if the view is of another dataset, or if a field holds no
                labels.
            FieldNotFoundError: if a field does not exist.
        """
        given = {"labels": labels, "ids": ids, "tags": tags, "view": view}
        used = [name for name, value in given.items() if value is not None]
        if len(used) != 1:
            raise ViewError(
                f"delete_labels() was given {' and '.join(used) or 'nothing'}. Give one of labels, ids, tags and view."
            )
        source: Base = self
        if view is None:
            named = fields if fields is None or isinstance(fields, str) else tuple(fields)
            source = self._then(stages.SelectLabels(labels=labels, ids=ids, tags=tags, fields=named))
        elif not isinstance(view, Base) or view._root != self._root:
            raise ViewError(f"delete_labels() was given view={view!r:.200}. Give a view of {self._title()}.")
        elif self._stages:
            raise ViewError("delete_labels(view=...) is for datasets. Call it on the dataset, or name the labels.")
        else:
            source = view
        self._change_labels(
            "delete_labels", source, self._label_places(fields), lambda items, chosen: (_without(items, chosen), None)
        )

    def split_labels(self, in_field: str, out_field: str, filter: ViewExpression | None = None) -> None:
        """Move labels of the collection to another field; those that it does not show stay.

        Args:
            in_field: the field that holds the labels, such as "predictions".
            out_field: the field that they go to; one with lists of labels may exist.
            filter: a condition; only labels for which it holds are moved.

        Writes:
            Both fields, in one action.

        Raises:
            FieldNotFoundError: if `in_field` does not exist.
            ViewError: if it holds no labels.
            FieldKindError: if `out_field` holds something else, or a single label on one of the samples already.
            SchemaError: if `out_field` cannot be used as a name.
        """
        source = self if filter is None else self._then(stages.FilterLabels(in_field, filter))
        places = self._label_places(in_field)
        (labels,) = places.values()
        self._change_labels(
            "split_labels", source, places, parted, moving_to=self._beside(labels, out_field)
        )  # fmt: skip

    # --- how --------------------------------------------------------------------------------------------------------

    def _label_places(self, fields: str | Iterable[str] | None) -> dict[str, LabelField]:
        """Where the labels of some fields lie in samples."""
        schema = self._schema()
        names = stages.label_fields(schema) if fields is None else [fields] if isinstance(fields, str) else list(fields)
        for name in names:
            schema.resolve(name, self._title())
        return {name: self._patched or stages.label_field(schema, name) for name in names}

    def _beside(self, labels: LabelField, out_field: str) -> tuple[LabelField, dict[str, Field]]:
        """The place of a field for the same labels, with what has to be declared for it."""
        schema = self._root._current_schema()
        old = schema.resolve(labels.path).field
        known = schema.get(out_field)
        if known is None:
            check_field_name(out_field)
        if out_field == labels.path or (known is not None and known != old):
            raise FieldKindError(f"labels of {labels.path!r}, a {old}, cannot be moved to {out_field!r}, a {known}.")
        declared = {
            out_field + path[len(labels.path) :]: schema[path]
            for path in schema.paths() if path == labels.path or path.startswith(labels.path + ".")
        }  # fmt: skip
        return LabelField(out_field, labels.attribute), declared

    def _retag(
        self, verb: str, label_fields: str | Iterable[str] | None, change: Callable[[list[str]], list[str]]
    ) -> None:
        def retagged(items: Sequence[Any], chosen: set[Any]) -> tuple[list[Any], None]:
            return [_with_tags(item, change) if item["_id"] in chosen else item for item in items], None

        self._change_labels(verb, self, self._label_places(label_fields), retagged)

    def _change_labels(
        self,
        verb: str,
        source: Base,
        places: Mapping[str, LabelField],
        change: Callable[[Sequence[Any], set[Any]], tuple[list[Any], list[Any] | None]],
        moving_to: tuple[LabelField, dict[str, Field]] | None = None,
        *,
        replacing: bool = False,
        removing: Sequence[str] = (),
    ) -> None:
        """Change the labels that `source` shows in some fields, in one action.

        Args:
            verb: what the history shows.
            source: the dataset or view that shows which labels are meant.
            places: the fields.
            change: gets the labels of one sample and the ids of those that are meant, and gives the labels that stay
                and those that go to `moving_to`.
            moving_to: where labels are moved to, and what has to be declared for it.
            replacing: whether labels that are moved replace those with their ids, or a single one.
            removing: fields to delete after it.
        """
        if not removing and not any(_shows_any(source, labels) for labels in places.values()):
            return
        target, declared = moving_to or (None, {})
        tops = {path.split(".")[0] for path in [*(p.path for p in places.values()), *([target.path] if target else [])]}
        root = self._root
        with journal.action(root._id, verb, sorted(tops), declare=declared, remove=removing) as action:
            for labels in places.values():
                chosen = chosen_labels(source, labels)
                ids = list(chosen)

                def changed(
                    start: int, old: Sequence[Any], labels: LabelField = labels, chosen: _Chosen = chosen
                ) -> dict[str, list[Any]]:
                    columns: dict[str, list[Any]] = {labels.path: []}
                    if target is not None:
                        columns[target.path] = []
                    for sample_id, document in zip(list(chosen)[start : start + len(old)], old, strict=True):
                        holder = actions.value_at(document, labels.path)
                        stay, go = change(_items(holder, labels), chosen[sample_id])
                        columns[labels.path].append(_holding(holder, stay, labels))
                        if target is not None:
                            there = actions.value_at(document, target.path)
                            columns[target.path].append(
                                _merged(there, holder, go or [], target) if replacing
                                else _joined(there, holder, go or [], target, sample_id)
                            )  # fmt: skip
                    return columns

                action.transform(ids, [labels.path, *([target.path] if target else [])], changed)
            if target is not None:
                _copy_models(root._id, next(iter(places.values())).path, target.path)
            for name in removing:
                ids = samples.sample_ids(root._id, [{"$match": {name: {"$exists": True}}}])
                action.set(ids, {name: [actions.ABSENT] * len(ids)})


def chosen_labels(source: Base, labels: LabelField) -> _Chosen:
    """The labels that a collection shows in a field."""
    if source._patched == labels:
        row = {"_id": "$sample_id", "ids": "$_id"}
    else:
        row = {"ids": f"${labels.root_path}._id"}
    steps: list[Bson] = [{"$project": row}]
    found: _Chosen = {}
    for document in source._documents(steps, ordered=False):
        ids = document.get("ids")
        if ids:
            found.setdefault(str(document["_id"]), set()).update(ids if isinstance(ids, list) else [ids])
    return found


def _shows_any(source: Base, labels: LabelField) -> bool:
    path = labels.root_path if source._patched is None else labels.path
    steps: list[Bson] = [
        {"$project": {"ids": f"${path}._id"}}, {"$match": {"ids": {"$nin": [None, []]}}}, {"$limit": 1}
    ]  # fmt: skip
    return any(source._documents(steps, ordered=False))


def _items(holder: Any, labels: LabelField) -> list[Any]:
    """The labels in a stored value."""
    if not isinstance(holder, Mapping):
        return []
    return [holder] if labels.attribute is None else list(holder.get(labels.attribute) or [])


def _holding(holder: Any, items: Sequence[Any], labels: LabelField) -> Any:
    """A stored value with these labels in place of its own."""
    if labels.attribute is None:
        return items[0] if items else actions.ABSENT
    return {**holder, labels.attribute: list(items)} if isinstance(holder, Mapping) else holder


def _joined(there: Any, holder: Any, items: Sequence[Any], target: LabelField, sample_id: SampleId) -> Any:
    """What is stored at the place that labels are moved to, with these after its own."""
    if not items:
        return there
    if not isinstance(there, Mapping):
        return _holding(holder, items, target)
    if target.attribute is None:
        raise FieldKindError(
            f"sample {sample_id} has a label in {target.path!r} already, which holds one. Move to another field."
        )
    return _holding(there, [*_items(there, target), *items], target)


def _merged(there: Any, holder: Any, items: Sequence[Any], target: LabelField) -> Any:
    """What is stored at the place that labels are merged into: those with the same ids are replaced."""
    if not items:
        return there
    if target.attribute is None or not isinstance(there, Mapping):
        return _holding(holder, items, target)
    coming = {item["_id"]: item for item in items}
    kept = [coming.pop(item.get("_id"), item) for item in _items(there, target)]
    return _holding(there, [*kept, *coming.values()], target)


def parted(items: Sequence[Any], chosen: set[Any]) -> tuple[list[Any], list[Any]]:
    """The labels that stay, and those that are meant."""
    return _without(items, chosen), [item for item in items if item.get("_id") in chosen]


def _without(items: Sequence[Any], chosen: set[Any]) -> list[Any]:
    return [item for item in items if item.get("_id") not in chosen]


def _with_tags(item: Mapping[str, Any], change: Callable[[list[str]], list[str]]) -> dict[str, Any]:
    tags = change(list(item.get("tags") or []))
    rest = {name: value for name, value in item.items() if name != "tags"}
    return {**rest, "tags": tags} if tags else rest


def _copy_models(dataset_id: str, old: str, new: str) -> None:
    """Let the vectors of labels that were moved be known for what they are."""
    for path, record in field_records.by_path(dataset_id).items():
        if path.startswith(f"{old}.") and record.get("model"):
            field_records.change_field(dataset_id, new + path[len(old) :], model=record["model"])
