"""What strangers can make happen as often as they like is told once in a while: a log on a disk
that somebody fills from outside is no log for long."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

from bittern.types import Instant

QUIET_S = 10.0
"""The same is told once in this time."""
MOST_KNOWN = 1000
"""Things that are known to have been told; of more the longest quiet are forgotten."""
MOST_TOLD = 100
"""Different things in this time: who is someone else each time is told no more often."""


class Quiet:
    """Asked before something is told; what is not told is still counted by whoever asks."""

    def __init__(self, quiet_s: float = QUIET_S) -> None:
        self._quiet_s = quiet_s
        self._told: OrderedDict[Hashable, Instant] = OrderedDict()
        self._since = Instant(float("-inf"))
        self._number = 0

    def may_tell(self, what: Hashable, now: Instant) -> bool:
        """Whether `what` was not told a moment ago, and not too much else was."""
        told = self._told.get(what)
        if told is not None and now - told < self._quiet_s:
            return False
        if now - self._since >= self._quiet_s:
            self._since, self._number = now, 0
        if self._number >= MOST_TOLD:
            return False
        self._number += 1
        self._told[what] = now
        self._told.move_to_end(what)
        if len(self._told) > MOST_KNOWN:
            self._told.popitem(last=False)
        return True
