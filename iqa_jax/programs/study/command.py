"""Tests the claims of two papers on what people see in networks, on the results of evaluations.

Example:
  iqa study --results=results/tid2013,results/kadid10k --output_dir=results/study

Needs no images and no network. Prints a verdict for each claim and writes into --output_dir:
study_claims.csv (a row for each claim and dataset), study_contrasts.csv (the comparisons behind
them), study_models.csv (every quantity of every network), study_pseudovalues.npz (to test another
comparison), study.md, study.html (one page for any browser, in which a verdict leads to its
comparisons and these to their networks), the same tables as LaTeX, and figures. A claim that cannot
be tested stays in the table with the reason. Needs the extra study: pip install 'jax-iqa[study]'.
"""

from iqa_jax.programs.study.settings import StudySettings


def main(settings: StudySettings) -> None:
    """Tests the claims, prints the verdicts and writes the files."""
    from etils import epath  # noqa: PLC0415  the help needs none of these

    from iqa_jax.programs.study import output  # noqa: PLC0415
    from iqa_jax.programs.study.markdown import summary  # noqa: PLC0415
    from iqa_jax.study.whole import run_study  # noqa: PLC0415

    study = run_study(
        [epath.Path(each) for each in settings.results],
        readout=settings.readout,
        margin=settings.margin,
    )
    folder = epath.Path(settings.output_dir)
    written = output.write(study, settings, folder)
    print(summary(study))
    print(f"\nWritten: {folder}/{{{','.join(written)}}}")
