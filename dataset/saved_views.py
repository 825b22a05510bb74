"""Saved views: the stages of a view under a name, kept with the dataset."""

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from .collection import SampleCollection
from .errors import ReadOnlyError, SaccadeError, ViewError, hint
from .stages import Stage
from .store import catalog, view_records
from .types import Bson

if TYPE_CHECKING:
    from .view import DatasetView

_EDITABLE = ("name", "description", "color")
_SHOWN = ("name", "description", "color", "created_at", "last_modified_at", "last_loaded_at")


class SavingViews(SampleCollection):
    """The part of a dataset that keeps views by name. What is kept are stages; the samples are found anew."""

    _id: str

    def save_view(
        self,
        name: str,
        view: SampleCollection,
        description: str | None = None,
        color: str | None = None,
        overwrite: bool = False,
    ) -> None:
        """Save a view under a name.

        Args:
            name: the name, unique in the dataset.
            view: a view of this dataset.
            description: what the view shows, for people.
            color: a color for displays, such as "#ff6d04".
            overwrite: whether to replace a saved view of this name.

        Writes:
            A record with the view's stages. The samples themselves are not copied.

        Raises:
            ViewError: if the name is taken or cannot be used, or the view is of another dataset.
        """
        if not isinstance(view, SampleCollection) or view._root != self._root:
            given = view._title() if isinstance(view, SampleCollection) else repr(view)
            raise ViewError(f"save_view({name!r}) was given {given}. Give a view of dataset {self._root.name!r}.")
        values = _checked({"name": name, "description": description, "color": color})
        values["stages"] = [stage.to_dict() for stage in view._stages]
        if not view_records.add_view(self._id, values, overwrite=overwrite):
            raise _taken(name, self._root.name)
        catalog.touch(self._id)

    def load_saved_view(self, name: str) -> "DatasetView":
        """Give a saved view.

        Raises:
            ViewError: if there is none of this name, or if it needs a newer version of Saccade.
            FieldNotFoundError: if it needs a field that the dataset has no more.
        """
        record = self._saved_view(name)
        view = self.view()
        try:
            for stored in record.get("stages") or []:
                view = view._then(Stage.from_dict(stored))
        except SaccadeError as error:
            error.add_note(f"The saved view {name!r} of dataset {self._root.name!r} cannot be loaded because of this.")
            raise
        with suppress(ReadOnlyError):
            view_records.change_view(self._id, name, {"last_loaded_at": catalog.now()})
        return view._named(name)

    def list_saved_views(self, info: bool = False) -> list[Any]:
        """The names of the saved views, sorted.

        Args:
            info: give dicts of facts instead of names.
        """
        records = view_records.read_views(self._id)
        if not info:
            return [record["name"] for record in records]
        return [{key: record.get(key) for key in _SHOWN} for record in records]

    @property
    def has_saved_views(self) -> bool:
        """Whether there are saved views."""
        return bool(view_records.read_views(self._id))

    def has_saved_view(self, name: str) -> bool:
        """Whether there is a saved view of this name."""
        return bool(view_records.read_views(self._id, name=name))

    def get_saved_view_info(self, name: str) -> dict[str, Any]:
        """The facts about a saved view that can be changed: its name, description and color.

        Raises:
            ViewError: if there is none of this name.
        """
        record = self._saved_view(name)
        return {key: record.get(key) for key in _EDITABLE}

    def update_saved_view_info(self, name: str, info: Mapping[str, Any]) -> None:
        """Change facts about a saved view.

        Args:
            name: the view.
            info: the facts to change, of those that `get_saved_view_info` gives. A new name renames the view.

        Raises:
            ViewError: if there is none of this name, if a fact cannot be changed, or if the new name is taken.
        """
        self._saved_view(name)
        for key in info:
            if key not in _EDITABLE:
                raise ViewError(
                    f"{key!r} of a saved view cannot be changed. {hint(key, _EDITABLE, 'Facts that can')} "
                    "To change what it shows, use save_view(..., overwrite=True)."
                )
        changes = _checked(info)
        new_name = changes.get("name", name)
        if new_name != name and self.has_saved_view(new_name):
            raise _taken(new_name, self._root.name)
        view_records.change_view(self._id, name, {**changes, "last_modified_at": catalog.now()})

    def delete_saved_view(self, name: str) -> None:
        """Delete a saved view; its samples stay.

        Raises:
            ViewError: if there is none of this name.
        """
        if not view_records.remove_views(self._id, name=name):
            self._saved_view(name)

    def delete_saved_views(self) -> None:
        """Delete all saved views; their samples stay."""
        view_records.remove_views(self._id)

    def _saved_view(self, name: str) -> Bson:
        for record in view_records.read_views(self._id, name=name):
            return record
        names = self.list_saved_views()
        raise ViewError(f"no saved view {name!r} on dataset {self._root.name!r}. {hint(str(name), names, 'Views')}")


def _checked(info: Mapping[str, Any]) -> dict[str, Any]:
    """Facts about a view, if they are text.

    Raises:
        ViewError: if one is not, or if the name is empty or too long.
    """
    for key, value in info.items():
        if value is not None and not isinstance(value, str):
            raise ViewError(f"the {key} of a saved view was given as {value!r}; expected text.")
    if "name" in info:
        name = info["name"]
        if not isinstance(name, str) or not name.strip() or len(name) > 200 or not name.isprintable():
            raise ViewError(f"{name!r} cannot name a view. Use 1 to 200 printable characters.")
    return dict(info)


def _taken(name: str, dataset: str) -> ViewError:
    return ViewError(
        f"dataset {dataset!r} has a saved view {name!r} already. Choose another name, or pass overwrite=True."
    )
