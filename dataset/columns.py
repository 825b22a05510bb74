"""Columns: one array per field instead of one object per sample. What every score reads and writes.

Reads wait for bulk writes that are under way on what they read, and start again if one began meanwhile.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from . import journal
from .errors import FieldKindError, FieldNotFoundError, ModelError, SaccadeError, SchemaError
from .schema import DictField, Field, Schema, VectorField, check_field_name, infer, merge
from .store import actions, codec, field_records, samples, vectors
from .store.liveness import is_alive
from .store.matrix_cache import load_matrix
from .store.scan import Columns
from .types import Bson, FloatArray, SampleId

if TYPE_CHECKING:
    from .collection import SampleCollection

_BLOCK = 8192
"""Vectors that are looked at together."""


def read_ids(collection: "SampleCollection") -> list[SampleId]:
    """The ids of a dataset's or view's samples, in its order."""
    return collection._columns([]).sample_ids()


def read_vectors(collection: "SampleCollection", field: str) -> tuple[list[SampleId], FloatArray]:
    """Read a vector field as one matrix.

    Samples without a vector are left out. The first read fetches the vectors; later ones map the cached matrix.

    Args:
        collection: a dataset or view.
        field: a vector field; of patches, one of their labels, such as "ground_truth.embedding".

    Returns:
        The ids, of patches those of their labels, and (n, d) float32 in their order, which may be read-only; (0, 0)
        where none has a vector.

    Raises:
        FieldNotFoundError: if there is no such field.
        FieldKindError: if it is not a vector field.
    """
    ids, _, matrix = read_keyed_vectors(collection, field)
    return ids, matrix


def read_keyed_vectors(
    collection: "SampleCollection", field: str
) -> tuple[list[SampleId], np.ndarray[Any, Any], FloatArray]:
    """Read a vector field as `read_vectors` does; gives the ids, the keys of the vectors, and the vectors."""
    schema = collection._schema()
    resolved = schema.resolve(field, collection._title())
    labels = collection._patched
    if not isinstance(resolved.field, VectorField) or (labels is None and "." in field):
        paths = schema.names() if labels is None else schema.paths()
        having = [path for path in paths if isinstance(schema[path], VectorField)]
        raise FieldKindError(
            f"field {field!r} is a {resolved.field}, not a vector field of "
            f"{'samples' if labels is None else 'patches'}. "
            f"Vector fields: {', '.join(having) or 'none; compute_embeddings() makes one'}."
        )
    root = collection._root._id

    def read() -> tuple[list[SampleId], np.ndarray[Any, Any], FloatArray]:
        ids, keys = _markers(collection, field)

        def everything() -> np.ndarray[Any, Any]:
            if not collection._stages:
                return keys
            return _markers(collection._root if labels is None else collection._root.to_patches(labels.path), field)[1]

        return ids, keys, load_matrix(root, collection._stored_path(field), keys, everything)

    return journal.stable_read(root, [field], read)


def _markers(collection: "SampleCollection", field: str) -> tuple[list[SampleId], np.ndarray[Any, Any]]:
    """The ids of the rows that have a vector, and the keys of the vectors: (n, 20) uint8, of patches (n, 32)."""
    are_samples = collection._patched is None
    found = collection._columns([f"${field}", *([] if are_samples else ["$sample_id"])], are_numbers=are_samples)
    ids, (numbers, *holders) = found.ids, found.values
    if None in numbers:
        rows = [row for row, number in enumerate(numbers) if number is not None]
        ids, numbers, holders = (
            ids[rows],
            [numbers[row] for row in rows],
            [[held[row] for row in rows] for held in holders],
        )
    return Columns(ids, []).sample_ids(), vectors.vector_keys(numbers, ids, *holders)


def read_scalars(collection: "SampleCollection", fields: Sequence[str]) -> tuple[list[SampleId], dict[str, list[Any]]]:
    """Read several fields in one pass.

    Args:
        collection: a dataset or view.
        fields: paths of fields.

    Returns:
        The ids, and for each field its values in their order, None where missing.

    Raises:
        FieldNotFoundError: if a field does not exist.
    """
    schema = collection._schema()
    db_paths = {field: schema.resolve(field, collection._title()).db_path for field in fields}

    def read() -> tuple[list[SampleId], dict[str, list[Any]]]:
        found = collection._columns([f"${path}" for path in db_paths.values()])
        columns = {
            field: codec.decoded(values, schema.resolve(field).field)
            for field, values in zip(db_paths, found.values, strict=True)
        }
        return found.sample_ids(), columns

    return journal.stable_read(collection._root._id, [collection._stored_path(field) for field in fields], read)


def write_scalars(
    collection: "SampleCollection",
    columns: Mapping[str, Sequence[Any]],
    ids: Sequence[SampleId],
    *,
    fields: Mapping[str, Field] = MappingProxyType({}),
    verb: str = "write_scalars",
) -> None:
    """Write one value per sample into each of several fields, in one action: all of it, or nothing.

    Args:
        collection: a dataset or view.
        columns: for each path the values, in the order of `ids`; None for samples without one. A path such as
            "selections.batch_7.rank" lies inside a dict field, which is made where needed.
        ids: the samples.
        fields: how top-level fields are declared where they are new, with their descriptions; others are inferred.
        verb: what the history shows.

    Writes:
        The named fields, declared where they are new.

    Raises:
        FieldKindError: if a value is NaN or infinite, naming the sample, or does not fit its field.
        SchemaError: if a column has another length than `ids`, or an id comes twice.
    """
    root = collection._root
    collection._require_samples("write_scalars()")
    if len(set(ids)) < len(ids):
        raise SchemaError(f"samples come twice in {collection._title()}. Compute without concat(), or on the dataset.")
    prepared = {path: codec.encoded(scalars_of(path, values, ids), path) for path, values in columns.items()}
    schema = root._schema()
    declare = {p.split(".")[0]: column_field(schema, p, values, fields.get(p)) for p, values in columns.items()}
    with journal.action(root._id, verb, sorted(declare), declare=declare) as action:
        action.set(ids, prepared)


def scalars_of(path: str, values: Any, ids: Sequence[SampleId]) -> list[Any]:
    """Check a column of scores and give it as plain Python values."""
    if len(values) != len(ids):
        raise SchemaError(f"{path!r} was given {len(values)} values for {len(ids)} samples. Give one value per sample.")
    if isinstance(values, np.ndarray):
        if values.ndim != 1:
            raise SchemaError(f"{path!r} was given an array of shape {values.shape}; expected ({len(ids)},).")
        values = values.tolist()
    plain = [value.item() if isinstance(value, np.generic) else value for value in values]
    for sample_id, value in zip(ids, plain, strict=True):
        if isinstance(value, float) and not np.isfinite(value):
            raise FieldKindError(
                f"{path!r} would be {value} on sample {sample_id}; a score must be finite. Use None for none."
            )
    return plain


def column_field(schema: Schema, path: str, values: Sequence[Any], new: Field | None = None) -> Field:
    """The top-level field that a column needs: as declared, else `new`, else inferred from the values.

    Raises:
        FieldKindError: if the values do not fit the declared field.
        SchemaError: if a new field cannot have this name.
    """
    top, _, rest = path.partition(".")
    field = schema.get(top)
    if field is None:
        check_field_name(top)
    if rest:
        if not isinstance(field, DictField | None):
            raise FieldKindError(f"{path!r} cannot be written, since {top!r} is a {field}; it must be a DictField.")
        return field or DictField()
    if new is not None:
        field = new if field is None else merge(field, new, path)
    kinds = {type(value): value for value in values if value is not None}
    for value in kinds.values():
        inferred = infer(value)
        assert inferred is not None, "None was left out above"
        field = inferred if field is None else merge(field, inferred, path)
    if field is None:
        raise FieldKindError(
            f"{path!r} has no value on any sample, so its kind is unknown. Declare it with add_sample_field()."
        )
    return field


def write_vectors(
    collection: "SampleCollection",
    field: str,
    ids: Sequence[SampleId],
    matrix: FloatArray | Sequence[FloatArray],
    *,
    model: Mapping[str, Any] | None = None,
    overwrite: bool = False,
    verb: str = "write_vectors",
) -> None:
    """Store one vector per sample, in one action.

    Args:
        collection: a dataset or view.
        field: the vector field, declared if new.
        ids: the samples.
        matrix: (n, d) floats; stored as float32.
        model: what made them: {"name", "version"}, and "regions" where they are of parts of the images; kept in the
            catalogue, one per field.
        overwrite: replace another model's vectors; `ids` must then hold all samples that have the field.
        verb: what the history shows.

    Raises:
        FieldKindError: if a vector holds NaN or infinity, or has another length than the field's.
        ModelError: if the field holds another model's vectors.
    """
    root = collection._root
    collection._require_samples("write_vectors()")
    rows = checked_vectors(field, ids, matrix)
    if len(rows) == 0:
        return
    column_field(root._schema(), field, [rows[0]])
    with journal.action(root._id, verb, [field], declare={field: VectorField()}) as action:
        set_model(action, field, rows.shape[1], model, ids if overwrite else None)
        action.insert_vectors(vectors.sample_keys(action.number, ids), rows)
        action.set(ids, {field: [vectors.marker(action.number)] * len(ids)})


def checked_vectors(field: str, ids: Sequence[SampleId], matrix: FloatArray | Sequence[FloatArray]) -> FloatArray:
    """Check vectors and give them as one (n, d) float32 matrix."""
    try:
        with np.errstate(over="ignore"):  # the error below names the sample
            rows = np.asarray(matrix, dtype=np.float32)
    except (ValueError, TypeError) as error:
        raise FieldKindError(
            f"the vectors of field {field!r} have different lengths or are no numbers: {error}"
        ) from error
    if len(rows) != len(ids):
        raise SchemaError(f"{field!r} was given {len(rows)} vectors for {len(ids)} samples. Give one per sample.")
    if len(rows) and (rows.ndim != 2 or rows.shape[1] == 0):
        raise FieldKindError(f"the vectors of field {field!r} have shape {rows.shape}; expected ({len(ids)}, d).")
    for start in range(0, len(rows), _BLOCK):  # the answers for all of them would be a quarter of the vectors' size
        finite = np.isfinite(rows[start : start + _BLOCK]).all(axis=1)
        if not finite.all():
            raise FieldKindError(
                f"the vector for sample {ids[start + int(np.argmin(finite))]} in field {field!r} holds NaN or infinity "
                "(as float32). Leave that sample out."
            )
    return rows


def claim_model(
    dataset_id: str, field: str, dimension: int, model: Mapping[str, Any] | None, replaced: Sequence[SampleId] | None
) -> Bson:
    """Refuse vectors of another length or model, unless they replace all there are; gives the model as recorded.

    Raises:
        ModelError: if the model differs.
        FieldKindError: if the length differs.
    """
    known = (field_records.by_path(dataset_id).get(field) or {}).get("model") or {}
    remedy = "Use another field, or compute the field again for all samples with overwrite=True."
    problem: SaccadeError
    if model is not None and known.get("name") is not None and _named(known) != _named(model):
        problem = ModelError(
            f"field {field!r} holds vectors of model {_named(known)}, not of {_named(model)}. {remedy}"
        )
    elif known and known["dimension"] != dimension:
        problem = FieldKindError(
            f"field {field!r} holds vectors of {known['dimension']} numbers; these have {dimension}. {remedy}"
        )
    else:
        return known
    setter = actions.read_action(dataset_id, known["by"]) if "by" in known else None
    if setter is not None and setter["live"] and is_alive(setter["writer"]):
        raise problem  # its vectors are on their way
    # A marker, or a list with markers of labels; `$ne: None` would overlook lists in which some label has none.
    holding = samples.sample_ids(dataset_id, [{"$match": {field: {"$type": ["int", "long"]}}}])
    if not set(holding) <= set(replaced or ()):
        raise problem
    return known


def set_model(
    action: journal.Action, field: str, dimension: int, model: Mapping[str, Any] | None,
    replaced: Sequence[SampleId] | None = None,
) -> None:  # fmt: skip
    """Note in the catalogue what a field's vectors are, before they are written.

    Raises:
        FieldKindError: if the field holds vectors of another length, or another writer is just adding some.
        ModelError: if it holds another model's vectors.
    """
    wanted = {**(model or {}), "dimension": dimension}
    while True:
        known = claim_model(action.dataset_id, field, dimension, model, replaced)
        is_same = model is None or known.get("regions") == model.get("regions")
        if is_same and {**known, **wanted} == known:
            return
        if action.set_model(field, {**wanted, "by": action.number}, known):
            return


def model_of(collection: "SampleCollection", field: str) -> dict[str, Any] | None:
    """What made a field's vectors: {"name", "version", "dimension"}, or None where nothing is known.

    There is also "regions", in words, where they are of parts of the images.
    """
    if field not in collection._schema():
        raise FieldNotFoundError.among(field, collection._schema().names(), collection._title())
    known = (field_records.by_path(collection._root._id).get(collection._stored_path(field)) or {}).get("model") or {}
    return {name: value for name, value in known.items() if name != "by"} or None


def _named(model: Mapping[str, Any]) -> str:
    regions = f" on {model['regions']}" if model.get("regions") else ""
    return f"{model.get('name')!r} (version {model.get('version')}){regions}"
