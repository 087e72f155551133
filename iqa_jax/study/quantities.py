"""Quantities of networks: each is a weighting of the columns of a dataset.

A quantity is fixed by the network, or chosen on data that do not score it; the largest value of
all layers is printed as ``best_apparent``, and never has an interval.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from iqa_jax.agreement.intervals import fisher_z
from iqa_jax.study.pseudovalues import Sample
from iqa_jax.study.results import JOINED, LAYER, METRIC, Column, Network

Layers = Mapping[tuple[str, str, str], float]
"""Correlations of other data, by model, layer and read-out."""

DEPTH_MEAN, LAST, BEST = "depth_mean", "last", "best"
SLOPE, STAGE_SLOPE = "depth_slope", "stage_slope"
STRIDES = (4, 8, 16, 32)


@dataclass(frozen=True)
class View:
    """The networks of a dataset under one measure and one read-out.

    Attributes:
      sample: Correlations of the dataset.
      readout: Name of the read-out.
      elsewhere: Fisher's z of the layers on other sources of photographs, which choose the best
        layer; None if there is no other source, and halves of the references choose for each other.
    """

    sample: Sample
    readout: str
    elsewhere: Layers | None = None

    @cached_property
    def _places(self) -> Mapping[str, Sequence[int]]:
        """Positions of the single layers of each model, by depth."""
        found: dict[str, list[int]] = defaultdict(list)
        for place, column in enumerate(self.columns):
            usable = column.is_layer and column.readout == self.readout and not column.in_sample
            if usable and np.isfinite(self.sample.whole.values[place]):
                found[column.model].append(place)
        return {name: sorted(each, key=self._depth) for name, each in found.items()}

    def places(self, network: Network) -> Sequence[int]:
        """Positions of a network's layers among the columns, by depth.

        Args:
          network: The network.
        """
        return self._places[network.name]

    @property
    def columns(self) -> Sequence[Column]:
        """The columns that weights refer to."""
        return self.sample.results.columns

    @cached_property
    def networks(self) -> Sequence[Network]:
        """All networks with layers under the read-out, controls and epoch series among them."""
        known = self.sample.results.networks
        return [known[name] for name in self._places if name in known]

    @cached_property
    def trained(self) -> Sequence[Network]:
        """The trained networks; of a series that differs in its epochs alone, the longest."""
        longest: dict[tuple[str, ...], Network] = {}
        for each in self.networks:
            if each.is_trained:
                key = (each.trunk, each.goal, each.environment, each.recipe)
                kept = longest.setdefault(key, each)
                if (each.epochs or 0) > (kept.epochs or 0):
                    longest[key] = each
        return [each for each in self.networks if each in longest.values()]

    def controls(self, network: Network) -> Sequence[Network]:
        """The untrained networks of the same trunk.

        Args:
          network: A trained network.
        """
        return [
            each for each in self.networks if not each.is_trained and each.trunk == network.trunk
        ]

    def metric(self, name: str) -> np.ndarray | None:
        """Weights of a metric; None if there is no such column.

        Args:
          name: Name of the metric.
        """
        for place, column in enumerate(self.columns):
            if column.kind in (METRIC, JOINED) and column.name.lower() == name:
                return self._one(place) if not column.in_sample else None
        return None

    def depth_mean(self, network: Network) -> np.ndarray:
        """Weights of the mean over relative depth, by the trapezoid rule.

        Args:
          network: The network.
        """
        places = self._places[network.name]
        depth = self._depths(places)
        weights = np.zeros(len(self.columns))
        if len(places) == 1 or depth[-1] == depth[0]:
            weights[places] = 1 / len(places)
            return weights
        steps = np.diff(depth) / (depth[-1] - depth[0])
        weights[places[:-1]] += steps / 2
        weights[places[1:]] += steps / 2
        return weights

    def last(self, network: Network) -> np.ndarray:
        """Weights of the last layer.

        Args:
          network: The network.
        """
        return self._one(self._places[network.name][-1])

    def stage(self, network: Network, stride: int) -> np.ndarray | None:
        """Weights of the last layer of a stride; None if there is none.

        Args:
          network: The network.
          stride: Pixels from one position of the layer to the next.
        """
        places = [
            place for place in self._places[network.name] if self.columns[place].stride == stride
        ]
        return self._one(places[-1]) if places else None

    def slope(self, network: Network) -> np.ndarray | None:
        """Weights of the slope of the correlation on relative depth; None with one layer.

        Args:
          network: The network.
        """
        places = self._places[network.name]
        depth = self._depths(places)
        centred = depth - depth.mean()
        if not centred @ centred > 0:
            return None
        weights = np.zeros(len(self.columns))
        weights[places] = centred / (centred @ centred)
        return weights

    def slope_of_stages(self, network: Network) -> np.ndarray | None:
        """Weights of the slope over the last layers at each stride; None with one stride.

        Args:
          network: The network.

        Returns:
          The slope on the logarithm of the stride, per step from the first stride of
          :data:`STRIDES` to the last.
        """
        stages = {stride: self.stage(network, stride) for stride in STRIDES}
        known = {stride: weights for stride, weights in stages.items() if weights is not None}
        if len(known) < 2:
            return None
        steps = np.log2([*known]) / np.log2(STRIDES[-1] / STRIDES[0])
        centred = steps - steps.mean()
        return (centred / (centred @ centred)) @ np.stack([*known.values()])

    def best(self, network: Network) -> np.ndarray | None:
        """Weights of the best layer, chosen on data that do not score it.

        Args:
          network: The network.

        Returns:
          ``[columns]`` if other sources choose, ``[2, columns]`` if halves choose for each other;
          None if no layer has a correlation there.
        """
        places = self._places[network.name]
        if self.elsewhere is not None:
            found = [self.elsewhere.get(place_of(self.columns[each]), np.nan) for each in places]
            return None if np.isnan(found).all() else self._one(places[int(np.nanargmax(found))])
        chosen = []
        for choosing in reversed(self.sample.halves):  # the other half scores
            found = choosing.values[places]
            if np.isnan(found).all():
                return None
            chosen.append(self._one(places[int(np.nanargmax(found))]))
        return np.stack(chosen)

    def best_network(self) -> tuple[str, np.ndarray] | None:
        """Name and weights of the trained network that is best on data that do not score it.

        Returns:
          The names of two networks if halves choose different ones; None if no layer has a
          correlation there.
        """
        best = {each.name: self.best(each) for each in self.trained}
        known = {name: weights for name, weights in best.items() if weights is not None}
        if not known:
            return None
        if self.elsewhere is not None:
            values = {
                name: self.elsewhere[place_of(self.columns[int(np.argmax(weights))])]
                for name, weights in known.items()
            }
            name = max(values, key=lambda each: values[each])
            return name, known[name]
        names = []
        for half, choosing in enumerate(reversed(self.sample.halves)):
            values = {
                name: choosing.values[int(np.argmax(weights[half]))]
                for name, weights in known.items()
            }
            names.append(max(values, key=lambda each: values[each]))
        weights = np.stack([known[name][half] for half, name in enumerate(names)])
        return ",".join(dict.fromkeys(names)), weights

    def best_apparent(self, network: Network) -> tuple[str, float]:
        """The largest correlation of all layers, and its layer; it is too large.

        Args:
          network: The network.
        """
        places = self._places[network.name]
        place = places[int(np.argmax(self.sample.whole.values[places]))]
        return self.columns[place].layer, float(self.sample.whole.values[place])

    def concatenated(self, network: Network, readout: str) -> np.ndarray | None:
        """Weights of all inner layers joined; None if there is no such column.

        Args:
          network: The network.
          readout: Read-out of the joined layers.
        """
        place = self._joined.get((network.name, readout))
        return None if place is None else self._one(place)

    @cached_property
    def _joined(self) -> Mapping[tuple[str, str], int]:
        """Positions of the columns that join all inner layers, by model and read-out."""
        inner: dict[str, set[str]] = defaultdict(set)
        for column in self.columns:
            if column.is_layer:
                inner[column.model].add(column.layer)
        return {
            (column.model, column.readout): place
            for place, column in enumerate(self.columns)
            if column.kind == LAYER
            and len(column.layers) > 1
            and not column.in_sample
            and set(column.layers) - {"input"} == inner[column.model]
        }

    def minus_untrained(self, network: Network) -> np.ndarray | None:
        """Weights of the mean over depth minus that of the untrained controls.

        Args:
          network: The network.

        Returns:
          The controls are averaged; None if there is none.
        """
        controls = [self.depth_mean(each) for each in self.controls(network)]
        if not controls:
            return None
        return self.depth_mean(network) - np.mean(controls, axis=0)

    def layer_names(self, weights: np.ndarray) -> str:
        """Names of the layers that have weight, joined by commas.

        Args:
          weights: Weights of columns.
        """
        used = np.flatnonzero(np.atleast_2d(weights).any(axis=0))
        return ",".join(self.columns[place].layer for place in used.tolist())

    def _depth(self, place: int) -> float:
        depth = self.columns[place].relative_depth
        return 0.0 if depth is None else depth

    def _depths(self, places: Sequence[int]) -> np.ndarray:
        return np.array([self._depth(place) for place in places])

    def _one(self, place: int) -> np.ndarray:
        weights = np.zeros(len(self.columns))
        weights[place] = 1.0
        return weights


def place_of(column: Column) -> tuple[str, str, str]:
    """Names of the model, the layer and the read-out of a column.

    Args:
      column: The column.
    """
    return column.model, column.layer, column.readout


def layers_elsewhere(samples: Sequence[Sample]) -> Layers:
    """Mean of Fisher's z of each layer over sources of photographs.

    Args:
      samples: Correlations of other datasets; those of one source count as one.
    """
    found: dict[tuple[str, str, str], dict[str, list[float]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for sample in samples:
        for column, value in zip(sample.results.columns, sample.whole.values, strict=True):
            if column.is_layer and not column.in_sample and np.isfinite(value):
                found[place_of(column)][sample.results.source].append(float(fisher_z(value)))
    return {
        place: float(np.mean([np.mean(each) for each in by_source.values()]))
        for place, by_source in found.items()
    }
