"""Times the metrics against SSIM on this machine.

Example:
  python scripts/benchmarks/metric_speed.py
  python scripts/benchmarks/metric_speed.py --metrics=fsim,lpips-alex --size=768x1024

Each metric scores a few pairs of noise images, called with arrays as in a notebook; compiling is
not timed. SSIM is timed before each of them, and the ratio is the median of several runs in turn.
The classes are those of ``iqa_jax.metrics.speed``. A network whose weights have not been fetched is
timed untrained and without relevance, which makes no difference.
"""

import statistics
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import jax
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from iqa_jax.errors import CheckpointError
from iqa_jax.metrics import Metric, list_metrics, load_metric, parse_metric
from iqa_jax.metrics.features import FeatureScores
from iqa_jax.metrics.speed import speed_class
from iqa_jax.programs import running
from iqa_jax.programs.settings import CheckpointSettings
from iqa_jax.zoo import load_backbone
from iqa_jax.zoo.registry import find_model


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
        metric = _load(name, settings)
        for each in (ssim, metric):
            _seconds(each, pair)  # compiles
        times = [(_seconds(ssim, pair), _seconds(metric, pair)) for _ in range(settings.repeats)]
        ratio = statistics.median(ours / basis for basis, ours in times)
        milliseconds = 1000 * statistics.median(ours for _, ours in times) / settings.pairs
        print(f"| {name} | {milliseconds:.1f} | {ratio:.1f} | {speed_class(ratio)} |", flush=True)


def _load(name: str, settings: Settings) -> Metric:
    try:
        return load_metric(name, checkpoints_dir=settings.checkpoints_dir)
    except CheckpointError:
        parsed = parse_metric(name)
        assert parsed.readout
        backbone = load_backbone(f"{find_model(parsed.readout.model).trunk}-random-none-seed0")
        readouts = [replace(parsed.readout, relevance=None)]
        return Metric(FeatureScores.of(backbone, readouts, protocol=parsed.protocol), name)


def _seconds(metric: Metric, pair: list[jax.Array]) -> float:
    start = time.perf_counter()
    jax.block_until_ready(metric(*pair))
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(running.run(Path(sys.argv[0]).name, sys.modules[__name__], sys.argv[1:]))
