"""Files with one byte changed, and the outcomes of reading them."""

import hashlib
import re
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np

from iqa_jax.errors import InputError

_FRAME = re.compile(r'File "(.+)", line (\d+),? in (.+)')
_ROOT = re.compile(r".*/(?=iqa_jax/)|.*/(site-packages|lib/python[^/]*)/")


class Mutant(NamedTuple):
    """Position of the changed byte of a file, and its new value."""

    position: int
    value: int

    def __str__(self) -> str:
        return f"{self.position}:{self.value}"


class Outcome(IntEnum):
    """Outcome of reading a mutant."""

    PENDING = 0
    RUNNING = 1
    REFUSED = 2
    """Refused with one of our errors, which says what is wrong."""
    SAME = 3
    """Read, with the content of the intact file."""
    OTHER = 4
    """Read, with other content."""
    TRACEBACK = 5
    """Any other exception."""
    CRASH = 6
    """The process died."""
    HANG = 7
    MEMORY = 8
    """More memory was requested than a worker may have, however that was handled."""


class Finding(NamedTuple):
    """A mutant that a reader handled wrongly.

    Attributes:
      mutant: The mutant.
      outcome: A traceback, a crash, a hang or a lack of memory.
      kind: Type of the exception, signal, or time.
      place: Place in the package, and in the code that it calls.
      details: The traceback.
    """

    mutant: Mutant
    outcome: Outcome
    kind: str
    place: str
    details: str


def choose(data: bytes, count: int, seed: int | Sequence[int]) -> list[Mutant]:
    """Mutants of a file in random order, all different; at most all that exist."""
    every = 255 * len(data)
    chosen = np.random.default_rng(seed).choice(every, min(count, every), replace=False)
    positions, steps = np.divmod(chosen, 255)
    values = (np.frombuffer(data, np.uint8)[positions] + 1 + steps) % 256
    return [Mutant(*pair) for pair in zip(positions.tolist(), values.tolist(), strict=True)]


def parse(text: str, data: bytes) -> Mutant:
    """The mutant of a file that is written as ``POSITION:VALUE``.

    Raises:
      InputError: If there is no such mutant.
    """
    position, _, value = text.partition(":")
    if not (position.isdecimal() and value.isdecimal()):
        raise InputError(f"expected POSITION:VALUE, got {text}")
    mutant = Mutant(int(position), int(value))
    if mutant.position >= len(data) or mutant.value > 255:
        raise InputError(f"expected one of {len(data)} bytes and a value below 256, got {text}")
    return mutant


def digest(content: Any) -> bytes:
    """Digest of numbers, texts, arrays, and containers and dataclasses of them."""
    sha256 = hashlib.sha256()
    for part in _parts(content):
        sha256.update(len(part).to_bytes(8, "little"))
        sha256.update(part)
    return sha256.digest()


def found_by_error(mutant: Mutant, error: BaseException) -> tuple[Outcome, Finding | None]:
    """Outcome of reading a mutant that raised ``error``, with the finding if there is one."""
    causes = [*_causes(error)]
    shortage = next((cause for cause in causes if isinstance(cause, MemoryError)), None)
    if shortage is None and isinstance(error, InputError):
        return Outcome.REFUSED, None
    outcome = Outcome.MEMORY if shortage else Outcome.TRACEBACK
    raised = shortage or error
    frames = [
        (frame.filename, frame.lineno or 0, frame.name)
        for frame in reversed(traceback.extract_tb(raised.__traceback__))
    ]
    details = "".join(traceback.format_exception(error))
    return outcome, Finding(mutant, outcome, type(raised).__name__, _place(frames), details)


def found_by_death(mutant: Mutant, outcome: Outcome, kind: str, said: str) -> Finding:
    """A finding from the last output of a process, written by ``faulthandler``."""
    *_, said = said.rpartition("Fatal Python error")
    matches = [match for match in map(_FRAME.search, said.splitlines()) if match]
    place = _place([(match[1], int(match[2]), match[3]) for match in matches])
    return Finding(mutant, outcome, kind, place, said)


def _parts(content: Any) -> Iterator[bytes]:
    if isinstance(content, np.ndarray):
        yield f"{content.dtype} {content.shape}".encode()
        yield content.tobytes()
    elif is_dataclass(content):
        yield from _parts([getattr(content, field.name) for field in fields(content)])
    elif isinstance(content, Mapping | list | tuple):
        items = content.items() if isinstance(content, Mapping) else content
        yield f"{type(content).__name__} {len(content)}".encode()
        for item in items:
            yield from _parts(item)
    else:
        yield repr(content).encode(errors="surrogatepass")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _place(frames: Sequence[tuple[str, int, str]]) -> str:
    """Place of an event, from its frames, the innermost first."""
    names = [f"{_ROOT.sub('', file)}:{line} {name}" for file, line, name in frames]
    ours = next((name for name in names if name.startswith("iqa_jax/")), "nowhere of ours")
    innermost = next(iter(names), "an unknown place")
    return ours if ours == innermost else f"{ours}, in {innermost}"
