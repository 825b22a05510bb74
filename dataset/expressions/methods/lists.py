"""Functions of lists, and of labels in lists."""

# ruff: noqa: A002, FBT001, FBT002  # FiftyOne's names and signatures are kept

from typing import TYPE_CHECKING, Any

from ...errors import ExpressionError
from ..nodes import Call, Each, Node, Path
from .base import Expression, as_list, as_node, whole

if TYPE_CHECKING:
    from ..field import ViewExpression


class ListMethods(Expression):
    """What can be computed from lists. A missing list gives None, but has no length and contains nothing."""

    __slots__ = ()

    def __getitem__(self, idx_or_slice: Any) -> "ViewExpression":
        """Give an element, or a part of the list, counted as in Python.

        Example: `F("bounding_box")[2]`, `F("tags")[-1]`, `F("tags")[:3]`
        """
        if not isinstance(idx_or_slice, slice):
            at = idx_or_slice if isinstance(idx_or_slice, Expression) else whole(idx_or_slice, "the index")
            return self._call("index", at)
        if idx_or_slice.step not in {None, 1}:
            raise ExpressionError(f"slices have no step; got {idx_or_slice.step}. Use .reverse() or .filter().")
        limits = [
            limit if limit is None or isinstance(limit, Expression) else whole(limit, "the limit of a slice")
            for limit in (idx_or_slice.start, idx_or_slice.stop)
        ]
        return self._call("slice", *limits)

    def length(self) -> "ViewExpression":
        """Give the number of elements; 0 where the list is missing.

        Example: `F("predictions.detections").length() > 3`
        """
        return self._call("length")

    def contains(self, values: Any, all: bool = False) -> "ViewExpression":
        """Test whether the list contains any of `values`.

        Args:
            values: a value, several values, or an expression that gives a list.
            all: whether all of them must be there.

        Example: `F("tags").contains(["train", "val"])`
        """
        wanted = values.node if isinstance(values, Expression) else as_list(values)
        return self._call("contains_all" if all else "contains_any", wanted)

    def is_subset(self, values: Any) -> "ViewExpression":
        """Test whether every element is among `values`.

        Args:
            values: several values, or an expression that gives a list.

        Example: `F("tags").is_subset(["train", "val", "test"])`
        """
        return self._call("is_subset", as_list(values))

    def set_equals(self, *args: Any) -> "ViewExpression":
        """Test whether all lists have the same distinct elements, in any order.

        Args:
            *args: lists, or expressions that give lists.

        Example: `F("tags").set_equals(["train", "day"])`
        """
        return self._call("set_equals", *map(as_list, args))

    def unique(self) -> "ViewExpression":
        """Give the distinct elements, in no particular order.

        Example: `F("predictions.detections.label").unique().length()`
        """
        return self._call("union")

    def union(self, *args: Any) -> "ViewExpression":
        """Give the distinct elements of all lists, in no particular order.

        Args:
            *args: lists, or expressions that give lists.

        Example: `F("tags").union(["checked"])`
        """
        return self._call("union", *map(as_list, args))

    def intersection(self, *args: Any) -> "ViewExpression":
        """Give the distinct elements that are in every list, in no particular order.

        Args:
            *args: lists, or expressions that give lists.

        Example: `F("tags").intersection(["train", "val"])`
        """
        return self._call("intersection", *map(as_list, args))

    def difference(self, values: Any) -> "ViewExpression":
        """Give the distinct elements that are not among `values`, in no particular order.

        Args:
            values: several values, or an expression that gives a list.

        Example: `F("tags").difference(["checked"])`
        """
        return self._call("difference", as_list(values))

    def reverse(self) -> "ViewExpression":
        """Give the elements from last to first.

        Example: `F("tags").reverse()`
        """
        return self._call("reverse")

    def sort(self, key: Any = None, numeric: bool = False, reverse: bool = False) -> "ViewExpression":  # noqa: ARG002  # FiftyOne's signature
        """Give the elements in ascending order. Those without a value, or with NaN, come last in both directions.

        Args:
            key: the attribute, or an expression of the element, by which to sort; None sorts by the elements.
            numeric: without meaning here, numbers always sort as numbers.
            reverse: whether to sort in descending order.

        Example: `F("detections").sort(key="confidence", reverse=True)`
        """
        by = Path(key or "") if key is None or isinstance(key, str) else as_node(key)
        return self._new(Each("sort_descending" if reverse else "sort", self._node, by))

    def filter(self, expr: Any) -> "ViewExpression":
        """Keep the elements for which a condition holds.

        Args:
            expr: the condition, in which names are looked up in the element, and `F()` is the element itself.

        Example: `F("predictions.detections").filter(F("confidence") > 0.5).length()`
        """
        return self._new(Each("filter", self._node, as_node(expr)))

    def map(self, expr: Any) -> "ViewExpression":
        """Compute an expression for each element.

        Args:
            expr: the expression, in which names are looked up in the element, and `F()` is the element itself.

        Example: `F("predictions.detections").map(F("bounding_box")[2] * F("bounding_box")[3]).max()`
        """
        return self._new(Each("map", self._node, as_node(expr)))

    def reduce(self, expr: Any, init_val: Any = 0) -> "ViewExpression":
        """Compute one value from all elements, one after the other.

        Args:
            expr: gives the new value, from `VALUE`, the value reached, and the element.
            init_val: the value at the beginning.

        Example: `F("keypoints.keypoints").reduce(VALUE + F("points").length())`
        """
        return self._new(Each("reduce", self._node, as_node(expr), as_node(init_val)))

    def prepend(self, value: Any) -> "ViewExpression":
        """Give the list with `value` before it.

        Args:
            value: a value or an expression.

        Example: `F("tags").prepend("first")`
        """
        return self._new(Call("extend", (_alone(value), self._node)))

    def append(self, value: Any) -> "ViewExpression":
        """Give the list with `value` after it.

        Args:
            value: a value or an expression.

        Example: `F("tags").append("last")`
        """
        return self._call("extend", _alone(value))

    def insert(self, index: int, value: Any) -> "ViewExpression":
        """Give the list with `value` before the element at `index`, at either end if there is no such element.

        Args:
            index: the position, from 0.
            value: a value or an expression.

        Example: `F("tags").insert(1, "second")`
        """
        at = max(whole(index, "index"), 0)
        return self[:at]._call("extend", _alone(value), self[at:])

    def extend(self, *args: Any) -> "ViewExpression":
        """Give the list with other lists after it.

        Args:
            *args: lists, or expressions that give lists.

        Example: `F("tags").extend(["a", "b"])`
        """
        return self._call("extend", *map(as_list, args))

    def min(self, value: Any = None) -> "ViewExpression":
        """Give the smallest element, or the smaller one of this value and another. None and NaN do not count.

        Args:
            value: the other value, or an expression.

        Example: `F("predictions.detections.confidence").min() > 0.2`
        """
        return self._call("min") if value is None else self._call("least", value)

    def max(self, value: Any = None) -> "ViewExpression":
        """Give the largest element, or the larger one of this value and another. None and NaN do not count.

        Args:
            value: the other value, or an expression.

        Example: `F("predictions.detections.confidence").max() < 0.5`
        """
        return self._call("max") if value is None else self._call("greatest", value)

    def sum(self) -> "ViewExpression":
        """Give the sum of the numbers in the list; 0 if there are none. NaN does not count.

        Example: `F("scores").sum()`
        """
        return self._call("sum")

    def mean(self) -> "ViewExpression":
        """Give the mean of the numbers in the list; None if there are none. NaN does not count.

        Example: `F("predictions.detections.confidence").mean() < 0.5`
        """
        return self._call("mean")

    def std(self, sample: bool = False) -> "ViewExpression":
        """Give the standard deviation of the numbers in the list; None if there are none. NaN does not count.

        Args:
            sample: whether to divide by n - 1 instead of n.

        Example: `F("scores").std()`
        """
        return self._call("std_sample" if sample else "std")

    def join(self, delimiter: str) -> "ViewExpression":
        """Give the texts in the list as one text.

        Args:
            delimiter: what to put between them.

        Example: `F("tags").join(", ")`
        """
        return self._call("join", delimiter)


def _alone(value: Any) -> Node:
    return as_node([value])
