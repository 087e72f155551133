"""Lists all networks, or with --metrics the metrics, or with --manifest the sources of weights.

Example:
  iqa models
  iqa models --metrics
"""

from dataclasses import dataclass

from iqa_jax.errors import InputError
from iqa_jax.programs.settings import ProgramSettings


@dataclass(frozen=True, kw_only=True)
class ModelsSettings(ProgramSettings):
    """Form of the list.

    Attributes:
      manifest: Print the sources of all weights as JSON.
      metrics: List the metrics with their directions, ranges, speeds and publications.
    """

    manifest: bool = False
    metrics: bool = False


def main(settings: ModelsSettings) -> None:
    """Prints the list.

    Raises:
      InputError: If both are asked for.
    """
    if settings.manifest and settings.metrics:
        raise InputError("expected manifest or metrics, got both")
    if settings.metrics:
        from iqa_jax.metrics import listing  # noqa: PLC0415  not needed for the help

        print(listing.table(), end="")
        return
    from iqa_jax.zoo.listing import manifest, table  # noqa: PLC0415  not needed for the help

    print(manifest() if settings.manifest else table(), end="")
