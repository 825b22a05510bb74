"""A collection with its samples as JSON, from which a dataset can be made again."""

import json
from os import PathLike
from pathlib import Path
from typing import Any

from .. import annotating
from ..labels import to_jsonable
from .base import Base


class Forms(Base):
    """Methods that write out what a dataset or a view shows."""

    def _contents(self) -> dict[str, Any]:
        """What the dataset says of itself, the fields and the samples, as values that JSON can hold."""
        root, schema = self._root, self._schema()
        return {
            "name": root.name, "persistent": root.persistent, "description": root.description, "tags": list(root.tags),
            "info": to_jsonable(root.info), **annotating.stored(root._record),
            "classes": root.classes, "default_classes": root.default_classes,
            "sample_fields": {path: schema[path].to_dict() for path in schema.paths()},
            "samples": [sample.to_dict() for sample in self],  # type: ignore[attr-defined]  # Reading supplies it
        }  # fmt: skip

    def to_json(self, *, pretty_print: bool = False) -> str:
        """The dataset with its samples, or with those that a view shows, as JSON text."""
        return json.dumps(self._contents(), indent=2 if pretty_print else None, ensure_ascii=False)

    def write_json(self, json_path: str | PathLike[str], *, pretty_print: bool = False) -> None:
        """Write the dataset with its samples, or with those that a view shows, to a JSON file.

        `Dataset.from_json` reads it; give it another name than the dataset's.
        """
        target = Path(json_path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(self.to_json(pretty_print=pretty_print), encoding="utf-8")
