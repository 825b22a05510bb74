"""What labels and metadata have in common: declared and dynamic attributes, copies, comparison, JSON.

An object keeps its attributes in its own `__dict__`, so reading one costs what reading any Python attribute costs. A
declared attribute that was not set is not there; the class answers with its default. How objects look in the database
is the store's business.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from inspect import Parameter, Signature
from types import MappingProxyType
from typing import Any, ClassVar, Self, TypeAlias

import numpy as np

from ..errors import FieldKindError, FieldNotFoundError, SchemaError, hint
from ..schema import Field, ListField, ObjectIdField, StringField, check_field_name, infer_attribute, register_document
from . import _coerce
from ._ids import new_id
from ._json import from_jsonable, to_jsonable
from ._text import block

document_types: "dict[str, type[Document]]" = {}
"""Type name, as stored under `_cls`, → class."""

_Coerce = Callable[[Any], Any]
Fields: TypeAlias = Mapping[str, Field]
Checks: TypeAlias = Mapping[str, _Coerce]
Initial: TypeAlias = Mapping[str, Any]


def _joined(cls: "type[Document]", part: str) -> dict[str, Any]:
    """Join what the classes above `cls`, farthest first, and `cls` declare."""
    return {name: value for base in reversed(cls.__mro__) for name, value in vars(base).get(part, {}).items()}


def _signature(cls: "type[Document]") -> Signature:
    """Name the attributes in the constructor's signature, for completion and help."""
    defaults = {name: [] if value is list else value for name, value in cls._initial.items()}
    declared = [Parameter(name, Parameter.KEYWORD_ONLY, default=defaults.get(name)) for name in cls._fields]
    return Signature([*declared, Parameter("attributes", Parameter.VAR_KEYWORD)])


def _refuse_second(cls: "type[Document]") -> None:
    first = document_types.get(cls.__name__)
    if first is not None and (first.__module__, first.__qualname__) != (cls.__module__, cls.__qualname__):
        raise SchemaError(f"there is a {cls.__name__} in {first.__module__} already. Give the new class another name.")


class Document:
    """A value with attributes inside a sample.

    Declared attributes are checked when they are set. Any other name may be set too, as long as it means nothing else
    here: that is a dynamic attribute. Reading a name that was never set is an error.
    """

    __slots__ = ("__dict__", "__weakref__")

    LIST_ATTRIBUTE: ClassVar[str | None] = None
    """Of a list of labels, such as `Detections`, the attribute that holds them."""

    __signature__: ClassVar[Signature]
    _document_name: ClassVar[str]

    _fields: ClassVar[Fields] = MappingProxyType({})
    """The declared attributes; of a subclass only its own, which the base's then join."""

    _checks: ClassVar[Checks] = MappingProxyType({})
    """Stricter checks than those of the fields, by attribute."""

    _initial: ClassVar[Initial] = MappingProxyType({})
    """What is stored from the beginning, by attribute: values, or `list` for a new list."""

    _coercions: ClassVar[dict[str, _Coerce]] = {}
    _taken: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls, *, abstract: bool = False) -> None:
        cls._fields, cls._checks, cls._initial = (_joined(cls, part) for part in ("_fields", "_checks", "_initial"))
        cls._coercions = {name: cls._checks.get(name, field.coerce) for name, field in cls._fields.items()}
        cls.__signature__ = _signature(cls)
        cls._taken = frozenset(name for name in dir(cls) if not name.startswith("_"))
        if abstract:
            return
        cls._document_name = cls.__name__
        _refuse_second(cls)
        document_types[cls.__name__] = cls
        bases = tuple(base.__name__ for base in cls.__mro__[1:] if base.__name__ in document_types)
        register_document(cls.__name__, cls._fields, bases)

    def __init__(self, **attributes: Any) -> None:
        store = self.__dict__
        for name, value in self._initial.items():
            store[name] = [] if value is list else value
        self._set_all(attributes)

    def _set_all(self, attributes: dict[str, Any]) -> None:
        store, coercions = self.__dict__, self._coercions
        for name, value in attributes.items():
            coerce = coercions.get(name)
            if coerce is None:
                self._set_dynamic(name, value)
            elif value is not None:
                try:
                    store[name] = coerce(value)
                except FieldKindError as error:
                    raise self._refused(name, error) from None

    def _refused(self, name: str, error: FieldKindError) -> FieldKindError:
        return FieldKindError(f"{type(self).__name__}.{name}: {error}")

    def __setattr__(self, name: str, value: Any) -> None:
        coerce = self._coercions.get(name)
        if coerce is None:
            self._set_dynamic(name, value)
        elif value is None:
            self._reset(name)
        else:
            try:
                self.__dict__[name] = coerce(value)
            except FieldKindError as error:
                raise self._refused(name, error) from None

    def _set_dynamic(self, name: str, value: Any) -> None:
        if name not in self.__dict__:
            check_field_name(name, reserved=self._taken)
        field = infer_attribute(name, value)
        try:
            self.__dict__[name] = None if field is None else field.coerce(value)
        except FieldKindError as error:
            raise self._refused(name, error) from None

    def _reset(self, name: str) -> None:
        self.__dict__.pop(name, None)
        if name in self._initial:
            value = self._initial[name]
            self.__dict__[name] = [] if value is list else value

    def __delattr__(self, name: str) -> None:
        if name in self._coercions:
            self._reset(name)
        elif name in self.__dict__:
            del self.__dict__[name]
        else:
            raise AttributeError(self._unknown(name))

    def __getattr__(self, name: str) -> Any:
        # Only reached for names that neither the object nor its class has.
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        raise AttributeError(self._unknown(name))

    def _unknown(self, name: str) -> str:
        return f"this {type(self).__name__} has no attribute {name!r}. {hint(name, self.field_names, 'Attributes')}"

    def __getitem__(self, name: str) -> Any:
        return self.get_field(name)

    def __setitem__(self, name: str, value: Any) -> None:
        setattr(self, name, value)

    def __delitem__(self, name: str) -> None:
        self.clear_field(name)

    def __contains__(self, name: object) -> bool:
        return name in self.field_names

    @property
    def field_names(self) -> tuple[str, ...]:
        """The names of the attributes, declared and dynamic."""
        return (*self._fields, *(name for name in self.__dict__ if name not in self._fields))

    def has_field(self, name: str) -> bool:
        """Whether there is an attribute of that name, set or not."""
        return name in self.field_names

    def get_field(self, name: str) -> Any:
        """Give the value of an attribute.

        Raises:
            FieldNotFoundError: if there is no such attribute.
        """
        if name not in self._fields and name not in self.__dict__:
            raise FieldNotFoundError(self._unknown(name))
        return getattr(self, name)

    def set_field(self, name: str, value: Any) -> None:
        """Set the value of an attribute; a new name makes a dynamic attribute."""
        setattr(self, name, value)

    def clear_field(self, name: str) -> None:
        """Take the value of an attribute away; a dynamic attribute disappears.

        Raises:
            FieldNotFoundError: if there is no such attribute.
        """
        if name not in self._fields and name not in self.__dict__:
            raise FieldNotFoundError(self._unknown(name))
        delattr(self, name)

    def iter_fields(self) -> Iterator[tuple[str, Any]]:
        """Yield the name and value of every attribute."""
        return ((name, getattr(self, name)) for name in self.field_names)

    def copy(self) -> Self:
        """Give an independent copy; labels in it get new ids."""
        return _copied(self)  # type: ignore[no-any-return]  # it keeps the type

    def __eq__(self, other: object) -> bool:
        return _same(self, other) if isinstance(other, Document) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # it can change

    def __repr__(self) -> str:
        return block(self)

    def _shown_attributes(self) -> dict[str, Any]:
        return {name: value for name, value in self.iter_fields() if value is not None}

    def to_dict(self) -> dict[str, Any]:
        """Give the object as JSON-able values, in the manner of MongoDB's extended JSON."""
        values = {name: to_jsonable(value) for name, value in self.__dict__.items() if value is not None}
        return {"_cls": type(self).__name__, **values}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """Make an object from the values of `to_dict`.

        Raises:
            SchemaError: if the values describe an object of another type.
            FieldKindError: if a value does not fit its attribute.
        """
        name = document.get("_cls", cls.__name__)
        kind = document_types.get(name)
        if kind is None or not issubclass(kind, cls):
            known = [other for other, candidate in document_types.items() if issubclass(candidate, cls)]
            raise SchemaError(f"{name!r} is no {cls.__name__}. {hint(str(name), known, 'Types')}")
        values = {key: from_jsonable(value, Document.from_dict) for key, value in document.items() if key[:1] != "_"}
        if "_id" in document:
            values["id"] = from_jsonable(document["_id"], Document.from_dict)
        return kind(**values)

    def to_json(self, *, pretty_print: bool = False) -> str:
        """Give the object as JSON text."""
        return json.dumps(self.to_dict(), indent=4 if pretty_print else None, allow_nan=False, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Make an object from the text of `to_json`."""
        return cls.from_dict(json.loads(text))

    def _attributes(self) -> dict[str, Any]:
        """Give what is stored, without the id; not a copy, for the store only."""
        return self.__dict__

    @classmethod
    def _from_attributes(cls, values: dict[str, Any], label_id: str | None) -> Self:  # noqa: ARG003  # labels use it
        """Make an object around `values`, unchecked; for the store only."""
        for name, value in cls._initial.items():
            if name not in values:
                values[name] = [] if value is list else value
        document = cls.__new__(cls)
        object.__setattr__(document, "__dict__", values)
        return document


class Label(Document, abstract=True):
    """A document with an identity: what a person or a model says about a sample.

    Attributes:
        id: 24 hexadecimal digits, given at creation.
        tags: free words about the label.
    """

    __slots__ = ("id",)

    id: str
    tags: list[str]

    _fields: ClassVar[Fields] = {"id": ObjectIdField(), "tags": ListField(StringField())}
    _checks: ClassVar[Checks] = {"tags": _coerce.tags}
    _initial: ClassVar[Initial] = {"tags": list}

    def __init__(self, **attributes: Any) -> None:
        given = attributes.pop("id", None)
        _set_id(self, new_id() if given is None else self._checked_id(given))
        super().__init__(**attributes)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "id":
            _set_id(self, self._checked_id(value))
        else:
            super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        if name == "id":
            raise AttributeError(f"the id of a {type(self).__name__} can be replaced but not taken away")
        super().__delattr__(name)

    def _checked_id(self, value: Any) -> str:
        try:
            return str(_ID.coerce(value) or new_id())
        except FieldKindError as error:
            raise self._refused("id", error) from None

    def to_dict(self) -> dict[str, Any]:
        """Give the label as JSON-able values, in the manner of MongoDB's extended JSON."""
        values = super().to_dict()
        return {"_cls": values.pop("_cls"), "_id": {"$oid": self.id}, **values}

    @classmethod
    def _from_attributes(cls, values: dict[str, Any], label_id: str | None) -> Self:
        label = super()._from_attributes(values, label_id)
        _set_id(label, new_id() if label_id is None else label_id)
        return label


_ID = ObjectIdField()
_set_id = Label.__dict__["id"].__set__


def _copied(value: Any) -> Any:
    if isinstance(value, Document):
        return type(value)._from_attributes({name: _copied(item) for name, item in value._attributes().items()}, None)
    if isinstance(value, list):
        return [_copied(item) for item in value]
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    return deepcopy(value)


def _same(a: Any, b: Any) -> bool:
    """Whether two values have the same content; NaN is the same as NaN, an attribute of None the same as none."""
    if isinstance(a, Document):
        if type(a) is not type(b) or (isinstance(a, Label) and a.id != b.id):
            return False
        mine, theirs = a._attributes(), b._attributes()
        return all(_same(mine.get(name), theirs.get(name)) for name in mine.keys() | theirs.keys())
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return _same_array(a, b)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(item, b[key]) for key, item in a.items())
    return bool(a == b) or (a != a and b != b)  # noqa: PLR0124  # NaN differs from itself


def _same_array(a: Any, b: Any) -> bool:
    if not isinstance(a, np.ndarray) or not isinstance(b, np.ndarray):
        return False
    return a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
