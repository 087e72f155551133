"""The share of a process: which of several processes that run the same command this one is."""

import hashlib
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from iqa_jax.errors import InputError

_ARRAY = tuple(f"SLURM_ARRAY_TASK_{end}" for end in ("ID", "MIN", "MAX", "COUNT", "STEP"))


@dataclass(frozen=True)
class Share:
    """The place of a process among those that share a work.

    Attributes:
      index: Number of the process, from 0.
      count: Number of processes; None if it is unknown.
      source: Origin of these numbers, as in ``SLURM``; empty for a process on its own.
    """

    index: int
    count: int | None
    source: str = ""

    @property
    def is_alone(self) -> bool:
        """Whether there is no other process."""
        return self.count == 1

    def __str__(self) -> str:
        counted = "" if self.count is None else f" of {self.count}"
        return f"process {self.index}{counted}{f' ({self.source})' if self.source else ''}"

    def owns(self, piece: int) -> bool:
        """Whether a piece is this process's own; all are if the number of processes is unknown."""
        return self.count is None or piece % self.count == self.index

    def order(self, pieces: int) -> Iterator[int]:
        """The order in which this process looks for work: each piece once, its own first.

        A process owns every ``count``-th piece, and looks through the others from the end, which
        their owners reach last. If the number of processes is unknown, a process owns none: it
        starts at a piece that its index hashes to, and goes round.

        Args:
          pieces: Number of pieces of the work.
        """
        if self.count is None:
            digest = hashlib.sha256(str(self.index).encode()).digest()
            start = int.from_bytes(digest[:8]) % max(1, pieces)
            return itertools.chain(range(start, pieces), range(start))
        others = (piece for piece in reversed(range(pieces)) if not self.owns(piece))
        return itertools.chain(range(self.index, pieces, self.count), others)


ALONE = Share(0, 1)
"""The share of a process on its own."""


def find_share(
    environ: Mapping[str, str], *, index: int | None = None, count: int | None = None
) -> Share:
    """The share of this process.

    The flags come first, then the variables of Kubernetes (an Indexed Job, which has an index and
    no count), of SLURM (an array, the tasks of ``srun``, or an array of such tasks) and of the
    workers of a TPU slice, or of several; without any of them a process is alone.

    Args:
      environ: Variables of the environment.
      index: Number of the process, as the user gave it; None if not given.
      count: Number of processes, as the user gave it; None if not given.

    Raises:
      InputError: If one of the two is given without the other, a variable is not a number, or the
        index is not less than the count.
    """
    if (index is None) != (count is None):
        given = "--process_count" if index is None else "--process_index"
        raise InputError(f"expected --process_index and --process_count, found {given} alone")
    if index is not None:
        return _checked(Share(index, count, "flags"))
    if "JOB_COMPLETION_INDEX" in environ:
        return _checked(Share(_number(environ, "JOB_COMPLETION_INDEX"), None, "Kubernetes"))
    if "SLURM_ARRAY_TASK_ID" in environ or "SLURM_PROCID" in environ:
        return _checked(_slurm(environ))
    if "TPU_WORKER_ID" in environ and "TPU_WORKER_HOSTNAMES" in environ:
        hosts = len(environ["TPU_WORKER_HOSTNAMES"].split(","))
        worker = _checked(Share(_number(environ, "TPU_WORKER_ID"), hosts, "TPU workers"))
        slices = _number(environ, "MEGASCALE_NUM_SLICES", 1)
        first = hosts * _number(environ, "MEGASCALE_SLICE_ID", 0)
        return _checked(Share(first + worker.index, hosts * slices, worker.source))
    return ALONE


def _slurm(environ: Mapping[str, str]) -> Share:
    """The place among the tasks of a step, or of the steps of all jobs of an array."""
    tasks = _number(environ, "SLURM_STEP_NUM_TASKS", _number(environ, "SLURM_NTASKS", 1))
    task = _number(environ, "SLURM_PROCID", 0)
    if _ARRAY[0] not in environ:
        return Share(task, tasks, "SLURM")
    number = _number(environ, _ARRAY[0])
    source = "SLURM array" if tasks == 1 else f"SLURM array of {tasks} tasks each"
    if not all(name in environ for name in _ARRAY):
        return Share(number * tasks + task, None, source)
    low, high, count, step = (_number(environ, name) for name in _ARRAY[1:])
    if step < 1 or low + (count - 1) * step != high:  # a list of numbers, such as 1,5,7
        return Share(number * tasks + task, None, source)
    return Share((number - low) // step * tasks + task, count * tasks, source)


def _number(environ: Mapping[str, str], name: str, default: int | None = None) -> int:
    text = environ.get(name)
    if text is None and default is not None:
        return default
    try:
        return int(text or "")
    except ValueError:
        raise InputError(
            f"{name}: expected a number, found {text!r}; give --process_index and --process_count"
        ) from None


def _checked(share: Share) -> Share:
    if share.index < 0 or (share.count is not None and share.index >= share.count):
        limit = "" if share.count is None else f" and less than {share.count}"
        raise InputError(
            f"process index: expected a number that is at least 0{limit}, found {share.index} "
            f"({share.source}); give --process_index and --process_count"
        )
    return share
