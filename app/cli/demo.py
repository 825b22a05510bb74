"""`saccade demo`: the main job on real images, from files on disk to a tagged batch.

scikit-learn's handwritten digits become PNG files and a dataset; some labels are made wrong; a classifier predicts;
the images are embedded and scored; 100 are selected. Nothing is downloaded, and all of it stays in the database.
"""

import argparse
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...dataset.errors import DatasetExistsError
from ...dataset.settings import current

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection
    from ...dataset.dataset import Dataset

TAG = "to-label"
WRONG = 0.05
SELECTED = 100
SEED = 51
_MARK = "saccade-demo"


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare `saccade demo`."""
    text = "run the main job on handwritten digits: a dataset, scores, a selected batch"
    parser = subparsers.add_parser("demo", help=text, description=__doc__)
    parser.add_argument("--name", default="digits", help="name of the dataset (default: %(default)s)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the demo. A second run replaces the dataset of the first."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    started = time.perf_counter()
    print(f"\nSaccade demo: {len(digits.target):,} handwritten digits, from image files to a batch worth a look\n")
    with _step("database") as say:
        _refuse_foreign(args.name)
        say(_where())
    with _step("images") as say:
        folder = _write_images(digits)
        say(f"{len(digits.target):,} PNG files, a folder per class")
    with _step("dataset") as say:
        dataset = _make_dataset(folder, args.name)
        say(f"{dataset.name!r}: {len(dataset):,} samples in {len(dataset.default_classes)} classes, from the folders")
    with _step("labels") as say:
        changed = _plant_wrong_labels(dataset)
        say(f"{changed} made wrong on purpose ({WRONG:.0%}), the truth in 'true_label'")
    with _step("predictions") as say:
        right = _predict(dataset, digits)
        say(f"5-fold logistic regression with logits, {right:.1%} right")
    _conclude(dataset, changed)
    print(
        f"\n{time.perf_counter() - started:.1f} s in all, and it stays. Type this next, today or tomorrow, in Python:\n"
    )
    for line in _next_lines(dataset):
        print(f"    {line}")
    print(f"\nThe images are in {_short(folder)}")
    return 0


def _conclude(dataset: "Dataset", changed: int) -> None:
    """Embed, score and select."""
    from ...brain import compute_embeddings, compute_uniqueness, select

    with _step("embeddings") as say:
        made = compute_embeddings(dataset, progress=False)
        say(f"{made.summary()['embedded']:,} vectors by the built-in descriptor, {made.summary()['failed']} failures")
    with _step("uniqueness") as say:
        low, _, middle, _, high = compute_uniqueness(dataset, progress=False).summary()["quartiles"]
        say(f"lowest {low:.2f}, median {middle:.2f}, highest {high:.2f}")
    _judge(dataset, changed)
    with _step("selection") as say:
        batch = select(dataset, n_samples=SELECTED, tag=TAG, progress=False)
        say(f"{len(batch)} as unlike each other as can be, tagged {TAG!r}")


def _judge(dataset: "Dataset", changed: int) -> None:
    """Find the wrong labels and the hard samples, and see how many of them are that indeed."""
    from ...brain import compute_active_learning_scores, compute_hardness, compute_mistakenness

    with _step("mistakenness") as say:
        doubted = compute_mistakenness(dataset, "predictions", "ground_truth", progress=False).view().limit(changed)
        found = _share(doubted, "ground_truth.label", "true_label") * changed
        say(f"{found:.0f} of the {changed} most doubtful labels were made wrong")
    with _step("hardness") as say:
        tenth = compute_hardness(dataset, "predictions", progress=False).view().limit(len(dataset) // 10)
        wrong, usual = (_share(view, "predictions.label", "true_label") for view in (tenth, dataset))
        say(f"{wrong:.0%} of the hardest tenth predicted wrong, {usual:.0%} of all")
    with _step("unsure") as say:
        made = compute_active_learning_scores(dataset, "predictions", progress=False)
        say(f"{len(made.writes)} active-learning scores by Lightly's names")


def _share(samples: "SampleCollection", one: str, other: str) -> float:
    """The share of samples whose two values differ."""
    values = samples.values([one, other])
    return float(sum(a != b for a, b in zip(*values, strict=True)) / len(samples))


@contextmanager
def _step(name: str) -> Iterator[Any]:
    """Print a step's name when it begins, and what came of it, with the time, when it ends."""
    said: list[str] = []
    print(f"  {name:<13}", end="", flush=True)
    begun = time.perf_counter()
    try:
        yield said.append
    except BaseException:
        print("stopped")
        raise
    print(f"{' '.join(said):<58}{time.perf_counter() - begun:>5.1f} s")


def _where() -> str:
    from ...dataset.named import list_datasets

    place = "the MongoDB of your settings" if current().database_uri else "our own MongoDB, on a private socket"
    others = len(list_datasets())
    return f"{place}; {others} dataset{'' if others == 1 else 's'} so far"


def _refuse_foreign(name: str) -> None:
    """Never replace a dataset that the demo did not make."""
    from ...dataset.named import dataset_exists, load_dataset

    if dataset_exists(name) and _MARK not in load_dataset(name).tags:
        raise DatasetExistsError(
            f"a dataset named {name!r} exists, and not from an earlier demo. "
            "Keep it and run: saccade demo --name demo-digits"
        )


def _write_images(digits: Any) -> Path:
    """Write each image into the folder of its class, named by its number."""
    import numpy as np
    from PIL import Image

    folder = current().data_dir / "demo" / "digits"
    for name in digits.target_names:
        (folder / str(name)).mkdir(parents=True, exist_ok=True)
    pixels = np.rint(digits.images * (255 / 16)).astype(np.uint8)
    for number, (image, label) in enumerate(zip(pixels, digits.target, strict=True)):
        Image.fromarray(image).save(folder / str(label) / f"{number:04}.png")
    return folder


def _make_dataset(folder: Path, name: str) -> "Dataset":
    from ...dataset.dataset import Dataset
    from ...dataset.formats.types import ImageClassificationDirectoryTree

    dataset = Dataset.from_dir(
        folder, ImageClassificationDirectoryTree, name=name, overwrite=True, label_field="ground_truth", progress=False
    )
    dataset.tags = [_MARK]
    dataset.description = "scikit-learn's handwritten digits, 8 x 8 pixels, with wrong labels planted by `saccade demo`"
    dataset.default_classes = sorted(dataset.distinct("ground_truth.label"))
    return dataset


def _plant_wrong_labels(dataset: "Dataset") -> int:
    """Give a share of the samples another label; the true one goes into a field of its own."""
    import numpy as np

    random = np.random.default_rng(SEED)
    truth: list[str] = dataset.values("ground_truth.label")
    labels = list(truth)
    chosen = random.choice(len(labels), round(WRONG * len(labels)), replace=False)
    for row in chosen:
        labels[row] = str(random.choice([name for name in dataset.default_classes if name != truth[row]]))
    dataset.set_values("true_label", truth)
    dataset.set_values("ground_truth.label", labels)
    return len(chosen)


def _predict(dataset: "Dataset", digits: Any) -> float:
    """Add out-of-sample predictions of a model trained on the labels as they now are; returns its true accuracy."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from threadpoolctl import threadpool_limits

    from ...dataset.labels import Classification

    pixels = digits.data[[int(Path(path).stem) for path in dataset.values("filepath")]] / 16
    labels, truth = dataset.values("ground_truth.label"), dataset.values("true_label")
    folds = StratifiedKFold(5, shuffle=True, random_state=SEED)
    model = LogisticRegression(max_iter=1000)
    with threadpool_limits(1):  # the matrices are small: two threads on a busy machine take a hundred times as long
        probabilities = cross_val_predict(model, pixels, labels, cv=folds, method="predict_proba")
    classes, best = dataset.default_classes, probabilities.argmax(axis=1)
    logits = np.log(np.maximum(probabilities, 1e-12)).astype(np.float32)
    rows = zip(best, probabilities.max(axis=1), logits, strict=True)
    predictions = [Classification(label=classes[k], confidence=float(p), logits=row) for k, p, row in rows]
    dataset.set_values("predictions", predictions)
    return float(np.mean([prediction.label == true for prediction, true in zip(predictions, truth, strict=True)]))


def _next_lines(dataset: "Dataset") -> list[str]:
    """Three lines to type next."""
    variable = dataset.name if dataset.name.isidentifier() else "digits"
    return [
        "import saccade as sc",
        f"{variable} = sc.load_dataset({json.dumps(dataset.name)})",
        f'print({variable}.match_tags("{TAG}").sort_by("uniqueness", reverse=True).first())',
    ]


def _short(path: Path) -> str:
    """A path as a person would type it."""
    return f"~/{path.relative_to(Path.home())}" if path.is_relative_to(Path.home()) else str(path)
