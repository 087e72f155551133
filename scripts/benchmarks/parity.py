"""Compares our metrics with well-known implementations, on random images of odd sizes.

Example:
  pip install torch torchvision lpips piq scikit-image flip-evaluator
  python scripts/benchmarks/parity.py

PyTorch's `lpips` (with the converted weights in it), scikit-image (PSNR, and SSIM on the valid
region), `piq` (SSIM, MS-SSIM at sizes that its padding does not change, MS-GMSD, MDSI, VIF; and
GMSD, HaarPSI, FSIM, VSI and IW-SSIM, in which it differs from the authors' scripts), NVIDIA's
`flip-evaluator`, and the program `ssimulacra2` (built from github.com/cloudinary/ssimulacra2) if it
is on the PATH; its recursive filter rounds more than ours. NLPD, DeepWSD and DeepDC are in none of
them. Scores by the authors' own programs are stored in `tests/golden`, those of DeepWSD and DeepDC
in `deep_distances.json`, the others in `{nlpd,gmsd,haarpsi,fsim,fsimc,vsi,iw-ssim}.json`, on the
pairs of `tests/golden/pixel_pairs.py`; the rows "authors" compare with the latter. Prints the
largest relative difference of each; needs the weights of AlexNet and VGG-16 (iqa fetch).
"""

# These are not dependencies of the package.
# pyright: reportMissingImports=false

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import flip_evaluator
import numpy as np
import peer_tools
import piq
import torch
from PIL import Image as PilImage
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from golden import pixel_pairs

from iqa_jax import load_metric
from iqa_jax.programs import running
from iqa_jax.programs.settings import ModelSettings
from iqa_jax.text import aligned
from iqa_jax.zoo import load_backbone

_STORED = ("nlpd", "gmsd", "haarpsi", "mdsi", "vif", "fsim", "fsimc", "vsi", "iw-ssim")
"""Metrics with stored scores by their authors' programs."""

_SIZES = ((65, 97), (256, 256), (384, 512))
_STRENGTHS = (2, 20, 80)
_WINDOW_MARGIN = 5
_LEAST_MS_SSIM, _MS_SSIM_STEP = 161, 16

Image = np.ndarray


def pairs() -> Iterator[tuple[Image, Image]]:
    """Random images with noise of several strengths, ``uint8`` [H, W, 3]."""
    rng = np.random.default_rng(0)
    for size in _SIZES:
        for strength in _STRENGTHS:
            reference = rng.integers(0, 256, (*size, 3)).astype(np.uint8)
            noisy = reference + rng.normal(0, strength, reference.shape)
            yield reference, np.clip(noisy, 0, 255).astype(np.uint8)


def main(settings: ModelSettings) -> None:
    """Prints a line for each metric and peer."""
    theirs = {
        ("psnr", "scikit-image"): lambda r, d: peak_signal_noise_ratio(r, d, data_range=255),
        ("ssim:rgb", "scikit-image"): _skimage_ssim,
        ("ssim:rgb", "piq"): lambda r, d: piq.ssim(
            *_tensors(r, d), data_range=255, downsample=False
        ),
        ("ms-ssim:rgb", "piq"): _piq_ms_ssim,
        ("gmsd", "piq"): lambda r, d: piq.gmsd(*_tensors(d, r), data_range=255),
        ("ms-gmsd", "piq"): lambda r, d: piq.multi_scale_gmsd(*_tensors(d, r), data_range=255),
        ("haarpsi", "piq"): lambda r, d: piq.haarpsi(*_tensors(d, r), data_range=255),
        ("mdsi", "piq"): lambda r, d: piq.mdsi(*_tensors(d, r), data_range=255),
        ("vif", "piq"): lambda r, d: piq.vif_p(*_tensors(d, r), data_range=255),
        ("fsim", "piq"): lambda r, d: piq.fsim(*_tensors(d, r), data_range=255, chromatic=False),
        ("fsimc", "piq"): lambda r, d: piq.fsim(*_tensors(d, r), data_range=255),
        ("vsi", "piq"): lambda r, d: piq.vsi(*_tensors(d, r), data_range=255),
        ("iw-ssim", "piq"): _piq_iw_ssim,
        ("flip", "flip-evaluator"): _flip,
        ("ssimulacra2", "ssimulacra2"): _ssimulacra2,
        ("lpips-alex", "lpips"): _Lpips("alexnet", settings),
        ("lpips-vgg", "lpips"): _Lpips("vgg16", settings),
    }
    rows = []
    for (name, peer), function in theirs.items():
        metric = load_metric(name, checkpoints_dir=settings.checkpoints_dir)
        differences = []
        for reference, distorted in pairs():
            expected = function(reference, distorted)
            if expected is not None:
                found = float(metric(reference[None], distorted[None])[0])
                differences.append(abs(found / float(expected) - 1))
        largest = f"{max(differences):.1e}" if differences else "-"
        rows.append((name, peer, str(len(differences)), largest))
    for name in _STORED:
        metric, scores = load_metric(name), _stored(name)
        differences = [
            abs(float(metric(*(x[None] for x in pixel_pairs.pair(pair)))[0]) / score - 1)
            for pair, score in scores.items()
        ]
        rows.append((name, "authors", str(len(scores)), f"{max(differences):.1e}"))
    header = ("metric", "peer", "pairs", "largest relative difference")
    print("\n".join(aligned(header, rows, text_columns=2)))


def _stored(name: str) -> dict[str, float]:
    """Scores by the authors' program, of the pairs that are computed from a seed."""
    scores = json.loads((Path(pixel_pairs.__file__).parent / f"{name}.json").read_text())["scores"]
    return {pair: score for pair, score in scores.items() if pair in pixel_pairs.PAIRS}


def _tensors(*images: Image) -> list[torch.Tensor]:
    return [torch.from_numpy(x.transpose(2, 0, 1)[None].astype(np.float64)) for x in images]


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
    return piq.multi_scale_ssim(*_tensors(reference, distorted), data_range=255)


def _piq_iw_ssim(reference: Image, distorted: Image) -> torch.Tensor | None:
    if min(reference.shape[:2]) < _LEAST_MS_SSIM:
        return None
    return piq.information_weighted_ssim(*_tensors(distorted, reference), data_range=255)


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


class _Lpips:
    def __init__(self, model: str, settings: ModelSettings):
        self._network = peer_tools.lpips_model(
            model, load_backbone(model, checkpoints_dir=settings.checkpoints_dir)
        )

    @torch.no_grad()
    def __call__(self, reference: Image, distorted: Image) -> torch.Tensor:
        tensors = (x.float() / 127.5 - 1 for x in _tensors(reference, distorted))
        return self._network(*tensors)


if __name__ == "__main__":
    sys.exit(running.run(Path(sys.argv[0]).name, sys.modules[__name__], sys.argv[1:]))
