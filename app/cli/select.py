"""`saccade select`: pick the samples to label, look at or train on next, and tag them."""

import argparse
from typing import TYPE_CHECKING

from ...dataset.errors import SelectionError
from ...dataset.named import load_dataset

if TYPE_CHECKING:
    from argparse import _SubParsersAction

_SIZES = ("n_samples", "proportion_samples", "n_total")


def add_parser(subparsers: "_SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare `saccade select` and its options."""
    parser = subparsers.add_parser(
        "select", help="pick samples and tag them", description="Pick samples and tag them: as a config says, or else "
        "those that differ most from each other.",
    )  # fmt: skip
    parser.add_argument("name", help="the dataset")
    parser.add_argument("--config", metavar="FILE", help="a selection_config, .json or .yaml")
    parser.add_argument("--embeddings", metavar="FIELD", help="without a config: the vectors (default: embedding)")
    parser.add_argument("--tag", metavar="T", help="the tag to write (default: the first free selection-N)")
    parser.add_argument("--preselected-tag", metavar="T", help="samples with this tag count as picked before")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--n-samples", type=int, metavar="N", help="how many to pick; in place of the config's size")
    size.add_argument("--proportion-samples", type=float, metavar="P", help="the same as a share of all, 0 to 1")
    size.add_argument("--n-total", type=int, metavar="N", help="how many there shall be, with those picked before")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of what is random (default: %(default)s)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Select, and print what came of it."""
    from ...brain import select
    from ...brain.selection.config import parse_config
    from ...brain.selection.strategies import Diversity

    if args.config is not None and args.embeddings is not None:
        raise SelectionError("--config and --embeddings were both given. Name the field in the config, as key.")
    sizes = {name: getattr(args, name) for name in _SIZES}
    if args.config is None and not any(value is not None for value in sizes.values()):
        raise SelectionError("how many? Give --n-samples, --proportion-samples or --n-total, or a --config.")
    wishes = [Diversity(args.embeddings or "embedding")] if args.config is None else args.config
    config = parse_config(wishes, **sizes)
    dataset = load_dataset(args.name)
    print(select(dataset, config, tag=args.tag, preselected_tag=args.preselected_tag, seed=args.seed))
    return 0
