"""What every function gives, for values, for missing values and for values of the wrong kind."""

import pytest

from saccade.dataset.expressions import F, Node, to_aggregation
from saccade.dataset.expressions import functions as registry
from tests.expressions.conftest import FIELDS
from tests.expressions.function_tables import TABLES

UNSORTED = ("union", "unique", "intersection", "difference")


@pytest.mark.parametrize("name", TABLES)
def test_functions_give_the_values_worked_out_by_hand(name, compute):
    wrong = {}
    for expression, expected in TABLES[name]:
        found = compute(expression)
        if isinstance(found, list) and any(f".{function}(" in str(expression) for function in UNSORTED):
            found = sorted(found)
        if not same(found, expected):
            wrong[str(expression)] = f"{found!r}, expected {expected!r}"
    assert not wrong


def same(found, expected) -> bool:
    if isinstance(expected, bool) or isinstance(found, bool):
        return found is expected
    if isinstance(expected, float):
        return found == pytest.approx(expected, nan_ok=True)
    return found == expected


def test_every_function_is_in_these_tables():
    used = {name for table in TABLES.values() for expression, _ in table for name in called(expression.node)}
    assert set(registry.names()) - used == {"uniform"}


def called(node: Node) -> set[str]:
    below = set().union(*(called(child) for child in node.children()))
    return below | {node.function} if hasattr(node, "arguments") else below


def test_every_expression_survives_being_stored():
    for table in TABLES.values():
        for expression, _ in table:
            assert Node.from_dict(expression.node.to_dict()) == expression.node


def test_random_numbers_depend_on_the_seed_and_the_sample_alone(database):
    database.samples.insert_many([{"n": number} for number in range(2000)])
    codes = {"u": F.rand(51), "again": F.rand(51), "other": F.rand(52), "normal": F.randn(51)}
    steps = {name: to_aggregation(expression.node, FIELDS) for name, expression in codes.items()}
    first = list(database.samples.aggregate([{"$project": steps}]))
    database.samples.update_many({}, {"$inc": {"n": 1}})
    second = list(database.samples.aggregate([{"$project": steps}]))
    assert [document["u"] for document in first] == [document["u"] for document in second]
    assert all(document["u"] == document["again"] != document["other"] for document in first)
    uniform = sorted(document["u"] for document in first)
    assert uniform[0] >= 0
    assert uniform[-1] < 1
    assert max(abs(u - i / 2000) for i, u in enumerate(uniform)) < 0.04
    normal = [document["normal"] for document in first]
    assert sum(normal) / 2000 == pytest.approx(0, abs=0.1)
    assert sum(value**2 for value in normal) / 2000 == pytest.approx(1, abs=0.15)
    assert str(F.rand()) != str(F.rand())
