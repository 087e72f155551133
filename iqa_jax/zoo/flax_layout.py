"""Names and layouts of vision transformers in Google's files (vit_jax and big_vision).

Queries, keys and values are separate arrays with an axis for the heads. The parts of a block are
numbered through by vit_jax, and each kind for itself by big_vision, which may also keep all blocks
in one array with a leading axis.
"""

import re

import numpy as np

from iqa_jax.weights.conversion import Rename
from iqa_jax.zoo.entries import Arrays

_STACKED = re.compile(r"(.*Transformer/encoderblock)/(.+)")
_PART = re.compile(
    r"(.*Transformer/encoderblock_\d+/MultiHeadDotProductAttention_\d)/(query|key|value)/(.+)"
)
_PARTS = ("query", "key", "value")
_NUMBERS_OF_AXES = {"kernel": 3, "bias": 2}


def rearrange(arrays: Arrays) -> Arrays:
    """Separates stacked blocks, and joins queries, keys and values in this order.

    Args:
      arrays: Arrays by their names in the file, ``Transformer/encoderblock_0/...``.

    Returns:
      The arrays, with ``.../qkv/kernel`` ``[C, 3 C]`` and ``.../qkv/bias`` ``[3 C]``.
    """
    return _joined(_separated(arrays))


def _separated(arrays: Arrays) -> Arrays:
    found = {}
    for name, array in arrays.items():
        match = _STACKED.fullmatch(name)
        if match and np.ndim(array):
            blocks = enumerate(array)
            found |= {f"{match[1]}_{number}/{match[2]}": each for number, each in blocks}
        else:
            found[name] = array
    return found


def _joined(arrays: Arrays) -> Arrays:
    found, parts = {}, {}
    for name, array in arrays.items():
        match = _PART.fullmatch(name)
        if match and np.ndim(array) == _NUMBERS_OF_AXES.get(match[3]):
            parts.setdefault((match[1], match[3]), {})[match[2]] = array
        else:
            found[name] = array
    for (attention, leaf), by_part in parts.items():
        if set(by_part) == set(_PARTS):
            flat = [_without_heads(by_part[part]) for part in _PARTS]
            found[f"{attention}/qkv/{leaf}"] = np.concatenate(flat, axis=-1)
        else:
            found |= {f"{attention}/{part}/{leaf}": array for part, array in by_part.items()}
    return found


def _without_heads(array: np.ndarray) -> np.ndarray:
    """Joins the last two axes, heads and their channels."""
    return array.reshape(*array.shape[:-2], -1)


def _from_heads(kernel: np.ndarray) -> np.ndarray:
    """Joins the first two axes, heads and their channels."""
    return kernel.reshape(-1, kernel.shape[-1])


_BLOCK = r"blocks\.(\d+)\."

RENAMES = (
    Rename(r"(?:params/)?img/(.+)", r"\1"),
    Rename(r"cls", r"cls_token"),
    Rename(r"(?:Transformer/posembed_input/)?pos_embedding", r"pos_embed"),
    Rename(r"embedding/(kernel|bias)", r"patch_embed.proj.\1"),
    Rename(r"Transformer/encoder_norm/(scale|bias)", r"norm.\1"),
    Rename(r"Transformer/encoderblock_(\d+)/(.+)", r"blocks.\1.\2"),
    Rename(rf"{_BLOCK}LayerNorm_0/(scale|bias)", r"blocks.\1.norm1.\2"),
    Rename(rf"{_BLOCK}LayerNorm_[12]/(scale|bias)", r"blocks.\1.norm2.\2"),
    Rename(
        rf"{_BLOCK}MultiHeadDotProductAttention_[01]/qkv/(kernel|bias)", r"blocks.\1.attn.qkv.\2"
    ),
    Rename(
        rf"{_BLOCK}MultiHeadDotProductAttention_[01]/out/kernel",
        r"blocks.\1.attn.proj.kernel",
        _from_heads,
    ),
    Rename(rf"{_BLOCK}MultiHeadDotProductAttention_[01]/out/bias", r"blocks.\1.attn.proj.bias"),
    Rename(rf"{_BLOCK}MlpBlock_[03]/Dense_0/(kernel|bias)", r"blocks.\1.mlp.fc1.\2"),
    Rename(rf"{_BLOCK}MlpBlock_[03]/Dense_1/(kernel|bias)", r"blocks.\1.mlp.fc2.\2"),
)
"""Renames from the result of :func:`rearrange` to the names of ``backbones.vit``."""

IGNORED = (
    r"(head|pre_logits)/.*",  # classifiers
    r"MAPHead_0/.*",  # attention that pools the patches to the vector that is compared with texts
    r"(params/)?(txt/.*|t|b)",  # the tower of texts, and the scale and bias of the comparison
)
"""Arrays that are not part of the network."""
