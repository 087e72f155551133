"""Losses to minimise: differentiable disagreement of distances with people.

Distances have a mean (of their squares, for a root) of about 1. A loss sees those of a batch of
pairs. A mask selects the ones that count, so that many runs, each with its own training references,
share one program.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from iqa_jax.datasets.table import Question
from iqa_jax.errors import InputError
from iqa_jax.relevance import ranking
from iqa_jax.relevance.examples import Examples
from iqa_jax.relevance.judgements import Batch, People
from iqa_jax.relevance.ranking import Network

_RANKED = 128
"""Pairs in a batch for soft ranks, whose cost grows with the square of this number."""

_JUDGED = 256
_JUDGED_IN_VALIDATION = 4096
"""Pairs of versions in a batch, and in validation, where they are always the same and from all
references."""

_TEMPERATURE = 0.1
"""Temperature of soft ranks, in standard deviations of the distances."""

Value = Callable[[Network, jax.Array, jax.Array, jax.Array], jax.Array]
"""Function from the network, distances ``[rows]``, judgements, and which rows count (bool) to a
number that is smaller for better agreement; 0 if none count."""


@dataclass(frozen=True)
class Loss:
    """A loss.

    Attributes:
      draw: Function from a key and people to the batch of a step.
      value: Value of the loss for a batch.
      whole: Function from people to the batch on which a run is validated.
      criterion: Value on that batch, which decides when to stop and which strength is best.
      start: Function from a seed to the parameters trained besides the weights.
    """

    draw: Callable[[jax.Array, People], Batch]
    value: Value
    whole: Callable[[People], Batch]
    criterion: Value
    start: Callable[[int], Network] = lambda seed: {}


def check_loss(loss: str, examples: Examples) -> None:
    """Rejects a loss that does not fit the question put to the observers.

    Raises:
      InputError: If the loss is unknown, no reference has two versions to rank, or a correlation is
        to be taken with choices between two versions.
    """
    if loss not in LOSSES:
        raise InputError(f"there is no loss {loss!r}; there are: {', '.join(LOSSES)}")
    if loss == "ranking":
        alone = np.unique(examples.contents, return_counts=True)[1] == 1
        if alone.all():
            raise InputError(
                f"{examples.name}: the ranking loss compares versions of one reference, but each "
                "has only one"
            )
    elif examples.protocol is Question.TWO_ALTERNATIVES:
        raise InputError(
            f"{examples.name}: its observers chose between two versions, which says nothing about "
            f"other pairs; the loss {loss} does not apply, expected ranking"
        )


def correlation(x: jax.Array, y: jax.Array, included: jax.Array) -> jax.Array:
    """Pearson's correlation over the rows that are included; 0 if it is undefined.

    Args:
      x: ``[rows]``.
      y: ``[rows]``.
      included: bool ``[rows]``.
    """
    x, y = _centred(x, included), _centred(y, included)
    energy = jnp.sum(x * x) * jnp.sum(y * y)
    is_defined = energy > 0
    return jnp.where(is_defined, jnp.sum(x * y) / jnp.sqrt(jnp.where(is_defined, energy, 1.0)), 0.0)


def _centred(values: jax.Array, included: jax.Array) -> jax.Array:
    count = jnp.maximum(jnp.sum(included), 1).astype(jnp.float32)
    mean = jnp.sum(jnp.where(included, values, 0.0)) / count
    return jnp.where(included, values - mean, 0.0)


def _all(people: People) -> Batch:
    return Batch(None, people.quality)


def _pearson(
    network: Network, distances: jax.Array, quality: jax.Array, included: jax.Array
) -> jax.Array:
    del network
    return correlation(distances, quality, included)


def _ranks(values: jax.Array, included: jax.Array) -> jax.Array:
    """Ranks among the rows that are included, ties sharing theirs, ``[rows]``."""
    ordered = jnp.sort(jnp.where(included, values, jnp.inf))
    below = jnp.searchsorted(ordered, values, side="left")
    not_above = jnp.searchsorted(ordered, values, side="right")
    return (below + not_above).astype(jnp.float32) / 2.0


def _soft_ranks(values: jax.Array, included: jax.Array) -> jax.Array:
    """``1/2 + sum_j sigmoid((x_i - x_j) / t)`` over the rows that are included, ``[rows]``."""
    centred = _centred(values, included)
    count = jnp.maximum(jnp.sum(included), 1).astype(jnp.float32)
    spread = jnp.sqrt(jnp.sum(jnp.square(centred)) / count)
    temperature = jax.lax.stop_gradient(jnp.where(spread > 0, _TEMPERATURE * spread, 1.0))
    above = jax.nn.sigmoid((values[:, None] - values[None, :]) / temperature)
    return 0.5 + jnp.sum(jnp.where(included[None, :], above, 0.0), axis=1)


def _some_pairs(key: jax.Array, people: People) -> Batch:
    pairs = people.quality.shape[0]
    rows = jax.random.choice(key, pairs, (min(_RANKED, pairs),), replace=False)
    return Batch(rows, people.quality[rows])


def _soft_spearman(
    network: Network, distances: jax.Array, quality: jax.Array, included: jax.Array
) -> jax.Array:
    del network
    return correlation(_soft_ranks(distances, included), _ranks(quality, included), included)


def _spearman(
    network: Network, distances: jax.Array, quality: jax.Array, included: jax.Array
) -> jax.Array:
    del network
    return correlation(_ranks(distances, included), _ranks(quality, included), included)


LOSSES: Mapping[str, Loss] = {
    "pearson": Loss(lambda key, people: _all(people), _pearson, _all, _pearson),
    "ranking": Loss(
        functools.partial(ranking.draw, count=_JUDGED),
        ranking.disagreement,
        functools.partial(ranking.draw_once, count=_JUDGED_IN_VALIDATION),
        ranking.disagreement,
        ranking.start,
    ),
    "spearman": Loss(_some_pairs, _soft_spearman, _all, _spearman),
}
"""``pearson``: the correlation of distance and quality on all pairs, which should become -1 (the
practice of the Valencia group: PerceptNet, Hepburn et al. 2020). ``ranking``: the two-alternative
loss of LPIPS. ``spearman``: the same as ``pearson`` for ranks, which are soft in training and exact
in validation."""
