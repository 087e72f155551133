"""What the runs of a process have waited for, which shows what limits their speed."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, astuple, dataclass

from iqa_jax.progress import inform

_LONG = 10.0
"""Seconds of waiting that are worth a message."""

_LIMITS = {"images": "decoding", "transfer": "transfer", "values": "the devices"}


@dataclass
class Waits:
    """Seconds of waiting; compiling and saving are not among them.

    Attributes:
      images: Waiting for images to be read and decoded.
      transfer: Waiting for decoded images to arrive on the devices, when these have nothing else
        to do.
      values: Waiting for the devices to compute the values of images that they have.
    """

    images: float = 0.0
    transfer: float = 0.0
    values: float = 0.0

    @contextmanager
    def on(self, what: str) -> Iterator[None]:
        """Adds the time that a block takes.

        Args:
          what: Name of an attribute.
        """
        start = time.monotonic()
        try:
            yield
        finally:
            setattr(self, what, getattr(self, what) + time.monotonic() - start)

    def __str__(self) -> str:
        seconds = asdict(self)
        limit = _LIMITS[max(seconds, key=lambda what: seconds[what])]
        waited = ", ".join(f"{value:.0f} s for {what}" for what, value in seconds.items())
        return f"waited {waited}: {limit} limited the speed"


WAITS = Waits()
"""Those of this process since it began."""


@contextmanager
def saying_what_limits() -> Iterator[None]:
    """Says what limited the speed of the runs in a block, if they waited for long."""
    before = astuple(WAITS)
    yield
    waited = [now - then for now, then in zip(astuple(WAITS), before, strict=True)]
    if sum(waited) > _LONG:
        inform(str(Waits(*waited)))
