"""Joins the scores that several processes of iqa score have put into a folder.

Example:
  iqa merge --output=results/scores

The last process to finish does this by itself. If shards are missing, they are named together with
the processes that have claimed them. Nothing is removed.
"""

from dataclasses import dataclass

from iqa_jax.programs.settings import ProgramSettings
from iqa_jax.text import counted


@dataclass(frozen=True, kw_only=True)
class MergeSettings(ProgramSettings):
    """The folder.

    Attributes:
      output: Folder that the processes fill: the --output of iqa score.
    """

    output: str


def main(settings: MergeSettings) -> None:
    """Writes the table of all shards.

    Raises:
      InputError: If a shard is missing, damaged or of another run.
    """
    from etils import epath  # noqa: PLC0415  not needed for the help

    from iqa_jax.programs.score.shard_folder import ShardFolder  # noqa: PLC0415  loads JAX

    folder = ShardFolder(epath.Path(settings.output))
    folder.open()
    merged = folder.merge()
    failed = f", of which {merged.failed} could not be scored in full" if merged.failed else ""
    print(f"Written: {merged.path}, {counted(merged.pairs, 'pairs')}{failed}")
