"""What a rule may cost. A statement is written by a user, a message by a device: neither may take
the server's memory or its time.

AWS bounds a rule by the message of 128 KiB and by the clock; here the bounds are counted, so that
the same message always has the same end.
"""

from __future__ import annotations

from bittern.errors import RuleLimitExceeded

MAX_STATEMENT = 65_536
"""Characters of a statement or a template."""

MAX_DEPTH = 100
"""How deep expressions may stand in each other."""

MAX_TEXT = 262_144
"""Characters of a String that a function makes."""

MAX_WEIGHT = 1_048_576
"""Characters of the Strings in a value, and 8 for each value in it."""

MAX_STEPS = 100_000
"""Elements that nested queries look at, for one message."""

MAX_CALLS = 32
"""Calls of functions outside the engine, for one message."""

MAX_TRANSFORMED = 128 * 1024
"""Bytes of what ``transform`` gives (AWS IoT Core developer guide, "transform")."""


def bounded(length: int) -> None:
    """Raise `RuleLimitExceeded` before a String of `length` characters is made."""
    if length > MAX_TEXT:
        raise RuleLimitExceeded(f"a string of {length} characters, {MAX_TEXT} are allowed")


class Weight:
    """Adds up values without recursion, so that depth costs nothing, and stops at the bound."""

    __slots__ = ("_left",)

    def __init__(self, limit: int = MAX_WEIGHT) -> None:
        self._left = limit

    def add(self, value: object) -> None:
        """Raise `RuleLimitExceeded` when all that was added together is too much."""
        waiting = [value]
        while waiting:
            one = waiting.pop()
            self._take(8)
            if isinstance(one, str | bytes):
                self._take(len(one))
            elif isinstance(one, list):
                self._take(8 * len(one))  # before the list of what waits grows by as much
                waiting.extend(one)
            elif isinstance(one, dict):
                self._take(8 * len(one) + sum(map(len, one)))
                waiting.extend(one.values())

    def _take(self, amount: int) -> None:
        self._left -= amount
        if self._left < 0:
            raise RuleLimitExceeded("the value grows beyond what a rule may make")
