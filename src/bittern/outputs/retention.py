"""How long what could not be delivered is kept, and what happens when the disk budget is reached.

In this order: dead letters beyond their age or size go; over the budget further dead letters go,
the oldest first; still over it, messages of devices are no longer accepted, and everybody is told.
What was accepted is never dropped to make room.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from bittern.outputs.port import Health
from bittern.types import Instant

log = logging.getLogger(__name__)

LOUD_AGAIN_S = 600.0
"""How often a full disk is told again."""
ACCEPT_BELOW = 0.95
"""Of the budget: messages are accepted again when there is some room."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    dead_letter_s: float
    dead_letter_bytes: int
    budget_bytes: int


class Usage(Protocol):
    @property
    def bytes_used(self) -> int: ...
    @property
    def owed(self) -> int: ...
    @property
    def dead_letters(self) -> int: ...
    @property
    def dead_letter_bytes(self) -> int: ...


class Kept(Protocol):
    """What the store keeps. May raise `StoreError`."""

    async def trim_dead_letters(self, failed_before: Instant, most_bytes: int) -> int: ...
    async def delivery_usage(self) -> Usage: ...


class Retention:
    """`enforce` is to be called every now and then."""

    def __init__(self, store: Kept, limits: Limits, now: Callable[[], Instant]) -> None:
        self._store = store
        self._limits = limits
        self._now = now
        self._usage: Usage | None = None
        self._told_at = Instant(float("-inf"))
        self._dropped = 0
        self.is_full = False
        """Whether messages are refused."""

    async def enforce(self) -> None:
        limits = self._limits
        before = Instant(self._now() - limits.dead_letter_s)
        await self._trim(before, limits.dead_letter_bytes)
        usage = await self._store.delivery_usage()
        excess = usage.bytes_used - limits.budget_bytes
        if excess > 0 and usage.dead_letters:
            await self._trim(before, max(0, usage.dead_letter_bytes - excess))
            usage = await self._store.delivery_usage()
        self._usage = usage
        self._judge(usage)

    def health(self) -> Health:
        usage = self._usage
        if usage is None:
            return Health(True, "not measured yet")
        told = (
            f"{usage.bytes_used >> 20} of {self._limits.budget_bytes >> 20} MiB used,"
            f" {usage.owed} messages owed, {usage.dead_letters} dead letters"
        )
        return Health(not self.is_full, f"{told}; messages refused" if self.is_full else told)

    def statistics(self) -> Mapping[str, int]:
        usage = self._usage
        return {
            "used_bytes": usage.bytes_used if usage else 0,
            "budget_bytes": self._limits.budget_bytes,
            "owed": usage.owed if usage else 0,
            "kept": usage.dead_letters if usage else 0,
            "kept_bytes": usage.dead_letter_bytes if usage else 0,
            "dropped": self._dropped,
            "full": int(self.is_full),
        }

    async def _trim(self, before: Instant, most_bytes: int) -> None:
        dropped = await self._store.trim_dead_letters(before, most_bytes)
        if dropped:
            self._dropped += dropped
            log.warning("dead_letters_dropped=%d too old, or too many", dropped)

    def _judge(self, usage: Usage) -> None:
        budget = self._limits.budget_bytes
        if self.is_full and usage.bytes_used < budget * ACCEPT_BELOW:
            self.is_full = False
            log.warning("used_bytes=%d budget_bytes=%d accepted again", usage.bytes_used, budget)
        elif usage.bytes_used > budget:
            self.is_full = True
            if self._now() - self._told_at >= LOUD_AGAIN_S:
                self._told_at = self._now()
                log.error(
                    "used_bytes=%d budget_bytes=%d owed=%d the disk budget is reached: messages of"
                    " devices are refused until outputs take what is owed",
                    usage.bytes_used,
                    budget,
                    usage.owed,
                )
