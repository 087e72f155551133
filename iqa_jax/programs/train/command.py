"""Learns which channels of a network matter to people, and tests that on new images.

Example:
  iqa train --statistics_dir=st --model=vgg16 --name=mine --output_dir=out
  iqa train --dataset=csv --data_dir=ratings.csv --model=alexnet --export=mine.safetensors \
    --output_dir=out

Stores a relevance in --checkpoints_dir, which every program takes as READOUT@NAME, or exports it
to a file that can be handed on, READOUT@FILE.safetensors, with --export; and writes into
--output_dir: report.txt and report.csv (uniform, learned and published weights by fold and overall,
with intervals), folds.csv, relevance.csv (the weights), run.json and shares.png. The statistics
come from iqa extract, or are extracted first if --dataset and --data_dir are given. Without
--data_dir, --dataset names one of several datasets in --statistics_dir, by the name under which it
is stored (for csv the name of the file, without its suffix).
"""

from iqa_jax.errors import InputError
from iqa_jax.programs.train.settings import TrainSettings


def main(settings: TrainSettings) -> None:
    """Learns a relevance, prints the report and the folders of the results."""
    from iqa_jax.programs.train.training import train_relevance  # noqa: PLC0415  loads Matplotlib
    from iqa_jax.weights.checkpoints import resolve_directory  # noqa: PLC0415

    if settings.images and not settings.dataset:
        raise InputError("expected --dataset as well, which says how the folder is read")
    learned = train_relevance(settings)
    print(learned.report)
    places = [settings.export] if settings.export else []
    if settings.name:
        places.insert(0, str(resolve_directory(settings.checkpoints_dir) / settings.name))
    print(f"\nWritten: {settings.output_dir}, and the relevance {' and '.join(places)}")
