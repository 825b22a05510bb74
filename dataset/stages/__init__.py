"""Stages: the steps of which views are made."""

from .base import Stage, stage_types
from .chain import Concat
from .changing import FilterField, MapLabels, MapValues, SetField
from .choosing import ExcludeLabels, MatchLabels, SelectLabels
from .fields import ExcludeFields, SelectFields
from .grouping import GroupBy
from .labels import FilterLabels, LabelField, LimitLabels, label_field, label_fields
from .matching import Exists, Match, MatchTags
from .ordering import Shuffle, SortBy, Take
from .patches import ToPatches, is_of_patches
from .picking import Exclude, Limit, Select, Skip
from .raw import Mongo
from .similarity import SortBySimilarity
from .values import ExcludeBy, SelectBy

__all__ = [
    "Concat",
    "Exclude",
    "ExcludeBy",
    "ExcludeFields",
    "ExcludeLabels",
    "Exists",
    "FilterField",
    "FilterLabels",
    "GroupBy",
    "LabelField",
    "Limit",
    "LimitLabels",
    "MapLabels",
    "MapValues",
    "Match",
    "MatchLabels",
    "MatchTags",
    "Mongo",
    "Select",
    "SelectBy",
    "SelectFields",
    "SelectLabels",
    "SetField",
    "Shuffle",
    "Skip",
    "SortBy",
    "SortBySimilarity",
    "Stage",
    "Take",
    "ToPatches",
    "is_of_patches",
    "label_field",
    "label_fields",
    "stage_types",
]
