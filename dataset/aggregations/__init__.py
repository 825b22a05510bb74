"""Aggregations: what can be computed from all samples of a dataset or view."""

from .attributes import Schema
from .base import Aggregation
from .counting import Count, CountValues, Distinct
from .histogram import HistogramValues
from .statistics import Bounds, Max, Mean, Min, Quantiles, Std, Sum
from .values import Values

__all__ = [
    "Aggregation",
    "Bounds",
    "Count",
    "CountValues",
    "Distinct",
    "HistogramValues",
    "Max",
    "Mean",
    "Min",
    "Quantiles",
    "Schema",
    "Std",
    "Sum",
    "Values",
]
