"""Samples on their way in: values checked against the schema, new fields declared, documents and vectors stored.

Also the way back of samples in hand: `save` sends what changed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from itertools import islice
from typing import TYPE_CHECKING, Any

from . import journal
from .bulk import checked_tags
from .columns import claim_model
from .errors import FieldKindError, SchemaError, ViewError, hint
from .fitting import Encoding, Widening, widened, with_attributes
from .held_vectors import KeepingSink
from .labels import Document
from .sample import Sample
from .schema import SAMPLE_FIELDS, EmbeddedDocumentField, Field, Schema, VectorField
from .store import catalog, codec, field_records, samples, vectors
from .types import Bson, FloatArray, SampleId

if TYPE_CHECKING:
    from .dataset import Dataset

BATCH = 1_000
"""Samples that are inserted at once."""


class Ingest:
    """One call of `add_samples`: batch after batch, and what to undo if it is refused."""

    def __init__(self, dataset: "Dataset", *, expand_schema: bool, dynamic: bool, keep_ids: bool = False) -> None:
        """Begin with nothing added; `keep_ids` is for samples of other datasets, whose ids are not here yet."""
        self._dataset = dataset
        self._keep_ids = keep_ids
        self._expand = expand_schema
        self._dynamic = dynamic
        self._declared: list[str] = []
        self._widened: list[tuple[str, Field, Field]] = []
        self._planned: Schema | None = None
        self._added: list[tuple[Sample, bytes, Schema, KeepingSink | None]] = []
        self._inserting: list[SampleId] = []
        self._media: str | None = None
        self.ids: list[SampleId] = []

    def add(self, given: Iterable[Sample | Mapping[str, Any] | str], advance: Any = None) -> None:
        """Add samples.

        A list is checked whole before anything is written. Of a generator, what was added before a sample was refused
        is removed again; what was added before it was interrupted stays, and the exception says how much that is.
        """
        if isinstance(given, str | Mapping | Sample):
            raise FieldKindError(f"add_samples was given {given!r} alone. Give a list of samples, or use add_sample().")
        try:
            if isinstance(given, Sequence):
                self._plan(given)
            for batch in _batches(given):
                self._add_batch(batch)
                if not isinstance(given, Sequence):
                    self._settle()  # of a list only at the end, since all of it may have to be taken back
                if advance is not None:
                    advance(len(batch))
        except SchemaError:
            self._take_back()
            raise
        except BaseException as error:
            samples.remove_unacknowledged(self._dataset._id, self._inserting)
            self._settle()
            if self.ids:
                error.add_note(
                    f"add_samples was interrupted: {len(self.ids)} samples were added, the last one {self.ids[-1]}."
                )
            raise
        self._settle()

    def _plan(self, given: Sequence[Any]) -> None:
        """Check all samples without writing."""
        widening = self._widening(self._dataset._current_schema())
        for item in given:
            widening.hold(as_sample(item)._values)
        self._planned = widening.schema

    def _widening(self, schema: Schema) -> Widening:
        refusing = None if self._expand else f"dataset {self._dataset.name!r}, and expand_schema is False"
        return Widening(schema, refusing=refusing, dynamic=self._dynamic)

    def _schema_of(self, batch: Sequence[Sample]) -> Schema:
        """The schema that holds some samples; what is new in it is declared."""
        known = self._dataset._current_schema()
        if self._is_planned(known):
            return known
        widening = self._widening(known)
        for sample in batch:
            widening.hold(sample._values)
        return self._declare(known, widening.schema)

    def _is_planned(self, known: Schema) -> bool:
        """Whether the schema holds all that was checked."""
        planned = self._planned
        return planned is not None and all(known.get(path) == planned[path] for path in planned.paths())

    def _add_batch(self, given: Sequence[Any]) -> None:
        batch = [as_sample(item) for item in given]
        dataset = self._dataset
        schema = self._schema_of(batch)
        if self._keep_ids:
            ids = samples.admit_ids(dataset._id, [str(sample.id) for sample in batch])
        else:
            ids = samples.reserve_ids(dataset._id, len(batch))
        encoding = Encoding(schema)
        documents: list[bytes] = []
        with ExitStack() as stack:
            sink = NumberedVectors(dataset._id, stack, "add_samples")
            keeping: KeepingSink | None = None
            kept: list[KeepingSink | None] = []
            for sample, identity in zip(batch, ids, strict=True):
                sink.sample_id = str(identity)
                keeping = keeping or KeepingSink({}, sink)
                document = {"_id": identity, **encoding.document(sample._values, keeping)}
                documents.append(codec.to_raw(document))
                kept.append(keeping if keeping.made else None)
                keeping = None if keeping.made else keeping  # one that was not used serves the next sample
            sink.store()
            self._insert([str(identity) for identity in ids], documents, schema)
        self._media = self._media or batch[0].media_type
        for item, raw, made in zip(given, documents, kept, strict=True):
            if isinstance(item, Sample):
                self._added.append((item, raw, schema, made))

    def _insert(self, ids: list[SampleId], documents: Sequence[bytes], schema: Schema) -> None:
        """Insert documents whose vectors are stored."""
        self._inserting = ids
        revision = samples.insert(self._dataset._id, documents)
        self.ids += self._inserting
        self._inserting = []
        if revision != self._dataset._known_revision():
            self._declare(self._dataset._current_schema(), schema)  # a field may have been deleted meanwhile

    def _settle(self) -> None:
        """Let the caller's samples be those that were added."""
        for sample, raw, schema, keeping in self._added:
            if not sample.in_dataset:
                sample._bind(self._dataset, raw, schema)
                if keeping is not None:
                    _settle_vectors(sample, sample._values, keeping)
        self._added.clear()
        if self._media is not None and self.ids:
            self._dataset._note_media(self._media)

    def _declare(self, known: Schema, wanted: Schema) -> Schema:
        new = {
            path: wanted[path]
            for path in wanted.paths()
            if path not in SAMPLE_FIELDS and known.get(path) != wanted[path]
        }
        if new:
            self._widened += [(path, known[path], new[path]) for path in new if path in known]
            field_records.declare_fields(self._dataset._id, new, self._declared)
            return _current_with(self._dataset, new)
        return known

    def _take_back(self) -> None:
        """Leave the dataset as it was before the call."""
        samples.remove_unacknowledged(self._dataset._id, [*self.ids, *self._inserting])
        for path, before, after in reversed(self._widened):
            field_records.narrow_field(self._dataset._id, path, before, after)
        field_records.remove_unused(self._dataset._id, self._declared)


def _settle_vectors(sample: Sample, names: Iterable[str], keeping: KeepingSink) -> None:
    """After a sample was written: know its vectors, and read those that are fields of it anew, as they are stored."""
    sample._fetched.update(keeping.made)
    for name in list(names):
        if sample._schema is not None and isinstance(sample._schema.get(name), VectorField):
            sample._values.pop(name, None)


class NumberedVectors:
    """Collects the vectors of samples, those of each path under an action number of their own.

    A vector's key does not tell its path, so two paths of a sample must not share a number.
    """

    def __init__(self, dataset_id: str, stack: ExitStack, verb: str) -> None:
        """Begin; the actions that take the numbers end with `stack`."""
        self._dataset_id = dataset_id
        self._stack = stack
        self._verb = verb
        self._by_path: dict[str, tuple[journal.Action, list[bytes], list[FloatArray]]] = {}
        self.sample_id = ""

    def put(self, path: str, label_id: str | None, vector: FloatArray) -> int:
        """Collect one vector and give its marker."""
        if path not in self._by_path:
            begun = self._stack.enter_context(journal.unclaimed(self._dataset_id, self._verb))
            self._by_path[path] = (begun, [], [])
        action, keys, rows = self._by_path[path]
        if rows and len(rows[0]) != len(vector):
            raise FieldKindError(
                f"field {path!r} was given vectors of {len(rows[0])} and of {len(vector)} numbers. "
                "All must have the same length."
            )
        keys.append(vectors.vector_key(action.number, self.sample_id, label_id))
        rows.append(vector)
        return vectors.marker(action.number)

    def store(self) -> None:
        """Store what was collected."""
        for path, (action, keys, rows) in self._by_path.items():
            self._set_length(path, len(rows[0]), action.number)
            action.insert_vectors(keys, rows)

    def _set_length(self, path: str, length: int, number: int) -> None:
        """Note the length of a field's first vectors; nothing undoes it: it binds only while there are vectors."""
        while True:
            known = claim_model(self._dataset_id, path, length, None, None)
            if known.get("dimension") == length:
                return
            if field_records.change_model(self._dataset_id, path, known, {"dimension": length, "by": number}):
                return


def save(dataset: "Dataset", changed: Sequence[Sample]) -> None:
    """Write what changed on samples in hand."""
    schema = dataset._current_schema()
    with ExitStack() as stack:
        sink = NumberedVectors(dataset._id, stack, "save")
        pending: list[tuple[Sample, dict[str, Any], samples.Edit, KeepingSink]] = []
        for sample in changed:
            sink.sample_id = str(sample.id)
            keeping = KeepingSink(sample._fetched, sink)
            stored = {name: _stored(name, value, schema, keeping) for name, value in sample._values.items()}
            edit = sample._edit(stored, _as_read(sample, schema, keeping))
            if edit is not None:
                pending.append((sample, stored, edit, keeping))
        if not pending:
            return
        schema = _declared(dataset, schema, pending)
        sink.store()
        edits = [edit for _, _, edit, _ in pending]
        fields = sorted({name for edit in edits for name in edit.fields})
        journal.write_beside(dataset._id, fields, lambda: samples.apply_edits(dataset._id, edits))
        _declare_again(dataset, schema, fields)
    for sample, stored, edit, keeping in pending:
        assert sample._stored is not None
        sample._bind(dataset, {**sample._stored, **{name: stored[name] for name in edit.fields}}, schema)
        _settle_vectors(sample, edit.fields, keeping)
    catalog.touch(dataset._id)


def _declare_again(dataset: "Dataset", schema: Schema, fields: Sequence[str]) -> None:
    """Put back declarations that others removed meanwhile, such as an action that had made the field and failed."""
    current = dataset._current_schema()
    gone = [path for path in schema.paths() if path.split(".")[0] in fields and path not in current]
    if gone:
        field_records.declare_fields(dataset._id, {path: schema[path] for path in gone})


def _stored(name: str, value: Any, schema: Schema, sink: codec.VectorSink) -> Any:
    """The stored form of a field in hand; one that its field does not hold yet is encoded as it is."""
    field = schema.get(name)
    if name == "tags":
        value = checked_tags(value or ())
    elif field is not None and not isinstance(field, EmbeddedDocumentField):
        with suppress(FieldKindError):  # what was changed is checked again, before anything is written
            value = field.coerce(value)
    return codec.encode(value, name, sink)


def _as_read(sample: Sample, schema: Schema, sink: codec.VectorSink) -> Bson:
    """The document that a sample was read from, in the form in which it would be stored with nothing changed in hand.

    Of a view that shows other values than are stored, they can have another form, such as None inside labels.
    """
    assert sample._stored is not None
    assert sample._schema is not None
    if not sample._reshaped:
        return sample._stored
    read = dict(sample._stored)
    for name in sample._values:
        if name in read:
            read[name] = _stored(name, codec.decoder(sample._schema.get(name))(read[name]), schema, sink)
    return read


def _declared(dataset: "Dataset", known: Schema, pending: Sequence[tuple[Sample, Any, samples.Edit, Any]]) -> Schema:
    """Declare what the changed values need; gives the schema that holds them.

    Raises:
        FieldKindError: if one does not fit.
    """
    schema = known
    for sample, _, edit, _ in pending:
        for name in edit.fields:
            value = sample._values[name]
            if value is not None:
                schema = widened(schema, name, value, schema.get(name))
                if isinstance(value, Document):
                    schema = with_attributes(schema, name, value, everything=False)
    new = {
        path: schema[path] for path in schema.paths() if path not in SAMPLE_FIELDS and known.get(path) != schema[path]
    }
    if not new:
        return known
    field_records.declare_fields(dataset._id, new)
    return _current_with(dataset, new)


def _current_with(dataset: "Dataset", declared: Mapping[str, Field]) -> Schema:
    """The schema as it is, and in any case what was declared just now.

    Another writer may have made a field before, with its revision still to come, or be about to take it back.
    """
    schema = dataset._current_schema()
    for path, field in declared.items():
        schema = schema if path in schema else schema.with_field(path, field)
    return schema


def _batches(given: Iterable[Any]) -> Iterator[list[Any]]:
    iterator = iter(given)
    while batch := list(islice(iterator, BATCH)):
        yield batch


def as_sample(item: Sample | Mapping[str, Any] | str) -> Sample:
    """What was given in place of a sample, as a sample; one of a dataset with all its values read."""
    if isinstance(item, Sample):
        if item._patched is not None:
            raise ViewError(f"patch {item.id} is no sample that can be added. Its copy() is one.")
        if item.in_dataset:  # a copy goes in; the one in hand stays where it is
            for name in item.field_names:
                item.get_field(name)
        return item
    if isinstance(item, Mapping):
        if "filepath" not in item:
            raise SchemaError(f"a sample needs a 'filepath'. {hint('filepath', map(str, item), 'Keys')}")
        return Sample(**item)
    if isinstance(item, str):
        return Sample(item)
    raise FieldKindError(f"{item!r} is no sample. Give Sample objects, dicts of their fields, or filepaths.")
