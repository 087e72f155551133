"""Makes one HTML page of an evaluation: tables, plots, and the images themselves.

Example:
  iqa report --results=results/tid2013 --output=results/tid2013.html

The page needs no server and no network. Its tables can be sorted and searched; any column can be
plotted against the human scores or another column, coloured by distortion; a click on a point shows
the reference and the distorted image side by side, under a slider or blinking, with the map of a
metric if --maps_dir has one. It lists the pairs on which two columns, or a column and people,
disagree most, and shows the agreement within each distortion at each depth of a network.
"""

from iqa_jax.programs.report.settings import ReportSettings


def main(settings: ReportSettings) -> None:
    """Writes the page, and prints how large it is and under which licence its images are."""
    from iqa_jax.programs.report.from_results import write_report  # noqa: PLC0415  loads SciPy

    print("\n".join(write_report(settings)))
