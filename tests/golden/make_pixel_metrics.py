"""Freezes the values of the pixel metrics by their definitions: ``pixel_metrics.json``.

Run it in an environment with scipy, scikit-image and piq (which needs torch and torchvision):

    PYTHONPATH=tests python -m golden.make_pixel_metrics

The values are those of the plain formulas in float64, with two-dimensional filters from SciPy.
Where scikit-image and piq have the same definition, they must give the same value; where they do
not, the largest difference is recorded.
"""

import json
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import piq
import scipy
import skimage
import torch
from golden import pixel_pairs
from scipy import ndimage
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

FILE = Path(__file__).parent / "pixel_metrics.json"

_SCALE_WEIGHTS = np.array([0.0448, 0.2856, 0.3001, 0.2363, 0.1333])
_LEAST_FOR_FIVE_SCALES = 161
_SAME = 1e-9
"""Maximum difference of two implementations of the same definition, in float64."""


def gray(image):
    """MATLAB's rgb2gray: the first row of the inverse of the matrix from YIQ to RGB."""
    yiq_to_rgb = [[1.0, 0.956, 0.621], [1.0, -0.272, -0.647], [1.0, -1.106, 1.703]]
    return np.floor(image @ np.linalg.inv(yiq_to_rgb)[0] + 0.5)


def window():
    """The two-dimensional Gaussian window."""
    y, x = np.mgrid[-5:6, -5:6]
    weights = np.exp(-(x**2 + y**2) / (2 * 1.5**2))
    return weights / weights.sum()


def halved(plane, factor=2):
    """Every factor-th pixel after a box filter with a mirrored border, as in MATLAB's imfilter."""
    box = np.full((factor, factor), 1 / factor**2)
    origin = -1 if factor % 2 == 0 else 0
    return ndimage.correlate(plane, box, mode="reflect", origin=origin)[::factor, ::factor]


def factors(reference, distorted):
    """Luminance and contrast-structure terms at each position."""

    def mean(x):
        return ndimage.correlate(x, window())[5:-5, 5:-5]

    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    r, d = mean(reference), mean(distorted)
    variances = mean(reference**2) - r**2 + mean(distorted**2) - d**2
    covariance = mean(reference * distorted) - r * d
    return (2 * r * d + c1) / (r**2 + d**2 + c1), (2 * covariance + c2) / (variances + c2)


def ssim(reference, distorted):
    """SSIM of two planes."""
    luminance, contrast_structure = factors(reference, distorted)
    return (luminance * contrast_structure).mean()


def ms_ssim(reference, distorted):
    """MS-SSIM of two planes."""
    similarities = []
    for scale in range(5):
        luminance, contrast_structure = factors(reference, distorted)
        similarity = luminance * contrast_structure if scale == 4 else contrast_structure
        similarities.append(max(similarity.mean(), 0))
        reference, distorted = halved(reference), halved(distorted)
    return np.prod(similarities**_SCALE_WEIGHTS)


def psnr(reference, distorted):
    """PSNR in decibels."""
    error = np.mean((reference - distorted) ** 2)
    return min(100.0, 10 * np.log10(255**2 / error)) if error else 100.0


def downsampling(plane):
    """The factor in the authors' script; MATLAB rounds halves up."""
    return max(1, int(np.floor(min(plane.shape) / 256 + 0.5)))


def is_divisible(plane, divisor):
    """Whether both sides are divisible by ``divisor``."""
    return all(length % divisor == 0 for length in plane.shape)


def channel_mean(metric, reference, distorted):
    """Mean of a metric of two planes over the channels of two images."""
    return np.mean([metric(reference[..., c], distorted[..., c]) for c in range(3)])


def scores(reference, distorted):
    """Scores of all metrics that are defined for the size."""
    r, d = gray(reference), gray(distorted)
    factor = downsampling(r)
    found = {"psnr": psnr(reference, distorted)}
    found["ssim:wang2004"] = ssim(r, d)
    found["ssim:matlab"] = ssim(halved(r, factor), halved(d, factor))
    found["ssim:rgb"] = channel_mean(ssim, reference, distorted)
    if min(r.shape) >= _LEAST_FOR_FIVE_SCALES:
        found["ms-ssim:wang2003"] = ms_ssim(r, d)
        found["ms-ssim:rgb"] = channel_mean(ms_ssim, reference, distorted)
    return {name: float(score) for name, score in found.items()}


def peers(reference, distorted):
    """Yields (name, metric, score, whether the definitions agree) of other implementations."""
    r, d = gray(reference), gray(distorted)
    options = {
        "gaussian_weights": True,
        "sigma": 1.5,
        "use_sample_covariance": False,
        "data_range": 255,
    }
    decibels = peak_signal_noise_ratio(reference, distorted, data_range=255)
    yield "scikit-image psnr", "psnr", decibels, True
    yield "scikit-image ssim", "ssim:wang2004", structural_similarity(r, d, **options), True
    of_rgb = structural_similarity(reference, distorted, channel_axis=-1, **options)
    yield "scikit-image ssim", "ssim:rgb", of_rgb, True
    gray_pair = [torch.from_numpy(x)[None, None] for x in (r, d)]
    pair = [torch.from_numpy(x).permute(2, 0, 1)[None] for x in (reference, distorted)]
    # piq adds 1e-8 to the error, halves 640 / 256 to 2 and lets boxes start at the border.
    yield "piq psnr", "psnr", float(piq.psnr(*pair, data_range=255)), False
    for name, planes in (("wang2004", gray_pair), ("rgb", pair)):
        alone = piq.ssim(*planes, data_range=255, downsample=False)
        yield "piq ssim", f"ssim:{name}", float(alone), True
    viewed = piq.ssim(*gray_pair, data_range=255, downsample=True)
    is_same = downsampling(r) == 1 or (downsampling(r) == 2 and is_divisible(r, 2))
    yield "piq ssim, downsample", "ssim:matlab", float(viewed), is_same
    if min(r.shape) >= _LEAST_FOR_FIVE_SCALES:
        for name, planes in (("wang2003", gray_pair), ("rgb", pair)):
            scales = piq.multi_scale_ssim(*planes, data_range=255)
            yield "piq ms-ssim", f"ms-ssim:{name}", float(scales), is_divisible(r, 16)


def main():
    """Writes the file."""
    frozen, largest = {}, {True: defaultdict(float), False: defaultdict(float)}
    for name in pixel_pairs.PAIRS:
        pair = [image.astype(np.float64) for image in pixel_pairs.pair(name)]
        frozen[name] = scores(*pair)
        for what, metric, score, is_same in peers(*pair):
            difference = abs(score - frozen[name][metric])
            print(f"{name}: {what} for {metric}: {difference:.2g}, defined alike: {is_same}")
            if is_same and not difference < _SAME:
                raise ValueError(f"{name}: {what} is {score}, {metric} {frozen[name][metric]}")
            key = f"{what} for {metric}"
            largest[is_same][key] = max(largest[is_same][key], difference)
    origin = {
        "script": "tests/golden/make_pixel_metrics.py",
        "versions": {
            "python": sys.version.split()[0],
            **{module.__name__: module.__version__ for module in (np, scipy, skimage, torch, piq)},
        },
        "largest_difference_where_defined_alike": dict(largest[True]),
        "largest_difference_where_defined_otherwise": dict(largest[False]),
    }
    FILE.write_text(json.dumps({"origin": origin, "scores": frozen}, indent=2) + "\n")


if __name__ == "__main__":
    main()
