"""Folding of batch normalisations with stored moments into the convolutions before them.

Both are affine: ``(conv(x) - mean) * s + bias`` with ``s = scale / sqrt(var + epsilon)`` is a
convolution whose kernel is multiplied by ``s``, channel by channel, and whose bias is shifted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from iqa_jax.backbones.layers import BatchNorm, Chain


@dataclass(frozen=True)
class FoldedNorm:
    """A normalisation and the convolution into which it is folded.

    Attributes:
      name: Dotted name of the normalisation.
      conv: Dotted name of the convolution.
      epsilon: Constant added to the variance.
    """

    name: str
    conv: str
    epsilon: float


def fold_modules(module: nnx.Module) -> tuple[FoldedNorm, ...]:
    """Removes, in place, every normalisation of ``module`` that directly follows a convolution."""
    nodes: dict[tuple[Any, ...], Any] = dict(nnx.iter_graph(module))
    folded = []
    for path, norm in nodes.items():
        if not isinstance(norm, BatchNorm) or norm.after is None:
            continue
        *parent, name = path
        after = int(norm.after) if isinstance(name, int) else norm.after
        conv = nodes[*parent, after]
        _replace(nodes[tuple(parent)], name, Chain([]))
        if conv.bias is None:
            conv.bias = nnx.Param(jax.ShapeDtypeStruct((norm.num_features,), jnp.float32))
            conv.use_bias = True
        folded.append(FoldedNorm(_dotted(path), _dotted((*parent, after)), norm.epsilon))
    return tuple(folded)


def _replace(parent: Any, name: Any, value: Any) -> None:
    if isinstance(name, int):
        parent[name] = value
    else:
        setattr(parent, name, value)


def _dotted(path: Sequence[Any]) -> str:
    return ".".join(map(str, path))


def fold_parameters(
    parameters: Mapping[str, np.ndarray], norms: Sequence[FoldedNorm]
) -> dict[str, np.ndarray]:
    """Parameters of the network after folding.

    Args:
      parameters: Float32 parameters of the original network, by dotted name.
      norms: Result of :func:`fold_modules`.
    """
    folded = dict(parameters)
    for norm in norms:
        scale, bias, mean, var = (
            folded.pop(f"{norm.name}.{leaf}").astype(np.float64)
            for leaf in ("scale", "bias", "mean", "var")
        )
        factor = scale / np.sqrt(var + norm.epsilon)
        kernel, shift = f"{norm.conv}.kernel", f"{norm.conv}.bias"
        folded[kernel] = folded[kernel] * factor.astype(np.float32)
        folded[shift] = (bias + (folded.get(shift, 0) - mean) * factor).astype(np.float32)
    return folded
