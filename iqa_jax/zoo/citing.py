"""Publications to cite for the networks and relevances of the registry."""

from iqa_jax.zoo.functions import is_own
from iqa_jax.zoo.registry import MODELS, RELEVANCES, find_model


def model_publications(name: str) -> tuple[str, ...]:
    """The publications to cite for a network.

    For an untrained network they are those of the first trained one of the same shape.

    Args:
      name: Name of a model, or ``FILE.py:NAME``.

    Returns:
      Keys of ``iqa_jax.bibliography.publications``; none for a backbone of your own.

    Raises:
      InputError: If there is no such model.
    """
    if is_own(name):
        return ()
    model = find_model(name)
    trained = [
        each for each in (model, *MODELS.values()) if each.trunk == model.trunk and each.conversions
    ]
    return trained[0].conversions[0].source.publications


def relevance_publications(name: str) -> tuple[str, ...]:
    """The publications to cite for channel weights.

    Args:
      name: Name of a relevance.

    Returns:
      Keys of ``iqa_jax.bibliography.publications``; none for a relevance of your own.
    """
    if name not in RELEVANCES:
        return ()
    return RELEVANCES[name].conversions[0].source.publications
