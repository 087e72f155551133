"""Evidence: all datasets at native and at half size, and what each says of a claim."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from iqa_jax.study.claims import Claim
from iqa_jax.study.findings import Finding, Untested
from iqa_jax.study.pseudovalues import MEASURES, PEARSON, SPEARMAN, Pseudovalues
from iqa_jax.study.quantities import View, layers_elsewhere
from iqa_jax.study.reading import Gain
from iqa_jax.study.results import Results

_HALF = "factor:0.5"

Findings = Mapping[str, Finding | Untested]
"""What a dataset says of a claim, by measure."""


@dataclass(frozen=True)
class Evidence:
    """All datasets with their pseudo-values.

    Attributes:
      native: Datasets at native size.
      half: The same at half size.
      gains: Gains of trainings.
      margin: Difference that counts as none.
    """

    native: Sequence[Pseudovalues]
    half: Sequence[Pseudovalues] = ()
    gains: Sequence[Gain] = ()
    margin: float = 0.02
    _views: dict[tuple[int, str, str], View] = field(default_factory=dict, repr=False)

    @classmethod
    def of_results(
        cls, results: Sequence[Results], gains: Sequence[Gain], margin: float
    ) -> "Evidence":
        """The evidence of some results.

        Args:
          results: Results of datasets, sizes and precisions; of several precisions the first.
          gains: Gains of trainings.
          margin: Difference that counts as none.
        """
        native: dict[str, Pseudovalues] = {}
        half: dict[str, Pseudovalues] = {}
        for each in results:
            of_size = {"": native, _HALF: half}.get(each.resize)
            if of_size is not None:
                of_size.setdefault(each.dataset, Pseudovalues(each))
        return cls([*native.values()], [*half.values()], gains, margin)

    def view(self, dataset: Pseudovalues, measure: str, readout: str) -> View:
        """The networks of a dataset; other sources of photographs choose the best layer.

        Args:
          dataset: The dataset.
          measure: One of ``pseudovalues.MEASURES``.
          readout: Name of the read-out.
        """
        key = id(dataset), measure, readout
        if key not in self._views:
            beside = self.half if any(each is dataset for each in self.half) else self.native
            others = [
                each.sample(measure)
                for each in beside
                if each.results.source != dataset.results.source
            ]
            elsewhere = layers_elsewhere(others) if others else None
            self._views[key] = View(dataset.sample(measure), readout, elsewhere)
        return self._views[key]

    def findings(self, claim: Claim, dataset: Pseudovalues, readout: str) -> Findings:
        """What a dataset says of a claim, by measure.

        Args:
          claim: The claim.
          dataset: The dataset.
          readout: Name of the read-out.
        """
        return {
            measure: claim.test(
                self.view(dataset, measure, readout), self.margin, **claim.arguments
            )
            for measure in MEASURES
        }

    def trained(self, claim: Claim) -> Findings:
        """What trainings say of a claim, by measure.

        Args:
          claim: The claim.
        """
        return {
            SPEARMAN: claim.test(self.gains, "srcc", self.margin),
            PEARSON: claim.test(self.gains, "plcc", self.margin),
        }
