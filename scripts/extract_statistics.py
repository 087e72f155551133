r"""Runs networks over a dataset once and stores the statistics of their layers.

Example:
  python scripts/extract_statistics.py --dataset=csiq --data_dir=csiq --models=vgg16 \
    --statistics_dir=statistics

From them evaluate.py and train_relevance.py give any read-out in seconds, without the network. A
killed run continues where it was; statistics and layers that are asked for later are added.
"""

import program
from absl import flags

from iqa_jax import zoo
from iqa_jax.datasets import DATASETS
from iqa_jax.extraction import Settings, extract
from iqa_jax.statistics import STATISTICS

DATASET = flags.DEFINE_enum("dataset", None, sorted(DATASETS), "The dataset.", required=True)
DATA_DIR = flags.DEFINE_string(
    "data_dir",
    None,
    "Folder of the dataset in its official layout; for csv the file, as for evaluate.py.",
)
TFDS_DIR = flags.DEFINE_string(
    "tfds_dir", None, "Instead of --data_dir: where scripts/build_dataset.py stored the dataset."
)
MODELS = flags.DEFINE_list(
    "models",
    None,
    "Models, such as alexnet,vgg16; python -m iqa_jax.zoo lists all. '@study46' stands for the 46 "
    "of the study, FILE.py:NAME for a backbone function of your own.",
    required=True,
)
STATISTIC_NAMES = flags.DEFINE_list(
    "statistics",
    ["squared_error", "unit_squared_error"],
    f"What is stored of each layer: {', '.join(STATISTICS)}; or 'all'. squared_error serves the "
    "read-outs l2, rmse, balanced and normalized, unit_squared_error unit and unit_root, either of "
    "them learning a relevance; the others serve the descriptors.",
)
LAYERS = flags.DEFINE_list("layers", ["all"], "Layers of the models, or 'all'.")
STATISTICS_DIR = flags.DEFINE_string(
    "statistics_dir",
    None,
    "Where the statistics go: STATISTICS_DIR/DATASET/MODEL. What is there is not computed again; "
    "what was made with other weights, precision, resize or data is refused.",
    required=True,
)
SCORE_DIRECTION = flags.DEFINE_enum(
    "score_direction",
    None,
    ["higher", "lower"],
    "For csv: whether higher or lower human scores are better. Default: higher.",
)
EXCLUDE_REFERENCES = flags.DEFINE_list(
    "exclude_references", [], "Contents to leave out by their reference_id, such as I25."
)
ALLOW_PARTIAL = flags.DEFINE_bool(
    "allow_partial",
    False,
    "Use a copy that is not whole: fewer pairs than published; pairs whose images are missing are "
    "left out.",
)
LIMIT = flags.DEFINE_integer("limit", None, "Use only the first pairs.", lower_bound=1)

flags.adopt_module_key_flags(program)


def main() -> None:
    """Extracts what the flags ask for."""
    settings = Settings(
        dataset=DATASET.value,
        data_dir=DATA_DIR.value,
        statistics_dir=STATISTICS_DIR.value,
        models=tuple(zoo.expand_models(MODELS.value)),
        layers=tuple(LAYERS.value),
        statistics=tuple(STATISTIC_NAMES.value),
        score_direction=SCORE_DIRECTION.value,
        exclude_references=tuple(EXCLUDE_REFERENCES.value),
        allow_partial=ALLOW_PARTIAL.value,
        limit=LIMIT.value,
        checkpoints_dir=program.CHECKPOINTS_DIR.value,
        precision=program.PRECISION.value,
        resize=program.RESIZE.value,
        versions=program.versions(),
        tfds_dir=TFDS_DIR.value,
    )
    for extracted in extract(settings):
        store, speed = extracted.store, extracted.pairs_per_second
        how = f"{speed:.2f} pairs/s" if speed else "all there already"
        print(f"{store.path}: {len(store.table.pairs)} pairs, {len(store.layers)} layers, {how}")


if __name__ == "__main__":
    program.run(main)
