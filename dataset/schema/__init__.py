"""Fields and the schema: which kinds of values a dataset holds, and under which paths.

Pure: nothing here knows the database or the label classes; those register their attributes with `register_document`.
"""

from .documents import documents, register_document
from .fields import (
    ArrayField,
    BooleanField,
    DateField,
    DateTimeField,
    DictField,
    EmbeddedDocumentField,
    Field,
    FloatField,
    IntField,
    ListField,
    ObjectIdField,
    StringField,
    UnknownField,
    VectorField,
    field_from_dict,
    field_types,
)
from .infer import infer, infer_attribute, merge
from .schema import RESERVED_NAMES, SAMPLE_FIELDS, SAMPLE_ID, Resolved, Schema, check_field_name

__all__ = [
    "RESERVED_NAMES",
    "SAMPLE_FIELDS",
    "SAMPLE_ID",
    "ArrayField",
    "BooleanField",
    "DateField",
    "DateTimeField",
    "DictField",
    "EmbeddedDocumentField",
    "Field",
    "FloatField",
    "IntField",
    "ListField",
    "ObjectIdField",
    "Resolved",
    "Schema",
    "StringField",
    "UnknownField",
    "VectorField",
    "check_field_name",
    "documents",
    "field_from_dict",
    "field_types",
    "infer",
    "infer_attribute",
    "merge",
    "register_document",
]
