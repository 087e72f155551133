"""A read-out as a function of sums over layers, and the data that it sees of each layer."""

import functools
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from iqa_jax.errors import InputError


@dataclass(frozen=True)
class LayerStatistics:
    """Data of one layer that a read-out sees.

    Attributes:
      values: Values ``[..., channels]`` by statistic.
      positions: Height x width of the layer; float32 ``[...]`` if it differs between pairs.
      relevance: Weights ``[channels]``, or ``[terms, channels]`` for a read-out of several terms;
        None for weights of 1.
      normaliser: Mean over a dataset of :attr:`Readout.normalised_by`, without the axis of pairs;
        None if no dataset is known.
    """

    values: Mapping[str, jax.Array]
    positions: int | jax.Array
    relevance: jax.Array | None = None
    normaliser: jax.Array | None = None

    def weighted_sum(self, statistic: str) -> jax.Array:
        """Sum over channels of the relevance times the statistic, ``[...]``."""
        return self.sum_of(self.values[statistic])

    def sum_of(self, values: jax.Array, term: int | None = None) -> jax.Array:
        """Sum over channels of the relevance times ``values``.

        Args:
          values: ``[..., channels]``.
          term: Row of a relevance of several terms; None for a relevance of a single term.

        Returns:
          ``[...]``.
        """
        if self.relevance is None:
            return jnp.sum(values, axis=-1)
        weights = self.relevance if term is None else self.relevance[term]
        return jnp.sum(along_channels(weights, values) * values, axis=-1)

    @property
    def channels(self) -> int:
        """Number of channels."""
        return next(iter(self.values.values())).shape[-1]


Summands = tuple[Any, ...]
"""Terms that are summed over the layers of a read-out: numbers, or arrays ``[...]``."""

NEEDS_A_DATASET = (
    "this read-out compares with the mean over a dataset, so it is not a function of one pair; "
    "compute it from stored statistics (evaluate with statistics_dir)"
)


@dataclass(frozen=True)
class Readout:
    """A distance as a function of sums over layers: a concatenation costs no more than its layers.

    Attributes:
      statistics: Statistics that are needed of every layer.
      of_layer: Function from a layer to its summands.
      finish: Function from the sums to distances ``[...]``.
      terms: Number of weights that a relevance has for each channel; 0 if it takes none.
      is_local: Whether it is a sum over layers of means over positions, and so has a map.
      normalised_by: Function from a layer to the values ``[...]`` or ``[..., channels]`` whose mean
        over the pairs of a dataset is the normaliser; None for a function of the pair alone.
    """

    statistics: tuple[str, ...]
    of_layer: Callable[[LayerStatistics], Summands]
    finish: Callable[..., jax.Array]
    terms: int = 1
    is_local: bool = False
    normalised_by: Callable[[LayerStatistics], jax.Array] | None = None

    def summands(
        self,
        values: Mapping[str, jax.Array],
        positions: int | jax.Array,
        *,
        relevance: jax.Array | None = None,
        normaliser: jax.Array | None = None,
    ) -> Summands:
        """Terms that a layer adds to the sums.

        Args:
          values: The statistics of the layer, at least those that are needed.
          positions: Height x width of the layer; see :class:`LayerStatistics`.
          relevance: Weights of the channels; see :class:`LayerStatistics`.
          normaliser: Mean over a dataset; see :class:`LayerStatistics`.

        Raises:
          InputError: If the read-out compares with a dataset, and there is no normaliser.
        """
        if self.normalised_by and normaliser is None:
            raise InputError(NEEDS_A_DATASET)
        needed = {name: values[name] for name in self.statistics}
        return self.of_layer(LayerStatistics(needed, positions, relevance, normaliser))

    def combine(self, layers: Iterable[Summands]) -> jax.Array:
        """Distances ``[...]`` from the summands of at least one layer."""
        return self.finish(*map(sum_over, zip(*layers, strict=True)))


def sum_over(terms: Iterable[Any]) -> Any:
    """Sum of at least one number or array."""
    return functools.reduce(operator.add, terms)


def along_channels(weights: jax.Array, values: jax.Array) -> jax.Array:
    """One number per channel, ``[channels]``, with as many dimensions as ``values``."""
    return weights.reshape((1,) * (values.ndim - weights.ndim) + weights.shape)
