"""Results of evaluations: scores of pairs, and facts about the columns and networks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

LAYER, METRIC, BASELINE, JOINED = "layer", "metric", "baseline", "joined"
UNTRAINED = "none"
NATIVE = ""

SOURCES: Mapping[str, str] = {
    "tid2008": "Kodak",
    "tid2013": "Kodak",
    "live": "Kodak",
}
"""Photographs that several datasets share; every other dataset is a source of its own."""


@dataclass(frozen=True)
class Network:
    """Facts about a network, as an evaluation records them.

    Attributes:
      name: Name of the model.
      family: Family of its architecture.
      architecture: Name in the literature.
      trunk: Exact variant of the architecture.
      depth: Number of layers with weights on the longest path; None if unknown.
      goal: Training objective.
      goal_family: Kind of objective; ``none`` for an untrained network.
      environment: Training images.
      epochs: Number of passes over the training images; None if unknown.
      recipe: Code and settings of the training, in a word.
      luminance_only: Whether the network is shown images without colour.
      top1: Top-1 accuracy on ImageNet-1k after supervised training, in percent; None if unknown.
      linear_probe: The same of a linear classifier on the frozen features.
      absent: Reason why there are no scores; empty if there are.
      layers: Channels, positions and stride of its layers by name.
    """

    name: str
    family: str = ""
    architecture: str = ""
    trunk: str = ""
    depth: int | None = None
    goal: str = ""
    goal_family: str = ""
    environment: str = ""
    epochs: int | None = None
    recipe: str = ""
    luminance_only: bool = False
    top1: float | None = None
    linear_probe: float | None = None
    absent: str = ""
    layers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def of_record(cls, name: str, record: Mapping[str, Any]) -> "Network":
        """The network of an entry of ``models`` in ``run.json``.

        Args:
          name: Name of the model.
          record: The entry; other facts are ignored.
        """
        known = {each.name for each in fields(cls)} & record.keys()
        facts: dict[str, Any] = {key: record[key] for key in known}
        facts["name"] = name
        return cls(**facts)

    @property
    def is_trained(self) -> bool:
        """Whether it was trained."""
        return self.goal_family not in ("", UNTRAINED)


@dataclass(frozen=True)
class Column:
    """A column of distances.

    Attributes:
      name: Name in the tables.
      kind: ``layer``, ``metric``, ``baseline`` or ``joined``.
      model: Name of the model; that of the metric if it is one.
      layers: Names of the layers that are read out.
      readout: Name of the read-out with its relevance; empty for a metric.
      relative_depth: Depth of a single layer from 0 to 1; None otherwise.
      stride: Pixels from one position of a single layer to the next; None if unknown.
      in_sample: Whether it is tested on data it was learned from.
      transductive: Whether it compares with a mean over the pairs it is tested on.
    """

    name: str
    kind: str
    model: str
    layers: tuple[str, ...] = ()
    readout: str = ""
    relative_depth: float | None = None
    stride: int | None = None
    in_sample: bool = False
    transductive: bool = False

    @property
    def layer(self) -> str:
        """Names of the layers joined by ``+``."""
        return "+".join(self.layers)

    @property
    def is_layer(self) -> bool:
        """Whether it is a single inner layer of a network."""
        return self.kind == LAYER and len(self.layers) == 1 and self.layers[0] != "input"


@dataclass(frozen=True)
class Results:
    """Distances of a dataset's pairs at one size and precision, joined from several runs.

    Attributes:
      dataset: Name of the dataset.
      fingerprint: Fingerprint of the pairs.
      resize: Size to which the images were resized; empty for their native size.
      precision: Precision of the products.
      human: Human scores oriented so that higher is better, ``[pairs]``.
      reference_ids: Reference of each pair, ``[pairs]``.
      distortions: Type of distortion of each pair, ``[pairs]``; empty if unknown.
      columns: The columns.
      distances: Distances, larger for greater differences, ``[pairs, columns]``, all finite.
      networks: The networks by name, those that are absent among them.
      published_pairs: Number of pairs of the whole dataset; None if unknown.
      left_out: Columns that cannot be used, with the reason.
      ceiling: Agreement that the uncertainty of the scores allows, as recorded.
    """

    dataset: str
    fingerprint: str
    resize: str
    precision: str
    human: np.ndarray
    reference_ids: np.ndarray
    distortions: np.ndarray
    columns: Sequence[Column]
    distances: np.ndarray
    networks: Mapping[str, Network]
    published_pairs: int | None = None
    left_out: Mapping[str, str] = field(default_factory=dict)
    ceiling: Mapping[str, Any] = field(default_factory=dict)

    @property
    def source(self) -> str:
        """Photographs of the dataset; datasets of one source do not replicate each other."""
        return SOURCES.get(self.dataset, self.dataset)

    @property
    def references(self) -> int:
        """Number of references."""
        return len(np.unique(self.reference_ids))

    @property
    def is_complete(self) -> bool:
        """Whether all published pairs are there."""
        return self.published_pairs in (None, len(self.human))
