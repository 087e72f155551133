"""Statistics of the activations of a pair, in one pass through a network.

The reference and each of its versions go through the network once. A version is reduced to a vector
per layer and statistic before the next version is processed.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import jax
from etils import epath

from iqa_jax.backbones import Backbone, aliases, check_layers
from iqa_jax.errors import InputError
from iqa_jax.metrics.pair_function import PairFunction, Values
from iqa_jax.pytrees import register_pytree
from iqa_jax.readouts.statistics import STATISTICS
from iqa_jax.revisions import revisions_of
from iqa_jax.zoo import fill_backbone, outline_backbone


@register_pytree
@dataclass(frozen=True)
class Prepared:
    """One image, prepared for comparisons.

    Attributes:
      parts: Prepared activations by layer and statistic.
      positions: Number of positions (height times width) of every layer.
      size: Height and width of the image.
    """

    parts: Mapping[tuple[str, str], Any]
    positions: Mapping[str, int]
    size: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class NetworkFunction(PairFunction):
    """Values that share one pass through a network.

    Attributes:
      backbone: Network.
    """

    backbone: Backbone

    @property
    def label(self) -> str:
        """Name of the model."""
        return self.backbone.name

    def fill(self, *, checkpoints_dir: epath.PathLike | None = None) -> Self:
        """Loads the weights of the network of an outline."""
        return replace(self, backbone=fill_backbone(self.backbone, checkpoints_dir=checkpoints_dir))


@register_pytree
@dataclass(frozen=True, eq=False)
class FeatureStatistics(NetworkFunction):
    """Statistics that share one pass through a network, each ``[channels]``.

    Attributes:
      backbone: Network.
      arrays: Layer and statistic of each.
    """

    arrays: tuple[tuple[str, str], ...] = field(metadata={"static": True})

    @classmethod
    def outline(
        cls,
        model: str,
        arrays: Sequence[tuple[str, str]],
        *,
        checkpoints_dir: epath.PathLike | None = None,
        precision: str = "highest",
    ) -> Self:
        """Checks layers and statistics of a model without loading its weights.

        Args:
          model: Name of the model.
          arrays: Layer and statistic of each; short names of layers are written out.
          checkpoints_dir: See ``load_backbone``.
          precision: See ``load_backbone``.

        Raises:
          InputError: If there is no such model, layer or statistic.
          CheckpointError: If the weights have not been fetched.
        """
        backbone = outline_backbone(model, checkpoints_dir=checkpoints_dir, precision=precision)
        short = aliases(backbone.all_layers)
        named = dict.fromkeys((short.get(layer, layer), name) for layer, name in arrays)
        check_layers(backbone.name, [layer for layer, _ in named], backbone.known_layers)
        unknown = dict.fromkeys(name for _, name in named if name not in STATISTICS)
        if unknown:
            raise InputError(
                f"there is no statistic {', '.join(unknown)}; there are: {', '.join(STATISTICS)}"
            )
        return cls(backbone, tuple(named))

    @property
    def names(self) -> list[str]:
        """Names of the statistics, ``LAYER/STATISTIC``."""
        return ["/".join(array) for array in self.arrays]

    @property
    def signature(self) -> dict[str, Any]:
        """Weights, precision and formulas of any statistics of the network, as JSON."""
        return {
            "model": self.backbone.name,
            "weights_sha256": self.backbone.sha256,
            "precision": self.backbone.precision,
            "revisions": revisions_of(
                [*self.backbone.formulas, *(f"statistic/{name}" for name in STATISTICS)]
            ),
        }

    def refusals(self, height: int, width: int) -> dict[str, str]:
        """Reasons by name of the statistic, for those whose layers would have no positions."""
        return refusals_of_layers(
            self.backbone, height, width, {"/".join(each): each[:1] for each in self.arrays}
        )

    def only(self, names: Collection[str]) -> Self:
        """The same function with some of the statistics."""
        return replace(self, arrays=tuple(each for each in self.arrays if "/".join(each) in names))

    def prepare(self, image: jax.Array) -> Prepared:
        """Prepares one image ``[H, W, 3]`` for the statistics."""
        activations = self.backbone.activations(image[None])
        parts = {
            (layer, name): STATISTICS[name].prepare(activations[layer][0])
            for layer, name in self.arrays
        }
        positions = {layer: math.prod(a.shape[1:3]) for layer, a in activations.items()}
        return Prepared(parts, positions, image.shape[:2])

    def compare(self, reference: Prepared, distorted: Prepared, identical: jax.Array) -> Values:
        """Statistics of two prepared images, float32."""
        return tuple(
            STATISTICS[array[1]].of_pair(reference.parts[array], distorted.parts[array], identical)
            for array in self.arrays
        )


def refusals_of_layers(
    backbone: Backbone, height: int, width: int, layers_of: Mapping[str, Sequence[str]]
) -> dict[str, str]:
    """Reasons for values whose layers images of a size cannot reach.

    Args:
      backbone: Network.
      height: Height of the images.
      width: Width of the images.
      layers_of: Layers that each value needs, by its name.

    Returns:
      Reasons by the names of the values.
    """
    unreached = backbone.without_positions(height, width)
    return {
        name: reason
        for name, layers in layers_of.items()
        if not unreached.isdisjoint(layers)
        and (reason := backbone.refusal(height, width, layers=layers))
    }
