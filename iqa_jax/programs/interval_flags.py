"""The flags of the programs that say how sure their numbers are."""

from typing import Any

from absl import flags

from iqa_jax.agreement.intervals import FEW_REFERENCES, LEAST_REFERENCES, METHODS, RESAMPLES
from iqa_jax.errors import InputError

INTERVAL = flags.DEFINE_enum(
    "interval",
    None,
    METHODS,
    "How 95 % intervals over references are made: jackknife (each left out once, Student's t), "
    "bootstrap (percentiles of resamples; too narrow with few references) or none. Default: "
    f"jackknife where there are at least {LEAST_REFERENCES} references, else none; below "
    f"{FEW_REFERENCES} intervals are rough.",
)
RESAMPLE_COUNT = flags.DEFINE_integer(
    "resamples",
    None,
    f"Resamples of --interval=bootstrap. Default: {RESAMPLES}.",
    lower_bound=1,
)
FORMER = flags.DEFINE_string(
    "bootstrap", None, "Former name of --interval=bootstrap --resamples=NUMBER; an error."
)


def values() -> dict[str, Any]:
    """What the flags say, by the names of the settings.

    Raises:
      InputError: If a flag is given that is gone.
    """
    if FORMER.value is not None:
        raise InputError(
            f"--bootstrap is gone; leave it out for intervals by the jackknife, or say "
            f"--interval=bootstrap --resamples={FORMER.value}"
        )
    return {"interval": INTERVAL.value, "resamples": RESAMPLE_COUNT.value}
