"""The flags of the programs that compute something of a dataset."""

from typing import Any

from absl import flags

from iqa_jax.datasets import DATASETS, DIRECTIONS

DATASET = flags.DEFINE_string("dataset", None, f"The dataset: {', '.join(DATASETS)}.")
DATA_DIR = flags.DEFINE_string(
    "data_dir",
    None,
    "Folder of the dataset in its official layout. For csv: the file, with the columns "
    "reference,distorted,score and, if known, score_std,distortion,level,reference_id; image paths "
    "are relative to it.",
)
TFDS_DIR = flags.DEFINE_string(
    "tfds_dir", None, "Instead of --data_dir: where scripts/build_dataset.py stored the dataset."
)
SCORE_DIRECTION = flags.DEFINE_enum(
    "score_direction",
    None,
    DIRECTIONS,
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

SELECTION = (SCORE_DIRECTION, EXCLUDE_REFERENCES, ALLOW_PARTIAL, LIMIT)
"""What is said of a dataset beside its name and place."""


def values() -> dict[str, Any]:
    """What the flags say, by the names of ``DatasetSettings``."""
    return {
        "dataset": DATASET.value,
        "data_dir": DATA_DIR.value,
        "tfds_dir": TFDS_DIR.value,
        "score_direction": SCORE_DIRECTION.value,
        "exclude_references": tuple(EXCLUDE_REFERENCES.value),
        "allow_partial": ALLOW_PARTIAL.value,
        "limit": LIMIT.value,
    }
