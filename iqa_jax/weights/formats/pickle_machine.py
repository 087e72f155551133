"""The machine that runs pickles, with a vocabulary in which nothing harmful can be said.

A pickle is a program. Every constructor that it names is looked up in a short table of our own
stand-ins, which check what they are given; any other name is refused before it is touched. Each
format that has pickles inside brings its own table.
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
_ENTRY_BYTES = 100  # about what an entry of a container takes in memory
_MOST_STEPS = 5_000_000  # take some seconds; a tensor takes about forty
_MOST_ARGUMENTS = 64
_LARGEST_KEY = 1 << 60  # Python hashes larger ones to the same few numbers


class StandIn:
    """What a constructor makes while a file is read; it becomes a value when all has been read."""

    def set_state(self, state: Any) -> None:
        """Takes what the pickle says after construction."""
        raise CheckpointError(f"changes something that has no state ({reprlib.repr(state)})")

    def value(self) -> Any:
        """What takes its place; may hold further stand-ins."""
        raise CheckpointError("holds a part of an array where an array should be")


Constructors = Mapping[tuple[str, str], Callable[..., Any] | StandIn]
"""What a pickle may name, by module and name: functions of ours that it may call, and constants."""


def unpickle(
    stream: Stream,
    contents: Contents,
    constructors: Constructors,
    persistent_load: Callable[[Any], Any] | None = None,
) -> Any:
    """Runs the pickle at the present place of ``stream`` and leaves the stream behind it.

    Args:
      stream: Where the pickle is.
      contents: What may be spent.
      constructors: What the pickle may name.
      persistent_load: Gives what stands outside of the pickle, None where there is nothing.

    Returns:
      Containers with stand-ins in them, for :func:`resolve`.

    Raises:
      CheckpointError: If the pickle asks for anything else.
      Exception: Of any type, if it is damaged.
    """
    return _Unpickler(stream, contents, constructors, persistent_load).load()


def resolve(value: Any) -> Any:
    """Puts values in the place of stand-ins; what is shared is visited once and stays shared.

    Raises:
      CheckpointError: If something is inside of itself, nested too deeply, or no array.
    """
    try:
        return _resolve(value, {})
    except RecursionError:
        raise CheckpointError("holds a container inside of itself, or nested too deeply") from None


class _Constructor:
    """A callable that a pickle may call but, having no attributes, cannot change."""

    __slots__ = ("_build",)

    def __init__(self, build: Callable[..., Any]):
        self._build = build

    def __call__(self, *args):
        return self._build(*args)


class _Counted(dict):
    """What to do for each instruction, so many times."""

    def __init__(self, instructions: Mapping[int, Callable[..., None]], most: int):
        super().__init__(instructions)
        self._left = most

    def __getitem__(self, instruction: int) -> Callable[..., None]:
        self._left -= 1
        if self._left < 0:
            raise CheckpointError(f"is a pickle of more than {_MOST_STEPS} instructions")
        return super().__getitem__(instruction)


# The pickle module's reader in Python, not the one in C: a few bytes that claim an entry far up
# in the memo make the latter allocate everything below it.
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
        if known is None:
            raise CheckpointError(
                f"asks to build {module[:100]}.{name[:100]}; only arrays and containers are allowed"
            )
        return known if isinstance(known, StandIn) else _Constructor(known)

    def persistent_load(self, pid: Any) -> Any:
        if self._persistent_load is None:
            raise CheckpointError(f"refers to something outside of the file ({reprlib.repr(pid)})")
        return self._persistent_load(pid)

    def get_extension(self, code: int) -> None:
        raise CheckpointError(f"asks for the extension {code}; there are none")

    def _instantiate(self, klass: Any, args: Any) -> None:
        self.append(self._call(klass, args))

    def _call(self, build: Any, args: Any) -> Any:
        if not (isinstance(build, _Constructor) and isinstance(args, tuple | list)):
            raise CheckpointError(f"calls a {type(build).__name__}")
        self._spend(args)
        return build(*args)

    def _spend(self, args: Any) -> None:
        """Constructors copy what they are given, and a pickle can give the same many times."""
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
    """A dict of pairs, for a pickle; keys are numbers, strings, or tuples of them."""
    pairs = items.items() if isinstance(items, dict) else items
    return {_check_key(key): value for key, value in pairs}


def _check_key(key: Any) -> Any:
    # Hashing a tuple of tuples that are shared over and over would take for ever.
    parts = key if isinstance(key, tuple) else (key,)
    if not all(isinstance(part, (*_SIMPLE, StandIn)) for part in parts):
        raise CheckpointError("holds a dict whose keys are no numbers or strings")
    if any(isinstance(part, int) and abs(part) > _LARGEST_KEY for part in parts):
        raise CheckpointError("holds a dict whose keys are too large numbers")
    return key


def _resolve(value: Any, resolved: dict[int, tuple[Any, Any]]) -> Any:
    if id(value) not in resolved:
        # The value is kept too, so that no other one gets its id.
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
