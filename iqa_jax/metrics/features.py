"""The compiled step: one reference against its distorted versions, every read-out of one backbone.

The reference goes through the network once, each version once; the activations of a pair are
reduced to statistics and these to distances before the next version is looked at.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

import jax
from etils import epath

from iqa_jax.backbones import Backbone, aliases
from iqa_jax.errors import InputError
from iqa_jax.images.preprocess import unit_range
from iqa_jax.images.resize import Resize, resize_pixels
from iqa_jax.metrics.pair_function import PairComparison, Scores, enlarged
from iqa_jax.readouts import (
    NEEDS_A_DATASET,
    READOUTS,
    LayerStatistics,
    ReadoutName,
    needed_arrays,
    readout_formulas,
    sum_over,
)
from iqa_jax.readouts.statistics import STATISTICS
from iqa_jax.revisions import revisions
from iqa_jax.zoo import Relevance, load_backbone, load_relevance, outline_backbone


@jax.tree_util.register_dataclass
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


@jax.tree_util.register_dataclass
@dataclass(frozen=True, eq=False)
class Comparison(PairComparison):
    """Read-outs that share one pass through a backbone; a pytree, to be an argument of ``jit``.

    Attributes:
      backbone: The network.
      relevances: By name.
      readouts: What is asked for.
      resize: What the metric's own protocol does to an image first.
    """

    backbone: Backbone
    relevances: Mapping[str, Relevance]
    readouts: tuple[ReadoutName, ...] = field(metadata={"static": True})
    resize: Resize | None = field(metadata={"static": True}, default=None)

    @property
    def label(self) -> str:
        """A short name: the model's."""
        return self.backbone.name

    @property
    def names(self) -> list[str]:
        """The distances that are computed."""
        return [str(readout) for readout in self.readouts]

    @property
    def signature(self) -> dict[str, Any]:
        """What the distances depend on besides the images, as JSON."""
        return {
            "model": self.backbone.name,
            "weights_sha256": self.backbone.sha256,
            "relevances": {name: each.sha256 for name, each in self.relevances.items()},
            "precision": self.backbone.precision,
            "revisions": revisions(self._formulas),
            **({"protocol_resize": asdict(self.resize)} if self.resize else {}),
        }

    @property
    def _formulas(self) -> list[str]:
        names = [*self.backbone.formulas]
        if self.resize:
            names.append("images/resizing on the device")
        for readout in {readout.readout for readout in self.readouts}:
            names += readout_formulas(readout)
        return names

    @property
    def mapped(self) -> list[str]:
        """The read-outs that are sums of means over positions."""
        return [str(readout) for readout in self.readouts if READOUTS[readout.readout].is_local]

    def refusals(self, height: int, width: int) -> dict[str, str]:
        """The read-outs of layers that would have no positions."""
        size = self.resize.size(height, width) if self.resize else (height, width)
        reasons = {
            str(readout): self.backbone.refusal(*size, layers=readout.layers)
            for readout in self.readouts
        }
        return {name: reason for name, reason in reasons.items() if reason}

    def only(self, names: Collection[str]) -> Self:
        """The same with some of the read-outs."""
        return replace(self, readouts=tuple(each for each in self.readouts if str(each) in names))

    def prepare(self, image: jax.Array) -> Prepared:
        """What is needed of one image ``[H, W, 3]`` for the statistics of its pairs."""
        if self.resize:
            image = resize_pixels(unit_range(image), self.resize)
        activations = self.backbone.activations(image[None])
        parts = {
            (layer, name): STATISTICS[name].prepare(activations[layer][0])
            for layer, name in needed_arrays(self.readouts)
        }
        positions = {layer: math.prod(a.shape[1:3]) for layer, a in activations.items()}
        return Prepared(parts, positions, image.shape[:2])

    def compare(self, reference: Prepared, distorted: Prepared, identical: jax.Array) -> Scores:
        """The distances of two images as they were prepared."""
        statistics = {
            key: STATISTICS[key[1]].of_pair(reference.parts[key], distorted.parts[key], identical)
            for key in needed_arrays(self.readouts)
        }

        def layer_statistics(layer: str, readout: ReadoutName) -> LayerStatistics:
            names = READOUTS[readout.readout].statistics
            return LayerStatistics(
                values={name: statistics[layer, name] for name in names},
                positions=reference.positions[layer],
                relevance=self._weights(readout.relevance, layer),
            )

        return {
            str(readout): READOUTS[readout.readout].combine(
                [layer_statistics(layer, readout) for layer in readout.layers]
            )
            for readout in self.readouts
        }

    def compare_maps(
        self, reference: Prepared, distorted: Prepared, identical: jax.Array
    ) -> Scores:
        """Local distances of the read-outs that have them."""
        return {
            str(readout): sum_over(
                enlarged(
                    self._local(readout, layer, reference, distorted, identical), reference.size
                )
                for layer in readout.layers
            )
            for readout in self.readouts
            if READOUTS[readout.readout].is_local
        }

    def _local(
        self,
        readout: ReadoutName,
        layer: str,
        reference: Prepared,
        distorted: Prepared,
        identical: jax.Array,
    ) -> jax.Array:
        """The local distances of one layer, ``[height, width]``: as of one position each."""
        values = {
            name: STATISTICS[name].local_of_pair(
                reference.parts[layer, name], distorted.parts[layer, name], identical
            )
            for name in READOUTS[readout.readout].statistics
        }
        weights = self._weights(readout.relevance, layer)
        if weights is not None:
            weights = weights.reshape(1, 1, -1)
        return READOUTS[readout.readout].combine([LayerStatistics(values, 1, weights)])

    def _weights(self, relevance: str | None, layer: str) -> jax.Array | None:
        return None if relevance is None else self.relevances[relevance].weights[layer]


def load_comparison(
    readouts: Sequence[ReadoutName],
    *,
    checkpoints_dir: epath.PathLike | None = None,
    precision: str = "highest",
    resize: Resize | None = None,
) -> Comparison:
    """Loads the backbone and the relevances that read-outs of one model need.

    Args:
      readouts: At least one, all of the same model.
      checkpoints_dir: As for ``load_backbone``.
      precision: As for ``load_backbone``.
      resize: See :class:`Comparison`.

    Raises:
      InputError: If there is no such model, it has no such layer, or a relevance does not weigh the
        layers or is for another kind of read-out.
      CheckpointError: If weights have not been fetched, or are damaged.
    """
    (model,) = {readout.model for readout in readouts}
    backbone = load_backbone(model, checkpoints_dir=checkpoints_dir, precision=precision)
    relevances = load_relevances(readouts, checkpoints_dir=checkpoints_dir)
    check_readouts(readouts, backbone.layers, relevances)
    _refuse_those_of_a_dataset(readouts)
    return Comparison(backbone, relevances, tuple(readouts), resize)


def check_comparison(
    readouts: Sequence[ReadoutName],
    sizes: Sequence[tuple[int, int]],
    *,
    checkpoints_dir: epath.PathLike | None = None,
    resize: Resize | None = None,
    stored: bool = False,
) -> Comparison:
    """Raises what :func:`load_comparison` and scoring would, without loading any network.

    Args:
      readouts: At least one, all of the same model.
      sizes: (height, width) of the images.
      checkpoints_dir: As for ``load_backbone``.
      resize: See :class:`Comparison`.
      stored: Whether the read-outs are of stored statistics, so that they may compare with a
        dataset.

    Returns:
      An outline: what is compared, with the shapes of the parameters in their place.

    Raises:
      InputError: As by :func:`load_comparison`, or if images are too small for a layer.
    """
    (model,) = {readout.model for readout in readouts}
    outline = outline_backbone(model, checkpoints_dir=checkpoints_dir)
    relevances = load_relevances(readouts, checkpoints_dir=checkpoints_dir)
    check_readouts(readouts, outline.layers, relevances)
    if not stored:
        _refuse_those_of_a_dataset(readouts)
    comparison = Comparison(outline, {}, tuple(readouts), resize=resize)
    for height, width in sizes:
        comparison.check_size(height, width)
    return comparison


def load_relevances(
    readouts: Iterable[ReadoutName], *, checkpoints_dir: epath.PathLike | None = None
) -> dict[str, Relevance]:
    """Loads the relevances that read-outs name.

    Args:
      readouts: Any.
      checkpoints_dir: As for ``load_relevance``.

    Raises:
      CheckpointError: If there is no such checkpoint, it is damaged, or holds something else.
    """
    return {
        name: load_relevance(name, checkpoints_dir=checkpoints_dir)
        for name in dict.fromkeys(readout.relevance for readout in readouts)
        if name is not None
    }


def check_readouts(
    readouts: Iterable[ReadoutName], layers: Sequence[str], relevances: Mapping[str, Relevance]
) -> None:
    """Refuses read-outs that do not fit.

    Args:
      readouts: Of one model.
      layers: Names of all layers of the model.
      relevances: By name.

    Raises:
      InputError: If the model has no such layer, or a relevance does not weigh the layers or is for
        another kind of read-out.
    """
    known = (*layers, *aliases(layers))
    for readout in readouts:
        unknown = [layer for layer in readout.layers if layer not in known]
        if unknown:
            raise InputError(
                f"{readout.model} has no layer {', '.join(unknown)}; it has: {', '.join(layers)}"
            )
        relevance = relevances[readout.relevance] if readout.relevance else None
        if relevance and not relevance.weighs(readout.model, readout.layers):
            raise InputError(
                f"{readout}: the relevance {relevance.name} weighs the layers "
                f"{', '.join(relevance.weights)} of {relevance.model}"
            )
        if relevance and relevance.terms != READOUTS[readout.readout].terms:
            raise InputError(
                f"{readout}: {readout.readout} takes {READOUTS[readout.readout].terms} weight(s) a "
                f"channel, the relevance {relevance.name} has {relevance.terms}"
            )


def _refuse_those_of_a_dataset(readouts: Iterable[ReadoutName]) -> None:
    for readout in readouts:
        if READOUTS[readout.readout].normalised_by:
            raise InputError(f"{readout}: {NEEDS_A_DATASET}")
