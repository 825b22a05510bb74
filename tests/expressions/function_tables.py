"""Expressions and the values that they give for the document in `conftest`, worked out by hand."""

import math
from datetime import UTC, datetime, timedelta

from saccade.dataset.expressions import VALUE, F
from tests.expressions.conftest import LABEL_ID, SAMPLE_ID

E = F.literal
DAY = 24 * 3600 * 1000

NUMBERS = {
    "arithmetic": [
        (F("n") + 1, 3.5), (1 + F("n"), 3.5), (F("n") - 1, 1.5), (1 - F("n"), -1.5), (F("n") * 2, 5.0),
        (2 * F("n"), 5.0), (F("n") / 2, 1.25), (5 / F("n"), 2.0), (F("i") // 2, -4.0), (5 // F("n"), 2.0),
        (F("n") ** 2, 6.25), (2 ** F("n"), 2**2.5), (F("i") % 4, -3), (10 % F("n"), 0.0), (-F("n"), -2.5),
        (F("n") + F("i"), -4.5), (F("n") + 1 + F("d.n"), 7.5), (abs(F("i")), 7), (round(F("n"), 1), 2.5),
        (math.floor(F("n")), 2), (math.ceil(F("n")), 3), (math.trunc(F("n")), 2), (F("nan") + 1, math.nan),
    ],
    "undefined arithmetic gives None": [
        (F("n") / 0, None), (F("n") / F("zero"), None), (F("n") // 0, None), (F("n") % 0, None), (E(0) / 0, None),
        (F("zero") ** -1, None), (F("n") + F("no"), None), (F("no") / 2, None), (F("d.s") + 1, None),
        (F("d.missing") * 2, None), (F("d.s") / F("d.l"), None), (F("d.n") / F("zero"), None), (E(0) ** -1, None),
    ],
    "functions": [
        (F("i").abs(), 7), (F("n").ceil(), 3), (F("n").floor(), 2), (F("n").round(), 2), ((F("n") + 1).round(), 4),
        ((F("n") / 3).round(2), 0.83), (E(1234).round(-2), 1200), (E(1.29).trunc(1), 1.2), (E(-1.9).trunc(), -1),
        (E(0).exp(), 1), (E(math.e).ln(), 1.0), (E(8).log(2), 3.0), (E(1000).log10(), 3.0), (E(9).sqrt(), 3.0),
        (E(2).pow(10), 1024), (F("n").exp(), math.exp(2.5)), (E(0).cos(), 1), (E(0).sin(), 0), (E(0).tan(), 0),
        (E(0).cosh(), 1), (E(0).sinh(), 0), (E(0).tanh(), 0), (E(1).arccos(), 0), (E(0).arcsin(), 0),
        (E(0).arctan(), 0), (E(1).arccosh(), 0), (E(0).arcsinh(), 0), (E(0).arctanh(), 0),
    ],
    "outside of their domain, and without a number, functions give None": [
        (E(0).ln(), None), (F("i").ln(), None), (F("i").sqrt(), None), (F("zero").log10(), None), (E(8).log(1), None),
        (E(8).log(F("zero")), None), (E(2).arccos(), None), (E(-2).arcsin(), None), (E(0.5).arccosh(), None),
        (E(1).arctanh(), None), (E(math.inf).cos(), None), (E(math.inf).sin(), None), (E(math.inf).tan(), None),
        (F("no").sqrt(), None), (F("no").abs(), None), (F("d.s").floor(), None), (F("d.s").sqrt(), None),
        (F("no").round(2), None), (F("d.s").round(), None), (F("d.missing").exp(), None), (F("no") ** 2, None),
        (F("d.s").log(2), None), (F("nan").ln(), None),
    ],
    "the smaller and the larger of two": [
        (F("n").min(1), 1), (F("n").max(1), 2.5), (F("n").max(F("i")), 2.5), (F("no").max(0), 0), (F("nan").max(0), 0),
        (F("nan").min(3), 3), (F("no").min(F("no")), None),
    ],
}  # fmt: skip

LISTS = {
    "length": [
        (F("words").length(), 3), (F("empty").length(), 0), (F("no_list").length(), 0),
        (F("p.detections").length(), 3), (F("d.l").length(), 2), (F("d.s").length(), 0),
        (F("p.detections.confidence").length(), 2),
    ],
    "elements and parts": [
        (F("words")[0], "x"), (F("words")[-1], "zzz"), (F("words")[5], "missing"), (F("no_words")[0], None),
        (F("words")[F("zero")], "x"), (F("d.l")[1], "a"), (F("d.s")[0], None), (F("words")[F("n")], "zzz"),
        (F("words")[1:], ["yy", "zzz"]), (F("words")[:1], ["x"]), (F("words")[1:2], ["yy"]),
        (F("words")[:], ["x", "yy", "zzz"]), (F("words")[-2:], ["yy", "zzz"]), (F("words")[:-2], ["x"]),
        (F("words")[-2:-1], ["yy"]), (F("words")[-5:1], ["x"]), (F("words")[2:1], []), (F("words")[5:], []),
        (F("words")[:0], []), (F("words")[0:0], []), (F("empty")[:2], []), (F("no_words")[:2], None),
        (F("words")[F("zero"):F("n")], ["x", "yy"]), (F("d.s")[1:], None), (F("words")[1:99], ["yy", "zzz"]),
        (E([1, 2, 3])[1:], [2, 3]), (E([])[0:5], []), (E([7])[0], 7), (F("words")[F("words").length() - 1], "zzz"),
    ],
    "contains": [
        (F("tags").contains("a"), True), (F("tags").contains("c"), False), (F("tags").contains(["a", "c"]), True),
        (F("tags").contains(["a", "c"], all=True), False), (F("tags").contains(["a", "b"], all=True), True),
        (F("tags").contains(F("words")), False), (F("tags").contains(F("tags")), True),
        (F("tags").contains(F("s")), False), (F("words").contains(F("d.l")), False),
        (F("tags").contains(F("no_text")), False), (F("no_words").contains("a"), False),
        (F("tags").contains(F("no_words"), all=True), False), (F("tags").contains([], all=True), True),
        (F("tags").contains([]), False), (F("d.l").contains(1), True), (F("d.s").contains("text"), False),
        (F("words").contains([F("words")[1], "q"]), True), (F("p.detections.label").contains("dog"), True),
        (F("p.detections.label").contains(["cat", "cow"], all=True), False),
        (F("p.detections.id").contains(str(LABEL_ID)), True), (F("p.detections.id").contains(["0" * 24]), False),
        (F("xs").contains(1), True), (F("xs").contains([4, 2]), True), (F("d.l").contains(F("d.n")), False),
    ],
    "sets of ids": [
        (F("p.detections.id").intersection([str(LABEL_ID)]).length(), 1),
        (F("p.detections.id").difference([str(LABEL_ID)]).length(), 0),
        (F("p.detections.id").is_subset([str(LABEL_ID)]), True),
        (F("p.detections.id").set_equals([str(LABEL_ID)]), True),
        (F("p.detections.id").union([str(LABEL_ID)]).length(), 1),
    ],
    "sets": [
        (F("tags").is_subset(["a", "b", "c"]), True), (F("tags").is_subset(["a"]), False),
        (F("no_words").is_subset([]), False), (F("empty").is_subset(F("words")), True),
        (F("tags").is_subset(F("no_words")), False), (F("tags").set_equals(["a", "b"]), True),
        (F("tags").set_equals(["a", "b"], F("words")), False), (F("no_words").set_equals([]), False),
        (F("tags").unique(), ["a", "b"]), (F("tags").union(["c"], F("words")), ["a", "b", "c", "x", "yy", "zzz"]),
        (F("tags").intersection(["a", "q"]), ["a"]), (F("tags").difference(["a"]), ["b"]),
        (F("no_words").union(["a"]), None), (F("no_words").difference(["a"]), None),
        (F("tags").intersection(F("no_words")), None), (F("d.s").unique(), None),
    ],
    "order": [
        (F("words").reverse(), ["zzz", "yy", "x"]), (F("no_words").reverse(), None),
        (F("tags").sort(), ["a", "b", "b"]), (F("tags").sort(reverse=True), ["b", "b", "a"]),
        (F("no_words").sort(), None), (F("empty").sort(), []),
        (F("words").sort(key=F().strlen(), reverse=True), ["zzz", "yy", "x"]),
        (F("xs").sort(numeric=True)[:3], [1.0, 2.0, 3.0]), (F("xs").sort(reverse=True)[:3], [3.0, 2.0, 1.0]),
        (F("p.detections").sort("confidence").map(F("label")), ["cat", "cat", "dog"]),
        (F("p.detections").sort("confidence", reverse=True).map(F("confidence")), [0.9, 0.4, None]),
        (F("d.s").sort(), None),
    ],
    "each element": [
        (F("xs").filter(F() > 1), [3.0, 2.0]), (F("no_list").filter(F() > 1), None), (F("d.s").filter(F() > 1), None),
        (F("words").map(F().upper()), ["X", "YY", "ZZZ"]), (F("words").map(F().strlen() + F("$i")), [-6, -5, -4]),
        (F("p.detections").filter(F("confidence") > 0.5).map(F("label")), ["cat"]),
        (F("p.detections").filter(F("label") == F("$label.label")).length(), 2),
        (F("p.detections").map(F("bounding_box")[2] * F("bounding_box")[3]).max(), 1.0),
        (F("p.detections").map(F("tags").contains("good")), [True, False, False]),
        (F("p.detections").filter(F("id") == str(LABEL_ID)).length(), 1),
        (F("p.detections").map(F("confidence")), [0.9, None, 0.4]),
        (F("p.detections.label").filter(F() == "cat"), ["cat", "cat"]),
        (F("k.keypoints").map(F("points").length()), [2, 1]),
        (F("k.keypoints").map(F("points").map(F()[0] + F()[1])), [[0, 2], [1]]),
        (F("k.keypoints").reduce(VALUE + F("points").length()), 3),
        (F("words").reduce(VALUE.concat("-", F()), init_val="w"), "w-x-yy-zzz"),
        (F("no_list").reduce(VALUE + F()), None), (F("d.l").map(F().is_string()), [False, True]),
        (F("no_words").map(F()), None),
        (F("words").filter(F("$words").filter(F() == "yy").contains("yy")), ["x", "yy", "zzz"]),
    ],
    "longer lists": [
        (F("words").append("w"), ["x", "yy", "zzz", "w"]),
        (F("words").prepend(F("s")), ["Grüße ab", "x", "yy", "zzz"]),
        (F("words").extend(["w"], F("tags")[:1]), ["x", "yy", "zzz", "w", "b"]),
        (F("words").insert(1, "w"), ["x", "w", "yy", "zzz"]), (F("words").insert(0, "w")[0], "w"),
        (F("words").insert(9, "w")[-1], "w"), (F("no_words").append("w"), None),
        (F("words").append(F("no_text")), ["x", "yy", "zzz", None]),
    ],
    "summaries skip None and NaN": [
        (F("xs").min(), 1.0), (F("xs").max(), 3.0), (F("xs").sum(), 6.0), (F("xs").mean(), 2.0),
        (F("xs").std(), math.sqrt(2 / 3)), (F("xs").std(sample=True), 1.0), (F("no_list").sum(), 0),
        (F("no_list").mean(), None), (F("no_list").max(), None), (F("words").max(), "zzz"), (F("words").sum(), 0),
        (F("words").mean(), None), (F("empty").std(), None), (F("p.detections.confidence").mean(), 0.65),
        (F("d.l").max(), "a"), (F("no_words").min(), None),
    ],
    "lists from lists": [
        (F("words").join("-"), "x-yy-zzz"), (F("empty").join("-"), ""), (F("no_words").join("-"), None),
        (F("d.l").join("+"), "+a"), (F.range(3), [0, 1, 2]), (F.range(2, 4), [2, 3]),
        (F.range(F("words").length()), [0, 1, 2]), (F.range(F("no")), None), (F.range(0), []),
        (F.enumerate(F("words"), start=1), [[1, "x"], [2, "yy"], [3, "zzz"]]), (F.enumerate(F("no_words")), None),
        (F.zip(F("words"), [1, 2]), [["x", 1], ["yy", 2]]), (F.zip(F("no_words"), [1]), None),
        (F.zip(F("words"), [1, 2], use_longest=True), [["x", 1], ["yy", 2], ["zzz", None]]),
        (F.zip(F("words"), [1], use_longest=True, defaults=("", 0)), [["x", 1], ["yy", 0], ["zzz", 0]]),
    ],
}  # fmt: skip

TEXTS = {
    "case, length and parts": [
        (F("s").lower(), "grüße ab"), (F("s").upper(), "GRüßE AB"), (F("no_text").lower(), None),
        (F("d.n").upper(), None), (F("s").strlen(), 8), (F("no_text").strlen(), 0), (F("d.n").strlen(), 0),
        (F("s").substr(2), "üße ab"), (F("s").substr(1, 3), "rü"), (F("s").substr(-2), "ab"),
        (F("s").substr(end=-3), "Grüße"), (F("s").substr(count=2), "Gr"), (F("s").substr(-4, count=2), "e "),
        (F("s").substr(-2, count=9), "ab"), (F("s").substr(5, 2), ""), (F("s").substr(99), ""),
        (F("s").substr(-99, 2), "Gr"), (F("no_text").substr(1), None), (F("s").substr(), "Grüße ab"),
        (F("s").substr(-2, count=2), "ab"),
    ],
    "white space and other ends": [
        (E(" a ").strip(), "a"), (E(" a ").lstrip(), "a "), (E(" a ").rstrip(), " a"), (E("xax").strip("x"), "a"),
        (E("xa").lstrip(F("words")[0]), "a"), (E("ax").rstrip("x"), "a"), (F("no_text").strip(), None),
    ],
    "new texts": [
        (F("s").concat("!", F("words")[0]), "Grüße ab!x"), (F("s").concat(F("no_text")), None),
        (F("d.n").concat("a"), None), (F("s").replace("ab", "cd"), "Grüße cd"), (F("no_text").replace("a", "b"), None),
        (F("s").replace("$", "b"), "Grüße ab"), (E("$x").replace("$x", "$y"), "$y"),
        (F("id").concat("-1"), f"{SAMPLE_ID}-1"), (F("id").strlen(), 24),
    ],
    "tests": [
        (F("filepath").starts_with("/data"), True), (F("filepath").starts_with(("/x", "/data/")), True),
        (F("filepath").starts_with("/DATA"), False), (F("filepath").starts_with("/DATA", case_sensitive=False), True),
        (F("filepath").ends_with(".JPG"), True), (F("filepath").ends_with("xJPG"), False),
        (F("filepath").contains_str("o.O"), True), (F("filepath").contains_str("oxO"), False),
        (F("filepath").contains_str("photo", case_sensitive=False), True), (F("s").matches_str("Grüße ab"), True),
        (F("s").matches_str("Grüße"), False), (F("s").matches_str(["a", "Grüße ab"]), True),
        (F("no_text").starts_with(""), False), (F("s").starts_with(""), True), (F("s").starts_with([]), False),
        (F("d.n").contains_str("4"), False), (F("filepath").re_match(r"\.jpe?g$"), False),
        (F("filepath").re_match(r"\.jpe?g$", options="i"), True), (F("no_text").re_match("."), False),
        (E("a\n").ends_with("a"), False), (E("a\n").matches_str("a"), False), (E("$x").starts_with("$x"), True),
        (E("a|b").contains_str("|"), True), (E("ab").contains_str("a b"), False), (E("(a)").matches_str("(a)"), True),
        (F("d.s").re_match("^t"), True),
    ],
    "splits": [
        (E("a-b-c").split("-"), ["a", "b", "c"]), (E("a-b-c").split("-", 1), ["a", "b-c"]),
        (E("a-b-c").split("-", 9), ["a", "b", "c"]), (E("a-b-c").split("-", 0), ["a-b-c"]),
        (E("a-b-c").rsplit("-", 1), ["a-b", "c"]), (E("a-b-c").rsplit("-"), ["a", "b", "c"]),
        (E("a-b").rsplit("-", 5), ["a", "b"]), (E("abc").split("-"), ["abc"]), (F("no_text").split("-"), None),
        (F("s").split(F("no_text")), None), (F("filepath").split("/")[-1].split(".")[0], "Photo"),
        (E("a-b-c").rsplit("-", 0), ["a-b-c"]), (F("no_text").split("-", 1), None),
    ],
}  # fmt: skip

OTHERS = {
    "dates": [
        (F("t").year(), 2024), (F("t").month(), 2), (F("t").day_of_month(), 29), (F("t").day_of_year(), 60),
        (F("t").day_of_week(), 5), (F("t").week(), 8), (F("t").hour(), 13), (F("t").minute(), 4), (F("t").second(), 5),
        (F("t").millisecond(), 678), (F("no_date").year(), None), (F("d.s").year(), None), (F("d.t").month(), 3),
        (F("t") - F("t"), 0), (F("t") - datetime(2024, 2, 28, 13, 4, 5, 678000, tzinfo=UTC), DAY),
        (F("t") - timedelta(seconds=5) + 5000 - F("t"), 0),
        (abs(F("t") - datetime(2024, 3, 1, tzinfo=UTC)) < timedelta(days=1), True), (F("t") - F("no_date"), None),
        (F("d.t") - F("t") > 0, True), (F("t") - F("d.t") < 0, True), (F("t") - F("d.s"), None),
        (5000 + F("t") - F("t"), 5000), (F("t") > datetime(2024, 1, 1), True), (F("no_date") + 1, None),
        (F("t") + F("t"), None), (1 - F("t"), None), ((F("t") + timedelta(days=1)).day_of_month(), 1),
    ],
    "choices": [
        ((F("n") > 2).if_else("big", "small"), "big"), ((F("no") > 2).if_else("big", F("words")[0]), "x"),
        (F("no").if_else(1, 2), 2), (F("s").cases({"Grüße ab": 1, "b": 2}), 1), (F("s").cases({"b": 2}), None),
        (F("s").cases({"b": 2}, default=3), 3), (F("no").cases({1: "one", None: "none"}), "none"),
        (F("n").switch({F() < 1: "low", F() < 3: "middle"}, default="high"), "middle"),
        (F("i").switch({F() > 0: "up"}, default=F("s")), "Grüße ab"), (F("n").switch({}, default=5), 5),
        (F("n").switch({F() > 1: F("i")}), -7), (F("words")[1].cases({F("words")[1]: "itself"}), "itself"),
        (F("s").map_values({"Grüße ab": "hello"}), "hello"), (F("s").map_values({"x": "y"}), "Grüße ab"),
        (F("no").map_values({1: 2}), None), (F("no").map_values({None: "none"}), "none"),
        (F("n").map_values({2.5: "a", math.nan: "b"}), "a"), (F("nan").map_values({math.nan: 1}), math.nan),
        (F("s").map_values({}), "Grüße ab"), (F("id").map_values({str(SAMPLE_ID): "this"}), "this"),
        (F("p.detections.label").map(F().map_values({"cat": "animal"})), ["animal", "dog", "animal"]),
    ],
    "other elements": [
        (F("n").apply((F() > 1) & (F() < 3)), True), ((F("n") + 1).apply(F() * F()), 12.25),
        (F("label").apply(F("label")), "cat"), (F("p.detections")[0].apply(F("label")), "cat"),
        ((F("n") + 1).let_in((F("n") + 1) * (F("n") + 1)), 12.25), (F("n").let_in(F("n") + 1), 3.5),
        ((F("n") + 1).let_in((F("i") + 1).let_in((F("n") + 1) * (F("i") + 1))), -21.0),
        (F("label").set_field("label", "dog").apply(F("label")), "dog"),
        (F("label").set_field("size.w", F("label").strlen()).apply(F("size.w")), 3),
        (F("d").set_field("n", F("n") + 1, relative=False).apply(F("n")), 3.5),
        (F("d").set_field("in.y", F("in.x")).apply(F("in")), {"x": 1, "y": 1}),
        (F("p.detections").map(F().set_field("label", F("label").upper())).map(F("label")), ["CAT", "DOG", "CAT"]),
    ],
    "tests of kinds": [
        (F("n").type(), "double"), (F("no").type(), "missing"), (F("d.n").is_number(), True),
        (F("nan").is_number(), True), (F("b").is_number(), False), (F("s").is_string(), True),
        (F("id").is_string(), True), (F("words").is_array(), True), (F("d.l").is_array(), True),
        (F("no").is_missing(), True), (F("n").is_missing(), False), (F("v").exists(), True), (F("a").exists(), False),
        (F("v") == None, False),  # noqa: E711  # builds an expression
        (F("a").is_null(), True), (F("n").exists(False), False), (F("n").exists(True), True),
        (F("n").is_in([2.5, None]), True), (F("n").is_in(2.5), True), (F("s").is_in(F("words")), False),
        (F("words")[0].is_in(F("words")), True), (F("no").is_in(F("words")), False),
        (F("id").is_in([str(SAMPLE_ID)]), True), (F("id") == F("other_id"), True),
        (F("other_id").to_string() == F("id"), True), (F("id") == F("s"), False),
        (F("label.id").is_in([str(LABEL_ID), None]), True),
        (F("n").is_in([*range(40), 2.5]), True), (F("no").is_in([*range(40)]), False),
        (F("label.id").is_in([*(f"{n:024x}" for n in range(40)), str(LABEL_ID)]), True),
    ],
    "conversions": [
        (F("zero").to_bool(), False), (F("n").to_int(), 2), (F("b").to_double(), 1.0), (F("n").to_string(), "2.5"),
        (F("d.s").to_int(), None), (F("no").to_string(), None), (F("id").to_string(), str(SAMPLE_ID)),
        (E(0).to_date(), datetime(1970, 1, 1, tzinfo=UTC)), (E("2024-05-01").to_date().month(), 5),
        (E("no date").to_date(), None), (E("12").to_double(), 12.0), (F("words").to_int(), None),
    ],
    "several conditions": [
        (F.any([F("n") > 5, F("i") < 0]), True), (F.all([F("n") > 5, F("i") < 0]), False), (F.any([]), False),
        (F.all([]), True), (F.any(F("b")), True), (F.all([F("b"), F("n") > 1, F("i") < 0]), True),
        (E(True) & F("b"), True), (False | F("b"), True), (F("b") & False, False), (~F("b"), False),
        (E({"a": "$x"}), {"a": "$x"}), (E([F("n"), "$n", F("no")]), [2.5, "$n", None]),
    ],
}  # fmt: skip

TABLES = {**NUMBERS, **LISTS, **TEXTS, **OTHERS}
