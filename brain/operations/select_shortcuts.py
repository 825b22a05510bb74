"""The common selections in one line each; all of them are `select` with certain strategies."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...dataset.schema import EmbeddedDocumentField
from ..selection.inputs import Metadata, Predictions, Scores
from ..selection.strategies import Balance, Coverage, Diversity, Random
from .select import select
from .selected import Selection
from .selection_fields import check_samples

if TYPE_CHECKING:
    from ...dataset.collection import SampleCollection

_TIES = 1e-6
"""A strength that decides between equals and changes nothing else."""


def select_diverse(
    samples: "SampleCollection", n_samples: int | None = None, embeddings: str = "embedding", **options: Any
) -> Selection:
    """Pick samples that are as unlike each other as can be.

    Args:
        samples: a dataset or view.
        n_samples: how many; or give `proportion_samples` or `n_total`.
        embeddings: the vector field.
        options: those of `select`, such as `tag` and `preselected_tag`.

    Example:
        ```python
        scb.select_diverse(dataset, 100, tag="batch-1")
        ```
    """
    return select(samples, strategies=[Diversity(embeddings)], n_samples=n_samples, **options)


def select_coral(
    samples: "SampleCollection", n_samples: int | None, score: str | Scores, embeddings: str = "embedding",
    **options: Any,
) -> Selection:  # fmt: skip
    """Pick samples that a model is unsure of, and that are unlike each other: what to label next.

    COVERAGE of what the model is unsure of: each pick is near to many uncertain samples that no earlier one is near to.
    With few labels it learns faster than DIVERSITY and WEIGHTS, which LightlyOne calls coral, and later as fast; those
    two are `strategies=[Diversity(), Weights(score)]`, or the config `{"method": "coral", …}`.

    Args:
        samples: a dataset or view.
        n_samples: how many; None with `proportion_samples` or `n_total`.
        score: the field of an uncertainty from 0 to 1, such as "predictions_uncertainty_margin", which
            `compute_active_learning_scores` makes.
        embeddings: the vector field.
        options: those of `select`, such as `tag` and `preselected_tag`: the tag of what is labelled already.

    Example:
        ```python
        scb.compute_active_learning_scores(dataset, "predictions")
        scb.select_coral(dataset, 100, "predictions_uncertainty_margin", preselected_tag="labelled")
        ```
    """
    unsure = Coverage(embeddings, weights=score, weights_scale="uncertainty")
    return select(samples, strategies=[unsure], n_samples=n_samples, **options)


def deduplicate(
    samples: "SampleCollection", minimum_distance: float, embeddings: str = "embedding", **options: Any
) -> Selection:
    """Pick as many samples as there are that lie at least so far apart: each other one is nearer to one of them.

    Args:
        samples: a dataset or view.
        minimum_distance: Euclidean distance of unit vectors, 0 to 2.
        embeddings: the vector field.
        options: those of `select`, such as `tag` and `preselected_tag`.

    Example:
        ```python
        kept = scb.deduplicate(dataset, 0.05, tag="unlike")
        ```
    """
    apart = Diversity(embeddings, minimum_distance=minimum_distance)
    return select(samples, strategies=[apart], proportion_samples=1.0, **options)


def select_random(samples: "SampleCollection", n_samples: int | None = None, **options: Any) -> Selection:
    """Pick samples by chance: the same ones for the same `seed`, in whatever order they are.

    Args:
        samples: a dataset or view.
        n_samples: how many; or give `proportion_samples` or `n_total`.
        options: those of `select`, such as `seed` and `tag`.

    Example:
        ```python
        scb.select_random(dataset, proportion_samples=0.1, seed=51)
        ```
    """
    return select(samples, strategies=[Random()], n_samples=n_samples, **options)


def select_balanced(
    samples: "SampleCollection", n_samples: int | None, field: str, target: Mapping[str, float] | None = None,
    **options: Any,
) -> Selection:  # fmt: skip
    """Pick samples so that classes have the shares that are wanted; which of a class is left to chance.

    Args:
        samples: a dataset or view.
        n_samples: how many; None with `proportion_samples` or `n_total`.
        field: a field of labels or predictions, or of categories.
        target: the share of each class, together at most 1; what is left is for all others. The same of each by
            default.
        options: those of `select`, such as `seed` and `tag`.

    Example:
        ```python
        scb.select_balanced(dataset, 300, "weather", {"night": 0.3, "rain": 0.3})
        ```
    """
    check_samples(samples)
    found = samples._schema().resolve(field, samples._title()).field
    source = Predictions(field, "CLASS_DISTRIBUTION") if isinstance(found, EmbeddedDocumentField) else Metadata(field)
    balance = Balance(source, target, distribution="UNIFORM" if target is None else None)
    return select(samples, strategies=[balance, Random(strength=_TIES)], n_samples=n_samples, **options)


def select_representative(
    samples: "SampleCollection", n_samples: int | None = None, embeddings: str = "embedding", **options: Any
) -> Selection:
    """Pick few samples that stand for all: every sample is near to one of them. Unlike diverse ones, no outliers.

    Args:
        samples: a dataset or view.
        n_samples: how many; or give `proportion_samples` or `n_total`.
        embeddings: the vector field.
        options: those of `select`, such as `tag` and `preselected_tag`.

    Example:
        ```python
        scb.select_representative(dataset, 20, tag="overview")
        ```
    """
    return select(samples, strategies=[Coverage(embeddings)], n_samples=n_samples, **options)
