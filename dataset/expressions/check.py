"""Checking an expression against a schema, before any sample is read."""

from ..schema import Schema
from . import kinds
from .nodes import Node
from .translate import value
from .typed import Scope


def check(node: Node, schema: Schema, root_path: str = "") -> None:
    """Check that every field exists and every part can work on what it is given.

    Args:
        node: the expression.
        schema: the fields that there are.
        root_path: where relative fields begin: empty for the sample, or the path of the label or labels that the
            expression is computed on, such as "predictions.detections".

    Raises:
        FieldNotFoundError: if a field does not exist, naming those that do and the nearest one.
        ExpressionError: if a part can never work, such as the logarithm of text or anything but `exists` on a vector.
    """
    value(node, Scope(schema, kind=kinds.element_at(schema, root_path)))
