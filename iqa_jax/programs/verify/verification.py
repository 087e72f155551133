"""A dataset and the results of all checks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from iqa_jax.datasets.table import PairTable, fingerprint
from iqa_jax.images.decode import Header
from iqa_jax.programs.verify.checks import Check, Verdict, check_images, check_rows
from iqa_jax.programs.verify.direction import check_direction
from iqa_jax.programs.verify.examination import examine


@dataclass(frozen=True)
class Verification:
    """Contents of a copy of a dataset, and the checks.

    Attributes:
      table: The dataset.
      headers: Header of each image that can be read, by name.
      fingerprint: Fingerprint of names, sizes and scores; None if an image cannot be read.
      checks: Checks in the order of the report.
    """

    table: PairTable
    headers: Mapping[str, Header]
    fingerprint: str | None
    checks: Sequence[Check]

    @property
    def problems(self) -> list[Check]:
        """The checks that found a fault."""
        return [check for check in self.checks if check.verdict is Verdict.PROBLEM]


def verify(table: PairTable, *, headers_only: bool = False) -> Verification:
    """Checks every row and every image of a dataset.

    Args:
      table: The dataset as it is, read with ``allow_partial``.
      headers_only: Whether to skip decoding: quick, but damaged and identical images and the
        direction of the scores are left unchecked.

    Returns:
      The findings. Faults of the dataset are part of them, not errors.
    """
    examination = examine(table, headers_only=headers_only)
    found = examination.headers
    headers = {name: header for name, header in found.items() if isinstance(header, Header)}
    is_whole = len(headers) == len(found) and bool(table.pairs)
    return Verification(
        table=table,
        headers=headers,
        fingerprint=fingerprint(table, headers) if is_whole else None,
        checks=[
            *check_rows(table),
            *check_images(table, examination),
            check_direction(table, examination),
        ],
    )
