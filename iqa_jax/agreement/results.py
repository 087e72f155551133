"""The agreement of each column with people, one row of results per column."""

from collections.abc import Sequence
from dataclasses import dataclass

from iqa_jax.agreement.columns import Column
from iqa_jax.agreement.correlation import Agreement
from iqa_jax.agreement.forced_choice import Subsets
from iqa_jax.agreement.groups import GroupAgreement, ReferenceAgreement


@dataclass(frozen=True)
class ColumnResult:
    """Agreement of one column with opinion scores.

    Attributes:
      column: The column.
      agreement: Agreement over all pairs.
      within: Agreement within references.
      groups: Agreement within each type and each level of distortion.
      plcc_interval: Ends of the interval of Pearson's correlation over references, NaN if it is
        undefined; None if no intervals are computed.
      srcc_interval: Ends of the interval of Spearman's correlation, in the same form.
    """

    column: Column
    agreement: Agreement
    within: ReferenceAgreement
    groups: Sequence[GroupAgreement] = ()
    plcc_interval: tuple[float, float] | None = None
    srcc_interval: tuple[float, float] | None = None

    @property
    def has_interval(self) -> bool:
        """Whether intervals of its correlations are computed."""
        return self.srcc_interval is not None


@dataclass(frozen=True)
class ForcedChoiceResult:
    """Agreement of one column with forced choices.

    Attributes:
      column: The column.
      subsets: Agreement with the choices in each subset of the dataset.
    """

    column: Column
    subsets: Subsets

    @property
    def has_interval(self) -> bool:
        """Whether the mean of the subsets has an interval."""
        return self.subsets.mean.interval is not None
