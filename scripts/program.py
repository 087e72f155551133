"""What the programs share: the flags that all that run models know, and how a program ends."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
from absl import app, flags, logging

from iqa_jax.backbones import PRECISIONS
from iqa_jax.errors import InputError
from iqa_jax.resize import FORMS

CHECKPOINTS_DIR = flags.DEFINE_string(
    "checkpoints_dir",
    None,
    "Folder of the converted weights. Default: the environment variable IQA_JAX_CHECKPOINTS, else "
    "'checkpoints' in the current folder.",
)
PRECISION = flags.DEFINE_enum(
    "precision",
    "highest",
    PRECISIONS,
    "Of float32 products: highest (for published scores), high or default (TF32 on GPU, bfloat16 "
    "passes on TPU); or bf16: weights and activations in bfloat16.",
)
RESIZE = flags.DEFINE_string(
    "resize",
    None,
    f"Resize every image before it is scored: {FORMS} (Pillow's antialiased bilinear filter). "
    "Default: native size. Scale changes correlations more than most other choices do.",
)
VERSIONS = flags.DEFINE_string(
    "versions",
    "auto",
    "How many distorted versions of a reference make a work unit: a number, or 'auto' for the one "
    "that takes the fewest passes through the network.",
)
COMPILATION_CACHE_DIR = flags.DEFINE_string(
    "compilation_cache_dir",
    None,
    "Folder in which compiled programs are kept for the next run; empty for none. It can be "
    "deleted at any time. Default: the environment variable JAX_COMPILATION_CACHE_DIR, else "
    "iqa_jax in the user's folder for caches (XDG_CACHE_HOME, else ~/.cache).",
)

_HELP = {"--help", "-help", "-h", "-?", "--helpshort", "--helpfull"}


def model_values() -> dict[str, Any]:
    """What the flags of models say, by the names of ``ModelSettings``."""
    return {
        "checkpoints_dir": CHECKPOINTS_DIR.value,
        "precision": PRECISION.value,
        "resize": RESIZE.value,
        "versions": versions(),
    }


def refuse_idle(*idle: flags.FlagHolder, reason: str) -> None:
    """Refuses flags that were given and would do nothing.

    Args:
      idle: The flags that do nothing beside the others.
      reason: Why, and what to add.

    Raises:
      InputError: Naming those of them that were given.
    """
    given = ", ".join(f"--{flag.name}" for flag in idle if flag.present)
    if given:
        raise InputError(f"{given}: without effect {reason}, or leave out {given}")


def versions() -> int | None:
    """The flag ``--versions``: None for auto."""
    if VERSIONS.value == "auto":
        return None
    try:
        return int(VERSIONS.value)
    except ValueError:
        raise InputError(f"--versions: expected a number or auto, got {VERSIONS.value}") from None


def run(main: Callable[[], None]) -> None:
    """Parses the flags and runs ``main``; what the user can mend ends without a traceback."""
    program = Path(sys.argv[0]).name

    def guarded(argv: list[str]) -> None:
        if len(argv) > 1:
            sys.exit(f"{program}: error: expected flags only, got {' '.join(argv[1:])}; see --help")
        logging.set_verbosity(logging.WARNING)  # JAX and Orbax tell much of themselves
        _keep_compiled_programs()
        try:
            main()
        except InputError as error:
            sys.exit(f"{program}: error: {error}")
        except OSError as error:
            known = error.filename and error.strerror
            sys.exit(
                f"{program}: error: {f'{error.filename}: {error.strerror}' if known else error}"
            )
        except KeyboardInterrupt:
            sys.exit(f"\n{program}: interrupted; what is done is kept, run again to continue")

    try:
        app.run(guarded)
    except SystemExit as ended:
        if _HELP.isdisjoint(sys.argv):
            raise
        sys.exit(0 if ended.code == 1 else ended.code)  # absl ends with 1 after showing help


def _keep_compiled_programs() -> None:
    folder = COMPILATION_CACHE_DIR.value
    if folder is None:
        folder = os.environ.get("JAX_COMPILATION_CACHE_DIR") or _user_cache()
    jax.config.update("jax_compilation_cache_dir", folder or None)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)


def _user_cache() -> str | None:
    """The project's folder among the user's caches; None where it cannot be made."""
    try:
        caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder = caches / "iqa_jax"
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # no home
        return None
    return str(folder) if os.access(folder, os.W_OK) else None
