"""Write a dataset with everything in it, and dump what the database then holds: a fixture of a stored form.

    PYTHONPATH=<a checkout of the commit> python tests/store/forms/write.py FILE

It keeps to what the library could do from its first commit on, so that any commit can be asked for its form.
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from bson import json_util

NAME = "street"
DATABASE = "form"


def fill(sc: Any) -> None:
    """Make the dataset."""
    dataset = sc.Dataset(NAME)
    dataset.add_sample_field("score", sc.FloatField, description="how good")
    samples = []
    for number in range(6):
        sample = sc.Sample(f"/photos/{number}.png", tags=["even"] if number % 2 == 0 else [])
        sample["metadata"] = sc.ImageMetadata(width=640, height=480 + number)
        sample["count"] = number
        sample["embedding"] = [number / 2, 1.0, -1.0] if number else None
        sample["weather"] = sc.Classification(label="rain" if number < 3 else "sun", confidence=number / 8)
        boxes = [sc.Detection(label="car", bounding_box=[0.1, 0.2, 0.3, 0.4], angle=5 * i) for i in range(number % 3)]
        sample["objects"] = sc.Detections(detections=boxes)
        sample["notes"] = {"by": "ann", "marks": [1, 2.5]}
        samples.append(sample)
    import numpy as np

    for sample in samples[1:]:
        sample["embedding"] = np.array(sample["embedding"], dtype=np.float32)
    samples[5]["weather"].logits = np.array([0.5, -0.5], dtype=np.float32)
    samples[5]["heat"] = np.arange(6, dtype=np.uint8).reshape(2, 3)
    dataset.add_samples(samples, dynamic=True)
    dataset.set_values("score", [number / 4 for number in range(6)])
    dataset.match_tags("even").tag_samples("chosen")
    dataset.delete_samples(dataset.last().id)
    dataset.create_index("score")
    dataset.tags, dataset.description, dataset.info = ["winter"], "A street.", {"camera": "left", "lens": 35}
    dataset.classes, dataset.default_classes = {"weather": ["rain", "sun"]}, ["car"]

    import saccade.brain as scb

    scb.compute_uniqueness(dataset, embeddings="embedding")


def dump(database: Any, path: Path) -> None:
    """Write every index and document of the database to a file, one in a line, with its collection."""
    path.write_text("".join(f"{line}\n" for line in lines(database)), encoding="utf-8")


def lines(database: Any) -> list[str]:
    """What `dump` writes; the machine and the user stay out of it."""
    found = []
    for name in sorted(database.list_collection_names()):
        collection = database[name]
        for index, options in sorted(collection.index_information().items()):
            kept = {key: options[key] for key in ("unique", "partialFilterExpression") if key in options}
            if index != "_id_":
                found.append({"collection": name, "index": {"keys": options["key"], "name": index, **kept}})
        for document in collection.find().sort("_id", 1):
            if "who" in document:
                document["who"] = "ann@desk (process 1)"
            found.append({"collection": name, "document": document})
    return [json_util.dumps(line, json_options=json_util.CANONICAL_JSON_OPTIONS) for line in found]


def restore(database: Any, path: Path) -> None:
    """Put what `dump` wrote into an empty database."""
    for line in path.read_text(encoding="utf-8").splitlines():
        stored = json_util.loads(line, json_options=json_util.CANONICAL_JSON_OPTIONS)
        collection = database[stored["collection"]]
        if "index" in stored:
            options = dict(stored["index"])
            collection.create_index([tuple(key) for key in options.pop("keys")], **options)
        else:
            collection.insert_one(stored["document"])


def main(path: Path) -> None:
    """Make the fixture on a server of its own."""
    with tempfile.TemporaryDirectory(dir="/tmp") as home:
        os.environ.update(SACCADE_HOME=home, SACCADE_DATABASE_NAME=DATABASE, SACCADE_CONFIG=f"{home}/config.toml")
        import saccade as sc
        from saccade.dataset import settings
        from saccade.dataset.store import connection, service

        try:
            fill(sc)
            dump(connection.database(), path)
        finally:
            connection.close()
            service.stop_server(settings.current())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
