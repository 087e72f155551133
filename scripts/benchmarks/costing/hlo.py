"""Reads what the TPU compiler expects of a program from the program's text.

The compiler writes an estimate of cycles beside every fusion. A program costs what its entry
computation costs: the estimates of its instructions, the dearest branch of a conditional, and the
body and the condition of a loop times the number of trips, however deeply these are nested.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from iqa_jax.errors import InputError

_FREE_CALLS = {"AllocateBuffer", "ConcatBitcast"}
"""Custom calls that name memory and do no work."""

_FREE = {
    *("parameter", "constant", "tuple", "get-tuple-element", "bitcast", "while", "conditional"),
    *("call", "after-all", "opt-barrier", "partition-id", "replica-id", "add-dependency"),
}
"""Instructions without work of their own. Copies and slices in the background (``-start`` and
``-done``) run beside the others and are free, too."""

_MOVES = {"reshape", "concatenate"}
"""Instructions that the compiler may leave without an estimate, and that read and write each of
their values once."""

_SMALL = 2**18
"""Bytes; an instruction without a price, such as storing a loop's scores, may have this result."""

_BYTES = {
    **{"pred": 1, "s8": 1, "u8": 1, "s16": 2, "u16": 2, "f16": 2, "bf16": 2},
    **{"s32": 4, "u32": 4, "f32": 4, "s64": 8, "u64": 8, "f64": 8},
}
_ARRAY = re.compile(r"(\w+)\[([\d,]*)\](\{[^}]*\})?")
_COMPUTATION = re.compile(r"(ENTRY )?(%[^ ]+) \(.*\{")
_INSTRUCTION = re.compile(
    r"\s+(?P<root>ROOT )?(?P<name>%\S+) = (?P<shape>\(.*?\)|\S+) (?P<opcode>[a-z][a-z0-9-]*)"
    r"\((?P<rest>.*)"
)


@dataclass(frozen=True)
class Instruction:
    """An instruction of a compiled program.

    Attributes:
      name: Name, with its ``%``.
      opcode: Kind of instruction, such as ``fusion``.
      shape: Type, shape and layout of the result.
      rest: Text after the opening bracket: operands and attributes.
      is_root: Whether its result is that of its computation.
    """

    name: str
    opcode: str
    shape: str
    rest: str = field(repr=False)
    is_root: bool = False

    @property
    def operands(self) -> list[str]:
        """Names of the operands."""
        return re.findall(r"%[^\s,()]+", self.rest.partition(")")[0])

    def attribute(self, pattern: str) -> str | None:
        """First group of a pattern in the attributes; None if it is not found."""
        found = re.search(pattern, self.rest)
        return found[1] if found else None

    @property
    def cycles(self) -> int | None:
        """Estimate of the compiler; None if it made none."""
        found = self.attribute(r'"estimated_cycles":"(\d+)"')
        return int(found) if found else None

    @property
    def source(self) -> str:
        """Operation of JAX that it comes from."""
        return self.attribute(r'op_name="([^"]*)"') or ""

    @property
    def target(self) -> str | None:
        """Name of what a custom call calls; None for other instructions."""
        return self.attribute(r'custom_call_target="([^"]*)"')

    @property
    def is_free(self) -> bool:
        """Whether it needs no price: it does no work, or its result is small."""
        if self.opcode == "custom-call":
            return self.target in _FREE_CALLS
        is_beside = self.opcode.endswith(("-start", "-done"))
        return self.opcode in _FREE or is_beside or self.bytes <= _SMALL

    @property
    def bytes(self) -> int:
        """Bytes of its results, without the padding of tiles."""
        return sum(map(_bytes, _arrays(self.shape)))

    @property
    def bytes_kept(self) -> int:
        """Bytes of its results that are in the chip's main memory."""
        return sum(_bytes(array) for array in _arrays(self.shape) if "S(" not in array[2])


@dataclass(frozen=True)
class Charge:
    """Cost of an instruction in one run of a program.

    Attributes:
      instruction: The instruction.
      price: Cycles of one of its runs.
      times: Number of times that it runs.
    """

    instruction: Instruction
    price: float
    times: int = 1

    @property
    def cycles(self) -> float:
        """Cycles of all its runs."""
        return self.times * self.price

    @property
    def bytes_kept(self) -> int:
        """Bytes in main memory that all its runs write."""
        return self.times * self.instruction.bytes_kept


def charges(text: str, bytes_a_cycle: float = math.inf) -> list[Charge]:
    """The priced instructions of a compiled program, each with the number of its runs.

    Args:
      text: Text of the program, ``compiled.as_text()``.
      bytes_a_cycle: Bytes that main memory moves in a cycle: the price of a reshape or a
        concatenation, where the compiler makes no estimate.

    Raises:
      InputError: If an instruction has no price or a loop has no known number of trips.
    """
    computations, entry = _parse(text)
    return list(_walk(computations, entry, bytes_a_cycle))


Computations = Mapping[str, Sequence[Instruction]]


def _parse(text: str) -> tuple[Computations, str]:
    computations: dict[str, list[Instruction]] = {}
    entry, current = "", []
    for line in text.splitlines():
        if start := _COMPUTATION.match(line):
            current = computations.setdefault(start[2], [])
            entry = start[2] if start[1] else entry
        elif found := _INSTRUCTION.match(line):
            current.append(
                Instruction(
                    *(found[part] for part in ("name", "opcode", "shape", "rest")),
                    is_root=bool(found["root"]),
                )
            )
    if not entry:
        raise InputError("expected the text of a compiled program, found none with an ENTRY")
    return computations, entry


def _walk(computations: Computations, name: str, bytes_a_cycle: float) -> Iterator[Charge]:
    """Charges of one run of a computation."""
    for each in computations[name]:
        if each.cycles is not None:
            yield Charge(each, each.cycles)
        elif each.opcode in _MOVES:
            yield Charge(each, 2 * each.bytes / bytes_a_cycle)
        elif not each.is_free:
            raise InputError(
                f"{each.name} ({each.target or each.opcode}) has no price: the compiler makes no "
                "estimate for it, so the cost of the program is unknown; leave it out of the step"
            )
        if each.opcode == "while":
            trips = _trips(computations, each, computations[name])
            for part in ("body", "condition"):
                for charge in _walk(computations, _called(each, part), bytes_a_cycle):
                    yield replace(charge, times=trips * charge.times)
        elif each.opcode == "conditional":
            branches = re.findall(
                r"%[^\s,{}]+", each.attribute(r"(branch_computations=\{[^}]*\})") or ""
            )
            branches += re.findall(r"(?:true|false)_computation=(%[^\s,]+)", each.rest)
            yield from max(
                ([*_walk(computations, branch, bytes_a_cycle)] for branch in branches),
                key=lambda found: sum(charge.cycles for charge in found),
            )
        elif each.opcode in ("call", "async-start"):
            called = each.attribute(r"(?:to_apply|calls|called_computation)=(%[^\s,]+)")
            yield from _walk(computations, called, bytes_a_cycle) if called else ()


def _called(instruction: Instruction, role: str) -> str:
    found = instruction.attribute(rf"{role}=(%[^\s,]+)")
    assert found, instruction
    return found


def _trips(computations: Computations, loop: Instruction, around: Sequence[Instruction]) -> int:
    """Number of trips of a loop: as the compiler says, else from its counter."""
    known = loop.attribute(r'"known_trip_count":\{"n":"(\d+)"\}')
    if known:
        return int(known)
    condition, body = (
        {each.name: each for each in computations[_called(loop, part)]}
        for part in ("condition", "body")
    )
    outside = {each.name: each for each in around}
    test = _root(condition)
    place = end = first = step = None
    if test.opcode == "compare" and "direction=LT" in test.rest:
        counter, bound = (condition[name] for name in test.operands)
        place, end = counter.attribute(r"index=(\d+)"), _constant(condition, bound.name)
    if place is not None:
        first = _constant(outside, _element(outside[loop.operands[0]], place))
        added = _origin(body, _element(_root(body), place))
        if added and added.opcode == "add":
            step = next(
                (value for name in added.operands if (value := _constant(body, name))), None
            )
    if end is None or first is None or not step:
        raise InputError(f"the number of trips of the loop {loop.name} is not known")
    return max(0, math.ceil((end - first) / step))


def _root(computation: Mapping[str, Instruction]) -> Instruction:
    return next(each for each in computation.values() if each.is_root)


def _element(tuple_: Instruction, place: str) -> str:
    """Name of an element of a tuple."""
    return tuple_.operands[int(place)] if tuple_.opcode == "tuple" else ""


def _constant(computation: Mapping[str, Instruction], name: str) -> int | None:
    """Value of a whole number; None if it is not constant."""
    found = _origin(computation, name)
    return int(found.rest.partition(")")[0]) if found and found.opcode == "constant" else None


def _origin(computation: Mapping[str, Instruction], name: str) -> Instruction | None:
    """The instruction whose result an instruction copies, perhaps over several steps, or itself."""
    found = computation.get(name)
    while found and found.opcode in ("copy", "bitcast", "copy-start", "copy-done"):
        found = computation.get(found.operands[0])
    return found


def _arrays(shape: str) -> list[tuple[str, str, str]]:
    """Type, lengths and layout of each array in a shape."""
    return _ARRAY.findall(re.sub(r"/\*.*?\*/", "", shape))


def _bytes(array: tuple[str, str, str]) -> int:
    kind, lengths, _ = array
    return _BYTES.get(kind, 0) * math.prod(int(length) for length in lengths.split(",") if length)
