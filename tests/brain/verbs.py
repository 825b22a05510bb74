"""Every verb on a small dataset that has something for each: names and paths are in many alphabets, files are real."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from bson import encode
from numpy.typing import NDArray

import saccade as sc
import saccade.brain as scb
from saccade.dataset.runs import Run
from saccade.dataset.store import connection, field_records

CLASSES = ["Katze 猫", "собака", "$cow.v1", "зебра"]
"""The last is predicted, though no label has it; the first is a label, though nothing is predicted to be it."""

COUNT = 12
"""How many samples there are, of which the last is a copy of the first."""

Change = Callable[[dict[str, Any]], None]
Verb = Callable[..., Any]


def made(numbers: Iterable[int], folder: Path, name: str = "все", **changes: Change) -> sc.Dataset:
    """A dataset with a sample for each number, the content of which depends on its number alone.

    Args:
        numbers: of the samples; what comes twice is the same twice.
        folder: for the files.
        name: of the dataset.
        changes: what is done to the fields of some samples before they are added: `row_7` to that of number 7, `all`.
    """
    dataset = sc.Dataset(name, overwrite=True)
    dataset.default_classes = CLASSES
    samples, seen = [], []
    for number in numbers:
        fields = _fields(number, folder, seen.count(number))
        for change in (changes.get("all"), changes.get(f"row_{number}")):
            if change is not None:
                change(fields)
        samples.append(sc.Sample(**fields))
        seen.append(number)
    dataset.add_samples(samples, dynamic=True)
    return dataset


def _fields(number: int, folder: Path, repeats: int) -> dict[str, Any]:
    content = number % (COUNT - 1)
    rng = np.random.default_rng(content)
    path, file = folder / f"{number:02} фото {repeats}.png", folder / f"{content}.npy"
    path.write_bytes(b"%d" % content)
    answers = rng.standard_normal((3, 4)) * 3 - [9, 0, 0, 0]
    pixels = np.exp(rng.standard_normal((8, 8, 4)))
    np.save(file, pixels / pixels.sum(axis=2, keepdims=True))
    corners = rng.uniform(0, 0.5, (2, 2))
    return {
        "filepath": str(path),
        "tags": ["train" if (number + repeats) % 2 else "test"],
        "embedding": rng.standard_normal(4),
        "truth": sc.Classification(label=CLASSES[content % 3]),
        "guess": _classified(answers[0]),
        "truths": sc.Classifications(classifications=[sc.Classification(label=CLASSES[content % 3])]),
        "guesses": sc.Classifications(classifications=[_classified(answers[1])], logits=answers[1]),
        "boxes": sc.Detections(detections=[_box(corner, CLASSES[content % 3]) for corner in corners]),
        "found": sc.Detections(
            detections=[_box(corner + 0.01, CLASSES[1 + content % 3], rng.uniform(0.2, 1)) for corner in corners]
        ),
        "size": sc.Regression(value=float(content)),
        "told": sc.Regression(value=content + rng.standard_normal()),
        "mask": sc.Segmentation(mask=(np.arange(64).reshape(8, 8) // 16 + content) % 3),
        "painted": sc.Segmentation(probabilities_path=str(file)),
        "joints": sc.Keypoints(
            keypoints=[sc.Keypoint(points=[[0.1, 0.2]] * 3, confidence=rng.uniform(0, 1, 3).tolist())]
        ),
    }


def _classified(logits: NDArray[Any]) -> sc.Classification:
    p = np.exp(logits) / np.exp(logits).sum()
    return sc.Classification(label=CLASSES[p.argmax()], confidence=float(p.max()), logits=logits)


def _box(corner: NDArray[Any], label: str, confidence: float | None = None) -> sc.Detection:
    return sc.Detection(label=label, bounding_box=[*corner, 0.3, 0.4], confidence=confidence)


def numbers_of(samples: Any) -> list[int]:
    return [int(Path(path).name[:2]) % (COUNT - 1) for path in samples.values("filepath")]


def vectors_of(samples: Any) -> NDArray[Any]:
    """An array with a row for each sample, as callers give it instead of the name of a field."""
    rows = [np.random.default_rng(number).standard_normal(5) for number in numbers_of(samples)]
    return np.array(rows).reshape(-1, 5)


def history_of(samples: Any) -> NDArray[Any]:
    """What a model said of each sample after each of three epochs."""
    rows = [np.random.default_rng(number).standard_normal((3, 4)) for number in numbers_of(samples)]
    return np.array(rows).reshape(-1, 3, 4).swapaxes(0, 1)


def _mistaken(pred: str, label: str, **options: Any) -> Verb:
    return lambda samples, **more: scb.compute_mistakenness(samples, pred, label, **options, **more)


def _hard(field: str, **options: Any) -> Verb:
    return lambda samples, **more: scb.compute_hardness(samples, field, **options, **more)


def _learning(field: str) -> Verb:
    return lambda samples, **more: scb.compute_active_learning_scores(samples, field, **more)


def _of_array(verb: Verb, **options: Any) -> Verb:
    return lambda samples, **more: verb(samples, **{"embeddings": vectors_of(samples), **options, **more})


def _trained(method: str) -> Verb:
    return lambda samples, **more: scb.compute_hardness(
        samples, "guess", ground_truth_field="truth", method=method, **{"history": history_of(samples), **more}
    )


def _leaking(samples: Any, **options: Any) -> Any:
    return scb.compute_leaky_splits(samples, ["train", "test"], **options)


VERBS: Mapping[str, Verb] = {
    "uniqueness": scb.compute_uniqueness,
    "uniqueness of an array": _of_array(scb.compute_uniqueness),
    "uniqueness by the nearest": _of_array(scb.compute_uniqueness, method="nearest", metric="cosine"),
    "representativeness": scb.compute_representativeness,
    "representativeness of an array": _of_array(scb.compute_representativeness),
    "near duplicates": scb.compute_near_duplicates,
    "near duplicates of an array": _of_array(scb.compute_near_duplicates, threshold=0.1),
    "exact duplicates": scb.compute_exact_duplicates,
    "leaky splits": _leaking,
    "leaky splits of an array": _of_array(_leaking, threshold=0.1),
    "similarity": scb.compute_similarity,
    "similarity of an array": _of_array(scb.compute_similarity),
    "visualization": scb.compute_visualization,
    "visualization of an array": _of_array(scb.compute_visualization),
    "mistakenness of a class": _mistaken("guess", "truth"),
    "mistakenness by confidence": _mistaken("guess", "truth", method="confidence"),
    "mistakenness of classes": _mistaken("guesses", "truths"),
    "mistakenness of boxes": _mistaken("found", "boxes"),
    "mistakenness of boxes by confidence": _mistaken("found", "boxes", method="confidence"),
    "mistakenness of numbers": _mistaken("told", "size", mistakenness_field="number_mistakenness"),
    "mistakenness of masks": _mistaken("painted", "mask"),
    "hardness of a class": _hard("guess"),
    "hardness of a class with labels": _hard("guess", ground_truth_field="truth"),
    "hardness of classes": _hard("guesses"),
    "hardness of boxes": _hard("found"),
    "hardness of boxes with labels": _hard("found", ground_truth_field="boxes"),
    "entropy": _hard("guess", method="entropy"),
    "hardness with a history": _trained("evidence"),
    "area under the margin": _trained("aum"),
    "forgetting": _trained("forgetting"),
    "active learning of a class": _learning("guess"),
    "active learning of boxes": _learning("found"),
    "active learning of masks": _learning("painted"),
    "active learning of keypoints": _learning("joints"),
}


DIFFERENT = {name: verb for name, verb in VERBS.items() if "array" not in name or "uniqueness" in name}
"""Without what differs in nothing but where its vectors come from."""

HIGHEST = {
    "entropy": np.log(4), "forgetting": 3.0, "possible_missing": 2.0, "possible_spurious": 2.0, "leaks": np.inf,
    "near_duplicates": 2.0,
}  # fmt: skip
"""The highest values of verbs and fields where that is not 1."""


def values_of(samples: Any) -> dict[str, dict[str, Any]]:
    """All values of all samples by the names of their files, which stand for their ids as well."""
    names = {sample.id: Path(sample.filepath).name for sample in samples._root}
    return {
        names[sample.id]: {
            name: _plain(sample[name], names) for name in sample.field_names if name not in {"id", "filepath"}
        }
        for sample in samples
    }


def _plain(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(one, names) for one in value]
    if hasattr(value, "to_dict"):
        value = value.to_dict()
    if isinstance(value, dict):
        return {key: _plain(one, names) for key, one in value.items() if key not in {"_id", "id", "last_modified_at"}}
    return names.get(value, value) if isinstance(value, str) else value


def written(dataset: sc.Dataset, run: Run) -> Iterator[tuple[str, float]]:
    """All numbers in the fields that a run wrote, with their paths."""
    for path in declared(dataset, run):
        yield from ((path, number) for number in _numbers(dataset.values(path)))


def declared(dataset: sc.Dataset, run: Run) -> list[str]:
    """The fields of a run that there are: where nothing is to be written, there may be none."""
    known = dataset.get_field_schema(flat=True)
    return [path for path in run.writes if path in known]


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, int | float | np.number):
        yield float(value)
    elif isinstance(value, Iterable) and not isinstance(value, str):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from _numbers(one)


def unsound(dataset: sc.Dataset, name: str, run: Run) -> list[str]:
    """The numbers that a verb wrote outside the range that it documents."""
    wrong = []
    for path, number in written(dataset, run):
        if path in {"similarity", "visualization"} or path.endswith("_suggestion"):
            low, high = -np.inf, np.inf
        else:
            low, high = 0.0, HIGHEST.get(path, HIGHEST.get(name, 1.0))
        if not (np.isfinite(number) and low <= number <= high):
            wrong.append(f"{name}: {number} in {path!r}")
    return wrong


@contextmanager
def run_of(verb: Verb, samples: Any, **options: Any) -> Iterator[Any]:
    """The run of a verb, with what it wrote until the end of the block."""
    run = verb(samples, **options)
    yield run
    samples._root.delete_run(run.key)


def stored(dataset: sc.Dataset) -> Any:
    """All documents of samples as they lie in the database, and the schema."""
    documents = connection.database()[f"samples.{dataset._id}"].find().sort("_id", 1)
    return [encode(one) for one in documents], {
        path: record["field"] for path, record in field_records.by_path(dataset._id).items()
    }
