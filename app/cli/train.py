"""`saccade train`: a model of one's own images, which can then embed images by its name."""

import argparse


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare `saccade train`."""
    text = "train an embedding model on the images of a dataset, without labels"
    parser = subparsers.add_parser("train", help=text, description=__doc__)
    parser.add_argument("dataset", metavar="NAME", help="name of the dataset")
    parser.add_argument("--model-name", metavar="M", help="the model's name (default: the dataset's and the method's)")
    parser.add_argument("--method", choices=("vicreg", "simclr"), default="vicreg", help="default: %(default)s")
    parser.add_argument("--backbone", default="cnn", help="cnn, vit, cnn-medium or vit-medium (default: %(default)s)")
    parser.add_argument("--image-size", type=int, metavar="PIXELS", help="side of what the network sees (default: 64)")
    parser.add_argument("--dimension", type=int, metavar="D", help="length of a vector (default: 64)")
    parser.add_argument("--epochs", type=int, metavar="N", help="how often each image is seen, at most")
    parser.add_argument("--batch-size", type=int, metavar="N", help="images per step")
    parser.add_argument("--learning-rate", type=float, metavar="X", help="the largest step")
    parser.add_argument("--label-field", metavar="F", help="a field of labels that says how good the model is")
    parser.add_argument("--no-flip", action="store_true", help="do not mirror images: where left is not right")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    parser.add_argument("--device", help="cpu or cuda (default: a GPU if there is one)")
    parser.add_argument("--anew", action="store_true", help="do not go on from where an earlier training was stopped")
    parser.add_argument("--overwrite", action="store_true", help="replace a model of this name")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train, and say what came of it."""
    from ...brain import train_embedding_model
    from ...dataset.named import load_dataset

    dataset = load_dataset(args.dataset)
    training = train_embedding_model(
        dataset, args.model_name, method=args.method, backbone=args.backbone, image_size=args.image_size,
        dimension=args.dimension, epochs=args.epochs, batch_size=args.batch_size, learning_rate=args.learning_rate,
        augmentations={"horizontal_flip": False} if args.no_flip else None, label_field=args.label_field,
        device=args.device, seed=args.seed, resume=not args.anew, overwrite=args.overwrite,
    )  # fmt: skip
    facts = training.summary()
    if facts["trained"] == "before":
        print(f"The model {training.model_name!r} was trained before, on the same images in the same way.")
    broken = f"; {facts['failed']} could not be read" if facts["failed"] else ""
    print(
        f"model      {training.model_name!r}, version {facts['version']}, trained on {facts['images']:,} images{broken}"
    )
    print(f"epochs     {facts['epochs']}, the best is number {facts['best_epoch']}")
    print(f"loss       {facts['loss']['first']:.3f} in the first epoch, {facts['loss']['best']:.3f} in the best")
    for name in ("agreement", "accuracy"):
        if name in facts:
            print(f"{name:<10} {facts[name]['untrained']:.0%} untrained, {facts[name]['best']:.0%} now")
    print(f"\nUse it: scb.compute_embeddings(dataset, model={training.model_name!r}, embeddings_field=...)")
    return 0
