"""The methods of expressions, one family per file."""

from .base import Expression, as_node
from .conditions import ConditionMethods
from .dates import DateMethods
from .lists import ListMethods
from .makers import Makers
from .numbers import NumberMethods
from .operators import Operators
from .text import TextMethods

__all__ = [
    "ConditionMethods",
    "DateMethods",
    "Expression",
    "ListMethods",
    "Makers",
    "NumberMethods",
    "Operators",
    "TextMethods",
    "as_node",
]
