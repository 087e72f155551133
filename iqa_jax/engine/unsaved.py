"""Values that running computations have not saved yet, for a process that has to end at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Saving(Protocol):
    """Anything that may hold values that are not saved yet."""

    def finish(self) -> None:
        """Returns when all values taken so far are saved; may be called by any thread."""
        ...


_running: list[Saving] = []


@contextmanager
def saved_in_the_end(sink: Saving) -> Iterator[None]:
    """Saves what ``sink`` has when the block ends, or before that with :func:`save_all`."""
    _running.append(sink)
    try:
        yield
    finally:
        sink.finish()
        _running.remove(sink)


def save_all() -> None:
    """Saves what the running computations have; another thread than theirs may call it."""
    for sink in list(_running):
        sink.finish()
