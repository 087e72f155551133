"""Other implementations of our metrics, for ``parity.py``: functions of two ``uint8`` images."""

# They are not dependencies of the package.
# pyright: reportMissingImports=false

import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Callable, Mapping
from typing import Any
from unittest import mock

import flip_evaluator
import lpips
import numpy as np
import piq
import torch
import torchvision
from PIL import Image as PilImage
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from iqa_jax.backbones import Backbone
from iqa_jax.zoo import Relevance

Image = np.ndarray
Peer = Callable[[Image, Image], Any]

_WINDOW_MARGIN = 5
_LEAST_MS_SSIM, _MS_SSIM_STEP = 161, 16
_SHORT_SIDE = 256


def tensors(*images: Image) -> list[torch.Tensor]:
    """Images as float64 ``[1, 3, H, W]`` in [0, 255]."""
    return [torch.from_numpy(x.transpose(2, 0, 1)[None].astype(np.float64)) for x in images]


def _piq(function: Callable[..., Any], **options: Any) -> Peer:
    """A function of piq, which has the distorted image first."""
    return lambda r, d: function(*tensors(d, r), data_range=255, **options)


def _skimage_ssim(reference: Image, distorted: Image) -> float:
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    found: Any = structural_similarity(
        reference, distorted, data_range=255, channel_axis=-1, full=True, **options
    )
    inner = slice(_WINDOW_MARGIN, -_WINDOW_MARGIN)
    return found[1][inner, inner].mean()


def _piq_ms_ssim(reference: Image, distorted: Image) -> torch.Tensor | None:
    size = reference.shape[:2]
    if min(size) < _LEAST_MS_SSIM or any(length % _MS_SSIM_STEP for length in size):
        return None
    return piq.multi_scale_ssim(*tensors(reference, distorted), data_range=255)


def _piq_iw_ssim(reference: Image, distorted: Image) -> torch.Tensor | None:
    if min(reference.shape[:2]) < _LEAST_MS_SSIM:
        return None
    return piq.information_weighted_ssim(*tensors(distorted, reference), data_range=255)


def _flip(reference: Image, distorted: Image) -> float:
    pair = (x.astype(np.float32) / np.float32(255) for x in (reference, distorted))
    errors, *_ = flip_evaluator.evaluate(*pair, "LDR", applyMagma=False, computeMeanError=False)
    return float(np.mean(errors, dtype=np.float64))


def _ssimulacra2(reference: Image, distorted: Image) -> float | None:
    program = shutil.which("ssimulacra2")
    if program is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        paths = [f"{folder}/{name}.png" for name in ("reference", "distorted")]
        for path, image in zip(paths, (reference, distorted), strict=True):
            PilImage.fromarray(image).save(path)
        return float(subprocess.run([program, *paths], check=True, capture_output=True).stdout)


OF_PIXELS: Mapping[tuple[str, str], Peer] = {
    ("psnr", "scikit-image"): lambda r, d: peak_signal_noise_ratio(r, d, data_range=255),
    ("ssim:rgb", "scikit-image"): _skimage_ssim,
    ("ssim:rgb", "piq"): _piq(piq.ssim, downsample=False),
    ("ms-ssim:rgb", "piq"): _piq_ms_ssim,
    ("gmsd", "piq"): _piq(piq.gmsd),
    ("ms-gmsd", "piq"): _piq(piq.multi_scale_gmsd),
    ("haarpsi", "piq"): _piq(piq.haarpsi),
    ("mdsi", "piq"): _piq(piq.mdsi),
    ("vif", "piq"): _piq(piq.vif_p),
    ("fsim", "piq"): _piq(piq.fsim, chromatic=False),
    ("fsimc", "piq"): _piq(piq.fsim),
    ("vsi", "piq"): _piq(piq.vsi),
    ("iw-ssim", "piq"): _piq_iw_ssim,
    ("flip", "flip-evaluator"): _flip,
    ("ssimulacra2", "ssimulacra2"): _ssimulacra2,
}
"""Peers of the metrics of pixels by metric and name of the peer."""


class Lpips:
    """PyTorch's `lpips`, version 0.1, with its own linear layers and our network, in float64.

    Args:
      short: Its name of the network.
      backbone: Our network.
    """

    def __init__(self, short: str, backbone: Backbone):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._model = lpips.LPIPS(net=short, pnet_rand=True, verbose=False).eval().double()
        _fill(self._model.net, backbone, lambda name: name.partition(".")[2])  # slice1.0.weight

    @torch.no_grad()
    def __call__(self, reference: Image, distorted: Image) -> torch.Tensor:
        """Distance of two images."""
        return self._model(*(x / 127.5 - 1 for x in tensors(reference, distorted)))

    def weights(self) -> list[np.ndarray]:
        """Linear layers, one weight per channel."""
        return [layer.model[-1].weight.detach().numpy().ravel() for layer in self._model.lins]


class Dists:
    """piq's DISTS in float64, with our network and relevance.

    Args:
      backbone: Our VGG-16 with L2 poolings.
      relevance: Our relevance.
      is_resized: Whether images are resized by Pillow first, as in the paper.
    """

    def __init__(self, backbone: Backbone, relevance: Relevance, *, is_resized: bool = False):
        network = torchvision.models.vgg16()
        _fill(network.features, backbone, lambda name: name)
        rows = np.concatenate([np.asarray(each) for each in relevance.weights.values()], axis=1)
        rows = rows.astype(np.float64) / rows.sum(dtype=np.float64)
        texture, structure = (torch.from_numpy(row.copy())[None, :, None, None] for row in rows)
        loaded = {"alpha": texture, "beta": structure}
        with (
            mock.patch("piq.perceptual.vgg16", return_value=network),
            mock.patch("torch.hub.load_state_dict_from_url", return_value=loaded),
        ):
            self._model = piq.DISTS().double()
        self._is_resized = is_resized

    @torch.no_grad()
    def __call__(self, reference: Image, distorted: Image) -> torch.Tensor:
        """Distance of two images."""
        images = (reference, distorted)
        if self._is_resized and min(reference.shape[:2]) > _SHORT_SIDE:
            images = tuple(
                np.asarray(
                    torchvision.transforms.functional.resize(PilImage.fromarray(x), _SHORT_SIDE)
                )
                for x in images
            )
        # Without piq's own resizing, which is neither the authors' nor that of Pillow.
        pair = (x / 255 for x in tensors(*images))
        return 1 - piq.ContentLoss.forward(self._model, *pair)


def _fill(module: torch.nn.Module, backbone: Backbone, ours: Callable[[str], str]) -> None:
    for name, parameter in module.named_parameters():
        values = np.array(backbone.parameters[f"features.{ours(name)}".replace("weight", "kernel")])
        if values.ndim > 1:
            values = values.transpose(3, 2, 0, 1).copy()
        parameter.data = torch.from_numpy(values).double()
