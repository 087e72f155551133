"""Human judgements of pairs, as arrays for the device."""

from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np

from iqa_jax.datasets.table import Question
from iqa_jax.relevance.examples import Examples

_OBSERVER = 0.5
"""Standard deviation of one observer's opinion if none is published, in standard deviations of the
scores: our choice, as opinions on a five-point scale deviate by 0.6 to 0.8, scores by 1.2."""

_LEAST_OBSERVER = 1e-3
"""Minimum deviation assumed if one is published, in the same unit."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True, eq=False)
class People:
    """Human judgements of pairs, for the device; no pair's judgement depends on those of others.

    Attributes:
      quality: Scores, higher is better, or for two alternatives the share of observers who
        preferred the version; float32 ``[pairs]``.
      observer: Standard deviation of one opinion, float32 ``[pairs]``; 0 if unknown.
      order: The pairs in groups whose versions can be compared: those of a reference, or the two of
        a triplet; int32 ``[pairs]``.
      start: Place in this order where the group of each place begins, int32 ``[pairs]``.
      size: Number of pairs in the group of each place, int32 ``[pairs]``.
      least_observer: Minimum assumed deviation of one opinion, in standard deviations of the
        training scores.
      is_share: Whether the quality is a share of observers.
    """

    quality: jax.Array
    observer: jax.Array
    order: jax.Array
    start: jax.Array
    size: jax.Array
    least_observer: float = field(metadata={"static": True})
    is_share: bool = field(metadata={"static": True})

    @classmethod
    def of(cls, examples: Examples) -> "People":
        """The judgements in the pair table."""
        is_share = examples.protocol is Question.TWO_ALTERNATIVES
        is_published = np.isfinite(examples.opinion_std).all()
        observer = examples.opinion_std if is_published else np.zeros(len(examples.scores))
        groups = np.arange(len(observer)) // 2 if is_share else examples.contents
        _, group, sizes = np.unique(groups, return_inverse=True, return_counts=True)
        ends = np.cumsum(sizes)
        return cls(
            quality=jnp.asarray(examples.quality, jnp.float32),
            observer=jnp.asarray(observer, jnp.float32),
            order=jnp.asarray(np.argsort(group, kind="stable"), jnp.int32),
            start=jnp.asarray(np.repeat(ends - sizes, sizes), jnp.int32),
            size=jnp.asarray(np.repeat(sizes, sizes), jnp.int32),
            least_observer=_LEAST_OBSERVER if is_published else _OBSERVER,
            is_share=is_share,
        )

    def least_deviation(self, training: jax.Array) -> jax.Array:
        """Minimum assumed deviation of one opinion, in units of the quality, ``[]``.

        Args:
          training: Training pairs, bool ``[pairs]``; no other score counts.
        """
        count = jnp.sum(training).astype(jnp.float32)
        mean = jnp.sum(jnp.where(training, self.quality, 0.0)) / count
        squares = jnp.where(training, jnp.square(self.quality - mean), 0.0)
        return self.least_observer * jnp.sqrt(jnp.sum(squares) / count)


@jax.tree_util.register_dataclass
@dataclass(frozen=True, eq=False)
class Batch:
    """Some pairs and their judgements.

    Attributes:
      rows: Positions of the pairs, int32 ``[rows]``; None for all.
      said: Quality of these pairs, ``[rows]``. If all first versions are followed by all second
        ones, ``[rows / 2]``: the share of observers who prefer the second or, if ``observer`` is
        given, how much better it is.
      observer: Standard deviation of one opinion of each of these, ``[rows]``; 0 if unknown.
    """

    rows: jax.Array | None
    said: jax.Array
    observer: jax.Array | None = None

    def select(self, values: jax.Array) -> jax.Array:
        """The entries of ``values``, ``[pairs]``, for these pairs."""
        return values if self.rows is None else values[self.rows]

    def answers(self, least_deviation: jax.Array) -> jax.Array:
        """Judgements; opinions of two versions become the share that prefers the second.

        Opinions are converted to preferences by Thurstone's model (1927, case III): the opinions of
        one observer of two versions are independent and normal, so the second is preferred with
        probability Phi((q_2 - q_1) / sqrt(s_1^2 + s_2^2)).

        Args:
          least_deviation: Minimum of s, ``[]``; see :meth:`People.least_deviation`.
        """
        if self.observer is None:
            return self.said
        first, second = jnp.split(jnp.maximum(self.observer, least_deviation), 2)
        return jax.scipy.stats.norm.cdf(self.said / jnp.hypot(first, second))
