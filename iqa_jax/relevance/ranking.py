"""LPIPS's loss: which of two versions of a reference do people find nearer to it?

Zhang et al., The unreasonable effectiveness of deep features as a perceptual metric, CVPR 2018: a
small network turns the two distances into a preference, and is trained together with the weights.
Choices between two versions are used as they are; opinions are converted to such choices.
"""

import itertools
import math
from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np

from iqa_jax.relevance.judgements import Batch, People

_HIDDEN = 32
_OFFSET = 0.1
_SLOPE = 0.2
"""LPIPS's ranking network (Zhang et al. 2018, appendix B): channels of its two layers, constant
added to a distance in a denominator, and slope of its leaky rectifiers below zero."""

Network = Mapping[str, jax.Array]


def draw(key: jax.Array, people: People, count: int) -> Batch:
    """Draws pairs of versions in one group, each in random order, and people's preferences.

    Args:
      key: Random key.
      people: Human judgements.
      count: Number of pairs.
    """
    of_place, of_partner = jax.random.split(key)
    place = jax.random.randint(of_place, (count,), 0, people.order.shape[0])
    return _judgements(people, place, jax.random.bits(of_partner, (count,)))


def draw_once(people: People, count: int) -> Batch:
    """Draws pairs like :func:`draw`, but always the same ones."""
    random = np.random.default_rng(0)
    place = random.integers(people.order.shape[0], size=count, dtype=np.int32)
    bits = random.integers(2**32, size=count, dtype=np.uint32)
    return _judgements(people, jnp.asarray(place), jnp.asarray(bits))


def _judgements(people: People, place: jax.Array, bits: jax.Array) -> Batch:
    """The versions in some places, each with another one of its group, chosen by random bits.

    The only version of a reference is compared with itself.
    """
    start, size = people.start[place], people.size[place]
    onward = 1 + (bits % jnp.maximum(size - 1, 1).astype(bits.dtype)).astype(size.dtype)
    partner = start + (place - start + onward) % size
    first, second = people.order[place], people.order[partner]
    rows = jnp.concatenate([first, second])
    if people.is_share:
        return Batch(rows, people.quality[second])
    return Batch(rows, people.quality[second] - people.quality[first], people.observer[rows])


def start(seed: int) -> Network:
    """Three layers, 5 to 32 to 32 to 1, drawn uniformly within 1 / sqrt(inputs) as in PyTorch."""
    random = np.random.default_rng(seed)
    network = {}
    for number, (inputs, outputs) in enumerate(itertools.pairwise((5, _HIDDEN, _HIDDEN, 1)), 1):
        bound = 1 / math.sqrt(inputs)
        for name, shape in (("kernel", (inputs, outputs)), ("bias", (1, outputs))):
            drawn = random.uniform(-bound, bound, shape)
            network[f"{name}{number}"] = jnp.asarray(drawn, jnp.float32)
    return network


def preference_logits(network: Network, first: jax.Array, second: jax.Array) -> jax.Array:
    """LPIPS's network: log odds that the second version is preferred, ``[judgements]``.

    Args:
      network: Result of :func:`start`, or its trained form.
      first: Distances of the first versions, ``[judgements]``.
      second: Distances of the second versions, ``[judgements]``.
    """
    inputs = (
        first,
        second,
        first - second,
        first / (second + _OFFSET),
        second / (first + _OFFSET),
    )
    hidden = jnp.stack(inputs, axis=1)
    for number in (1, 2, 3):
        kernel, bias = network[f"kernel{number}"], network[f"bias{number}"]
        hidden = jnp.matmul(hidden, kernel, precision=jax.lax.Precision.HIGHEST) + bias
        hidden = hidden if number == 3 else jax.nn.leaky_relu(hidden, _SLOPE)
    return hidden[:, 0]


def disagreement(
    network: Network, distances: jax.Array, preference: jax.Array, included: jax.Array
) -> jax.Array:
    """Mean binary cross-entropy of the network's preferences and those of people, in nats.

    Args:
      network: Result of :func:`start`, or its trained form.
      distances: ``[2 * judgements]``, of all first and then of all second versions.
      preference: ``[judgements]``, share of the observers who prefer the second.
      included: bool ``[2 * judgements]``.
    """
    first, second = jnp.split(distances, 2)
    counts = jnp.split(included, 2)[0]
    logits = preference_logits(network, first, second)
    losses = jax.nn.softplus(logits) - preference * logits
    count = jnp.maximum(jnp.sum(counts), 1).astype(jnp.float32)
    return jnp.sum(jnp.where(counts, losses, 0.0)) / count
