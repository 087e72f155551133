r"""Runs networks over a dataset once and stores the statistics of their layers.

Example:
  iqa extract --dataset=csiq --data_dir=csiq --models=vgg16 \
    --statistics_dir=statistics

From them iqa evaluate and iqa train compute any read-out in seconds, without the network. A killed
run continues where it stopped; statistics and layers requested later are added. Several processes
with the same command line share the work.
"""

from dataclasses import replace

from iqa_jax.programs.extract.settings import ExtractSettings
from iqa_jax.text import counted


def main(settings: ExtractSettings) -> None:
    """Extracts statistics and prints where they are."""
    from iqa_jax.programs.extract.extraction import extract  # noqa: PLC0415  loads JAX
    from iqa_jax.zoo import expand_models  # noqa: PLC0415

    settings = replace(settings, models=tuple(expand_models(settings.models)))
    for extracted in extract(settings):
        store, speed = extracted.store, extracted.pairs_per_second
        how = f"{speed:.2f} pairs/s" if speed else "all there already"
        size = f"{counted(len(store.table.pairs), 'pairs')}, {counted(len(store.layers), 'layers')}"
        left = f", {counted(extracted.left, 'shards')} left to others" if extracted.left else ""
        print(f"{store.path}: {size}, {how}{left}")
