"""Stores a dataset with TFDS in a few large files (ArrayRecord), without TensorFlow.

Example:
  iqa build --dataset=tid2013 --data_dir=tid2013 --tfds_dir=tfds
  iqa evaluate --dataset=tid2013 --tfds_dir=tfds --models=vgg16 --output_dir=out

The files of the images are kept as they are, each once: scores from --tfds_dir are bit-equal to
those from --data_dir. Every row is checked before anything is written, and the dataset appears in
--tfds_dir when it is whole.
"""

import sys

from absl import flags

from iqa_jax.datasets import DATASETS
from iqa_jax.datasets.tfds.builder import build

DATASET = flags.DEFINE_enum("dataset", None, sorted(DATASETS), "The dataset.", required=True)
DATA_DIR = flags.DEFINE_string(
    "data_dir",
    None,
    "Folder of the dataset in its official layout. For csv: the file, with the columns "
    "reference,distorted,score; image paths are relative to it.",
    required=True,
)
TFDS_DIR = flags.DEFINE_string(
    "tfds_dir", None, "Folder for this and other stored datasets.", required=True
)
ALLOW_PARTIAL = flags.DEFINE_bool(
    "allow_partial",
    False,
    "Store a copy that is not whole: fewer pairs than published; pairs whose images are missing "
    "are left out.",
)


def main() -> None:
    """Stores the dataset that the flags name."""
    built = build(DATASET.value, DATA_DIR.value, TFDS_DIR.value, allow_partial=ALLOW_PARTIAL.value)
    if built.pairs_left_out:
        note = "pairs whose images are missing are left out"
        print(f"{DATASET.value}: {built.pairs_left_out} {note}", file=sys.stderr)
    for folder in built.unfinished:
        note = "left by a build that was killed, or still runs; if none runs, delete it"
        print(f"{folder}: {note}", file=sys.stderr)
    state = "built" if built.is_new else "already there"
    print(f"{built.folder}: {state}, {built.pairs} pairs, {built.images} images")
