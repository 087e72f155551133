"""Pixel metrics as scores that are computed together."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import jax
import jax.numpy as jnp

from iqa_jax.errors import InputError
from iqa_jax.images.preprocess import unit_range
from iqa_jax.metrics.pair_function import PairComparison, Scores
from iqa_jax.metrics.pixels import FULL_NAMES, PIXEL_METRICS
from iqa_jax.readouts.safe import known_where
from iqa_jax.revisions import OF_EVERY_IMAGE, revisions


@jax.tree_util.register_dataclass
@dataclass(frozen=True, eq=False)
class PixelComparison(PairComparison):
    """Some of :data:`PIXEL_METRICS`; a pytree without leaves.

    Attributes:
      metrics: Their names.
    """

    metrics: tuple[str, ...] = field(metadata={"static": True})

    @property
    def label(self) -> str:
        """What they have in common."""
        return "pixels"

    @property
    def names(self) -> list[str]:
        """The scores that are computed."""
        return list(self.metrics)

    @property
    def signature(self) -> dict[str, Any]:
        """They depend on nothing but the images and how they are compared."""
        compared = (f"metric/{FULL_NAMES.get(name, name)}" for name in self.metrics)
        return {"model": self.label, "revisions": revisions([*OF_EVERY_IMAGE, *compared])}

    @property
    def mapped(self) -> list[str]:
        """The metrics that are means over positions."""
        return [name for name in self.metrics if PIXEL_METRICS[name].compare_maps]

    def refusals(self, height: int, width: int) -> dict[str, str]:
        """The metrics that need larger images."""
        refused = {}
        for name in self.metrics:
            try:
                PIXEL_METRICS[name].check_size(height, width)
            except InputError as error:
                refused[name] = f"{name}: {error}"
        return refused

    def only(self, names: Collection[str]) -> Self:
        """The same with some of the metrics."""
        return replace(self, metrics=tuple(name for name in self.metrics if name in names))

    def prepare(self, image: jax.Array) -> Mapping[str, Any]:
        """What each metric needs of one image."""
        pixels = unit_range(image)
        return {name: PIXEL_METRICS[name].prepare(pixels) for name in self.metrics}

    def compare(
        self, reference: Mapping[str, Any], distorted: Mapping[str, Any], identical: jax.Array
    ) -> Scores:
        """The scores of two images as they were prepared."""
        scores = {
            name: PIXEL_METRICS[name].compare(reference[name], distorted[name])
            for name in self.metrics
        }
        return _best_where(identical, scores)

    def compare_maps(
        self, reference: Mapping[str, Any], distorted: Mapping[str, Any], identical: jax.Array
    ) -> Scores:
        """Local scores of the metrics that have them, at the positions of their windows."""
        maps = {name: PIXEL_METRICS[name].compare_maps for name in self.metrics}
        scores = {
            name: local(reference[name], distorted[name]) for name, local in maps.items() if local
        }
        return _best_where(identical, scores)

    def with_margins(self, name: str, values: jax.Array) -> jax.Array:
        """The map of a metric, continued by its outermost values where it has no windows."""
        return jnp.pad(values, PIXEL_METRICS[name].map_margin, mode="edge")


def _best_where(identical: jax.Array, scores: Scores) -> Scores:
    return {
        name: known_where(identical, jnp.full_like(score, PIXEL_METRICS[name].best), score)
        for name, score in scores.items()
    }
