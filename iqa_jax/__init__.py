"""Deep image quality in JAX: perceptual metrics, and the instrument that explains them."""

from iqa_jax.metrics import list_metrics, load_metric
from iqa_jax.zoo import list_models, load_backbone

__all__ = ["list_metrics", "list_models", "load_backbone", "load_metric"]
