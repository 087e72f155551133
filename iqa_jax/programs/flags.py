"""The flags of all programs that run models."""

from typing import Any

from absl import flags

from iqa_jax.errors import InputError
from iqa_jax.images.resize import FORMS

CHECKPOINTS_DIR = flags.DEFINE_string(
    "checkpoints_dir",
    None,
    "Folder of the converted weights. Default: the environment variable IQA_JAX_CHECKPOINTS, else "
    "'checkpoints' in the current folder if a checkpoint is there, else iqa_jax/checkpoints in the "
    "user's folder for caches (XDG_CACHE_HOME, else ~/.cache).",
)
PRECISION = flags.DEFINE_enum(
    "precision",
    "highest",
    ("highest", "high", "default", "bf16"),
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
    "iqa_jax/compiled in the user's folder for caches (XDG_CACHE_HOME, else ~/.cache).",
)


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
