"""Builds the demo dataset from photographs that come with scikit-image.

Example:
  iqa demo --data_dir=demo/data

Five photographs, five distortions at five levels. No human scores: the target is the level.
"""

from absl import flags
from etils import epath

from iqa_jax.datasets.adapters import demo

DATA_DIR = flags.DEFINE_string("data_dir", None, "Folder to be made.", required=True)


def main() -> None:
    """Builds the dataset."""
    folder = epath.Path(DATA_DIR.value)
    is_new = demo.build(folder)
    print(f"{folder}: {'built' if is_new else 'already there'}")
