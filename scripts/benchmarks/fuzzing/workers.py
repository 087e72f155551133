"""Reads damaged files in separate processes, which may crash, hang or request all memory.

Worker processes are forked, which takes milliseconds: frequent crashes cost little. The outcome of
each mutant is kept in memory shared with the workers, so that the mutant that a worker was reading
when it ended is known.
"""

import contextlib
import faulthandler
import itertools
import json
import mmap
import multiprocessing
import os
import resource
import signal
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.context import ForkProcess
from pathlib import Path

import numpy as np
from etils import epath

from fuzzing.formats import Format
from fuzzing.mutants import Finding, Mutant, Outcome, digest, found_by_death, found_by_error

_FORK = multiprocessing.get_context("fork")
_POLL = 0.05
_GRACE = 2.0
"""Seconds for a hanging process to say where it hangs."""


@dataclass(frozen=True)
class Limits:
    """Limits for a worker.

    Attributes:
      mutant_seconds: Time for one mutant; longer is a hang.
      megabytes: Memory, in addition to that of the program itself.
      seconds: Time for all mutants of a format; the remaining ones stay pending.
    """

    mutant_seconds: float = 10.0
    megabytes: int = 2048
    seconds: float = 600.0


def read_mutants(
    form: Format,
    mutants: Sequence[Mutant],
    folder: Path,
    *,
    workers: int,
    limits: Limits,
    progress: Callable[[int], object] = lambda _: None,
) -> tuple[list[int], list[Finding]]:
    """Reads every mutant of a format's file.

    Args:
      form: The format.
      mutants: Mutants of its file.
      folder: An empty folder.
      workers: Number of processes.
      limits: Limits for each process.
      progress: Called repeatedly with the number of mutants read so far.

    Returns:
      The :class:`Outcome` of each mutant, and the findings among them in their order.

    Raises:
      InputError: If the intact file cannot be read.
    """
    outcomes = np.frombuffer(mmap.mmap(-1, len(mutants)), np.uint8)
    shares = [
        _Share(form, mutants[start::workers], outcomes[start::workers], folder / str(start), limits)
        for start in range(min(workers, len(mutants)))
    ]
    ends_at = time.monotonic() + limits.seconds
    try:
        while time.monotonic() < ends_at and sum(share.go_on() for share in shares):
            time.sleep(_POLL)
            progress(int(np.count_nonzero(outcomes > Outcome.RUNNING)))
    finally:
        for share in shares:
            share.stop()
    outcomes[outcomes == Outcome.RUNNING] = Outcome.PENDING
    found = itertools.chain.from_iterable(share.findings() for share in shares)
    order = {mutant: number for number, mutant in enumerate(mutants)}
    return outcomes.tolist(), sorted(found, key=lambda finding: order[finding.mutant])


class _Share:
    """A share of the mutants, read by one process at a time."""

    def __init__(
        self,
        form: Format,
        mutants: Sequence[Mutant],
        outcomes: np.ndarray,
        folder: Path,
        limits: Limits,
    ):
        self._read = form.read
        self._mutants = mutants
        self._outcomes = outcomes
        self._limits = limits
        self._path = form.write(folder / "files")
        self._whole = self._path.read_bytes()
        self._expected = digest(self._read(epath.Path(self._path)))  # also loads libraries
        self._findings = folder / "findings"
        self._dump = folder / "dump"
        self._process: ForkProcess | None = None
        self._running: int | None = None
        self._since = 0.0

    def go_on(self) -> bool:
        """Supervises the process; returns whether there is anything left to wait for."""
        process = self._process
        if process is not None and process.exitcode is None:
            self._end_hang(process)
            return True
        running = self._read_now()
        if process is not None and running is not None:
            self._note_death(running, Outcome.CRASH, _name_of_exit(process.exitcode))
        if not np.any(self._outcomes == Outcome.PENDING):
            return False
        self._start()
        return True

    def stop(self) -> None:
        """Ends the process."""
        if self._process is not None:
            self._process.kill()
            self._process.join()

    def findings(self) -> Iterator[Finding]:
        """The findings so far."""
        lines = self._findings.read_text().splitlines() if self._findings.exists() else ()
        for mutant, outcome, *texts in map(json.loads, lines):
            yield Finding(Mutant(*mutant), Outcome(outcome), *texts)

    def _start(self) -> None:
        self._path.write_bytes(self._whole)
        self._running, self._since = None, time.monotonic()
        self._process = _FORK.Process(target=self._work)
        self._process.start()

    def _read_now(self) -> int | None:
        """Number of the mutant being read."""
        running = np.flatnonzero(self._outcomes == Outcome.RUNNING)
        return int(running[0]) if running.size else None

    def _end_hang(self, process: ForkProcess) -> None:
        now, running = time.monotonic(), self._read_now()
        if running is None or running != self._running:
            self._running, self._since = running, now
        elif now - self._since > self._limits.mutant_seconds:
            if process.pid is not None:
                os.kill(process.pid, signal.SIGABRT)  # makes it print where it is
            process.join(_GRACE)
            self.stop()
            self._note_death(running, Outcome.HANG, f"{self._limits.mutant_seconds:g} s")

    def _note_death(self, index: int, outcome: Outcome, kind: str) -> None:
        said = self._dump.read_text(errors="replace")
        self._note(found_by_death(self._mutants[index], outcome, kind, said))
        self._outcomes[index] = outcome

    def _note(self, finding: Finding) -> None:
        with self._findings.open("a") as file:
            file.write(json.dumps(finding) + "\n")

    def _work(self) -> None:
        """Reads pending mutants, in the worker process."""
        with self._dump.open("w") as dump, self._path.open("r+b", buffering=0) as file:
            _protect(dump.fileno(), self._limits.megabytes)
            faulthandler.enable(dump, all_threads=False)
            for index in np.flatnonzero(self._outcomes == Outcome.PENDING).tolist():
                mutant = self._mutants[index]
                self._outcomes[index] = Outcome.RUNNING
                os.pwrite(file.fileno(), bytes([mutant.value]), mutant.position)
                outcome, finding = self._attempt(mutant)
                original = self._whole[mutant.position : mutant.position + 1]
                os.pwrite(file.fileno(), original, mutant.position)
                if finding is not None:
                    self._note(finding)
                self._outcomes[index] = outcome
                if outcome is Outcome.MEMORY:  # its remains may affect the next
                    return

    def _attempt(self, mutant: Mutant) -> tuple[Outcome, Finding | None]:
        try:
            found = digest(self._read(epath.Path(self._path)))
        except BaseException as error:  # a panic in Rust is not an Exception
            return found_by_error(mutant, error)
        return (Outcome.SAME if found == self._expected else Outcome.OTHER), None


def _protect(output: int, megabytes: int) -> None:
    """Keeps a worker from disturbing the machine and the terminal."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the program ends its workers itself
    for stream in (1, 2):
        os.dup2(output, stream)
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError, ValueError):  # not every system has such a limit
        limit = _address_space() + megabytes * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _address_space() -> int:
    """Bytes of address space of this process."""
    pages = Path("/proc/self/statm").read_text().split()[0]
    return int(pages) * resource.getpagesize()


def _name_of_exit(code: int | None) -> str:
    return signal.Signals(-code).name if code and code < 0 else f"exit status {code}"
