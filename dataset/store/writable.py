"""What keeps a dataset that was loaded to be read only from being changed: every function that writes is marked."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from ..errors import ReadOnlyError
from ..types import ReadOnlyId

Writing = TypeVar("Writing", bound=Callable[..., Any])


def writes(function: Writing) -> Writing:
    """Mark a function that writes to the dataset whose id is its first argument: it refuses ids that are read-only."""

    @wraps(function)
    def refusing(dataset_id: str, /, *given: Any, **named: Any) -> Any:
        if isinstance(dataset_id, ReadOnlyId):
            raise ReadOnlyError(dataset_id.refusal)
        return function(dataset_id, *given, **named)

    return cast(Writing, refusing)
