"""Expressions: what to compute for each sample, said with `F` and compiled to the database's two languages."""

from .check import check
from .describe import describe
from .field import VALUE, F, ViewExpression, ViewField
from .mongo import NOTHING, to_aggregation, to_query
from .nodes import Node

__all__ = [
    "NOTHING",
    "VALUE",
    "F",
    "Node",
    "ViewExpression",
    "ViewField",
    "check",
    "describe",
    "to_aggregation",
    "to_query",
]
