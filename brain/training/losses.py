"""Losses of self-supervised training: two views of an image should be near each other, and not all images the same."""

import torch
from torch import Tensor
from torch.nn import functional


def nt_xent(one: Tensor, other: Tensor, temperature: float = 0.2) -> Tensor:
    """How badly each view finds the other view of its image among all views: SimCLR's loss.

    Args:
        one: (n, d) a view of each image, n at least 2.
        other: (n, d) another view of each.
        temperature: above 0; the smaller, the more the hardest of the other images count.

    Returns:
        The mean cross entropy, at least 0; log(2n - 1) where nothing is told apart. Computed in float32 or better.

    Source: Chen et al., A Simple Framework for Contrastive Learning of Visual Representations, 2020, equation 1.

    Example:
        Two images at right angles, both views alike: -log(e^(1/t) / (e^(1/t) + 2)).

        >>> views = torch.eye(2)
        >>> round(float(nt_xent(views, views, temperature=1.0)), 4)
        0.5514
    """
    views = functional.normalize(_precise(torch.cat([one, other])), dim=1)
    logits = views @ views.T / temperature
    logits = logits.masked_fill(torch.eye(len(views), dtype=torch.bool, device=views.device), -torch.inf)
    partner = torch.arange(len(views), device=views.device).roll(len(one))
    return functional.cross_entropy(logits, partner)


def vicreg(one: Tensor, other: Tensor, similar: float = 25.0, varied: float = 25.0, independent: float = 1.0) -> Tensor:
    """How far views of an image lie apart, how little images vary, and how much the dimensions repeat each other.

    Args:
        one: (n, d) a view of each image, n at least 2.
        other: (n, d) another view of each.
        similar: weight of the mean squared difference between the views of an image.
        varied: weight of what each dimension's standard deviation lacks to 1.
        independent: weight of the squared covariances between dimensions, per dimension.

    Returns:
        The weighted sum, at least 0. It is computed in float32 or better.

    Source: Bardes, Ponce and LeCun, VICReg: Variance-Invariance-Covariance Regularization, 2022, equations 1 to 6.

    Example:
        One dimension in which the images differ by 2 has the standard deviation 1.41, so nothing is lacking.

        >>> views = torch.tensor([[-1.0], [1.0]])
        >>> float(vicreg(views, views))
        0.0
    """
    one, other = _precise(one), _precise(other)
    total = similar * functional.mse_loss(one, other)
    for views in (one, other):
        deviation = (views.var(dim=0) + 1e-4).sqrt()
        total = total + varied * functional.relu(1 - deviation).mean() / 2
        centred = views - views.mean(dim=0)
        covariance = centred.T @ centred / (len(views) - 1)
        total = (
            total + independent * (covariance.square().sum() - covariance.diagonal().square().sum()) / views.shape[1]
        )
    return total


def _precise(values: Tensor) -> Tensor:
    return values if values.dtype == torch.float64 else values.float()
