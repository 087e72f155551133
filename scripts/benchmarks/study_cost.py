"""Time that TPUs need for the networks of the study on TID2013, as their compiler expects it.

Example:
  export PYTHONPATH=.venv-libtpu
  python scripts/benchmarks/study_cost.py --output=study_cost.csv

The networks of @study46 with l2 and unit at all layers, over 3000 pairs of 25 references of
512x384. Checkpoints that differ in nothing but their weights share a program, which is compiled
once. Programs that the file has already are not compiled again, so an interrupted run continues;
the table has all that the file has. tpu_cost.py explains libtpu and the estimates. Calls that are
not full take the same time as full ones. The host's decoding, which runs beside the chips, is not
counted, nor is loading weights.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import jax
from costing.chips import chip_of, mesh_of_topology
from costing.measuring import measure
from costing.outlines import outline_model
from costing.rows import Row, append_row, read_rows
from etils import epath

sys.path.insert(0, str(Path(__file__).parents[1]))
from iqa_jax.datasets import Pair, PairTable
from iqa_jax.engine.plan import Plan, make_plan
from iqa_jax.engine.unit_sizes import images_at_once
from iqa_jax.errors import InputError
from iqa_jax.images.decode import Header
from iqa_jax.images.sources import ImageFolder
from iqa_jax.programs import running
from iqa_jax.programs.settings import ProgramSettings
from iqa_jax.text import aligned
from iqa_jax.zoo.registry import STUDY46, expand_models, find_model

_SIZE = 384, 512
_READOUTS = "l2", "unit"


@dataclass(frozen=True, kw_only=True)
class Settings(ProgramSettings):
    """The study.

    Attributes:
      output: CSV file to which rows are added, in the format of tpu_cost.py.
      trunks: Architectures to compile, in this order. Default: all, those with the most checkpoints
        first.
      precision: Precision of the networks.
      topology: Chips for which to compile.
      chips: Number of chips that share the work.
    """

    output: str
    trunks: tuple[str, ...] = ()
    precision: Literal["highest", "high", "default", "bf16"] = "default"
    topology: str = "v5e:2x2"
    chips: int = field(default=8, metadata={"at_least": 1})


def main(settings: Settings) -> None:
    """Compiles what the file lacks and prints the table."""
    models, plan = study_models(), tid2013()
    unknown = [trunk for trunk in settings.trunks if trunk not in models]
    if unknown:
        raise InputError(f"trunks: expected {', '.join(models)}, got {', '.join(unknown)}")
    path, mesh = Path(settings.output), mesh_of_topology(settings.topology)
    rows = {}
    for trunk in settings.trunks or models:
        step = outline_model(models[trunk][0], ["all"], _READOUTS, settings.precision)
        asked = Row(
            *(f"{trunk}/all/{','.join(_READOUTS)}", settings.precision, settings.topology, *_SIZE),
            *(images_at_once(step, _SIZE, "tpu"), plan.versions),
        )
        known = {row.key: row for row in read_rows(path)}
        if asked.key not in known:
            try:
                known[asked.key], _ = measure(step, mesh, asked)
            except InputError as error:
                print(f"{trunk}: {error}", file=sys.stderr, flush=True)
                continue
            append_row(path, known[asked.key])
            print(f"compiled {trunk}", file=sys.stderr, flush=True)
        rows[trunk] = known[asked.key]
    print(table(rows, models, len(plan.units), settings.chips))


def tid2013() -> Plan:
    """The engine's plan for a table with as many pairs and references as TID2013."""
    references = [f"I{number:02}" for number in range(1, 26)]
    pairs = [Pair(name, f"{name}_{version}", 0.0) for name in references for version in range(120)]
    table = PairTable("tid2013", pairs, ImageFolder(epath.Path()), higher_is_better=True)
    return make_plan(table, dict.fromkeys(references, Header(*_SIZE, 0)))


def study_models() -> dict[str, list[str]]:
    """Names of the models of the study by trunk, those with the most models first."""
    found: dict[str, list[str]] = {}
    for name in expand_models([STUDY46]):
        found.setdefault(find_model(name).trunk, []).append(name)
    return dict(sorted(found.items(), key=lambda item: -len(item[1])))


def table(
    rows: Mapping[str, Row], models: Mapping[str, Sequence[str]], units: int, chips: int
) -> str:
    """The costs of the trunks and of all their checkpoints, as text.

    Args:
      rows: Cost of each trunk.
      models: Models of each trunk.
      units: Number of work units of the dataset.
      chips: Number of chips that share the work.
    """
    lines, compiling, computing = [], 0.0, 0.0
    for trunk, row in rows.items():
        calls = -(-units // (row.units * chips))
        cycles = calls * row.units * (1 + row.versions) * row.kilocycles_per_image * 1e3
        seconds = len(models[trunk]) * cycles / chip_of(row.topology).hertz
        compiling, computing = compiling + row.compile_seconds, computing + seconds
        lines.append(
            (
                *(trunk, str(len(models[trunk])), f"{row.kilocycles_per_image:,.0f}"),
                *(f"{row.matrix_limit:,.0f}", str(row.units), str(calls), f"{row.temp_gib:.2f}"),
                *(f"{row.compile_seconds:.0f}", f"{seconds:.1f}"),
            )
        )
    heads = (
        *("trunk", "checkpoints", "kilocycles", "matrix limit", "units", "calls", "GiB"),
        *("s to compile", "s to compute"),
    )
    count = sum(len(models[trunk]) for trunk in rows)
    return "\n".join(
        (
            *aligned(heads, lines, text_columns=1),
            f"{count} networks on {chips} chips: {compiling:.0f} s to compile on this machine, "
            f"one program after the other, and {computing:.1f} s to compute",
        )
    )


if __name__ == "__main__":
    jax.config.update("jax_enable_compilation_cache", False)
    sys.exit(running.run(Path(sys.argv[0]).name, sys.modules[__name__], sys.argv[1:]))
