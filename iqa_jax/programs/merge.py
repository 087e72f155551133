"""Joins the scores that several processes of iqa score have put into a folder.

Example:
  iqa merge --output=results/scores
  iqa merge --output=results/scores --fail_beyond=ssim:0.9 --html=worst.html --images_dir=pictures

The last process to finish does this by itself. If shards are missing, they are named together with
the processes that have claimed them. Nothing is removed.
"""

from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from iqa_jax.errors import InputError
from iqa_jax.programs.score import findings
from iqa_jax.programs.score.settings import ReportSettings
from iqa_jax.programs.settings import Idle
from iqa_jax.text import counted

if TYPE_CHECKING:
    from etils import epath

    from iqa_jax.images.sources import ImageFolder
    from iqa_jax.programs.score.finished import FinishedTable

STATUSES = findings.STATUSES
"""Exit statuses of this program, in addition to the common ones."""


@dataclass(frozen=True, kw_only=True)
class MergeSettings(ReportSettings):
    """The folder.

    Attributes:
      output: Folder that the processes fill: the --output of iqa score.
      images_dir: Folder that the names of the images are relative to, for the page: that of the
        lists of pairs, or the folder in which iqa score ran if it was given images or folders.
        Default: the page has no images.
    """

    output: str
    images_dir: str | None = None

    def idle(self) -> Idle:
        """The folder of images where there is no page."""
        if not self.html:
            yield ("images_dir",), "where no page is written; add --html"


def main(settings: MergeSettings) -> int:
    """Writes the table of all shards, and reports about it.

    Returns:
      The exit status, which says whether every pair was scored and within the limits.

    Raises:
      InputError: If a shard is missing, damaged or of another run, or a report cannot be made.
      OSError: If a report cannot be written; they are tried first.
    """
    from etils import epath  # noqa: PLC0415  not needed for the help

    from iqa_jax.programs.score.finished import FinishedTable  # noqa: PLC0415  loads NumPy
    from iqa_jax.programs.score.limits import parse_limits  # noqa: PLC0415  loads NumPy
    from iqa_jax.programs.score.reports import check_reports, write_reports  # noqa: PLC0415  loads NumPy
    from iqa_jax.programs.score.shard_folder import ShardFolder  # noqa: PLC0415  loads JAX

    folder = ShardFolder(epath.Path(settings.output))
    folder.open()
    if not folder.directions and (settings.html or settings.junit or settings.fail_beyond):
        raise InputError(f"{folder.path}: has no scores of iqa score, which reports are about")
    parse_limits(settings.fail_beyond, folder.directions)
    check_reports(settings)
    merged = folder.merge()
    print(f"Written: {merged.path}, {counted(merged.pairs, 'pairs')}")
    table = FinishedTable(merged.path, folder.directions)
    if settings.images_dir:
        table = replace(table, images=_images(table, epath.Path(settings.images_dir)))
    found = findings.Findings(merged.failed, write_reports(table, settings))
    return found.ended("merge", settings.fail_beyond)


def _images(table: "FinishedTable", path: "epath.Path") -> "ImageFolder":
    """The images in a folder, if the first that was scored is there."""
    from iqa_jax.images.sources import ImageFolder  # noqa: PLC0415  loads NumPy

    images = ImageFolder(path)
    with closing(table.rows()) as rows:
        first = next((row.reference for row in rows if not row.error), None)
    if first and not images.file(first).exists():
        raise InputError(
            f"--images_dir: there is no {images.file(first)}; expected the folder that the names "
            "of the images are relative to"
        )
    return images
