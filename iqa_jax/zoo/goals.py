"""Training objectives: their kind, and the labels that they need."""

from collections.abc import Mapping
from dataclasses import dataclass

GOAL_FAMILIES = (
    "supervised",
    "semi-supervised",
    "pretext",
    "clustering",
    "contrastive",
    "redundancy",
    "none",
)
"""Kinds of objectives: labels; labels and the predictions of a teacher; a puzzle made from
an image; assignments to clusters; discrimination of images; decorrelated features; none."""


@dataclass(frozen=True)
class Goal:
    """A training objective.

    Attributes:
      family: Kind of objective, one of :data:`GOAL_FAMILIES`.
      labels: What people said of the training images, such as ``classes``; ``none`` if nothing was
        used.
    """

    family: str
    labels: str = "none"


GOALS: Mapping[str, Goal] = {
    "supervised": Goal("supervised", "classes"),
    "ratings": Goal("supervised", "ratings"),
    "semisupervised": Goal("semi-supervised", "classes"),
    "semiweaklysupervised": Goal("semi-supervised", "hashtags and classes"),
    "jigsaw": Goal("pretext"),
    "colorization": Goal("pretext"),
    "rotnet": Goal("pretext"),
    "mae": Goal("pretext"),
    "deepcluster": Goal("clustering"),
    "clusterfit": Goal("clustering"),
    "deepclusterv2": Goal("clustering"),
    "swav": Goal("clustering"),
    # Their heads assign an image to prototypes, as SwAV's do; the assignments come from a teacher.
    "dino": Goal("clustering"),
    "dinov2": Goal("clustering"),
    "npid": Goal("contrastive"),
    "npidpp": Goal("contrastive"),
    "pirl": Goal("contrastive"),
    "simclr": Goal("contrastive"),
    "mocov2": Goal("contrastive"),
    "siglip2": Goal("contrastive", "captions"),
    "clip": Goal("contrastive", "captions"),
    "barlowtwins": Goal("redundancy"),
    "random": Goal("none"),
}
"""All objectives by name."""
