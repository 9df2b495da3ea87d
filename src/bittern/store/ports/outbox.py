"""What is owed, to destinations and in lanes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from bittern.store.records import Delivery
from bittern.types import EUI64, Instant


class Owed(Protocol):
    """What a `Delivery` is to those who hand one in."""

    @property
    def message_id(self) -> str: ...
    @property
    def account(self) -> str: ...
    @property
    def dev_eui(self) -> EUI64: ...
    @property
    def destination(self) -> str: ...
    @property
    def document(self) -> bytes: ...
    @property
    def created_at(self) -> Instant: ...
    @property
    def sequence(self) -> int: ...
    @property
    def lane(self) -> str: ...


class Buried(Protocol):
    """What a `DeadLetter` is to those who hand one in, which have no number for it yet."""

    @property
    def owed_as(self) -> int: ...
    @property
    def lane(self) -> str: ...
    @property
    def account(self) -> str: ...
    @property
    def dev_eui(self) -> EUI64: ...
    @property
    def message_id(self) -> str: ...
    @property
    def destination(self) -> str: ...
    @property
    def rule(self) -> str: ...
    @property
    def action(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def detail(self) -> str: ...
    @property
    def attempts(self) -> int: ...
    @property
    def created_at(self) -> Instant: ...
    @property
    def failed_at(self) -> Instant: ...
    @property
    def document(self) -> bytes: ...


class OutboxStore(Protocol):
    """Messages owed to destinations, and what of them is owed in lanes: to one receiver each.

    A message has the same sequence in every lane that it is owed in, that of the outbox.
    """

    async def owed(self, after_sequence: int, limit: int, lane: str = "") -> list[Delivery]:
        """Undelivered messages in order of sequence, of the outbox or of one lane."""
        ...

    async def owe(self, delivery: Delivery) -> int:
        """Owe a message that no frame has brought; returns its sequence. The change feed tells."""
        ...

    async def delivered(self, sequences: Sequence[int]) -> None:
        """Strike off the outbox what was delivered; unknown sequences are ignored."""
        ...

    async def settle(
        self,
        *,
        delivered: Sequence[int] = (),
        delivered_in: Mapping[str, Sequence[int]] = MappingProxyType({}),
        owed: Sequence[Owed] = (),
        letters: Sequence[Buried] = (),
    ) -> None:
        """All of it, or nothing: `owed` is owed in lanes, `letters` are kept, the others struck
        off the outbox and off lanes.

        What is owed in a lane already, or kept as a dead letter of it, stays as it is.
        """
        ...

    async def lanes(self) -> list[str]:
        """Those that something is owed in, in order."""
        ...

    async def owed_count(self) -> int:
        """In the outbox and in all lanes."""
        ...
