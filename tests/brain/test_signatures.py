"""The verbs are called as FiftyOne's are, and `help` shows their arguments as they are written."""

import inspect

import pytest

import saccade.brain as scb

FIFTYONES = {
    "compute_uniqueness": "samples uniqueness_field roi_field embeddings similarity_index model model_kwargs",
    "compute_representativeness": "samples representativeness_field method roi_field",
    "compute_mistakenness": "samples pred_field label_field mistakenness_field missing_field spurious_field use_logits "
    "copy_missing progress",
    "compute_hardness": "samples label_field hardness_field progress",
    "compute_similarity": "samples patches_field",
    "compute_near_duplicates": "samples threshold roi_field embeddings similarity_index model model_kwargs",
    "compute_leaky_splits": "samples splits threshold roi_field embeddings similarity_index model model_kwargs",
    "compute_exact_duplicates": "samples num_workers skip_failures progress",
    "compute_visualization": "samples patches_field",
    "compute_metadata": "samples overwrite num_workers skip_failures warn_failures progress",
    "compute_embeddings": "samples model embeddings_field batch_size num_workers skip_failures progress",
    "compute_patch_embeddings": "samples model patches_field embeddings_field force_square alpha handle_missing "
    "batch_size num_workers skip_failures progress",
}
"""The first arguments of FiftyOne's verbs, in their order."""


@pytest.mark.parametrize("verb", FIFTYONES)
def test_a_call_without_names_means_the_same_as_in_fiftyone_or_is_refused(verb):
    parameters = inspect.signature(getattr(scb, verb)).parameters.values()
    ours = [one.name for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD]
    assert ours == FIFTYONES[verb].split()[: len(ours)]


@pytest.mark.parametrize("verb", scb.__all__)
def test_no_argument_is_shown_as_what_numpy_makes_of_its_type(verb):
    assert "numpy._typing" not in str(inspect.signature(getattr(scb, verb)))
