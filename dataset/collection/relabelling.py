"""Labels that come to other labels: merged into another field, or given values by their ids."""

from collections.abc import Mapping, Sequence
from typing import Any

from .. import label_values, stages
from ..errors import FieldNotFoundError, SchemaError, ViewError
from ..stages import LabelField
from ..types import Progress, is_id
from .labelling import Labelling, chosen_labels, parted


class Relabelling(Labelling):
    """Methods that bring labels, or values of labels, together; each is one action."""

    def merge_labels(self, in_field: str, out_field: str) -> None:
        """Merge the labels of a field into another one.

        Of a dataset the input field is deleted then. Of a view only the labels that it shows are moved; the others
        stay in the input field.

        Args:
            in_field: the field that holds the labels.
            out_field: the field that they go to, of the same kind if it exists. A label with the same id is replaced
                there, and so is the label of a field that holds one.

        Writes:
            Both fields, in one action.

        Raises:
            FieldNotFoundError: if `in_field` does not exist.
            ViewError: if it holds no labels.
            FieldKindError: if `out_field` holds something else.
            SchemaError: if `out_field` cannot be used as a name.
        """
        places = self._label_places(in_field)
        (labels,) = places.values()
        self._change_labels(
            "merge_labels", self, places, parted, moving_to=self._beside(labels, out_field),
            replacing=True, removing=() if self._stages else (in_field,),
        )  # fmt: skip

    def set_label_values(
        self,
        field_name: str,
        values: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        dynamic: bool = True,
        skip_none: bool = False,
        validate: bool = True,
        progress: Progress = False,
    ) -> None:
        """Set an attribute of single labels.

        Args:
            field_name: the path of the attribute, such as "predictions.detections.reviewed".
            values: a dict from ids of labels to values, or a list of dicts with "label_id" and "value".
            dynamic: declare the attribute if the labels' class does not have it; else that is an error.
            skip_none: leave labels as they are where the value is None, which removes the attribute otherwise.
            validate: check the values against the attribute.
            progress: whether to show a bar.

        Writes:
            The field of the labels, in one action.

        Raises:
            FieldNotFoundError: if there is no such field, or the attribute is new and `dynamic` is False.
            FieldKindError: if a value does not fit.
            SchemaError: if an id is that of no label of the collection. Nothing is written then.
        """
        given = _by_label(values)
        labels, attribute = self._label_attribute(field_name)
        if given:
            label_values.set_label_values(
                self._root, labels, attribute, self._label_rows(labels, given), list(given.values()),
                skip_none=skip_none, expand_schema=True, dynamic=dynamic, validate=validate, progress=progress,
            )  # fmt: skip

    def _label_attribute(self, path: str) -> tuple[LabelField, str]:
        """The labels that a path leads into, and the attribute that it names.

        Raises:
            FieldNotFoundError: if there are none.
            ViewError: if it does not name an attribute of labels.
        """
        schema = self._schema()
        for labels in [stages.label_field(schema, name) for name in stages.label_fields(schema)]:
            attribute = path[len(labels.root_path) + 1 :]
            if path.startswith(f"{labels.root_path}.") and "." not in attribute:
                return labels, attribute
        if path.split(".", maxsplit=1)[0] not in schema:
            raise FieldNotFoundError.among(path, schema.names(), self._title())
        places = [stages.label_field(schema, name).root_path for name in stages.label_fields(schema)]
        raise ViewError(
            f"{path!r} names no attribute of labels. Labels lie at: {', '.join(places) or 'nowhere'}. "
            "Add a dot and the attribute's name."
        )

    def _label_rows(self, labels: LabelField, given: Mapping[str, Any]) -> list[label_values.LabelRow]:
        """The samples of labels that the collection shows.

        Raises:
            SchemaError: if it does not show one of them.
        """
        unknown = [label_id for label_id in given if not is_id(label_id)]
        holders: dict[str, str] = {}
        if not unknown:
            source = self._then(stages.SelectLabels(ids=list(given), fields=labels.path))
            holders = {
                str(label_id): holder for holder, ids in chosen_labels(source, labels).items() for label_id in ids
            }
            unknown = [label_id for label_id in given if label_id not in holders]
        if unknown:
            raise SchemaError(
                f"{len(unknown)} of {len(given)} ids are those of no label in {labels.path!r} of {self._title()}: "
                f"{', '.join(map(repr, unknown[:3]))}{', …' if len(unknown) > 3 else ''}. Nothing was written."
            )
        return [(holders[label_id], label_id) for label_id in given]


def _by_label(values: Any) -> dict[str, Any]:
    if isinstance(values, Mapping):
        return dict(values)
    try:
        return {one["label_id"]: one["value"] for one in values}
    except (TypeError, KeyError, IndexError) as error:
        raise SchemaError(
            f"set_label_values() was given {values!r:.200}. "
            'Give a dict from ids of labels to values, or a list of dicts with "label_id" and "value".'
        ) from error
