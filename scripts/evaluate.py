"""Correlates image distances with human scores: every layer of pretrained networks, any metric.

Example:
  python scripts/evaluate.py --dataset=tid2013 --data_dir=tid2013 --models=vgg16 --output_dir=out

Prints a table and writes into --output_dir: correlations.csv (a row for each distance), the same by
distortion, level and reference, scores.csv (a row for each pair), run.json (what was run, on what,
how fast) and correlation_by_layer.png; for forced choices forced_choice.csv in the place of
correlations. Run again with the same flags, a killed run continues where it was; these files are
those of the last run.
"""

import dataset_flags
import program
from absl import flags
from etils import epath

from iqa_jax import outputs, plots, zoo
from iqa_jax.evaluate import Settings, evaluate
from iqa_jax.metrics import list_metrics, parse_metrics
from iqa_jax.readouts import READOUTS
from iqa_jax.report import report

OUTPUT_DIR = flags.DEFINE_string("output_dir", None, "Folder for the results.", required=True)
MODELS = flags.DEFINE_list(
    "models",
    [],
    "Models whose layers are evaluated, such as alexnet,vgg16; python -m iqa_jax.zoo lists all. "
    "'@study46' stands for the 46 of the study, FILE.py:NAME for a backbone function of your own.",
)
LAYERS = flags.DEFINE_list(
    "layers",
    ["all"],
    "Layers of the models, and concatenations of them joined by +; 'all' is every single layer, "
    "'cumulative' the first n layers joined, for every n.",
)
READOUT_NAMES = flags.DEFINE_list(
    "readouts",
    ["l2", "unit"],
    f"Read-outs of each layer: {', '.join(READOUTS)}; with channel weights READOUT@RELEVANCE, such "
    "as unit@lpips-vgg.",
)
METRICS = flags.DEFINE_list(
    "metrics",
    [],
    f"Metrics that join the tables: {', '.join(list_metrics())}, and any read-out "
    "MODEL/LAYER[+LAYER...]/READOUT[@RELEVANCE].",
)
STATISTICS_DIR = flags.DEFINE_string(
    "statistics_dir",
    None,
    "Where the statistics of layers are kept: those that are missing are extracted, and any other "
    "read-out is then a matter of seconds. The read-outs balanced and normalized need it.",
)
SCORES_CSV = flags.DEFINE_string(
    "scores_csv",
    None,
    "Distances of another tool that join the tables: a CSV with the column distorted and a column "
    "for each of them. They are taken to grow with the difference.",
)
BOOTSTRAP = flags.DEFINE_integer(
    "bootstrap",
    None,
    "Resamples of the references, such as 1000, for 95 % intervals of the correlations.",
    lower_bound=1,
)

flags.mark_flag_as_required("dataset")
flags.adopt_module_key_flags(dataset_flags)
flags.adopt_module_key_flags(program)


def main() -> None:
    """Evaluates what the flags ask for."""
    _refuse_idle()
    settings = Settings(
        output_dir=OUTPUT_DIR.value,
        models=tuple(zoo.expand_models(MODELS.value)),
        layers=tuple(LAYERS.value),
        readouts=tuple(READOUT_NAMES.value),
        metrics=tuple(METRICS.value),
        statistics_dir=STATISTICS_DIR.value,
        scores_csv=SCORES_CSV.value,
        bootstrap=BOOTSTRAP.value,
        **dataset_flags.values(),
        **program.model_values(),
    )
    evaluation = evaluate(settings)
    folder = epath.Path(settings.output_dir)
    written = outputs.write(evaluation, folder)
    plots.correlation_by_layer(evaluation, folder / "correlation_by_layer.png")
    print(report(evaluation))
    print(f"\nWritten: {folder}/{{{','.join([*written, 'correlation_by_layer.png'])}}}")


def _refuse_idle() -> None:
    if not MODELS.value:
        program.refuse_idle(LAYERS, READOUT_NAMES, reason="where no model is named; add --models")
        if not any(metric.readout for metric in parse_metrics(METRICS.value)):
            program.refuse_idle(
                *(STATISTICS_DIR, program.PRECISION),
                reason="where no network is run; add --models, or metrics that have one",
            )


if __name__ == "__main__":
    program.run(main)
