"""Checks of single values in a selection config. A wrong one is answered with its place and what it may be."""

import inspect
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Integral, Real
from types import MappingProxyType
from typing import Any, ClassVar, Self, TypeAlias

from ...dataset.errors import SelectionError, WrongValueError, hint

Check: TypeAlias = Callable[[object, str], Any]
"""Takes a value and its place, gives the value as it is kept, or raises WrongValueError."""


class Named:
    """What is made with arguments that have names: a wrong name is answered with the nearest right one.

    Attributes:
        options: what else names an argument, such as its key in JSON.
    """

    options: ClassVar[tuple[Any, ...]] = ()

    def __new__(cls, *_args: Any, **given: Any) -> Self:
        """Refuse names that no argument has.

        Raises:
            SelectionError: naming the arguments there are.
        """
        known = list(inspect.signature(cls.__init__).parameters)[1:]
        for name in given:
            if name not in known:
                near = {option.key: option.name for option in cls.options}.get(name, name)
                raise SelectionError(f"{cls.__name__} has no argument {name!r}. {hint(near, known, 'Arguments')}")
        return super().__new__(cls)


def number(what: str, holds: Callable[[float], bool]) -> Check:
    """A finite number for which `holds`; `what` says in words which these are.

    Example:
        >>> number("a number above 0", lambda x: x > 0)(2, "minimum_gap")
        2.0
    """

    def check(value: object, place: str) -> float:
        plain = _as_float(value)
        if not math.isfinite(plain) or not holds(plain):
            raise WrongValueError(place, f"={value!r} is not {what}.")
        return plain

    return check


def whole(what: str, holds: Callable[[int], bool]) -> Check:
    """A whole number for which `holds`; `what` says in words which these are."""

    def check(value: object, place: str) -> int:
        if isinstance(value, bool) or not isinstance(value, Integral) or not holds(int(value)):
            raise WrongValueError(place, f"={value!r} is not {what}.")
        return int(value)

    return check


def text(what: str) -> Check:
    """A string that is not blank; `what` says in words what it is."""

    def check(value: object, place: str) -> str:
        if not isinstance(value, str) or not value.strip():
            raise WrongValueError(place, f"={value!r} is not {what}.")
        return value

    return check


def choice(known: Iterable[str], meant: Mapping[str, str] = MappingProxyType({})) -> Check:
    """One of the words that are `known`; `meant` are those to suggest for other words."""
    words = tuple(known)

    def check(value: object, place: str) -> str:
        if not isinstance(value, str) or value not in words:
            raise WrongValueError(
                place,
                f"={value!r} is not supported. {hint(meant.get(str(value), _as_in(value, words)), words, 'Supported')}",
            )
        return value

    return check


def optional(check: Check) -> Check:
    """None, or what passes `check`."""
    return lambda value, place: None if value is None else check(value, place)


def boolean(value: object, place: str) -> bool:
    """True or False, and nothing that only counts as one of them."""
    if not isinstance(value, bool):
        raise WrongValueError(place, f"={value!r} is not true or false.")
    return value


def class_name(value: object) -> str | None:
    """The name of a class of a categorical field: strings as they are, whole numbers and truth values in JSON's words.

    Returns:
        The name, or None if the value is no category.

    Example:
        >>> class_name("sunny"), class_name(True), class_name(7), class_name(0.5)
        ('sunny', 'true', '7', None)
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Integral):
        return str(int(value))
    return value if isinstance(value, str) else None


def class_names(value: object, place: str) -> tuple[str, ...]:
    """A list of names of classes, none of them twice."""
    names = [class_name(one) for one in value] if isinstance(value, Sequence) and not isinstance(value, str) else []
    if not names or None in names or len(set(names)) < len(names):
        raise WrongValueError(place, f"={value!r} is not a list of names of classes, at least one and each once.")
    return tuple(name for name in names if name is not None)


def mapping(value: object, place: str, known: Iterable[str], shown: Iterable[str] = ()) -> dict[str, Any]:
    """A mapping with keys that are `known`; those with the value None count as not given.

    `shown` are the keys that a message lists, if they are not all that are known.
    """
    allowed = tuple(known)
    words = tuple(shown) or allowed
    if not isinstance(value, Mapping):
        raise WrongValueError(place, f"={value!r} is not a mapping. {hint('', words, 'Its keys')}")
    for key in value:
        if key not in allowed:
            raise WrongValueError(place, f" has an unknown key {key!r}. {hint(_as_in(key, words), words, 'Keys')}")
    return {str(key): one for key, one in value.items() if one is not None}


def _as_float(value: object) -> float:
    """The value as a float, or NaN if it is no number; truth values are none."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _as_in(word: object, known: Sequence[str]) -> str:
    """The word in capitals or small letters, as the known ones are written: so the nearest is found for both."""
    return str(word).upper() if known and known[0].isupper() else str(word).lower()
