"""The names of read-outs and their meaning."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Self

from iqa_jax.errors import InputError
from iqa_jax.readouts.formulas import READOUTS
from iqa_jax.text import do_you_mean


@dataclass(frozen=True)
class ReadoutName:
    """A read-out of layers of a model, written ``MODEL/LAYER[+LAYER...]/READOUT[@RELEVANCE]``.

    The relevance begins after the first ``/READOUT@`` and may be a path with any further ``/`` and
    ``@``.

    Attributes:
      model: Name of the backbone.
      layers: Names of its layers.
      readout: Key of :data:`READOUTS`.
      relevance: Name of a checkpoint with channel weights, or a file that ends in
        ``.safetensors``; None for weights of 1.
    """

    model: str
    layers: tuple[str, ...]
    readout: str
    relevance: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parses a name.

        Raises:
          InputError: If the text has another form or the read-out is unknown.
        """
        weighted = _WEIGHTED.match(text)
        head, at, relevance = (
            (weighted[1], "@", text[weighted.end() :]) if weighted else (text, "", "")
        )
        if not weighted and "@" in text and head.rpartition("/")[2] not in READOUTS:
            head, at, relevance = text.partition("@")  # a misspelt read-out before a path
        parts = head.rsplit("/", 2)
        if len(parts) != 3 or not all(parts):
            raise InputError(f"expected MODEL/LAYER[+LAYER...]/READOUT[@RELEVANCE], got {text!r}")
        model, layers, readout = parts
        return cls(model, parse_layers(layers), *parse_readout(f"{readout}{at}{relevance}"))

    @property
    def layer(self) -> str:
        """Names of the layers, joined by ``+``."""
        return "+".join(self.layers)

    @property
    def parts(self) -> tuple[Self, ...]:
        """The read-out of each layer alone."""
        return tuple(replace(self, layers=(layer,)) for layer in self.layers)

    @property
    def weighted_readout(self) -> str:
        """The read-out with its relevance, ``READOUT[@RELEVANCE]``."""
        return self.readout if self.relevance is None else f"{self.readout}@{self.relevance}"

    def __str__(self) -> str:
        return f"{self.model}/{self.layer}/{self.weighted_readout}"


_WEIGHTED = re.compile(rf"(.*?/(?:{'|'.join(READOUTS)}))@", re.DOTALL)


def has_relevance(text: str) -> bool:
    """Whether a text has the form ``.../READOUT@...``."""
    return _WEIGHTED.match(text) is not None


def parse_layers(text: str) -> tuple[str, ...]:
    """Parses ``LAYER[+LAYER...]``.

    Raises:
      InputError: If a name is empty or repeated.
    """
    layers = tuple(text.split("+"))
    if not all(layers) or len(set(layers)) < len(layers):
        raise InputError(f"expected different layers joined by +, got {text!r}")
    return layers


def parse_readout(text: str) -> tuple[str, str | None]:
    """Parses ``READOUT[@RELEVANCE]``.

    Raises:
      InputError: If the read-out is unknown, or no name follows the @.
    """
    readout, at, relevance = text.partition("@")
    if readout not in READOUTS:
        hint = do_you_mean(readout, READOUTS)
        raise InputError(
            f"there is no read-out {readout!r}; {hint}there are: {', '.join(READOUTS)}"
        )
    if at and not relevance:
        raise InputError(f"expected the name of a relevance after the @ of {text!r}")
    return readout, relevance or None


def needed_arrays(readouts: Iterable[ReadoutName]) -> list[tuple[str, str]]:
    """Layer and statistic of every array that read-outs of one model need, each once."""
    return list(
        dict.fromkeys(
            (layer, statistic)
            for readout in readouts
            for layer in readout.layers
            for statistic in READOUTS[readout.readout].statistics
        )
    )
