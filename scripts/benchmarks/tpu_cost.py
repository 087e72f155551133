"""Cycles and memory of our step on a TPU, as its compiler expects them; no TPU is needed.

Example:
  pip install --no-deps --target=.venv-libtpu libtpu
  export PYTHONPATH=.venv-libtpu
  python scripts/benchmarks/tpu_cost.py --metrics=lpips-alex,dists,ssim --precision=bf16
  python scripts/benchmarks/tpu_cost.py --models=alexnet,vgg16 --output=cost.csv

What is compiled is the step of iqa evaluate as it runs on the chips of the topology, with shapes
instead of weights. Counted are the compiler's estimates for all instructions, those in loops times
the trips, over all images that pass: V versions and a reference in each unit. Two limits are given
in the same cycles: matrix_limit, the time in which the chip's matrix units can compute the
convolutions and products (in float32 six passes of bfloat16 for highest, three for high, one for
default); and memory_bound, the time in which main memory can move the arguments and the scores
once, and write and read once every result that this compiled program keeps there.

An estimate is no measurement. A 3x3 convolution of 512 channels at 48x64 positions comes out at
82 % of the limit of a v5e, 81 % of a v5p and 64 % of a v6e. Passes over memory are priced too high,
sums about 4 times and conversions 2.6 times the bandwidth's own time; a reshape or a concatenation
for which the compiler has no price is counted with the time of the memory. Rows that the output
file has already are not computed again.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import jax
from costing.chips import chip_of, mesh_of_topology
from costing.hlo import Charge
from costing.measuring import measure
from costing.outlines import outline_metric, outline_model
from costing.rows import Row, append_row, read_rows

sys.path.insert(0, str(Path(__file__).parents[1]))
from iqa_jax.engine.step import Step
from iqa_jax.engine.unit_sizes import images_at_once
from iqa_jax.errors import InputError
from iqa_jax.metrics.registry import parse_metrics
from iqa_jax.programs import running
from iqa_jax.programs.running import ExitStatus
from iqa_jax.programs.settings import ProgramSettings
from iqa_jax.zoo.registry import expand_models


@dataclass(frozen=True, kw_only=True)
class Settings(ProgramSettings):
    """Steps to compile.

    Attributes:
      metrics: Names of metrics, each a step of its own.
      models: Names of models, each a step with all its layers and read-outs.
      layers: Layers of the models.
      readouts: Read-outs of each layer.
      precision: Precision of the networks.
      topology: Chips, in the words of libtpu: v5e:2x2, v6e:2x2 or v5p:2x2x1.
      sizes: Width x height of the images.
      units: Number of units on a chip at a time. Default: that of the engine.
      versions: Number of distorted versions in a unit.
      dearest: Number of the dearest instructions to show.
      output: CSV file to which rows are added.
    """

    metrics: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    layers: tuple[str, ...] = ("all",)
    readouts: tuple[str, ...] = ("l2", "unit")
    precision: Literal["highest", "high", "default", "bf16"] = "highest"
    topology: str = "v5e:2x2"
    sizes: tuple[str, ...] = ("288x288", "512x384", "1024x768", "1920x1080")
    units: int | None = field(default=None, metadata={"none": "auto"})
    versions: int = field(default=8, metadata={"at_least": 1})
    dearest: int = field(default=8, metadata={"at_least": 0})
    output: str | None = None


def main(settings: Settings) -> ExitStatus:
    """Compiles each step for each size and prints its cost, or why there is none."""
    if not settings.metrics and not settings.models:
        raise InputError("expected --metrics or --models; see --help")
    sizes = [_parse_size(text) for text in settings.sizes]
    mesh = mesh_of_topology(settings.topology)
    path = Path(settings.output) if settings.output else None
    known = [row.key for row in read_rows(path)] if path else []
    status = ExitStatus.DONE
    for name, step in _steps(settings):
        for height, width in sizes:
            units = settings.units or images_at_once(step, (height, width), "tpu")
            asked = Row(
                *(name, settings.precision, settings.topology, height, width, units),
                settings.versions,
            )
            if asked.key in known:
                continue
            try:
                row, charged = measure(step, mesh, asked)
            except InputError as error:
                print(f"{_what(asked)}: {error}", file=sys.stderr, flush=True)
                status = ExitStatus.INPUT
                continue
            print(_text(row, charged, settings.dearest), flush=True)
            if path:
                append_row(path, row)
    return status


def _steps(settings: Settings) -> Iterator[tuple[str, Step]]:
    for metric in parse_metrics(settings.metrics):
        yield metric.name, outline_metric(metric, settings.precision)
    for model in expand_models(settings.models):
        name = f"{model}/{','.join(settings.layers)}/{','.join(settings.readouts)}"
        step = outline_model(model, settings.layers, settings.readouts, settings.precision)
        yield name, step


def _parse_size(text: str) -> tuple[int, int]:
    width, times, height = text.partition("x")
    if not (times and width.isdecimal() and height.isdecimal()):
        raise InputError(f"sizes: expected WIDTHxHEIGHT, got {text!r}")
    return int(height), int(width)


def _what(row: Row) -> str:
    return (
        f"{row.name}, {row.precision}, {row.topology}, {row.width}x{row.height}, "
        f"{row.units} units of {row.versions} versions"
    )


def _text(row: Row, charged: Sequence[Charge], dearest: int) -> str:
    images = row.units * (row.versions + 1)
    chip = chip_of(row.topology)
    cycles = row.kilocycles_per_image * 1e3
    lines = [
        f"{_what(row)}: {cycles / 1e3:,.0f} kilocycles per image "
        f"({chip.hertz / cycles:,.0f} images/s a chip), matrix limit {row.matrix_limit:,.0f}, "
        f"memory bound {row.memory_bound:,.0f}, {row.temp_gib:.2f} GiB, compiled in "
        f"{row.compile_seconds:.0f} s"
    ]
    for each in sorted(charged, key=lambda each: each.cycles, reverse=True)[:dearest]:
        share = each.cycles / images / cycles
        shape = each.instruction.shape.split("{")[0].lstrip("(")
        lines.append(
            f"  {each.cycles / images / 1e3:9,.1f} {share:6.1%}  {each.instruction.name:32} "
            f"{shape:26} {each.instruction.source[-56:]}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    jax.config.update("jax_enable_compilation_cache", False)
    sys.exit(running.run(Path(sys.argv[0]).name, sys.modules[__name__], sys.argv[1:]))
