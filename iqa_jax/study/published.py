"""Correlations that the authors published for layers that are evaluated here."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from iqa_jax.study.pseudovalues import PEARSON, SPEARMAN, Pseudovalues
from iqa_jax.study.results import BASELINE, NATIVE, Column, Results

TOLERANCE = 0.002
"""Difference that the authors' decoding and resizing of images may make."""

_READOUTS = ("l2", "rmse")
_VGG16 = "vgg16-supervised-imagenet1k-keras"

Numbers = Mapping[str, tuple[float, float]]
"""Pearson's and Spearman's correlation by layer, or layers joined by ``+``."""

PUBLISHED: Mapping[tuple[str, str], Numbers] = {
    ("", "tid2013"): {"input": (0.598, 0.687)},
    ("", "kadid10k"): {"input": (0.550, 0.676)},
    (_VGG16, "tid2013"): {
        "relu1_1": (0.765, 0.783),
        "relu1_2": (0.788, 0.803),
        "pool1": (0.787, 0.808),
        "relu2_1": (0.802, 0.810),
        "relu2_2": (0.810, 0.814),
        "pool2": (0.819, 0.822),
        "relu3_1": (0.831, 0.837),
        "relu3_2": (0.832, 0.833),
        "relu3_3": (0.825, 0.826),
        "pool3": (0.840, 0.837),
        "relu4_1": (0.840, 0.841),
        "relu4_2": (0.841, 0.837),
        "relu4_3": (0.834, 0.830),
        "pool4": (0.836, 0.833),
        "relu5_1": (0.842, 0.839),
        "relu5_2": (0.829, 0.828),
        "relu5_3": (0.749, 0.763),
        "pool5": (0.756, 0.767),
        "relu1_2+relu2_2": (0.819, 0.828),
        "relu1_2+relu2_2+relu3_3": (0.827, 0.832),
        "relu1_2+relu2_2+relu3_3+relu4_3": (0.827, 0.833),
        "relu1_2+relu2_2+relu3_3+relu4_3+relu5_3": (0.827, 0.833),
    },
    (_VGG16, "kadid10k"): {
        "relu1_1": (0.635, 0.771),
        "relu1_2": (0.611, 0.786),
        "pool1": (0.640, 0.798),
        "relu2_1": (0.705, 0.822),
        "relu2_2": (0.770, 0.836),
        "pool2": (0.747, 0.835),
        "relu3_1": (0.795, 0.857),
        "relu3_2": (0.811, 0.852),
        "relu3_3": (0.817, 0.845),
        "pool3": (0.817, 0.851),
        "relu4_1": (0.831, 0.858),
        "relu4_2": (0.834, 0.853),
        "relu4_3": (0.828, 0.849),
        "pool4": (0.825, 0.850),
        "relu5_1": (0.832, 0.857),
        "relu5_2": (0.825, 0.850),
        "relu5_3": (0.770, 0.802),
        "pool5": (0.775, 0.807),
        "relu1_2+relu2_2": (0.752, 0.838),
        "relu1_2+relu2_2+relu3_3": (0.781, 0.847),
        "relu1_2+relu2_2+relu3_3+relu4_3": (0.781, 0.847),
        "relu1_2+relu2_2+relu3_3+relu4_3+relu5_3": (0.781, 0.847),
    },
    ("resnet18", "tid2013"): {
        "layer1.1": (0.750, 0.732),
        "layer2.1": (0.773, 0.743),
        "layer3.1": (0.791, 0.758),
        "layer4.1": (0.788, 0.763),
    },
    ("resnet18", "tid2008"): {
        "layer1.1": (0.722, 0.725),
        "layer2.1": (0.767, 0.754),
        "layer3.1": (0.786, 0.763),
        "layer4.1": (0.782, 0.758),
    },
}
"""Correlations by model and dataset; the pixels belong to no model. VGG-16 of Keras is from the
papers' own results, torchvision's ResNet-18 from the same group's visturing (2026). All are of raw
scores at native size, by the Euclidean distance of the activations."""


class PublishedRow(NamedTuple):
    """A correlation beside the one that the authors published."""

    dataset: str
    column: str
    measure: str
    value: float
    authors_value: float
    difference_from_authors: float

    @property
    def is_close(self) -> bool:
        """Whether the difference is within :data:`TOLERANCE`."""
        return abs(self.difference_from_authors) <= TOLERANCE


def authors_values(results: Results, measure: str) -> np.ndarray:
    """The published correlations of all columns.

    Args:
      results: Distances of a dataset.
      measure: One of ``pseudovalues.MEASURES``.

    Returns:
      ``[columns]``; NaN where none is published, and everywhere if the dataset is incomplete or
      its images were resized.
    """
    missing = np.full(len(results.columns), np.nan)
    if not results.is_complete or results.resize != NATIVE or measure not in (PEARSON, SPEARMAN):
        return missing
    place = (PEARSON, SPEARMAN).index(measure)
    found = (_published(column, results.dataset) for column in results.columns)
    return np.array([each[place] if each else np.nan for each in found], np.float64)


def weighted(values: np.ndarray, weights: np.ndarray) -> float:
    """A weighted sum of correlations; NaN if one that has weight is unknown.

    Args:
      values: The correlations, ``[columns]``.
      weights: Weights ``[columns]``, or ``[2, columns]`` whose mean counts.
    """
    of_column = np.atleast_2d(weights).mean(axis=0)
    used = np.flatnonzero(of_column)
    return float(values[used] @ of_column[used])


def published_rows(dataset: Pseudovalues) -> Iterator[PublishedRow]:
    """Correlations of a dataset that the authors published, too.

    Args:
      dataset: The dataset.
    """
    results = dataset.results
    for measure in (PEARSON, SPEARMAN):
        theirs = authors_values(results, measure)
        ours = dataset.whole[measure].values
        for place in np.flatnonzero(np.isfinite(theirs)).tolist():
            yield PublishedRow(
                *(results.dataset, results.columns[place].name, measure),
                *(float(ours[place]), float(theirs[place]), float(ours[place] - theirs[place])),
            )


def _published(column: Column, dataset: str) -> tuple[float, float] | None:
    if column.readout not in _READOUTS:
        return None
    model = "" if column.kind == BASELINE else column.model
    return PUBLISHED.get((model, dataset), {}).get(column.layer)
