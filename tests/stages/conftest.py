"""A few samples on the server, and how a list of stages runs over them."""

from collections.abc import Callable
from typing import Any

import pytest

import saccade.dataset.labels  # noqa: F401  # registers the attributes of labels
from saccade.dataset import schema
from saccade.dataset.stages import Stage, chain
from saccade.dataset.store.codec import to_bson_query
from saccade.dataset.store.samples import addressed
from saccade.dataset.types import Oid

NAN = float("nan")
FIELDS = schema.Schema(
    {
        **schema.SAMPLE_FIELDS,
        "n": schema.FloatField(),
        "s": schema.StringField(),
        "d": schema.DictField(),
        "truth": schema.EmbeddedDocumentField("Classification"),
        "found": schema.EmbeddedDocumentField("Detections"),
        "v": schema.VectorField(),
    }
)


def sample_id(number: int) -> Oid:
    return Oid(f"{number:024x}")


def box(label: str, confidence: float | None) -> dict[str, Any]:
    made = {"_cls": "Detection", "_id": sample_id(900), "tags": [], "label": label, "bounding_box": [0, 0, 1, 1]}
    return made if confidence is None else made | {"confidence": confidence}


def truth(label: str) -> dict[str, Any]:
    return {"_cls": "Classification", "_id": sample_id(901), "tags": [], "label": label}


def found(*boxes: dict[str, Any]) -> dict[str, Any]:
    return {"_cls": "Detections", "detections": list(boxes)}


SAMPLES = [
    {
        "tags": ["a"],
        "n": 0.5,
        "s": "b",
        "truth": truth("cat"),
        "found": found(box("cat", 0.9), box("dog", 0.2)),
        "v": 3,
    },
    {"tags": ["a", "b"], "n": None, "s": "a", "truth": truth("dog"), "found": found()},
    {"tags": [], "n": 1.5, "truth": None, "found": None, "v": None},
    {"tags": ["b", "c"], "n": -1.0, "s": "c", "d": {"x": 2}, "found": found(box("dog", None))},
    {"tags": ["c"], "n": NAN, "s": None, "d": {"x": "text"}, "truth": truth("cat")},
    {"tags": ["a", "b", "c"], "n": 0.5, "s": "a", "d": {}, "found": found(box("cat", 0.4)), "v": 4},
]
DOCUMENTS = [
    {"_id": sample_id(number), "filepath": f"/{number}.png", "metadata": None} | sample
    for number, sample in enumerate(SAMPLES)
]


@pytest.fixture
def run(database) -> Callable[..., list[dict[str, Any]]]:
    """Run stages over the samples, as a view would: each sees the schema that the one before it leaves."""
    database.samples.insert_many(to_bson_query(DOCUMENTS))

    def ran(*stages: Stage) -> list[dict[str, Any]]:
        for stage in stages:
            assert Stage.from_dict(stage.to_dict()) == stage
        steps = addressed(chain.pipeline(stages, FIELDS), "samples")
        return list(database.samples.aggregate(to_bson_query(steps)))

    return ran


@pytest.fixture
def kept(run) -> Callable[..., list[int]]:
    """The numbers of the samples that stages leave, in their order."""
    return lambda *stages: [int(str(document["_id"]), 16) for document in run(*stages)]
