"""Ends a program soon after SIGINT or SIGTERM, with everything saved that is computed.

Python runs a signal handler between two of its own instructions, and a compilation is a single
instruction that can take minutes; a machine that is reclaimed does not wait for it. A thread
therefore watches for signals as well, and ends a process that has not ended by itself.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)

_SECONDS = 0.5
"""Time for the program to end by itself; tidier, because it removes what it had only begun."""

_DONE = b"\0"  # no signal has this number


@contextmanager
def ending_on_signals(end: Callable[[], None]) -> Iterator[None]:
    """Raises ``KeyboardInterrupt`` for the first of the signals while the block runs.

    Signals that the process ignores, as a background job does, are left alone. Outside of the main
    thread nothing happens: Python handles signals there alone.

    Args:
      end: Function that ends the process, called by another thread if the block still runs half
        a second after a signal.
    """
    handled = [each for each in SIGNALS if signal.getsignal(each) is not signal.SIG_IGN]
    if threading.current_thread() is not threading.main_thread() or not handled:
        yield
        return
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    is_over = threading.Event()

    def watch() -> None:
        while (byte := os.read(reading, 1)) != _DONE:
            if byte[0] in handled and not is_over.wait(_SECONDS):
                end()

    interrupted = False

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal interrupted
        if not interrupted:  # a second one must not interrupt the saving
            interrupted = True
            raise KeyboardInterrupt

    before = {each: signal.signal(each, interrupt) for each in handled}
    woken_before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    watcher = threading.Thread(target=watch, name="signals", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        is_over.set()
        signal.set_wakeup_fd(woken_before)
        for each, handler in before.items():
            signal.signal(each, handler)
        os.write(writing, _DONE)
        watcher.join()
        os.close(reading)
        os.close(writing)
