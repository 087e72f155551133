"""What the read-outs cost: the device step of iqa evaluate against a bare forward pass.

Example:
  python scripts/benchmarks/readout_cost.py --model=vgg16 --size=384x512 --versions=8

Both go over the same images, one reference and its versions, in turn in one process. The bare pass
runs the network to its last layer and keeps nothing else; it is timed image by image and as one
batch, and the faster way is compared with. Needs the weights (iqa fetch).
"""

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from iqa_jax.backbones import Backbone
from iqa_jax.compilation import compiler_options
from iqa_jax.metrics.features import FeatureScores
from iqa_jax.programs import running
from iqa_jax.programs.settings import ModelSettings
from iqa_jax.readouts import ReadoutName
from iqa_jax.zoo import model_layers


@dataclass(frozen=True, kw_only=True)
class Settings(ModelSettings):
    """Passes to be timed.

    Attributes:
      model: The model.
      size: Height x width of the images.
      repeats: Number of timed runs of each.
    """

    model: str = "vgg16"
    size: str = "384x512"
    repeats: int = field(default=7, metadata={"at_least": 1})


def bare_one_by_one(backbone: Backbone, images: jax.Array) -> jax.Array:
    """The last layer of each image, one image at a time."""
    return jax.lax.map(lambda image: backbone.activations(image[None])[backbone.layers[-1]], images)


def bare_batch(backbone: Backbone, images: jax.Array) -> jax.Array:
    """The last layer of all images at once."""
    return backbone.activations(images)[backbone.layers[-1]]


def main(settings: Settings) -> None:
    """Times the step and the bare pass in turn and prints their ratio."""
    height, width = map(int, settings.size.split("x"))
    versions = settings.versions or 8
    readouts = [
        ReadoutName(settings.model, (layer,), readout)
        for layer in model_layers(settings.model)
        for readout in ("l2", "unit")
    ]
    scores = FeatureScores.outline(
        readouts,
        checkpoints_dir=settings.checkpoints_dir,
        precision=settings.precision,
    ).fill(checkpoints_dir=settings.checkpoints_dir)
    rng = np.random.default_rng(0)
    images = jnp.asarray(rng.integers(0, 256, (1 + versions, height, width, 3)).astype(np.uint8))
    backbone = scores.backbone
    runs: dict[str, Callable[[], object]] = {
        "step": _compiled(FeatureScores.versions, scores, images[0], images[1:]),
        "bare, one by one": _compiled(bare_one_by_one, backbone, images),
        "bare, one batch": _compiled(bare_batch, backbone, images),
    }
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(settings.repeats):
        for name, run in runs.items():
            start = time.perf_counter()
            jax.block_until_ready(run())
            seconds[name].append(time.perf_counter() - start)
    print(f"{settings.model}, {1 + versions} images of {height}x{width}, {len(readouts)} read-outs")
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    for name, values in seconds.items():
        print(f"  {name:<18} {medians[name]:7.3f} s (from {min(values):.3f} to {max(values):.3f})")
    bare = min(medians.keys() - {"step"}, key=medians.__getitem__)
    ratios = [a / b for a, b in zip(seconds["step"], seconds[bare], strict=True)]
    print(f"step / {bare}: {statistics.median(ratios):.2f} (median of the pairs of runs)")


def _compiled(function: Callable[..., object], *arguments: object) -> Callable[[], object]:
    jitted = jax.jit(function, compiler_options=compiler_options())
    compiled = jitted.lower(*arguments).compile()
    jax.block_until_ready(compiled(*arguments))
    return lambda: compiled(*arguments)


if __name__ == "__main__":
    sys.exit(running.run(Path(sys.argv[0]).name, sys.modules[__name__], sys.argv[1:]))
