"""Random stages one after another, over random documents, leave the samples and values that plain Python leaves."""

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import saccade.dataset.labels  # noqa: F401  # registers the attributes of labels
from saccade.dataset import schema, stages
from saccade.dataset.expressions import F
from saccade.dataset.stages import Stage, chain
from saccade.dataset.store.codec import to_bson_query
from saccade.dataset.store.samples import addressed
from saccade.dataset.types import Oid
from tests.expressions.test_random_expressions import (
    anything,
    compared,
    conditions,
    finite,
    floats,
    integers,
    label_tests,
    maybe,
    numbers_in,
    records,
    words,
)
from tests.stages.evaluator import View, plain

FIELDS = schema.Schema(
    {
        **schema.SAMPLE_FIELDS,
        "n": schema.FloatField(),
        "m": schema.IntField(),
        "s": schema.StringField(),
        "b": schema.BooleanField(),
        "d": schema.DictField(),
        "xs": schema.ListField(schema.FloatField()),
        "c": schema.EmbeddedDocumentField("Classification"),
        "p": schema.EmbeddedDocumentField("Detections"),
    }
)


def oid(number: int) -> Oid:
    return Oid(f"{number:024x}")


# --- documents ------------------------------------------------------------------------------------------------------

label_parts = {
    "_id": st.integers(100, 105).map(oid),
    "tags": st.lists(words, max_size=2),
    "label": maybe(words),
    "confidence": maybe(floats),
}
detections = st.lists(records(_cls=st.just("Detection"), **label_parts), max_size=3)
documents = st.lists(
    records(
        filepath=st.just("/a.png"),
        tags=st.lists(words, max_size=3),
        metadata=st.none(),
        n=maybe(floats),
        m=maybe(integers),
        s=maybe(words),
        b=maybe(st.booleans()),
        d=maybe(records(x=maybe(anything), y=maybe(anything))),
        xs=maybe(st.lists(st.one_of(floats, st.none()), max_size=3)),
        c=maybe(records(_cls=st.just("Classification"), **label_parts)),
        p=maybe(records(_cls=st.just("Detections"), detections=maybe(detections))),
    ),
    min_size=3,
    max_size=7,
).map(lambda found: [{"_id": oid(number)} | document for number, document in enumerate(found)])

# --- stages ---------------------------------------------------------------------------------------------------------

sample_ids = st.lists(st.integers(0, 8).map(oid), min_size=1, max_size=4)
criteria = st.fixed_dictionaries(
    {},
    optional={
        "ids": st.lists(st.integers(100, 106).map(oid), min_size=1, max_size=3),
        "tags": st.lists(words, min_size=1, max_size=2),
        "fields": st.sampled_from(["p", "c", ["p", "c"]]),
    },
)
values = st.lists(st.one_of(floats, integers, words, st.booleans(), st.none()), min_size=1, max_size=4)
maps = st.dictionaries(st.one_of(words, st.none()), st.one_of(words, st.none()), max_size=3)
keys = st.one_of(
    st.sampled_from(["m", "s", "b", "id", "c.label", "c.confidence"]),
    numbers_in(["m", "d.x"]).map(abs),  # where all samples have values of one kind
    conditions.map(lambda condition: ~condition),
)
yes_or_no = st.sampled_from([None, True, False])
choosing = st.one_of(
    conditions.map(stages.Match),
    st.builds(stages.MatchTags, st.lists(words, min_size=1, max_size=2), bool=yes_or_no, all=st.booleans()),
    st.builds(
        stages.Exists,
        st.sampled_from(["n", "s", "d", "d.x", "xs", "c", "c.label", "p", "p.detections", "p.detections.confidence"]),
        bool=yes_or_no,
    ),
    st.builds(stages.SelectBy, st.sampled_from(["n", "s", "b", "d.x"]), values),
    st.builds(stages.SelectBy, st.sampled_from(["m", "s", "c.label"]), values, ordered=st.booleans()),
    st.builds(stages.SelectBy, st.sampled_from(["tags", "xs", "p.detections.label"]), values),
    st.builds(stages.ExcludeBy, st.sampled_from(["n", "s", "d.x", "tags", "xs", "p.detections.label"]), values),
    st.builds(
        lambda chosen, test, flag: stages.MatchLabels(**chosen, filter=test, bool=flag),
        criteria, st.one_of(st.none(), label_tests), yes_or_no,
    ),
    st.builds(stages.Select, sample_ids, ordered=st.booleans()),
    st.builds(stages.Exclude, sample_ids),
)  # fmt: skip
placing = st.one_of(
    st.builds(stages.Limit, st.integers(-1, 6)),
    st.builds(stages.Skip, st.integers(-1, 3)),
    st.builds(stages.SortBy, keys, reverse=st.booleans()),
    st.builds(stages.SortBy, st.lists(st.tuples(keys, st.sampled_from([1, -1])), min_size=1, max_size=3)),
    st.builds(
        stages.GroupBy, st.sampled_from(["m", "s", "b", "c.label"]), order_by=st.one_of(st.none(), keys),
        reverse=st.booleans(), sort_expr=st.sampled_from([None, F().length()]),
    ),
)  # fmt: skip
at_random = st.one_of(
    st.builds(stages.Shuffle, st.integers(0, 9)), st.builds(stages.Take, st.integers(0, 5), seed=st.integers(0, 9))
)
changing = st.one_of(
    st.builds(stages.SetField, st.just("n"), st.one_of(numbers_in(["n", "m"]), st.sampled_from([F("d.x"), None]))),
    st.builds(stages.SetField, st.just("s"), st.one_of(words, st.sampled_from([F("c.label"), None]))),
    st.builds(stages.SetField, st.just("b"), conditions.map(lambda condition: ~condition)),
    st.builds(stages.SetField, st.sampled_from(["d.x", "d.y"]), st.one_of(words, st.sampled_from([F("x"), F("$n")]))),
    st.builds(stages.SetField, st.just("p.detections.label"), st.one_of(words, st.sampled_from([F("$s"), None]))),
    st.builds(stages.SetField, st.just("c.confidence"), numbers_in(["confidence", "$m"])),
    st.builds(stages.SetField, st.just("p.detections.mood"), numbers_in(["confidence", "$m"])),
    st.builds(stages.SetField, st.just("d.x"), st.builds(lambda test: F("$p.detections").filter(test), label_tests)),
    st.builds(stages.MapLabels, st.sampled_from(["c", "p"]), maps),
    st.builds(stages.MapValues, st.sampled_from(["s", "tags", "c.label", "p.detections.label"]), maps),
    st.builds(stages.MapValues, st.sampled_from(["m", "d.x"]), st.dictionaries(integers, integers, max_size=3)),
    st.builds(stages.FilterField, st.sampled_from(["n", "m"]), compared(st.just(F()), finite), st.booleans()),
    st.builds(stages.FilterField, st.just("p.detections.confidence"), compared(st.just(F()), finite), st.booleans()),
    st.builds(stages.FilterField, st.just("p"), compared(st.just(F("detections").length()), integers), st.booleans()),
    st.builds(stages.FilterField, st.just("c"), label_tests, st.booleans()),
    st.builds(stages.FilterLabels, st.sampled_from(["c", "p"]), label_tests, st.booleans()),
    st.builds(stages.LimitLabels, st.just("p"), st.integers(-1, 2)),
    st.builds(lambda chosen, flag: stages.SelectLabels(**chosen, omit_empty=flag), criteria, st.booleans()),
    st.builds(lambda chosen, flag: stages.ExcludeLabels(**chosen, omit_empty=flag), criteria, st.booleans()),
)
NAMES = ["n", "s", "d", "xs", "c", "p", "c.label", "p.detections.label", "p.detections.confidence"]
hiding = st.one_of(
    st.builds(stages.SelectFields, st.lists(st.sampled_from(NAMES), max_size=4)),
    st.builds(stages.ExcludeFields, st.lists(st.sampled_from(NAMES), min_size=1, max_size=3)),
)
anywhere = st.one_of(choosing, choosing, placing, changing, changing)
others = st.lists(st.one_of(choosing, placing, changing), max_size=2).map(stages.Concat)
chains = st.builds(
    lambda first, more, last, rest: [*first, *more, *last, *rest],
    st.lists(st.one_of(anywhere, at_random), max_size=4),
    st.one_of(st.just([]), others.map(lambda stage: [stage])),
    st.lists(anywhere, max_size=2),
    # What names fields would be refused after those that hide them.
    st.one_of(
        st.just([]),
        st.builds(
            lambda stage, more: [stage, *more], hiding, st.lists(st.builds(stages.Limit, st.integers(0, 4)), max_size=1)
        ),
    ),
)


@settings(
    max_examples=500,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(documents=documents, chosen=chains)
def test_a_random_chain_leaves_what_plain_python_leaves(database, documents, chosen):
    database.samples.delete_many({})
    database.samples.insert_many(to_bson_query(documents))

    def run(some: list[Stage], *, ordered: bool = True) -> list[dict[str, Any]]:
        steps = addressed(chain.pipeline(some, FIELDS, ordered=ordered), "samples")
        return list(database.samples.aggregate(to_bson_query(steps)))

    stored = [json.loads(json.dumps(stage.to_dict())) for stage in chosen]
    assert [Stage.from_dict(document) for document in stored] == chosen

    drawn = lambda count: [Oid(str(document["_id"])) for document in run(chosen[:count])]  # noqa: E731
    expected = View(documents, list(FIELDS), drawn).apply(chosen)
    found = run(chosen)
    assert [str(document["_id"]) for document in found] == [document["_id"] for document in expected.documents]
    assert list(chain.schema_after(chosen, FIELDS)) == expected.shown

    shown = ["_id", *expected.shown]
    wanted = [plain({name: document.get(name) for name in shown}) for document in expected.documents]
    assert [plain({name: document.get(name) for name in shown}) for document in found] == wanted
    if not any(isinstance(stage, stages.Concat) for stage in chosen):  # of which one part may hide what the other shows
        assert {name for document in found for name in document} <= set(shown)

    assert sorted(str(document["_id"]) for document in run(chosen, ordered=False)) == sorted(
        document["_id"] for document in expected.documents
    )
    check_shaping(chosen, database, found, shown)


def check_shaping(chosen, database, found, shown):
    """The steps that shape chosen samples, one by one, show what the whole pipeline shows."""
    steps = chain.shaping(chosen, FIELDS)
    if steps is None:
        return
    for document in found:
        (one,) = database.samples.aggregate(to_bson_query([{"$match": {"_id": document["_id"]}}, *steps]))
        assert plain({name: one.get(name) for name in shown}) == plain({name: document.get(name) for name in shown})
