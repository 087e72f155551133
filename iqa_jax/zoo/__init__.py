"""The zoo: pretrained networks by name. ``iqa models`` lists them all."""

from iqa_jax.zoo.entries import Model
from iqa_jax.zoo.fetching import Fetched, convert_file, fetch, fetch_each
from iqa_jax.zoo.loading import (
    Relevance,
    TrainingData,
    fill_backbone,
    has_weights,
    layers_on_request,
    load_backbone,
    load_relevance,
    model_layers,
    outline_backbone,
    training_data,
    weights_sha256,
)
from iqa_jax.zoo.registry import MODELS, RELEVANCES, expand_models, find_model, list_models

__all__ = [
    "MODELS",
    "RELEVANCES",
    "Fetched",
    "Model",
    "Relevance",
    "TrainingData",
    "convert_file",
    "expand_models",
    "fetch",
    "fetch_each",
    "fill_backbone",
    "find_model",
    "has_weights",
    "layers_on_request",
    "list_models",
    "load_backbone",
    "load_relevance",
    "model_layers",
    "outline_backbone",
    "training_data",
    "weights_sha256",
]
