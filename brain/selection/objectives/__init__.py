"""The objectives of a selection, over arrays: what makes a sample worth picking at its turn."""

from typing import TypeAlias

from .balance import BalanceObjective
from .coverage import CoverageObjective
from .diversity import DiversityObjective
from .fixed import RandomObjective, SimilarityObjective, TypicalityObjective, WeightsObjective

Objective: TypeAlias = (
    DiversityObjective
    | CoverageObjective
    | WeightsObjective
    | SimilarityObjective
    | TypicalityObjective
    | RandomObjective
    | BalanceObjective
)

__all__ = [
    "BalanceObjective",
    "CoverageObjective",
    "DiversityObjective",
    "Objective",
    "RandomObjective",
    "SimilarityObjective",
    "TypicalityObjective",
    "WeightsObjective",
]
