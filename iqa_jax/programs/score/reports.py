"""Reports about a finished table of scores."""

from etils import epath

from iqa_jax.files import check_writable, write_text
from iqa_jax.programs.score.finished import FinishedTable
from iqa_jax.programs.score.junit import junit_xml
from iqa_jax.programs.score.limits import parse_limits
from iqa_jax.programs.score.settings import ReportSettings


def check_reports(settings: ReportSettings) -> None:
    """Makes sure, before anything is computed, that the reports can be written.

    Raises:
      OSError: If a report cannot be written where it is wanted.
    """
    for name in filter(None, (settings.html, settings.junit)):
        check_writable(epath.Path(name))


def write_reports(
    table: FinishedTable, settings: ReportSettings, *, maps_dir: str | None = None
) -> int:
    """Writes the reports that the settings name.

    Args:
      table: The scores.
      settings: The reports.
      maps_dir: Folder of the maps; None if there are none.

    Returns:
      Number of pairs beyond a limit.
    """
    limits = parse_limits(settings.fail_beyond, table.directions)
    if settings.junit:
        _write(settings.junit, junit_xml(table.rows(), limits))
    if settings.html:
        from iqa_jax.programs.score.page import scores_page  # noqa: PLC0415  loads SciPy

        text = scores_page(table, limits, epath.Path(settings.html), maps_dir)
        _write(settings.html, text)
    if not limits:
        return 0
    return sum(
        any(limit.is_exceeded(row.values[limit.metric]) for limit in limits) for row in table.rows()
    )


def _write(name: str, text: str) -> None:
    path = epath.Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, text)
    print(f"Written: {path}")
