"""Work in shards that several processes share, without a process that waits for another's work."""

import time
from collections.abc import Collection, Iterator, Sequence
from typing import Protocol

from iqa_jax.engine.claims import Claims
from iqa_jax.engine.shares import Share

_PAUSE = 0.2
"""Seconds between two looks at the claims of others; more if there are many."""

_MANY = 100
"""Number of claims from which on looks are rarer."""


class Shards(Protocol):
    """Shards of a work; the result of each is a file that appears whole under its final name."""

    @property
    def count(self) -> int:
        """Number of shards."""
        ...

    def finished(self) -> Collection[int]:
        """Numbers of the shards whose results are there."""
        ...

    def is_finished(self, number: int) -> bool:
        """Whether the result of a shard is there."""
        ...


def shards_to_do(shards: Shards, share: Share, claims: Claims) -> Iterator[int]:
    """Claims shards for this process: its own, then those that no other works on.

    The result of a shard must be there before the next one is asked for. A process that finds all
    others claimed leaves as soon as their holders have shown that they are alive, and takes over
    the shards of those that are gone.

    Args:
      shards: The shards.
      share: Share of this process.
      claims: Its claims.

    Yields:
      Number of a shard, which is claimed until the next one is asked for.
    """
    while left := _unfinished(shards, share):
        is_idle = True
        for number in _free(left, claims):
            path = None if shards.is_finished(number) else claims.take(number)
            if path:
                is_idle = False
                with claims.renewed(path):
                    if not shards.is_finished(number):  # another has just finished it
                        yield number
        if is_idle and not _any_abandoned(shards, left, claims):
            return


def _unfinished(shards: Shards, share: Share) -> list[int]:
    finished = set(shards.finished())
    return [number for number in share.order(shards.count) if number not in finished]


def _free(numbers: Sequence[int], claims: Claims) -> list[int]:
    """The shards that no living process had claimed at one look, in their order."""
    held = {piece for piece, claim in claims.look(numbers).items() if not claim.is_abandoned}
    return [number for number in numbers if number not in held]


def _any_abandoned(shards: Shards, numbers: Collection[int], claims: Claims) -> bool:
    """Waits until each shard is finished or its claim renewed, or one of the claims abandoned."""
    first_seen: dict[int, float] = {}
    left = set(numbers)
    while True:
        found = claims.look(left)
        left.difference_update(shards.finished())
        for number in sorted(left):
            claim = found.get(number)
            if not claim or claim.is_abandoned:
                return True
            if claim.renewed_at != first_seen.setdefault(number, claim.renewed_at):
                left.discard(number)
        if not left:
            return False
        time.sleep(_PAUSE * (1 + len(left) / _MANY))
