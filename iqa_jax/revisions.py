"""Revisions, which say whether stored numbers were computed in the same way as today's.

Every computation has a revision, an integer that is raised when its values change. A run's
signature includes the revisions that it depends on, so that scores and statistics of different
revisions are never mixed. Moving or rewriting code without changing values leaves the revision
alone: ``tests/golden/revisions.json`` holds the values of each revision on a fixed probe, and the
tests fail when values change without a new revision.
"""

import importlib.metadata
from collections.abc import Iterable, Mapping

DISTRIBUTION = "jax-iqa"
"""Name of this package on PyPI."""

VERSION = "0.2.0"
"""Version of this package."""

REVISIONS: Mapping[str, int] = {
    # From files to a network's input.
    "images/decoding": 2,
    "images/resizing": 1,
    "images/resizing on the device": 1,
    "images/luminance": 1,
    "images/preprocessing": 1,
    # Families of networks.
    "backbone/alexnet": 1,
    "backbone/clip_resnet": 1,
    "backbone/convnext": 1,
    "backbone/densenet": 1,
    "backbone/efficientnet": 1,
    "backbone/perceptnet": 1,
    "backbone/resnet": 1,
    "backbone/squeezenet": 1,
    "backbone/vgg": 1,
    "backbone/vit": 1,
    # Statistics of the activations of a pair.
    "statistic/squared_error": 1,
    "statistic/unit_squared_error": 1,
    "statistic/mean_reference": 1,
    "statistic/mean_distorted": 1,
    "statistic/variance_reference": 1,
    "statistic/variance_distorted": 1,
    "statistic/difference_mean": 1,
    "statistic/difference_variance": 1,
    "statistic/variance_change": 1,
    "statistic/gram_error": 1,
    "statistic/wasserstein_error": 1,
    "statistic/wasserstein_error_16": 1,
    "statistic/decorrelation_error": 1,
    # From statistics to distances.
    "readout/l2": 1,
    "readout/rmse": 1,
    "readout/balanced": 1,
    "readout/normalized": 1,
    "readout/unit": 1,
    "readout/unit_root": 1,
    "readout/cosine": 1,
    "readout/mean": 1,
    "readout/std": 1,
    "readout/mean_std": 1,
    "readout/gram": 1,
    "readout/structure_texture": 1,
    "readout/wasserstein": 1,
    "readout/wasserstein_16": 1,
    "readout/distance_correlation": 1,
    # What published metrics do before and after a read-out.
    "protocol/deepwsd": 1,
    # Pixel metrics.
    "metric/psnr": 1,
    "metric/ssim:wang2004": 1,
    "metric/ssim:matlab": 1,
    "metric/ssim:rgb": 1,
    "metric/ms-ssim:wang2003": 1,
    "metric/ms-ssim:rgb": 1,
    "metric/gmsd": 1,
    "metric/ms-gmsd": 1,
    "metric/haarpsi": 1,
    "metric/mdsi": 1,
    "metric/nlpd": 1,
    "metric/vif": 1,
    "metric/fsim": 1,
    "metric/fsimc": 1,
    "metric/vsi": 1,
    "metric/iw-ssim": 1,
    "metric/flip": 1,
    "metric/ssimulacra2": 1,
    # Agreement with human scores.
    "agreement/pearson": 1,
    "agreement/spearman": 1,
    "agreement/kendall": 1,
    "agreement/logistic": 2,
    "agreement/two alternatives": 1,
    "agreement/same or different": 1,
    "agreement/ceiling": 1,
    "agreement/jackknife": 1,
    "agreement/bootstrap": 1,
}
"""Revisions by computation. A change of values raises its revision by one and is listed under
"Scores changed" in CHANGELOG."""

OF_EVERY_IMAGE = ("images/decoding", "images/resizing")
"""Revisions that every score of image files depends on."""

OF_AGREEMENT = tuple(name for name in REVISIONS if name.startswith("agreement/"))


def revisions_of(names: Iterable[str]) -> dict[str, int]:
    """Revisions by name, each once and in the order of the table, as JSON.

    Args:
      names: Keys of :data:`REVISIONS`.

    Raises:
      KeyError: If a name has no revision.
    """
    wanted = {name: REVISIONS[name] for name in names}
    return {name: number for name, number in REVISIONS.items() if name in wanted}


def versions_with(*distributions: str) -> dict[str, str]:
    """Versions of this package and others, as JSON.

    Args:
      distributions: Names of the other packages, which must be installed.
    """
    others = {name: importlib.metadata.version(name) for name in distributions}
    return {DISTRIBUTION: VERSION, **others}
