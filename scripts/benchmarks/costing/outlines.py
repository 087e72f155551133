"""Steps of the engine that have shapes instead of weights, so that nothing has to be fetched."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from iqa_jax.backbones import Backbone
from iqa_jax.errors import InputError
from iqa_jax.metrics import MetricName
from iqa_jax.metrics.features import FeatureScores
from iqa_jax.metrics.pair_function import PairFunction
from iqa_jax.metrics.registry import outline_group
from iqa_jax.programs.layers import resolve
from iqa_jax.readouts import ReadoutName, parse_readout
from iqa_jax.zoo import Relevance, model_layers, outline_backbone
from iqa_jax.zoo.registry import RELEVANCES, find_model


def outline_metric(metric: MetricName, precision: str) -> PairFunction:
    """Step of a published metric or of a read-out.

    Args:
      metric: The metric.
      precision: Precision of its network.
    """
    if metric.readout is None:
        return outline_group([metric])
    return replace(outline_readouts([metric.readout], precision), protocol=metric.protocol)


def outline_readouts(readouts: Sequence[ReadoutName], precision: str) -> FeatureScores:
    """Step of some read-outs.

    Args:
      readouts: Read-outs of one model.
      precision: Precision of the network.
    """
    backbone = _outline_network(readouts[0].model, precision)
    named = dict.fromkeys(each.relevance for each in readouts if each.relevance)
    relevances = {name: _outline_relevance(name, backbone) for name in named}
    return FeatureScores.of(backbone, readouts, relevances=relevances)


def outline_model(
    model: str, layers: Sequence[str], readouts: Sequence[str], precision: str
) -> FeatureScores:
    """Step of a model with every read-out at every layer.

    Args:
      model: Name of the model.
      layers: Names of layers, as for ``iqa evaluate --layers``.
      readouts: ``READOUT`` or ``READOUT@RELEVANCE``.
      precision: Precision of the network.
    """
    wanted = resolve(layers, {model: model_layers(model)})[model]
    parsed = [parse_readout(text) for text in readouts]
    names = [ReadoutName(model, joined, *each) for joined in wanted for each in parsed]
    return outline_readouts(names, precision)


def _outline_network(model: str, precision: str) -> Backbone:
    """The untrained network is compiled to the same program; its weights need not be fetched."""
    entry = find_model(model)
    untrained = outline_backbone(f"{entry.trunk}-random-none-seed0", precision=precision)
    return replace(untrained, name=model, preprocessing=entry.preprocessing)


def _outline_relevance(name: str, backbone: Backbone) -> Relevance:
    if name not in RELEVANCES:
        raise InputError(f"expected a published relevance, {', '.join(RELEVANCES)}, got {name!r}")
    published = RELEVANCES[name]
    weights: dict[str, Any] = {
        layer: jax.ShapeDtypeStruct(published.shape(backbone.channels[layer]), jnp.float32)
        for layer in published.layers
    }
    return Relevance(weights, name, published.model, sha256="")
