"""The zoo: pretrained networks by name."""

from iqa_jax.zoo.fetching import fetch
from iqa_jax.zoo.loading import Relevance, load_backbone, load_relevance, model_layers
from iqa_jax.zoo.models import MODELS, RELEVANCES, Model, list_models

__all__ = [
    "MODELS",
    "RELEVANCES",
    "Model",
    "Relevance",
    "fetch",
    "list_models",
    "load_backbone",
    "load_relevance",
    "model_layers",
]
