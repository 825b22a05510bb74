"""What expressions refuse, and what they then say."""

import copy
import pickle
import re
from datetime import datetime

import numpy as np
import pytest

import saccade.dataset.labels  # noqa: F401  # registers the attributes of labels
from saccade.dataset.errors import ExpressionError, FieldNotFoundError
from saccade.dataset.expressions import VALUE, F, Node, ViewExpression, check, to_aggregation, to_query
from saccade.dataset.labels import Classification
from tests.expressions.conftest import FIELDS


def refused(make, *words, error=ExpressionError):
    with pytest.raises(error) as found:
        make()
    for word in words:
        assert word in str(found.value), str(found.value)


def test_an_expression_has_no_truth_value():
    refused(lambda: bool(F("n") > 1), "& | ~", 'F("n") > 1')
    refused(lambda: F("n") > 1 and F("n") < 3, "truth value")
    refused(lambda: 1 < F("n") < 3, "(a < x) & (x < b)")
    refused(lambda: not F("n"), "truth value")


def test_an_expression_is_no_container():
    refused(lambda: "a" in F("tags"), ".contains(")
    refused(lambda: list(F("tags")), ".map(")
    refused(lambda: len(F("tags")), ".length()")
    refused(lambda: F("n") in [F("n") + 1, F("n")], "truth value")


def test_an_unknown_field_names_the_known_ones_and_the_nearest():
    refused(
        lambda: check((F("labell") == "a").node, FIELDS),
        "no field 'labell'",
        "Did you mean 'label'?",
        error=FieldNotFoundError,
    )
    refused(
        lambda: to_query((F("p.detections.labl") == F("s")).node, FIELDS), "'labl'", "'label'", error=FieldNotFoundError
    )
    refused(lambda: to_query((F("p").exists() & F("nope")).node, FIELDS), "'nope'", error=FieldNotFoundError)


def test_fields_inside_a_filter_are_checked_against_the_label():
    refused(
        lambda: check(F("p.detections").filter(F("n") > 1).node, FIELDS), "'n'", "Detection", error=FieldNotFoundError
    )
    check(F("p.detections").filter(F("$n") > F("confidence")).node, FIELDS)
    check((F("confidence") > F("$n")).node, FIELDS, "p.detections")
    refused(lambda: check((F("nope") > 1).node, FIELDS, "p.detections"), "'nope'", error=FieldNotFoundError)
    refused(lambda: check(F("words").map(F("x")).node, FIELDS), 'F("$x")', "nothing inside")


def test_vectors_and_arrays_may_only_be_asked_for_existence():
    for allowed in (F("v").exists(), F("v") == None, ~F("v").is_null(), F("a") != None):  # noqa: E711
        check(allowed.node, FIELDS)
    for used in (
        F("v") > 1,
        F("v")[0],
        F("v").length(),
        F("v") == F("n"),
        F("v").is_in([1]),
        ~F("v"),
        F("v").is_missing(),
    ):
        refused(lambda used=used: check(used.node, FIELDS), 'F("v") is a vector', "read_vectors")
    refused(lambda: check((F("a") == 1).node, FIELDS), "is an array", "values()")
    refused(lambda: to_aggregation(F("v").node, FIELDS), "read_vectors")


def test_a_list_or_label_is_not_compared_with_a_single_value():
    refused(lambda: check((F("tags") == "train").node, FIELDS), ".contains(", "never holds")
    refused(lambda: to_query((F("p.detections.label") != "cat").node, FIELDS), "filter_labels")
    refused(lambda: check((F("label") == "cat").node, FIELDS), "Classification", "attributes")
    check((F("tags") == ["train"]).node, FIELDS)
    check((F("d") == {"n": 1}).node, FIELDS)


def test_functions_refuse_fields_of_the_wrong_kind():
    refused(lambda: check(F("n").lower().node, FIELDS), "lower() works on text", 'F("n") is a FloatField')
    refused(lambda: check(F("s").sqrt().node, FIELDS), "sqrt() works on numbers", "StringField")
    refused(lambda: check((F("s") + 1).node, FIELDS), "add() works on numbers and dates")
    refused(lambda: check(F("label").length().node, FIELDS), "Classification")
    refused(lambda: check(F("n").year().node, FIELDS), "dates")
    refused(lambda: check(F("n").map(F() + 1).node, FIELDS), "map() works on lists")
    refused(lambda: check((F("b") * 2).node, FIELDS), "BooleanField")
    check(F("d.anything").lower().node, FIELDS)


def test_an_id_is_compared_with_ids_only():
    refused(lambda: check((F("id") == "photo.jpg").node, FIELDS), "24 hexadecimal digits", "'photo.jpg'")
    refused(lambda: to_query(F("id").is_in(["x"]).node, FIELDS), "24 hexadecimal")
    refused(lambda: to_query(F("p.detections.id").contains("x").node, FIELDS), "24 hexadecimal")


def test_constants_are_values_that_the_database_can_hold():
    for bad in (object(), b"x", 2**63, {1: 2}, {"a.b": 1}, {"$a": 1}, Classification(label="cat"), "\ud800", 1j):
        refused(lambda bad=bad: F("n") == bad, "cannot be part of an expression")
    refused(lambda: F("n") < None, "order")
    refused(lambda: F("xs") < [1], "order")
    refused(lambda: F("n") + "a", ".concat('a')")


def test_arguments_are_checked_when_the_expression_is_written():
    refused(lambda: F("words")[::2], "step")
    refused(lambda: F("words")["a"], "index")
    refused(lambda: F("words")[1.5], "integer")
    refused(lambda: F("n").round("a"), "place")
    refused(lambda: F("s").re_match(3), "regular expression")
    refused(lambda: F("s").re_match("a", options="g"), "'g'")
    refused(lambda: F("s").starts_with(3), "starts_with()")
    refused(lambda: F("s").split(""), "not empty")
    refused(lambda: F("n").map_values({1: F("i")}), "cases()")
    refused(lambda: F("label").set_field("", 1), "name")
    refused(lambda: check(VALUE.node, FIELDS), "reduce()")
    for bad in ("a..b", ".a", "a.", "$$a", "a.$b"):
        refused(lambda bad=bad: F(bad), "is not the name of a field")
    refused(lambda: F(3), "F.literal")


def test_numpy_values_stay_on_their_side_of_an_operator():
    assert isinstance(np.float64(0.5) < F("n"), ViewExpression)
    assert str(np.float64(0.5) < F("n")) == 'F("n") > 0.5'
    assert str(F("n").is_in(np.array([1.0, 2.0]))) == 'F("n").is_in([1.0, 2.0])'
    assert str(np.int64(3) + F("n")) == '3 + F("n")'


def test_what_a_newer_version_wrote_is_refused_by_name():
    refused(lambda: Node.from_dict({"node": "compar"}), "'compar'", "Did you mean 'compare'?", "newer version")
    refused(
        lambda: check(Node.from_dict({"node": "call", "function": "sqrtt", "arguments": []}), FIELDS),
        "'sqrtt'",
        "'sqrt'",
    )
    refused(lambda: Node.from_dict({"node": "constant", "value": {"matrix": []}}), "'matrix'")


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (F("n") > 0.5, 'F("n") > 0.5'),
        ((F("n") > 0.5) & (F("s") == "a") & ~F("b"), '(F("n") > 0.5) & (F("s") == "a") & ~F("b")'),
        (~(F("n") > 1) | F("b"), '~(F("n") > 1) | F("b")'),
        ((F("n") + 1) * 2, '(F("n") + 1) * 2'),
        (
            F("$p.detections").filter(F("label") == "cat").length(),
            'F("$p.detections").filter(F("label") == "cat").length()',
        ),
        (F("words")[1:], 'F("words")[1:]'),
        (F("words")[-1], 'F("words")[-1]'),
        ((F("n") > 1).if_else("a", None), '(F("n") > 1).if_else("a", None)'),
        (F("xs").sort(reverse=True), 'F("xs").sort(reverse=True)'),
        (F("xs").reduce(VALUE + F(), 1), 'F("xs").reduce(VALUE + F(), 1)'),
        (F("t") < datetime(2024, 1, 1), 'F("t") < datetime(2024-01-01T00:00:00+00:00)'),
        (F("n").apply(F() > 1), 'F("n").apply(F() > 1)'),
        (F("tags").contains(["a", "b"], all=True), 'F("tags").contains(["a", "b"], all=True)'),
        (F("s") == 'say "a"', 'F("s") == \'say "a"\''),
        (F.range(3), "F.range(0, 3)"),
    ],
)
def test_an_expression_reads_as_it_was_written(expression, text):
    assert repr(expression) == text


def test_a_very_long_expression_is_shown_shortened():
    shown = repr(F.any([F("n") == number for number in range(1000)]))
    assert len(shown) < 500
    assert " … " in shown


def test_a_thousand_conditions_compile():
    query = to_query(F.any([F("n") == number for number in range(1000)]).node, FIELDS)
    assert len(query["$or"]) == 1000
    joined = F("n") == 0
    for number in range(1, 1000):
        joined = joined | (F("n") == number)
    assert to_query(joined.node, FIELDS) == query


def test_equal_nodes_mean_the_same_and_types_count():
    assert (F("n") > 1).node == (F("n") > 1).node
    assert hash((F("n") > 1).node) == hash((F("n") > 1).node)
    different = {(F("n") == value).node for value in (1, 1.0, True, "1", None)}
    assert len(different) == 5
    nan = float("nan")
    assert (F("n") == nan).node == (F("n") == nan).node


@pytest.mark.parametrize(
    ("expression", "query"),
    [
        (F("n") > 0.5, {"n": {"$gt": 0.5}}),
        (F("n") != 1, {"n": {"$nin": [1, None, pytest.approx(float("nan"), nan_ok=True)]}}),
        (F("n") == None, {"n": {"$eq": None}}),  # noqa: E711
        (F("p") != None, {"p": {"$ne": None}}),  # noqa: E711
        (F("v").exists(), {"v": {"$ne": None}}),
        (F("label.label") == "cat", {"label.label": {"$eq": "cat"}}),
        (F("$n") <= 1, {"n": {"$lte": 1}}),
        (F("s").is_in(["a", None]), {"s": {"$in": ["a", None]}}),
        (F("tags").contains(["a", "b"], all=True), {"tags": {"$all": ["a", "b"]}}),
        (F("p.detections.label").contains("cat"), {"p.detections.label": {"$in": ["cat"]}}),
        (F("filepath").starts_with("/a.b"), {"filepath": {"$regex": "^(?:/a\\.b)", "$options": ""}}),
        (~(F("n") > 1), {"$nor": [{"n": {"$gt": 1}}]}),
        ((F("n") > 1) & F("b"), {"$and": [{"n": {"$gt": 1}}, {"b": True}]}),
    ],
)
def test_conditions_on_fields_become_queries_that_use_indexes(expression, query):
    assert to_query(expression.node, FIELDS) == query


@pytest.mark.parametrize(
    "expression",
    [F("d.n") > 1, F("n") > F("i"), F("n") + 1 > 2, F("tags") == None, F("tags").length() > 2, F("xs").contains(None)],  # noqa: E711
)
def test_other_conditions_become_aggregation_expressions(expression):
    assert list(to_query(expression.node, FIELDS)) == ["$expr"]


def test_constants_are_protected_from_being_read_as_paths():
    assert "'$literal': '$price'" in str(to_aggregation((F("s") == "$price").node, FIELDS))
    assert re.search(r"'\$literal': \['\$\$ROOT'", str(to_aggregation(F("d.s").is_in(["$$ROOT"]).node, FIELDS)))


def test_expressions_can_be_copied_and_sent_to_other_processes():
    expression = (F("n") > 1) & F("tags").contains("a")
    assert copy.deepcopy(expression).node == expression.node
    assert pickle.loads(pickle.dumps(expression)).node == expression.node
