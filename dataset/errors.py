"""Every error that Saccade raises, in one tree.

SaccadeError
├── DatasetError (ValueError)
│   ├── DatasetNotFoundError (KeyError)
│   ├── DatasetExistsError
│   ├── SampleNotFoundError (KeyError)
│   └── ReadOnlyError (PermissionError)
├── SchemaError (ValueError)
│   ├── FieldNotFoundError (KeyError)
│   └── FieldKindError (TypeError)
├── ExpressionError (TypeError)
├── ViewError (ValueError)
├── MediaError (OSError)
│   ├── UnreadableMediaError
│   ├── SourceUnavailableError
│   └── DatasourceError (ValueError)
├── StoreError
│   ├── ConnectionFailedError (ConnectionError)
│   ├── ServerStartError
│   ├── ConflictError
│   └── ActionLostError
├── UndoError (ValueError)
├── SelectionError (ValueError)
│   └── WrongValueError
├── ModelError
│   └── WrongOutputShapeError (ValueError)
├── MissingExtraError (ImportError)
└── RunError
    └── RunNotFoundError (KeyError)

A message says what was asked (with the value), what there is, and what to do. Each class also inherits the built-in
that a Python programmer would catch.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class SaccadeError(Exception):
    """Base of all errors raised on purpose by Saccade."""

    def __str__(self) -> str:
        """Give the message as written; KeyError alone would put it in quotes."""
        return Exception.__str__(self)


class DatasetError(SaccadeError, ValueError):
    """Something about a whole dataset."""


class DatasetNotFoundError(DatasetError, KeyError):
    """A dataset was asked for by a name that does not exist."""


class DatasetExistsError(DatasetError):
    """A dataset was to be made under a name that is taken."""


class SampleNotFoundError(DatasetError, KeyError):
    """A sample was asked for by an id or filepath that the dataset does not hold."""


class ReadOnlyError(DatasetError, PermissionError):
    """A dataset that was loaded with `read_only=True` was to be changed."""


class SchemaError(SaccadeError, ValueError):
    """A value or a declaration does not fit the dataset's schema."""


class FieldNotFoundError(SchemaError, KeyError):
    """A field was named that the schema does not have."""

    @classmethod
    def among(cls, name: str, known: Iterable[str], owner: str) -> "FieldNotFoundError":
        """Build the error for `name`, listing the `known` fields of `owner` and the nearest one."""
        return cls(f"no field {name!r} on {owner}. {hint(name, known, 'Fields')}")


class FieldKindError(SchemaError, TypeError):
    """A value has another type than its field."""


class ExpressionError(SaccadeError, TypeError):
    """An expression was used in a way that has no meaning."""


class ViewError(SaccadeError, ValueError):
    """A view stage was given arguments it cannot work with."""


class MediaError(SaccadeError, OSError):
    """A media file cannot be used."""


class UnreadableMediaError(MediaError):
    """A media file cannot be read or decoded. The message is the reason alone."""


class SourceUnavailableError(MediaError):
    """No file of a datasource can be read: the server, the bucket or the credentials fail, not one file."""


class DatasourceError(MediaError, ValueError):
    """A datasource was described in a way that cannot be used."""


class StoreError(SaccadeError):
    """The database refused or failed."""


class ConnectionFailedError(StoreError, ConnectionError):
    """The database cannot be reached."""


class ServerStartError(StoreError):
    """The embedded database server did not start."""


class ConflictError(StoreError):
    """Another writer changed the same value first."""


class ActionLostError(StoreError):
    """A bulk write was interrupted and has been rolled back by another process."""


class UndoError(SaccadeError, ValueError):
    """A bulk write cannot be undone; nothing was changed."""


class SelectionError(SaccadeError, ValueError):
    """A selection was asked for in a way that cannot be carried out."""


class WrongValueError(SelectionError):
    """A value in the config of a selection that cannot stand where it does.

    Attributes:
        place: the path of its key, such as "strategy.target.sunny".
        text: the rest of the message, such as "=-1 is not a number from 0 to 1".
    """

    def __init__(self, place: str, text: str) -> None:
        """Keep the two; the message is one after the other."""
        super().__init__(place, text)
        self.place = place
        self.text = text

    def __str__(self) -> str:
        """The whole message."""
        return f"{self.place}{self.text}"

    def under(self, path: str) -> "WrongValueError":
        """The same, seen from further up."""
        return WrongValueError(f"{path}.{self.place}" if self.place else path, self.text)


class ModelError(SaccadeError):
    """An embedding model cannot be used."""


class MissingExtraError(SaccadeError, ImportError):
    """An optional package is not installed."""


class WrongOutputShapeError(ModelError, ValueError):
    """A model returned an array of another shape than promised."""


class RunError(SaccadeError):
    """Something about a recorded run."""


class RunNotFoundError(RunError, KeyError):
    """A run was asked for by a key that does not exist."""


def hint(name: str, known: Iterable[str], what: str) -> str:
    """List `known` names under the heading `what`, and the one nearest to `name`.

    Example:
        >>> hint("uniqeness", ["tags", "uniqueness"], "Fields")
        "Fields: tags, uniqueness. Did you mean 'uniqueness'?"
    """
    names = sorted(known)
    shown = ", ".join(names[:40]) + (f", … ({len(names)} in all)" if len(names) > 40 else "")
    near = get_close_matches(name, names, n=1)
    return f"{what}: {shown or 'none'}." + (f" Did you mean {near[0]!r}?" if near else "")
