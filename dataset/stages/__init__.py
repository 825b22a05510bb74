"""Stages: the steps of which views are made."""

from .base import Stage, stage_types
from .fields import ExcludeFields, SelectFields
from .labels import FilterLabels, LabelField, label_field
from .matching import Exists, Match, MatchTags
from .ordering import Shuffle, SortBy, Take
from .picking import Exclude, Limit, Select, Skip

__all__ = [
    "Exclude",
    "ExcludeFields",
    "Exists",
    "FilterLabels",
    "LabelField",
    "Limit",
    "Match",
    "MatchTags",
    "Select",
    "SelectFields",
    "Shuffle",
    "Skip",
    "SortBy",
    "Stage",
    "Take",
    "label_field",
    "stage_types",
]
