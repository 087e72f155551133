"""Correlates image distances with human scores: every layer of pretrained networks, any metric.

Example:
  iqa evaluate --dataset=tid2013 --data_dir=tid2013 --models=vgg16 --output_dir=out
  iqa evaluate --like=out --dataset=kadid10k --data_dir=kadid10k --output_dir=out_kadid10k

Prints a table and writes into --output_dir: correlations.csv (a row for each distance), the same by
distortion, level and reference, scores.csv (a row for each pair), run.json (settings, data, devices
and speed) and correlation_by_layer.png; with --layers_from also chosen_layers.csv; for forced
choices forced_choice.csv instead of correlations. With the same flags a killed run continues where
it stopped; the files are those of the last run. Several processes with the same command line share
the work, and the last one writes the files. --like repeats an earlier run with the flags that are
given changed.
"""

from dataclasses import replace

from iqa_jax.programs.evaluate.settings import EvaluateSettings


def main(settings: EvaluateSettings) -> None:
    """Evaluates, prints the report and writes the tables and the figure."""
    from etils import epath  # noqa: PLC0415  the help needs none of these

    from iqa_jax.programs.evaluate import tables  # noqa: PLC0415
    from iqa_jax.programs.evaluate.evaluation import evaluate  # noqa: PLC0415
    from iqa_jax.programs.evaluate.group_scores import LeftToOthers  # noqa: PLC0415
    from iqa_jax.programs.evaluate.report import report_text  # noqa: PLC0415
    from iqa_jax.zoo import expand_models  # noqa: PLC0415

    settings = replace(settings, models=tuple(expand_models(settings.models)))
    folder = epath.Path(settings.output_dir or "")
    tables.check_folder(folder)
    try:
        evaluation = evaluate(settings)
    except LeftToOthers as left:
        print(f"{left}; the last of them writes {folder}")
        return
    written = tables.write(evaluation, folder)
    print(report_text(evaluation))
    print(f"\nWritten: {folder}/{{{','.join(written)}}}")
