"""Correlates image distances with human scores: every layer of pretrained networks, any metric.

Example:
  iqa evaluate --dataset=tid2013 --data_dir=tid2013 --models=vgg16 --output_dir=out

Prints a table and writes into --output_dir: correlations.csv (a row for each distance), the same by
distortion, level and reference, scores.csv (a row for each pair), run.json (what was run, on what,
how fast) and correlation_by_layer.png; with --layers_from also chosen_layers.csv; for forced
choices forced_choice.csv in the place of correlations. Run again with the same flags, a killed run
continues where it was; these files are those of the last run.
"""

from absl import flags
from etils import epath

from iqa_jax import zoo
from iqa_jax.metrics import list_metrics, parse_metrics
from iqa_jax.programs import dataset_flags, interval_flags
from iqa_jax.programs import flags as program
from iqa_jax.programs.evaluate import figure, tables
from iqa_jax.programs.evaluate.evaluation import Settings, evaluate
from iqa_jax.programs.evaluate.report import report_text
from iqa_jax.readouts import READOUTS

OUTPUT_DIR = flags.DEFINE_string("output_dir", None, "Folder for the results.", required=True)
MODELS = flags.DEFINE_list(
    "models",
    [],
    "Models whose layers are evaluated, such as alexnet,vgg16; iqa models lists all. "
    "'@study46' stands for the 46 of the study, FILE.py:NAME for a backbone function of your own.",
)
LAYERS = flags.DEFINE_list(
    "layers",
    ["all"],
    "Layers of the models, and concatenations of them joined by +; 'all' is every single layer, "
    "'cumulative' the first n layers joined, for every n. 'input', the pixels, is a baseline: one "
    "row for all models.",
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
NORMALISER_FROM = flags.DEFINE_string(
    "normaliser_from",
    None,
    "Statistics of another dataset, made in the same way: balanced and normalized compare with its "
    "means. Default: with those of the dataset that is evaluated, and such rows are marked "
    "transductive.",
)
SCORES_CSV = flags.DEFINE_string(
    "scores_csv",
    None,
    "Scores of another tool that join the tables: a CSV with the column distorted and a column for "
    "each of them. One with the name of a metric has its direction, the others are taken to grow "
    "with the difference; see --joined_direction.",
)
JOINED_DIRECTION = flags.DEFINE_multi_string(
    "joined_direction",
    [],
    "Which scores of a column of --scores_csv mean that images are more alike, such as vif=higher; "
    "several with commas between them, or the flag several times.",
)
LAYERS_FROM = flags.DEFINE_string(
    "layers_from",
    None,
    "Where the best layer of each model and read-out is chosen, so that it has an interval: folder "
    "of an earlier evaluation of another dataset, or 'split' (half of the references, by a hash of "
    "their names, choose; the others score).",
)

flags.mark_flag_as_required("dataset")
flags.adopt_module_key_flags(dataset_flags)
flags.adopt_module_key_flags(interval_flags)
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
        normaliser_from=NORMALISER_FROM.value,
        scores_csv=SCORES_CSV.value,
        joined_direction=tuple(text for each in JOINED_DIRECTION.value for text in each.split(",")),
        layers_from=LAYERS_FROM.value,
        **dataset_flags.values(),
        **interval_flags.values(),
        **program.model_values(),
    )
    evaluation = evaluate(settings)
    folder = epath.Path(settings.output_dir)
    written = tables.write(evaluation, folder)
    figure.correlation_by_layer(evaluation, folder / "correlation_by_layer.png")
    print(report_text(evaluation))
    print(f"\nWritten: {folder}/{{{','.join([*written, 'correlation_by_layer.png'])}}}")


def _refuse_idle() -> None:
    if not MODELS.value:
        program.refuse_idle(LAYERS, READOUT_NAMES, reason="where no model is named; add --models")
        if not any(metric.readout for metric in parse_metrics(METRICS.value)):
            program.refuse_idle(
                *(STATISTICS_DIR, program.PRECISION),
                reason="where no network is run; add --models, or metrics that have one",
            )
