"""A folder of images per class."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from ..errors import DatasetError
from ..labels import Classification
from .base import DatasetType
from .files import find_files, subfolders


@dataclass(frozen=True)
class ImageClassificationDirectoryTree(DatasetType):
    """A folder per class, named by the class and holding its images.

    ```
    animals/
        cat/1.jpg
        cat/2.jpg
        dog/outdoors/1.jpg
        _unlabeled/3.jpg
    ```

    The label is the name of the outermost folder. Images beside the class folders belong to no class and are passed
    over; a folder that holds nothing but such images is refused, because it is an `ImageDirectory`.

    Attributes:
        unlabeled: name of the folder whose images have no label; None if there is none.
    """

    unlabeled: str | None = "_unlabeled"

    name: ClassVar[str] = "image_classification_directory_tree"

    @property
    def classes(self) -> list[str]:
        """The names of the class folders, in natural order."""
        return [folder.name for folder in self._folders if folder.name != self.unlabeled]

    def find(self) -> list[Path]:
        """List the images of all classes in a fixed order."""
        beside = [] if self._folders else find_files(self.folder, "image", recursive=False)
        if beside:
            raise DatasetError(
                f"{self.folder} has no folder per class, but {len(beside)} images directly inside. "
                "Read it with saccade.types.ImageDirectory."
            )
        return [path for folder in self._folders for path in find_files(folder, "image")]

    def values_of(self, path: Path) -> dict[str, Any]:
        """The path, and the class as a `Classification`."""
        label = path.relative_to(self.folder).parts[0]
        if label == self.unlabeled:
            return {"filepath": str(path)}
        return {"filepath": str(path), self.label_field: Classification(label=label)}

    @cached_property
    def _folders(self) -> list[Path]:
        return subfolders(self.folder)
