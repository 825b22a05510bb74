"""What can be concluded from a dataset: embeddings, scores, selections; `import saccade.brain as scb`.

Every verb takes a dataset or view, reads what it needs, writes its result onto the samples in one step, and returns the
record of its run. Importing this loads nothing: a verb is fetched from its module when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .models.trained import delete_model, list_models
    from .operations.active_learning import compute_active_learning_scores
    from .operations.duplicates import compute_near_duplicates
    from .operations.embeddings import compute_embeddings
    from .operations.exact_duplicates import compute_exact_duplicates
    from .operations.hardness import compute_hardness
    from .operations.leaks import compute_leaky_splits
    from .operations.lightly_csv import write_embeddings_csv
    from .operations.media import (
        check_media,
        compute_media,
        compute_metadata,
        compute_quality,
        compute_thumbnails,
    )
    from .operations.mistakenness import compute_mistakenness
    from .operations.patch_embeddings import compute_patch_embeddings
    from .operations.representativeness import compute_representativeness
    from .operations.select import select
    from .operations.select_shortcuts import (
        deduplicate,
        select_balanced,
        select_coral,
        select_diverse,
        select_random,
        select_representative,
    )
    from .operations.similarity import compute_similarity, sort_by_similarity
    from .operations.train_embedding_model import train_embedding_model
    from .operations.uniqueness import compute_uniqueness
    from .operations.visualization import compute_visualization
    from .selection.inputs import Embeddings, Metadata, Predictions, RandomNumbers, Scores
    from .selection.strategies import (
        Balance,
        Budget,
        Coverage,
        Diversity,
        GroupCap,
        Random,
        Similarity,
        Threshold,
        TimeGap,
        Typicality,
        Weights,
    )

__all__ = [
    "Balance",
    "Budget",
    "Coverage",
    "Diversity",
    "Embeddings",
    "GroupCap",
    "Metadata",
    "Predictions",
    "Random",
    "RandomNumbers",
    "Scores",
    "Similarity",
    "Threshold",
    "TimeGap",
    "Typicality",
    "Weights",
    "check_media",
    "compute_active_learning_scores",
    "compute_embeddings",
    "compute_exact_duplicates",
    "compute_hardness",
    "compute_leaky_splits",
    "compute_media",
    "compute_metadata",
    "compute_mistakenness",
    "compute_near_duplicates",
    "compute_patch_embeddings",
    "compute_quality",
    "compute_representativeness",
    "compute_similarity",
    "compute_thumbnails",
    "compute_uniqueness",
    "compute_visualization",
    "deduplicate",
    "delete_model",
    "list_models",
    "select",
    "select_balanced",
    "select_coral",
    "select_diverse",
    "select_random",
    "select_representative",
    "sort_by_similarity",
    "train_embedding_model",
    "write_embeddings_csv",
]

_HOME_OF = {
    "check_media": ".operations.media",
    "compute_active_learning_scores": ".operations.active_learning",
    "compute_embeddings": ".operations.embeddings",
    "compute_exact_duplicates": ".operations.exact_duplicates",
    "compute_hardness": ".operations.hardness",
    "compute_leaky_splits": ".operations.leaks",
    "compute_media": ".operations.media",
    "compute_metadata": ".operations.media",
    "compute_mistakenness": ".operations.mistakenness",
    "compute_patch_embeddings": ".operations.patch_embeddings",
    "compute_quality": ".operations.media",
    "compute_thumbnails": ".operations.media",
    "compute_near_duplicates": ".operations.duplicates",
    "compute_representativeness": ".operations.representativeness",
    "compute_uniqueness": ".operations.uniqueness",
    "compute_similarity": ".operations.similarity",
    "compute_visualization": ".operations.visualization",
    "sort_by_similarity": ".operations.similarity",
    "select": ".operations.select",
    "deduplicate": ".operations.select_shortcuts",
    "select_balanced": ".operations.select_shortcuts",
    "select_coral": ".operations.select_shortcuts",
    "select_diverse": ".operations.select_shortcuts",
    "select_random": ".operations.select_shortcuts",
    "select_representative": ".operations.select_shortcuts",
    "Embeddings": ".selection.inputs",
    "Metadata": ".selection.inputs",
    "Predictions": ".selection.inputs",
    "RandomNumbers": ".selection.inputs",
    "Scores": ".selection.inputs",
    "Balance": ".selection.strategies",
    "Budget": ".selection.strategies",
    "Coverage": ".selection.strategies",
    "Diversity": ".selection.strategies",
    "GroupCap": ".selection.strategies",
    "Random": ".selection.strategies",
    "Similarity": ".selection.strategies",
    "Threshold": ".selection.strategies",
    "TimeGap": ".selection.strategies",
    "Typicality": ".selection.strategies",
    "Weights": ".selection.strategies",
    "delete_model": ".models.trained",
    "list_models": ".models.trained",
    "train_embedding_model": ".operations.train_embedding_model",
    "write_embeddings_csv": ".operations.lightly_csv",
}


def __getattr__(name: str) -> Any:
    """Fetch a verb from the module it lives in, and keep it."""
    if name not in _HOME_OF:
        raise AttributeError(f"module 'saccade.brain' has no attribute {name!r}")
    value = getattr(import_module(_HOME_OF[name], __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
