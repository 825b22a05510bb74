"""What expressions can compute, one family per file."""

from . import dates, lists, numbers, registry, text, values
from .registry import Function, function, named, names

__all__ = ["Function", "dates", "function", "lists", "named", "names", "numbers", "registry", "text", "values"]
