"""The command ``iqa VERB --flags``; ``python -m iqa_jax`` is the same."""

import importlib
import os
import signal
import sys
from collections.abc import Sequence

import iqa_jax
from iqa_jax.text import aligned, do_you_mean

VERBS = {
    "evaluate": ("evaluate.command", "correlate image distances with human scores"),
    "score": ("score.command", "score pairs of images"),
    "study": ("study.command", "test the claims of two papers on results"),
    "merge": ("merge", "join scores that several processes computed"),
    "extract": ("extract.command", "store the statistics of networks over a dataset"),
    "train": ("train.command", "learn which channels of a network matter to people"),
    "fetch": ("fetch", "download and convert pretrained weights"),
    "convert": ("convert", "convert a checkpoint of your own"),
    "models": ("models", "list all networks"),
    "verify": ("verify.command", "verify a copy of a dataset"),
    "build": ("build", "store a dataset in a few large files"),
    "demo": ("demo", "build the demo dataset"),
    "report": ("report.command", "make one HTML page of an evaluation"),
    "cite": ("cite.command", "print what to cite for results, as BibTeX"),
}
"""Module in ``iqa_jax.programs`` and purpose of each program, by verb."""

_HELP = {"--help", "-help", "-h", "-?", "--helpshort", "--helpfull", "help"}
_WRONG = 1
_INTERRUPTED = 75  # as in iqa_jax.programs.running, which a signal may come before
_CLOSED_PIPE = 141  # the status of a program ended by SIGPIPE


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the program named by the first argument.

    Args:
      arguments: A verb and its flags; None for those on the command line.

    Returns:
      The exit status.
    """
    if arguments is None:
        _interrupted_on_signals()
    try:
        status = _run(*(sys.argv[1:] if arguments is None else arguments))
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of the output, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _CLOSED_PIPE
    if arguments is None and status == _INTERRUPTED:
        sys.stderr.flush()
        os._exit(status)  # to unload all libraries can take seconds
    return status


def _interrupted_on_signals() -> None:
    """Gives signals their exit status before a program handles them, and after it.

    Otherwise the second of two signals, as SLURM sends them, could end a process that has saved
    everything with a status that does not say so.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: os._exit(_INTERRUPTED))


def _run(verb: str = "", *arguments: str) -> int:
    if verb in VERBS:
        module, _ = VERBS[verb]
        program = importlib.import_module(f"iqa_jax.programs.{module}")
        running = importlib.import_module("iqa_jax.programs.running")
        return running.run(f"iqa {verb}", program, arguments)
    if verb == "--version":
        print(f"iqa_jax {iqa_jax.__version__}")
        return 0
    if not verb or verb in _HELP:
        print(_help())
        return 0 if verb else _WRONG
    problem = f"there is no program {verb!r}; {do_you_mean(verb, VERBS)}iqa --help lists all"
    print(f"iqa: error: {problem}", file=sys.stderr)
    return _WRONG


def _help() -> str:
    rows = [(f"iqa {verb}", summary) for verb, (_, summary) in VERBS.items()]
    return "\n".join(
        [
            f"iqa_jax {iqa_jax.__version__}: deep image quality in JAX",
            "",
            *aligned(("program", "what it does"), rows, text_columns=2),
            "",
            "iqa VERB --help   purpose, example, flags and exit statuses of a program",
            "iqa --version     the version",
            "",
            "Documentation: docs/, README.md and BUILD.md in the source; in Python help(iqa_jax).",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
