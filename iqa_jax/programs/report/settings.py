"""Settings of a report."""

from dataclasses import dataclass, field
from typing import Literal

from iqa_jax.programs.settings import Idle, ProgramSettings


@dataclass(frozen=True, kw_only=True)
class ReportSettings(ProgramSettings):
    """The report.

    Attributes:
      results: Folder that iqa evaluate wrote.
      output: HTML file to write; an earlier one is replaced.
      images: Images in the page: link refers to the files by relative path, so the page must not be
        moved alone; embed writes small JPEGs into it; none shows no images.
      most_megabytes: Size of the page up to which images are embedded: first those of the greatest
        disagreements, then the others in the order of the table.
      data_dir: Folder or file of the dataset, if it is no longer where iqa evaluate found it.
      maps_dir: Folder of pictures that iqa score --maps_dir made of the same pairs in the same
        order.
      columns: Columns whose scores are in the page. Default: the metrics, and the layers with the
        highest Spearman correlations, 40 in all. Tables of correlations always have all columns.
    """

    results: str
    output: str
    images: Literal["none", "link", "embed"] = "link"
    most_megabytes: float = field(default=20.0, metadata={"at_least": 1.0})
    data_dir: str | None = None
    maps_dir: str | None = None
    columns: tuple[str, ...] = ()

    def idle(self) -> Idle:
        """Settings of images where there are none."""
        if self.images != "embed":
            yield ("most_megabytes",), "where no images are embedded; add --images=embed"
        if self.images == "none":
            yield ("data_dir", "maps_dir"), "where no images are shown; leave out --images=none"
