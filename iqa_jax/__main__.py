"""The command ``iqa VERB --flags``; ``python -m iqa_jax`` is the same."""

import importlib
import sys
from collections.abc import Sequence

from iqa_jax.text import aligned

VERBS = {
    "evaluate": ("evaluate.command", "correlate image distances with human scores"),
    "score": ("score.command", "score pairs of images"),
    "extract": ("extract.command", "store the statistics of networks over a dataset"),
    "train": ("train.command", "learn which channels of a network matter to people"),
    "fetch": ("fetch", "download and convert pretrained weights"),
    "convert": ("convert", "convert a checkpoint of your own"),
    "models": ("models", "list all networks"),
    "verify": ("verify.command", "verify a copy of a dataset"),
    "build": ("build", "store a dataset in a few large files"),
    "demo": ("demo", "build the demo dataset"),
}
"""The module of each program below ``iqa_jax.programs``, and what it does."""

_HELP = {"--help", "-help", "-h", "-?", "--helpshort", "--helpfull", "help"}


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the program that the first argument names.

    Args:
      arguments: A verb and its flags; None for those of the command line.

    Raises:
      SystemExit: With the program's exit status; 1 if there is no such verb.
    """
    verb, *rest = (sys.argv[1:] if arguments is None else arguments) or [""]
    if not verb or verb in _HELP:
        print(_help())
        sys.exit(0 if verb else 1)
    if verb not in VERBS:
        sys.exit(f"iqa: error: there is no program {verb!r}; there are: {', '.join(VERBS)}")
    module, _ = VERBS[verb]
    program = importlib.import_module(f"iqa_jax.programs.{module}")
    running = importlib.import_module("iqa_jax.programs.running")
    running.run(f"iqa {verb}", program, rest)


def _help() -> str:
    rows = [(f"iqa {verb}", summary) for verb, (_, summary) in VERBS.items()]
    lines = aligned(("program", ""), rows, text_columns=2)
    return "\n".join([*lines, "", "iqa VERB --help says all about a program."])


if __name__ == "__main__":
    main()
