"""What was found: pairs without scores and pairs beyond a limit, and the reports about them."""

from dataclasses import dataclass

from etils import epath

from iqa_jax.files import write_text
from iqa_jax.programs.score.junit import junit_xml
from iqa_jax.programs.score.limits import parse_limits
from iqa_jax.programs.score.scores import Scores
from iqa_jax.programs.score.settings import ScoreSettings


@dataclass(frozen=True)
class Findings:
    """Result of a scoring in two numbers.

    Attributes:
      failed: Number of pairs that could not be scored in full.
      beyond: Number of pairs beyond a limit.
    """

    failed: int
    beyond: int = 0


def report_findings(scores: Scores, settings: ScoreSettings) -> Findings:
    """Writes the reports that the settings name, and counts."""
    limits = parse_limits(settings.fail_beyond, settings.metrics)
    reports = {}
    if settings.junit:
        reports[settings.junit] = junit_xml(scores, limits)
    if settings.html:
        from iqa_jax.programs.score.page import scores_page  # noqa: PLC0415  loads SciPy

        output = epath.Path(settings.html)
        reports[settings.html] = scores_page(scores, limits, output, settings.maps_dir)
    for name, text in reports.items():
        path = epath.Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text)
        print(f"Written: {path}")
    rows = {
        int(row)
        for limit in limits
        for row in limit.exceeded(scores.values[limit.metric]).nonzero()[0]
    }
    return Findings(sum(map(bool, scores.errors)), len(rows))
