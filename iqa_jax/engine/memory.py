"""Memory that a machine has left for a computation."""

from collections.abc import Iterator
from pathlib import Path

_MEMINFO = Path("/proc/meminfo")
_CGROUPS = (
    Path("/sys/fs/cgroup"),
    Path("/sys/fs/cgroup/memory"),
)
_FILES = (
    ("memory.max", "memory.current", "inactive_file"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)


def available() -> int | None:
    """Bytes still available within the machine and the container; None if unknown."""
    return min((*_of_machine(), *_of_container()), default=None)


def _of_machine() -> Iterator[int]:
    for name, value in _numbers(_MEMINFO):
        if name == "MemAvailable":
            yield value * 1024


def _of_container() -> Iterator[int]:
    for folder, (limit, usage, reclaimable) in zip(_CGROUPS, _FILES, strict=True):
        try:
            most, used = (int((folder / name).read_text()) for name in (limit, usage))
        except (OSError, ValueError):  # not this kind of container, or no limit: "max"
            continue
        yield most - used + dict(_numbers(folder / "memory.stat")).get(reclaimable, 0)


def _numbers(path: Path) -> Iterator[tuple[str, int]]:
    """The lines ``NAME[:] NUMBER ...`` of a kernel file."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        name, number, *_ = line.split()
        yield name.removesuffix(":"), int(number)
