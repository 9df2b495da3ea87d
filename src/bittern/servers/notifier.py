"""Publish notices to the broker: in order, at least once while the server runs.

They are about the system and not of its devices' data: what a crash takes with it, or what a broker
that is away for hours leaves no room for, is lost and told.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import Protocol

from bittern.errors import DeliveryUnavailable
from bittern.network.notifications import Notice
from bittern.outputs.backoff import Backoff, Chance
from bittern.outputs.port import Failures, Message

logger = logging.getLogger("bittern.servers.notifier")

KEPT = 10_000
"""Notices that wait for a broker; then the oldest is dropped."""


class Publisher(Protocol):
    async def publish(self, messages: list[Message]) -> Failures: ...


class Notifier:
    """Takes notices at any time; `run` is its task."""

    def __init__(
        self,
        publisher: Publisher,
        *,
        chance: Chance,
        backoff: Backoff | None = None,
    ) -> None:
        self._publisher = publisher
        self._chance = chance
        self._backoff = backoff or Backoff()
        self._waiting: deque[Notice] = deque()
        self._arrived = asyncio.Event()
        self.dropped = 0

    def tell(self, notice: Notice) -> None:
        if len(self._waiting) >= KEPT:
            self._waiting.popleft()
            if not self.dropped:
                logger.error("notices dropped: more than %d wait for the broker", KEPT)
            self.dropped += 1
        self._waiting.append(notice)
        self._arrived.set()

    def statistics(self) -> dict[str, int]:
        return {"queued": len(self._waiting), "dropped": self.dropped}

    async def run(self) -> None:
        """Until cancelled."""
        attempts = 0
        while True:
            await self._arrived.wait()
            while self._waiting:
                notice = self._waiting[0]
                if await self._published(notice):
                    attempts = 0
                    if self._waiting and self._waiting[0] is notice:
                        self._waiting.popleft()
                else:
                    attempts += 1
                    await asyncio.sleep(self._backoff.delay_s(attempts, self._chance))
            self._arrived.clear()

    async def _published(self, notice: Notice) -> bool:
        messages = [Message(topic, notice.document) for topic in notice.topics]
        try:
            failures = await self._publisher.publish(messages)
        except DeliveryUnavailable:
            return False
        for place, failure in failures.items():
            logger.warning(
                "notice not published topic=%r reason=%r", messages[place].topic, str(failure)
            )
        return True
