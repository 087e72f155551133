"""Verifies a copy of a dataset before its scores are believed.

Example:
  iqa verify --dataset=tid2013 --data_dir=tid2013
  iqa verify --dataset=csv --data_dir=pairs.csv --output=report.json

Prints what the dataset holds and what every check says: rows, scores, missing and damaged images,
sizes, copies, and whether PSNR agrees with the direction of the scores. The exit status is 0 if no
problem was found, else 1; notes are no problems.
"""

import sys

from absl import flags
from etils import epath

from iqa_jax.datasets import DATASETS, DIRECTIONS, load_dataset
from iqa_jax.files import write_text
from iqa_jax.programs.verify import to_json, to_text, verify

DATASET = flags.DEFINE_enum("dataset", None, sorted(DATASETS), "The dataset.", required=True)
DATA_DIR = flags.DEFINE_string(
    "data_dir",
    None,
    "Folder of the dataset in its official layout. For csv: the file, with the columns "
    "reference,distorted,score; image paths are relative to it.",
    required=True,
)
SCORE_DIRECTION = flags.DEFINE_enum(
    "score_direction",
    None,
    DIRECTIONS,
    "For csv: whether higher or lower human scores are better. Default: higher.",
)
HEADERS_ONLY = flags.DEFINE_bool(
    "headers_only",
    False,
    "Read no further than the headers of the images: quick, but damaged and identical images and "
    "the direction of the scores are not checked.",
)
OUTPUT = flags.DEFINE_string(
    "output", None, "JSON file to write as well, in which no list is cut short."
)


def main() -> None:
    """Verifies the dataset that the flags name."""
    table = load_dataset(
        DATASET.value,
        DATA_DIR.value,
        allow_partial=True,
        score_direction=SCORE_DIRECTION.value,
    )
    verification = verify(table, headers_only=HEADERS_ONLY.value)
    print(to_text(verification))
    if OUTPUT.value:
        path = epath.Path(OUTPUT.value)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, to_json(verification) + "\n")
    if verification.problems:
        sys.exit(1)
