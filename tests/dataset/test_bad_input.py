"""Bad input of every kind: a named error that says what was asked, what there is, what to do; and nothing changes."""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from bson import encode

import saccade as sc
import saccade.brain as scb
from saccade.dataset.errors import (
    DatasetError,
    DatasetExistsError,
    DatasetNotFoundError,
    ExpressionError,
    FieldKindError,
    FieldNotFoundError,
    ModelError,
    ReadOnlyError,
    RunError,
    RunNotFoundError,
    SaccadeError,
    SampleNotFoundError,
    SchemaError,
    SelectionError,
    StoreError,
    UndoError,
    UnreadableMediaError,
    ViewError,
    WrongValueError,
)
from saccade.dataset.store import actions

F = sc.F
NOWHERE = "0" * 24

Call = Callable[[sc.Dataset], Any]
Case = tuple[str, Call, type[SaccadeError], list[str]]


def one(**fields: Any) -> list[sc.Sample]:
    return [sc.Sample("/new.png", **fields)]


def then_bad(count: int) -> list[sc.Sample]:
    """Good samples with a new field, and at last one that does not fit."""
    return [sc.Sample(f"/{i}.png", n=i, fresh=i) for i in range(count)] + one(n="many")


def strategy(kind: str) -> list[dict[str, Any]]:
    return [{"input": {"type": "EMBEDDINGS", "key": "embedding"}, "strategy": {"type": kind}}]


ADDING: list[Case] = [
    ("one path", lambda d: d.add_samples("/a.png"), FieldKindError, ["'/a.png' alone", "Give a list"]),
    ("a number", lambda d: d.add_samples(3), FieldKindError, ["given 3", "Give a list"]),
    ("no sample", lambda d: d.add_samples([[1]]), FieldKindError, ["[1] is no sample", "Give Sample objects"]),
    ("another kind", lambda d: d.add_samples(then_bad(1)), FieldKindError,
     ["'n' is a IntField", "'many'", "Convert the value"]),
    ("another kind, late", lambda d: d.add_samples(iter(then_bad(2_500))), FieldKindError, ["'n'", "'many'"]),
    ("another label", lambda d: d.add_samples(one(truth=sc.Regression(value=1))), FieldKindError,
     ["'truth'", "expected a Classification", "Regression", "use another field"]),
    ("an object", lambda d: d.add_samples(one(thing=object())), FieldKindError,
     ["'thing'", "object", "cannot be stored", "Use bool, int"]),
    ("bytes", lambda d: d.add_samples(one(thing=b"x")), FieldKindError, ["'thing'", "b'x'", "store its path"]),
    ("a huge integer", lambda d: d.add_samples(one(big=2**70)), FieldKindError,
     ["'big'", "1180591620717411303424", "64 bits", "as a float or as text"]),
    ("no UTF-8", lambda d: d.add_samples(one(word="\ud800")), FieldKindError,
     ["'word'", "'\\ud800'", "no valid text", "decode"]),
    ("17 MB", lambda d: d.add_samples(one(word="x" * 17_000_000)), SchemaError, ["16 MB", "Keep large texts"]),
    ("a number as key", lambda d: d.add_samples(one(facts={1: 2})), FieldKindError,
     ["'facts'", "1 cannot be a key", "Keys are text"]),
    ("a dot in a key", lambda d: d.add_samples(one(facts={"a.b": 2})), FieldKindError, ["'facts'", "'a.b'", "without"]),
    ("a longer vector", lambda d: d.add_samples(one(embedding=np.zeros(5))), FieldKindError,
     ["'embedding'", "3 numbers", "have 5", "Use another field"]),
    ("NaN in a vector", lambda d: d.add_samples(one(embedding=np.array([1, math.nan, 2]))), FieldKindError,
     ["'embedding'", "NaN at position 1", "Leave the value None"]),
    ("no path", lambda d: d.add_samples([{"n": 3}]), SchemaError, ["needs a 'filepath'", "Keys: n"]),
    ("an empty path", lambda d: d.add_samples([sc.Sample("")]), SchemaError, ["filepath is ''", "needs the path"]),
    ("a dot in a name", lambda d: d.add_samples([{"filepath": "/a.png", "a.b": 1}]), SchemaError,
     ["'a.b' cannot name a field", "such as 'a_b'"]),
    ("a private name", lambda d: d.add_samples([{"filepath": "/a.png", "_x": 1}]), SchemaError,
     ["'_x' cannot name a field", "such as 'x'"]),
    ("a tag that is a number", lambda d: d.add_samples(one(tags=[1])), FieldKindError, ["'tags'", "got 1 (int)"]),
    ("a fixed schema", lambda d: d.add_samples(one(new=1), expand_schema=False), FieldNotFoundError,
     ["'new'", "expand_schema is False", "Fields: "]),
    ("columns in a list", lambda d: d.add_columns([1]), FieldKindError, ["given [1]", "Give a dict"]),
    ("columns without paths", lambda d: d.add_columns({"n": [1]}), SchemaError, ["needs a 'filepath'", "got n"]),
    ("uneven columns", lambda d: d.add_columns({"filepath": ["/a.png"], "n": [1, 2]}), SchemaError,
     ["filepath 1, n 2", "Give each as many"]),
    ("a mixed column", lambda d: d.add_columns({"filepath": ["/a.png", "/b.png"], "n": [1, "x"]}), FieldKindError,
     ["'n' is a IntField", "'x'", "Convert"]),
    ("an array of images as vectors", lambda d: d.add_columns({"filepath": ["/a"], "embedding": np.zeros((1, 2, 2))}),
     FieldKindError, ["'embedding'", "one-dimensional", "(2, 2)"]),
    ("no folder", lambda d: d.add_dir("/no/such", sc.types.ImageDirectory), DatasetError,
     ["no folder /no/such", "Check the path"]),
    ("no images", lambda d: d.add_images([3]), SchemaError, ["filepath is 3", "needs the path"]),
    ("merged by no field", lambda d: d.merge_samples(one(n=3), key_field="nope"), FieldNotFoundError,
     ["'nope'", "Fields: "]),
    ("merged with text", lambda d: d.merge_samples([sc.Sample("/0.png", n="x")]), FieldKindError,
     ["'n' is a IntField", "'x'", "Convert"]),
    ("merged with another schema", lambda d: d.merge_samples(sc.load_dataset("other")), FieldKindError,
     ["'n' is of kind IntField", "StringField", "Convert the values"]),
    ("merged with one path", lambda d: d.merge_samples("/a.png"), SchemaError, ["'/a.png' alone", "Give a list"]),
    ("another dataset", lambda d: d.add_collection(sc.load_dataset("other")), FieldKindError, ["'n'", "StringField"]),
]  # fmt: skip

WRITING: list[Case] = [
    ("too few values", lambda d: d.set_values("n", [1]), SchemaError, ["1 values for the 4", "one per sample"]),
    ("too many for a view", lambda d: d.limit(2).set_values("n", [1, 2, 3]), SchemaError,
     ["3 values for the 2", "view"]),
    ("one value", lambda d: d.set_values("n", 3), SchemaError, ["'n' was given 3 alone", "one value per sample"]),
    ("text as values", lambda d: d.set_values("s", "abcd"), SchemaError, ["'abcd' alone", "one value per sample"]),
    ("no name", lambda d: d.set_values(3, [1] * 4), SchemaError, ["field 3", "Give its name"]),
    ("a wrong value", lambda d: d.set_values("n", [1, 2, "x", 4]), FieldKindError, ["'n' on sample", "'x'"]),
    ("an id of nobody", lambda d: d.set_values("n", {NOWHERE: 1}), SchemaError, [NOWHERE, "no sample", "Nothing"]),
    ("ids", lambda d: d.set_values("id", [NOWHERE] * 4), SchemaError, ["ids are given", "field of your own"]),
    ("paths that are None", lambda d: d.set_values("filepath", [None] * 4), SchemaError, ["filepath is None", "needs"]),
    ("too many labels", lambda d: d.set_values("found.detections.index", [[1, 2]] * 4), SchemaError,
     ["1 labels", "2 values", "one value per label"]),
    ("no list for labels", lambda d: d.set_values("found.detections.index", [1] * 4), SchemaError,
     ["inside a list", "needs a list", "got 1"]),
    ("a field that may not be new", lambda d: d.set_values("new", [1] * 4, expand_schema=False), FieldNotFoundError,
     ["'new'", "Fields: "]),
    ("NaN as vectors", lambda d: d.set_values("embedding", np.full((4, 3), np.nan)), FieldKindError,
     ["'embedding'", "NaN or infinity", "Leave that sample out"]),
    ("other vectors for some", lambda d: d.limit(2).set_values("embedding", np.zeros((2, 7))), FieldKindError,
     ["'embedding'", "3 numbers", "have 7", "overwrite"]),
    ("keys of no field", lambda d: d.set_values("n", {"q": 1}, key_field="nope"), FieldNotFoundError,
     ["'nope'", "Fields: "]),
    ("samples' field of patches", lambda d: d.to_patches("found").set_values("n", [1] * 4), ViewError,
     ["'n' cannot be set on patches", "'found'", "on the dataset"]),
    ("a tag of no text", lambda d: d.tag_samples(["fine", None]), SchemaError, ["None cannot be a tag", "text"]),
    ("an empty tag", lambda d: d.untag_samples(""), SchemaError, ["'' cannot be a tag", "not empty"]),
    ("labels of a number", lambda d: d.tag_labels("x", "n"), ViewError,
     ["'n' holds no labels", "IntField", "found, truth"]),
    ("no labels named", lambda d: d.delete_labels(), ViewError, ["given nothing", "Give one of"]),
    ("labels into a number", lambda d: d.split_labels("found", "n"), FieldKindError, ["'found'", "'n'", "IntField"]),
    ("deleted, not there", lambda d: d.delete_samples([d.first().id, NOWHERE]), SampleNotFoundError,
     ["1 of 2", NOWHERE, "Nothing was deleted"]),
    ("deleted, no id", lambda d: d.delete_samples("x"), ViewError, ["delete_samples()", "'x'", "24 hexadecimal"]),
    ("deleted, a number", lambda d: d.delete_samples(3), ViewError, ["delete_samples()", "3", "24 hexadecimal"]),
    ("a sample's field", lambda d: d.first().set_field("n", "x"), FieldKindError,
     ["'n' is of kind IntField", "StringField", "Convert"]),
    ("a sample's path", lambda d: d.first().clear_field("filepath"), SchemaError, ["filepath is None", "needs"]),
    ("a sample's unknown field", lambda d: d.first()["nope"], FieldNotFoundError, ["'nope'", "Fields: "]),
    ("a free sample saved", lambda d: sc.Sample("/a.png").save(), DatasetError, ["in no dataset", "add_sample"]),
    ("three numbers as box", lambda d: sc.Detection(bounding_box=[1, 2, 3]), FieldKindError,
     ["Detection.bounding_box", "width, height", "[1, 2, 3]"]),
    ("words as confidence", lambda d: sc.Classification(label="cat", confidence="high"), FieldKindError,
     ["Classification.confidence", "a number", "'high'"]),
    ("classifications as detections", lambda d: sc.Detections(detections=[sc.Classification(label="cat")]),
     FieldKindError, ["Detections.detections", "expected a Detection", "Classification"]),
]  # fmt: skip

LOOKING: list[Case] = [
    ("by position", lambda d: d[3], ViewError, ["indexed by 3", "first(), last()"]),
    ("by an unknown path", lambda d: d["/no.png"], SampleNotFoundError, ["'/no.png'", "4 samples"]),
    ("no match", lambda d: d.one(F("n") > 100), SampleNotFoundError, ["no sample", 'F("n") > 100']),
    ("several matches", lambda d: d.one(F("n") > 0, exact=True), DatasetError, ["several", "Narrow"]),
    ("text as condition", lambda d: d.match("n > 3"), ViewError, ["'n > 3' is no expression", "with F"]),
    ("an unknown field", lambda d: d.match(F("scor") > 3), FieldNotFoundError, ["'scor'", "Did you mean 'score'?"]),
    ("and", lambda d: d.match((F("n") > 1) and (F("n") < 3)), ExpressionError, ["no truth value", "& | ~"]),
    ("in", lambda d: "x" in F("s"), ExpressionError, ["in", "contains"]),
    ("a sum of text", lambda d: d.match(F("s") + 1 > 3), ExpressionError, ["add()", "StringField"]),
    ("vectors compared", lambda d: d.match(F("embedding") > 3), ExpressionError, ["is a vector", "read_vectors()"]),
    ("below None", lambda d: F("n") < None, ExpressionError, ["None", "use == or !="]),
    ("an object compared", lambda d: F("n") == object(), ExpressionError, ["object", "cannot be part"]),
    ("two dots", lambda d: F("a..b"), ExpressionError, ["F('a..b') is not the name", "such as F('a.b')"]),
    ("an open parenthesis", lambda d: d.match(F("s").re_match("(")).count(), StoreError, ["missing )"]),
    ("a limit of text", lambda d: d.limit("3"), ViewError, ["limit is '3'", "integer"]),
    ("half a sample", lambda d: d.take(2.5), ViewError, ["size is 2.5", "integer"]),
    ("sorted by a list", lambda d: d.sort_by("xs"), ExpressionError, ["'xs' is a list", ".max()"]),
    ("sorted by a label", lambda d: d.sort_by("truth"), ExpressionError, ["'truth' is a Classification", "numbers"]),
    ("no id", lambda d: d.select("nope"), ViewError, ["select()", "'nope'", "24 hexadecimal"]),
    ("None selected", lambda d: d.exclude([None]), ViewError, ["exclude()", "None", "24 hexadecimal"]),
    ("the path excluded", lambda d: d.exclude_fields("filepath"), ViewError, ["'filepath'", "always shown"]),
    ("an unknown field selected", lambda d: d.select_fields("truht"), FieldNotFoundError, ["Did you mean 'truth'?"]),
    ("numbers filtered as labels", lambda d: d.filter_labels("n", F("label") == "cat"), ViewError,
     ["'n' holds no labels", "Fields with labels: found, truth"]),
    ("one label limited", lambda d: d.limit_labels("truth", 3), ViewError,
     ["single Classification", "lists of labels"]),
    ("a list as map", lambda d: d.map_labels("truth", ["cat"]), ViewError, ["['cat']", "Give a dict"]),
    ("text shown as number", lambda d: d.set_field("n", "x"), ViewError, ["'n', a IntField", "Convert it"]),
    ("labels as values", lambda d: d.select_by("truth", ["cat"]), ExpressionError, ["'truth'", "chosen by numbers"]),
    ("groups as containers", lambda d: d.group_by("s", flat=False), ViewError, ["flat=False", "Leave flat=True"]),
    ("two datasets in one view", lambda d: d.concat(sc.load_dataset("other")), ViewError, ["'other'", "'street'"]),
    ("a step alone", lambda d: d.mongo({"$limit": 3}), ViewError, ["Give a list of steps"]),
    ("a writing step", lambda d: d.mongo([{"$out": "samples"}]), ViewError, ["'$out'", "A view only reads"]),
    ("a misspelt step", lambda d: d.mongo([{"$limitt": 3}]).count(), StoreError, ["refused", "'$limitt'"]),
    ("no stage", lambda d: d.add_stage("limit"), ViewError, ["'limit'", "Make one"]),
    ("a misspelt stage", lambda d: d.view_from_dict({"stages": [{"stage": "limitt"}]}), ViewError,
     ["'limitt'", "Did you mean 'limit'?"]),
    ("numbers as patches", lambda d: d.to_patches("n"), ViewError, ["'n' holds no labels", "found, truth"]),
    ("patches beside samples", lambda d: d.to_patches("found").concat(d), ViewError,
     ["concat()", "before to_patches()"]),
    ("counted, no field", lambda d: d.count("nope"), FieldNotFoundError, ["'nope'", "Fields: "]),
    ("the mean of text", lambda d: d.mean("s"), ExpressionError, ["Mean", "number", "StringField"]),
    ("a quantile above 1", lambda d: d.quantiles("n", 1.5), ViewError, ["1.5", "between 0 and 1"]),
    ("no bins", lambda d: d.histogram_values("n", bins=0), ViewError, ["bins is 0", "at least one"]),
    ("a range upside down", lambda d: d.histogram_values("n", range=(3, 1)), ViewError, ["(3, 1)", "lowest"]),
    ("no aggregation", lambda d: d.aggregate("count"), ViewError, ["'count'", "Make one"]),
    ("the values of a number", lambda d: d.values(3), ExpressionError, ["3 is neither", "Give a name"]),
    ("an undeclared attribute", lambda d: d.distinct("found.detections.mood"), FieldNotFoundError,
     ["'mood'", "bounding_box", "add_dynamic_sample_fields()"]),
    ("shares above one", lambda d: sc.random_split(d, {"train": 0.8, "test": 0.7}), SelectionError,
     ["1.5", "1 at most"]),
]  # fmt: skip

KEEPING: list[Case] = [
    ("a name that is taken", lambda d: sc.Dataset("other"), DatasetExistsError, ["'other' exists", "another name"]),
    ("an unknown name", lambda d: sc.load_dataset("strete"), DatasetNotFoundError,
     ["'strete'", "Datasets: other, street", "Did you mean"]),
    ("an unknown name to delete", lambda d: sc.delete_dataset("strete"), DatasetNotFoundError, ["Did you mean"]),
    ("a clone's name that is taken", lambda d: d.clone("other"), DatasetExistsError, ["'other'", "another name"]),
    ("an empty name", lambda d: d.clone(""), DatasetError, ["'' cannot name", "1 to 200"]),
    ("renamed to another", lambda d: setattr(d, "name", "other"), DatasetExistsError, ["'other'", "another name"]),
    ("classes of no list", lambda d: setattr(d, "classes", {"truth": 3}), SchemaError,
     ["classes['truth']", "3", "list"]),
    ("info of no dict", lambda d: setattr(d, "info", [1]), FieldKindError, ["info", "expected a dict", "[1]"]),
    ("a dict of nothing", lambda d: sc.Dataset.from_dict({"x": 1}), SchemaError, ["to_dict()", "'samples'"]),
    ("no file", lambda d: sc.Dataset.from_json("/no.json"), DatasetError, ["'/no.json'", "No such file"]),
    ("a field declared anew", lambda d: d.add_sample_field("n", sc.StringField), FieldKindError,
     ["'n' is of kind IntField", "StringField"]),
    ("no field class", lambda d: d.add_sample_field("q", "text"), SchemaError, ["'text'", "such as FloatField"]),
    ("a field renamed over another", lambda d: d.rename_sample_field("n", "s"), SchemaError,
     ["'n' cannot become 's'", "Delete it first"]),
    ("a field copied over another", lambda d: d.clone_sample_field("n", "s"), SchemaError,
     ["'n' cannot become 's'", "another name"]),
    ("a field that all have", lambda d: d.delete_sample_field("tags"), SchemaError, ["'tags'", "cannot be"]),
    ("an unknown field cleared", lambda d: d.clear_sample_field("scor"), FieldNotFoundError, ["Did you mean 'score'?"]),
    ("a unique index on repeats", lambda d: d.create_index("s", unique=True), StoreError,
     ["'s'", "values repeat", "unique=False"]),
    ("an unknown index", lambda d: d.drop_index("nn"), SchemaError, ["'nn'", "Indexes: none"]),
    ("an unknown view", lambda d: d.load_saved_view("kep"), ViewError, ["'kep'", "Did you mean 'kept'?"]),
    ("a view's name that is taken", lambda d: d.save_view("kept", d.limit(1)), ViewError,
     ["'kept' already", "overwrite"]),
    ("another dataset's view", lambda d: d.save_view("q", sc.load_dataset("other").limit(1)), ViewError,
     ["'q'", "dataset 'other'", "dataset 'street'"]),
    ("undone, not there", lambda d: d.undo(10**6), UndoError, ["no action 1000000", "history()"]),
    ("undone by text", lambda d: d.undo("all"), UndoError, ["'all'", "Give a number"]),
    ("tagged, read-only", lambda d: sc.load_dataset("street", read_only=True).tag_samples("x"), ReadOnlyError,
     ["'street'", "read_only=True", "to change it"]),
    ("added to, read-only", lambda d: sc.load_dataset("street", read_only=True).add_samples(one(n=1)), ReadOnlyError,
     ["'street'", "nothing was changed"]),
    ("an unknown run", lambda d: d.get_run_info("uniq"), RunNotFoundError, ["'uniq'", "Runs: uniqueness"]),
    ("a run's key with a blank", lambda d: d.rename_run("uniqueness", "a b"), RunError, ["'a b'", "letters, digits"]),
]  # fmt: skip

CONCLUDING: list[Case] = [
    ("no such vectors", lambda d: scb.compute_uniqueness(d, embeddings="embeding"), FieldNotFoundError,
     ["'embeding'", "Did you mean 'embedding'?", "compute_embeddings"]),
    ("numbers as vectors", lambda d: scb.compute_uniqueness(d, embeddings="n"), FieldKindError,
     ["'n' is a IntField", "Vector fields: embedding"]),
    ("too short an array", lambda d: scb.compute_uniqueness(d, "u", embeddings=np.zeros((2, 3))), SchemaError,
     ["(2, 3)", "expected (4, d)"]),
    ("NaN in an array", lambda d: scb.compute_uniqueness(d, "u", embeddings=np.full((4, 3), np.nan)), FieldKindError,
     ["NaN or infinity", "Leave that sample out"]),
    ("scores into text", lambda d: scb.compute_uniqueness(d, "s"), FieldKindError, ["'s'", "StringField", "another"]),
    ("no such model", lambda d: scb.compute_embeddings(d, "clip"), ModelError, ["'clip'", "Models: builtin"]),
    ("no images at once", lambda d: scb.compute_embeddings(d, batch_size=0), ModelError, ["batch_size=0", "1 or more"]),
    ("another model's field", scb.compute_embeddings, FieldKindError, ["'embedding'", "overwrite=True"]),
    ("no such file", lambda d: scb.compute_embeddings(d, embeddings_field="e", skip_failures=False),
     UnreadableMediaError, ["/0.png", "does not exist", "skip_failures=True"]),
    ("nothing selected", lambda d: scb.select(d, n_samples=0), WrongValueError, ["n_samples=0", "at least 1"]),
    ("no size", scb.select, SelectionError, ["no size", "Give exactly one"]),
    ("two sizes", lambda d: scb.select(d, n_samples=2, proportion_samples=0.5), SelectionError, ["exactly one"]),
    ("a share above one", lambda d: scb.select(d, proportion_samples=1.5), WrongValueError, ["1.5", "up to 1"]),
    ("an unknown strategy", lambda d: scb.select(d, n_samples=2, strategies=strategy("DIVERSE")), WrongValueError,
     ["strategies[0].strategy.type='DIVERSE'", "Did you mean 'DIVERSITY'?"]),
    ("an unknown key", lambda d: scb.select(d, {"n_sample": 2}), WrongValueError, ["'n_sample'", "'n_samples'?"]),
    ("a tag in use", lambda d: scb.select(d, n_samples=2, tag="a"), SelectionError, ["'a'", "Choose another tag"]),
]  # fmt: skip

CASES = [*ADDING, *WRITING, *LOOKING, *KEEPING, *CONCLUDING]


@pytest.fixture
def street(dataset) -> sc.Dataset:
    dataset.add_samples(
        sc.Sample(
            f"/{i}.png", tags=["a"], n=i, score=i / 2, s="x", facts={"x": 1}, xs=[1.0, 2.0],
            when=datetime(2024, 1, 1, tzinfo=UTC), truth=sc.Classification(label="cat"),
            found=sc.Detections(detections=[sc.Detection(label="car", confidence=0.5)]),
            embedding=np.arange(3) + i / 2,
        )
        for i in range(4)
    )  # fmt: skip
    dataset.save_view("kept", dataset.limit(2))
    scb.compute_uniqueness(dataset)
    sc.Dataset("other").add_samples([sc.Sample("/0.png", n="text")])
    return dataset


def everything(database) -> dict[str, list[bytes]]:
    """All that is stored, but what only says that something was tried: numbers, actions, and runs that failed."""
    tried = {"actions", "counters"}
    noted = {"schema_revision", "last_modified_at", "seconds"}
    found = {}
    for name in set(database.list_collection_names()) - tried:
        documents = database[name].find({"state": "completed"} if name == "runs" else {}).sort("_id", 1)
        found[name] = [encode({key: value for key, value in d.items() if key not in noted}) for d in documents]
    return found


def test_bad_input_of_any_kind_is_a_named_error_that_helps_and_changes_nothing(street, database):
    assert len(CASES) > 100
    before = everything(database)
    assert len(before) == 8, sorted(before)
    wrong = []
    for name, call, expected, words in CASES:
        try:
            call(street)
        except SaccadeError as error:
            if type(error) is not expected:
                wrong.append(f"{name}: {type(error).__name__} instead of {expected.__name__}: {error}")
            wrong += [f"{name}: no {word!r} in: {error}" for word in words if word not in str(error)]
            if len(str(error)) > 700:
                wrong.append(f"{name}: a message of {len(str(error))} signs")
        else:
            wrong.append(f"{name}: no error")
        after = everything(database)
        if after != before:
            wrong.append(f"{name}: changed {[key for key in after if after[key] != before.get(key)]}")
            before = after
    assert not wrong, "\n".join(wrong)
    assert actions.live_actions(street._id) == []
    assert street.count_sample_tags() == {"a": 4}
    assert len(street) == 4
