"""Aggregations against values worked out by hand and by numpy, on a real server."""

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

import saccade as sc
import saccade.dataset.labels  # registers the attributes of labels
from saccade.dataset import aggregations, schema
from saccade.dataset.aggregations import (
    Bounds,
    Count,
    CountValues,
    Distinct,
    HistogramValues,
    Max,
    Mean,
    Min,
    Quantiles,
    Std,
    Sum,
    Values,
)
from saccade.dataset.errors import ExpressionError, FieldNotFoundError, ViewError
from saccade.dataset.expressions import F
from saccade.dataset.store.codec import to_bson_query
from saccade.dataset.types import Oid

NAN, INF = float("nan"), float("inf")
FIELDS = schema.Schema(
    {
        **schema.SAMPLE_FIELDS,
        "n": schema.FloatField(),
        "i": schema.IntField(),
        "s": schema.StringField(),
        "b": schema.BooleanField(),
        "t": schema.DateTimeField(),
        "xs": schema.ListField(schema.FloatField()),
        "grid": schema.ListField(schema.ListField(schema.IntField())),
        "d": schema.DictField(),
        "truth": schema.EmbeddedDocumentField("Classification"),
        "found": schema.EmbeddedDocumentField("Detections"),
        "v": schema.VectorField(),
        "never": schema.FloatField(),
    }
)
DAYS = [datetime(2024, 5, day, tzinfo=UTC) for day in (1, 2, 3, 9)]


def sample_id(number):
    return Oid(f"{number:024x}")


def box(number, label, confidence=None):
    made = {"_cls": "Detection", "_id": sample_id(number), "label": label, "bounding_box": [0, 0, 1, number]}
    return made | ({} if confidence is None else {"confidence": confidence})


SAMPLES = [
    {"tags": ["a"], "n": 0.5, "i": 1, "s": "x", "b": True, "t": DAYS[0], "xs": [1.0, None, 2.0], "grid": [[1], [2, 3]]},
    {"tags": ["a", "b"], "n": None, "i": 2, "s": "y", "b": False, "t": DAYS[3], "xs": [], "v": 7},
    {"tags": [], "n": NAN, "i": 2, "s": None, "t": DAYS[1], "xs": None, "d": {"x": 3}},
    {"tags": ["b"], "n": -1.5, "i": 4, "s": "x", "b": True, "xs": [NAN, 5.0], "d": {"x": [4, "text"]}},
    {"tags": ["c"], "n": 2.0, "t": DAYS[2], "truth": {"_cls": "Classification", "label": "cat"}, "v": 8},
]
FOUND = [
    [box(1, "cat", 0.9), box(2, "dog")],
    [],
    None,
    [box(3, "cat", 0.3)],
]


@pytest.fixture
def compute(database):
    documents = [{"_id": sample_id(900 + number)} | sample for number, sample in enumerate(SAMPLES)]
    for document, boxes in zip(documents, FOUND, strict=False):
        document["found"] = None if boxes is None else {"_cls": "Detections", "detections": boxes}
    database.samples.insert_many(to_bson_query(documents))
    return lambda aggregation, **options: computed(database, aggregation, **options)


def computed(database, aggregation, **options):
    steps = [{"$sort": {"_id": 1}}, *aggregation.to_mongo(FIELDS)]
    return aggregation.parse(database.samples.aggregate(to_bson_query(steps)), **options)


def test_count_counts_samples_and_values_that_are_not_none(compute):
    assert compute(Count()) == 5
    assert compute(Count("n")) == 4
    assert compute(Count("n", safe=True)) == 3
    assert compute(Count("s")) == 3
    assert compute(Count("never")) == 0
    assert compute(Count("tags")) == 5
    assert compute(Count("xs")) == 4
    assert compute(Count("found")) == 3
    assert compute(Count("found.detections")) == 3
    assert compute(Count("found.detections.confidence")) == 2
    assert compute(Count("grid")) == 3
    assert compute(Count("v")) == 2
    assert compute(Count("d.x")) == 3
    assert compute(Count(F("n") > 0)) == 5
    assert compute(Count(F("found.detections").filter(F("confidence") > 0.5))) == 1


def test_count_values_gives_the_most_frequent_first(compute):
    assert list(compute(CountValues("tags")).items()) == [("a", 2), ("b", 2), ("c", 1)]
    assert compute(CountValues("s")) == {"x": 2, "y": 1}
    assert compute(CountValues("b")) == {True: 2, False: 1}
    assert compute(CountValues("i")) == {2: 2, 1: 1, 4: 1}
    assert compute(CountValues("found.detections.label")) == {"cat": 2, "dog": 1}
    assert compute(CountValues("truth.label")) == {"cat": 1}
    assert compute(CountValues("never")) == {}
    assert compute(CountValues("xs")) == {1.0: 1, 2.0: 1, 5.0: 1}
    assert compute(CountValues(F("tags").length())) == {1: 3, 0: 1, 2: 1}
    assert compute(CountValues("found.detections[].label")) == {"cat": 2, "dog": 1}
    assert compute(CountValues("n", F() > 0)) == {False: 3, True: 2}
    assert compute(CountValues("d.x")) == {3: 1, 4: 1, "text": 1}
    assert compute(CountValues("found.detections.id"))[str(sample_id(1))] == 1


def test_distinct_sorts_the_values(compute):
    assert compute(Distinct("tags")) == ["a", "b", "c"]
    assert compute(Distinct("n")) == [-1.5, 0.5, 2.0]
    assert compute(Distinct("never")) == []
    assert compute(Distinct("id")) == [str(sample_id(900 + number)) for number in range(5)]
    assert compute(Distinct("t")) == sorted(DAYS)
    assert compute(Distinct("t"), decode=datetime.date)[0] == DAYS[0].date()


def test_bounds_minimum_and_maximum_pass_over_none_and_nan(compute):
    assert compute(Bounds("n")) == (-1.5, 2.0)
    assert compute(Bounds("never")) == (None, None)
    assert compute(Bounds("t")) == (DAYS[0], DAYS[3])
    assert compute(Bounds("s")) == ("x", "y")
    assert compute(Bounds("xs")) == (1.0, 5.0)
    assert compute(Bounds("found.detections.confidence")) == (0.3, 0.9)
    assert compute(Bounds("found.detections.confidence", 10 * F())) == (3.0, 9.0)
    assert compute(Bounds("grid")) == (1, 3)
    assert compute(Min("n")) == -1.5
    assert compute(Max("n")) == 2.0
    assert compute(Max("never")) is None
    assert compute(Min("t"), decode=datetime.date) == DAYS[0].date()
    assert compute(Bounds(F("xs").length())) == (0, 3)


def test_infinity_counts_unless_asked(compute, database):
    database.samples.insert_one({"n": INF})
    assert compute(Bounds("n")) == (-1.5, INF)
    assert compute(Bounds("n", safe=True)) == (-1.5, 2.0)
    assert compute(Mean("n", safe=True)) == pytest.approx(1 / 3)
    assert compute(Count("n", safe=True)) == 3
    assert compute(Quantiles("n", 1.0, safe=True)) == 2.0
    assert compute(HistogramValues("n", bins=2)) == ([1, 2], [-1.5, 0.25, 2.0], 2)


def test_mean_deviation_and_sum_pass_over_none_and_nan(compute):
    numbers = [0.5, -1.5, 2.0]
    assert compute(Mean("n")) == pytest.approx(np.mean(numbers))
    assert compute(Std("n")) == pytest.approx(np.std(numbers))
    assert compute(Std("n", sample=True)) == pytest.approx(np.std(numbers, ddof=1))
    assert compute(Sum("n")) == pytest.approx(1.0)
    assert compute(Sum("never")) == 0
    assert compute(Mean("never")) is None
    assert compute(Std("never")) is None
    assert compute(Std("truth.confidence", sample=True)) is None
    assert compute(Sum("xs")) == 8.0
    assert compute(Mean("grid")) == 2.0
    assert compute(Sum(F("found.detections").length())) == 3
    assert compute(Sum("d.x")) == 7


def test_quantiles_are_those_of_numpy(compute, database):
    rng = np.random.default_rng(51)
    numbers = rng.normal(size=500)
    database.samples.insert_many([{"never": value} for value in numbers.tolist()])
    wanted = [0, 0.1, 0.5, 0.999, 1]
    assert compute(Quantiles("never", wanted)) == pytest.approx(np.quantile(numbers, wanted).tolist())
    assert compute(Quantiles("never", 0.25)) == pytest.approx(np.quantile(numbers, 0.25))
    assert compute(Quantiles("n", [0.5])) == [0.5]
    assert compute(Quantiles("truth.confidence", [0.5, 1])) == [None, None]
    assert compute(Quantiles("truth.confidence", 0.5)) is None
    for wrong in (1.5, [-0.1], [NAN], [[0.5]]):
        with pytest.raises(ViewError, match="between 0 and 1"):
            Quantiles("n", wrong)


@pytest.fixture
def many(database):
    rng = np.random.default_rng(7)
    numbers = np.concatenate([rng.random(3000), np.linspace(0, 1, 101), np.arange(0, 1, 0.1), [-0.5, 1.5, 0.3 - 1e-17]])
    database.samples.insert_many([{"n": value} for value in numbers.tolist()])
    return numbers


@pytest.mark.parametrize(
    ("bins", "limits"), [(10, (0, 1)), (7, (0.1, 0.95)), (100, (0, 1)), (3, (-1, 2)), (None, (0, 0.3))]
)
def test_a_histogram_counted_by_the_database_is_the_one_of_numpy(database, many, bins, limits):
    counts, edges = np.histogram(many, bins=bins or 10, range=limits)
    found = computed(database, HistogramValues("n", bins=bins, range=limits))
    assert found == (counts.tolist(), edges.tolist(), len(many) - counts.sum())
    assert "$group" in str(HistogramValues("n", bins=bins, range=limits).to_mongo(FIELDS))


@pytest.mark.parametrize("bins", [None, 5, [0, 0.2, 0.25, 1], "auto"])
def test_a_histogram_over_all_values_is_the_one_of_numpy(database, many, bins):
    counts, edges = np.histogram(many, bins=10 if bins is None else bins)
    aggregation = HistogramValues("n", auto=True) if bins == "auto" else HistogramValues("n", bins=bins)
    assert computed(database, aggregation) == (counts.tolist(), edges.tolist(), len(many) - counts.sum())


@pytest.mark.parametrize("base", [0.3, 1e17])
def test_a_histogram_of_values_that_rounding_alone_tells_apart_has_bins_around_them(database, base):
    dataset = sc.Dataset("alike")
    dataset.add_samples([sc.Sample(f"/{i}.png", n=n) for i, n in enumerate([base, float(np.nextafter(base, np.inf))])])
    counts, edges, other = dataset.histogram_values("n", bins=10)
    assert (sum(counts), other) == (2, 0)
    assert edges == sorted(set(edges))


def test_a_histogram_counts_what_lies_in_no_bin(compute):
    assert compute(HistogramValues("n", bins=2, range=(0, 1))) == ([0, 1], [0.0, 0.5, 1.0], 3)
    assert compute(HistogramValues("n", bins=[0, 1])) == ([1], [0.0, 1.0], 3)
    assert compute(HistogramValues("never")) == ([], [], 0)
    assert compute(HistogramValues("never", bins=2, range=(0, 1))) == ([0, 0], [0.0, 0.5, 1.0], 0)
    assert compute(HistogramValues("xs", bins=1, range=(0, 4))) == ([2], [0.0, 4.0], 2)
    assert compute(HistogramValues(F("tags").length(), bins=2, range=(0, 2))) == ([1, 4], [0.0, 1.0, 2.0], 0)


def test_a_histogram_of_dates_has_dates_as_edges(compute):
    counts, edges, other = compute(HistogramValues("t", bins=8))
    assert (counts, other) == ([1, 1, 1, 0, 0, 0, 0, 1], 0)
    assert edges == [DAYS[0] + timedelta(days=day) for day in range(9)]
    limits = (DAYS[0], DAYS[0] + timedelta(days=2))
    assert compute(HistogramValues("t", bins=2, range=limits)) == ([1, 2], [DAYS[0], DAYS[1], DAYS[2]], 1)


def test_a_histogram_refuses_bins_that_are_none():
    for wrong in (
        {"bins": 0},
        {"bins": [1]},
        {"bins": [2, 1]},
        {"range": (1, 1)},
        {"range": (NAN, 1)},
        {"bins": ["a", "b"]},
    ):
        with pytest.raises(ViewError, match=r"bin|range"):
            HistogramValues("n", **wrong)


def test_values_keep_the_order_and_none(compute):
    assert str(compute(Values("n"))) == "[0.5, None, nan, -1.5, 2.0]"
    assert compute(Values("s")) == ["x", "y", None, "x", None]
    assert compute(Values("tags")) == [["a"], ["a", "b"], [], ["b"], ["c"]]
    assert compute(Values("id")) == [str(sample_id(900 + number)) for number in range(5)]
    assert compute(Values("truth.label")) == [None, None, None, None, "cat"]
    assert compute(Values(F("n") > 0)) == [True, False, False, False, True]
    assert compute(Values("n", 2 * F()))[0] == 1.0


def test_values_inside_lists_stay_in_their_lists(compute):
    assert compute(Values("found.detections.label")) == [["cat", "dog"], [], None, ["cat"], None]
    assert compute(Values("found.detections.confidence")) == [[0.9, None], [], None, [0.3], None]
    ids = compute(Values("found.detections.id"))
    assert ids == [[str(sample_id(1)), str(sample_id(2))], [], None, [str(sample_id(3))], None]
    assert compute(Values(F("found.detections").map(F("id")))) == ids
    assert compute(Values(F("found.detections")[0].apply(F("id"))))[3] == str(sample_id(3))
    assert compute(Values("found.detections.bounding_box"))[3] == [[0, 0, 1, 3]]
    assert compute(Values("found.detections.label", F().upper()))[0] == ["CAT", "DOG"]
    assert compute(Values("grid"))[0] == [[1], [2, 3]]


def test_values_may_replace_none_and_unwind(compute):
    assert compute(Values("s", missing_value="?")) == ["x", "y", "?", "x", "?"]
    assert compute(Values("found.detections.confidence", missing_value=0)) == [[0.9, 0], [], 0, [0.3], 0]
    assert compute(Values("tags", unwind=True)) == ["a", "a", "b", "b", "c"]
    assert compute(Values("found.detections.confidence", unwind=True)) == [0.9, None, 0.3]
    assert compute(Values("grid", unwind=True)) == [1, 2, 3]
    assert compute(Values("grid", unwind=-1)) == [[1, 2, 3], None, None, None, None]
    assert compute(Values("t"), decode=datetime.date)[:2] == [DAYS[0].date(), DAYS[3].date()]


def test_the_field_whose_values_come_back_is_known():
    assert Values("found.detections").leaf_field(FIELDS) == schema.EmbeddedDocumentField("Detection")
    assert Values("grid").leaf_field(FIELDS) == schema.IntField()
    assert Distinct("t").leaf_field(FIELDS) == schema.DateTimeField()
    assert Values(F("t")).leaf_field(FIELDS) == schema.DateTimeField()
    assert Values(F("t").year()).leaf_field(FIELDS) is None
    assert Count().leaf_field(FIELDS) is None


def test_aggregations_fail_at_once_on_what_cannot_work():
    with pytest.raises(FieldNotFoundError, match="no field 'nope'"):
        Mean("nope").validate(FIELDS)
    for aggregation in (Mean("s"), Sum("tags"), Std("t"), Quantiles("b", 0.5), Bounds("found"), HistogramValues("s")):
        with pytest.raises(ExpressionError, match=type(aggregation).__name__):
            aggregation.validate(FIELDS)
    for aggregation in (Mean("v"), Values("v"), Distinct("v"), HistogramValues("v")):
        with pytest.raises(ExpressionError, match="is a vector"):
            aggregation.validate(FIELDS)
    with pytest.raises(ExpressionError, match="neither a field nor an expression"):
        Count(3)


def test_values_that_are_no_single_values_cannot_be_told_apart(compute, database):
    database.samples.insert_one({"d": {"x": {"y": 1}}})
    with pytest.raises(ExpressionError, match="cannot be told apart"):
        compute(CountValues("d.x"))


@pytest.mark.parametrize(
    ("aggregation", "text"),
    [
        (Count(), "Count()"),
        (Count("n"), 'Count("n")'),
        (Bounds(F("n") + 1, safe=True), 'Bounds(F("n") + 1, safe=True)'),
        (Values("n", missing_value=0), 'Values("n", missing_value=0)'),
        (HistogramValues("n", bins=5), 'HistogramValues("n", bins=5)'),
    ],
)
def test_an_aggregation_reads_as_it_was_written(aggregation, text):
    assert repr(aggregation) == text


def test_equal_aggregations_are_equal():
    for name in aggregations.__all__[1:]:
        make = getattr(aggregations, name)
        more = [0.5] if name == "Quantiles" else []
        assert make(F("n") + 1, *more) == make(F("n") + 1, *more) != make(F("n") + 2, *more)
    assert not math.isnan(Quantiles("n", 0.5).quantiles)
