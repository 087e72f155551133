"""Learning channel relevance: the training loop.

The distance of a pair is the sum over channels of weight times contribution (or its root); the
network behind the contributions is frozen, so this is training through the network. Weights are w =
softplus(theta) times the number that makes sum(w m) = sum(m), where m is the mean contribution of
each channel over the run's training pairs: losses such as Pearson's correlation are invariant to
the scale of w, but a penalty on w and the comparison of folds are not.

Runs that differ in their training references, strength of regularisation or seed are trained
together: one step is one product of the contributions ``[pairs, channels]`` with the weights
``[channels, runs]``. They all see the same batch, and each ignores the pairs that are not its own.
"""

import functools
import math
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
import optax

from iqa_jax.readouts.safe import guarded_sqrt
from iqa_jax.relevance.judgements import Batch, People
from iqa_jax.relevance.losses import LOSSES
from iqa_jax.relevance.ranking import Network

CHECK_EVERY = 10
"""Steps between two validations."""

_THETA_OF_ONE = math.log(math.expm1(1.0))
"""Theta at which softplus is 1: training starts from the read-out without weights."""


@dataclass(frozen=True)
class Recipe:
    """Training of a run.

    Attributes:
      loss: Loss to minimise: pearson or spearman (correlation with the scores over all pairs), or
        ranking (which of two versions of a reference people prefer, as in the training of LPIPS;
        scores are converted by Thurstone's model).
      learning_rate: Learning rate of Adam.
      most_steps: Maximum number of steps of a run.
      patience: Number of steps without an improvement in validation after which a run ends.
      sparsity: Strength of the pull towards few channels, ``||w||_1 / ||w||_2 / sqrt(channels)``,
        which does not depend on the scale of w and is 1 for equal weights.
    """

    loss: Literal["pearson", "ranking", "spearman"] = "pearson"
    learning_rate: float = 0.1
    most_steps: int = field(default=1000, metadata={"at_least": 1})
    patience: int = field(default=100, metadata={"at_least": 1})
    sparsity: float = field(default=0.0, metadata={"at_least": 0.0})


@jax.tree_util.register_dataclass
@dataclass(frozen=True, eq=False)
class Problem:
    """Data that all runs share.

    Attributes:
      contributions: Contribution of each channel under weight 1, float32 ``[pairs, channels]``.
      people: Human judgements of the pairs.
      is_root: Whether a distance is the root of its sum.
    """

    contributions: jax.Array
    people: People
    is_root: bool = field(metadata={"static": True})

    def distances(self, weights: jax.Array, scale: jax.Array, batch: Batch) -> jax.Array:
        """Distances of a batch in units of their mean, ``[rows]``."""
        rows = self.contributions if batch.rows is None else self.contributions[batch.rows]
        sums = jnp.matmul(rows, weights / scale, precision=jax.lax.Precision.HIGHEST)
        return guarded_sqrt(sums) if self.is_root else sums

    def mean(self, training: jax.Array) -> jax.Array:
        """The mean contribution of each channel over the training pairs, ``[channels]``."""
        shares = training.astype(jnp.float32) / jnp.sum(training).astype(jnp.float32)
        return jnp.matmul(shares, self.contributions, precision=jax.lax.Precision.HIGHEST)


@jax.tree_util.register_dataclass
@dataclass(frozen=True, eq=False)
class Run:
    """One run, or many with a first axis ``[runs]``.

    Attributes:
      training: Pairs that it learns from, bool ``[pairs]``.
      validation: Pairs that decide when it stops, bool ``[pairs]``; if there are none, it continues
        to the last step and keeps its weights from there.
      strength: Strength of the penalty ``mean((w - 1)^2)``, ``[]``.
      network: Start of the parameters trained besides the weights; see :attr:`Loss.start`.
    """

    training: jax.Array
    validation: jax.Array
    strength: jax.Array
    network: Network


class Trained(NamedTuple):
    """Results of runs, each array with a first axis ``[runs]``.

    Attributes:
      weights: ``[channels]``, not negative, with sum(w m) = sum(m) over the run's training pairs.
      steps: Number of steps after which the weights were best in validation.
      validation: Loss in validation at that step.
    """

    weights: jax.Array
    steps: jax.Array
    validation: jax.Array


class _Parameters(NamedTuple):
    theta: jax.Array
    network: Network


class _Progress(NamedTuple):
    steps: jax.Array
    parameters: _Parameters
    moments: optax.OptState
    best: Trained


def rescaled(weights: jax.Array, mean: jax.Array) -> jax.Array:
    """Weights ``[channels]`` times the number that makes sum(w m) = sum(m)."""
    return weights * (jnp.sum(mean) / jnp.sum(weights * mean))


def train(runs: Run, problem: Problem, recipe: Recipe) -> Trained:
    """Trains runs together until the last of them stops.

    Args:
      runs: Runs with a first axis ``[runs]``.
      problem: Data that they share.
      recipe: Training of each run.

    Returns:
      The weights of each run that were best in validation; at the start they are all 1.
    """
    return _train(runs, problem, LOSSES[recipe.loss].whole(problem.people), recipe)


@functools.partial(jax.jit, static_argnames="recipe")
def _train(runs: Run, problem: Problem, whole: Batch, recipe: Recipe) -> Trained:
    loss, optimiser = LOSSES[recipe.loss], optax.adam(recipe.learning_rate)
    means = jax.vmap(problem.mean)(runs.training)
    deviations = jax.vmap(problem.people.least_deviation)(runs.training)
    is_validated = jnp.any(runs.validation, axis=1)

    def weights_of(theta: jax.Array, mean: jax.Array) -> jax.Array:
        return rescaled(jax.nn.softplus(theta), mean)

    def penalty(weights: jax.Array, strength: jax.Array) -> jax.Array:
        norms = jnp.sum(weights) / jnp.linalg.norm(weights) / math.sqrt(weights.size)
        return strength * jnp.mean(jnp.square(weights - 1.0)) + recipe.sparsity * norms

    def objective(
        parameters: _Parameters, run: Run, mean: jax.Array, deviation: jax.Array, batch: Batch
    ) -> jax.Array:
        weights = weights_of(parameters.theta, mean)
        distances = problem.distances(weights, jnp.sum(mean), batch)
        answers, included = batch.answers(deviation), batch.select(run.training)
        disagreement = loss.value(parameters.network, distances, answers, included)
        return disagreement + penalty(weights, run.strength)

    def update(step: jax.Array, state: tuple[_Parameters, optax.OptState]):
        parameters, moments = state
        batch = loss.draw(jax.random.fold_in(jax.random.key(0), step), problem.people)
        gradients = jax.vmap(jax.grad(objective), (0, 0, 0, 0, None))
        gradient = gradients(parameters, runs, means, deviations, batch)
        with jax.numpy_dtype_promotion("standard"):  # Optax relies on it
            changes, moments = optimiser.update(gradient, moments)
        return optax.apply_updates(parameters, changes), moments

    def validate(
        parameters: _Parameters, run: Run, mean: jax.Array, deviation: jax.Array
    ) -> jax.Array:
        weights = weights_of(parameters.theta, mean)
        distances = problem.distances(weights, jnp.sum(mean), whole)
        answers, included = whole.answers(deviation), whole.select(run.validation)
        return loss.criterion(parameters.network, distances, answers, included)

    def advance(progress: _Progress) -> _Progress:
        parameters, moments = jax.lax.fori_loop(
            progress.steps,
            progress.steps + CHECK_EVERY,
            update,
            (progress.parameters, progress.moments),
        )
        steps, best = progress.steps + CHECK_EVERY, progress.best
        found = jax.vmap(validate)(parameters, runs, means, deviations)
        better = is_running(progress) & ((found < best.validation) | ~is_validated)
        weights = jax.vmap(weights_of)(parameters.theta, means)
        best = Trained(
            weights=jnp.where(better[:, None], weights, best.weights),
            steps=jnp.where(better, steps, best.steps),
            validation=jnp.where(better, found, best.validation),
        )
        return _Progress(steps, parameters, moments, best)

    def is_running(progress: _Progress) -> jax.Array:
        patient = progress.steps - progress.best.steps < recipe.patience
        return patient & (progress.steps < recipe.most_steps)

    start = _Parameters(theta=jnp.full_like(means, _THETA_OF_ONE), network=runs.network)
    best = Trained(
        weights=jnp.ones_like(means),
        steps=jnp.zeros(means.shape[0], jnp.int32),
        validation=jax.vmap(validate)(start, runs, means, deviations),
    )
    progress = _Progress(jnp.zeros((), jnp.int32), start, optimiser.init(start), best)
    return jax.lax.while_loop(
        lambda progress: jnp.any(is_running(progress)), advance, progress
    ).best
