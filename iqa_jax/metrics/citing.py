"""Publications to cite for metrics and read-outs."""

from collections.abc import Mapping

from iqa_jax.metrics.registry import parse_metric
from iqa_jax.zoo.citing import model_publications, relevance_publications

Uses = dict[str, tuple[str, ...]]
"""Description of something that was used -> keys of its publications."""

_PIXEL_METRICS: Mapping[str, tuple[str, ...]] = {
    "psnr": (),
    "ssim": ("wang2004image",),
    "ms-ssim": ("wang2003multiscale",),
    "gmsd": ("xue2014gradient",),
    "ms-gmsd": ("zhang2017gradient",),
    "haarpsi": ("reisenhofer2018haar",),
    "mdsi": ("nafchi2016mean",),
    "nlpd": ("laparra2016perceptual",),
    "vif": ("sheikh2006image",),
    "fsim": ("zhang2011fsim", "kovesi1999image"),
    "fsimc": ("zhang2011fsim", "kovesi1999image"),
    "vsi": ("zhang2014vsi", "zhang2013sdsp"),
    "iw-ssim": ("wang2011information",),
    "flip": ("andersson2020flip",),
    "ssimulacra2": ("sneyers2022ssimulacra",),
}
"""Publications by name of the metric, without its preset."""

READOUT_PUBLICATIONS: Mapping[str, tuple[str, ...]] = {
    "unit": ("zhang2018unreasonable",),
    "unit_root": ("zhang2018unreasonable",),
    "gram": ("gatys2015texture",),
    "structure_texture": ("ding2022image",),
    "wasserstein": ("liao2022deepwsd",),
    "wasserstein_16": ("liao2022deepwsd",),
    "distance_correlation": ("zhu2022deepdc",),
}
"""Publications of the read-outs that have one; the others are plain distances."""


def pixel_publications(name: str) -> tuple[str, ...]:
    """The publications to cite for a metric of pixels, whatever its preset."""
    return _PIXEL_METRICS[name.partition(":")[0]]


def uses_of(name: str) -> Uses:
    """The parts of a metric, and the publications to cite for each.

    Args:
      name: Name of a metric, or a read-out ``MODEL/LAYER[+LAYER...]/READOUT[@RELEVANCE]``.

    Raises:
      InputError: If there is no such metric or model.
    """
    readout = parse_metric(name).readout
    if readout is None:
        return {f"metric {name}": pixel_publications(name)}
    uses = {
        f"network {readout.model}": model_publications(readout.model),
        f"read-out {readout.readout}": READOUT_PUBLICATIONS.get(readout.readout, ()),
    }
    if readout.relevance:
        uses[f"relevance {readout.relevance}"] = relevance_publications(readout.relevance)
    return uses
