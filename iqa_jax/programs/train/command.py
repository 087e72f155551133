"""Learns which channels of a network matter to people, and what that is worth on new images.

Example:
  iqa train --statistics_dir=st --model=vgg16 --name=mine --output_dir=out

Stores a relevance that every program takes as READOUT@NAME below --checkpoints_dir, and writes into
--output_dir: report.txt and report.csv (uniform, learned and published weights by fold and overall,
with intervals), folds.csv, relevance.csv (the weights), run.json and shares.png. The statistics
come from iqa extract, or are extracted first if --dataset and --data_dir are given;
without the latter, --dataset says of which of several datasets in --statistics_dir they are, by the
name that they are stored under (of csv that of the file, without its suffix).
"""

from absl import flags
from etils import epath

from iqa_jax.errors import InputError
from iqa_jax.programs import dataset_flags, interval_flags
from iqa_jax.programs import flags as program
from iqa_jax.programs.settings import DatasetSettings
from iqa_jax.programs.train.training import Settings, train_relevance
from iqa_jax.relevance import FORMS, LOSSES, Recipe, Scheme

STATISTICS_DIR = flags.DEFINE_string(
    "statistics_dir",
    None,
    "Where the statistics are, as written by iqa extract; with --data_dir where they go. "
    "Default then: OUTPUT_DIR/statistics.",
)
MODEL = flags.DEFINE_string("model", None, "The model; iqa models lists all.", required=True)
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
TEST_DATASET = flags.DEFINE_string(
    "test_dataset",
    None,
    "The other dataset by the name that it is stored under, if --test_statistics_dir has several.",
)
NAME = flags.DEFINE_string(
    "name", None, "What the relevance is to be called; one of that name is replaced.", required=True
)
OUTPUT_DIR = flags.DEFINE_string("output_dir", None, "Folder for the results.", required=True)
flags.adopt_module_key_flags(dataset_flags)
flags.adopt_module_key_flags(interval_flags)
flags.adopt_module_key_flags(program)


def main() -> None:
    """Learns what the flags ask for."""
    _refuse_idle()
    learned = train_relevance(
        Settings(
            model=MODEL.value,
            name=NAME.value,
            output_dir=OUTPUT_DIR.value,
            statistics_dir=STATISTICS_DIR.value,
            dataset=dataset_flags.DATASET.value,
            images=_images(),
            layers=tuple(LAYERS.value),
            readout=READOUT.value,
            test_statistics_dir=TEST_STATISTICS_DIR.value,
            test_dataset=TEST_DATASET.value,
            recipe=Recipe(loss=LOSS.value, sparsity=SPARSITY.value, most_steps=MOST_STEPS.value),
            scheme=Scheme(folds=FOLDS.value, seeds=SEEDS.value, strengths=_strengths()),
            **interval_flags.values(),
            **program.model_values(),
        )
    )
    print(learned.report)
    print(f"\nWritten: {epath.Path(OUTPUT_DIR.value)}, and the relevance {learned.checkpoint}")


def _has_images() -> bool:
    return bool(dataset_flags.DATA_DIR.value or dataset_flags.TFDS_DIR.value)


def _refuse_idle() -> None:
    if not _has_images():
        program.refuse_idle(
            *dataset_flags.SELECTION,
            *(program.PRECISION, program.RESIZE, program.VERSIONS),
            reason="on statistics that are stored already; add --data_dir",
        )
    if not TEST_STATISTICS_DIR.value:
        program.refuse_idle(TEST_DATASET, reason="alone; add --test_statistics_dir")


def _images() -> DatasetSettings | None:
    """The dataset to extract statistics of, if it is given."""
    if not _has_images():
        return None
    if not dataset_flags.DATASET.value:
        raise InputError("expected --dataset, too, which says how the folder is read")
    return DatasetSettings(**dataset_flags.values())


def _strengths() -> tuple[float, ...]:
    try:
        return tuple(map(float, STRENGTHS.value))
    except ValueError:
        raise InputError(
            f"--strengths: expected numbers, got {','.join(STRENGTHS.value)}"
        ) from None
