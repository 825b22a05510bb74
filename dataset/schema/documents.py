"""The attributes of embedded documents (labels, metadata), by the name of their type.

The label classes lie in a higher layer and register themselves here.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .fields import Field

documents: "dict[str, Mapping[str, Field]]" = {}
"""Document type name → its declared attributes."""

_bases: dict[str, tuple[str, ...]] = {}


def register_document(name: str, fields: "Mapping[str, Field]", bases: tuple[str, ...] = ()) -> None:
    """Make the attributes of the document type `name` known.

    Args:
        name: the type's name, as stored under `_cls`.
        fields: its attributes, inherited ones included.
        bases: the registered types that it extends, nearest first.
    """
    documents[name] = dict(fields)
    _bases[name] = bases


def extends(name: str, base: str) -> bool:
    """Whether the document type `name` is `base` or extends it."""
    return name == base or base in _bases.get(name, ())


def attributes(name: str) -> "dict[str, Field] | None":
    """Give the attributes that an object declared as `name` may have; None if the type is unknown.

    Those of the types that extend it count: metadata of an image has a width.
    """
    if name not in documents:
        return None
    known = dict(documents[name])
    for other in _extensions(name):
        for attribute, field in documents[other].items():
            known.setdefault(attribute, field)
    return known


def _extensions(name: str) -> Iterator[str]:
    return (other for other, bases in _bases.items() if name in bases)
