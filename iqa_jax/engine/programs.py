"""Compiled steps of a run: kept for the next model of the same trunk, and compiled ahead."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import jax

Shapes = tuple[tuple[int, ...], tuple[int, ...]]
"""Shapes of the references and of the distorted versions of one call."""

Compile = Callable[[Shapes], jax.stages.Compiled]
"""Function that compiles a step for a call."""

_MOST = 8
"""Number of image sizes whose programs are kept for the next model of the same trunk."""


class Programs:
    """Compiled steps of a run, shared by consecutive models of one trunk.

    A program does not depend on a step's name and weights. Only the programs of one kind of step
    are kept, for a few image sizes, so memory does not grow with the number of models or sizes.
    """

    def __init__(self):
        self._kind: object = None
        self._kept: dict[Shapes, jax.stages.Compiled] = {}
        self._ahead: dict[Shapes, Future[jax.stages.Compiled]] = {}
        self._compiler: ThreadPoolExecutor | None = None

    def use(self, kind: object) -> None:
        """Chooses a kind of step; the programs of any other kind are dropped."""
        if kind != self._kind:
            self._kind, self._kept = kind, {}

    def get(self, shapes: Shapes, compile_for: Compile) -> jax.stages.Compiled:
        """The program for a call; compiled now unless there is one, or one is under way."""
        if shapes not in self._kept:
            if len(self._kept) == _MOST:
                self._kept.popitem()  # the latest: the next model starts with the first sizes
            ahead = self._ahead.pop(shapes, None)
            self._kept[shapes] = ahead.result() if ahead else compile_for(shapes)
        return self._kept[shapes]

    def compile_ahead(self, shapes: Shapes, compile_for: Compile) -> None:
        """Starts to compile the program for a later call, unless there is one, in a thread."""
        if shapes not in self._kept and shapes not in self._ahead:
            self._compiler = self._compiler or ThreadPoolExecutor(1, "compiler")
            self._ahead[shapes] = self._compiler.submit(compile_for, shapes)

    def drop(self, shapes: Shapes) -> None:
        """Forgets a program."""
        del self._kept[shapes]

    def stop(self) -> None:
        """Waits for what is being compiled ahead, and forgets it.

        XLA cannot be interrupted: a process that ended meanwhile would be aborted.
        """
        if self._compiler:
            self._compiler.shutdown(cancel_futures=True)
        self._compiler, self._ahead = None, {}
