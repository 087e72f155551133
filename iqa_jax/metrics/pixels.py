"""Metrics that compare pixels, by name. They need no network and no weights."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import jax
import jax.numpy as jnp

from iqa_jax.images.preprocess import unit_range
from iqa_jax.metrics import ms_ssim, psnr, ssim
from iqa_jax.metrics.pair_function import PairFunction, Values
from iqa_jax.pytrees import register_pytree
from iqa_jax.readouts.safe import known_where
from iqa_jax.revisions import OF_EVERY_IMAGE, revisions_of


@dataclass(frozen=True)
class PixelMetric:
    """A metric of one pair of images ``[H, W, 3]``, in two steps.

    Attributes:
      prepare: Function from an image, float32 in [0, 1], to what is compared, any pytree; done once
        for a reference with many versions.
      compare: Function from the prepared reference and distorted image to the score, a float32.
      compare_maps: The same to local scores ``[h, w]``, whose mean is the score; None if there are
        none.
      best: Score of identical images.
      higher_is_better: Whether a higher score means more similar images.
      least_size: Least height and width.
      map_margin: Number of positions at each side of the image that are not in the map.
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


@register_pytree
@dataclass(frozen=True, eq=False)
class PixelScores(PairFunction):
    """Some of :data:`PIXEL_METRICS`; a pytree without leaves.

    Attributes:
      metrics: Names of the metrics.
    """

    metrics: tuple[str, ...] = field(metadata={"static": True})

    @property
    def label(self) -> str:
        """What the metrics have in common."""
        return "pixels"

    @property
    def names(self) -> list[str]:
        """Names of the metrics."""
        return list(self.metrics)

    @property
    def signature(self) -> dict[str, Any]:
        """What the scores depend on besides the images: how they are compared, as JSON."""
        compared = (f"metric/{FULL_NAMES.get(name, name)}" for name in self.metrics)
        return {"model": self.label, "revisions": revisions_of([*OF_EVERY_IMAGE, *compared])}

    @property
    def mapped(self) -> list[str]:
        """The metrics that are means over positions."""
        return [name for name in self.metrics if PIXEL_METRICS[name].compare_maps]

    def refusals(self, height: int, width: int) -> dict[str, str]:
        """The metrics that need larger images."""
        least = {name: PIXEL_METRICS[name].least_size for name in self.metrics}
        return {
            name: f"{name}: expected images of at least {size}x{size} pixels, got {height}x{width}"
            for name, size in least.items()
            if min(height, width) < size
        }

    def only(self, names: Collection[str]) -> Self:
        """The same with some of the metrics."""
        return replace(self, metrics=tuple(name for name in self.metrics if name in names))

    def prepare(self, image: jax.Array) -> Mapping[str, Any]:
        """What each metric needs of one image."""
        pixels = unit_range(image)
        return {name: PIXEL_METRICS[name].prepare(pixels) for name in self.metrics}

    def compare(
        self, reference: Mapping[str, Any], distorted: Mapping[str, Any], identical: jax.Array
    ) -> Values:
        """The scores of two prepared images."""
        scores = [
            PIXEL_METRICS[name].compare(reference[name], distorted[name]) for name in self.metrics
        ]
        return _best_where(identical, self.metrics, scores)

    def compare_maps(
        self, reference: Mapping[str, Any], distorted: Mapping[str, Any], identical: jax.Array
    ) -> Values:
        """Local scores of the metrics that have them, at the positions of their windows."""
        maps = {name: PIXEL_METRICS[name].compare_maps for name in self.metrics}
        scores = [local(reference[name], distorted[name]) for name, local in maps.items() if local]
        return _best_where(identical, self.mapped, scores)

    def with_margins(self, name: str, values: jax.Array) -> jax.Array:
        """The map of a metric, continued by its outermost values where it has no windows."""
        return jnp.pad(values, PIXEL_METRICS[name].map_margin, mode="edge")


def _best_where(identical: jax.Array, names: Sequence[str], scores: Sequence[jax.Array]) -> Values:
    return tuple(
        known_where(identical, jnp.full_like(score, PIXEL_METRICS[name].best), score)
        for name, score in zip(names, scores, strict=True)
    )
