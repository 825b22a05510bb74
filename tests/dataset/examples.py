"""Datasets that several tests use, made in code."""

import numpy as np

import saccade as sc

MATRIX = np.arange(40, dtype=np.float32).reshape(10, 4)
"""The vectors of `with_vectors`."""


def boxes(*labels: str) -> sc.Detections:
    return sc.Detections(detections=[sc.Detection(label=label, bounding_box=[0, 0, 0.5, 0.5]) for label in labels])


def with_one_of_all(dataset: sc.Dataset) -> sc.Dataset:
    """One sample with fields of all kinds."""
    dataset.add_sample(
        sc.Sample(
            "/1.png", tags=["a"], metadata=sc.ImageMetadata(width=4, height=3), score=0.5, n=1,
            facts={"x": 1, "y": [1]}, words=["one", "two"], gt=sc.Classification(label="cat", confidence=0.5),
            pred=boxes("car", "bus"),
        )
    )  # fmt: skip
    return dataset


def with_vectors(dataset: sc.Dataset) -> sc.Dataset:
    """Ten samples with vectors, and one without."""
    dataset.add_samples(sc.Sample(f"/{n}.png", n=n, embedding=row) for n, row in enumerate(MATRIX))
    dataset.add_sample(sc.Sample("/10.png", n=10))
    return dataset


def twice(dataset: sc.Dataset) -> tuple[sc.Sample, sc.Sample]:
    """The first sample in two hands, everything read."""
    pair = dataset.first(), dataset.first()
    for sample in pair:
        sample.to_dict()
    return pair


def stored_sample(dataset: sc.Dataset, database) -> dict:
    """The document of a dataset's only sample."""
    return database[f"samples.{dataset._id}"].find_one()


def stored_vectors(dataset: sc.Dataset, database) -> int:
    """How many vectors are stored, named or not."""
    return database[f"vectors.{dataset._id}"].count_documents({})
