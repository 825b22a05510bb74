"""What an action changes beside samples: fields and runs. Each change is noted in its record before it is made."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from ..schema import SAMPLE_FIELDS, Field, field_from_dict, merge
from ..store import field_records, run_records
from ..types import Bson


class Declaring(ABC):
    """The part of an action that changes records of fields and runs; a rollback takes back what is noted."""

    def __init__(self, dataset_id: str) -> None:
        """Begin without a number, and with nothing changed."""
        self.dataset_id = dataset_id
        self.number = 0
        self._created: list[str] = []
        self._widened: list[Bson] = []
        self._models: list[Bson] = []
        self._narrowed: list[Bson] = []
        self._removed: list[Bson] = []

    @abstractmethod
    def _note(self, **changes: Any) -> None:
        """Change entries of the action's record."""

    def set_model(self, path: str, model: Mapping[str, Any], expected: Mapping[str, Any] | None = None) -> bool:
        """Note in the catalogue what a field's vectors are; with `expected`, only if that is what stands there."""
        old = (field_records.by_path(self.dataset_id).get(path) or {}).get("model")
        self._models.append({"path": path, "old": old, "new": dict(model)})
        self._note(models=self._models)
        if field_records.change_model(self.dataset_id, path, old if expected is None else expected, model):
            return True
        self._models.pop()
        self._note(models=self._models)
        return False

    def restore_fields(self, records: Sequence[Bson]) -> None:
        """Put removed declarations back, but for those that were declared again."""
        known = field_records.by_path(self.dataset_id)
        self._created += [record["path"] for record in records if record["path"] not in known]
        self._note(created=self._created)
        field_records.restore_fields(self.dataset_id, records)

    def remove_unused(self, paths: Sequence[str]) -> None:
        """Remove those declarations that no sample has a value for."""
        unused = [path for path in paths if not field_records.is_used(self.dataset_id, path)]
        if unused:
            self._remove(unused)

    def narrow(self, path: str, before: Field, after: Field) -> None:
        """Give a field that was widened from `before` to `after` its former kind back, if its values admit it."""
        self._narrowed.append({"path": path, "old": after.to_dict(), "new": before.to_dict()})
        self._note(narrowed=self._narrowed)
        field_records.narrow_field(self.dataset_id, path, before, after)

    def drop_run(self, noted: Bson) -> None:
        """Delete a run's record; `noted` is what `run_records.restore_run` needs."""
        self._note(dropped_run=noted)
        run_records.drop_run(self.dataset_id, noted)

    def restore_run(self, noted: Bson) -> None:
        """Put back the record of a run that was deleted, unless there is another one under its key."""
        self._note(restored_run=noted)
        run_records.restore_run(self.dataset_id, noted)

    def declare(self, declared: Mapping[str, Field]) -> None:
        """Create and widen fields, after noting what a rollback takes back."""
        known = field_records.by_path(self.dataset_id)
        created = [path for path in declared if path not in known and path not in SAMPLE_FIELDS]
        widened: list[Bson] = []
        for path, field in declared.items():
            old = known[path]["field"] if path in known else None
            new = merge(field_from_dict(old), field, path).to_dict() if old is not None else None
            if new != old:
                widened.append({"path": path, "old": old, "new": new})
        if created or widened:
            self._created += created
            self._widened += widened
            self._note(created=self._created, widened=self._widened)
        field_records.declare_fields(self.dataset_id, declared)

    def _remove(self, paths: Sequence[str]) -> None:
        known = field_records.by_path(self.dataset_id)
        gone = [r for p, r in known.items() if any(p == path or p.startswith(path + ".") for path in paths)]
        self._note(removed=[*self._removed, *gone])
        self._removed += field_records.remove_fields(self.dataset_id, paths)
        self._note(removed=self._removed)
