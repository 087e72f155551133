"""Conversion of third-party checkpoints to our names, with every array accounted for."""

import itertools
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
    r"""A rule that maps names in a checkpoint to ours.

    Attributes:
      source: Regular expression for the whole name in the checkpoint.
      target: The new name; may refer to groups of ``source`` as ``\1``.
      transform: Function applied to the array.
    """

    source: str
    target: str
    transform: Callable[[np.ndarray], np.ndarray] = np.asarray


_WRAPPER = "module"
"""Component that PyTorch's DataParallel inserts into names, wherever it was applied."""

_LONGEST_NAME = 1000
_MOST_NAMES = 100_000
_MOST_LISTED = 100
"""Maximum number of mismatches listed; the first few are usually enough."""

_COUNTERS = (r"(.*\.)?num_batches_tracked",)
_BUFFERS = {"running_mean": "mean", "running_var": "var"}


def flatten(tree: Mapping[str, Any]) -> Iterator[tuple[str, np.ndarray]]:
    """Yields arrays, numbers and strings in nested dicts, with their dotted names.

    A shared dict counts every time it occurs, so even a short file can hold any number of names.

    Raises:
      CheckpointError: If there are far too many names, a name is far too long, or a value is a
        list.
    """
    return _flatten(tree, "", itertools.count(1))


def _flatten(
    tree: Mapping[str, Any], prefix: str, count: Iterator[int]
) -> Iterator[tuple[str, np.ndarray]]:
    for key, value in tree.items():
        name = f"{prefix}{key}"
        if len(name) > _LONGEST_NAME:
            raise CheckpointError(f"holds a name of {len(name)} characters: {name[:100]}...")
        if next(count) > _MOST_NAMES:
            raise CheckpointError(f"holds more than {_MOST_NAMES} names of arrays")
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{name}.", count)
        elif isinstance(value, list | tuple):
            raise CheckpointError(f"{name} is a {type(value).__name__}, expected an array")
        else:
            yield name, value


def convert(
    source: Mapping[str, np.ndarray],
    target: Mapping[str, Shaped],
    renames: Sequence[Rename] = (),
    ignored: Sequence[str] = (),
) -> dict[str, np.ndarray]:
    """Renames the arrays of a checkpoint and checks that none is left over, missing or misshapen.

    PyTorch's names and layouts need no rules: ``weight`` becomes the ``kernel`` of a convolution
    (OIHW to HWIO) or of a linear layer (transposed), or the ``scale`` of a normalisation.

    Args:
      source: Arrays by their names in the checkpoint.
      target: Required arrays: shapes by our names.
      renames: Rules applied in order; a name that matches none is kept.
      ignored: Regular expressions for whole names, after renaming, of arrays to skip.

    Returns:
      Float32 arrays by name, in the order of ``target``.

    Raises:
      CheckpointError: If names or shapes do not match; one error lists the mismatches.
    """
    converted, errors = {}, []
    for name, original in source.items():
        try:
            renamed, transformed = _rename(name, np.asarray(original), renames)
        except (IndexError, ValueError):  # raised by a transform
            errors.append(f"{name}: has an unsuitable shape {np.shape(original)}")
            continue
        if any(re.fullmatch(pattern, renamed) for pattern in (*ignored, *_COUNTERS)):
            continue
        ours, array = _from_torch(renamed, transformed)
        shown = name if ours == name else f"{name} ({ours})"
        if ours not in target:
            errors.append(f"{shown}: is not part of the network")
        elif ours in converted:
            errors.append(f"{shown}: fills {ours} a second time")
        else:
            converted[ours] = array
    for name, wanted in target.items():
        if name not in converted:
            errors.append(f"{name}: is not in the checkpoint")
        elif converted[name].shape != tuple(wanted.shape):
            errors.append(
                f"{name}: has the shape {converted[name].shape}, expected {tuple(wanted.shape)}"
            )
    if errors:
        more = len(errors) - _MOST_LISTED
        shown = [*errors[:_MOST_LISTED], f"and {more} more"] if more > 0 else errors
        raise CheckpointError("the checkpoint does not fit:\n  " + "\n  ".join(shown))
    return {name: np.asarray(converted[name], np.float32) for name in target}


def _rename(name: str, array: np.ndarray, renames: Sequence[Rename]) -> tuple[str, np.ndarray]:
    name = ".".join(part for part in name.split(".") if part != _WRAPPER)
    for rename in renames:
        match = re.fullmatch(rename.source, name)
        if match:
            name, array = match.expand(rename.target), rename.transform(array)
    return name, array


def _from_torch(name: str, array: np.ndarray) -> tuple[str, np.ndarray]:
    """Our name and layout of a PyTorch parameter; our own pass unchanged."""
    module, dot, leaf = name.rpartition(".")
    if leaf != "weight":
        return module + dot + _BUFFERS.get(leaf, leaf), array
    if array.ndim == 4:
        return f"{module}{dot}kernel", array.transpose(2, 3, 1, 0)
    if array.ndim == 2:
        return f"{module}{dot}kernel", array.T
    return f"{module}{dot}scale", array
