"""Processors that this process may use."""

import math
import os
from pathlib import Path

_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def processor_count() -> int:
    """Number of processors that this process may use.

    Fewer than the machine has if the process is bound to some of them (as SLURM does) or its
    container has a quota (as Kubernetes sets it for a limit), which is rounded up.
    """
    return min(count for count in (_bound_to(), _of_container()) if count)


def _bound_to() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1  # macOS binds no process


def _of_container() -> int | None:
    try:
        quota, period = _QUOTA.read_text().split()
    except (OSError, ValueError):  # no container of this kind
        return None
    return None if quota == "max" else max(1, math.ceil(int(quota) / int(period)))
