"""Times the convolutions that are replaced on CPUs against XLA's own, on this machine.

Example:
  python scripts/benchmarks/convolutions.py

Depthwise convolutions of EfficientNet and ConvNeXt at 512x384, AlexNet's second layer with two
groups, and convolutions of images smaller than the kernel, as in networks at 64x64. Prints the
milliseconds of both, the fastest of several alternating runs, and their ratio.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

sys.path.insert(0, str(Path(__file__).parents[1]))
from iqa_jax.backbones.layers import conv
from iqa_jax.programs import running
from iqa_jax.programs.settings import ProgramSettings
from iqa_jax.text import aligned

_RUNS = 7
_SHAPES = (
    ("EfficientNet 3x3", (192, 256, 96), 96, 3, 2, 96),
    ("EfficientNet 3x3", (96, 128, 144), 144, 3, 1, 144),
    ("EfficientNet 5x5", (48, 64, 240), 240, 5, 2, 240),
    ("ConvNeXt 7x7", (96, 128, 96), 96, 7, 1, 96),
    ("ConvNeXt 7x7", (24, 32, 384), 384, 7, 1, 384),
    ("AlexNet 5x5", (46, 63, 96), 256, 5, 1, 2),
    ("ResNet-18 3x3", (2, 2, 512), 512, 3, 1, 1),
    ("VGG-16 3x3", (2, 4, 512), 512, 3, 1, 1),
    ("AlexNet 5x5", (3, 3, 64), 192, 5, 1, 1),
)
"""Name, input (height, width, channels), output channels, kernel size, stride, groups."""


def main(settings: ProgramSettings) -> None:
    """Prints a line for each shape."""
    del settings
    rows = []
    for name, shape, channels, size, stride, groups in _SHAPES:
        ours, theirs = (
            conv(
                *(shape[-1], channels, size),
                stride=stride,
                padding=size // 2,
                groups=groups,
                rngs=nnx.Rngs(0),
            )
            for _ in range(2)
        )
        theirs.conv_general_dilated = jax.lax.conv_general_dilated
        x = jnp.asarray(np.random.default_rng(0).normal(size=(1, *shape)), jnp.float32)
        seconds = _fastest(jax.jit(ours), jax.jit(theirs), x)
        times = [f"{1000 * each:.1f}" for each in seconds]
        row = (name, "x".join(map(str, shape)), str(groups), *times)
        rows.append((*row, f"{seconds[1] / seconds[0]:.0f}"))
    header = ("layer", "input", "groups", "ours", "XLA", "ratio")
    print("\n".join(aligned(header, rows, text_columns=2)))


def _fastest(ours: Callable, theirs: Callable, x: jax.Array) -> list[float]:
    seconds = [[], []]
    for _ in range(1 + _RUNS):  # the first compiles
        for function, times in zip((ours, theirs), seconds, strict=True):
            start = time.perf_counter()
            jax.block_until_ready(function(x))
            times.append(time.perf_counter() - start)
    return [min(times[1:]) for times in seconds]


if __name__ == "__main__":
    sys.exit(running.run(Path(sys.argv[0]).name, sys.modules[__name__], sys.argv[1:]))
