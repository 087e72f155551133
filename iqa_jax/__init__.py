"""Deep image quality in JAX: perceptual metrics, and the instrument that explains them."""

import importlib
import sys
from typing import TYPE_CHECKING, Any

from iqa_jax import errors as errors
from iqa_jax._renamed import RenamedFinder
from iqa_jax.revisions import VERSION

if TYPE_CHECKING:
    from iqa_jax.metrics import list_metrics, load_metric
    from iqa_jax.streams import stream
    from iqa_jax.streams.flax_metric import StreamMetric
    from iqa_jax.zoo import list_models, load_backbone

__all__ = [
    "StreamMetric",
    "list_metrics",
    "list_models",
    "load_backbone",
    "load_metric",
    "stream",
]

__version__ = VERSION

_FOLDERS = {
    "StreamMetric": "streams.flax_metric",
    "list_metrics": "metrics",
    "list_models": "zoo",
    "load_backbone": "zoo",
    "load_metric": "metrics",
    "stream": "streams",
}

sys.meta_path.append(RenamedFinder())


def __getattr__(name: str) -> Any:
    """Imports what is public when it is first asked for: JAX alone takes most of a second."""
    if name not in _FOLDERS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_FOLDERS[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
