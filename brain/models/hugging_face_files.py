"""The files of a Hugging Face model: a folder, or a commit of a repository in the cache, fetched if it is not there."""

from pathlib import Path

from ...dataset.errors import ModelError
from .extras import imported

_WANTED = ["*.json", "*.txt", "*.model", "*.safetensors"]
_OLD_WEIGHTS = ["*.bin"]


def fetched(name: str, source: str, revision: str | None) -> tuple[Path, str | None]:
    """Find the folder with a model's files, fetching them if need be.

    Args:
        name: the model's name, for messages.
        source: a folder, or a repository of the hub.
        revision: a branch, tag or commit of a repository.

    Returns:
        The folder, and the first 12 digits of the commit, None for a folder of one's own.

    Raises:
        ModelError: if there are no such files, or they cannot be fetched.
    """
    folder = Path(source).expanduser()
    if folder.is_dir():
        if revision is not None:
            raise ModelError(f"model {name!r} is a folder, which has no revision {revision!r}. Leave it out.")
        return folder, None
    if source.startswith(("/", ".", "~")) or source.count("/") > 1 or "\\" in source:
        raise ModelError(f"model {name!r} names a folder that does not exist: {folder}.")
    return _of_repository(name, source, revision)


def _of_repository(name: str, source: str, revision: str | None) -> tuple[Path, str]:
    hub = imported("huggingface_hub", "torch", f"model {name!r}")
    try:
        folder = Path(hub.snapshot_download(source, revision=revision, allow_patterns=_WANTED, ignore_patterns="*/*"))
        if not any(folder.glob("*.safetensors")):
            hub.snapshot_download(source, revision=folder.name, allow_patterns=_OLD_WEIGHTS, ignore_patterns="*/*")
    except (OSError, ValueError) as error:
        raise ModelError(_remedies(name, source, error, hub.constants.HF_HOME)) from error
    return folder, folder.name[:12]  # the cache names the folder after the commit


def _remedies(name: str, source: str, error: Exception, cache: str) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    start = f"model {name!r} is not in the cache ({cache}) and cannot be fetched: {lines[0].rstrip('.')[:300]}."
    if type(error).__name__ == "GatedRepoError":
        return f"{start} Accept its terms on its page and run `hf auth login`; or use another model."
    return (
        f"{start} Do one of these: run `hf download {source} --local-dir FOLDER` where there is a network, bring "
        "the folder here, and name it as 'hf:FOLDER'; bring the cache here, and let the environment variable HF_HOME "
        "name it (with HF_HUB_OFFLINE=1, nothing is asked over the network); or use another model: 'builtin' needs no "
        "download."
    )
