"""Each thing that keeps values under keys keeps the promises of `contract.StoreContract`."""

from typing import Any

import bson
import numpy as np
import pytest

import saccade as sc
from saccade.dataset import settings
from saccade.dataset.store import (
    actions,
    by_id,
    catalog,
    images,
    matrix_cache,
    run_records,
    samples,
    vectors,
    view_records,
)
from tests.store.contract import StoreContract

TEXT = "größe 像素 🦊 \u200d$a.b"


@pytest.fixture
def dataset(database, tmp_path, monkeypatch) -> sc.Dataset:
    monkeypatch.setenv("SACCADE_CACHE_DIR", str(tmp_path))
    return sc.Dataset("street")


class TestSamples(StoreContract):
    """Documents under the ids that the store issues."""

    def keys(self, dataset, count):
        return [str(one) for one in samples.reserve_ids(dataset._id, count)] if count else []

    def values(self, keys):
        return [{"filepath": f"/{TEXT}/{key}.png", "tags": [TEXT], "n": int(key[-4:], 16)} for key in keys]

    def large(self):
        return {"filepath": "/a.png", "text": "ü" * 7_500_000}

    def put(self, dataset, keys, values):
        for start in range(0, len(keys), 1_000):
            pairs = zip(keys[start : start + 1_000], values[start : start + 1_000], strict=True)
            samples.insert(dataset._id, [bson.encode({"_id": bson.ObjectId(key), **value}) for key, value in pairs])

    def read(self, dataset, keys):
        found = []
        for chunk in by_id.read_by_id(dataset._id, keys, size=700):
            found += [None if one is None else bson.decode(one) for one in chunk]
        return [one and {name: value for name, value in one.items() if name != "_id"} for one in found]

    def listed(self, dataset):
        return samples.sample_ids(dataset._id, [{"$sort": {"_id": 1}}])


class TestSampleVectors(StoreContract):
    """Vectors under an action's number and the id of a sample."""

    label_id: str | None = None

    def keys(self, dataset, count):
        ids = samples.reserve_ids(dataset._id, count) if count else []
        return [vectors.vector_key(7, str(one), self.label_id) for one in ids]

    def values(self, keys):
        return [[float(key[19]), float(key[18]), -0.5] for key in keys]

    def large(self):
        return [float(number) for number in range(100_000)]

    def put(self, dataset, keys, values):
        vectors.insert_vectors(dataset._id, keys, np.array(values, dtype=np.float32))

    def read(self, dataset, keys):
        found = vectors.fetch_vectors(dataset._id, keys)
        return [found[key].tolist() if key in found else None for key in keys]

    def listed(self, dataset):
        return vectors.all_keys(dataset._id)


class TestLabelVectors(TestSampleVectors):
    """Vectors under an action's number, the id of a sample and the id of one of its labels."""

    label_id = "64b7f0c2a1d3e4f5a6b7c8d9"


class TestCachedVectors(TestSampleVectors):
    """The same vectors, read through the file of the matrix cache, whatever it holds from before."""

    def read(self, dataset, keys):
        there = super().read(dataset, keys)  # only what is there may be asked of the cache
        wanted = [key for key, value in zip(keys, there, strict=True) if value is not None]
        packed = np.frombuffer(b"".join(wanted), dtype=np.uint8).reshape(-1, 20)
        for _ in range(2):  # made, and mapped
            matrix = matrix_cache.load_matrix(dataset._id, "embedding", packed, lambda: packed)
        rows = iter(matrix.tolist())
        assert settings.current().cache_gb > 0
        return [None if value is None else next(rows) for value in there]


class TestImages(StoreContract):
    """The parts of an action's before-images, by their place in it."""

    many = 100

    def hold(self, dataset) -> actions.Hold:
        return actions.Hold(dataset._id, 7, lambda _broken: None)

    def keys(self, dataset, count):
        return list(range(count))

    def values(self, keys):
        return [{"op": "tag", "tag": TEXT, "ids": bytes(12 * (key + 1))} for key in keys]

    def large(self):
        return {"op": "delete", "old": [{"text": "ü" * 7_500_000}, {"text": TEXT}]}  # more than a document holds

    def put(self, dataset, keys, values):
        for key, value in zip(keys, values, strict=True):
            images.add_image(self.hold(dataset), key, value)

    def read(self, dataset, keys):
        found = dict(self.stored(dataset))
        return [found.get(key) for key in keys]

    def listed(self, dataset):
        return [key for key, _ in self.stored(dataset)]

    def stored(self, dataset) -> list[tuple[int, Any]]:
        parts = [bson.decode(part.raw) for part in images.read_images(dataset._id, 7)]
        return [(part.pop("_id")["part"], part) for part in parts]


class TestRuns(StoreContract):
    """Records of runs, by their keys."""

    many = 100

    def keys(self, dataset, count):
        return [f"score_{number:05}" for number in range(count)]

    def values(self, keys):
        return [{"note": f"{TEXT} {key}", "$deep": {"a.b": [1, None, key]}} for key in keys]

    def large(self):
        return {"text": "ü" * 7_500_000}

    def put(self, dataset, keys, values):
        for key, value in zip(keys, values, strict=True):
            record = {
                "operation": "scoring",
                "version": 1,
                "state": "completed",
                "writer": "x",
                "started": catalog.now(),
            }
            run_records.save_run(dataset._id, {"key": key, "params": value, **record})

    def read(self, dataset, keys):
        return [next((one["params"] for one in run_records.read_runs(dataset._id, key=key)), None) for key in keys]

    def listed(self, dataset):
        return sorted(record["key"] for record in run_records.read_runs(dataset._id))  # theirs is the order of time


class TestSavedViews(StoreContract):
    """Records of saved views, by their names."""

    many = 100

    def keys(self, dataset, count):
        return [f"{TEXT} {number:05}" for number in range(count)]

    def values(self, keys):
        return [[{"stage": "mongo", "pipeline": [{"$match": {"a.b": key}}]}] for key in keys]

    def large(self):
        return [{"stage": "select", "sample_ids": [f"{number:024x}" for number in range(300_000)]}]

    def put(self, dataset, keys, values):
        for key, value in zip(keys, values, strict=True):
            view_records.add_view(dataset._id, {"name": key, "stages": value}, overwrite=True)

    def read(self, dataset, keys):
        return [next((one["stages"] for one in view_records.read_views(dataset._id, name=key)), None) for key in keys]

    def listed(self, dataset):
        return [record["name"] for record in view_records.read_views(dataset._id)]
