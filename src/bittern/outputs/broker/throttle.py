"""How often somebody may guess a password. Pure: `now` is an argument.

Three tallies of wrong passwords: of an address, of a user, and of both together. Some are free;
after that each one more doubles the time in which nothing is checked. A user who has logged in from
an address before is not locked out there by what others do at that address or try with that name:
only by wrong passwords for this name from this address.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TypeVar

import msgspec

from bittern.config.peers import place_of
from bittern.types import Instant

_Pair = tuple[str, str]
_T = TypeVar("_T")


class ThrottleLimits(msgspec.Struct, frozen=True, kw_only=True):
    free: int = 5
    """Wrong passwords before the first wait."""
    first_s: float = 1.0
    ceiling_s: float = 300.0
    forgotten_s: float = 3600.0
    """Without another wrong password for so long, the tally starts again."""
    remembered: int = 10_000
    """Addresses and users that are kept in mind; the longest quiet are forgotten."""


class _Tally(msgspec.Struct):
    wrong: int
    last: Instant


class LoginThrottle:
    def __init__(self, limits: ThrottleLimits | None = None) -> None:
        self._limits = limits or ThrottleLimits()
        self._tallies: OrderedDict[_Pair, _Tally] = OrderedDict()
        self._welcome: OrderedDict[_Pair, None] = OrderedDict()

    def wait_s(self, address: str, username: str, now: Instant) -> float:
        """Seconds in which nothing of this user from there is checked; 0: it may try."""
        pair = (place_of(address), username)
        own = self._left(pair, now)
        if pair in self._welcome:
            return own
        return max(own, self._left((pair[0], ""), now), self._left(("", username), now))

    def wrong(self, address: str, username: str, now: Instant) -> None:
        place = place_of(address)
        for key in ((place, username), (place, ""), ("", username)):
            tally = self._tallies.pop(key, None)
            if tally is None or now - tally.last > self._limits.forgotten_s:
                tally = _Tally(0, now)
            self._tallies[key] = _Tally(tally.wrong + 1, now)
        _trim(self._tallies, self._limits.remembered)

    def right(self, address: str, username: str) -> None:
        pair = (place_of(address), username)
        self._tallies.pop(pair, None)
        self._welcome.pop(pair, None)
        self._welcome[pair] = None
        _trim(self._welcome, self._limits.remembered)

    def _left(self, key: _Pair, now: Instant) -> float:
        tally, limits = self._tallies.get(key), self._limits
        if tally is None or tally.wrong <= limits.free or now - tally.last > limits.forgotten_s:
            return 0.0
        doubled = min(tally.wrong - limits.free - 1, 32)
        wait = min(limits.first_s * 2.0**doubled, limits.ceiling_s)
        return max(0.0, tally.last + wait - now)


def _trim(kept: OrderedDict[_Pair, _T], count: int) -> None:
    while len(kept) > count:
        kept.popitem(last=False)
