"""What the API takes at once, and how many signatures may be wrong.

A secret access key has 240 bits: nobody guesses it. But somebody who tries costs work and fills the
log, so an address whose requests are not signed as they should be is soon refused unread.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from bittern.config.peers import place_of
from bittern.network.allowance import Allowance
from bittern.types import Instant

MOST_ADDRESSES = 10_000
BURST = 20
"""Failures that an address has free: a client with a wrong secret tries a few times."""


AT_ONCE_S = 5.0
"""So many seconds' requests of an account may come at once."""


def account_allowance(per_second: float) -> Allowance:
    """What one account may ask."""
    return Allowance(burst=max(per_second * AT_ONCE_S, 1.0), per_second=per_second)


class Failures:
    """How often addresses have failed lately; the longest quiet are forgotten first."""

    def __init__(self, per_minute: float) -> None:
        self._each_s = 60.0 / per_minute
        self._until: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._until)

    def count(self, address: str, now: Instant) -> None:
        """`address` has failed once more."""
        who = place_of(address)
        self._until[who] = max(self._until.get(who, 0.0), now) + self._each_s
        self._until.move_to_end(who)
        if len(self._until) > MOST_ADDRESSES:
            self._until.popitem(last=False)

    def wait_s(self, address: str, now: Instant) -> float:
        """Seconds for which `address` is not listened to; 0.0: it is."""
        if not self._until:
            return 0.0
        who = place_of(address)
        filled = self._until.get(who, 0.0) - now
        if filled <= 0.0:
            self._until.pop(who, None)
        return max(filled - BURST * self._each_s, 0.0)


class Room:
    """So much at once, and not more."""

    def __init__(self, size: int) -> None:
        self._size = size
        self.taken = 0

    @contextmanager
    def take(self, size: int) -> Iterator[bool]:
        """Whether there was room for it; it is given back at the end."""
        there_is = self.taken + size <= self._size
        self.taken += size if there_is else 0
        try:
            yield there_is
        finally:
            self.taken -= size if there_is else 0
