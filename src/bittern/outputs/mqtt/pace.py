"""How fast a client may publish at a broker that counts. Pure: the time is an argument."""

from __future__ import annotations

BURST_S = 0.1
"""What was not used is kept for so long."""


class Pace:
    """In no second more than `per_s`, however the second is laid."""

    def __init__(self, per_s: int) -> None:
        # A burst, and behind it a second of even steps, together are no more than `per_s`.
        self._step_s = (1 + BURST_S) / per_s
        self._even = float("-inf")
        """When the next would go out if all went out in even steps."""

    def take(self, now: float) -> float:
        """0: one may go out, and is counted. Otherwise the seconds to wait for that."""
        even = max(self._even, now)
        early = even - BURST_S - now
        if early > 0:
            return early
        self._even = even + self._step_s
        return 0.0
