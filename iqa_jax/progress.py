"""Progress bars and messages, shown on request.

The programs show both on stderr. A call from Python shows neither unless it is asked to, and its
messages go to the logger ``iqa_jax``: what a user must know as warnings, the rest at level INFO.
"""

import logging
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from tqdm import tqdm

_LOGGER = logging.getLogger("iqa_jax")
_IS_SHOWN: ContextVar[bool] = ContextVar("is_shown", default=False)


@contextmanager
def shown(wanted: bool = True) -> Iterator[None]:
    """Shows bars and messages while the block runs, in this thread.

    Args:
      wanted: Whether to show them; False leaves things as they are.
    """
    if not wanted:
        yield
        return
    token = _IS_SHOWN.set(True)
    try:
        yield
    finally:
        _IS_SHOWN.reset(token)


def bar(iterable: Iterable[Any] | None = None, **options: Any) -> tqdm:
    """A progress bar, which does nothing where none is shown.

    Args:
      iterable: Items to count as they are taken; None for a bar that is advanced by hand.
      **options: Options of tqdm.
    """
    return tqdm(iterable, disable=not _IS_SHOWN.get(), **options)


def inform(message: str) -> None:
    """Shows a message beside the bars; where none are shown, logs it at level INFO."""
    _say(message, logging.INFO)


def warn(message: str) -> None:
    """Shows a message beside the bars; where none are shown, logs it as a warning."""
    _say(message, logging.WARNING)


def _say(message: str, level: int) -> None:
    if _IS_SHOWN.get():
        tqdm.write(message, file=sys.stderr)
    else:
        _LOGGER.log(level, message)
