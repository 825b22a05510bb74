"""Functions of text."""

# ruff: noqa: FBT001, FBT002  # FiftyOne's names and signatures are kept

from typing import TYPE_CHECKING, Any

from ...errors import ExpressionError
from ..nodes import Constant
from .base import Expression, as_list, as_node, whole

if TYPE_CHECKING:
    from ..field import ViewExpression


class TextMethods(Expression):
    """What can be computed from text. A missing text gives None, but has no length and matches nothing."""

    __slots__ = ()

    def lower(self) -> "ViewExpression":
        """Give the text in lower case; letters outside of ASCII stay as they are.

        Example: `F("label").lower() == "cat"`
        """
        return self._call("lower")

    def upper(self) -> "ViewExpression":
        """Give the text in upper case; letters outside of ASCII stay as they are.

        Example: `F("label").upper()`
        """
        return self._call("upper")

    def strlen(self) -> "ViewExpression":
        """Give the number of characters; 0 where the text is missing.

        Example: `F("caption").strlen() < 10`
        """
        return self._call("strlen")

    def substr(self, start: int | None = None, end: int | None = None, count: int | None = None) -> "ViewExpression":
        """Give a part of the text.

        Args:
            start: where it begins; negative values count from the end.
            end: where it ends, not included; negative values count from the end.
            count: its length, instead of `end`.

        Example: `F("filepath").substr(-4)`
        """
        first = whole(0 if start is None else start, "start")
        last = None if end is None else whole(end, "end")
        if last is None and count is not None:
            last = first + whole(count, "count")
            last = None if first < 0 <= last else last  # a part that reaches the end of the text
        return self._call("substr", first, last)

    def strip(self, chars: Any = None) -> "ViewExpression":
        """Remove characters from both ends.

        Args:
            chars: the characters; None removes white space.

        Example: `F("label").strip()`
        """
        return self._call("strip", chars)

    def lstrip(self, chars: Any = None) -> "ViewExpression":
        """Remove characters from the beginning.

        Args:
            chars: the characters; None removes white space.

        Example: `F("label").lstrip("_")`
        """
        return self._call("lstrip", chars)

    def rstrip(self, chars: Any = None) -> "ViewExpression":
        """Remove characters from the end.

        Args:
            chars: the characters; None removes white space.

        Example: `F("filepath").rstrip("/")`
        """
        return self._call("rstrip", chars)

    def concat(self, *args: Any) -> "ViewExpression":
        """Give the text with others after it; None if one of them is missing.

        Args:
            *args: texts or expressions.

        Example: `F("label").concat("-", F("index").to_string())`
        """
        return self._call("concat", *args)

    def replace(self, old: Any, new: Any) -> "ViewExpression":
        """Replace every occurrence of a text.

        Args:
            old: what to replace, a text or an expression.
            new: what to put there, a text or an expression.

        Example: `F("filepath").replace("/old/", "/new/")`
        """
        return self._call("replace", old, new)

    def re_match(self, regex: str, options: str | None = None) -> "ViewExpression":
        r"""Test whether a regular expression matches anywhere in the text.

        Args:
            regex: a Perl-compatible regular expression.
            options: letters that change its meaning: "i" ignores case, "m" lets ^ and $ match at lines, "s" lets a dot
                match line ends, "x" allows white space.

        Example: `F("filepath").re_match(r"\.jpe?g$", options="i")`
        """
        if not isinstance(regex, str) or "\0" in regex:
            raise ExpressionError(f"re_match() was given {regex!r}. Give a regular expression as text, without NUL.")
        if set(options or "") - set("imsx"):
            raise ExpressionError(f"re_match() was given the options {options!r}. There are i, m, s and x.")
        return self._call("re_match", regex, options or "")

    def starts_with(self, str_or_strs: Any, case_sensitive: bool = True) -> "ViewExpression":
        """Test whether the text starts with any of the given ones.

        Args:
            str_or_strs: a text or several.
            case_sensitive: whether case counts.

        Example: `F("filepath").starts_with("/data/")`
        """
        return self._matches("starts_with", str_or_strs, case_sensitive)

    def ends_with(self, str_or_strs: Any, case_sensitive: bool = True) -> "ViewExpression":
        """Test whether the text ends with any of the given ones.

        Args:
            str_or_strs: a text or several.
            case_sensitive: whether case counts.

        Example: `F("filepath").ends_with([".jpg", ".jpeg"], case_sensitive=False)`
        """
        return self._matches("ends_with", str_or_strs, case_sensitive)

    def contains_str(self, str_or_strs: Any, case_sensitive: bool = True) -> "ViewExpression":
        """Test whether the text contains any of the given ones.

        Args:
            str_or_strs: a text or several.
            case_sensitive: whether case counts.

        Example: `F("label").contains_str("be")`
        """
        return self._matches("contains_str", str_or_strs, case_sensitive)

    def matches_str(self, str_or_strs: Any, case_sensitive: bool = True) -> "ViewExpression":
        """Test whether the text is any of the given ones.

        Args:
            str_or_strs: a text or several.
            case_sensitive: whether case counts.

        Example: `F("label").matches_str("cat", case_sensitive=False)`
        """
        return self._matches("matches_str", str_or_strs, case_sensitive)

    def _matches(self, function: str, str_or_strs: Any, case_sensitive: Any) -> "ViewExpression":
        words = as_list(str_or_strs)
        if not isinstance(words, Constant) or not all(isinstance(word, str) for word in words.value):
            raise ExpressionError(f"{function}() was given {str_or_strs!r}. Give a text or a list of texts.")
        return self._call(function, words, bool(case_sensitive))

    def split(self, delimiter: Any, maxsplit: int | None = None) -> "ViewExpression":
        """Give the parts between delimiters.

        Args:
            delimiter: a text that is not empty, or an expression.
            maxsplit: the most splits to make, from the left; None makes all.

        Example: `F("filepath").split("/")[-2]`
        """
        parts = self._parts(delimiter)
        if maxsplit is None:
            return parts
        most = max(whole(maxsplit, "maxsplit"), 0)
        return parts[:most].extend((parts.length() > most).if_else(_one(parts[most:].join(delimiter)), []))

    def rsplit(self, delimiter: Any, maxsplit: int | None = None) -> "ViewExpression":
        """Give the parts between delimiters, with the splits made from the right.

        Args:
            delimiter: a text that is not empty, or an expression.
            maxsplit: the most splits to make, from the right; None makes all.

        Example: `F("filepath").rsplit("/", 1)[0]`
        """
        parts = self._parts(delimiter)
        if maxsplit is None:
            return parts
        most = max(whole(maxsplit, "maxsplit"), 0)
        if most == 0:
            return self.split(delimiter, 0)
        rest = (parts.length() > most).if_else(_one(parts[:-most].join(delimiter)), [])
        return rest.extend(parts[-most:])

    def _parts(self, delimiter: Any) -> "ViewExpression":
        if not isinstance(delimiter, Expression) and (not isinstance(delimiter, str) or not delimiter):
            raise ExpressionError(f"split() was given the delimiter {delimiter!r}. Give a text that is not empty.")
        return self._call("split", delimiter)


def _one(value: "ViewExpression") -> "ViewExpression":
    return value._new(as_node([value]))
