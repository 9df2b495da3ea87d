"""How long to wait before trying again."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

Chance = Callable[[], float]
"""A number from 0 up to 1: `random.random`, or a constant in tests."""


class Backoff(msgspec.Struct, frozen=True, kw_only=True):
    """Exponential, with half of each delay left to chance: what failed together returns apart."""

    first_s: float = 0.5
    ceiling_s: float = 60.0

    def delay_s(self, attempts: int, chance: Chance) -> float:
        """The delay after `attempts` failures in a row, 1 or more."""
        # 2**32 times the first delay is beyond any ceiling, and no overflow.
        whole = min(self.ceiling_s, self.first_s * 2.0 ** min(attempts - 1, 32))
        return whole * (0.5 + 0.5 * chance())
