"""Compares our metrics with well-known implementations, on random images of odd sizes.

Example:
  pip install torch torchvision lpips piq scikit-image flip-evaluator
  python scripts/benchmarks/parity.py

PyTorch's `lpips` (with the converted weights in it), scikit-image (PSNR, and SSIM on the valid
region), `piq` (SSIM, MS-SSIM at sizes that its padding does not change, MS-GMSD, MDSI, VIF; and
GMSD and HaarPSI, whose divisor and chroma differ from the authors' scripts), NVIDIA's
`flip-evaluator`, and the program `ssimulacra2` (built from github.com/cloudinary/ssimulacra2) if it
is on the PATH; its recursive filter rounds more than ours. NLPD is in none of them: its authors'
scores are in `tests/golden/nlpd.json`. Prints the largest relative difference of each; needs the
weights of AlexNet and VGG-16 (iqa fetch).
"""

# These are not dependencies of the package.
# pyright: reportMissingImports=false

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
from iqa_jax import load_metric
from iqa_jax.programs import running
from iqa_jax.programs.settings import ModelSettings
from iqa_jax.text import aligned
from iqa_jax.zoo import load_backbone

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
    header = ("metric", "peer", "pairs", "largest relative difference")
    print("\n".join(aligned(header, rows, text_columns=2)))


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
