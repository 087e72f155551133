"""Reads damaged files of every supported format, with one byte changed at a time.

Example:
  python scripts/benchmarks/fuzz.py --mutants=20000
  python scripts/benchmarks/fuzz.py --formats=png --only=33:7

A reader may refuse a mutant with one of our errors, or read it: with the same content or, where the
format cannot detect the change, with other content. It must not raise anything else, crash, hang or
use much memory; such cases are listed below the table, and the exit status is 1. Mutants are read
by the package's own functions in processes that may crash. `--only` shows all details of one.

Each format has one small file (fuzzing/seed_files.py). A changed byte hardly ever gets past a
checksum: in the formats ending in `-sealed` the checksums are corrected after the change.
"""

import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fuzzing.formats import FORMATS, Format
from fuzzing.mutants import Finding, Mutant, Outcome, choose, parse
from fuzzing.workers import Limits, read_mutants
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).parents[1]))
from iqa_jax.errors import InputError
from iqa_jax.programs import running
from iqa_jax.programs.running import ExitStatus
from iqa_jax.programs.settings import ProgramSettings

_LIMITS = Limits()


@dataclass(frozen=True, kw_only=True)
class Settings(ProgramSettings):
    """Mutants to read.

    Attributes:
      formats: The formats. Default: all.
      mutants: Number of mutants of each format, all different.
      seed: Seed of the choice of mutants.
      seconds: Time limit for each format.
      mutant_seconds: Time limit for a mutant; one that takes longer is a hang.
      megabytes: Memory limit for reading a file.
      workers: Number of processes.
      only: A single mutant POSITION:VALUE of a single format.
    """

    formats: tuple[str, ...] = ()
    mutants: int = field(default=20_000, metadata={"at_least": 1})
    seed: int = 0
    seconds: float = _LIMITS.seconds
    mutant_seconds: float = _LIMITS.mutant_seconds
    megabytes: int = _LIMITS.megabytes
    workers: int = field(default=2, metadata={"at_least": 1})
    only: str | None = None


STATUSES = {ExitStatus.INPUT: "a reader handled a mutant wrongly, or a flag is wrong"}
"""Exit statuses of this program, besides those of all."""

COLUMNS: Mapping[str, Outcome] = {
    "refused": Outcome.REFUSED,
    "same content": Outcome.SAME,
    "other content": Outcome.OTHER,
    "tracebacks": Outcome.TRACEBACK,
    "crashes": Outcome.CRASH,
    "hangs": Outcome.HANG,
    "memory": Outcome.MEMORY,
}

_IN_MEMORY = Path("/dev/shm")
"""Folder of files in memory, on systems that have one."""


def main(settings: Settings, formats: Mapping[str, Format] = FORMATS) -> ExitStatus:
    """Prints the table and the findings.

    Returns:
      The exit status, which says whether there were any findings.
    """
    tqdm.monitor_interval = 0  # a thread would interfere with forking
    names = _names(settings, formats)
    only = _only(settings, names, formats)
    limits = Limits(settings.mutant_seconds, settings.megabytes, settings.seconds)
    findings = []
    _print_row("format", "bytes", "mutants", *COLUMNS)
    _print_row(*["---"] * (3 + len(COLUMNS)))
    for name in names:
        data = formats[name].data
        mutants = only or choose(data, settings.mutants, (settings.seed, zlib.crc32(name.encode())))
        outcomes, found = _read(name, formats[name], mutants, limits, settings.workers)
        counts = Counter(outcomes)
        read = len(mutants) - counts[Outcome.PENDING]
        _print_row(name, len(data), read, *(counts[outcome] for outcome in COLUMNS.values()))
        findings += [(name, finding) for finding in found]
    print("".join(f"\n{line}" for line in grouped(findings)))
    if only:
        print("".join(f"\n{finding.details}" for _, finding in findings))
    return ExitStatus.INPUT if findings else ExitStatus.DONE


def grouped(findings: Sequence[tuple[str, Finding]]) -> Iterator[str]:
    """A line for the findings in each format at each place, with flags that reproduce one."""
    groups: dict[tuple, list[Finding]] = {}
    for name, finding in findings:
        key = (name, finding.outcome, finding.kind, finding.place)
        groups.setdefault(key, []).append(finding)
    for (name, outcome, kind, place), found in groups.items():
        yield (
            f"* {len(found)} x {outcome.name.lower()} ({kind}) at {place}; "
            f"--formats={name} --only={found[0].mutant}"
        )


def _read(
    name: str, form: Format, mutants: Sequence[Mutant], limits: Limits, workers: int
) -> tuple[list[int], list[Finding]]:
    with (
        tempfile.TemporaryDirectory(dir=_IN_MEMORY if _IN_MEMORY.is_dir() else None) as folder,
        tqdm(total=len(mutants), desc=name, unit="mutant", leave=False) as bar,
    ):
        return read_mutants(
            form,
            mutants,
            Path(folder),
            workers=workers,
            limits=limits,
            progress=lambda done: bar.update(done - bar.n),
        )


def _names(settings: Settings, formats: Mapping[str, Format]) -> Sequence[str]:
    names = settings.formats or [*formats]
    unknown = [name for name in names if name not in formats]
    if unknown:
        raise InputError(f"--formats: there is no {unknown[0]}; there are: {', '.join(formats)}")
    return names


def _only(
    settings: Settings, names: Sequence[str], formats: Mapping[str, Format]
) -> list[Mutant] | None:
    if settings.only is None:
        return None
    if len(names) != 1:
        raise InputError("--only: expected one format, say --formats")
    return [parse(settings.only, formats[names[0]].data)]


def _print_row(*cells: object) -> None:
    print(f"| {' | '.join(map(str, cells))} |", flush=True)


if __name__ == "__main__":
    sys.exit(running.run(Path(sys.argv[0]).name, sys.modules[__name__], sys.argv[1:]))
