r"""Runs networks over a dataset once and stores the statistics of their layers.

Example:
  iqa extract --dataset=csiq --data_dir=csiq --models=vgg16 \
    --statistics_dir=statistics

From them iqa evaluate and iqa train give any read-out in seconds, without the network. A
killed run continues where it was; statistics and layers that are asked for later are added.
"""

from absl import flags

from iqa_jax import zoo
from iqa_jax.programs import dataset_flags
from iqa_jax.programs import flags as program
from iqa_jax.programs.extract.extraction import Settings, extract
from iqa_jax.readouts.statistics import STATISTICS

MODELS = flags.DEFINE_list(
    "models",
    None,
    "Models, such as alexnet,vgg16; iqa models lists all. '@study46' stands for the 46 "
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

flags.mark_flag_as_required("dataset")
flags.adopt_module_key_flags(dataset_flags)
flags.adopt_module_key_flags(program)


def main() -> None:
    """Extracts what the flags ask for."""
    settings = Settings(
        statistics_dir=STATISTICS_DIR.value,
        models=tuple(zoo.expand_models(MODELS.value)),
        layers=tuple(LAYERS.value),
        statistics=tuple(STATISTIC_NAMES.value),
        **dataset_flags.values(),
        **program.model_values(),
    )
    for extracted in extract(settings):
        store, speed = extracted.store, extracted.pairs_per_second
        how = f"{speed:.2f} pairs/s" if speed else "all there already"
        print(f"{store.path}: {len(store.table.pairs)} pairs, {len(store.layers)} layers, {how}")
