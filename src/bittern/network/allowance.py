"""How often somebody may do something: much at once, and less in the long run."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

import msgspec

from bittern.types import Instant

Key = TypeVar("Key", bound=Hashable)


class Allowance(msgspec.Struct, frozen=True, kw_only=True):
    """`burst` at once, and `per_second` on the average."""

    burst: float
    per_second: float


class Buckets(Generic[Key]):
    """A token bucket for each key, where `now` never goes back. One that is full again is as good
    as none, and is dropped."""

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._left: OrderedDict[Key, tuple[float, Instant]] = OrderedDict()

    def take(self, key: Key, now: Instant) -> bool:
        """Whether `key` may, once. What it may not is not counted."""
        self._drop_full(now)
        tokens = self._tokens(key, now)
        if tokens < 1:
            return False
        self._left[key] = (tokens - 1, now)
        self._left.move_to_end(key)
        return True

    def _tokens(self, key: Key, now: Instant) -> float:
        left, at = self._left.get(key, (self._allowance.burst, now))
        return min(self._allowance.burst, left + (now - at) * self._allowance.per_second)

    def _drop_full(self, now: Instant) -> None:
        """The longest unused first: all that fill up within the same time are dropped in order."""
        fills_in_s = self._allowance.burst / self._allowance.per_second
        while self._left:
            key, (_, at) = next(iter(self._left.items()))
            if now - at < fills_in_s:
                break
            del self._left[key]

    def __len__(self) -> int:
        return len(self._left)
