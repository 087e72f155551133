"""The statistics of one network in one pass: all that the read-outs need of a pair.

The reference goes through the network once, each version once; what is left of a version is a
vector for each layer and statistic before the next version is looked at.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import jax
from etils import epath

from iqa_jax.backbones import Backbone, aliases
from iqa_jax.errors import InputError
from iqa_jax.metrics.pair_function import PairFunction, Values
from iqa_jax.pytrees import register_pytree
from iqa_jax.readouts.statistics import STATISTICS
from iqa_jax.revisions import revisions_of
from iqa_jax.zoo import fill_backbone, outline_backbone


@register_pytree
@dataclass(frozen=True)
class Prepared:
    """One image, as far as it can be known without the other.

    Attributes:
      parts: What each statistic needs, by layer and statistic.
      positions: Height x width of every layer.
      size: Height and width of the image.
    """

    parts: Mapping[tuple[str, str], Any]
    positions: Mapping[str, int]
    size: tuple[int, ...]


@register_pytree
@dataclass(frozen=True, eq=False)
class FeatureStatistics(PairFunction):
    """Statistics that share one pass through a backbone, each ``[channels]``.

    Attributes:
      backbone: The network.
      arrays: Layer and statistic of each.
    """

    backbone: Backbone
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
        """Checks what is asked of a model, without loading its weights.

        Args:
          model: Name of the model.
          arrays: Layer and statistic of each; a layer may have its short name, which is written
            out.
          checkpoints_dir: As for ``load_backbone``.
          precision: As for ``load_backbone``.

        Raises:
          InputError: If there is no such model, layer or statistic.
          CheckpointError: If the weights have not been fetched.
        """
        backbone = outline_backbone(model, checkpoints_dir=checkpoints_dir, precision=precision)
        short = aliases(backbone.layers)
        named = dict.fromkeys((short.get(layer, layer), name) for layer, name in arrays)
        check_layers(backbone.name, [layer for layer, _ in named], backbone.layers)
        unknown = dict.fromkeys(name for _, name in named if name not in STATISTICS)
        if unknown:
            raise InputError(
                f"there is no statistic {', '.join(unknown)}; there are: {', '.join(STATISTICS)}"
            )
        return cls(backbone, tuple(named))

    def fill(self, *, checkpoints_dir: epath.PathLike | None = None) -> Self:
        """Loads the weights of an outline."""
        return replace(self, backbone=fill_backbone(self.backbone, checkpoints_dir=checkpoints_dir))

    @property
    def label(self) -> str:
        """The model's name."""
        return self.backbone.name

    @property
    def names(self) -> list[str]:
        """The statistics, as ``LAYER/STATISTIC``."""
        return ["/".join(array) for array in self.arrays]

    @property
    def signature(self) -> dict[str, Any]:
        """What statistics of the network depend on besides the images, as JSON."""
        return {
            "model": self.backbone.name,
            "weights_sha256": self.backbone.sha256,
            "precision": self.backbone.precision,
            "revisions": revisions_of(
                [*self.backbone.formulas, *(f"statistic/{name}" for name in STATISTICS)]
            ),
        }

    def refusals(self, height: int, width: int) -> dict[str, str]:
        """The statistics of layers that would have no positions."""
        return refusals_of_layers(
            self.backbone, height, width, {"/".join(each): each[:1] for each in self.arrays}
        )

    def only(self, names: Collection[str]) -> Self:
        """The same with some of the statistics."""
        return replace(self, arrays=tuple(each for each in self.arrays if "/".join(each) in names))

    def prepare(self, image: jax.Array) -> Prepared:
        """What the statistics need of one image ``[H, W, 3]``."""
        activations = self.backbone.activations(image[None])
        parts = {
            (layer, name): STATISTICS[name].prepare(activations[layer][0])
            for layer, name in self.arrays
        }
        positions = {layer: math.prod(a.shape[1:3]) for layer, a in activations.items()}
        return Prepared(parts, positions, image.shape[:2])

    def compare(self, reference: Prepared, distorted: Prepared, identical: jax.Array) -> Values:
        """The statistics of two prepared images, float32."""
        return tuple(
            STATISTICS[array[1]].of_pair(reference.parts[array], distorted.parts[array], identical)
            for array in self.arrays
        )


def check_layers(model: str, names: Sequence[str], layers: Sequence[str]) -> None:
    """Refuses names of layers that a model does not have.

    Args:
      model: Name of the model.
      names: Names to check, also short ones.
      layers: Names of all layers of the model.

    Raises:
      InputError: If there is no such layer.
    """
    known = {*layers, *aliases(layers)}
    unknown = dict.fromkeys(name for name in names if name not in known)
    if unknown:
        raise InputError(f"{model} has no layer {', '.join(unknown)}; it has: {', '.join(layers)}")


def refusals_of_layers(
    backbone: Backbone, height: int, width: int, layers_of: Mapping[str, Sequence[str]]
) -> dict[str, str]:
    """Which values need layers that images of a size do not reach, and why.

    Args:
      backbone: The network.
      height: Height of the images.
      width: Width of the images.
      layers_of: The layers that each value needs, by its name.

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
