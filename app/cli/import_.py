"""`saccade import`: make samples of the images and videos in a folder or bucket."""

import argparse

from ...dataset.errors import DatasetNotFoundError


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare `saccade import`."""
    parser = subparsers.add_parser(
        "import",
        help="make samples of the images and videos in a folder or bucket",
        description=__doc__,
        epilog="Files that the dataset has already are left alone: an interrupted import goes on, and a repeated one "
        "adds what is new.",
    )
    parser.add_argument("source", help="a folder, a URL such as s3://bucket/folder, or a datasource of the config file")
    parser.add_argument("name", help="the dataset; it is made if there is none")
    parser.add_argument("--relevant-files", metavar="FILE", help="a list of the files and prefixes that count")
    parser.add_argument("--tag", action="append", default=[], help="a tag for what is added; can be repeated")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Add the files."""
    from ...dataset.dataset import Dataset
    from ...dataset.media.datasource import Datasource
    from ...dataset.media.known_sources import as_source
    from ...dataset.named import load_dataset

    source = as_source(args.source)
    if args.relevant_files is not None:
        source = Datasource(source.url, name=source.name, relevant_files=args.relevant_files, **source.options)
    try:
        dataset = load_dataset(args.name)
    except DatasetNotFoundError:
        next(source.files(), None)  # a source that cannot be listed leaves no dataset behind
        dataset = Dataset(args.name)
    added = dataset.add_datasource(source, tags=args.tag)
    print(f"{len(added)} of {len(dataset)} samples in {dataset.name!r} are new, from {source.url}.")
    return 0
