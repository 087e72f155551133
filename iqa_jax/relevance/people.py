"""What people said of pairs, as arrays for the device."""

from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np

from iqa_jax.datasets.table import Protocol
from iqa_jax.relevance.examples import Examples

_OBSERVER = 0.5
"""Standard deviation of one observer's opinion where none is published, in standard deviations of
the scores: our choice, as opinions on a five-point scale deviate by 0.6 to 0.8, scores by 1.2."""

_LEAST_OBSERVER = 1e-3


@jax.tree_util.register_dataclass
@dataclass(frozen=True, eq=False)
class People:
    """What people said of pairs, for the device.

    Attributes:
      quality: float32 ``[pairs]``: standardised scores, higher is better; or, of two alternatives,
        the share of observers who preferred the version.
      observer: float32 ``[pairs]``, standard deviation of one opinion in units of the quality.
      order: The pairs in groups whose versions can be compared: those of a reference, or the two of
        a triplet; int32 ``[pairs]``.
      start: For each place in this order where its group begins.
      size: And how many its group has.
      is_share: Whether the quality is a share of observers.
    """

    quality: jax.Array
    observer: jax.Array
    order: jax.Array
    start: jax.Array
    size: jax.Array
    is_share: bool = field(metadata={"static": True})

    @classmethod
    def of(cls, examples: Examples) -> "People":
        """What stands in the pair table."""
        is_share = examples.protocol is Protocol.TWO_ALTERNATIVES
        quality, scale = examples.quality, 1.0
        if not is_share:
            scale = quality.std()
            quality = (quality - quality.mean()) / scale
        published = np.isfinite(examples.opinion_std).all()
        observer = examples.opinion_std / scale if published else np.full(len(quality), _OBSERVER)
        groups = np.arange(len(quality)) // 2 if is_share else examples.contents
        _, group, sizes = np.unique(groups, return_inverse=True, return_counts=True)
        ends = np.cumsum(sizes)
        return cls(
            quality=jnp.asarray(quality, jnp.float32),
            observer=jnp.asarray(np.maximum(observer, _LEAST_OBSERVER), jnp.float32),
            order=jnp.asarray(np.argsort(group, kind="stable"), jnp.int32),
            start=jnp.asarray(np.repeat(ends - sizes, sizes), jnp.int32),
            size=jnp.asarray(np.repeat(sizes, sizes), jnp.int32),
            is_share=is_share,
        )


@jax.tree_util.register_dataclass
@dataclass(frozen=True, eq=False)
class Batch:
    """Some pairs and what people said of them.

    Attributes:
      rows: Which pairs, int32 ``[rows]``; None for all.
      said: Quality of these, ``[rows]``; or, of rows that are first all first and then all second
        versions, the share of observers that prefer the second, ``[rows / 2]``.
    """

    rows: jax.Array | None
    said: jax.Array

    def select(self, values: jax.Array) -> jax.Array:
        """Values ``[pairs]`` of these pairs."""
        return values if self.rows is None else values[self.rows]
