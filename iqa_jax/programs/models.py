"""Lists all networks, or with --manifest the sources of their weights as JSON.

Example:
  iqa models
"""

from dataclasses import dataclass

from iqa_jax.programs.settings import ProgramSettings


@dataclass(frozen=True, kw_only=True)
class ModelsSettings(ProgramSettings):
    """Form of the list.

    Attributes:
      manifest: Print the sources of all weights as JSON.
    """

    manifest: bool = False


def main(settings: ModelsSettings) -> None:
    """Prints the list."""
    from iqa_jax.zoo.listing import manifest, table  # noqa: PLC0415  not needed for the help

    print(manifest() if settings.manifest else table(), end="")
