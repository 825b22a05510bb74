"""The entry point of the `saccade` command: reads the arguments, calls the subcommand, reports errors in one line."""

import argparse
import sys
from collections.abc import Sequence

from ... import __version__
from ...dataset.errors import SaccadeError
from . import db, demo, embed, import_, info, select, train

COMMANDS = (demo, import_, embed, train, select, info, db)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: the arguments without the program's name; None takes those of the process.

    Returns:
        The exit status: 0, or 1 after an error, or 130 after Ctrl-C.
    """
    args = _parser().parse_args(argv)
    try:
        return int(args.run(args))
    except SaccadeError as error:
        print(f"saccade: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("saccade: interrupted", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="saccade", description="Curate image datasets.")
    parser.add_argument("--version", action="version", version=f"saccade {__version__}")
    subparsers = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_parser(subparsers)
    return parser


if __name__ == "__main__":
    sys.exit(main())
