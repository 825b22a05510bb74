"""Columns of some samples at a time."""

import numpy as np
import pytest

import saccade as sc
from saccade.dataset.errors import ExpressionError, FieldNotFoundError, ViewError

F = sc.F
PATHS = ["n", "kind.label", "boxes.detections.label", "tags", "kind.logits", "when"]


@pytest.fixture
def filled(dataset) -> sc.Dataset:
    def sample(n: int) -> sc.Sample:
        boxes = [sc.Detection(label=f"b{i}", bounding_box=[0, 0, 1, 1]) for i in range(n % 3)]
        return sc.Sample(
            f"/{n}.png", tags=["ä"] if n % 2 else [], n=float(n) if n % 5 else None,
            kind=sc.Classification(label=f"k{n % 4}", logits=[n, 1]) if n % 7 else None,
            boxes=sc.Detections(detections=boxes), embedding=np.full(3, n, dtype=np.float32),
        )  # fmt: skip

    dataset.add_samples([sample(n) for n in range(53)])
    dataset.add_sample_field("when", sc.DateTimeField)
    return dataset


def joined(collection: sc.Dataset | sc.DatasetView, size: int) -> dict[str, list[object]]:
    columns: dict[str, list[object]] = {name: [] for name in ["id", *PATHS]}
    for batch in collection.iter_batches(PATHS, batch_size=size):
        assert batch.keys() == columns.keys()
        assert {len(values) for values in batch.values()} <= set(range(1, size + 1))
        for name, values in batch.items():
            columns[name] += values
    return columns


@pytest.mark.parametrize("size", [1, 7, 30, 53, 1000])
def test_batches_put_together_are_the_values_of_all(filled, size):
    views = [
        filled,
        filled.sort_by("n", reverse=True),
        filled.match(F("n") > 20).shuffle(seed=51),
        filled.filter_labels("boxes", F("label") == "b1", only_matches=False).limit(20),
        filled.limit(0),
    ]
    for view in views:
        found = joined(view, size)
        for name in ["id", *PATHS]:
            assert repr(found[name]) == repr(view.values(name)), (view, name)


def test_a_sample_that_was_deleted_meanwhile_is_passed_over(filled):
    ids = filled.values("id")
    batches = filled.iter_batches("n", batch_size=10)
    assert next(batches)["id"] == ids[:10]
    filled.delete_samples(ids[10:25])
    assert [sample_id for batch in batches for sample_id in batch["id"]] == ids[25:]


def test_what_batches_cannot_give_is_an_error_at_the_call(filled):
    with pytest.raises(FieldNotFoundError, match="'m'"):
        filled.iter_batches(["n", "m"])
    with pytest.raises(ExpressionError, match="read_vectors"):
        filled.iter_batches("embedding")
    with pytest.raises(ViewError, match="batch_size is 0"):
        filled.iter_batches("n", batch_size=0)
    with pytest.raises(ViewError, match="iter_batches"):
        filled.to_patches("boxes").iter_batches("boxes.label")
    assert list(filled.limit(0).iter_batches("n")) == []
