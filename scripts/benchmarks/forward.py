"""Forward passes as the programs compile them, against XLA left to itself: images per second.

Example:
  python scripts/benchmarks/forward.py
  python scripts/benchmarks/forward.py --models=resnet50-random-none-seed0 --size=64x64 --images=32

The means of all layers, so that no layer can be left out; the median of several runs. The two do
not take turns, because the threads of XLA's two libraries would get in each other's way. Models
without training need no weights.
"""

import statistics
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import jax
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from iqa_jax.backbones import Backbone
from iqa_jax.compilation import compiler_options
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
    """Forward passes to be timed.

    Attributes:
      models: Names of models.
      size: Height x width of the images.
      images: Number of images that go through together.
      repeats: Number of timed runs of each.
    """

    models: tuple[str, ...] = tuple(f"{trunk}-random-none-seed0" for trunk in _TRUNKS)
    size: str = "384x512"
    images: int = field(default=1, metadata={"at_least": 1})
    repeats: int = field(default=7, metadata={"at_least": 1})


def layer_means(backbone: Backbone, images: jax.Array) -> dict[str, jax.Array]:
    """The mean of every layer over all images."""
    return {layer: values.mean() for layer, values in backbone.activations(images).items()}


def main(settings: Settings) -> None:
    """Prints a line a model."""
    height, width = map(int, settings.size.split("x"))
    images = np.random.default_rng(0).integers(0, 256, (settings.images, height, width, 3))
    rows = []
    for name in settings.models:
        backbone = load_backbone(name, checkpoints_dir=settings.checkpoints_dir)
        ours, theirs = (
            _speed(backbone, images.astype(np.uint8), options, settings.repeats)
            for options in (compiler_options(), None)
        )
        rows.append((name, f"{ours:.1f}", f"{theirs:.1f}", f"{ours / theirs:.2f}"))
    print(f"images of {settings.size} per second, {settings.images} at a time")
    print("\n".join(aligned(("model", "ours", "XLA", "ratio"), rows, text_columns=1)))


def _speed(
    backbone: Backbone, images: np.ndarray, options: dict[str, str] | None, repeats: int
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
