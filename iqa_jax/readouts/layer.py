"""What a read-out sees of each layer, and what it is: a function of sums over layers."""

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
    """What a read-out sees of one layer.

    Attributes:
      values: Statistic -> ``[..., channels]``.
      positions: Height x width of the layer; float32 ``[...]`` where pairs differ in it.
      relevance: Weights ``[channels]``, or ``[terms, channels]`` for a read-out of several terms;
        None for 1.
      normaliser: The mean over a dataset of what :attr:`Readout.normalised_by` says, without the
        axis of pairs; None where no dataset is known.
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
          term: Which row of a relevance of several terms; None for one of a single term.

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
"""What is summed over the layers of a read-out: numbers, or arrays ``[...]``."""

NEEDS_A_DATASET = (
    "this read-out compares with the mean over a dataset, so it is no function of one pair; read "
    "it from stored statistics (iqa evaluate --statistics_dir)"
)


@dataclass(frozen=True)
class Readout:
    """A distance as a function of sums over layers: a concatenation costs no more than its layers.

    Attributes:
      statistics: Statistics that are needed of every layer.
      of_layer: Function from a layer to its summands.
      finish: Function from the sums to distances ``[...]``.
      terms: Number of weights that a relevance has for each channel; 0 where it takes none.
      is_local: Whether it is a sum over layers of means over positions, so that it has a map.
      normalised_by: Function from a layer to what is averaged over the pairs of a dataset,
        ``[...]`` or ``[..., channels]``, before there is a distance; None for a function of the
        pair alone.
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
        """What a layer adds to the sums.

        Args:
          values: The statistics of the layer, at least those that are needed.
          positions: As in :class:`LayerStatistics`.
          relevance: As in :class:`LayerStatistics`.
          normaliser: As in :class:`LayerStatistics`.

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
    """One number a channel, ``[channels]``, in as many dimensions as ``values``."""
    return weights.reshape((1,) * (values.ndim - weights.ndim) + weights.shape)
