"""How fast a gateway may send: what comes faster waits at its end, and nothing of it is lost."""

from __future__ import annotations

from bittern.types import Instant

BURST_S = 10.0
"""Messages of so many seconds may come at once: a gateway that was cut off for a while has kept
what it heard."""


class Pace:
    """A leaky bucket, counted in seconds: each message fills it by the time it is worth."""

    __slots__ = ("_message_s", "_until")

    def __init__(self, messages_per_second: float) -> None:
        self._message_s = 1.0 / messages_per_second
        self._until = 0.0

    def take(self, now: Instant) -> float:
        """Count one message; seconds for which to read no more, 0.0 where all is well."""
        until = self._until
        self._until = until = (until if until > now else now) + self._message_s
        excess = until - now - BURST_S
        # Reading stops for a second at least: stopping is dearer than a message.
        return excess + 1.0 if excess > 0.0 else 0.0
