"""What is measured of the brain: each verb beside FiftyOne's, on the same vectors. `data_layer.py --list` takes it.

The vectors lie in 200 clusters of different size, of length one, along 32 directions: about as learned ones do.
"""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from operations import Bench, Operation, Timed

NEIGHBORS = 10
FILES = 2000


@cache
def vectors(n: int, d: int) -> np.ndarray[Any, Any]:
    """Clustered vectors of length one, (n, d) float32."""
    random = np.random.default_rng(51)
    centers = random.standard_normal((200, 32))
    shares = random.dirichlet(np.full(200, 0.5))
    rows = centers[random.choice(200, n, p=shares)] + 0.4 * random.standard_normal((n, 32))
    placed = rows @ random.standard_normal((32, d)) / np.sqrt(32) + 0.02 * random.standard_normal((n, d))
    return (placed / np.linalg.norm(placed, axis=1, keepdims=True)).astype(np.float32)


def brain_of(bench: Bench) -> Any:
    """The verbs of the library that is measured."""
    if bench.is_ours:
        import saccade.brain

        return saccade.brain
    import fiftyone.brain

    return fiftyone.brain


def _given(bench: Bench) -> np.ndarray[Any, Any]:
    return vectors(bench.samples, bench.dimension)


def _add(bench: Bench) -> Timed:
    bench.dataset = bench.new_dataset("scores")
    half = bench.samples // 2
    samples = [
        bench.library.Sample(filepath=path, tags=["train" if row < half else "test"])
        for row, path in enumerate(bench.photos.filepaths)
    ]
    _given(bench)
    return lambda: len(bench.dataset.add_samples(samples))


def _verb(name: str, *arguments: Any, **options: Any) -> Any:
    def prepare(bench: Bench) -> Timed:
        brain, embeddings = brain_of(bench), _given(bench)

        def timed() -> None:
            getattr(brain, name)(bench.dataset, *arguments, embeddings=embeddings, **options)

        return timed

    return prepare


def _near_duplicates(bench: Bench) -> Timed:
    return _verb("compute_near_duplicates", *([] if bench.is_ours else [0.2]))(bench)


def _leaks(bench: Bench) -> Timed:
    return _verb("compute_leaky_splits", ["train", "test"], *([] if bench.is_ours else [0.2]))(bench)


def _index(bench: Bench) -> Timed:
    if bench.dataset.has_brain_run("similar"):
        bench.dataset.delete_brain_run("similar")
    return _verb("compute_similarity", brain_key="similar")(bench)


def _load_index(bench: Bench) -> Timed:
    _forget(bench)
    return lambda: bench.dataset.load_brain_results("similar") is not None


def _forget(bench: Bench) -> None:
    """Let the peer load its results anew; ours are never kept."""
    if not bench.is_ours:
        bench.dataset.clear_cache()


def _query(bench: Bench) -> Timed:
    (first,) = bench.dataset.limit(1).values("id")
    _forget(bench)
    return lambda: len(bench.dataset.sort_by_similarity(first, k=100, brain_key="similar").values("id"))


def _files(bench: Bench) -> Timed:
    folder = Path(bench.cache) / "files"
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(51)
    paths = [str(folder / f"{number}.png") for number in range(FILES)]
    for path in paths:
        Path(path).write_bytes(random.integers(0, 256, 8000, dtype=np.uint8).tobytes())
    dataset, brain = bench.new_dataset("files"), brain_of(bench)
    dataset.add_samples([bench.library.Sample(filepath=path) for path in paths])

    def timed() -> None:
        brain.compute_exact_duplicates(dataset)

    return timed


def _neighbors(bench: Bench) -> Timed:
    rows = _given(bench)
    if bench.is_ours:
        from saccade.brain.kernels.neighbors import nearest_neighbors

        return lambda: int(nearest_neighbors(rows, NEIGHBORS)[1][:, 0].sum())
    from sklearn.neighbors import NearestNeighbors

    search = NearestNeighbors(n_neighbors=NEIGHBORS + 1, algorithm="brute")
    return lambda: int(search.fit(rows).kneighbors(rows)[1][:, 1].sum())


_ALL = (
    Operation("neighbours (scikit-learn)", _neighbors, 5),
    Operation("add_samples", _add),
    Operation("uniqueness", _verb("compute_uniqueness"), 12, needs="add_samples"),
    Operation("representativeness", _verb("compute_representativeness"), 1.5, needs="add_samples"),
    Operation("near duplicates", _near_duplicates, 5, needs="add_samples"),
    Operation("leaky splits", _leaks, 5, needs="add_samples"),
    Operation("principal components", _verb("compute_visualization", method="pca"), 1.5, needs="add_samples"),
    Operation("similarity index", _index, 20, needs="add_samples"),
    Operation("similarity, load", _load_index, 20, needs="similarity index"),
    Operation("similarity, first query", _query, 20, needs="similarity index"),
    Operation("exact duplicates, 2000 files", _files, 0.8),
)
OPERATIONS = {operation.name: operation for operation in _ALL}
