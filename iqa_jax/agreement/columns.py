"""Columns of the tables: a score, its direction, and the data that it has already seen."""

from dataclasses import dataclass

HIGHER, LOWER = "higher", "lower"


@dataclass(frozen=True)
class Column:
    """A score and its place in the tables.

    Attributes:
      name: Name in the tables.
      model: Name of the model. A metric appears under its own name, without a layer; the read-outs
        of ``input``, which is the same for every model, appear as ``pixels``.
      layer: Name of the layer, or of several joined by ``+``.
      layer_index: Position of a single layer, 0 for ``input``.
      relative_depth: The same from 0 to 1, which is the last layer.
      readout: Name of the read-out with its relevance.
      cumulative_depth: Relative depth of the last of the layers, if they are the first ones of the
        model without a gap.
      higher_is_better: Whether the score is a similarity; otherwise it is a distance.
      is_direction_known: Whether the direction is that of a known metric; otherwise it was assumed,
        and the user may state the other one.
      overlap: Sentence that explains why it is tested on data it was learned from; empty if no such
        overlap is known.
      transductive_readout: Read-out that compares with a mean over the pairs it is tested on; empty
        if there is none.
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
        """Direction in which images are more alike: ``higher`` or ``lower`` scores."""
        return HIGHER if self.higher_is_better else LOWER

    @property
    def is_in_sample(self) -> bool:
        """Whether it is tested on data it was learned from."""
        return bool(self.overlap)

    @property
    def is_transductive(self) -> bool:
        """Whether it compares with a mean over the pairs it is tested on."""
        return bool(self.transductive_readout)
