"""What describes a dataset: its name, notes, tags, class names and times. Kept in its record in the catalogue."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import count
from typing import Any

from . import annotating, bulk
from .collection import SampleCollection
from .errors import DatasetError, DatasetNotFoundError, FieldKindError, SchemaError
from .labels import KeypointSkeleton
from .schema import DictField, StringField
from .store import catalog, codec
from .types import Bson


class Describing(SampleCollection):
    """The part of a dataset that is its record. Setting a property writes it."""

    _id: str
    _record: Bson

    def reload(self) -> None:
        """Read the dataset's own facts again; its samples are always read anew."""
        self._record = catalog.get_dataset(self._id)
        self._record["info"] = codec.decode(self._record.get("info") or {})
        self._record |= annotating.read({name: self._record.get(name) for name in annotating.ENTRIES})

    def save(self) -> None:
        """Write `info`, `tags`, `classes` and `default_classes` after changing them in place."""
        changed = {key: entry for key, entry in _IN_PLACE.items() if key in self._record}
        self._change(**{name: stored(self._record[key]) for key, (name, stored) in changed.items()})

    def _change(self, **changes: Any) -> None:
        catalog.update_dataset(self._id, **changes)
        self.reload()

    @property
    def name(self) -> str:
        """The dataset's name. Setting it renames the dataset."""
        return str(self._record["name"])

    @name.setter
    def name(self, name: str) -> None:
        self._change(name=checked_name(name))

    @property
    def persistent(self) -> bool:
        """Whether the dataset outlives the processes that use it."""
        return bool(self._record["persistent"])

    @persistent.setter
    def persistent(self, persistent: bool) -> None:
        catalog.open_dataset(self._id)  # first, or it would be removed as nobody's
        self._change(persistent=bool(persistent))

    @property
    def description(self) -> str | None:
        """One paragraph about the dataset."""
        return self._record.get("description")

    @description.setter
    def description(self, description: str | None) -> None:
        self._change(description=_checked("description", StringField().coerce, description))

    @property
    def tags(self) -> list[str]:
        """Names that mark the dataset. Call `save()` after changing them in place."""
        return self._record.setdefault("tags", [])  # type: ignore[no-any-return]  # the record is untyped

    @tags.setter
    def tags(self, tags: Iterable[str]) -> None:
        self._change(tags=bulk.checked_tags(tags))

    @property
    def info(self) -> dict[str, Any]:
        """Facts of any kind. Call `save()` after changing them in place."""
        return self._record.setdefault("info", {})  # type: ignore[no-any-return]  # the record is untyped

    @info.setter
    def info(self, info: Mapping[str, Any]) -> None:
        self._change(details=_stored_info(info))

    @property
    def classes(self) -> dict[str, list[str]]:
        """The class names of each label field: logits[k] belongs to classes[field][k]; `save()` after changes."""
        return self._record.setdefault("classes", {})  # type: ignore[no-any-return]  # the record is untyped

    @classes.setter
    def classes(self, classes: Mapping[str, Sequence[str]]) -> None:
        self._change(classes=_checked_classes(classes))

    @property
    def default_classes(self) -> list[str]:
        """The class names of label fields that `classes` does not name. Call `save()` after changing them in place."""
        return self._record.setdefault("default_classes", [])  # type: ignore[no-any-return]  # the record is untyped

    @default_classes.setter
    def default_classes(self, names: Sequence[str]) -> None:
        self._change(default_classes=_checked_names("default_classes", names))

    @property
    def mask_targets(self) -> dict[str, dict[Any, str]]:
        """What the values of each field's masks mean: by field, names by number or by color. `save()` after changes."""
        return self._record["mask_targets"]  # type: ignore[no-any-return]  # the record is untyped

    @mask_targets.setter
    def mask_targets(self, targets: Mapping[str, Mapping[Any, str]]) -> None:
        self._change(mask_targets=annotating.ENTRIES["mask_targets"](targets))

    @property
    def default_mask_targets(self) -> dict[Any, str]:
        """What the values of masks mean in fields that `mask_targets` does not name. `save()` after changes."""
        return self._record["default_mask_targets"]  # type: ignore[no-any-return]  # the record is untyped

    @default_mask_targets.setter
    def default_mask_targets(self, targets: Mapping[Any, str]) -> None:
        self._change(default_mask_targets=annotating.ENTRIES["default_mask_targets"](targets))

    @property
    def skeletons(self) -> dict[str, KeypointSkeleton]:
        """How the points of each field of keypoints are called and joined. `save()` after changes."""
        return self._record["skeletons"]  # type: ignore[no-any-return]  # the record is untyped

    @skeletons.setter
    def skeletons(self, skeletons: Mapping[str, KeypointSkeleton]) -> None:
        self._change(skeletons=annotating.ENTRIES["skeletons"](skeletons))

    @property
    def default_skeleton(self) -> KeypointSkeleton | None:
        """The skeleton of fields that `skeletons` does not name. `save()` after changes."""
        return self._record["default_skeleton"]  # type: ignore[no-any-return]  # the record is untyped

    @default_skeleton.setter
    def default_skeleton(self, skeleton: KeypointSkeleton | None) -> None:
        self._change(default_skeleton=annotating.ENTRIES["default_skeleton"](skeleton))

    @property
    def media_type(self) -> str | None:
        """What the samples are: image, video, or unknown; None while there are none."""
        return self._record.get("media_type")

    def _note_media(self, media_type: str) -> None:
        if self.media_type is None:
            self._change(media_type=media_type)

    @property
    def created_at(self) -> datetime:
        """When the dataset was made, in UTC."""
        return self._record["created_at"]  # type: ignore[no-any-return]  # the record is untyped

    @property
    def last_modified_at(self) -> datetime:
        """When the dataset was last changed, in UTC; read anew."""
        self.reload()
        return self._record["last_modified_at"]  # type: ignore[no-any-return]  # the record is untyped

    @property
    def deleted(self) -> bool:
        """Whether the dataset was deleted."""
        try:
            self.reload()
        except DatasetNotFoundError:
            return True
        return False


def _checked(what: str, coerce: Callable[[Any], Any], value: Any) -> Any:
    try:
        return coerce(value)
    except FieldKindError as error:
        raise FieldKindError(f"a dataset's {what}: {error}") from error


def _stored_info(info: Any) -> Bson:
    return dict(codec.encode(_checked("info", DictField().coerce, info or {}), "info"))


def _checked_names(what: str, names: Any) -> list[str]:
    if isinstance(names, Sequence) and not isinstance(names, str) and all(isinstance(name, str) for name in names):
        return list(names)
    raise SchemaError(f"{what} was given {names!r}; expected a list of class names.")


def _checked_classes(classes: Any) -> dict[str, list[str]]:
    if not isinstance(classes, Mapping):
        raise SchemaError(f"classes was given {classes!r}; expected a dict from fields to lists of class names.")
    return {field: _checked_names(f"classes[{field!r}]", names) for field, names in classes.items()}


_IN_PLACE: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "tags": ("tags", bulk.checked_tags),
    "info": ("details", _stored_info),
    "classes": ("classes", _checked_classes),
    "default_classes": ("default_classes", lambda names: _checked_names("default_classes", names)),
    **{name: (name, stored) for name, stored in annotating.ENTRIES.items()},
}
"""Entries of the record that users change in place: what the catalogue calls each, and its stored form."""


def checked_name(name: str) -> str:
    """A dataset name, or an error.

    Raises:
        DatasetError: if it is empty, too long, or not text.
    """
    if (
        not isinstance(name, str)
        or not name.strip()
        or len(name) > 200
        or name.startswith("(")
        or not name.isprintable()
    ):
        raise DatasetError(
            f"{name!r} cannot name a dataset. Use 1 to 200 printable characters, not beginning with '('."
        )
    return name


def default_names() -> Iterator[str]:
    """Names from the time, to be tried until one is free."""
    base = catalog.now().strftime("%Y.%m.%d.%H.%M.%S")
    yield base
    yield from (f"{base}-{number}" for number in count(1))
