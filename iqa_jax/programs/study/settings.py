"""Settings of a study."""

from dataclasses import dataclass, field

from iqa_jax.programs.settings import ProgramSettings


@dataclass(frozen=True, kw_only=True)
class StudySettings(ProgramSettings):
    """The study.

    Attributes:
      results: Folders that iqa evaluate wrote, and for learned relevance those of iqa train. Runs
        of one dataset are joined; a run with --resize=factor:0.5 tests whether a verdict depends on
        the size of the images.
      output_dir: Folder for the tables, the document, the page and the figures.
      readout: Read-out of the confirmatory claims. Default: the first of l2, rmse, unit that the
        results have; all others are exploratory.
      margin: Difference of Spearman's correlations that counts as none. Choose it before you look.
    """

    results: tuple[str, ...]
    output_dir: str
    readout: str | None = None
    margin: float = field(default=0.02, metadata={"at_least": 1e-6})
