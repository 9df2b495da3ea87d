"""What was given up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bittern.store.rule_records import DeadLetter, DeadLetterFilter, DeliveryUsage
from bittern.types import Instant


class DeadLetters(Protocol):
    """Messages that were given up."""

    async def dead_letters(
        self, wanted: DeadLetterFilter, after_sequence: int = 0, limit: int = 250
    ) -> list[DeadLetter]:
        """In order of sequence."""
        ...

    async def dead_letter(self, sequence: int) -> DeadLetter | None: ...

    async def drop_dead_letters(self, sequences: Sequence[int]) -> int:
        """For good; returns how many there were."""
        ...

    async def replay_dead_letters(self, sequences: Sequence[int]) -> int:
        """Owe them anew where they were owed, behind all that is owed already.

        In one transaction; returns how many there were. The change feed tells each lane.
        """
        ...

    async def trim_dead_letters(self, failed_before: Instant, most_bytes: int) -> int:
        """Drop those that are older, and the oldest of more bytes than that; how many."""
        ...

    async def delivery_usage(self) -> DeliveryUsage: ...
