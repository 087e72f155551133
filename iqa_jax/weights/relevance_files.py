"""Relevances in one file, to be handed on: safetensors by layer, and a card of their origin.

The card is JSON in the file's metadata, under ``iqa_jax``. Files come from anyone: nothing in them
is executed, and every fact that is used is checked.
"""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from etils import epath

from iqa_jax.errors import CheckpointError, InputError
from iqa_jax.files import appearing_whole
from iqa_jax.revisions import versions_with
from iqa_jax.weights.checkpoints import Checkpoint, digest
from iqa_jax.weights.formats.budget import describe

SUFFIX = ".safetensors"
"""Ending of a relevance that is a file; other relevances are names of checkpoints."""

FORMAT = 1
"""Version of the card."""

_KEY = "iqa_jax"
_MOST_BYTES = 1 << 26
_TEXTS = ("model", "model_weights_sha256", "readout", "licence", "weights_sha256")


def is_relevance_file(relevance: str) -> bool:
    """Whether a relevance is named by its file."""
    return relevance.endswith(SUFFIX)


def write_relevance(
    path: epath.PathLike, weights: Mapping[str, np.ndarray], card: Mapping[str, Any]
) -> None:
    """Writes a relevance file, whole.

    Args:
      path: The file, which must end in ``.safetensors``; an earlier one is replaced.
      weights: float32 ``[channels]`` or ``[terms, channels]`` by layer.
      card: Facts about the weights as JSON; format, layers, hash and version are added.

    Raises:
      InputError: If the file cannot be written.
    """
    file = epath.Path(path)
    record = {
        "format": FORMAT,
        **card,
        "layers": list(weights),
        "weights_sha256": digest(weights),
        "versions": versions_with(),
    }
    arrays = {layer: np.ascontiguousarray(each, np.float32) for layer, each in weights.items()}
    from safetensors.numpy import save  # noqa: PLC0415  most metrics need no file

    data = save(arrays, metadata={_KEY: json.dumps(record)})
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with appearing_whole(file) as unfinished:
            unfinished.write_bytes(data)
    except OSError as error:
        raise InputError(f"{file}: cannot be written ({error.strerror or error})") from error


def read_relevance(path: epath.PathLike) -> Checkpoint:
    """Reads a relevance file and checks it.

    Args:
      path: The file.

    Returns:
      The weights, in the order of the card's layers, and the card.

    Raises:
      CheckpointError: If there is no such file, it is larger than 64 MiB, damaged or not a
        relevance, its weights are not finite, negative or of unlike shapes, or have changed since
        they were written.
    """
    from safetensors import deserialize  # noqa: PLC0415

    file = epath.Path(path)
    if not file.is_file():
        raise CheckpointError(f"there is no relevance file {file}")
    try:
        size = file.stat().length
        if size > _MOST_BYTES:
            raise ValueError(f"it has {size} bytes, more than any relevance")
        data = file.read_bytes()
        card = _card(data)
        arrays = {name: _array(name, tensor) for name, tensor in deserialize(data)}
        weights = _in_order(arrays, card["layers"])
    except Exception as error:  # a damaged file can fail in any way
        raise CheckpointError(
            f"{file}: is not a relevance file of iqa_jax ({describe(error)}); export it again with "
            "learned.export or iqa train --export"
        ) from error
    if digest(weights) != card["weights_sha256"]:
        raise CheckpointError(f"{file}: its weights have changed since it was exported")
    return Checkpoint(weights, card)


def _card(data: bytes) -> dict[str, Any]:
    length = int.from_bytes(data[:8], "little")
    card = json.loads(json.loads(data[8 : 8 + length])["__metadata__"][_KEY])
    if card["format"] != FORMAT:
        raise ValueError(f"its card has the format {card['format']!r}, expected {FORMAT}")
    wrong = [key for key in _TEXTS if not isinstance(card[key], str)]
    wrong += [] if _are_texts(card["layers"]) else ["layers"]
    dataset = card["dataset"]
    if not (isinstance(dataset, dict) and _are_texts([dataset["name"], dataset["fingerprint"]])):
        wrong.append("dataset")
    if wrong:
        raise TypeError(f"its card has no valid {', '.join(wrong)}")
    return card


def _are_texts(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def _array(name: str, tensor: Mapping[str, Any]) -> np.ndarray:
    if tensor["dtype"] != "F32":
        raise TypeError(f"{name} has the type {tensor['dtype']}, expected F32")
    array = np.frombuffer(bytes(tensor["data"]), "<f4").reshape(tensor["shape"])
    if not (array.ndim in (1, 2) and array.size):
        raise ValueError(f"{name} has the shape {list(array.shape)}, expected one row a term")
    if not np.isfinite(array).all() or array.min() < 0:
        raise ValueError(f"{name} has weights that are negative or not finite")
    return array


def _in_order(arrays: Mapping[str, np.ndarray], layers: list[str]) -> dict[str, np.ndarray]:
    if not layers or set(layers) != set(arrays) or len(set(layers)) < len(layers):
        raise ValueError(f"its card names the layers {layers}, the weights are of {list(arrays)}")
    if len({array.shape[:-1] for array in arrays.values()}) > 1:
        raise ValueError("its layers have different numbers of weights per channel")
    return {layer: arrays[layer] for layer in layers}
