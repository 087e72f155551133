"""Does learning help on new images? Training, validation and test with no content in common.

Every fold of the references is tested once. Each seed sets some of the other references aside for
validation: they decide when a run stops and, over all seeds, which strength of regularisation a
fold uses. The weights of a fold are the mean over the seeds; none of these has seen the references
of the test.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import jax
import jax.numpy as jnp
import numpy as np

from iqa_jax.datasets.splits import content_folds
from iqa_jax.datasets.table import Question
from iqa_jax.errors import InputError
from iqa_jax.relevance.examples import Examples
from iqa_jax.relevance.judgements import People
from iqa_jax.relevance.losses import LOSSES, check_loss
from iqa_jax.relevance.ranking import Network
from iqa_jax.relevance.training import CHECK_EVERY, Problem, Recipe, Run, Trained, train
from iqa_jax.text import counted


@dataclass(frozen=True)
class Scheme:
    """Scheme of the cross-validation.

    Attributes:
      folds: Number of parts of the references, each tested once.
      seeds: Number of runs of each fold and strength, each with other references for validation and
        another start of the ranking network; their weights are averaged.
      strengths: Strengths of the pull towards equal weights, ``mean((w - 1)^2)``, from which
        validation chooses.
      validation_share: Share of the references that are not tested, at least one, used for
        validation.
      seed: Seed of the draw of folds and of references for validation.
    """

    folds: int = field(default=5, metadata={"at_least": 2})
    seeds: int = field(default=4, metadata={"at_least": 1})
    strengths: tuple[float, ...] = (0.0001, 0.001, 0.01, 0.1)
    validation_share: float = 0.25
    seed: int = 0


@dataclass(frozen=True, eq=False)
class HeldOutFold:
    """Weights that were learned without one fold of the references.

    Attributes:
      test: Names of the references of the fold.
      rows: Pairs of the fold, bool ``[pairs]``.
      strength: The strength that was best in validation.
      steps: Number of steps after which the runs with that strength stopped, ``[seeds]``.
      validation: Loss in validation, ``[seeds, strengths]``.
      weights: ``[channels]``, with sum(w m) = sum(m) over all pairs that are not tested.
    """

    test: tuple[str, ...]
    rows: np.ndarray
    strength: float
    steps: np.ndarray
    validation: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True, eq=False)
class CrossValidation:
    """Weights for testing, and weights for use.

    Attributes:
      fold_of: The fold of each content.
      folds: Weights for each fold.
      distances: Distance of every pair under the weights that have not seen it, ``[pairs]``.
      strength: The strength that was best in validation over all folds.
      steps: Median number of steps of all runs with that strength.
      weights: ``[channels]``, trained on all references with this strength and number of steps: the
        relevance.
    """

    fold_of: Mapping[str, int]
    folds: Sequence[HeldOutFold]
    distances: np.ndarray
    strength: float
    steps: int
    weights: np.ndarray


def cross_validate(examples: Examples, recipe: Recipe, scheme: Scheme) -> CrossValidation:
    """Learns weights for every fold, and from all references.

    Args:
      examples: Examples to learn from.
      recipe: Training of each run.
      scheme: Division of the references.

    Raises:
      InputError: If nothing can be learned from the examples, there are fewer references than folds
        or all pairs that would train or validate a run have the same score or
        statistics of zero.
    """
    examples.check()
    check_loss(recipe.loss, examples)
    check_scheme(scheme, examples)
    fold_of = content_folds(examples.contents.tolist(), scheme.folds, scheme.seed)
    masks = _masks(examples, fold_of, scheme)
    _check_masks(examples, masks)
    problem = Problem(
        contributions=jnp.asarray(examples.matrix),
        people=People.of(examples),
        is_root=examples.is_root,
    )
    trained = _train_all(problem, masks, recipe, scheme)
    over_seeds = trained.validation.mean(axis=1)
    folds = [
        _fold(examples, fold_of, number, _select(trained, number), scheme.strengths)
        for number in range(scheme.folds)
    ]
    distances = np.empty(len(examples.scores))
    for fold in folds:
        distances[fold.rows] = examples.distances(fold.weights)[fold.rows]
    best = int(over_seeds.mean(axis=0).argmin())
    steps = CHECK_EVERY * round(float(np.median(trained.steps[:, :, best])) / CHECK_EVERY)
    strength = scheme.strengths[best]
    weights = _train_on_all(problem, replace(recipe, most_steps=steps), strength, scheme.seeds)
    return CrossValidation(
        fold_of, folds, distances, strength, steps, _mean_of_seeds(weights, examples.mean())
    )


def check_scheme(scheme: Scheme, examples: Examples) -> None:
    """Rejects a scheme that is invalid, or for which there are too few references.

    Raises:
      InputError: If there are fewer references than folds, fewer than two folds, no seed or
        strength, or a strength or the validation share is out of range.
    """
    if scheme.folds < 2:
        raise InputError(f"expected at least 2 folds, got {scheme.folds}")
    if examples.references < scheme.folds:
        raise InputError(
            f"{examples.name}: expected at least as many references as folds, found "
            f"{counted(examples.references, 'references')} for {counted(scheme.folds, 'folds')}; "
            f"use fewer folds (folds={examples.references}) or add images"
        )
    if scheme.seeds < 1 or not scheme.strengths:
        raise InputError(
            "expected at least one seed and one strength, got "
            f"{counted(scheme.seeds, 'seeds')} and {counted(len(scheme.strengths), 'strengths')}"
        )
    if not all(math.isfinite(strength) and strength >= 0 for strength in scheme.strengths):
        raise InputError(f"strengths: expected numbers of at least 0, got {scheme.strengths}")
    if not 0 < scheme.validation_share < 1:
        raise InputError(
            f"validation_share: expected a number between 0 and 1, got {scheme.validation_share}"
        )


def _masks(
    examples: Examples, fold_of: Mapping[str, int], scheme: Scheme
) -> tuple[np.ndarray, np.ndarray]:
    """Training and validation pairs of each fold and seed, bool ``[folds, seeds, pairs]``."""
    training = np.zeros((scheme.folds, scheme.seeds, len(examples.contents)), bool)
    validation = np.zeros_like(training)
    for fold in range(scheme.folds):
        others = sorted(content for content, number in fold_of.items() if number != fold)
        count = min(max(1, round(scheme.validation_share * len(others))), len(others) - 1)
        for seed in range(scheme.seeds):
            drawn = np.random.default_rng((scheme.seed, fold, seed)).permutation(others)
            validation[fold, seed] = np.isin(examples.contents, drawn[:count])
            training[fold, seed] = np.isin(examples.contents, drawn[count:])
    return training, validation


def _check_masks(examples: Examples, masks: tuple[np.ndarray, np.ndarray]) -> None:
    """Rejects references that alone would train or validate a run, but carry no information."""
    differs = np.any(examples.matrix, axis=1)
    for purpose, of_purpose in zip(("train", "validate"), masks, strict=True):
        for mask in of_purpose.reshape(-1, of_purpose.shape[-1]):
            problem = None
            if not differs[mask].any():
                problem = "statistics are zero"
            elif examples.protocol is Question.OPINION and np.ptp(examples.scores[mask]) == 0:
                problem = "scores are equal"
            if problem:
                named = ", ".join(sorted(set(examples.contents[mask])))
                raise InputError(
                    f"{examples.name}: only the references {named} would {purpose} a run, but all "
                    f"their {problem}; use fewer folds or leave them out"
                )


def _train_all(
    problem: Problem, masks: tuple[np.ndarray, np.ndarray], recipe: Recipe, scheme: Scheme
) -> Trained:
    """Trains every fold, seed and strength together; arrays ``[folds, seeds, strengths, ...]``."""
    training, validation = masks
    shape = (*training.shape[:2], len(scheme.strengths))
    fold, seed, strength = (axis.ravel() for axis in np.indices(shape))
    runs = Run(
        training=jnp.asarray(training[fold, seed]),
        validation=jnp.asarray(validation[fold, seed]),
        strength=jnp.asarray(scheme.strengths, jnp.float32)[strength],
        network=_networks(recipe, seed),
    )
    trained = jax.device_get(train(runs, problem, recipe))
    return Trained(*(each.reshape(*shape, *each.shape[1:]) for each in trained))


def _select(trained: Trained, fold: int) -> Trained:
    return Trained(*(each[fold] for each in trained))


def _fold(
    examples: Examples,
    fold_of: Mapping[str, int],
    number: int,
    trained: Trained,
    strengths: Sequence[float],
) -> HeldOutFold:
    """One fold, from its runs ``[seeds, strengths]``."""
    test = tuple(sorted(content for content, fold in fold_of.items() if fold == number))
    rows = np.isin(examples.contents, test)
    best = int(trained.validation.mean(axis=0).argmin())
    return HeldOutFold(
        test=test,
        rows=rows,
        strength=strengths[best],
        steps=np.asarray(trained.steps[:, best]),
        validation=np.asarray(trained.validation),
        weights=_mean_of_seeds(np.asarray(trained.weights[:, best]), examples.mean(~rows)),
    )


def _train_on_all(problem: Problem, recipe: Recipe, strength: float, seeds: int) -> np.ndarray:
    """Weights of every seed after the last step of the recipe, ``[seeds, channels]``."""
    pairs = problem.contributions.shape[0]
    runs = Run(
        training=jnp.full((seeds, pairs), True),
        validation=jnp.full((seeds, pairs), False),
        strength=jnp.full((seeds,), strength, jnp.float32),
        network=_networks(recipe, range(seeds)),
    )
    return jax.device_get(train(runs, problem, recipe).weights)


def _networks(recipe: Recipe, seeds: Iterable[int]) -> Network:
    """The parameters that are trained besides the weights, by seed, with a first axis."""
    starts = [LOSSES[recipe.loss].start(int(seed)) for seed in seeds]
    return jax.tree.map(lambda *each: jnp.stack(each), *starts)


def _mean_of_seeds(weights: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Mean of the weights ``[seeds, channels]``, scaled to sum(w m) = sum(m) in float64."""
    over_seeds = weights.astype(np.float64).mean(axis=0)
    return over_seeds * (mean.sum() / (over_seeds @ mean))
