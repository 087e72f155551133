"""Verifies a copy of a dataset before its scores are trusted.

Example:
  iqa verify --dataset=tid2013 --data_dir=tid2013
  iqa verify --dataset=csv --data_dir=pairs.csv --output=report.json
  iqa verify --dataset=tid2013 --tfds_dir=tfds

Prints the contents of the dataset and the result of every check: rows, scores, missing and damaged
images, sizes, copies, and whether PSNR agrees with the direction of the scores. Notes do not count
as problems.
"""

from dataclasses import dataclass
from typing import Literal

from iqa_jax.programs.running import ExitStatus
from iqa_jax.programs.settings import NamedDataset

STATUSES = {
    ExitStatus.DONE: "no problem was found",
    ExitStatus.INPUT: "a problem was found, or a flag or the input is wrong",
}
"""Exit statuses of this program, instead of those of all."""


@dataclass(frozen=True, kw_only=True)
class VerifySettings(NamedDataset):
    """A copy of a dataset to verify.

    Attributes:
      data_dir: Folder of the dataset in its official layout. For csv: the file, with the columns
        reference,distorted,score; image paths are relative to it.
      tfds_dir: Folder in which iqa build stored the dataset, instead of data_dir.
      score_direction: For csv: whether higher or lower human scores are better. Default: higher.
      headers_only: Read only the headers of the images: quick, but damaged and identical images and
        the direction of the scores are not checked.
      output: JSON file to write as well, with all lists in full.
    """

    data_dir: str | None = None
    tfds_dir: str | None = None
    score_direction: Literal["higher", "lower"] | None = None
    headers_only: bool = False
    output: str | None = None


def main(settings: VerifySettings) -> int:
    """Verifies the dataset and prints the report.

    Returns:
      The exit status, which says whether a problem was found.
    """
    from etils import epath  # noqa: PLC0415  none of these is needed for the help

    from iqa_jax.datasets import load_dataset  # noqa: PLC0415
    from iqa_jax.files import check_writable, write_text  # noqa: PLC0415
    from iqa_jax.programs.verify.report import to_json, to_text  # noqa: PLC0415
    from iqa_jax.programs.verify.verification import verify  # noqa: PLC0415

    table = load_dataset(
        settings.dataset,
        data_dir=settings.data_dir,
        tfds_dir=settings.tfds_dir,
        allow_partial=True,
        score_direction=settings.score_direction,
    )
    output = epath.Path(settings.output) if settings.output else None
    if output:
        check_writable(output)
    verification = verify(table, headers_only=settings.headers_only)
    print(to_text(verification))
    if output:
        write_text(output, to_json(verification) + "\n")
    return ExitStatus.INPUT if verification.problems else ExitStatus.DONE
