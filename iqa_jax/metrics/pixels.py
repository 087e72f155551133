"""Metrics that compare pixels, by name. They need no network and no weights."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax

from iqa_jax.errors import InputError
from iqa_jax.metrics import ms_ssim, psnr, ssim


@dataclass(frozen=True)
class PixelMetric:
    """A metric of one pair of images ``[H, W, 3]``, in two steps.

    Attributes:
      prepare: From one image, float32 in [0, 1], to what is compared, any pytree; done once for a
        reference with many versions.
      compare: From what was prepared of reference and distorted image to the score, a float32.
      compare_maps: Likewise to local scores ``[h, w]``, whose mean is the score; None if there are
        none.
      best: The score of identical images.
      higher_is_better: The direction.
      least_size: The least height and width.
      map_margin: How many positions at each side of the image are not in the map.
    """

    prepare: Callable[[jax.Array], Any]
    compare: Callable[[Any, Any], jax.Array]
    compare_maps: Callable[[Any, Any], jax.Array] | None
    best: float
    higher_is_better: bool
    least_size: int
    map_margin: int = 0

    def __call__(self, reference: jax.Array, distorted: jax.Array) -> jax.Array:
        """The score of a pair of images."""
        return self.compare(self.prepare(reference), self.prepare(distorted))

    def check_size(self, height: int, width: int) -> None:
        """Refuses images that are too small (:class:`InputError`)."""
        least = self.least_size
        if min(height, width) < least:
            raise InputError(
                f"expected images of at least {least}x{least} pixels, got {height}x{width}"
            )


def _ssim(planes: Callable[[jax.Array], jax.Array]) -> PixelMetric:
    return PixelMetric(
        prepare=lambda image: ssim.prepare(planes(image)),
        compare=ssim.compare,
        compare_maps=ssim.compare_maps,
        best=1.0,
        higher_is_better=True,
        least_size=ssim.WINDOW_SIZE,
        map_margin=ssim.WINDOW_SIZE // 2,
    )


def _ms_ssim(planes: Callable[[jax.Array], jax.Array]) -> PixelMetric:
    return PixelMetric(
        prepare=lambda image: ms_ssim.prepare(planes(image)),
        compare=ms_ssim.compare,
        compare_maps=None,
        best=1.0,
        higher_is_better=True,
        least_size=ms_ssim.LEAST_SIZE,
    )


_PSNR = PixelMetric(
    prepare=psnr.prepare,
    compare=psnr.compare,
    compare_maps=None,
    best=psnr.HIGHEST_DECIBELS,
    higher_is_better=True,
    least_size=1,
)
_SSIM = {f"ssim:{preset}": _ssim(planes) for preset, planes in ssim.PRESETS.items()}
_MS_SSIM = {f"ms-ssim:{preset}": _ms_ssim(planes) for preset, planes in ms_ssim.PRESETS.items()}

FULL_NAMES: Mapping[str, str] = {"ssim": "ssim:wang2004", "ms-ssim": "ms-ssim:wang2003"}
"""A plain name means the preset that was published first."""

_ALL = {"psnr": _PSNR, **_SSIM, **_MS_SSIM}
PIXEL_METRICS: Mapping[str, PixelMetric] = {
    "psnr": _PSNR,
    **{plain: _ALL[full] for plain, full in FULL_NAMES.items()},
    **_ALL,
}
"""By name; a preset stands after a colon."""
