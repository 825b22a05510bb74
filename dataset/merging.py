"""Taking in other samples: those of a folder or a collection, and those that may be there already."""

from collections.abc import Callable, Iterable, Mapping, Sequence, Sized
from os import PathLike
from typing import TYPE_CHECKING, Any

from . import annotating
from .collection import SampleCollection
from .creation import open_dir, read_into
from .errors import FieldNotFoundError, SchemaError
from .formats import DatasetType, ImageDirectory
from .formats.files import matching
from .incoming import Incoming, MergeOptions
from .joining import Rules
from .progress import shown
from .sample import Sample
from .store import catalog, codec
from .types import Progress, SampleId

if TYPE_CHECKING:
    from .dataset import Dataset


class Merging(SampleCollection):
    """The part of a dataset that takes in samples beside `add_samples`."""

    def merge_samples(
        self,
        samples: SampleCollection | Iterable[Sample | Mapping[str, Any]],
        key_field: str = "filepath",
        key_fcn: Callable[[Sample], Any] | None = None,
        skip_existing: bool = False,
        insert_new: bool = True,
        fields: str | Iterable[str] | Mapping[str, str] | None = None,
        omit_fields: str | Iterable[str] | None = None,
        merge_lists: bool = True,
        merge_embedded_docs: bool = False,
        overwrite: bool = True,
        expand_schema: bool = True,
        dynamic: bool = False,
        include_info: bool = True,
        overwrite_info: bool = False,
        progress: Progress = False,
        num_samples: int | None = None,
    ) -> None:
        """Merge samples into those that have the same key, and add the others.

        A field that is None on the sample that comes changes nothing. Vectors are copied; runs are not. All changes of
        samples that are there are one action; the others are added after it.

        Args:
            samples: a dataset, a view, or samples. A sample without a key is added.
            key_field: the field whose value says which sample is which.
            key_fcn: a function of a sample that gives the key instead.
            skip_existing: leave samples that are there as they are.
            insert_new: add those that match none.
            fields: take only these fields; a dict gives them other names here. New samples get their filepath
                all the same.
            omit_fields: leave these fields out.
            merge_lists: merge lists, such as `tags`, and lists of labels element by element instead of replacing
                them. Labels with the same id are the same.
            merge_embedded_docs: merge single labels and metadata attribute by attribute instead of replacing them;
                labels with vectors are always replaced.
            overwrite: let new values, and labels with the same id, replace old ones; else they only fill gaps.
            expand_schema: declare fields that are new; else they are an error.
            dynamic: declare attributes of labels that their classes do not have.
            include_info: take over `info` and `classes` of the dataset that the samples come from.
            overwrite_info: let these replace entries that are there.
            progress: whether to show a bar.
            num_samples: how many there are, if `samples` cannot tell.

        Writes:
            The fields that the samples bring, of the samples that are there; and new samples.

        Raises:
            SchemaError: if two samples have the same key, or a key is a list or dict.
            FieldKindError: if a value does not fit its field.
            FieldNotFoundError: if a field is new and `expand_schema` is False.
            ModelError: if a vector field holds vectors of another model.
        """
        options = MergeOptions(
            key_field, key_fcn, Rules(merge_lists, merge_embedded_docs, overwrite),
            skip_existing=skip_existing, insert_new=insert_new, expand_schema=expand_schema, dynamic=dynamic,
            fields=_renaming(fields), omit_fields=frozenset(_names(omit_fields)),
        )  # fmt: skip
        self._take(samples, options, progress, num_samples)
        if include_info and isinstance(samples, SampleCollection):
            _merge_info(self._root, samples._root, overwrite=overwrite_info)

    def merge_sample(
        self,
        sample: Sample,
        key_field: str = "filepath",
        skip_existing: bool = False,
        insert_new: bool = True,
        fields: str | Iterable[str] | Mapping[str, str] | None = None,
        omit_fields: str | Iterable[str] | None = None,
        merge_lists: bool = True,
        merge_embedded_docs: bool = False,
        overwrite: bool = True,
        expand_schema: bool = True,
        dynamic: bool = False,
    ) -> None:
        """Merge one sample; see `merge_samples`."""
        self.merge_samples(
            [sample], key_field, skip_existing=skip_existing, insert_new=insert_new, fields=fields,
            omit_fields=omit_fields, merge_lists=merge_lists, merge_embedded_docs=merge_embedded_docs,
            overwrite=overwrite, expand_schema=expand_schema, dynamic=dynamic,
        )  # fmt: skip

    def add_collection(
        self,
        sample_collection: SampleCollection,
        include_info: bool = True,
        overwrite_info: bool = False,
        new_ids: bool = False,
        progress: Progress = False,
    ) -> list[SampleId]:
        """Add the samples of another dataset or view, under the ids that they have.

        Since the order is that of the ids, they come where these belong. Those that are here already are passed over.

        Args:
            sample_collection: a dataset or view.
            include_info: take over `info` and `classes` of the dataset that the samples come from.
            overwrite_info: let these replace entries that are there.
            new_ids: give the samples and their labels new ids, and add them all.
            progress: whether to show a bar.

        Writes:
            New samples with their vectors, and fields that they need. Runs are not copied.

        Returns:
            The ids of the samples that were added.

        Raises:
            SchemaError: if something else than a dataset or view was given, or a sample comes twice.
            FieldKindError: if a value does not fit its field.
            ModelError: if a vector field holds vectors of another model.
        """
        if not isinstance(sample_collection, SampleCollection):
            raise SchemaError(
                f"add_collection() was given {sample_collection!r:.200}. Give a dataset or view; "
                "add_samples() adds samples."
            )
        options = MergeOptions(
            "id", None, Rules(merge_lists=True, merge_embedded_docs=False, overwrite=False), skip_existing=True,
            insert_new=True, expand_schema=True, dynamic=False, keep_ids=not new_ids, new_ids=new_ids,
        )  # fmt: skip
        added = self._take(sample_collection, options, progress, None)
        if include_info:
            _merge_info(self._root, sample_collection._root, overwrite=overwrite_info)
        return added

    def add_dir(
        self,
        dataset_dir: str | PathLike[str] | None = None,
        dataset_type: type[DatasetType] | DatasetType | str | None = None,
        label_field: str = "ground_truth",
        tags: str | Sequence[str] | None = None,
        expand_schema: bool = True,
        dynamic: bool = False,
        add_info: bool = True,
        progress: Progress = None,
        **kwargs: Any,
    ) -> list[SampleId]:
        """Add the samples of a folder.

        Args:
            dataset_dir: the folder.
            dataset_type: its format, a class of `saccade.types` or its short name; None means a folder of images.
            label_field: the field that takes labels.
            tags: tags for all samples.
            expand_schema: declare fields that are new; else they are an error.
            dynamic: declare attributes of labels that their classes do not have.
            add_info: take over the class names of the format, after those that are known.
            progress: whether to show a bar.
            kwargs: the format's own options.

        Returns:
            The ids of the samples, in the order of the format.

        Raises:
            DatasetError: if the folder or the format cannot be read; the dataset is then as it was.
        """
        root = self._root
        source = open_dir(dataset_dir, dataset_type, label_field, kwargs)
        ids = read_into(
            root, source, tags=tags, progress=progress, is_whole=True, expand_schema=expand_schema, dynamic=dynamic
        )
        if add_info and source.classes:
            root.reload()
            known = root.classes.get(source.label_field, [])
            root.classes = {**root.classes, source.label_field: list(dict.fromkeys([*known, *source.classes]))}
        return ids

    def add_images_dir(
        self, images_dir: str | PathLike[str], tags: str | Sequence[str] | None = None, recursive: bool = True,
        progress: Progress = None,
    ) -> list[SampleId]:  # fmt: skip
        """Add the images of a folder; see `add_dir`.

        Args:
            images_dir: the folder.
            tags: tags for all samples.
            recursive: whether images in the folders inside are taken too.
            progress: whether to show a bar.
        """
        return self.add_dir(images_dir, ImageDirectory, tags=tags, progress=progress, recursive=recursive)

    def add_images_patt(
        self, images_patt: str | PathLike[str], tags: str | Sequence[str] | None = None, progress: Progress = None
    ) -> list[SampleId]:
        """Add the images whose paths match a pattern.

        Args:
            images_patt: the pattern, such as "photos/*/*.jpg"; "**" stands for folders of any depth.
            tags: tags for all samples.
            progress: whether to show a bar.

        Returns:
            The ids of the samples, in the order of their paths, numbers counting as numbers.

        Raises:
            DatasetError: if nothing matches.
        """
        return self._root.add_images(matching(images_patt), tags=tags, progress=progress)

    def _take(self, given: Any, options: MergeOptions, progress: Progress, num_samples: int | None) -> list[SampleId]:
        if isinstance(given, Sample | Mapping | str):
            raise SchemaError(f"merge_samples() was given {given!r:.200} alone. Give a list, or use merge_sample().")
        if isinstance(given, SampleCollection):
            given._require_samples("merging")
            for name in [*(options.fields or ()), *options.omit_fields]:
                if name not in given._schema():
                    raise FieldNotFoundError.among(name, given._schema().names(), given._title())
        total = num_samples if num_samples is not None else len(given) if isinstance(given, Sized) else None
        with shown(total, progress) as advance:
            return Incoming(self._root, options).take(given, advance)


def _names(given: str | Iterable[str] | None) -> list[str]:
    return [] if given is None else [given] if isinstance(given, str) else list(given)


def _renaming(fields: str | Iterable[str] | Mapping[str, str] | None) -> dict[str, str] | None:
    if fields is None:
        return None
    return dict(fields) if isinstance(fields, Mapping) else {name: name for name in _names(fields)}


def _merge_info(dataset: "Dataset", source: "Dataset", *, overwrite: bool) -> None:
    """Take over what a dataset says about itself: its info, class names, mask targets and skeletons."""
    here, there = _said(dataset), _said(source)
    for name in ("info", "classes", "mask_targets", "skeletons"):
        ours, theirs = here.get(name) or {}, there.get(name) or {}
        merged = {**ours, **theirs} if overwrite else {**theirs, **ours}
        if theirs and (overwrite or merged.keys() != ours.keys()):
            setattr(dataset, name, merged)
    for name in ("default_classes", "default_mask_targets", "default_skeleton"):
        if there.get(name) and (overwrite or not here.get(name)):
            setattr(dataset, name, there[name])


def _said(dataset: "Dataset") -> dict[str, Any]:
    record = catalog.get_dataset(dataset._id)
    noted = annotating.read({name: record.get(name) for name in annotating.ENTRIES})
    return {**record, **noted, "info": codec.decode(record.get("info") or {})}
