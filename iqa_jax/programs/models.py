"""Lists all networks, or with --metrics the metrics, or with --manifest the sources of weights.

Example:
  iqa models
  iqa models --metrics
  iqa models --format=csv > networks.csv
"""

from dataclasses import dataclass
from typing import Literal

from iqa_jax.errors import InputError
from iqa_jax.programs.settings import Idle, ProgramSettings


@dataclass(frozen=True, kw_only=True)
class ModelsSettings(ProgramSettings):
    """Form of the list.

    Attributes:
      format: Form of the list: a table for the terminal, or all facts about each network as
        comma-separated values (csv) or JSON.
      manifest: Print the sources of all weights as JSON.
      metrics: List the metrics with their directions, ranges, speeds and publications.
    """

    format: Literal["table", "csv", "json"] = "table"
    manifest: bool = False
    metrics: bool = False

    def idle(self) -> Idle:
        """Settings that have no effect alongside the others."""
        if self.manifest:
            yield ("format",), "--manifest prints JSON"
        if self.metrics:
            yield ("format",), "--metrics prints a table"


def main(settings: ModelsSettings) -> None:
    """Prints the list.

    Raises:
      InputError: If both are asked for.
    """
    if settings.manifest and settings.metrics:
        raise InputError("expected manifest or metrics, got both")
    if settings.metrics:
        from iqa_jax.metrics.listing import table  # noqa: PLC0415  not needed for the help

        print(table(), end="")
        return
    from iqa_jax.zoo import listing  # noqa: PLC0415  not needed for the help

    forms = {"table": listing.table, "csv": listing.as_csv, "json": listing.as_json}
    print((listing.manifest if settings.manifest else forms[settings.format])(), end="")
