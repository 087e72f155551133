"""The compiled step: the activations of a pair, reduced to statistics on the device.

The reference goes through the network once, each version once; what is left of a version is a
vector for each layer and statistic before the next version is looked at.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax

from iqa_jax.backbones import Backbone, aliases
from iqa_jax.errors import InputError
from iqa_jax.images.resize import Size
from iqa_jax.metrics.pair_function import PairFunction
from iqa_jax.readouts.statistics import STATISTICS

Arrays = Sequence[tuple[str, str]]


@jax.tree_util.register_dataclass
@dataclass(frozen=True, eq=False)
class Reduction(PairFunction):
    """Statistics that share one pass through a backbone; a pytree, to be an argument of ``jit``.

    Attributes:
      backbone: The network.
      arrays: Layer and statistic of each.
    """

    backbone: Backbone
    arrays: tuple[tuple[str, str], ...] = field(metadata={"static": True})

    @property
    def label(self) -> str:
        """A short name: the model's."""
        return self.backbone.name

    def prepare(self, image: jax.Array) -> Mapping[tuple[str, str], Any]:
        """What the statistics need of one image ``[H, W, 3]``."""
        activations = self.backbone.activations(image[None])
        return {
            (layer, statistic): STATISTICS[statistic].prepare(activations[layer][0])
            for layer, statistic in self.arrays
        }

    def compare(
        self,
        reference: Mapping[tuple[str, str], Any],
        distorted: Mapping[tuple[str, str], Any],
        identical: jax.Array,
    ) -> dict[str, jax.Array]:
        """The statistics of two images: ``LAYER/STATISTIC`` -> float32 ``[channels]``."""
        return {
            f"{layer}/{statistic}": STATISTICS[statistic].of_pair(
                reference[layer, statistic], distorted[layer, statistic], identical
            )
            for layer, statistic in self.arrays
        }


def check_arrays(backbone: Backbone, arrays: Arrays, sizes: Iterable[Size]) -> Arrays:
    """Refuses what a backbone, which may be an outline, does not have.

    Args:
      backbone: The network.
      arrays: Layer and statistic of each.
      sizes: Height and width of the images.

    Returns:
      The same, each once, with the full names of the layers.

    Raises:
      InputError: If there is no such layer or statistic, or images are too small for a layer.
    """
    short = aliases(backbone.layers)
    named = list(dict.fromkeys((short.get(layer, layer), name) for layer, name in arrays))
    unknown = [layer for layer, _ in named if layer not in backbone.layers]
    if unknown:
        raise InputError(
            f"{backbone.name} has no layer {', '.join(dict.fromkeys(unknown))}; it has: "
            f"{', '.join(backbone.layers)}"
        )
    strange = [name for _, name in named if name not in STATISTICS]
    if strange:
        raise InputError(
            f"there is no statistic {', '.join(dict.fromkeys(strange))}; there are: "
            f"{', '.join(STATISTICS)}"
        )
    layers = list(dict.fromkeys(layer for layer, _ in named))
    for size in sizes:
        reason = backbone.refusal(*size, layers=layers)
        if reason:
            raise InputError(reason)
    return named
