"""What lower layers use of higher ones, by short names: so nothing here is imported before it is asked for."""

from importlib import import_module
from typing import Any

_HOMES = {
    "compute_embeddings": "saccade.brain.operations.embeddings:compute_embeddings",
    "compute_metadata": "saccade.brain.operations.media:compute_metadata",
    "compute_patch_embeddings": "saccade.brain.operations.patch_embeddings:compute_patch_embeddings",
    "delete_selection": "saccade.brain.operations.selections:delete_selection",
    "list_selections": "saccade.brain.operations.selections:list_selections",
    "load_selection": "saccade.brain.operations.selections:load_selection",
    "order by similarity": "saccade.brain.operations.similarity:order",
    "run exact_duplicates": "saccade.brain.operations.exact_duplicates:ExactDuplicates",
    "run leaky_splits": "saccade.brain.operations.leaks:LeakySplits",
    "run near_duplicates": "saccade.brain.operations.duplicates:NearDuplicates",
    "run similarity": "saccade.brain.operations.similarity:SimilarityIndex",
    "run train_embedding_model": "saccade.brain.operations.train_embedding_model:Training",
    "run visualization": "saccade.brain.operations.visualization:Visualization",
    "sort_by_similarity": "saccade.brain.operations.similarity:sort_by_similarity",
}


def find(name: str) -> Any:
    """Fetch what goes by this name, or None if nothing does.

    Example:
        >>> find("run near_duplicates").__name__
        'NearDuplicates'
    """
    if name not in _HOMES:
        return None
    module, _, attribute = _HOMES[name].partition(":")
    return getattr(import_module(module), attribute)
