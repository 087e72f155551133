"""Times forward passes with each library for convolutions on CPUs, in images per second.

Example:
  python scripts/benchmarks/forward.py
  python scripts/benchmarks/forward.py --models=resnet50-random-none-seed0 --size=64x64 --images=32
  python scripts/benchmarks/forward.py --precision=bf16

Computes the means of all layers, so that no layer can be optimised away, and prints the median of
several runs with each library, and with XLA's defaults. They do not alternate, because the threads
of XLA's libraries would interfere. The programs use the first library that the compiler has; a
library that it does not have is marked by a dash. Untrained models need no weights.
"""

import statistics
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from iqa_jax.backbones import Backbone
from iqa_jax.compilation import LIBRARIES, has_library
from iqa_jax.programs import running
from iqa_jax.programs.settings import ModelSettings
from iqa_jax.text import aligned
from iqa_jax.zoo import load_backbone

_TRUNKS = (
    *("alexnet", "vgg16", "squeezenet1_1", "resnet18", "resnet50"),
    *("densenet121", "efficientnet_b0", "convnext_tiny"),
)


@dataclass(frozen=True, kw_only=True)
class Settings(ModelSettings):
    """Forward passes to time.

    Attributes:
      models: Names of models.
      size: Height x width of the images.
      images: Number of images in a batch.
      repeats: Number of timed runs of each.
    """

    models: tuple[str, ...] = tuple(f"{trunk}-random-none-seed0" for trunk in _TRUNKS)
    size: str = "384x512"
    images: int = field(default=1, metadata={"at_least": 1})
    repeats: int = field(default=7, metadata={"at_least": 1})


def layer_means(backbone: Backbone, images: jax.Array) -> dict[str, jax.Array]:
    """The mean of every layer over all images."""
    return {
        layer: values.mean(dtype=jnp.float32)
        for layer, values in backbone.activations(images).items()
    }


def main(settings: Settings) -> None:
    """Prints a line for each model."""
    height, width = map(int, settings.size.split("x"))
    images = np.random.default_rng(0).integers(0, 256, (settings.images, height, width, 3))
    libraries = {**LIBRARIES, "XLA": {}}
    known = [each for each in libraries if each == "XLA" or has_library(each)]
    rows = []
    for name in settings.models:
        backbone = load_backbone(
            name, checkpoints_dir=settings.checkpoints_dir, precision=settings.precision
        )
        speeds = {
            library: _speed(
                backbone, images.astype(np.uint8), dict(libraries[library]), settings.repeats
            )
            for library in known
        }
        cells = (f"{speeds[each]:.1f}" if each in speeds else "-" for each in libraries)
        rows.append((name, *cells, f"{speeds[known[0]] / speeds['XLA']:.2f}"))
    print(
        f"images of {settings.size} per second, {settings.images} at a time, {settings.precision}"
    )
    print("\n".join(aligned(("model", *libraries, f"{known[0]} / XLA"), rows, text_columns=1)))


def _speed(
    backbone: Backbone, images: np.ndarray, options: dict[str, str | bool], repeats: int
) -> float:
    compiled = jax.jit(layer_means, compiler_options=options).lower(backbone, images).compile()
    seconds = []
    for _ in range(2 + repeats):  # the first ones warm up
        start = time.perf_counter()
        jax.block_until_ready(compiled(backbone, images))
        seconds.append(time.perf_counter() - start)
    return len(images) / statistics.median(seconds[2:])


if __name__ == "__main__":
    sys.exit(running.run(Path(sys.argv[0]).name, sys.modules[__name__], sys.argv[1:]))
