"""TPU hosts that work without each other.

A slice of several hosts starts only when a process runs on each of them, and ends when one ends.
Where the work is shared out in advance, each host does better as a slice of its own. The TPU
library reads these variables when JAX starts it.
"""

from collections.abc import MutableMapping
from pathlib import Path

from iqa_jax.errors import InputError

_PROCESSES, _CHIPS = "TPU_PROCESS_BOUNDS", "TPU_CHIPS_PER_PROCESS_BOUNDS"
_CHIPS_OF_A_HOST = "TPU_CHIPS_PER_HOST_BOUNDS"
"""Variable that Google's machine images set."""

_BOUNDS = {1: "1,1,1", 2: "1,2,1", 4: "2,2,1", 8: "2,4,1"}
"""Arrangement of the chips of a host, by their number."""

_DEVICES = (("/dev", "accel[0-9]*"), ("/dev/vfio", "[0-9]*"))
"""Files of the chips, in older and newer generations."""


def make_independent(environ: MutableMapping[str, str]) -> None:
    """Makes the chips of this host a slice of their own.

    Args:
      environ: Variables of the environment, to which the bounds are added; bounds of the chips that
        are there are kept.

    Raises:
      InputError: If the arrangement of the chips is not known.
    """
    if _CHIPS not in environ:
        bounds = environ.get(_CHIPS_OF_A_HOST) or _BOUNDS.get(_chips())
        if not bounds:
            raise InputError(
                f"--independent_hosts: expected a host with {', '.join(map(str, _BOUNDS))} TPU "
                f"chips, found {_chips()}; set {_CHIPS}, or leave out --independent_hosts"
            )
        environ[_CHIPS] = bounds
    environ[_PROCESSES] = "1,1,1"


def _chips() -> int:
    """Number of TPU chips of this host."""
    return max(len([*Path(folder).glob(names)]) for folder, names in _DEVICES)
