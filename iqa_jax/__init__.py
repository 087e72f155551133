"""Deep image quality in JAX: perceptual metrics, and the instrument that explains them."""

import importlib
import sys
from typing import TYPE_CHECKING, Any

from iqa_jax import errors as errors
from iqa_jax._renamed import RenamedFinder
from iqa_jax.revisions import VERSION

if TYPE_CHECKING:
    from iqa_jax.library.evaluating import evaluate
    from iqa_jax.library.scoring import score
    from iqa_jax.library.training import train_relevance
    from iqa_jax.metrics import (
        flip,
        fsim,
        fsimc,
        gmsd,
        haarpsi,
        iw_ssim,
        list_metrics,
        load_metric,
        mdsi,
        ms_gmsd,
        ms_ssim,
        nlpd,
        psnr,
        ssim,
        ssimulacra2,
        vif,
        vsi,
    )
    from iqa_jax.streams import stream
    from iqa_jax.streams.flax_metric import StreamMetric
    from iqa_jax.zoo import fetch, list_models, load_backbone

__all__ = [
    "StreamMetric",
    "evaluate",
    "fetch",
    "flip",
    "fsim",
    "fsimc",
    "gmsd",
    "haarpsi",
    "iw_ssim",
    "list_metrics",
    "list_models",
    "load_backbone",
    "load_metric",
    "mdsi",
    "ms_gmsd",
    "ms_ssim",
    "nlpd",
    "psnr",
    "score",
    "ssim",
    "ssimulacra2",
    "stream",
    "train_relevance",
    "vif",
    "vsi",
]

__version__ = VERSION

_PLACES = {
    "StreamMetric": "streams.flax_metric",
    "evaluate": "library.evaluating",
    "fetch": "zoo",
    "flip": "metrics",
    "fsim": "metrics",
    "fsimc": "metrics",
    "gmsd": "metrics",
    "haarpsi": "metrics",
    "iw_ssim": "metrics",
    "list_metrics": "metrics",
    "list_models": "zoo",
    "load_backbone": "zoo",
    "load_metric": "metrics",
    "mdsi": "metrics",
    "ms_gmsd": "metrics",
    "ms_ssim": "metrics",
    "nlpd": "metrics",
    "psnr": "metrics",
    "score": "library.scoring",
    "ssim": "metrics",
    "ssimulacra2": "metrics",
    "stream": "streams",
    "train_relevance": "library.training",
    "vif": "metrics",
    "vsi": "metrics",
}

sys.meta_path.append(RenamedFinder())


def __getattr__(name: str) -> Any:
    """Imports a public name when it is first used: JAX alone takes most of a second."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
