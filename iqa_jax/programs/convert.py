"""Converts a checkpoint of your own for a network of the zoo.

Example:
  iqa convert --model=resnet50 --source=my_training.pth

The file may be in any format in which weights of that network are published (PyTorch, zip or
legacy, with its usual nestings; Caffe2, Keras, safetensors, npz). It takes the place of the
registered weights below --checkpoints_dir, and its provenance says so; iqa fetch brings
those back.
"""

from absl import flags
from etils import epath

from iqa_jax import zoo
from iqa_jax.programs import flags as program
from iqa_jax.weights.checkpoints import default_directory

MODEL = flags.DEFINE_string(
    "model", None, "Name of the network; iqa models lists all.", required=True
)
SOURCE = flags.DEFINE_string("source", None, "The checkpoint file.", required=True)

flags.declare_key_flag("checkpoints_dir")


def main() -> None:
    """Converts what the flags name."""
    directory = epath.Path(program.CHECKPOINTS_DIR.value or default_directory())
    name = zoo.convert_file(MODEL.value, epath.Path(SOURCE.value), directory=directory)
    print(f"{directory / name}: converted from {SOURCE.value}")
