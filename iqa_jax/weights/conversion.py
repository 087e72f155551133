"""From a foreign checkpoint's names to ours, with every array accounted for."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from iqa_jax.errors import CheckpointError


class Shaped(Protocol):
    """Anything with the shape of an array."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Length along every axis."""
        ...


@dataclass(frozen=True)
class Rename:
    r"""How some arrays of a checkpoint are called here.

    Attributes:
      source: Regular expression of the whole name in the checkpoint.
      target: Our name; may refer to groups of ``source`` as ``\1``.
      transform: Applied to the array.
    """

    source: str
    target: str
    transform: Callable[[np.ndarray], np.ndarray] = np.asarray


def flatten(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, np.ndarray]]:
    """Yields the arrays of nested dicts with their dotted names."""
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def convert(
    source: Mapping[str, np.ndarray],
    target: Mapping[str, Shaped],
    renames: Sequence[Rename],
    ignored: Sequence[str] = (),
) -> dict[str, np.ndarray]:
    """Renames the arrays of a checkpoint and checks that none is left over, missing or misshapen.

    Args:
      source: Arrays by their names in the checkpoint.
      target: What has to be filled: shapes by our names.
      renames: At most one may match a name.
      ignored: Regular expressions of whole names that are not wanted.

    Returns:
      An array for each name of ``target``, in its order, in float32.

    Raises:
      CheckpointError: If the two sides do not fit; one error lists every mismatch.
    """
    converted, errors = {}, []
    for name, array in source.items():
        matching = [rename for rename in renames if re.fullmatch(rename.source, name)]
        if any(re.fullmatch(pattern, name) for pattern in ignored):
            continue
        if len(matching) != 1:
            errors.append(f"{name}: " + ("two renames match" if matching else "has no place here"))
            continue
        ours = re.sub(matching[0].source, matching[0].target, name)
        if ours in converted:
            errors.append(f"{name}: fills {ours} a second time")
        converted[ours] = matching[0].transform(np.asarray(array, np.float32))
    for name, wanted in target.items():
        if name not in converted:
            errors.append(f"{name}: is not in the checkpoint")
        elif converted[name].shape != tuple(wanted.shape):
            errors.append(
                f"{name}: has the shape {converted[name].shape}, expected {tuple(wanted.shape)}"
            )
    errors += [f"{name}: is no array of the target" for name in converted if name not in target]
    if errors:
        raise CheckpointError("the checkpoint does not fit:\n  " + "\n  ".join(errors))
    return {name: converted[name] for name in target}
