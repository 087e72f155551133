"""Times the metrics against SSIM on this machine.

Example:
  python scripts/benchmarks/metric_speed.py
  python scripts/benchmarks/metric_speed.py --metrics=fsim,lpips-alex --size=768x1024

Each metric scores a few pairs of noise images, called with arrays as in a notebook; compiling is
not timed. SSIM is timed before each of them, and the ratio is the median of several runs in turn.
Classes: fast up to twice SSIM's time, medium up to 20 times, slow beyond. Needs the weights of the
networks (iqa fetch); metrics without them are listed as absent.
"""

import statistics
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import jax
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from iqa_jax.errors import InputError
from iqa_jax.metrics import Metric, list_metrics, load_metric
from iqa_jax.programs import running
from iqa_jax.programs.settings import CheckpointSettings

_CLASSES = (("fast", 2.0), ("medium", 20.0), ("slow", float("inf")))


@dataclass(frozen=True, kw_only=True)
class Settings(CheckpointSettings):
    """Metrics to time.

    Attributes:
      metrics: Names of the metrics. Default: all that are published.
      size: Height x width of the images.
      pairs: Number of pairs in a call.
      repeats: Number of timed calls.
    """

    metrics: tuple[str, ...] = ()
    size: str = "384x512"
    pairs: int = field(default=4, metadata={"at_least": 1})
    repeats: int = field(default=5, metadata={"at_least": 1})


def main(settings: Settings) -> None:
    """Prints a row for each metric."""
    height, width = map(int, settings.size.split("x"))
    rng = np.random.default_rng(0)
    shape = (settings.pairs, height, width, 3)
    pair = [jax.numpy.asarray(rng.integers(0, 256, shape, np.uint8)) for _ in range(2)]
    ssim = load_metric("ssim")
    print("| metric | ms a pair | times SSIM | class |\n|---|---|---|---|")
    for name in settings.metrics or list_metrics():
        try:
            metric = load_metric(name, checkpoints_dir=settings.checkpoints_dir)
        except InputError as error:
            print(f"| {name} | absent | | {error} |")
            continue
        for each in (ssim, metric):
            _seconds(each, pair)  # compiles
        times = [(_seconds(ssim, pair), _seconds(metric, pair)) for _ in range(settings.repeats)]
        ratio = statistics.median(ours / basis for basis, ours in times)
        milliseconds = 1000 * statistics.median(ours for _, ours in times) / settings.pairs
        speed = next(word for word, most in _CLASSES if ratio <= most)
        print(f"| {name} | {milliseconds:.1f} | {ratio:.1f} | {speed} |", flush=True)


def _seconds(metric: Metric, pair: list[jax.Array]) -> float:
    start = time.perf_counter()
    jax.block_until_ready(metric(*pair))
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(running.run(Path(sys.argv[0]).name, sys.modules[__name__], sys.argv[1:]))
