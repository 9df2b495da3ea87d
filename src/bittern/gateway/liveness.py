"""Whether a station is still there, and how far away it is: by pings, which it never sends itself.

Any message shows that it is there; only a pong, which it sends at once, tells the distance.
"""

from __future__ import annotations

from collections import deque
from typing import Literal

from bittern.types import Instant

FIRST_PING_S = 1.0
"""After the connection has opened: soon, so that the round trip is known."""
SAMPLES_KEPT = 8
"""At a ping every 30 s the last four minutes: long enough to know a link at its worst, short enough
to forget one bad moment."""


class Liveness:
    """Of one open connection. The shell calls `fire` at `next_timer`."""

    __slots__ = (
        "_asked_at",
        "_heard_at",
        "_interval_s",
        "_next_ping_at",
        "_round_trips_s",
        "_timeout_s",
        "_unheard_since",
    )

    def __init__(self, now: Instant, *, interval_s: float, timeout_s: float) -> None:
        self._interval_s = interval_s
        self._timeout_s = timeout_s
        self._heard_at = now
        self._next_ping_at = Instant(now + min(FIRST_PING_S, interval_s))
        self._unheard_since: Instant | None = None
        self._asked_at: deque[Instant] = deque()
        self._round_trips_s: deque[float] = deque(maxlen=SAMPLES_KEPT)

    def heard(self, now: Instant) -> None:
        """Something came."""
        self._heard_at = now

    def pong(self, now: Instant) -> None:
        """Pongs come in the order of the pings, so each answers the oldest that has none yet. One
        that nobody asked for says nothing (RFC 6455, 5.5.3)."""
        self._heard_at = now
        if self._asked_at:
            self._round_trips_s.append(max(now - self._asked_at.popleft(), 0.0))

    @property
    def round_trip_s(self) -> float | None:
        """The longest of late: who has to be in time must not reckon with the average. None before
        the first pong."""
        return max(self._round_trips_s, default=None)

    def next_timer(self) -> Instant:
        """Hearing something only ever moves it later."""
        silent_at = self._silent_at
        return self._next_ping_at if silent_at is None else min(self._next_ping_at, silent_at)

    def fire(self, now: Instant) -> Literal["ping", "silent"] | None:
        """What is due: a ping to be sent, or that the station is gone."""
        if now < self.next_timer():
            return None
        silent_at = self._silent_at
        if silent_at is not None and now >= silent_at:
            return "silent"
        if silent_at is None:
            self._unheard_since = now
        self._next_ping_at = Instant(now + self._interval_s)
        self._asked_at.append(now)
        return "ping"

    @property
    def _silent_at(self) -> Instant | None:
        """When the station is given up, if nothing has come since it was pinged."""
        since = self._unheard_since
        if since is None or self._heard_at >= since:
            return None
        return Instant(since + self._timeout_s)
