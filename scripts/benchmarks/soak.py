"""Scores pairs by processes that are killed at random moments, and compares the table.

Example:
  python scripts/benchmarks/soak.py
  python scripts/benchmarks/soak.py --pairs=300 --lists=30

First one process scores all pairs undisturbed. Then several processes do the same in another
folder; each is killed three times, with SIGKILL, SIGKILL and SIGTERM, and started again until it
has done its work. Both tables must be the same to the byte. The pairs are different, of small
images of noise. Throughput and resident memory (of the largest process, a median) are those of each
quarter of the work, by the times at which shards were finished.
"""

import itertools
import random
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from iqa_jax.programs import running
from iqa_jax.programs.running import ExitStatus
from iqa_jax.programs.settings import ProgramSettings
from iqa_jax.text import aligned

_VERSIONS = 200
_SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM)
_LATEST = 0.7
"""Share of the shards after which no moment is drawn."""

_YOUNG = 5.0
"""Seconds that a process may live before it is killed, at most; it starts in about as many."""

_EXPECTED = {
    signal.SIGKILL: {-signal.SIGKILL},
    signal.SIGTERM: {ExitStatus.INTERRUPTED, -signal.SIGTERM},  # the latter while Python starts
}
_PATIENCE = 60.0  # seconds after SIGTERM, on any machine


@dataclass(frozen=True, kw_only=True)
class Settings(ProgramSettings):
    """Work and disturbances.

    Attributes:
      pairs: Number of pairs.
      lists: Number of files that list them; each is at least one shard.
      size: Width and height of the images.
      metrics: Metrics.
      processes: Number of processes that are killed.
    """

    pairs: int = field(default=50_000, metadata={"at_least": 1})
    lists: int = field(default=1, metadata={"at_least": 1})
    size: int = field(default=32, metadata={"at_least": 16})
    metrics: tuple[str, ...] = ("psnr", "ssim")
    processes: int = field(default=3, metadata={"at_least": 1})


class Worker:
    """A process that is killed at given moments, and started again whenever it has ended.

    Args:
      command: Its command line.
      log: File for what it says.
      moments: Numbers of finished shards, ascending, from which on it is killed.
      chance: Source of the moments' seconds.
    """

    def __init__(
        self, command: Sequence[str], log: Path, moments: Sequence[float], chance: random.Random
    ):
        self._command = command
        self._log = log
        self._kills = list(zip(moments, _SIGNALS, strict=False))
        self._chance = chance
        self._start()
        self.starts = 1
        self.killed: list[tuple[signal.Signals, int, float]] = []
        self.memory: list[tuple[int, float]] = []
        self.is_done = False

    def _start(self) -> None:
        with self._log.open("a") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        self._killed_from = time.monotonic() + self._chance.uniform(0, _YOUNG)

    def look(self, finished: int) -> None:
        """Kills the process, starts it again, or measures its memory.

        Args:
          finished: Number of shards that are finished.

        Raises:
          RuntimeError: If it has ended in another way than expected.
        """
        if self.is_done:
            return
        status = self._process.poll()
        is_old = time.monotonic() >= self._killed_from
        if status is None and self._kills and finished >= self._kills[0][0] and is_old:
            status = self._kill(self._kills.pop(0)[1])
        elif status is None:
            self.memory.append((finished, _resident(self._process.pid)))
            return
        elif status:
            raise RuntimeError(f"a process ended with {status}:\n{self._log.read_text()[-2000:]}")
        self.is_done = not status and not self._kills
        if not self.is_done:
            self._start()
            self.starts += 1

    def _kill(self, number: signal.Signals) -> int:
        started_at = time.monotonic()
        self._process.send_signal(number)
        status = self._process.wait(_PATIENCE)
        self.killed.append((number, status, time.monotonic() - started_at))
        if status not in _EXPECTED[number] | {0}:  # it may just have been done
            raise RuntimeError(f"after {number.name} a process ended with {status}")
        return status

    def median_memory(self, first: int, last: int) -> float:
        """Median of its resident memory, in MiB, between two numbers of finished shards."""
        found = [each for finished, each in self.memory if first <= finished <= last]
        return statistics.median(found) if found else 0.0

    def close(self) -> None:
        """Ends the process if it still runs."""
        self._process.kill()
        self._process.wait()


@dataclass(frozen=True)
class Run:
    """Result of a run.

    Attributes:
      table: The merged table.
      seconds: Times at which shards were finished, from the start of the run, ascending.
      workers: Its processes.
    """

    table: bytes
    seconds: Sequence[float]
    workers: Sequence[Worker]

    def row(self, name: str, pairs: int) -> list[str]:
        """A line of the table of results."""
        ends = [len(self.seconds) * quarter // 4 for quarter in range(5)]
        marks = [0.0, *(self.seconds[max(0, end - 1)] for end in ends[1:])]
        memory = [
            max(worker.median_memory(first, last) for worker in self.workers)
            for first, last in itertools.pairwise(ends)
        ]
        starts = sum(worker.starts for worker in self.workers)
        return [
            *(name, str(len(self.workers)), str(starts), f"{self.seconds[-1]:,.0f}"),
            " ".join(f"{pairs / 4 / max(each, 1e-9):,.0f}" for each in np.diff(marks)),
            " ".join(f"{each:.0f}" for each in memory),
        ]


def main(settings: Settings) -> None:
    """Prints a line for each run, and what the kills led to.

    Raises:
      RuntimeError: If the tables differ, or a process ends in another way than expected.
    """
    with tempfile.TemporaryDirectory() as name:
        lists = _write_files(Path(name), settings)
        undisturbed = _run(Path(name), lists, settings, is_disturbed=False)
        disturbed = _run(Path(name), lists, settings, is_disturbed=True)
    names = ["run", "processes", "starts", "s", "pairs/s by quarter", "MiB by quarter"]
    rows = [
        undisturbed.row("undisturbed", settings.pairs),
        disturbed.row("killed", settings.pairs),
    ]
    print("\n".join(aligned(names, rows, text_columns=1)))
    killed = [each for worker in disturbed.workers for each in worker.killed]
    endings = Counter((number.name, int(status)) for number, status, _ in killed)
    for (number, status), count in sorted(endings.items()):
        print(f"{count} x {number}: exit status {status}")
    slowest = max(seconds for number, _, seconds in killed if number == signal.SIGTERM)
    print(f"Slowest end after SIGTERM: {slowest:.2f} s")
    if disturbed.table != undisturbed.table:
        raise RuntimeError("the tables differ")
    print(f"The tables of {len(undisturbed.seconds)} shards are identical.")


def _write_files(folder: Path, settings: Settings) -> list[Path]:
    """Draws the images, and lists different pairs of them."""
    noise = np.random.default_rng(0)
    references = -(-settings.pairs // _VERSIONS)
    for number in range(references + _VERSIONS):
        pixels = noise.integers(0, 256, (settings.size, settings.size, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:05d}.png")
    rows = [
        f"{row // _VERSIONS:05d}.png,{references + row % _VERSIONS:05d}.png\n"
        for row in range(settings.pairs)
    ]
    lists = []
    for number, some in enumerate(np.array_split(np.arange(settings.pairs), settings.lists)):
        lists.append(folder / f"pairs{number:03d}.csv")
        lists[-1].write_text("reference,distorted\n" + "".join(rows[row] for row in some))
    return lists


def _run(folder: Path, lists: Sequence[Path], settings: Settings, *, is_disturbed: bool) -> Run:
    count = settings.processes if is_disturbed else 1
    output = folder / f"scores{count}{'killed' * is_disturbed}"
    command = [sys.executable, "-m", "iqa_jax", "score", f"--metrics={','.join(settings.metrics)}"]
    command += [f"--pairs={','.join(map(str, lists))}", f"--output={output}"]
    chance = random.Random(0)
    shards = sum(max(1, -(-path.stat().st_size // 2**12)) for path in lists)
    started_at = time.time()
    workers: list[Worker] = []
    try:
        for index in range(count):
            share = [f"--process_index={index}", f"--process_count={count}"]
            moments = sorted(chance.uniform(0, _LATEST * shards) for _ in _SIGNALS)
            log = folder / f"{output.name}.{index}.log"
            moments = moments if is_disturbed else []
            workers.append(Worker([*command, *share], log, moments, chance))
        while not all(worker.is_done for worker in workers):
            finished = len(list(output.glob("shards/*.csv")))
            for worker in workers:
                worker.look(finished)
            time.sleep(chance.uniform(0.02, 0.1))
    finally:
        for worker in workers:
            worker.close()
    times = sorted(path.stat().st_mtime - started_at for path in output.glob("shards/*.csv"))
    return Run((output / "scores.csv").read_bytes(), times, workers)


def _resident(process: int) -> float:
    """Resident memory of a process, in MiB; 0 if it has just ended."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


if __name__ == "__main__":
    sys.exit(running.run("soak", sys.modules[__name__], sys.argv[1:]))
