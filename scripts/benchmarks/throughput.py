"""Images per second of LPIPS on one device, the share of its matrix peak, and PyTorch's `lpips`.

Example:
  pip install torch torchvision lpips
  python scripts/benchmarks/throughput.py
  python scripts/benchmarks/throughput.py --models=alexnet --size=64x64 --versions=1

Ours is the compiled step of iqa score and iqa evaluate on images that are on the device, at the
unit size that they use. The peak is the speed of a large product of matrices in bfloat16, measured
in the same run; the share counts the convolutions of the step once, whatever its precision.
`lpips` runs as shipped, and under autocast against our bf16, on the same device, at the fastest of
several batch sizes and memory layouts; each of its pairs is two images. Where there is no GPU, its
rows say so. The networks are untrained: no weights are needed.
"""

# PyTorch and lpips are not dependencies of the package.
# pyright: reportMissingImports=false

import contextlib
import functools
import itertools
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
from benchmarks.costing.matrix_work import matrix_operations

from iqa_jax.engine.devices import UnitRunner
from iqa_jax.metrics.features import FeatureScores
from iqa_jax.metrics.registry import READOUT_METRICS
from iqa_jax.programs import running
from iqa_jax.programs.settings import ProgramSettings
from iqa_jax.readouts import ReadoutName
from iqa_jax.text import aligned
from iqa_jax.zoo import load_backbone

_METRICS = {"alexnet": "lpips-alex", "vgg16": "lpips-vgg"}
_MATRIX = {"cpu": 2048, "gpu": 8192, "tpu": 8192}
"""Rows of the matrices whose product measures the peak."""

_BATCHES = {"cpu": (1, 2, 4, 8), "gpu": (8, 16, 32, 64)}
_HEADER = (
    *("platform", "model", "precision", "images/s", "of the peak"),
    *("lpips images/s", "ours / lpips"),
)


@dataclass(frozen=True, kw_only=True)
class Settings(ProgramSettings):
    """Steps to time.

    Attributes:
      models: Networks of LPIPS: alexnet, vgg16.
      precisions: Precisions of ours.
      size: Height x width of the images.
      versions: Number of versions of each reference.
      repeats: Number of timed runs of each.
    """

    models: tuple[str, ...] = tuple(_METRICS)
    precisions: tuple[str, ...] = ("highest", "default", "bf16")
    size: str = "384x512"
    versions: int = field(default=8, metadata={"at_least": 1})
    repeats: int = field(default=5, metadata={"at_least": 1})


def main(settings: Settings) -> None:
    """Prints a row for each model and precision."""
    platform = jax.default_backend()
    peak = matrix_peak(_MATRIX.get(platform, _MATRIX["cpu"]), settings.repeats)
    kind = jax.devices()[0].device_kind
    print(
        f"{kind}: {peak / 1e12:.2f} TFLOP/s in bfloat16, {settings.versions} versions a reference"
    )
    rows = []
    for model, precision in itertools.product(settings.models, settings.precisions):
        speed, share = _ours(model, precision, settings, peak)
        theirs, reason = _theirs(model, precision, settings)
        measured = (f"{theirs:.1f}", f"{speed / theirs:.2f}") if theirs else (reason, "")
        rows.append((platform, model, precision, f"{speed:.1f}", f"{100 * share:.1f} %", *measured))
        if platform != "gpu":
            rows.append(("gpu", model, precision, *["not measured"] * 4))
    print("\n".join(aligned(_HEADER, sorted(rows), text_columns=3)))


def matrix_peak(size: int, repeats: int) -> float:
    """Operations per second of a product of square matrices in bfloat16.

    Args:
      size: Number of rows.
      repeats: Number of timed runs.
    """
    matrix = jnp.ones((size, size), jnp.bfloat16)
    return 2 * size**3 / _seconds(jax.jit(jnp.matmul), (matrix, matrix), repeats)


def _ours(model: str, precision: str, settings: Settings, peak: float) -> tuple[float, float]:
    """Images per second, and the share of the peak."""
    height, width = map(int, settings.size.split("x"))
    step = _step(model, precision)
    runner = UnitRunner(step, devices=jax.local_devices()[:1])
    units = runner.unit_count(height, width)
    rng = np.random.default_rng(0)
    reference, distorted = (
        rng.integers(0, 256, (units, *versions, height, width, 3), np.uint8)
        for versions in ((), (settings.versions,))
    )
    # Already on the device: they are not transferred again.
    images = jax.device_put((reference, distorted), jax.local_devices()[0])
    count = units * (1 + settings.versions)
    speed = count / _seconds(runner, images, settings.repeats)
    program = jax.make_jaxpr(jax.vmap(FeatureScores.versions, in_axes=(None, 0, 0)))(
        _step(model, "bf16"), *images
    )
    return speed, speed * matrix_operations(program.jaxpr) / count / peak


def _step(model: str, precision: str) -> FeatureScores:
    published = ReadoutName.parse(READOUT_METRICS[_METRICS[model]].readout)
    untrained = load_backbone(f"{model}-random-none-seed0", precision=precision)
    name = ReadoutName(untrained.name, published.layers, published.readout)
    return FeatureScores.of(untrained, [name])


def _theirs(model: str, precision: str, settings: Settings) -> tuple[float, str]:
    """Images per second of `lpips`; 0 and the reason if it cannot be measured."""
    if precision == "default":  # what it does as shipped
        precision = "highest"
    try:
        import torch  # noqa: PLC0415
        from benchmarks.peer_tools import AbsentError, models_of  # noqa: PLC0415
    except ImportError as error:
        return 0.0, f"absent ({error})"
    is_gpu = jax.default_backend() == "gpu"
    if is_gpu and not torch.cuda.is_available():
        return 0.0, "not measured: PyTorch has no GPU"
    device = torch.device("cuda" if is_gpu else "cpu")
    try:
        network = models_of(model, load_backbone(f"{model}-random-none-seed0"))["lpips"]()
    except AbsentError as error:
        return 0.0, f"absent ({error})"
    height, width = map(int, settings.size.split("x"))

    @torch.inference_mode()
    def run(reference: torch.Tensor, distorted: torch.Tensor) -> None:
        is_bf16 = precision == "bf16"
        with torch.autocast(device.type, torch.bfloat16) if is_bf16 else contextlib.nullcontext():
            network(reference, distorted)
        if is_gpu:
            torch.cuda.synchronize()

    speeds = []
    for batch, layout in itertools.product(
        _BATCHES[device.type], (torch.contiguous_format, torch.channels_last)
    ):
        network = network.to(device, memory_format=layout)
        images = [
            torch.rand(batch, 3, height, width, device=device).contiguous(memory_format=layout)
            for _ in range(2)
        ]
        speeds.append(2 * batch / _seconds(run, images, settings.repeats))
    return max(speeds), ""


def _seconds(function: Callable, arguments, repeats: int) -> float:
    """Median time of a call, after one that compiles."""
    call = functools.partial(function, *arguments)
    jax.block_until_ready(call())
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        jax.block_until_ready(call())
        times.append(time.perf_counter() - start)
    return statistics.median(times)


if __name__ == "__main__":
    sys.exit(running.run(Path(sys.argv[0]).name, sys.modules[__name__], sys.argv[1:]))
