"""Samples that come in and may be there already: found by a key, merged in one action, the others added."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from . import journal
from .collection import SampleCollection
from .columns import claim_model
from .errors import FieldNotFoundError, SchemaError
from .fitting import Encoding, Widening
from .held_vectors import fetch_many, vector_paths
from .ingest import Ingest, as_sample
from .joining import Rules, joined
from .labels import Document
from .new_vectors import NumberedVectors
from .sample import Sample
from .schema import SAMPLE_FIELDS, Schema, VectorField, merge
from .stages import chain
from .store import actions, catalog, codec, field_records, samples
from .types import Bson, SampleId

if TYPE_CHECKING:
    from .dataset import Dataset

_BATCH = 1_000

_Pair = tuple[SampleId, dict[str, Any]]
"""The id of a sample that is there, and values for it."""


@dataclass(frozen=True)
class MergeOptions:
    """What a merge was asked for; see `Dataset.merge_samples`."""

    key_field: str
    key_fcn: Callable[[Sample], Any] | None
    rules: Rules
    skip_existing: bool
    insert_new: bool
    expand_schema: bool
    dynamic: bool
    fields: Mapping[str, str] | None = None
    omit_fields: frozenset[str] = frozenset()
    keep_ids: bool = False
    new_ids: bool = False

    def target(self, name: str) -> str | None:
        """The field of the dataset that a field of the samples goes to; None if it stays out."""
        if name == "id" or name in self.omit_fields:
            return None
        return name if self.fields is None else self.fields.get(name)


class Incoming:
    """One call of `merge_samples`."""

    def __init__(self, dataset: "Dataset", options: MergeOptions) -> None:
        """Begin with nothing merged."""
        self._dataset = dataset
        self._options = options
        self._before = dataset._current_schema()
        self._schema = self._before
        self._tops: set[str] = set()
        self._seen: set[Any] = set()

    def take(self, given: Iterable[Any], advance: Callable[[int], None]) -> list[SampleId]:
        """Merge samples, and add those that match none.

        Returns:
            The ids of those that were added.
        """
        options = self._options
        source = self._planned(given)
        keys = self._present_keys()
        fresh: list[Sample] = []
        with ExitStack() as stack:
            action: journal.Action | None = None
            for batch in _batches(source):
                matched, others = self._matched(batch, keys)
                fresh += others if options.insert_new else []
                if matched and not options.skip_existing and self._tops:
                    action = action or stack.enter_context(self._begin())
                    self._update(action, matched)
                advance(len(batch))
        added: list[SampleId] = []
        if fresh:
            call = Ingest(
                self._dataset, expand_schema=options.expand_schema, dynamic=options.dynamic, keep_ids=options.keep_ids
            )
            call.add(self._as_inserted(sample) for batch in _batches(fresh) for sample in with_vectors(batch))
            added = call.ids
        if isinstance(given, SampleCollection):
            self._declare_rest(given)
        catalog.touch(self._dataset._id)
        return added

    # --- the schema -------------------------------------------------------------------------------------------------

    def _planned(self, given: Iterable[Any]) -> Iterable[Sample]:
        """The samples, after checking that the dataset's fields can hold them."""
        if isinstance(given, SampleCollection):
            self._check_models(given)
            if not self._options.dynamic and not chain.shapes_documents(given._stages):
                self._schema = self._with_fields_of(given)
                return given
        refusing = (
            None if self._options.expand_schema else f"dataset {self._dataset.name!r}, and expand_schema is False"
        )
        widening = Widening(self._schema, refusing=refusing, dynamic=self._options.dynamic)
        listed = [as_sample(item) for item in given]
        for sample in listed:
            values = self._values(sample)
            self._tops |= values.keys()
            widening.hold(values)
        self._schema = widening.schema
        self._leave_key()
        return listed

    def _with_fields_of(self, collection: SampleCollection) -> Schema:
        schema, theirs = self._schema, collection._schema()
        for path in theirs.paths():
            top, dot, rest = path.partition(".")
            name = self._options.target(top)
            if name is None:
                continue
            self._tops.add(name)
            here = f"{name}{dot}{rest}"
            if here in SAMPLE_FIELDS:
                continue
            known = schema.get(here)
            if known is None and not dot and not self._options.expand_schema:
                raise FieldNotFoundError.among(
                    name, schema.names(), f"dataset {self._dataset.name!r}, and expand_schema is False"
                )
            field = theirs[path] if known is None else merge(known, theirs[path], here)
            if field != known:
                schema = schema.with_field(here, field)
        self._leave_key()
        return schema

    def _leave_key(self) -> None:
        if self._options.key_fcn is None and self._options.key_field == "filepath":
            self._tops.discard("filepath")  # it is the same

    def _check_models(self, collection: SampleCollection) -> None:
        """Refuse vectors of other models than those that are there."""
        for path, model in self._models_of(collection).items():
            if path in self._before:
                claim_model(self._dataset._id, path, model["dimension"], model, None)

    def _models_of(self, collection: SampleCollection) -> dict[str, Bson]:
        """What made the vectors of a collection, by their paths here."""
        schema, found = collection._schema(), {}
        for path, record in field_records.by_path(collection._root._id).items():
            top, dot, rest = path.partition(".")
            name = self._options.target(top)
            if record.get("model") and name is not None and path in schema:
                found[f"{name}{dot}{rest}"] = record["model"]
        return found

    def _declare_rest(self, collection: SampleCollection) -> None:
        """Declare fields of a collection that have no values, and what made its vectors where these are the first."""
        dataset_id = self._dataset._id
        new = {
            path: self._schema[path] for path in self._schema.paths() if self._schema[path] != self._before.get(path)
        }
        if new and self._options.insert_new:
            field_records.declare_fields(dataset_id, new)
        known = field_records.by_path(dataset_id)
        for path, model in self._models_of(collection).items():
            if path in known and path not in self._before and isinstance(self._schema.get(path), VectorField):
                field_records.change_field(dataset_id, path, model=model)

    # --- keys -------------------------------------------------------------------------------------------------------

    def _present_keys(self) -> dict[Any, SampleId | None]:
        """The samples that are there, by their keys; None for a key that several have."""
        found: dict[Any, SampleId | None] = {}
        for key, sample_id in () if self._options.new_ids else self._present_pairs():
            found[key] = None if key in found else sample_id
        return found

    def _present_pairs(self) -> Iterator[tuple[Any, SampleId]]:
        root, field = self._dataset, self._options.key_field
        if self._options.key_fcn is not None:
            yield from ((self._checked_key(self._options.key_fcn(s)), str(s.id)) for s in root.iter_samples())
        elif field == "id":
            yield from ((sample_id, sample_id) for sample_id in root._ids())
        elif root.has_field(field):
            resolved = self._before.resolve(field)
            step = {"$project": {"key": f"${resolved.db_path}"}}
            decode = codec.decoder(resolved.field)
            for document in samples.aggregate(root._id, [step]):
                if document.get("key") is not None:
                    yield self._checked_key(decode(document["key"])), str(document["_id"])

    def _key(self, sample: Sample) -> Any:
        options = self._options
        if options.new_ids:
            return None
        if options.key_fcn is not None:
            return self._checked_key(options.key_fcn(sample))
        return sample.id if options.key_field == "id" else self._checked_key(sample.get_field(options.key_field))

    def _checked_key(self, key: Any) -> Any:
        if isinstance(key, list | dict | Document) or getattr(key, "ndim", False):
            asked = f"key_field={self._options.key_field!r}" if self._options.key_fcn is None else "key_fcn"
            raise SchemaError(f"{asked} gives {key!r:.200}. A key is a single value, such as text or a number.")
        return key

    def _matched(
        self, batch: Sequence[Sample], keys: Mapping[Any, SampleId | None]
    ) -> tuple[list[_Pair], list[Sample]]:
        """Those that are there already, with their values, and the others.

        Raises:
            SchemaError: if two samples have the same key.
        """
        matched: list[_Pair] = []
        others: list[Sample] = []
        keyed = [(self._key(item), item) for item in batch]
        if not self._options.skip_existing:
            with_vectors([item for key, item in keyed if keys.get(key) is not None])
        for key, item in keyed:
            if key is None or key not in keys:
                others.append(item)
            elif keys[key] is None:
                raise self._repeated(key, f"samples of dataset {self._dataset.name!r}")
            elif not self._options.skip_existing:
                values = self._values(as_sample(item))
                matched.append((str(keys[key]), {name: values[name] for name in values if name in self._tops}))
            if key is not None and key in self._seen:
                raise self._repeated(key, "the samples given")
            self._seen.add(key)
        return matched, others

    def _repeated(self, key: Any, where: str) -> SchemaError:
        asked = "by key_fcn" if self._options.key_fcn is not None else f"in {self._options.key_field!r}"
        return SchemaError(
            f"several of {where} have the key {key!r} {asked}, so it is not clear which to merge. Nothing was merged; "
            "use a key_field or key_fcn that tells them apart."
        )

    # --- values -----------------------------------------------------------------------------------------------------

    def _values(self, sample: Sample) -> dict[str, Any]:
        """What goes into the dataset, by the names there; None is nothing."""
        values = {}
        for name in sample.field_names:
            target = self._options.target(name)
            if target is not None:
                value = sample.get_field(name)
                if value is not None:
                    values[target] = value
        return values

    def _as_inserted(self, sample: Sample) -> Sample:
        options = self._options
        if options.new_ids:
            return sample.copy()
        if options.fields is None and not options.omit_fields:
            return sample
        return Sample(**{"filepath": sample.filepath, **self._values(sample)})

    def _begin(self) -> Any:
        paths = (
            path for path in self._schema.paths() if path.split(".")[0] in self._tops and path not in SAMPLE_FIELDS
        )
        declare = {path: self._schema[path] for path in paths}
        return journal.action(self._dataset._id, "merge_samples", sorted(self._tops), declare=declare)

    def _update(self, action: journal.Action, matched: Sequence[_Pair]) -> None:
        """Merge values into the samples that are there."""
        rules, schema = self._options.rules, self._schema
        with ExitStack() as stack:
            sink = NumberedVectors(self._dataset._id, stack, "merge_samples")
            documents, encoding = [], Encoding(schema)
            for sample_id, values in matched:
                sink.sample_id = sample_id
                documents.append(encoding.document(values, sink))
            sink.store()
            tops = sorted({name for document in documents for name in document})
            whole = {top: bool(vector_paths(schema, top)) for top in tops}

            def change(start: int, old: list[Mapping[str, Any] | None]) -> dict[str, list[Any]]:
                new = documents[start : start + len(old)]
                return {
                    top: [
                        joined(
                            actions.value_at(before, top), after.get(top, actions.ABSENT), rules, is_whole=whole[top]
                        )
                        for before, after in zip(old, new, strict=True)
                    ]
                    for top in tops
                }

            if tops:
                action.transform([sample_id for sample_id, _ in matched], tops, change)


def with_vectors(given: Sequence[Sample]) -> Sequence[Sample]:
    """Let samples of a dataset read the vectors that they have not read yet: all in one go instead of one by one."""
    pending: dict[str, list[tuple[Sample, str, Sequence[str]]]] = {}
    for sample in given:
        if sample._dataset is None or sample._stored is None or sample._schema is None:
            continue
        for name in dict.fromkeys(path.split(".")[0] for path in _paths_of_vectors(sample._schema)):
            if name not in sample._values and name not in sample._hidden and sample._stored.get(name) is not None:
                wanted = (sample, name, vector_paths(sample._schema, name))
                pending.setdefault(sample._dataset._id, []).append(wanted)
    for dataset_id, wanted_there in pending.items():
        asked = [(str(sample.id), (sample._stored or {}).get(name), paths) for sample, name, paths in wanted_there]
        for (sample, name, _), (_, stored, _), held in zip(
            wanted_there, asked, fetch_many(dataset_id, asked), strict=True
        ):
            sample._fetched.update(held.known())
            sample._values[name] = held.placed(name, stored)
    return given


def _paths_of_vectors(schema: Schema) -> list[str]:
    return [path for path in schema.paths() if isinstance(schema[path], VectorField)]


def _batches(source: Iterable[Sample]) -> Iterator[list[Sample]]:
    iterator = iter(source)
    while batch := list(islice(iterator, _BATCH)):
        yield batch
