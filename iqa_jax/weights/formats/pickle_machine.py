"""An unpickler whose vocabulary contains nothing harmful.

A pickle is a program. Every constructor that it names is looked up in a short table of our own
stand-ins, which check their arguments; any other name is refused without being imported. Each
format that contains pickles has its own table.
"""

import pickle
import reprlib
import struct
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

from iqa_jax.errors import CheckpointError
from iqa_jax.weights.formats.budget import Contents, Stream

_SIMPLE = (bool, int, float, str, bytes, type(None))
_PLAIN = (*_SIMPLE, np.ndarray, np.number, np.bool_)
_ENTRY_BYTES = 100  # approximate memory of one entry in a container
_MOST_STEPS = 5_000_000  # a few seconds; a tensor takes about forty steps
_MOST_ARGUMENTS = 64
_LARGEST_KEY = 1 << 60  # Python hashes larger ones to the same few numbers


class StandIn:
    """Placeholder built while a file is read; its value replaces it once everything is read."""

    def set_state(self, state: Any) -> None:
        """Takes the state that the pickle sets after construction."""
        raise CheckpointError(f"changes something that has no state ({reprlib.repr(state)})")

    def value(self) -> Any:
        """The final value; may contain further stand-ins."""
        raise CheckpointError("holds a part of an array where an array should be")


Constructors = Mapping[tuple[str, str], Callable[..., Any] | StandIn]
"""Constants and functions of ours that a pickle may use, by module and name in the pickle."""

ANY_NAME = "*"
"""Matches every name in a top-level package."""


def unpickle(
    stream: Stream,
    contents: Contents,
    constructors: Constructors,
    persistent_load: Callable[[Any], Any] | None = None,
) -> Any:
    """Runs the pickle at the current position of ``stream`` and leaves the stream at its end.

    Args:
      stream: Stream that holds the pickle.
      contents: The file, whose memory budget is spent.
      constructors: Names that the pickle may use.
      persistent_load: Loads objects stored outside the pickle; None if there are none.

    Returns:
      Containers with stand-ins, for :func:`resolve`.

    Raises:
      CheckpointError: If the pickle uses any other name.
      Exception: Any type, if it is damaged.
    """
    return _Unpickler(stream, contents, constructors, persistent_load).load()


def resolve(value: Any) -> Any:
    """Replaces stand-ins by their values; shared objects are visited once and stay shared.

    Raises:
      CheckpointError: If a container is inside itself or nested too deeply, or holds anything but
        arrays, numbers and strings.
    """
    try:
        return _resolve(value, {})
    except RecursionError:
        raise CheckpointError("holds a container inside itself, or nested too deeply") from None


class _Constructor:
    """A callable without attributes, so that a pickle can call but not change it."""

    __slots__ = ("_build",)

    def __init__(self, build: Callable[..., Any]):
        self._build = build

    def __call__(self, *args):
        return self._build(*args)


class _Counted(dict):
    """Handlers by instruction, with a limit on the number of look-ups."""

    def __init__(self, instructions: Mapping[int, Callable[..., None]], most: int):
        super().__init__(instructions)
        self._left = most

    def __getitem__(self, instruction: int) -> Callable[..., None]:
        self._left -= 1
        if self._left < 0:
            raise CheckpointError(f"is a pickle of more than {_MOST_STEPS} instructions")
        return super().__getitem__(instruction)


# The pickle module's Python implementation, not the one in C: a few bytes that claim an entry far
# up in the memo make the latter allocate everything below it.
_Machine: Any = pickle._Unpickler  # pyright: ignore[reportAttributeAccessIssue]


class _Unpickler(_Machine):
    def __init__(
        self,
        stream: Stream,
        contents: Contents,
        constructors: Constructors,
        persistent_load: Callable[[Any], Any] | None,
    ):
        super().__init__(stream, encoding="latin1")  # the bytes of Python 2's strings
        self._contents = contents
        self._constructors = constructors
        self._persistent_load = persistent_load
        self.__dict__["dispatch"] = _Counted(self.dispatch, _MOST_STEPS)

    def find_class(self, module: str, name: str) -> Any:
        known = self._constructors.get((module.replace("numpy._core.", "numpy.core."), name))
        known = known or self._constructors.get((module.partition(".")[0], ANY_NAME))
        if known is None:
            raise CheckpointError(
                f"asks to build {module[:100]}.{name[:100]}; only arrays and containers are allowed"
            )
        return known if isinstance(known, StandIn) else _Constructor(known)

    def persistent_load(self, pid: Any) -> Any:
        if self._persistent_load is None:
            raise CheckpointError(f"refers to something outside the file ({reprlib.repr(pid)})")
        return self._persistent_load(pid)

    def get_extension(self, code: int) -> None:
        raise CheckpointError(f"asks for the extension {code}; extensions are not supported")

    def _instantiate(self, klass: Any, args: Any) -> None:
        self.append(self._call(klass, args))

    def _call(self, build: Any, args: Any) -> Any:
        if not (isinstance(build, _Constructor) and isinstance(args, tuple | list)):
            raise CheckpointError(f"calls a {type(build).__name__}")
        self._spend(args)
        return build(*args)

    def _spend(self, args: Any) -> None:
        """Spends on copies: constructors copy arguments, and a pickle can reuse an argument."""
        args = args if isinstance(args, tuple | list) else ()
        if len(args) > _MOST_ARGUMENTS:
            raise CheckpointError(f"calls something with {len(args)} arguments")
        for arg in args:
            if isinstance(arg, str | bytes | bytearray):
                self._contents.spend(len(arg), "a copy of a string")
            elif isinstance(arg, list | tuple | dict):
                self._contents.spend(len(arg) * _ENTRY_BYTES, "a copy of a container")

    def _load_reduce(self) -> None:
        args = self.stack.pop()
        self.stack[-1] = self._call(self.stack[-1], args)

    def _load_build(self) -> None:
        state = self.stack.pop()
        target = self.stack[-1]
        if isinstance(target, StandIn):
            self._spend(state)
            target.set_state(state)
        elif type(target) is not dict:  # an ordered dict may carry attributes; they are dropped
            raise CheckpointError(f"changes a {type(target).__name__}")

    def _load_setitem(self) -> None:
        value = self.stack.pop()
        self._set_items([self.stack.pop(), value])

    def _load_setitems(self) -> None:
        self._set_items(self.pop_mark())

    def _set_items(self, items: list) -> None:
        if type(self.stack[-1]) is not dict:
            raise CheckpointError(f"sets an item of a {type(self.stack[-1]).__name__}")
        self.stack[-1].update(checked_dict(zip(items[::2], items[1::2], strict=True)))

    def _load_bytearray8(self) -> None:
        # The original allocates whatever length the file claims.
        self.append(bytearray(self.read(*struct.unpack("<Q", self.read(8)))))

    def _refuse_sets(self) -> None:
        raise CheckpointError("holds a set; only arrays and containers are allowed")

    dispatch: ClassVar = {
        **_Machine.dispatch,
        pickle.REDUCE[0]: _load_reduce,
        pickle.NEWOBJ[0]: _load_reduce,
        pickle.BUILD[0]: _load_build,
        pickle.SETITEM[0]: _load_setitem,
        pickle.SETITEMS[0]: _load_setitems,
        pickle.BYTEARRAY8[0]: _load_bytearray8,
        pickle.EMPTY_SET[0]: _refuse_sets,
        pickle.FROZENSET[0]: _refuse_sets,
    }


def checked_dict(items: dict | Iterable = ()) -> dict:
    """A dict of pairs from a pickle; keys must be numbers, strings, or tuples of these."""
    pairs = items.items() if isinstance(items, dict) else items
    return {_check_key(key): value for key, value in pairs}


def _check_key(key: Any) -> Any:
    # Hashing a tuple of tuples that are shared over and over would take forever.
    parts = key if isinstance(key, tuple) else (key,)
    if not all(isinstance(part, (*_SIMPLE, StandIn)) for part in parts):
        raise CheckpointError("holds a dict whose keys are not numbers or strings")
    if any(isinstance(part, int) and abs(part) > _LARGEST_KEY for part in parts):
        raise CheckpointError("holds a dict whose keys are too large")
    return key


def _resolve(value: Any, resolved: dict[int, tuple[Any, Any]]) -> Any:
    if id(value) not in resolved:
        # The value is kept too, so that its id is not reused.
        resolved[id(value)] = value, _resolve_once(value, resolved)
    return resolved[id(value)][1]


def _resolve_once(value: Any, resolved: dict[int, tuple[Any, Any]]) -> Any:
    if isinstance(value, StandIn):
        return _resolve(value.value(), resolved)
    if isinstance(value, dict):
        return {_check_key(_resolve(k, resolved)): _resolve(v, resolved) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return type(value)([_resolve(item, resolved) for item in value])
    if isinstance(value, _PLAIN):
        return value
    raise CheckpointError(f"holds a {type(value).__name__}; only arrays and containers are allowed")
