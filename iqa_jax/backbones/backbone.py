"""A network with its weights and its preprocessing."""

import bisect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np

from iqa_jax.backbones.network import INPUT, Activations, Network, aliases
from iqa_jax.errors import InputError
from iqa_jax.images.preprocess import Preprocessing, check_images, unit_range
from iqa_jax.pytrees import register_pytree
from iqa_jax.revisions import OF_EVERY_IMAGE

PRECISIONS = ("highest", "high", "default", "bf16")
"""JAX's words for float32 products, and ``bf16``: weights and activations in bfloat16."""

_LARGEST_LEAST_SIZE = 1024


@register_pytree
@dataclass(frozen=True, eq=False)
class Backbone:
    """A frozen network: images to named activations.

    A pytree whose leaves are the parameters, so that it passes through ``jit`` as an argument. Name
    and hash are labels: checkpoints that differ in nothing else static share a compiled program.

    Attributes:
      parameters: By dotted name; their shapes in an outline.
      network: The architecture.
      preprocessing: What the checkpoint expects.
      name: The model's name.
      precision: One of :data:`PRECISIONS`.
      sha256: Hash of the stored weights; empty where there is none.
    """

    parameters: Mapping[str, jax.Array] = field(repr=False)
    network: Network = field(metadata={"static": True}, repr=False)
    preprocessing: Preprocessing = field(metadata={"static": True}, repr=False)
    name: str = field(metadata={"label": True})
    precision: str = field(metadata={"static": True}, default="highest")
    sha256: str = field(metadata={"label": True}, default="")

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers in forward order, ``input`` first."""
        return (INPUT, *self.network.layers)

    @property
    def channels(self) -> dict[str, int]:
        """Number of channels of every layer."""
        return {INPUT: 3, **self.network.channels}

    @property
    def formulas(self) -> list[str]:
        """Names in ``iqa_jax.revisions`` of what its activations of image files depend on."""
        names = [*OF_EVERY_IMAGE, "images/preprocessing"]
        if self.preprocessing.is_of_luminance:
            names.append("images/luminance")
        if self.network.family:
            names.append(f"backbone/{self.network.family}")
        return names

    def __call__(self, images: jax.Array | np.ndarray) -> Activations:
        """The activations of a batch of images.

        Args:
          images: ``uint8``, or float32 in [0, 1], ``[B, H, W, 3]``, RGB.

        Returns:
          ``{layer: [B, height, width, channels]}`` for every layer.

        Raises:
          InputError: If the images are of another type, range or shape, or too small.
        """
        check_images(images)
        _, height, width, _ = images.shape
        reason = self.refusal(height, width)
        if reason:
            raise InputError(reason)
        activations = _jitted_activations(self, jnp.asarray(images))
        return {layer: activations[layer] for layer in self.layers}

    def activations(self, images: jax.Array) -> Activations:
        """As calling the backbone, without any check and to be traced in a larger computation.

        Returns:
          What calling the backbone returns, and the same by the short names of :func:`aliases`.
        """
        pixels = unit_range(images)
        x = self.preprocessing(pixels)
        if self.precision == "bf16":
            activations = self.network.apply(self.parameters, x.astype(jnp.bfloat16))
        else:
            with jax.default_matmul_precision(self.precision):
                activations = self.network.apply(self.parameters, x)
        activations = {INPUT: pixels, **activations}
        short = {alias: activations[layer] for alias, layer in aliases(self.layers).items()}
        return activations | short

    def refusal(
        self, height: int, width: int, *, layers: Iterable[str] | None = None
    ) -> str | None:
        """Why images of a size are too small.

        Args:
          height: Height of the images in pixels.
          width: Width of the images in pixels.
          layers: The layers that must have positions, also by their short names; None for all.

        Returns:
          A sentence that says the least size; None if the images are large enough.
        """
        unreached = self.without_positions(height, width)
        missing = [
            name for name in (self.layers if layers is None else layers) if name in unreached
        ]
        if not missing:
            return None
        least = bisect.bisect_left(
            range(1, _LARGEST_LEAST_SIZE),
            True,
            key=lambda size: self.without_positions(size, size).isdisjoint(missing),
        )
        plural = "s" if len(missing) > 1 else ""
        return (
            f"{self.name} needs images of at least {least + 1}x{least + 1} pixels for its "
            f"layer{plural} {', '.join(missing)}, got {height}x{width}"
        )

    def without_positions(self, height: int, width: int) -> set[str]:
        """The layers, also by their short names, that an image of this size does not reach."""
        image = jax.ShapeDtypeStruct((1, height, width, 3), jnp.float32)
        shapes = jax.eval_shape(Backbone.activations, self, image)
        return {layer for layer, shape in shapes.items() if not shape.size}


@jax.jit
def _jitted_activations(backbone: Backbone, images: jax.Array) -> Activations:
    activations = backbone.activations(images)
    return {layer: activations[layer] for layer in backbone.layers}
