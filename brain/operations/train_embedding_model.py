"""`train_embedding_model`: a model of one's own, learned from the images alone. The learning is `brain.training`."""

import json
import re
from collections.abc import Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Literal

from xxhash import xxh3_128_hexdigest

from ...dataset import columns, runs
from ...dataset.errors import FieldKindError, ModelError
from ...dataset.labels import Classification
from ...dataset.progress import shown
from ...dataset.schema import EmbeddedDocumentField, StringField
from ...dataset.store import model_records
from ...dataset.types import Bson, Progress
from ..models.extras import imported
from ..models.registry import MODELS
from ..models.torch_module import checked_device
from ..models.trained import TrainedModel, keep_model, load_record
from .media_pass import first_failures, read_places

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection
    from ..training.loop import Epoch, Trained
    from ..training.pixels import Pixels
    from ..training.recipes import Recipe

_COLUMNS = ("epoch", "loss", "agreement", "accuracy", "spread")


class Training(runs.Run):
    """A training: the model that came of it, and how it came about."""

    @property
    def model_name(self) -> str:
        """What to give as `model` wherever images are embedded."""
        return str(self.params["name"])

    @property
    def model(self) -> TrainedModel:
        """The model.

        Raises:
            ModelError: if it was deleted or replaced, or its file is missing.
        """
        return load_record(self._model_record())

    def curve(self) -> dict[str, list[Any]]:
        """What each epoch came to, as columns: epoch, loss, agreement, accuracy and spread.

        Row 0 is the untrained network, which has no loss. Without labels, accuracy is None. All but the loss lie in
        0 to 1.

        Raises:
            ModelError: if the model was deleted or replaced.

        Example:
            ```python
            pandas.DataFrame(run.curve()).plot(x="epoch", y="agreement")
            ```
        """
        rows = self._model_record()["curve"]
        return {name: [row[name] for row in rows] for name in _COLUMNS}

    def _model_record(self) -> Bson:
        found = model_records.find_model(self.model_name)
        if found is None:
            raise ModelError(f"the model {self.model_name!r} was deleted. Train it again.")
        if found["version"] != self.facts.get("version"):
            raise ModelError(
                f"this run is {self.state} and gave version {self.facts.get('version')} of model {self.model_name!r}; "
                f"there is version {found['version']} now."
            )
        return found


def train_embedding_model(
    samples: "SampleCollection",
    name: str | None = None,
    *,
    method: Literal["simclr", "vicreg"] = "vicreg",
    backbone: str = "cnn",
    image_size: int | None = None,
    dimension: int | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    augmentations: Mapping[str, Any] | None = None,
    patience: int | None = None,
    label_field: str | None = None,
    device: str | None = None,
    seed: int = 0,
    resume: bool = True,
    overwrite: bool = False,
    brain_key: str | None = None,
    progress: Progress = None,
) -> Training:
    """Train a model that embeds images, on the images of these samples and without labels.

    The network sees two views of each image, cropped and coloured differently, and learns to give them one vector. What
    it learned is kept under `name`, for use wherever a model is named: `compute_embeddings(samples, model=name)`.
    The same samples, arguments, machine and number of threads give the same model, also when the training was stopped,
    by whatever, and called again: it goes on from its last checkpoint. docs/training.md says what to expect.

    Args:
        samples: a dataset or view of at least 16 images. Those that cannot be read are left out and counted.
        name: the model's name, by default "<dataset>-<method>".
        method: "vicreg", which asks that the two views of an image agree, that every number varies and that no two say
            the same; or "simclr", which tells each image from the others of its batch.
        backbone: "cnn" or "vit", the small ones; or "cnn-medium", "vit-medium".
        image_size: the side of what the network looks at, 8 to 512 pixels; 64 by default.
        dimension: length of a vector; 64 by default.
        epochs: how often each image is seen, at most; by default 60 to 5, fewer the more images there are.
        batch_size: images per step; by default 64 to 256.
        learning_rate: the largest step; by default 0.002, of "vit" 0.0005.
        augmentations: what differs from the usual views, by the names of
            `saccade.brain.training.augmentations.Augmentations`: {"horizontal_flip": False} where left is not right.
        patience: epochs without a better validation after which the training stops; half of all by default.
        label_field: a Classification or text field. Nothing is learned from it, but it validates: the share of
            held-out images whose nearest neighbours foretell their label then says which epoch is the best, instead of
            the agreement of neighbours between two views.
        device: "cpu", "cuda", …; by default a GPU if there is one.
        seed: draws weights, order and views.
        resume: go on from a checkpoint of the same training, and return the model if it is finished. Otherwise begin
            anew.
        overwrite: replace a model of this name.
        brain_key: the key of the run, by default "model_" and the name, with "_" for what keys cannot hold.
        progress: whether to show a bar: True, False, None (the setting), or a function of (done, total), called for the
            files that are read and then for the epochs.

    Returns:
        The run, with `model` and `curve()`. Its summary has loss and agreement before and after.

    Writes:
        Nothing on the samples. The weights, and checkpoints while it runs, in files under the data folder; their record
        in the catalogue.

    Raises:
        ModelError: if the name is taken or cannot be used, an argument cannot be, there are too few images, all are
            the same, or the training breaks or collapses.
        MissingExtraError: if torch is not installed.
        FieldKindError: if `label_field` holds no labels.

    Example:
        ```python
        run = scb.train_embedding_model(dataset, "street")
        scb.compute_embeddings(dataset, model="street", embeddings_field="street")
        ```
    """
    torch = imported("torch", "torch", "train_embedding_model")
    from ..training.pixels import read_pixels
    from ..training.recipes import recipe_for

    chosen = f"{samples._root.name}-{method}" if name is None else name
    _refuse_name(chosen)
    place = checked_device(torch, device)
    count = len(samples)
    recipe = recipe_for(
        count, method=method, backbone=backbone, image_size=image_size, dimension=dimension, epochs=epochs,
        batch_size=batch_size, learning_rate=learning_rate, augmentations=augmentations, patience=patience, seed=seed,
    )  # fmt: skip
    label_path = None if label_field is None else _label_path(samples, label_field)
    work = _Work(chosen, recipe, str(samples._root._id), resume=resume, overwrite=overwrite)
    work.refuse_taken(None)
    params = {"name": chosen, **work.params, "label_field": label_field, "device": str(place)}
    reads = ["filepath", *([] if label_path is None else [label_path])]
    key = brain_key or "model_" + re.sub(r"\W", "_", chosen)
    with ExitStack() as stack:
        run = stack.enter_context(runs.record(samples, "train_embedding_model", key=key, reads=reads, params=params))
        assert isinstance(run, Training)
        _, places = read_places(samples)
        held = None if label_path is None else columns.read_scalars(samples, [label_path])[1][label_path]
        pixels = stack.enter_context(read_pixels(places, recipe.stored_size, progress))
        labels = None if held is None else [held[row] for row in pixels.positions]
        run.facts = work.carry_out(pixels, labels, place, samples._root.name, progress)
        if pixels.failures:
            reasons = {str(places[row]): reason for row, reason in pixels.failures.items()}
            run.facts["failures"] = first_failures(reasons)
    return run


class _Work:
    """A training that was asked for: whether it is done already, and doing it."""

    def __init__(self, name: str, recipe: "Recipe", dataset_id: str, *, resume: bool, overwrite: bool) -> None:
        self.name, self.recipe, self.resume, self.overwrite = name, recipe, resume, overwrite
        self.owner = f"{dataset_id} {name}"
        self.params: dict[str, Any] = json.loads(json.dumps(recipe.params()))

    def refuse_taken(self, fingerprint: str | None) -> Bson | None:
        """Look for the model; one that this very training gave is returned, any other refused.

        Args:
            fingerprint: of the training; None while the images are not read yet.
        """
        found = None if self.overwrite else model_records.find_model(self.name)
        if found is None:
            return None
        same = self.resume and found["params"] == self.params and fingerprint in {None, found["fingerprint"]}
        if not same:
            raise ModelError(
                f"there is a model {self.name!r} already, trained on {found.get('dataset_name')!r} at "
                f"{found['created_at']:%Y-%m-%d %H:%M} UTC with other images or arguments. Choose another name, or "
                "pass overwrite=True."
            )
        return found

    def carry_out(
        self, pixels: "Pixels", labels: list[str | None] | None, device: Any, dataset_name: str, progress: Progress
    ) -> dict[str, Any]:
        """Train, unless it is done already, and keep the model; returns what the run says about it."""
        from ..training.checkpoints import Checkpoint
        from ..training.loop import train

        _refuse_images(pixels)
        fingerprint = xxh3_128_hexdigest(json.dumps([1, self.params, pixels.digest(), labels]).encode())
        counts = {"images": len(pixels.positions), "failed": len(pixels.failures)}
        checkpoint = Checkpoint(self.owner, fingerprint)
        record = self.refuse_taken(fingerprint)
        if record is not None:
            checkpoint.remove()  # it was stopped after the model was kept
            return {**counts, "trained": "before", **_facts(record)}
        with shown(self.recipe.epochs, progress, unit="epochs") as advance:

            def report(epoch: "Epoch") -> None:
                if epoch.loss is not None:
                    accuracy = {} if epoch.accuracy is None else {"accuracy": epoch.accuracy}
                    advance(1, loss=epoch.loss, agreement=epoch.agreement, **accuracy)

            trained = train(
                pixels.images, self.recipe, labels=labels, device=device, checkpoint=checkpoint, resume=self.resume,
                report=report,
            )  # fmt: skip
        record = self._keep(trained, fingerprint, dataset_name)
        checkpoint.remove()
        state = "early" if trained.stopped else "to the end"
        resumed = {} if trained.resumed is None else {"resumed_after_epoch": trained.resumed}
        return {**counts, "trained": state, **resumed, **_facts(record)}

    def _keep(self, trained: "Trained", fingerprint: str, dataset_name: str) -> Bson:
        from ... import __version__

        self.refuse_taken(None)  # another training may have taken the name meanwhile
        recipe = self.recipe
        values = {
            "name": self.name, "backbone": recipe.backbone, "dimension": recipe.dimension,
            "image_size": recipe.image_size, "method": recipe.method, "dataset_name": dataset_name,
            "params": self.params, "curve": [vars(epoch) for epoch in trained.curve], "fingerprint": fingerprint,
            "library_version": __version__,
        }  # fmt: skip
        return keep_model({**values, "best_epoch": trained.best}, trained.weights)


def _facts(record: Bson) -> dict[str, Any]:
    """What a run says about the model that it gave."""
    curve, best = record["curve"], record["best_epoch"]
    facts = {"version": record["version"], "epochs": len(curve) - 1, "best_epoch": best}
    facts["loss"] = {"first": curve[1]["loss"], "best": curve[best]["loss"]}
    for name in ("agreement", "accuracy"):
        if curve[0][name] is not None:
            facts[name] = {"untrained": curve[0][name], "best": curve[best][name]}
    return facts


def _refuse_name(name: Any) -> None:
    wrong = None
    if not isinstance(name, str) or not name.strip():
        wrong = "a name is a text that is not empty"
    elif name in MODELS:
        wrong = "that is a built-in model"
    elif len(name) > 200:
        wrong = "a name has 200 characters at most"
    elif any(character in '/\\:"' or not character.isprintable() for character in name) or name.startswith("."):
        wrong = "a name holds no slash, colon, quote or line break, and does not begin with a dot"
    elif name.lower().endswith((".npy", ".csv", ".onnx", ".keras", ".h5", ".pt", ".safetensors")):
        wrong = "it would be taken for a file"
    if wrong:
        raise ModelError(f"name={name!r:.250} cannot be the name of a model: {wrong}. Use one such as 'street-simclr'.")


def _label_path(samples: "SampleCollection", field: str) -> str:
    """The path of the labels of a field.

    Raises:
        FieldKindError: if it holds no labels of one class per image.
    """
    kind = samples._schema().resolve(field, samples._title()).field
    if isinstance(kind, EmbeddedDocumentField) and kind.document_type == Classification.__name__:
        return f"{field}.label"
    if isinstance(kind, StringField):
        return field
    raise FieldKindError(f"label_field={field!r} holds {kind}; expected a Classification or a text per sample.")


def _refuse_images(pixels: "Pixels") -> None:
    from ..training.recipes import SMALLEST

    count = len(pixels.positions)
    if count < SMALLEST:
        first = next(iter(pixels.failures.values()), None)
        broken = f"; {len(pixels.failures)} could not be read, the first: {first}" if first else ""
        raise ModelError(
            f"there are {count} images to train on{broken}. At least {SMALLEST} are needed, "
            "and some hundreds to learn much; model='builtin' needs none."
        )
    if pixels.are_all_equal():
        raise ModelError(f"all {count} images are the same, so there is nothing to learn from them.")
