"""Functions by short name: what each takes, what it gives, and how it is written in the aggregation language."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from ...errors import ExpressionError, hint
from ..kinds import ANY, Kind
from ..typed import Names, Typed

Gives: TypeAlias = Kind | Callable[[list[Typed]], Kind]

_ARTICLES = {"list": "lists", "number": "numbers", "text": "text", "date": "dates", "document": "labels and dicts"}


@dataclass(frozen=True)
class Function:
    """A function that expressions can call.

    Attributes:
        name: its short name, as stored; it never changes.
        takes: for each parameter the kinds it accepts, such as "number" or "number|date"; "any" accepts all. The last
            one holds for all further arguments.
        gives: the kind of its result, or how that follows from the arguments.
        write: gives the code for the arguments.
    """

    name: str
    takes: tuple[str, ...]
    gives: Gives
    write: Callable[[list[Typed], Names], Any]

    def check(self, arguments: list[Typed]) -> None:
        """Refuse arguments of kinds that can never work.

        Raises:
            ExpressionError: naming the argument, its kind and what is expected.
        """
        for position, argument in enumerate(arguments):
            accepted = self.takes[min(position, len(self.takes) - 1)].split("|")
            found = argument.kind.name
            if found in accepted or found == "any" or "any" in accepted or (found == "id" and "text" in accepted):
                continue
            wanted = " and ".join(_ARTICLES.get(kind, kind) for kind in accepted)
            raise ExpressionError(f"{self.name}() works on {wanted}; {argument.shown} is a {argument.kind}.")


_functions: dict[str, Function] = {}


def function(name: str, *takes: str, gives: Gives = ANY) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register the decorated writer, which takes `names` and one `Typed` per argument, under `name`."""

    def register(write: Callable[..., Any]) -> Callable[..., Any]:
        _functions[name] = Function(name, takes, gives, lambda arguments, names: write(names, *arguments))
        return write

    return register


def named(name: str) -> Function:
    """Find a function.

    Raises:
        ExpressionError: if there is none of that name.
    """
    if name not in _functions:
        raise ExpressionError(
            f"no function {name!r} in expressions. {hint(name, _functions, 'Functions')} "
            "It may need a newer version of Saccade."
        )
    return _functions[name]


def names() -> tuple[str, ...]:
    """Give the names of all functions."""
    return tuple(_functions)
