"""From a foreign checkpoint's names to ours, with every array accounted for."""

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
    r"""How some arrays of a checkpoint are called here.

    Attributes:
      source: Regular expression of the whole name in the checkpoint.
      target: The new name; may refer to groups of ``source`` as ``\1``.
      transform: Applied to the array.
    """

    source: str
    target: str
    transform: Callable[[np.ndarray], np.ndarray] = np.asarray


_WRAPPER = "module"
"""What PyTorch's DataParallel writes into names, wherever it was applied."""

_LONGEST_NAME = 1000
_MOST_NAMES = 100_000
_MOST_TOLD = 100
"""Of mismatches, of which the first are usually enough."""

_COUNTERS = (r"(.*\.)?num_batches_tracked",)
_BUFFERS = {"running_mean": "mean", "running_var": "var"}


def flatten(tree: Mapping[str, Any]) -> Iterator[tuple[str, np.ndarray]]:
    """Yields the arrays of nested dicts, and the numbers and strings among them, by dotted names.

    A dict that is shared counts wherever it is: a short file can hold any number of names.

    Raises:
      CheckpointError: If there are far too many, a name is far too long, or something is a list.
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

    Names and layouts of PyTorch are understood without being told: ``weight`` is the ``kernel`` of
    a convolution (OIHW to HWIO) or of a product (transposed), or the ``scale`` of a normalisation.

    Args:
      source: Arrays by their names in the checkpoint.
      target: What has to be filled: shapes by our names.
      renames: Applied in order; a name that none matches stays.
      ignored: Regular expressions of whole names, after renaming, that are not wanted.

    Returns:
      An array for each name of ``target``, in its order, in float32.

    Raises:
      CheckpointError: If the two sides do not fit; one error lists the mismatches.
    """
    converted, errors = {}, []
    for name, original in source.items():
        try:
            renamed, transformed = _rename(name, np.asarray(original), renames)
        except (IndexError, ValueError):  # by a transform
            errors.append(f"{name}: has the shape {np.shape(original)}, which does not fit")
            continue
        if any(re.fullmatch(pattern, renamed) for pattern in (*ignored, *_COUNTERS)):
            continue
        ours, array = _from_torch(renamed, transformed)
        told = name if ours == name else f"{name} ({ours})"
        if ours not in target:
            errors.append(f"{told}: has no place here")
        elif ours in converted:
            errors.append(f"{told}: fills {ours} a second time")
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
        more = len(errors) - _MOST_TOLD
        told = [*errors[:_MOST_TOLD], f"and {more} more"] if more > 0 else errors
        raise CheckpointError("the checkpoint does not fit:\n  " + "\n  ".join(told))
    return {name: np.asarray(converted[name], np.float32) for name in target}


def _rename(name: str, array: np.ndarray, renames: Sequence[Rename]) -> tuple[str, np.ndarray]:
    name = ".".join(part for part in name.split(".") if part != _WRAPPER)
    for rename in renames:
        match = re.fullmatch(rename.source, name)
        if match:
            name, array = match.expand(rename.target), rename.transform(array)
    return name, array


def _from_torch(name: str, array: np.ndarray) -> tuple[str, np.ndarray]:
    """The name and the layout that a parameter of PyTorch has here; ours pass."""
    module, dot, leaf = name.rpartition(".")
    if leaf != "weight":
        return module + dot + _BUFFERS.get(leaf, leaf), array
    if array.ndim == 4:
        return f"{module}{dot}kernel", array.transpose(2, 3, 1, 0)
    if array.ndim == 2:
        return f"{module}{dot}kernel", array.T
    return f"{module}{dot}scale", array
