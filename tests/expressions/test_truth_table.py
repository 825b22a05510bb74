"""Both compilers against plain Python, on a real server."""

from functools import cache

import pytest

import saccade.dataset.labels  # noqa: F401  # registers the attributes of labels
from saccade.dataset.expressions import Node, to_aggregation, to_query
from saccade.dataset.store.codec import to_bson_query
from tests.expressions.evaluator import evaluate, truth
from tests.expressions.truth_table import World, worlds


@pytest.fixture(params=worlds(), ids=lambda world: world.name)
def world(request, database) -> World:
    database.samples.insert_many(to_bson_query(request.param.documents()))
    return request.param


@cache
def expected(world: World, node: Node) -> set[int]:
    return {document["_id"] for document in documents(world) if truth(evaluate(node, document))}


@cache
def documents(world: World) -> list[dict]:
    return world.documents()


def test_queries_select_what_plain_python_selects(world, database):
    for expression in world.expressions():
        query = to_query(expression.node, world.schema)
        found = {document["_id"] for document in database.samples.find(to_bson_query(query), {"_id": 1})}
        assert found == expected(world, expression.node), f"{expression} as {query}"


def test_aggregation_expressions_hold_where_plain_python_says_so(world, database):
    expressions = list(world.expressions())
    for start in range(0, len(expressions), 100):
        chunk = expressions[start : start + 100]
        codes = {str(i): {"$cond": [to_aggregation(e.node, world.schema), True, False]} for i, e in enumerate(chunk)}
        found = list(database.samples.aggregate([{"$project": to_bson_query(codes)}]))
        for i, expression in enumerate(chunk):
            holds = {document["_id"] for document in found if document[str(i)]}
            assert holds == expected(world, expression.node), f"{expression} as {codes[str(i)]}"


def test_comparisons_with_constants_on_scalar_fields_use_the_query_language(world):
    uses_index = {"floats", "integers", "texts", "booleans", "dates", "days", "ids", "labels"}
    if world.name in uses_index:
        from saccade.dataset.expressions import F

        constant = "64b7f0c2a1d3e4f5a6b7c8d9" if world.name == "ids" else 1
        for expression in (F(world.left) == constant, F(world.left) < constant, ~(F(world.left) != constant)):
            assert "$expr" not in str(to_query(expression.node, world.schema))


def test_every_expression_of_the_table_survives_being_stored(world):
    import json

    for expression in world.expressions():
        assert Node.from_dict(json.loads(json.dumps(expression.node.to_dict()))) == expression.node
