"""`saccade embed`: vectors for the samples of a dataset, and what else a pass over its files can find out."""

import argparse
from typing import TYPE_CHECKING

from ...dataset.errors import SaccadeError
from ...dataset.named import load_dataset

if TYPE_CHECKING:
    from argparse import _SubParsersAction


def add_parser(subparsers: "_SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare `saccade embed` and its options."""
    parser = subparsers.add_parser(
        "embed", help="compute the embeddings of a dataset", description="Compute the embeddings of a dataset. A pass "
        "that was stopped goes on with what is missing.",
    )  # fmt: skip
    parser.add_argument("name", help="the dataset")
    parser.add_argument("--model", default="builtin", help="such as builtin, hf:NAME, onnx:FILE or a trained one")
    parser.add_argument("--field", default="embedding", help="the field that takes the vectors")
    parser.add_argument("--patches-field", metavar="FIELD", help="embed the objects in this field of labels instead")
    parser.add_argument("--batch-size", type=int, metavar="N", help="images per call of the model")
    parser.add_argument("--num-workers", type=int, metavar="N", help="threads that read and decode")
    parser.add_argument("--device", help="where the model runs, such as cpu or cuda")
    parser.add_argument("--overwrite", action="store_true", help="compute all anew, also with another model")
    parser.add_argument(
        "--media", action="store_true", help="in the same pass: metadata, figures of quality, a check, thumbnails"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Embed, and print the record of the run."""
    from ...brain import compute_embeddings, compute_media

    if args.media and args.patches_field is not None:
        raise SaccadeError("--media is for whole images. Leave out --patches-field, or embed objects in another call.")
    dataset = load_dataset(args.name)
    options = {"batch_size": args.batch_size, "num_workers": args.num_workers, "device": args.device}
    if args.media:
        done = compute_media(
            dataset, thumbnails=True, model=args.model, embeddings_field=args.field, overwrite=args.overwrite, **options
        )
    else:
        done = compute_embeddings(
            dataset, args.model, args.field, overwrite=args.overwrite, patches_field=args.patches_field, **options
        )
    print(done)
    return 0
