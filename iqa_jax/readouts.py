"""Read-outs: from the statistics of some layers to one distance. Nothing here needs the network.

With s = ``squared_error``, u = ``unit_squared_error``, N the positions and w the channel relevance
of a layer (1 where none is given), over layers l and channels c:

* ``l2``: sqrt(sum_l N_l sum_c w_c s_c), the Euclidean distance of the concatenated activations;
* ``rmse``: sqrt(sum_l N_l sum_c w_c s_c / sum_l N_l C_l);
* ``unit``: sum_l sum_c w_c u_c, which with the published weights is LPIPS;
* ``unit_root``: its square root;
* ``structure_texture``: the mean over the channels of all layers of two terms in equal parts,
  texture 1 - (2 m n + k) / (m^2 + n^2 + k) and structure 1 - (2 q + k) / (v + w + k), of the means
  m and n, the variances v and w and the covariance q of reference and distorted image; k = 1e-6. A
  relevance has two weights a channel, texture first, and is scaled to a sum of 1 over all layers:
  with the published weights this is DISTS (Ding et al. 2020, arXiv 2004.07728).

All are 0 for identical images and grow with the difference.
"""

import functools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import jax
import jax.numpy as jnp

from iqa_jax.errors import InputError
from iqa_jax.numerics import guarded_sqrt


@dataclass(frozen=True)
class LayerStatistics:
    """What a read-out sees of one layer.

    Attributes:
      values: Statistic -> ``[..., channels]``.
      positions: Height x width of the layer.
      relevance: Weights ``[channels]``, or ``[terms, channels]`` for a read-out of several terms;
        None for 1.
    """

    values: Mapping[str, jax.Array]
    positions: int
    relevance: jax.Array | None = None

    def weighted_sum(self, statistic: str) -> jax.Array:
        """Sum over channels of the relevance times the statistic, ``[...]``."""
        values = self.values[statistic]
        return jnp.sum(values if self.relevance is None else self.relevance * values, axis=-1)

    @property
    def channels(self) -> int:
        """Number of channels."""
        return next(iter(self.values.values())).shape[-1]


Layers = Sequence[LayerStatistics]

_STABILITY = 1e-6
"""DISTS's constant in both terms."""


@dataclass(frozen=True)
class Readout:
    """A distance as a function of statistics.

    Attributes:
      statistics: Those that it needs of every layer.
      combine: From layers to distances ``[...]``.
      terms: How many weights a relevance has for each channel.
      is_local: Whether it is a sum over layers of means over positions, so that it has a map.
    """

    statistics: tuple[str, ...]
    combine: Callable[[Layers], jax.Array]
    terms: int = 1
    is_local: bool = False


def _l2(layers: Layers) -> jax.Array:
    return guarded_sqrt(_squared_distance(layers))


def _rmse(layers: Layers) -> jax.Array:
    activations = sum(layer.positions * layer.channels for layer in layers)
    return guarded_sqrt(_squared_distance(layers) / activations)


def _unit(layers: Layers) -> jax.Array:
    distance = sum_over(layer.weighted_sum("unit_squared_error") for layer in layers)
    if any(layer.channels == 1 for layer in layers):  # a unit vector of one number says nothing
        return jnp.full_like(distance, math.nan)
    return distance


def _unit_root(layers: Layers) -> jax.Array:
    return guarded_sqrt(_unit(layers))


def _structure_texture(layers: Layers) -> jax.Array:
    weights = [
        jnp.ones((2, layer.channels), jnp.float32) if layer.relevance is None else layer.relevance
        for layer in layers
    ]
    distance = sum_over(
        jnp.sum(w[0] * _texture(layer.values) + w[1] * _structure(layer.values), axis=-1)
        for w, layer in zip(weights, layers, strict=True)
    )
    return distance / sum_over(map(jnp.sum, weights))


def _texture(values: Mapping[str, jax.Array]) -> jax.Array:
    energy = jnp.square(values["mean_reference"]) + jnp.square(values["mean_distorted"])
    return jnp.square(values["difference_mean"]) / (energy + _STABILITY)


def _structure(values: Mapping[str, jax.Array]) -> jax.Array:
    # The variance of the difference is v + w - 2 q, so that nothing cancels.
    variances = values["variance_reference"] + values["variance_distorted"]
    return values["difference_variance"] / (variances + _STABILITY)


def _squared_distance(layers: Layers) -> jax.Array:
    return sum_over(layer.positions * layer.weighted_sum("squared_error") for layer in layers)


def sum_over(terms: Iterable[jax.Array]) -> jax.Array:
    """Sum of at least one array."""
    return functools.reduce(jnp.add, terms)


READOUTS: Mapping[str, Readout] = {
    "l2": Readout(("squared_error",), _l2),
    "rmse": Readout(("squared_error",), _rmse),
    "unit": Readout(("unit_squared_error",), _unit, is_local=True),
    "unit_root": Readout(("unit_squared_error",), _unit_root),
    "structure_texture": Readout(
        (
            *("mean_reference", "mean_distorted", "difference_mean"),
            *("variance_reference", "variance_distorted", "difference_variance"),
        ),
        _structure_texture,
        terms=2,
    ),
}


@dataclass(frozen=True)
class ReadoutName:
    """A read-out of layers of a model, written ``MODEL/LAYER[+LAYER...]/READOUT[@RELEVANCE]``.

    Attributes:
      model: Name of the backbone.
      layers: Names of its layers.
      readout: Key of :data:`READOUTS`.
      relevance: Name of a checkpoint with channel weights; None for weights of 1.
    """

    model: str
    layers: tuple[str, ...]
    readout: str
    relevance: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads a name.

        Raises:
          InputError: If the text has another form or there is no such read-out.
        """
        parts = text.rsplit("/", 2)
        if len(parts) != 3 or not all(parts):
            raise InputError(f"expected MODEL/LAYER[+LAYER...]/READOUT[@RELEVANCE], got {text!r}")
        model, layers, readout = parts
        return cls(model, parse_layers(layers), *parse_readout(readout))

    @property
    def layer(self) -> str:
        """The layers in one word."""
        return "+".join(self.layers)

    @property
    def weighted_readout(self) -> str:
        """The read-out with its relevance, ``READOUT[@RELEVANCE]``."""
        return self.readout if self.relevance is None else f"{self.readout}@{self.relevance}"

    def __str__(self) -> str:
        return f"{self.model}/{self.layer}/{self.weighted_readout}"


def parse_layers(text: str) -> tuple[str, ...]:
    """Reads ``LAYER[+LAYER...]``.

    Raises:
      InputError: If a name is empty or stands twice.
    """
    layers = tuple(text.split("+"))
    if not all(layers) or len(set(layers)) < len(layers):
        raise InputError(f"expected different layers joined by +, got {text!r}")
    return layers


def parse_readout(text: str) -> tuple[str, str | None]:
    """Reads ``READOUT[@RELEVANCE]``.

    Raises:
      InputError: If there is no such read-out.
    """
    readout, at, relevance = text.partition("@")
    if readout not in READOUTS:
        raise InputError(f"there is no read-out {readout!r}; there are: {', '.join(READOUTS)}")
    if at and not relevance:
        raise InputError(f"expected the name of a relevance after the @ of {text!r}")
    return readout, relevance or None
