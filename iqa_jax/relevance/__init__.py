"""Learning which channels matter to people, from stored statistics and scores."""

from iqa_jax.relevance.cross_validation import CrossValidation, HeldOutFold, Scheme, cross_validate
from iqa_jax.relevance.examples import FORMS, Examples, read_examples
from iqa_jax.relevance.losses import LOSSES
from iqa_jax.relevance.training import Recipe

__all__ = [
    "FORMS",
    "LOSSES",
    "CrossValidation",
    "Examples",
    "HeldOutFold",
    "Recipe",
    "Scheme",
    "cross_validate",
    "read_examples",
]
