"""Entries of the registry: networks, published relevances, and the sources of their weights."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from iqa_jax.backbones import family
from iqa_jax.backbones.depths import DEPTHS
from iqa_jax.bibliography import citation_text
from iqa_jax.images.preprocess import Preprocessing
from iqa_jax.weights.conversion import Rename
from iqa_jax.weights.download import UrlFile
from iqa_jax.weights.packages import PackageFile
from iqa_jax.zoo.goals import GOALS

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Source:
    """A third-party checkpoint file.

    Attributes:
      file: Location of the file.
      sha256: SHA-256 of the file; only its first digits, or empty, if no more is published.
      licence: Licence, as stated by the publisher.
      publications: Keys of the publications to cite for the weights; see
        ``iqa_jax.bibliography``.
      note: Who distributes or converted the weights, if not their author.
    """

    file: PackageFile | UrlFile
    sha256: str
    licence: str
    publications: tuple[str, ...]
    note: str = ""

    @property
    def citation(self) -> str:
        """The publications and the note in one line."""
        return citation_text(self.publications, self.note)


@dataclass(frozen=True)
class Conversion:
    """How to extract arrays from a third-party checkpoint.

    Attributes:
      source: The checkpoint.
      renames: Rules from its names to ours, applied in order.
      ignored: Regular expressions for the names, after renaming, of arrays to skip.
      rearrange: Splits or joins arrays of the file before renaming; arrays that it does not know
        pass unchanged.
    """

    source: Source
    renames: tuple[Rename, ...] = ()
    ignored: tuple[str, ...] = ()
    rearrange: Callable[[Arrays], Arrays] = dict


@dataclass(frozen=True)
class Model:
    """A network of the registry.

    Attributes:
      architecture: Name of the network in the literature; a factor of the study.
      goal: Training objective; ``random`` for an untrained network.
      environment: Training images; ``none`` for an untrained network.
      trunk: Exact variant of the architecture, a key of ``backbones.ARCHITECTURES``. Only networks
        of one trunk differ in nothing but their weights.
      preprocessing: Preprocessing that the weights expect.
      parameters: Number of parameters of the convolutional part, without the moments of batch
        norms.
      conversions: Sources of its weights, the preferred one first; empty for an untrained network.
      top1: Top-1 accuracy on ImageNet-1k after supervised training, in percent.
      linear_probe: The same for a linear classifier on the frozen features.
      accuracy_source: Source of ``top1`` and ``linear_probe``.
      epochs: Number of passes over the training images; 0 for an untrained network, None if no
        source states it.
      training_resolution: Height and width in pixels of the images that the network was trained
        with, the largest if there are several sizes; None if no source states it.
      recipe: Code and settings of the training, in a word: who trained it, and how.
      seed: Seed of an untrained network's parameters.
      calibrated: Whether an untrained network's normalisations fit the references of a dataset; see
        ``calibration``.
      in_study: Whether it belongs to the grid of 46.
    """

    architecture: str
    goal: str
    environment: str
    trunk: str
    preprocessing: Preprocessing
    parameters: int
    conversions: tuple[Conversion, ...] = ()
    top1: float | None = None
    linear_probe: float | None = None
    accuracy_source: str = ""
    epochs: int | None = None
    training_resolution: int | None = None
    recipe: str = ""
    seed: int | None = None
    calibrated: bool = False
    in_study: bool = False

    @property
    def family(self) -> str:
        """Family of the architecture, such as ``vgg``."""
        return family(self.trunk)

    @property
    def depth(self) -> int:
        """Number of layers with weights on the longest path; see ``backbones.depths``."""
        return DEPTHS[self.trunk]

    @property
    def goal_family(self) -> str:
        """Kind of training objective, one of ``goals.GOAL_FAMILIES``."""
        return GOALS[self.goal].family

    @property
    def labels(self) -> str:
        """What people said of the training images, such as ``classes``, or ``none``."""
        return GOALS[self.goal].labels

    @property
    def luminance_only(self) -> bool:
        """Whether the network is shown images without colour."""
        return len(self.preprocessing.mean) == 1


@dataclass(frozen=True)
class PublishedRelevance:
    """Channel weights published for a model.

    Attributes:
      model: Name of the model whose channels are weighted.
      layers: Weighted layers; the target names of the conversions.
      conversions: Sources of the weights, the preferred one first.
      terms: Number of weights per channel. A layer's weights have the shape ``[channels]`` for one
        term, otherwise ``[terms, channels]``.
    """

    model: str
    layers: tuple[str, ...]
    conversions: tuple[Conversion, ...]
    terms: int = 1

    def shape(self, channels: int) -> tuple[int, ...]:
        """Shape of a layer's weights."""
        return (channels,) if self.terms == 1 else (self.terms, channels)
