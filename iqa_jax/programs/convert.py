"""Converts a checkpoint of your own for a network of the zoo.

Example:
  iqa convert --model=resnet50 --source=my_training.pth

The file may be in any format in which weights of that network are published (PyTorch, zip or
legacy, with its usual nestings; Caffe2, Keras, safetensors, npz). The result replaces the
registered weights in --checkpoints_dir, and its provenance says so; iqa fetch restores them.
"""

from dataclasses import dataclass

from iqa_jax.programs.settings import CheckpointSettings


@dataclass(frozen=True, kw_only=True)
class ConvertSettings(CheckpointSettings):
    """A checkpoint to convert.

    Attributes:
      model: Name of the network; iqa models lists all.
      source: The checkpoint file.
    """

    model: str
    source: str


def main(settings: ConvertSettings) -> None:
    """Converts a file and prints the location of the checkpoint."""
    from etils import epath  # noqa: PLC0415  none of these is needed for the help

    from iqa_jax import zoo  # noqa: PLC0415
    from iqa_jax.weights.checkpoints import resolve_directory  # noqa: PLC0415

    directory = resolve_directory(settings.checkpoints_dir)
    name = zoo.convert_file(settings.model, epath.Path(settings.source), directory=directory)
    print(f"{directory / name}: converted from {settings.source}")
