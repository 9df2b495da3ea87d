"""What waits for devices."""

from __future__ import annotations

from typing import Protocol

from bittern.store.records import QueuedDownlink
from bittern.types import DevEUI


class DownlinkQueue(Protocol):
    """Application payloads that wait for their devices."""

    async def enqueue(self, downlink: QueuedDownlink) -> None:
        """Raises `NotFound` without its device, `Conflict` when the message is queued already."""
        ...

    async def queued(self, dev_eui: DevEUI, limit: int = 250) -> list[QueuedDownlink]:
        """First come, first out; before that the higher priority."""
        ...

    async def waiting(self) -> list[DevEUI]:
        """Devices that something is queued for."""
        ...

    async def unqueue(self, dev_eui: DevEUI, message_id: str | None = None) -> int:
        """Remove one message, or all; returns how many were removed."""
        ...
