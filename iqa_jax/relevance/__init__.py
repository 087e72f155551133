"""Learning which channels matter to people, from stored statistics and scores."""

from iqa_jax.relevance.examples import FORMS, Examples, read_examples
from iqa_jax.relevance.folds import CrossValidation, Fold, Scheme, cross_validate
from iqa_jax.relevance.job import Learned, Settings, train_relevance
from iqa_jax.relevance.losses import LOSSES
from iqa_jax.relevance.training import Recipe

__all__ = [
    "FORMS",
    "LOSSES",
    "CrossValidation",
    "Examples",
    "Fold",
    "Learned",
    "Recipe",
    "Scheme",
    "Settings",
    "cross_validate",
    "read_examples",
    "train_relevance",
]
