"""Learns which channels of a network matter to people, and what that is worth on new images.

Example:
  python scripts/train_relevance.py --statistics_dir=st --model=vgg16 --name=mine --output_dir=out

Stores a relevance that every program takes as READOUT@NAME below --checkpoints_dir, and writes into
--output_dir: report.txt and report.csv (uniform, learned and published weights by fold and overall,
with intervals), folds.csv, relevance.csv (the weights), run.json and shares.png. The statistics
come from extract_statistics.py, or are extracted first if --dataset and --data_dir are given.
"""

import program
from absl import flags
from etils import epath

from iqa_jax.datasets import DATASETS
from iqa_jax.errors import InputError
from iqa_jax.relevance import FORMS, LOSSES, Options, Recipe, Scheme, Settings, train_relevance

STATISTICS_DIR = flags.DEFINE_string(
    "statistics_dir",
    None,
    "Where the statistics are, as written by extract_statistics.py; with --data_dir where they go. "
    "Default then: OUTPUT_DIR/statistics.",
)
DATASET = flags.DEFINE_enum(
    "dataset",
    None,
    sorted(DATASETS),
    "The dataset: of the images in --data_dir, or, if --statistics_dir has several, of the "
    "statistics.",
)
DATA_DIR = flags.DEFINE_string(
    "data_dir", None, "Folder of the dataset in its official layout; for csv the file."
)
MODEL = flags.DEFINE_string(
    "model", None, "The model; python -m iqa_jax.zoo lists all.", required=True
)
LAYERS = flags.DEFINE_list(
    "layers",
    [],
    "Layers whose channels are weighed together, or 'all' that the statistics have but input. "
    "Default: the layers of LPIPS if it uses the model, else all.",
)
READOUT = flags.DEFINE_enum("readout", "unit", list(FORMS), "The read-out that is weighed.")
LOSS = flags.DEFINE_enum(
    "loss",
    "pearson",
    list(LOSSES),
    "What is minimised: pearson or spearman (correlation with the scores over all pairs), or "
    "ranking (which of two versions of a reference people prefer, as LPIPS was trained; from "
    "scores by Thurstone's model).",
)
FOLDS = flags.DEFINE_integer(
    "folds", Scheme.folds, "Parts of the references; each is tested once.", lower_bound=2
)
SEEDS = flags.DEFINE_integer(
    "seeds",
    Scheme.seeds,
    "Runs of each fold and strength, each with other references for validation; weights are their "
    "mean.",
    lower_bound=1,
)
STRENGTHS = flags.DEFINE_list(
    "strengths",
    [f"{strength:g}" for strength in Scheme.strengths],
    "Strengths of the pull towards equal weights, mean((w - 1)^2), of which validation chooses.",
)
SPARSITY = flags.DEFINE_float(
    "sparsity",
    Recipe.sparsity,
    "Strength of the pull towards few channels, ||w||_1 / ||w||_2 / sqrt(channels).",
    lower_bound=0.0,
)
MOST_STEPS = flags.DEFINE_integer(
    "most_steps", Recipe.most_steps, "Steps after which a run ends at the latest.", lower_bound=1
)
TEST_STATISTICS_DIR = flags.DEFINE_string(
    "test_statistics_dir",
    None,
    "Where the statistics of the same model on another dataset are, to which the relevance is "
    "transferred.",
)
TEST_DATASET = flags.DEFINE_enum(
    "test_dataset",
    None,
    sorted(DATASETS),
    "The other dataset, if --test_statistics_dir has several.",
)
BOOTSTRAP = flags.DEFINE_integer(
    "bootstrap", Options.resamples, "Resamples of the references for the intervals.", lower_bound=1
)
NAME = flags.DEFINE_string(
    "name", None, "What the relevance is to be called; one of that name is replaced.", required=True
)
OUTPUT_DIR = flags.DEFINE_string("output_dir", None, "Folder for the results.", required=True)
SCORE_DIRECTION = flags.DEFINE_enum(
    "score_direction",
    None,
    ["higher", "lower"],
    "For csv: whether higher or lower human scores are better. Default: higher.",
)
EXCLUDE_REFERENCES = flags.DEFINE_list(
    "exclude_references",
    [],
    "With --data_dir: contents to leave out by their reference_id, such as I25.",
)
ALLOW_PARTIAL = flags.DEFINE_bool(
    "allow_partial", False, "With --data_dir: use a copy that is not whole, as in evaluate.py."
)

flags.adopt_module_key_flags(program)


def main() -> None:
    """Learns what the flags ask for."""
    learned = train_relevance(
        Settings(
            model=MODEL.value,
            name=NAME.value,
            output_dir=OUTPUT_DIR.value,
            statistics_dir=STATISTICS_DIR.value,
            dataset=DATASET.value,
            data_dir=DATA_DIR.value,
            layers=tuple(LAYERS.value),
            readout=READOUT.value,
            test_statistics_dir=TEST_STATISTICS_DIR.value,
            test_dataset=TEST_DATASET.value,
            recipe=Recipe(loss=LOSS.value, sparsity=SPARSITY.value, most_steps=MOST_STEPS.value),
            scheme=Scheme(folds=FOLDS.value, seeds=SEEDS.value, strengths=_strengths()),
            options=Options(resamples=BOOTSTRAP.value),
            score_direction=SCORE_DIRECTION.value,
            exclude_references=tuple(EXCLUDE_REFERENCES.value),
            allow_partial=ALLOW_PARTIAL.value,
            checkpoints_dir=program.CHECKPOINTS_DIR.value,
            precision=program.PRECISION.value,
            resize=program.RESIZE.value,
            versions=program.versions(),
        )
    )
    print(learned.report)
    print(f"\nWritten: {epath.Path(OUTPUT_DIR.value)}, and the relevance {learned.checkpoint}")


def _strengths() -> tuple[float, ...]:
    try:
        return tuple(map(float, STRENGTHS.value))
    except ValueError:
        raise InputError(
            f"--strengths: expected numbers, got {','.join(STRENGTHS.value)}"
        ) from None


if __name__ == "__main__":
    program.run(main)
