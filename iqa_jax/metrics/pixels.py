"""Metrics that compare pixels, by name. They need no network and no weights."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any, Self

import jax
import jax.numpy as jnp

from iqa_jax.errors import InputError
from iqa_jax.images.preprocess import unit_range
from iqa_jax.metrics import (
    compression_artifacts,
    feature_similarity,
    flip_error,
    gradient_similarity,
    haar_similarity,
    information_weighting,
    mean_deviation,
    multi_scale_gradients,
    multi_scale_similarity,
    normalised_laplacian,
    peak_signal_to_noise,
    saliency_similarity,
    structural_similarity,
    visual_information,
)
from iqa_jax.metrics.pair_function import PairFunction, Values
from iqa_jax.pytrees import register_pytree
from iqa_jax.readouts.safe import known_where
from iqa_jax.revisions import OF_EVERY_IMAGE, revisions_of


@dataclass(frozen=True)
class PixelMetric:
    """A metric of one pair of images ``[H, W, 3]``, in two steps.

    Attributes:
      prepare: Function from an image, float32 in [0, 1], to any pytree; called once for a reference
        with many versions.
      compare: Function from the prepared reference and distorted image to the score, a float32.
      best: Score of identical images, the highest or lowest of all unless there is ``beyond``.
      worst: Bound of the scores at the other end, for images in [0, 1].
      higher_is_better: Whether a higher score means more similar images.
      compare_maps: Function from the same to local scores ``[h, w]``, whose mean is the score; None
        if the metric has no maps.
      least_size: Least height and width.
      map_margin: Number of positions at each side of the image that are not in the map.
      speed: Key of ``SPEEDS``.
      beyond: Bound of the scores of images that are better than the reference; None if none are.
    """

    prepare: Callable[[jax.Array], Any]
    compare: Callable[[Any, Any], jax.Array]
    best: float
    worst: float
    higher_is_better: bool
    compare_maps: Callable[[Any, Any], jax.Array] | None = None
    least_size: int = 1
    map_margin: int = 0
    beyond: float | None = None
    speed: str = "fast"

    @property
    def score_range(self) -> tuple[float, float]:
        """Lowest and highest score."""
        ends = self.worst, self.best if self.beyond is None else self.beyond
        return min(ends), max(ends)

    def __call__(self, reference: jax.Array, distorted: jax.Array) -> jax.Array:
        """Score of a pair of images."""
        return self.compare(self.prepare(reference), self.prepare(distorted))


def _distance(module: ModuleType, **more: Any) -> PixelMetric:
    """The distance of a module with ``prepare``, ``compare`` and ``HIGHEST_SCORE``."""
    return PixelMetric(
        module.prepare,
        module.compare,
        best=0.0,
        worst=module.HIGHEST_SCORE,
        higher_is_better=False,
        **more,
    )


def _similarity(
    module: ModuleType, *, best: float = 1.0, worst: float = 0.0, **more: Any
) -> PixelMetric:
    """The similarity of a module with ``prepare`` and ``compare``."""
    return PixelMetric(
        module.prepare, module.compare, best=best, worst=worst, higher_is_better=True, **more
    )


def _presets(
    name: str, module: ModuleType, *, worst: float = 0.0, **more: Any
) -> dict[str, PixelMetric]:
    """The similarities of a module, one for each way to make planes of an image."""
    of_planes = _similarity(module, worst=worst, **more)

    def preset(planes: Callable[[jax.Array], jax.Array]) -> PixelMetric:
        return replace(of_planes, prepare=lambda image: module.prepare(planes(image)))

    presets = {f"{name}:{each}": preset(planes) for each, planes in module.PRESETS.items()}
    colours = f"{name}:rgb"  # three planes instead of one
    return {**presets, colours: replace(presets[colours], speed="medium")}


def _flip(pixels_per_degree: float) -> PixelMetric:
    metric = _distance(flip_error, compare_maps=flip_error.compare_maps, speed="medium")
    return replace(metric, prepare=lambda image: flip_error.prepare(image, pixels_per_degree))


FULL_NAMES: Mapping[str, str] = {"ssim": "ssim:wang2004", "ms-ssim": "ms-ssim:wang2003"}
"""Full names; a plain name means the preset that was published first."""

_WITH_PRESETS = {
    **_presets(
        "ssim",
        structural_similarity,
        worst=-1.0,
        compare_maps=structural_similarity.compare_maps,
        least_size=structural_similarity.WINDOW_SIZE,
        map_margin=structural_similarity.WINDOW_SIZE // 2,
    ),
    **_presets("ms-ssim", multi_scale_similarity, least_size=multi_scale_similarity.LEAST_SIZE),
}

_FSIM = _similarity(feature_similarity, least_size=feature_similarity.LEAST_SIZE, speed="medium")

PIXEL_METRICS: Mapping[str, PixelMetric] = {
    "psnr": _similarity(peak_signal_to_noise, best=peak_signal_to_noise.HIGHEST_DECIBELS),
    **{plain: _WITH_PRESETS[full] for plain, full in FULL_NAMES.items()},
    **_WITH_PRESETS,
    "gmsd": _distance(gradient_similarity, least_size=gradient_similarity.LEAST_SIZE),
    "ms-gmsd": _distance(multi_scale_gradients, least_size=multi_scale_gradients.LEAST_SIZE),
    "haarpsi": _similarity(haar_similarity),
    "mdsi": _distance(mean_deviation, least_size=mean_deviation.LEAST_SIZE),
    "nlpd": _distance(normalised_laplacian),
    "vif": _similarity(
        visual_information, least_size=visual_information.LEAST_SIZE, beyond=math.inf
    ),
    "fsim": _FSIM,
    "fsimc": replace(_FSIM, compare=feature_similarity.compare_colours),
    "vsi": _similarity(saliency_similarity, speed="medium"),
    "iw-ssim": _similarity(
        information_weighting, least_size=information_weighting.LEAST_SIZE, speed="medium"
    ),
    "flip": _flip(flip_error.PIXELS_PER_DEGREE),
    "ssimulacra2": _similarity(
        compression_artifacts,
        best=100.0,
        worst=-math.inf,
        least_size=compression_artifacts.LEAST_SIZE,
        speed="medium",
    ),
}
"""Metrics by name, with a preset after a colon."""

_FLIP_AT = "flip:ppd="
"""Start of the name of FLIP at a number of pixels per degree."""


def pixel_metric(name: str) -> PixelMetric | None:
    """Metric of a name: one of :data:`PIXEL_METRICS`, or ``flip:ppd=NUMBER``.

    Returns:
      None if there is no such metric.

    Raises:
      InputError: If the pixels per degree are not a number, or out of range.
    """
    if not name.startswith(_FLIP_AT):
        return PIXEL_METRICS.get(name)
    return _flip(_pixels_per_degree(name.removeprefix(_FLIP_AT)))


def _pixels_per_degree(text: str) -> float:
    low, high = flip_error.PIXELS_PER_DEGREE_RANGE
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not low <= number <= high:
        raise InputError(
            f"flip: expected a number of pixels per degree from {low} to {high}, as in "
            f"{_FLIP_AT}40, got {text!r}"
        )
    return number


@register_pytree
@dataclass(frozen=True, eq=False)
class PixelScores(PairFunction):
    """Some of :data:`PIXEL_METRICS`; a pytree without leaves.

    Attributes:
      metrics: Names of the metrics, as in :func:`pixel_metric`.
    """

    metrics: tuple[str, ...] = field(metadata={"static": True})

    @property
    def label(self) -> str:
        """Name for all of these metrics together."""
        return "pixels"

    @property
    def names(self) -> list[str]:
        """Names of the metrics."""
        return list(self.metrics)

    @property
    def signature(self) -> dict[str, Any]:
        """Formulas that the scores depend on besides the images, as JSON."""
        compared = (f"metric/{_formula(name)}" for name in self.metrics)
        return {"model": self.label, "revisions": revisions_of([*OF_EVERY_IMAGE, *compared])}

    @property
    def score_ranges(self) -> list[tuple[float, float]]:
        """Lowest and highest score of each metric."""
        return [_metric(name).score_range for name in self.metrics]

    @property
    def mapped(self) -> list[str]:
        """Names of the metrics that are means over positions."""
        return [name for name in self.metrics if _metric(name).compare_maps]

    def refusals(self, height: int, width: int) -> dict[str, str]:
        """Reasons of the metrics that need larger images."""
        least = {name: _metric(name).least_size for name in self.metrics}
        return {
            name: f"{name}: expected images of at least {size}x{size} pixels, got {width}x{height}"
            for name, size in least.items()
            if min(height, width) < size
        }

    def only(self, names: Collection[str]) -> Self:
        """The same function with some of the metrics."""
        return replace(self, metrics=tuple(name for name in self.metrics if name in names))

    def prepare(self, image: jax.Array) -> Mapping[str, Any]:
        """Prepares one image for each metric."""
        pixels = unit_range(image)
        return {name: _metric(name).prepare(pixels) for name in self.metrics}

    def compare(
        self, reference: Mapping[str, Any], distorted: Mapping[str, Any], identical: jax.Array
    ) -> Values:
        """Scores of two prepared images."""
        scores = [_metric(name).compare(reference[name], distorted[name]) for name in self.metrics]
        return _best_where(identical, self.metrics, scores)

    def compare_maps(
        self, reference: Mapping[str, Any], distorted: Mapping[str, Any], identical: jax.Array
    ) -> Values:
        """Local scores of the metrics that have them, at the positions of their windows."""
        maps = {name: _metric(name).compare_maps for name in self.metrics}
        scores = [local(reference[name], distorted[name]) for name, local in maps.items() if local]
        return _best_where(identical, self.mapped, scores)

    def with_margins(self, name: str, values: jax.Array) -> jax.Array:
        """Map of a metric, continued by its outermost values where no window fits."""
        return jnp.pad(values, _metric(name).map_margin, mode="edge")


def _metric(name: str) -> PixelMetric:
    metric = pixel_metric(name)
    if metric is None:
        raise KeyError(name)
    return metric


def _formula(name: str) -> str:
    """Name of the formula of a metric, which has a revision."""
    return "flip" if name.startswith(_FLIP_AT) else FULL_NAMES.get(name, name)


def _best_where(identical: jax.Array, names: Sequence[str], scores: Sequence[jax.Array]) -> Values:
    return tuple(
        known_where(identical, jnp.full_like(score, _metric(name).best), score)
        for name, score in zip(names, scores, strict=True)
    )
