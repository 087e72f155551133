"""A metric read out of a backbone in memory."""

from collections.abc import Sequence

from iqa_jax.backbones import INPUT, Backbone
from iqa_jax.errors import InputError
from iqa_jax.metrics.features import FeatureScores, check_no_dataset
from iqa_jax.metrics.metric import Metric
from iqa_jax.readouts import READOUTS, ReadoutName, parse_layers
from iqa_jax.zoo import Relevance


def read_out(
    backbone: Backbone,
    layers: str | Sequence[str] | None = None,
    readout: str = "unit",
    *,
    relevance: Relevance | None = None,
    name: str | None = None,
) -> Metric:
    """The distance of two images in the feature space of a network.

    Args:
      backbone: The network.
      layers: Names of layers, ``"relu1+relu2"`` or a sequence; None for all but ``input``.
      readout: Name of a read-out of one pair, such as ``unit`` or ``l2``.
      relevance: Channel weights; None for weights of 1.
      name: Name of the metric; None for ``MODEL/LAYER[+LAYER...]/READOUT[@RELEVANCE]``.

    Returns:
      A function ``metric(reference, distorted) -> [B]``.

    Raises:
      InputError: If the network has no such layer, there is no such read-out, the read-out
        compares with a dataset, or the relevance does not fit.
    """
    if readout not in READOUTS:
        raise InputError(f"there is no read-out {readout!r}; there are: {', '.join(READOUTS)}")
    if layers is None:
        layers = [layer for layer in backbone.layers if layer != INPUT]
    chosen = parse_layers(layers if isinstance(layers, str) else "+".join(layers))
    full = ReadoutName(backbone.name, chosen, readout, relevance.name if relevance else None)
    check_no_dataset([full])
    relevances = {relevance.name: relevance} if relevance else {}
    return Metric(FeatureScores.of(backbone, [full], relevances=relevances), name or str(full))
