"""Random expressions over random documents keep the samples that plain Python keeps."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import saccade.dataset.labels  # noqa: F401  # registers the attributes of labels
from saccade.dataset import schema
from saccade.dataset.expressions import F, Node, to_aggregation, to_query
from saccade.dataset.store.codec import to_bson_query
from tests.expressions.evaluator import MISSING, evaluate, truth

FIELDS = schema.Schema(
    {
        **schema.SAMPLE_FIELDS,
        "n": schema.FloatField(),
        "m": schema.IntField(),
        "s": schema.StringField(),
        "b": schema.BooleanField(),
        "d": schema.DictField(),
        "p": schema.EmbeddedDocumentField("Detections"),
    }
)
WORDS = ["", "a", "b", "ab", "$a", "A"]
floats = st.sampled_from([-2.0, -0.0, 0.5, 1.0, float("nan"), float("inf")])
integers = st.integers(-3, 3)
words = st.sampled_from(WORDS)
scalars = st.one_of(floats, integers, words, st.booleans())
anything = st.one_of(
    scalars, st.none(), st.lists(scalars, max_size=3), st.dictionaries(st.sampled_from("xy"), scalars, max_size=2)
)


def maybe(values):
    return st.one_of(st.just(MISSING), st.none(), values, values)


def records(**fields):
    return st.fixed_dictionaries(fields).map(
        lambda found: {name: value for name, value in found.items() if value is not MISSING}
    )


detections = st.lists(records(_cls=st.just("Detection"), label=maybe(words), confidence=maybe(floats)), max_size=3)
documents = st.lists(
    records(
        n=maybe(floats),
        m=maybe(integers),
        s=maybe(words),
        b=maybe(st.booleans()),
        tags=st.lists(words, max_size=3),
        d=maybe(records(x=maybe(anything), y=maybe(anything))),
        p=maybe(records(_cls=st.just("Detections"), detections=maybe(detections))),
    ),
    min_size=4,
    max_size=8,
).map(lambda found: [{"_id": number} | document for number, document in enumerate(found)])


def numbers_in(names):
    """Expressions of numbers over the fields `names`."""
    leaves = st.one_of(st.sampled_from(names).map(F), integers.map(F.literal), floats.map(F.literal))
    operators = [lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b, lambda a, b: a / b]
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(lambda op, a, b: op(a, b), st.sampled_from(operators), inner, inner), inner.map(abs)
        ),
        max_leaves=4,
    )


COMPARISONS = [
    lambda a, b: a == b,
    lambda a, b: a != b,
    lambda a, b: a < b,
    lambda a, b: a <= b,
    lambda a, b: a > b,
    lambda a, b: a >= b,
]


def compared(left, right):
    return st.builds(lambda op, a, b: op(a, b), st.sampled_from(COMPARISONS), left, right)


finite = st.one_of(integers, st.sampled_from([-1.0, 0.5, 1.0]))
label_tests = st.one_of(
    compared(st.just(F("confidence")), st.one_of(finite, st.just(F("$n")))),
    compared(st.just(F("label")), st.one_of(words, st.just(F("$s")))),
    st.lists(words, max_size=2).map(lambda chosen: F("label").is_in([*chosen, None])),
    st.just(F("confidence").exists()),
)
several = st.lists(words, min_size=1, max_size=3)
simple = st.one_of(
    compared(st.sampled_from(["n", "m", "d.x", "s", "b"]).map(F), st.one_of(finite, words, st.booleans())),
    compared(st.sampled_from(["n", "d.x", "d.y", "s"]).map(F), st.sampled_from(["m", "d.x", "d.y", "b"]).map(F)),
    compared(numbers_in(["n", "m", "d.x"]), numbers_in(["n", "d.y"])),
    st.builds(
        lambda name, chosen: F(name).is_in(chosen), st.sampled_from(["n", "s", "d.x"]), st.lists(anything, max_size=4)
    ),
    st.sampled_from(["n", "s", "p", "d.x", "p.detections", "tags"]).map(lambda name: F(name).exists()),
    st.sampled_from(["b", "d.x"]).map(F),
    st.builds(lambda all_of, chosen: F("tags").contains(chosen, all=all_of), st.booleans(), several),
    st.builds(lambda chosen: F("p.detections.label").contains(chosen), several),
    st.builds(lambda test, bound: F("p.detections").filter(test).length() > bound, label_tests, st.integers(0, 2)),
    compared(st.just(F("p.detections.confidence").max()), finite),
    compared(st.just(F("p.detections").map(F("confidence") + 1).sum()), finite),
    st.builds(lambda chosen: F("s").starts_with(chosen), several),
    st.builds(lambda chosen: F("s").ends_with(chosen), several),
    st.builds(lambda word: F("s").contains_str(word), words),
    compared(st.just(F("s").strlen()), integers),
    st.builds(lambda test: F("n").apply(test), compared(st.just(F()), st.one_of(finite, st.just(F("$m"))))),
)
conditions = st.recursive(
    simple,
    lambda inner: st.one_of(
        st.builds(lambda a, b: a & b, inner, inner),
        st.builds(lambda a, b: a | b, inner, inner),
        inner.map(lambda a: ~a),
        st.builds(lambda a, b, c: a.if_else(b, c), inner, inner, inner),
        st.builds(lambda a, b: a == b, inner, inner),
    ),
    max_leaves=5,
)


@pytest.mark.parametrize("write", ["query", "aggregation"])
@settings(
    max_examples=600,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(documents=documents, condition=conditions)
def test_a_random_condition_keeps_what_plain_python_keeps(database, write, documents, condition):
    node = condition.node
    if write == "query":
        match = to_query(node, FIELDS)
    else:
        match = {"$expr": to_aggregation(node, FIELDS)}
    pipeline = [{"$documents": {"$literal": documents}}, {"$match": match}]
    found = [document["_id"] for document in database.aggregate(to_bson_query(pipeline))]
    assert found == [document["_id"] for document in documents if truth(evaluate(node, document))], condition
    assert Node.from_dict(node.to_dict()) == node
