"""LightlyOne's older form of a selection: the config of its worker, with `method` and `stopping_condition`.

It also asks for work around the selection, such as training a model. What `select` does not do is an error that names
what does it; what the worker does unasked (looking for damaged files and copies) becomes a note.
"""

from collections.abc import Mapping
from typing import Any

from ...dataset.errors import WrongValueError
from .checking import boolean, choice, mapping, number, optional, text, whole
from .inputs import RandomNumbers, Scores
from .on_values import Random, Weights
from .on_vectors import Diversity
from .strategies import AnyStrategy

METHODS = ("coral", "coreset", "random")
_OFF = -1

_READ = (
    "method", "stopping_condition", "active_learning", "scorer", "scorer_config", "selected_sequence_length",
    "normalize_embeddings", "enable_corruptness_check", "remove_exact_duplicates",
)  # fmt: skip
_UNASKED = {
    "enable_corruptness_check": "damaged files: run check_media(dataset) before",
    "remove_exact_duplicates": "copies of files: run compute_exact_duplicates(dataset) before, and select from its "
    "unique_view()",
}
"""What the worker does by default, and what does it here."""
_ELSEWHERE = {
    "enable_training": "train_embedding_model(dataset)",
    "checkpoint": "compute_embeddings(dataset, model=...)",
    "checkpoint_run_id": "compute_embeddings(dataset, model=...)",
    "embeddings": "compute_embeddings(dataset, model='embeddings.csv')",
    "pretagging": "a detector of your own, whose boxes become a field of Detections",
    "pretagging_debug": "a detector of your own, whose boxes become a field of Detections",
    "pretagging_upload": "a detector of your own, whose boxes become a field of Detections",
    "relevant_filenames_file": "a view: select from the samples that are relevant",
    "use_datapool": "preselected_tag: the tag of the samples that were picked before",
    "dump_dataset": "the selection's view(), whose files can be copied",
    "append_weak_labels": "a field of labels, set on the selection's view()",
    "sanity_check": "`saccade info --check`",
    "datapool.name": "preselected_tag: the tag of the samples that were picked before",
    "datasource.input_expiration": "a view: select from the samples whose files stay",
    "object_level.task_name": "the form with strategies, whose EMBEDDINGS take a field of Detections as task",
}
"""What select() does not do, and what does, here; as long as the worker is not asked for it, the key is ignored."""
_HOUSEKEEPING = (
    "cache_size", "corruptness_check", "datapool", "datasource", "dump_sampled_embeddings", "lightly",
    "memory_requirement_in_GB", "n_example_images", "num_processes", "num_threads", "object_level",
    "output_image_format", "output_image_size", "pretagging_config", "run_directory", "show_video_sampling_timeline",
    "shutdown_when_job_finished", "training", "upload_dataset", "upload_report", "worker",
)  # fmt: skip
"""How the worker goes about it; nothing of it changes which samples are picked."""


def is_worker_config(config: Mapping[Any, Any]) -> bool:
    """Whether a mapping has the worker's form: it has the key `method`."""
    return "method" in config


def from_worker_config(config: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Translate the worker's form.

    `coral` is DIVERSITY with WEIGHTS on the score that `active_learning` names, `coreset` DIVERSITY, `random` RANDOM.

    Args:
        config: with `method`, and `stopping_condition`: `n_samples` as a whole number or, with a decimal point, as a
            share from 0 to 1; `min_distance`. -1 switches either off; a `min_distance` of 0 is off as well.

    Returns:
        The same in select's form, with the strategies as values; and notes on what the worker does besides.

    Raises:
        SelectionError: if a key is not known, a value is wrong, or it asks for what select() does not do.

    Example:
        >>> from_worker_config({"method": "random", "stopping_condition": {"n_samples": 5}})[0]["n_samples"]
        5
    """
    given = mapping(
        config, "selection_config", (*_READ, *_HOUSEKEEPING, *(key for key in _ELSEWHERE if "." not in key))
    )
    _refuse_other_work(given)
    method = choice(METHODS)(given["method"], "method") if "method" in given else "coreset"
    size, minimum_distance = _stops(given.get("stopping_condition", {}))
    notes = [f"not done by select: {does}" for key, does in _UNASKED.items() if boolean(given.get(key, False), key)]
    strategies, unread = _strategies(method, given, minimum_distance)
    translated = {**size, "strategies": strategies}
    if "selected_sequence_length" in given:
        translated["selected_sequence_length"] = given["selected_sequence_length"]
    return translated, (*notes, *unread)


def _refuse_other_work(given: Mapping[str, Any]) -> None:
    for path, instead in _ELSEWHERE.items():
        key, _, inner = path.partition(".")
        value = given.get(key)
        if inner:
            value = value.get(inner) if isinstance(value, Mapping) else None
        if value not in (None, False, "", [], {}):
            raise WrongValueError(path, f"={value!r} is not done by select. There is {instead}. Leave the key out.")


def _stops(condition: object) -> tuple[dict[str, Any], float | None]:
    """The size in select's words, and the minimum distance."""
    place = "stopping_condition"
    given = mapping(condition, place, ("n_samples", "min_distance"))
    near = number("a number above 0, or -1 for none", lambda x: x >= 0 or x == _OFF)
    distance = near(given.get("min_distance", _OFF), f"{place}.min_distance")
    minimum = distance if distance > 0 else None
    count = given.get("n_samples", _OFF)
    if not isinstance(count, bool) and count == _OFF:
        # Nothing but the distance ends such a selection.
        return ({"proportion_samples": 1.0} if minimum is not None else {}), minimum
    if isinstance(count, float):
        share = number("a share above 0 and up to 1; a count is written without a decimal point", lambda x: 0 < x <= 1)
        return {"proportion_samples": share(count, f"{place}.n_samples")}, minimum
    least = whole("a whole number of at least 1, a share such as 0.1, or -1", lambda n: n >= 1)
    return {"n_samples": least(count, f"{place}.n_samples")}, minimum


def _strategies(
    method: str, given: Mapping[str, Any], minimum_distance: float | None
) -> tuple[list[AnyStrategy], list[str]]:
    """What a method stands for, and notes on keys that it does not look at."""
    place = "active_learning"
    learning = mapping(given.get(place, {}), place, ("task_name", "score_name"))
    task = optional(text("the name of a field of predictions"))(learning.get("task_name") or None, f"{place}.task_name")
    if method == "random":
        if minimum_distance is not None:
            raise WrongValueError(
                "stopping_condition.min_distance", f"={minimum_distance!r} is for coreset and coral; random looks at "
                "no distances.",
            )  # fmt: skip
        return [Random(RandomNumbers())], _unread(method, task)
    normalize = boolean(given.get("normalize_embeddings", True), "normalize_embeddings")
    try:
        diversity = Diversity(minimum_distance=minimum_distance, normalize=normalize)
    except WrongValueError as wrong:
        raise WrongValueError("stopping_condition.min_distance", wrong.text) from None
    if method == "coreset":
        return [diversity], _unread(method, task)
    if task is None:
        raise WrongValueError(
            f"{place}.task_name", " is missing: coral picks by a score. Give the field of predictions, and as "
            "score_name one that compute_active_learning_scores(dataset, <field>) writes.",
        )  # fmt: skip
    score = learning.get("score_name") or "uncertainty_margin"
    named = text("the name of a score, such as 'uncertainty_margin'")(score, f"{place}.score_name")
    scorers = [key for key in ("scorer", "scorer_config") if key in given]
    notes = [f"{' and '.join(scorers)}: not read, since active_learning names the score {named!r}"] if scorers else []
    return [diversity, Weights(Scores(task, named))], notes


def _unread(method: str, task: str | None) -> list[str]:
    return [] if task is None else [f"active_learning: not read, since method {method!r} looks at no scores"]
