"""Read-outs of one network in one pass.

The activations of a pair are reduced to statistics and these to distances before the next version
of the reference is processed.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import jax
from etils import epath

from iqa_jax.backbones import Backbone, check_layers
from iqa_jax.errors import InputError
from iqa_jax.metrics.bounds import highest_distance
from iqa_jax.metrics.layer_statistics import (
    FeatureStatistics,
    NetworkFunction,
    Prepared,
    refusals_of_layers,
)
from iqa_jax.metrics.pair_function import Values, enlarged
from iqa_jax.metrics.protocols import Protocol
from iqa_jax.pytrees import register_pytree
from iqa_jax.readouts import (
    NEEDS_A_DATASET,
    READOUTS,
    ReadoutName,
    needed_arrays,
    readout_formulas,
    sum_over,
)
from iqa_jax.readouts.statistics import STATISTICS
from iqa_jax.revisions import revisions_of
from iqa_jax.weights.relevance_files import is_relevance_file
from iqa_jax.zoo import Relevance, load_relevance, outline_backbone


@dataclass(frozen=True)
class Distance:
    """A read-out without names, as it is compiled.

    Attributes:
      layers: Names of layers.
      readout: Key of :data:`READOUTS`.
      relevance: Position of its relevance among those of the function; None for weights of 1.
    """

    layers: tuple[str, ...]
    readout: str
    relevance: int | None


@register_pytree
@dataclass(frozen=True, eq=False)
class FeatureScores(NetworkFunction):
    """Read-outs that share one pass through a network.

    Attributes:
      backbone: Network.
      relevances: Relevances that the distances refer to.
      distances: Read-outs to compute.
      protocol: Protocol of the metric; None for the read-outs alone.
    """

    relevances: tuple[Relevance, ...]
    distances: tuple[Distance, ...] = field(metadata={"static": True})
    protocol: Protocol | None = field(metadata={"static": True}, default=None)

    @classmethod
    def of(
        cls,
        backbone: Backbone,
        readouts: Sequence[ReadoutName],
        *,
        relevances: Mapping[str, Relevance] | None = None,
        protocol: Protocol | None = None,
    ) -> Self:
        """Read-outs of a network.

        Args:
          backbone: Network, or its outline.
          readouts: Read-outs of the network.
          relevances: Relevances by name: exactly those that the read-outs name.
          protocol: Protocol of the metric; None for the read-outs alone.

        Raises:
          InputError: If there is no such layer, or a relevance does not weigh the layers, is for
            another kind of read-out, or was learned for other weights of the network.
        """
        relevances = relevances or {}
        check_readouts(readouts, backbone.known_layers, relevances)
        if backbone.sha256:  # the outline of an untrained network has none
            check_network(backbone.sha256, relevances.values())
        _check_channels(backbone, relevances.values())
        places = {name: place for place, name in enumerate(relevances)}
        distances = (
            Distance(each.layers, each.readout, places[each.relevance] if each.relevance else None)
            for each in readouts
        )
        return cls(
            backbone.with_layers(None), tuple(relevances.values()), tuple(distances), protocol
        )

    @classmethod
    def outline(
        cls,
        readouts: Sequence[ReadoutName],
        *,
        backbone: Backbone | None = None,
        checkpoints_dir: epath.PathLike | None = None,
        precision: str = "highest",
        protocol: Protocol | None = None,
    ) -> Self:
        """Checks read-outs and loads their relevances, without the weights of the network.

        Args:
          readouts: At least one, all of the same model.
          backbone: The network, if it is in memory.
          checkpoints_dir: See ``load_backbone``.
          precision: See ``load_backbone``.
          protocol: Protocol of the metric; None for the read-outs alone.

        Raises:
          InputError: If there is no such model, or a read-out does not fit (see :meth:`of`).
          CheckpointError: If weights have not been fetched, or a relevance is damaged.
        """
        (model,) = {readout.model for readout in readouts}
        backbone = backbone or outline_backbone(
            model, checkpoints_dir=checkpoints_dir, precision=precision
        )
        relevances = {
            name: load_relevance(name, checkpoints_dir=checkpoints_dir)
            for name in dict.fromkeys(readout.relevance for readout in readouts)
            if name is not None
        }
        return cls.of(backbone, readouts, relevances=relevances, protocol=protocol)

    def fill(self, *, checkpoints_dir: epath.PathLike | None = None) -> Self:
        """Loads the weights of the network of an outline.

        Raises:
          InputError: If a relevance was learned for other weights.
        """
        filled = super().fill(checkpoints_dir=checkpoints_dir)
        check_network(filled.backbone.sha256, filled.relevances)
        return filled

    @property
    def readouts(self) -> tuple[ReadoutName, ...]:
        """Names of the distances."""
        return tuple(
            ReadoutName(
                self.backbone.name,
                each.layers,
                each.readout,
                None if each.relevance is None else self.relevances[each.relevance].name,
            )
            for each in self.distances
        )

    @property
    def statistics(self) -> FeatureStatistics:
        """Statistics that the distances are computed from."""
        return FeatureStatistics(self.backbone, tuple(needed_arrays(self.readouts)))

    @property
    def names(self) -> list[str]:
        """Full names of the distances."""
        return [str(readout) for readout in self.readouts]

    @property
    def signature(self) -> dict[str, Any]:
        """Weights, settings and formulas that the distances depend on, as JSON."""
        return {
            "model": self.backbone.name,
            "weights_sha256": self.backbone.sha256,
            "relevances": {each.name: each.sha256 for each in self.relevances},
            "precision": self.backbone.precision,
            "revisions": revisions_of(self._formulas),
            **(self.protocol.signature if self.protocol else {}),
        }

    @property
    def _formulas(self) -> list[str]:
        names = [*self.backbone.formulas]
        if self.protocol:
            names += self.protocol.formulas
        for readout in {each.readout for each in self.distances}:
            names += readout_formulas(readout)
        return names

    @property
    def score_ranges(self) -> list[tuple[float, float]]:
        """Bounds of each distance, for any images and parameters of the network."""
        return [
            (0.0, highest_distance(each.readout, [self._weights(each, x) for x in each.layers]))
            for each in self.distances
        ]

    @property
    def mapped(self) -> list[str]:
        """Names of the read-outs that are sums of means over positions."""
        return [str(readout) for readout in self.readouts if READOUTS[readout.readout].is_local]

    def refusals(self, height: int, width: int) -> dict[str, str]:
        """Reasons by name of the read-out, for those whose layers would have no positions."""
        size = self.protocol.size(height, width) if self.protocol else (height, width)
        layers_of = {str(readout): readout.layers for readout in self.readouts}
        return refusals_of_layers(self.backbone, *size, layers_of)

    def only(self, names: Collection[str]) -> Self:
        """The same function with some of the read-outs."""
        named = zip(self.names, self.distances, strict=True)
        return replace(self, distances=tuple(each for name, each in named if name in names))

    def prepare(self, image: jax.Array) -> Prepared:
        """Prepares one image ``[H, W, 3]`` for the statistics of its pairs."""
        if self.protocol is None:
            return self.statistics.prepare(image)
        height, width, _ = image.shape
        function = self._without_protocol(height, width)
        return replace(function.prepare(self.protocol.shrink(image)), size=(height, width))

    def compare(self, reference: Prepared, distorted: Prepared, identical: jax.Array) -> Values:
        """Distances of two prepared images."""
        if self.protocol:
            function = self._without_protocol(*reference.size)
            distances = function.compare(reference, distorted, identical)
            return tuple(self.protocol.score(each, *reference.size) for each in distances)
        statistics = self.statistics
        of_pair = statistics.compare(reference, distorted, identical)
        values: dict[str, dict[str, jax.Array]] = defaultdict(dict)
        for (layer, statistic), value in zip(statistics.arrays, of_pair, strict=True):
            values[layer][statistic] = value
        return tuple(
            READOUTS[each.readout].combine(
                READOUTS[each.readout].summands(
                    values[layer], reference.positions[layer], relevance=self._weights(each, layer)
                )
                for layer in each.layers
            )
            for each in self.distances
        )

    def compare_maps(
        self, reference: Prepared, distorted: Prepared, identical: jax.Array
    ) -> Values:
        """Local distances of the read-outs that have them."""
        return tuple(
            sum_over(
                enlarged(self._local(each, layer, reference, distorted, identical), reference.size)
                for layer in each.layers
            )
            for each in self.distances
            if READOUTS[each.readout].is_local
        )

    def _without_protocol(self, height: int, width: int) -> Self:
        """The read-outs that the protocol takes for images of a size."""
        assert self.protocol
        distances = (
            replace(each, readout=self.protocol.readout(each.readout, height, width))
            for each in self.distances
        )
        return replace(self, distances=tuple(distances), protocol=None)

    def _local(
        self,
        distance: Distance,
        layer: str,
        reference: Prepared,
        distorted: Prepared,
        identical: jax.Array,
    ) -> jax.Array:
        """Local distances of one layer, ``[height, width]``: those of single positions."""
        readout = READOUTS[distance.readout]
        values = {
            name: STATISTICS[name].local_of_pair(
                reference.parts[layer, name], distorted.parts[layer, name], identical
            )
            for name in readout.statistics
        }
        weights = self._weights(distance, layer)
        return readout.combine([readout.summands(values, 1, relevance=weights)])

    def _weights(self, distance: Distance, layer: str) -> jax.Array | None:
        if distance.relevance is None:
            return None
        return self.relevances[distance.relevance].weights[layer]


def check_no_dataset(readouts: Iterable[ReadoutName]) -> None:
    """Refuses read-outs that compare with a dataset, which are not functions of a single pair.

    Raises:
      InputError: If there is one.
    """
    for readout in readouts:
        if READOUTS[readout.readout].normalised_by:
            raise InputError(f"{readout}: {NEEDS_A_DATASET}")


def _check_channels(backbone: Backbone, relevances: Iterable[Relevance]) -> None:
    """Refuses a relevance in a file, which anyone may have made, with other numbers of channels."""
    for relevance in relevances:
        if is_relevance_file(relevance.name):
            channels = backbone.with_layers(None).channels
            for layer, weights in relevance.weights.items():
                if weights.shape[-1] != channels[layer]:
                    raise InputError(
                        f"{relevance.name}: has {weights.shape[-1]} weights for the layer {layer} "
                        f"of {backbone.name}, expected {channels[layer]}"
                    )


def check_network(sha256: str, relevances: Iterable[Relevance]) -> None:
    """Refuses a relevance in a file that was learned for other weights of the network.

    Args:
      sha256: Hash of the weights of the network.
      relevances: Relevances of the network.

    Raises:
      InputError: If there is one.
    """
    for relevance in relevances:
        expected = relevance.network_sha256
        if expected not in (None, sha256):
            raise InputError(
                f"{relevance.name}: was learned for weights of {relevance.model} with the sha256 "
                f"{expected}, but those here have {sha256}; fetch or convert the network that it "
                "was learned for, or learn it again"
            )


def check_readouts(
    readouts: Iterable[ReadoutName], layers: Sequence[str], relevances: Mapping[str, Relevance]
) -> None:
    """Checks that read-outs fit a model and their relevances.

    Args:
      readouts: Read-outs of one model.
      layers: Names of all layers of the model.
      relevances: Relevances that the read-outs name, by name.

    Raises:
      InputError: If the model has no such layer, or a relevance does not weigh the layers or is for
        another kind of read-out.
    """
    for readout in readouts:
        check_layers(readout.model, readout.layers, layers)
        relevance = relevances[readout.relevance] if readout.relevance else None
        if relevance and not relevance.weighs(readout.model, readout.layers):
            raise InputError(
                f"{readout}: the relevance {relevance.name} weighs the layers "
                f"{', '.join(relevance.weights)} of {relevance.model}"
            )
        if relevance and relevance.terms != READOUTS[readout.readout].terms:
            raise InputError(
                f"{readout}: {readout.readout} takes {READOUTS[readout.readout].terms} weight(s) "
                f"per channel, the relevance {relevance.name} has {relevance.terms}"
            )
