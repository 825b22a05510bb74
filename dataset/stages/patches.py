"""The stage that shows labels in place of samples: to_patches; and what tells that rows are patches."""

from dataclasses import dataclass

from ..errors import ViewError
from ..schema import SAMPLE_FIELDS, SAMPLE_ID, EmbeddedDocumentField, Field, ListField, Schema
from ..schema.documents import extends
from ..types import Bson
from .base import Stage
from .labels import LabelField, label_field

_KINDS = ("Detection", "Polyline", "Keypoint")


@dataclass(frozen=True)
class ToPatches(Stage):
    """Show one row for each label of a field, in place of the samples.

    A row has the id and the tags of its label, the filepath and metadata of its sample, the sample's id as
    `sample_id`, and the label itself in the field. Rows come in the order of the samples, and those of a sample in the
    order of its labels.

    Args:
        field: a field of detections, polylines or keypoints, in lists or single.

    Example:
        >>> print(ToPatches("ground_truth"))
        to_patches("ground_truth")
    """

    name = "to_patches"
    shapes_documents = True

    field: str

    def __post_init__(self) -> None:
        if not isinstance(self.field, str) or "." in self.field or self.field in {"", "sample_id"}:
            raise ViewError(f"to_patches() was given {self.field!r}. Give the name of a field of labels.")

    def place(self, schema: Schema) -> LabelField:
        """Find the labels, where they lie in samples.

        Raises:
            FieldNotFoundError: if there is no such field.
            ViewError: if it holds no labels with a place in the image, or if the rows are patches already.
        """
        if is_of_patches(schema):
            raise ViewError(
                f"to_patches({self.field!r}) was called on patches. Begin with the dataset, or with a view of samples."
            )
        labels = label_field(schema, self.field)
        kind = _label_of(schema, labels).document_type
        if not any(extends(kind, base) for base in _KINDS):
            raise ViewError(
                f"to_patches() was given {self.field!r}, which holds a {kind}: it has no place in the image. Patches "
                "are made of detections, polylines and keypoints."
            )
        return labels

    def to_mongo(self, schema: Schema) -> list[Bson]:
        """Give the steps of the pipeline."""
        labels = self.place(schema)
        label = f"${labels.root_path}"
        apart: Bson = {"$unwind": label} if labels.attribute else {"$match": {labels.path: {"$ne": None}}}
        row = {
            "_id": f"{label}._id", "sample_id": "$_id", "filepath": 1, "tags": {"$ifNull": [f"{label}.tags", []]},
            "metadata": 1, self.field: label,
        }  # fmt: skip
        return [apart, {"$project": row}]

    def schema_after(self, schema: Schema) -> Schema:
        """Give the fields of the rows."""
        labels = self.place(schema)
        fields: dict[str, Field] = {"id": SAMPLE_FIELDS["id"], "sample_id": SAMPLE_ID}
        fields |= {name: schema[name] for name in ("filepath", "tags", "metadata") if name in schema}
        fields[self.field] = _label_of(schema, labels)
        below = f"{labels.root_path}."
        fields |= {
            f"{self.field}.{path[len(below) :]}": schema[path] for path in schema.paths() if path.startswith(below)
        }
        return Schema(fields)


def is_of_patches(schema: Schema) -> bool:
    """Whether rows with these fields are patches."""
    return schema.get("sample_id") is SAMPLE_ID  # a field of the user's own may have this name


def _label_of(schema: Schema, labels: LabelField) -> EmbeddedDocumentField:
    """Give the field that a single label makes, described as the field that it comes from."""
    whole, label = schema[labels.path], schema.resolve(labels.root_path).field
    if isinstance(label, ListField):
        label = label.subfield
    assert isinstance(label, EmbeddedDocumentField), "places of labels hold nothing else"
    return EmbeddedDocumentField(label.document_type, description=whole.description, info=whole.info)
