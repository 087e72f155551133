"""Waiting on a machine that may be loaded: for conditions, not for times."""

import time
from collections.abc import Callable

PATIENCE = 400.0
"""Seconds that the work may take on a loaded machine."""


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Waits for a condition."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {PATIENCE:.0f} s for {what}")
        time.sleep(0.1)
