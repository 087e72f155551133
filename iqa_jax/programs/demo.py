"""Builds the demo dataset from photographs that come with scikit-image.

Example:
  iqa demo --data_dir=demo/data

Five photographs, each with five distortions at five levels. There are no human scores: the target
is the level.
"""

from dataclasses import dataclass

from iqa_jax.programs.settings import ProgramSettings


@dataclass(frozen=True, kw_only=True)
class DemoSettings(ProgramSettings):
    """Location of the demo dataset.

    Attributes:
      data_dir: Folder to create.
    """

    data_dir: str


def main(settings: DemoSettings) -> None:
    """Builds the dataset and prints its location."""
    from etils import epath  # noqa: PLC0415  not needed for the help

    from iqa_jax.datasets.adapters import demo  # noqa: PLC0415

    folder = epath.Path(settings.data_dir)
    is_new = demo.build(folder)
    print(f"{folder}: {'built' if is_new else 'already there'}")
