"""Samples on their way in: values checked against the schema, new fields declared, documents and vectors stored.

Also the way back of samples in hand: `save` sends what changed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from itertools import islice, repeat
from typing import TYPE_CHECKING, Any, NamedTuple

from . import journal
from .bulk import checked_tags
from .errors import FieldKindError, SchemaError, ViewError, hint
from .fitting import Encoding, Widening, columns_of, widened, with_attributes
from .held_vectors import KeepingSink
from .labels import Document
from .new_vectors import NumberedVectors
from .sample import Sample
from .schema import SAMPLE_FIELDS, EmbeddedDocumentField, Field, Schema, VectorField
from .store import catalog, codec, field_records, samples
from .store.calls import Beside
from .store.elements import Elements, documents, id_elements
from .types import Bson, SampleId

if TYPE_CHECKING:
    from .dataset import Dataset

BATCH = 1_000
"""Samples that are inserted at once."""


class Batch(NamedTuple):
    """Samples that are ready to be inserted.

    Attributes:
        ids: their ids.
        documents: what is stored, as BSON.
        schema: the fields that hold them.
        given: the caller's samples, with what is stored for each and the vectors that were made for it.
    """

    ids: list[SampleId]
    documents: Sequence[bytes]
    schema: Schema
    given: "Sequence[tuple[Sample, bytes, Schema, KeepingSink | None]]" = ()


class Ingest:
    """One call of `add_samples`: batch after batch, and what to undo if it is refused.

    While a batch is inserted, the next one is made ready.
    """

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
        self._inserting: Batch | None = None
        self._beside = Beside()
        self._media: str | None = None
        self.ids: list[SampleId] = []

    def add(self, given: Iterable[Sample | Mapping[str, Any] | str], advance: Any = None) -> None:
        """Add samples.

        A list is checked whole before anything is written. Of a generator, what was added before a sample was refused
        is removed again; what was added before it was interrupted stays, and the exception says how much that is.
        """
        if isinstance(given, str | Mapping | Sample) or not isinstance(given, Iterable):
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
            self._inserted()
        except SchemaError:
            self._stop_inserting()
            self._take_back()
            raise
        except BaseException as error:
            self._stop_inserting()
            self._settle()
            if self.ids:
                error.add_note(
                    f"add_samples was interrupted: {len(self.ids)} samples were added, the last one {self.ids[-1]}."
                )
            raise
        finally:
            self._beside.close()
        self._settle()

    def _plan(self, given: Sequence[Any]) -> None:
        """Check all samples without writing."""
        widening = self._widening(self._dataset._current_schema())
        for batch in _batches(given):
            widening.hold_all([as_sample(item)._values for item in batch])
        self._planned = widening.schema

    def _widening(self, schema: Schema) -> Widening:
        refusing = None if self._expand else f"dataset {self._dataset.name!r}, and expand_schema is False"
        return Widening(schema, refusing=refusing, dynamic=self._dynamic)

    def _schema_of(self, hold: Callable[[Widening], None]) -> Schema:
        """The schema that holds what `hold` gives it; what is new in it is declared."""
        known = self._dataset._current_schema()
        if self._is_planned(known):
            return known
        widening = self._widening(known)
        hold(widening)
        return self._declare(known, widening.schema)

    def _is_planned(self, known: Schema) -> bool:
        """Whether the schema holds all that was checked."""
        planned = self._planned
        return planned is not None and all(known.get(path) == planned[path] for path in planned.paths())

    def _add_batch(self, given: Sequence[Any]) -> None:
        batch = [as_sample(item) for item in given]
        dataset = self._dataset
        schema = self._schema_of(lambda widening: widening.hold_all([sample._values for sample in batch]))
        if self._keep_ids:
            ids = [str(sample.id) for sample in batch]
            samples.admit_ids(dataset._id, ids)
        else:
            ids = samples.reserve_ids(dataset._id, len(batch))
        encoding = Encoding(schema)
        made = _by_columns(encoding, batch, ids)
        if made is None:
            self._insert_each(given, batch, ids, encoding, schema)
        else:
            self._insert(_batch(given, ids, made, schema, repeat(None)))
        self._media = self._media or batch[0].media_type

    def _insert_each(
        self, given: Sequence[Any], batch: Sequence[Sample], ids: list[SampleId], encoding: Encoding, schema: Schema
    ) -> None:
        """Insert samples that must be looked at one by one, and store their vectors."""
        made: list[bytes] = []
        with ExitStack() as stack:
            sink = NumberedVectors(self._dataset._id, stack, "add_samples")
            keeping: KeepingSink | None = None
            kept: list[KeepingSink | None] = []
            for sample, identity in zip(batch, ids, strict=True):
                sink.sample_id = identity
                keeping = keeping or KeepingSink({}, sink)
                made.append(codec.to_raw(encoding.document(sample._values, keeping))[4:-1])
                kept.append(keeping if keeping.made else None)
                keeping = None if keeping.made else keeping  # one that was not used serves the next sample
            sink.store()
            self._insert(_batch(given, ids, documents_of(ids, [made]), schema, kept))
            if sink.has_any:
                self._inserted()  # while the actions keep the sweep off the vectors

    def _insert(self, batch: Batch) -> None:
        """Begin to insert a batch whose vectors are stored, after the one before."""
        self._inserted()
        self._inserting = batch
        self._beside.begin(lambda: samples.insert(self._dataset._id, batch.documents))

    def _inserted(self) -> None:
        """Wait until what is being inserted is there."""
        batch = self._inserting
        if batch is None:
            return
        revision = self._beside.result()
        self._note(batch)
        if revision != self._dataset._known_revision():
            self._declare(self._dataset._current_schema(), batch.schema)  # a field may have been deleted meanwhile

    def _note(self, batch: Batch) -> None:
        self.ids += batch.ids
        self._added += batch.given
        self._inserting = None

    def _stop_inserting(self) -> None:
        """After an exception: let what was being inserted be there, or not at all."""
        batch = self._inserting
        if batch is None or self.ids[-1:] == batch.ids[-1:]:
            return
        if self._beside.has_succeeded():
            self._note(batch)
        else:
            samples.remove_unacknowledged(self._dataset._id, batch.ids)

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
        samples.remove_unacknowledged(self._dataset._id, self.ids)
        for path, before, after in reversed(self._widened):
            field_records.narrow_field(self._dataset._id, path, before, after)
        field_records.remove_unused(self._dataset._id, self._declared)


def _batch(
    given: Sequence[Any], ids: list[SampleId], documents: Sequence[bytes], schema: Schema,
    kept: Iterable[KeepingSink | None],
) -> Batch:  # fmt: skip
    made = [
        (item, raw, schema, keeping)
        for item, raw, keeping in zip(given, documents, kept, strict=False)
        if isinstance(item, Sample)
    ]
    return Batch(ids, documents, schema, made)


def _by_columns(encoding: Encoding, batch: Sequence[Sample], ids: Sequence[SampleId]) -> list[bytes] | None:
    """The documents of samples, made a field at a time; None where their values must be looked at one by one."""
    columns: list[Elements] = []
    for name, values in columns_of([sample._values for sample in batch]):
        column = encoding.column(name, values)
        if column is None:
            return None
        columns.append(column)
    return documents_of(ids, columns)


def documents_of(ids: Sequence[SampleId], columns: Iterable[Elements]) -> list[bytes]:
    """Documents of the elements that columns hold for them, with their ids."""
    return documents([id_elements(bytes.fromhex("".join(ids))), *columns])


def _settle_vectors(sample: Sample, names: Iterable[str], keeping: KeepingSink) -> None:
    """After a sample was written: know its vectors, and read those that are fields of it anew, as they are stored."""
    sample._fetched.update(keeping.made)
    for name in list(names):
        if sample._schema is not None and isinstance(sample._schema.get(name), VectorField):
            sample._values.pop(name, None)


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
