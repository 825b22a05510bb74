"""The training loop: epochs of steps over two views of each image, validated, and saved so that it can go on.

Whatever is drawn at random is drawn from the seed, the epoch and the step, not from what was drawn before. So a
training that goes on from a checkpoint does what an undisturbed one does, number by number, on the same machine with
the same number of threads.
"""

import math
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from xxhash import xxh3_64_intdigest

from ...dataset.errors import ModelError
from ...dataset.types import IntArray
from ..models.backbones import build_backbone, normalised
from .checkpoints import Checkpoint
from .losses import nt_xent, vicreg
from .recipes import Recipe
from .validation import COLLAPSED, neighbor_accuracy, neighbor_agreement, spread

EPOCH_SECONDS = 5.0
"""At the end of an epoch a checkpoint is written if the last one is older than this."""

STEP_SECONDS = 120.0
"""Within an epoch, likewise."""

_HELD_OUT, _MOST_HELD_OUT, _FEWEST = 0.1, 1_024, 128
_MOST_KNOWN = 2_048
_BETTER = 1e-3
_CHUNK = 256

Weights = dict[str, Tensor]


@dataclass(frozen=True)
class Epoch:
    """What an epoch came to; number 0 is before the first.

    Attributes:
        epoch: its number.
        loss: the mean of its steps; None for number 0.
        agreement: `neighbor_agreement` between two views of the held-out images.
        accuracy: `neighbor_accuracy` of their labels, where there are labels.
        spread: how far the vectors of the held-out images differ.
    """

    epoch: int
    loss: float | None
    agreement: float
    accuracy: float | None
    spread: float

    @property
    def score(self) -> float:
        """What says which epoch is the best."""
        return self.agreement if self.accuracy is None else self.accuracy


@dataclass(frozen=True)
class Trained:
    """What a training gives.

    Attributes:
        weights: those of the network after its best epoch.
        curve: all epochs, from number 0.
        best: the number of the best; none of the first quarter.
        stopped: whether it ended early, since nothing became better.
        resumed: the epoch it went on from; None if it began anew.
    """

    weights: Weights
    curve: list[Epoch]
    best: int
    stopped: bool
    resumed: int | None


def train(
    images: NDArray[np.uint8], recipe: Recipe, *, labels: Sequence[str | None] | None = None,
    device: torch.device | str = "cpu", checkpoint: Checkpoint | None = None, resume: bool = True,
    report: Callable[[Epoch], None] = lambda _epoch: None,
) -> Trained:  # fmt: skip
    """Train a network on images.

    Args:
        images: (n, recipe.stored_size, recipe.stored_size, 3) uint8.
        recipe: what to do.
        labels: of the images, for the validation alone: nothing is learned from them. None where there is none.
        device: where to compute.
        checkpoint: where the state is kept, to go on from there.
        resume: whether to go on from an earlier state.
        report: called after each epoch; also with those done before, when the training goes on.

    Raises:
        ModelError: if the loss becomes NaN or infinite, or all images get the same vector.
    """
    work = _Training(images, recipe, labels, torch.device(device))
    state = checkpoint.load() if checkpoint is not None and resume else None
    if state is not None:
        work.restore(state)
    else:
        work.note(None)
    resumed = None if state is None else work.epoch
    for epoch in work.curve:
        report(epoch)
    with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True):
        while work.epoch < recipe.epochs and not work.is_exhausted:
            report(work.run_epoch(checkpoint))
    if work.curve[work.best].spread < COLLAPSED:
        raise _collapse(work.curve[work.best])
    return Trained(work.best_weights, work.curve, work.best, work.epoch < recipe.epochs, resumed)


class _Training:
    """A training under way: all that changes while it runs, and one epoch of it."""

    def __init__(
        self, images: NDArray[np.uint8], recipe: Recipe, labels: Sequence[str | None] | None, device: torch.device
    ) -> None:
        self._images, self._recipe, self._device = images, recipe, device
        self._network = build_backbone(recipe.backbone, recipe.image_size, recipe.dimension, recipe.seed).to(device)
        self._head = _projection(recipe).to(device)
        self._parameters = [*self._network.parameters(), *self._head.parameters()]
        self._optimizer = torch.optim.AdamW(self._parameters, lr=0.0, weight_decay=recipe.weight_decay)
        self._held = _HeldOut.of(len(images), labels, recipe.seed)
        self._steps = -(-len(self._held.training) // recipe.batch_size)
        self._saved = time.monotonic()
        self.epoch, self._step, self._total = 0, 0, 0.0
        self.curve: list[Epoch] = []
        self.best, self.best_weights = 0, _copied(self._network)

    @property
    def is_exhausted(self) -> bool:
        """Whether nothing has become better for as long as the recipe has patience."""
        return self.epoch - self.best >= self._recipe.patience

    def run_epoch(self, checkpoint: Checkpoint | None) -> Epoch:
        """Go through the images once, from where the epoch stands, and see what came of it."""
        order = np.random.default_rng([self._recipe.seed, self.epoch]).permutation(self._held.training)
        batches = np.array_split(order, self._steps)  # of nearly one size, so that none is too small to learn from
        self._network.train()
        while self._step < self._steps:
            self._total += self._learn(np.sort(batches[self._step]))
            self._step += 1
            if checkpoint is not None and time.monotonic() - self._saved > STEP_SECONDS:
                self._save(checkpoint)
        done = self.note(self._total / self._steps)
        if checkpoint is not None and time.monotonic() - self._saved >= EPOCH_SECONDS:
            self._save(checkpoint)
        return done

    def note(self, loss: float | None) -> Epoch:
        """Validate and begin the next epoch, or, without a loss, the first."""
        if loss is not None:
            self.epoch, self._step, self._total = self.epoch + 1, 0, 0.0
        self._network.eval()
        done = self._held.judge(self._embed, self._recipe, self.epoch, loss)
        self.curve.append(done)
        is_early = self.epoch <= max(1, self._recipe.epochs // 4)
        if is_early or done.score > self.curve[self.best].score + _BETTER:
            # What has hardly learned is never the best: views may agree on what it sees, though that tells little.
            self.best, self.best_weights = self.epoch, _copied(self._network)
        if all(one.spread < COLLAPSED for one in self.curve[-3:]) and self.epoch > 3:
            raise _collapse(done)
        return done

    def _learn(self, rows: IntArray) -> float:
        """Take one step; returns the loss before it."""
        recipe = self._recipe
        images = _as_numbers(self._images[rows], self._device)
        generator = _generator(recipe.seed, self.epoch, self._step)
        views = [recipe.augmentations.views(images, recipe.image_size, generator) for _ in range(2)]
        with _precision(self._device):
            one, other = self._head(self._network(normalised(torch.cat(views)))).chunk(2)
        loss = nt_xent(one, other, recipe.temperature) if recipe.method == "simclr" else vicreg(one, other)
        for group in self._optimizer.param_groups:
            group["lr"] = recipe.learning_rate * _schedule(
                self.epoch * self._steps + self._step, recipe.epochs * self._steps
            )
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch's own
        length = nn.utils.clip_grad_norm_(self._parameters, _longest(recipe.method))
        value = loss.item()
        if not math.isfinite(value) or not math.isfinite(length.item()):
            raise ModelError(
                f"the training broke in epoch {self.epoch + 1}: the loss is {value:g} and its gradient has the length "
                f"{length.item():g}. Use a smaller learning_rate than {recipe.learning_rate:g}."
            )
        self._optimizer.step()
        return value

    def _embed(self, rows: IntArray, look: Callable[[Tensor], Tensor]) -> NDArray[np.float32]:
        """Embed some of the images, some at a time, each brought to the right size by `look`."""
        found = []
        with torch.inference_mode():
            for start in range(0, len(rows), _CHUNK):
                images = look(_as_numbers(self._images[rows[start : start + _CHUNK]]))
                vectors = self._network(normalised(images.to(self._device))).float()
                found.append(nn.functional.normalize(vectors, dim=1).cpu())
        embedded: NDArray[np.float32] = torch.cat(found).numpy()
        return embedded

    def _save(self, checkpoint: Checkpoint) -> None:
        state = {
            "epoch": self.epoch, "step": self._step, "total": self._total, "best": self.best,
            "curve": [vars(epoch) for epoch in self.curve], "best_weights": self.best_weights,
            "network": self._network.state_dict(), "head": self._head.state_dict(),
            "optimizer": self._optimizer.state_dict(),
        }  # fmt: skip
        checkpoint.save(state)
        self._saved = time.monotonic()

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `_save` kept."""
        self.epoch, self._step, self._total = state["epoch"], state["step"], state["total"]
        self.curve, self.best = [Epoch(**epoch) for epoch in state["curve"]], state["best"]
        self.best_weights = state["best_weights"]
        self._network.load_state_dict(state["network"])
        self._head.load_state_dict(state["head"])
        self._optimizer.load_state_dict(state["optimizer"])


@dataclass(frozen=True)
class _HeldOut:
    """Which images are trained on, and which ones say how good the network is.

    With fewer than 128 images, all of them do both.
    """

    training: IntArray
    validation: IntArray
    known: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    asked: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    labels: NDArray[Any] | None = None

    @classmethod
    def of(cls, count: int, labels: Sequence[str | None] | None, seed: int) -> "_HeldOut":
        order = np.random.default_rng([seed, 1 << 20]).permutation(count)
        held = 0 if count < _FEWEST else min(max(int(count * _HELD_OUT), _FEWEST // 4), _MOST_HELD_OUT)
        training, validation = (order[held:], order[:held]) if held else (order, order)
        if labels is None:
            return cls(training, validation)
        has_label = np.array([label is not None for label in labels], dtype=bool)
        asked = validation[has_label[validation]]
        known = training[has_label[training]][:_MOST_KNOWN] if held else asked
        if len(asked) < 2 or len(known) < 2:
            return cls(training, validation)
        return cls(training, validation, known, asked, np.array([label or "" for label in labels]))

    def judge(
        self, embed: Callable[[IntArray, Callable[[Tensor], Tensor]], NDArray[np.float32]], recipe: Recipe,
        epoch: int, loss: float | None,
    ) -> Epoch:  # fmt: skip
        """Validate a network, by the same views every time."""
        generator, size = _generator(recipe.seed, -1, 0), recipe.image_size

        def view(images: Tensor) -> Tensor:
            return recipe.augmentations.views(images, size, generator)

        def plain(images: Tensor) -> Tensor:
            return _resized(images, size)

        one, other = embed(self.validation, view), embed(self.validation, view)
        vectors = embed(self.validation, plain)
        if not np.isfinite(vectors).all():
            raise ModelError(f"after epoch {epoch} the vectors hold NaN or infinity. Use a smaller learning_rate.")
        accuracy = None
        if self.labels is not None:
            asked, truth = embed(self.asked, plain), self.labels[self.asked].tolist()
            if self.known is self.asked:
                accuracy = neighbor_accuracy(asked, truth)
            else:
                labels = self.labels[self.known].tolist()
                accuracy = neighbor_accuracy(asked, truth, embed(self.known, plain), labels)
        return Epoch(epoch, loss, neighbor_agreement(one, other), accuracy, spread(vectors))


def _projection(recipe: Recipe) -> nn.Module:
    """The head between vectors and loss, which is thrown away: it takes on what the loss asks for beyond likeness."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed + 1)
        hidden = max(256, 2 * recipe.dimension)
        return nn.Sequential(
            nn.BatchNorm1d(recipe.dimension), nn.ReLU(), nn.Linear(recipe.dimension, hidden), nn.BatchNorm1d(hidden),
            nn.ReLU(), nn.Linear(hidden, 128),
        )  # fmt: skip


def _as_numbers(images: NDArray[np.uint8], device: torch.device | str = "cpu") -> Tensor:
    return torch.from_numpy(images).to(device).permute(0, 3, 1, 2).float() / 255


def _resized(images: Tensor, size: int) -> Tensor:
    if images.shape[2] == size:
        return images
    return nn.functional.interpolate(images, (size, size), mode="bicubic", antialias=True).clamp(0, 1)


def _schedule(step: int, steps: int) -> float:
    """The share of the learning rate: up along a line over a twentieth of the steps, then down along a cosine."""
    warm = max(1, steps // 20)
    return min(1.0, (step + 1) / warm) * 0.5 * (1 + math.cos(math.pi * step / steps))


def _longest(method: str) -> float:
    """How long a gradient may be before it is shortened; VICReg's weights make its own longer."""
    return 5.0 if method == "simclr" else 100.0


def _generator(seed: int, epoch: int, step: int) -> torch.Generator:
    return torch.Generator().manual_seed(xxh3_64_intdigest(f"{seed} {epoch} {step}".encode()) >> 1)


def _precision(device: torch.device) -> AbstractContextManager[Any]:
    """Mixed precision where it helps: on CUDA devices that have bfloat16."""
    if device.type == "cuda" and torch.cuda.is_bf16_supported():
        return torch.autocast("cuda", dtype=torch.bfloat16)
    return nullcontext()


def _copied(network: nn.Module) -> Weights:
    return {name: tensor.detach().cpu().clone() for name, tensor in network.state_dict().items()}


def _collapse(epoch: Epoch) -> ModelError:
    return ModelError(
        f"the training collapsed: after epoch {epoch.epoch} all images have the same vector (spread "
        f"{epoch.spread:.1g}). "
        "The images may be nearly the same, or the augmentations too strong; else try a smaller learning_rate or "
        "another method."
    )
