"""The columns of the tables: what a score is, which way it counts, and what it has seen."""

from dataclasses import dataclass

HIGHER, LOWER = "higher", "lower"


@dataclass(frozen=True)
class Column:
    """A score and where it stands in the tables.

    Attributes:
      name: Name in the tables.
      model: Name of the model; a metric stands here under its own name, without a layer, and the
        read-outs of ``input``, which is the same of every model, as ``pixels``.
      layer: Name of the layer, or of several joined by ``+``.
      layer_index: Position of a single layer, 0 for ``input``.
      relative_depth: The same from 0 to 1, which is the last layer.
      readout: Name of the read-out with its relevance.
      cumulative_depth: Relative depth of the last of the layers, where they are the first ones of
        the model without a gap.
      higher_is_better: Whether the score is a similarity; else a distance.
      is_direction_known: Whether the direction is that of a known metric; else it was assumed, and
        the user may name the other one.
      overlap: Why it is tested on what it was learned from, a sentence; empty where it is not, as
        far as is known.
      transductive_readout: The read-out that compares with a mean over the pairs that it is tested
        on; empty where there is none.
    """

    name: str
    model: str
    layer: str = ""
    layer_index: int | None = None
    relative_depth: float | None = None
    readout: str = ""
    cumulative_depth: float | None = None
    higher_is_better: bool = False
    is_direction_known: bool = True
    overlap: str = ""
    transductive_readout: str = ""

    @property
    def place(self) -> tuple[str, str, str]:
        """Names of the model, the layer and the read-out."""
        return self.model, self.layer, self.readout

    @property
    def direction(self) -> str:
        """Whether ``higher`` or ``lower`` scores mean that the images are more alike."""
        return HIGHER if self.higher_is_better else LOWER

    @property
    def is_in_sample(self) -> bool:
        """Whether it is tested on what it was learned from."""
        return bool(self.overlap)

    @property
    def is_transductive(self) -> bool:
        """Whether it compares with a mean over the pairs that it is tested on."""
        return bool(self.transductive_readout)
