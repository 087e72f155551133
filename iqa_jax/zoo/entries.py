"""What the registry says of a network, its weights and where they come from."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from iqa_jax.bibliography import citation_text
from iqa_jax.images.preprocess import Preprocessing
from iqa_jax.weights.conversion import Rename
from iqa_jax.weights.download import UrlFile
from iqa_jax.weights.packages import PackageFile

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Source:
    """A foreign checkpoint file.

    Attributes:
      file: Where it is found.
      sha256: Of the whole file; its first digits where the publisher tells no more; empty where
        nobody tells it.
      licence: As its publisher states it.
      publications: Keys of the publications to cite for the weights; see
        ``iqa_jax.bibliography``.
      note: Who distributes or converted the weights, where that is not their author.
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
    """How arrays are taken out of a foreign checkpoint.

    Attributes:
      source: The checkpoint.
      renames: From its names to ours, applied in order.
      ignored: Regular expressions of the names, after renaming, that are not wanted.
      rearrange: From the arrays of the file to those that are renamed, where they are cut or joined
        otherwise; arrays that it does not know pass.
    """

    source: Source
    renames: tuple[Rename, ...] = ()
    ignored: tuple[str, ...] = ()
    rearrange: Callable[[Arrays], Arrays] = dict


@dataclass(frozen=True)
class Model:
    """A network of the registry.

    Attributes:
      architecture: The factor: what the literature calls the network.
      goal: What it was trained for; ``random`` for nothing.
      environment: The images that it was trained on; ``none`` for a network that saw none.
      trunk: Key of ``backbones.ARCHITECTURES``: the exact shape.
      preprocessing: What the weights expect.
      parameters: Number of parameters of the convolutional part, without stored moments.
      conversions: Where its weights come from, the preferred file first; empty for an untrained
        network.
      top1: Top-1 accuracy in percent on ImageNet-1k by supervised training.
      linear_probe: The same of a linear classifier on the frozen features.
      accuracy_source: Who measured ``top1`` or ``linear_probe``.
      seed: Of an untrained network's parameters.
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
    seed: int | None = None
    in_study: bool = False


@dataclass(frozen=True)
class PublishedRelevance:
    """Channel weights that were published for a model.

    Attributes:
      model: Whose channels they weigh.
      layers: The layers weighed; the target names of the conversions.
      conversions: Where they come from, the preferred file first.
      terms: How many weights each channel has; those of a layer are ``[channels]`` for one, else
        ``[terms, channels]``.
    """

    model: str
    layers: tuple[str, ...]
    conversions: tuple[Conversion, ...]
    terms: int = 1

    def shape(self, channels: int) -> tuple[int, ...]:
        """That of the weights of a layer."""
        return (channels,) if self.terms == 1 else (self.terms, channels)
