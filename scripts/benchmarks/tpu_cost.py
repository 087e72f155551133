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
once, and write and read once every result that the compiled program keeps there.

The estimates of convolutions are good: one of 512 channels comes out within 2 % of the limit. Those
of passes over memory are too high, sums by about 4 times and conversions by 2.6 times the
bandwidth's own time. Rows that the output file has already are not computed again.
"""

import csv
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

import jax
from costing.chips import chip_of, mesh_of_topology
from costing.hlo import Charge, charges
from costing.matrix_work import matrix_operations
from costing.outlines import outline_metric, outline_readouts
from jax.sharding import Mesh

sys.path.insert(0, str(Path(__file__).parents[1]))
from iqa_jax.engine.devices import trace
from iqa_jax.engine.step import Step
from iqa_jax.engine.unit_sizes import images_at_once
from iqa_jax.errors import InputError
from iqa_jax.metrics.registry import parse_metrics
from iqa_jax.programs import running
from iqa_jax.programs.layers import resolve
from iqa_jax.programs.settings import ProgramSettings
from iqa_jax.readouts import ReadoutName, parse_readout
from iqa_jax.zoo import model_layers
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


@dataclass(frozen=True)
class Row:
    """Cost of a step for one image size.

    Attributes:
      name: Name of the metric, or of the model with its layers and read-outs.
      precision: Precision of the network.
      topology: Chips.
      height: Height of the images.
      width: Width of the images.
      units: Number of units on a chip at a time.
      versions: Number of distorted versions in a unit.
      kilocycles_per_image: Estimated cycles of a chip, in thousands.
      matrix_limit: Kilocycles per image of the matrix units alone.
      memory_bound: Kilocycles per image of the main memory alone.
      temp_gib: Memory of a chip for intermediate results.
      compile_seconds: Time to compile the step on this machine.
    """

    name: str
    precision: str
    topology: str
    height: int
    width: int
    units: int
    versions: int
    kilocycles_per_image: float
    matrix_limit: float
    memory_bound: float
    temp_gib: float
    compile_seconds: float

    @property
    def key(self) -> list[str]:
        """What was compiled, as in a CSV file."""
        return list(map(str, list(vars(self).values())[:7]))


def main(settings: Settings) -> None:
    """Compiles each step for each size and prints its cost."""
    if not settings.metrics and not settings.models:
        raise InputError("expected --metrics or --models; see --help")
    sizes = [_parse_size(text) for text in settings.sizes]
    mesh = mesh_of_topology(settings.topology)
    path = Path(settings.output) if settings.output else None
    known = _read_keys(path) if path else []
    for name, step in _steps(settings):
        for height, width in sizes:
            units = settings.units or images_at_once(step, (height, width), "tpu")
            asked = Row(
                *(name, settings.precision, settings.topology, height, width, units),
                *(settings.versions, 0, 0, 0, 0, 0),
            )
            if asked.key in known:
                continue
            row, charged = measure(step, mesh, asked)
            print(_text(row, charged, settings.dearest), flush=True)
            if path:
                _append(path, row)


def measure(step: Step, mesh: Mesh, asked: Row) -> tuple[Row, Sequence[Charge]]:
    """Compiles a step and counts its cost.

    Args:
      step: The step; shapes instead of arrays are enough.
      mesh: Chips of the topology.
      asked: What to compile; its numbers are not used.

    Returns:
      The same with its numbers, and the charges of its instructions.
    """
    chip = chip_of(asked.topology)
    images = asked.units * (asked.versions + 1)
    started_at = time.monotonic()
    units = asked.units * mesh.size
    traced = trace(step, mesh, units, asked.versions, (asked.height, asked.width))
    compiled = traced.lower().compile()
    seconds = time.monotonic() - started_at
    charged = charges(compiled.as_text() or "")
    memory: Any = compiled.memory_analysis()
    outside = memory.argument_size_in_bytes + memory.output_size_in_bytes
    moved = outside + 2 * sum(each.bytes_kept for each in charged)
    row = Row(
        *list(vars(asked).values())[:7],
        kilocycles_per_image=sum(each.cycles for each in charged) / images / 1e3,
        matrix_limit=matrix_operations(traced.jaxpr.jaxpr) / chip.flops_a_cycle / images / 1e3,
        memory_bound=moved / chip.bytes_a_cycle / images / 1e3,
        temp_gib=memory.temp_size_in_bytes / 2**30,
        compile_seconds=seconds,
    )
    return row, charged


def _steps(settings: Settings) -> Iterator[tuple[str, Step]]:
    for metric in parse_metrics(settings.metrics):
        yield metric.name, outline_metric(metric, settings.precision)
    models = {model: model_layers(model) for model in expand_models(settings.models)}
    wanted = resolve(settings.layers, models) if models else {}
    for model, joined in wanted.items():
        readouts = [
            ReadoutName(model, layers, *parse_readout(readout))
            for layers in joined
            for readout in settings.readouts
        ]
        name = f"{model}/{','.join(settings.layers)}/{','.join(settings.readouts)}"
        yield name, outline_readouts(readouts, settings.precision)


def _parse_size(text: str) -> tuple[int, int]:
    width, times, height = text.partition("x")
    if not (times and width.isdecimal() and height.isdecimal()):
        raise InputError(f"sizes: expected WIDTHxHEIGHT, got {text!r}")
    return int(height), int(width)


def _text(row: Row, charged: Sequence[Charge], dearest: int) -> str:
    images = row.units * (row.versions + 1)
    chip = chip_of(row.topology)
    cycles = row.kilocycles_per_image * 1e3
    lines = [
        f"{row.name}, {row.precision}, {row.topology}, {row.width}x{row.height}, {row.units} units "
        f"of {row.versions} versions: {cycles / 1e3:,.0f} kilocycles per image "
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


def _read_keys(path: Path) -> list[list[str]]:
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return [row[:7] for row in csv.reader(file)]


def _append(path: Path, row: Row) -> None:
    is_new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if is_new:
            writer.writerow(each.name for each in fields(Row))
        values = vars(row).values()
        writer.writerow(f"{each:.4g}" if isinstance(each, float) else each for each in values)


if __name__ == "__main__":
    jax.config.update("jax_enable_compilation_cache", False)
    sys.exit(running.run(Path(sys.argv[0]).name, sys.modules[__name__], sys.argv[1:]))
