"""Where receptions enter: gathered for the deduplication window, then each frame lives its life.

One timer drives all windows. Frames are handled concurrently, each in a task of its own; how many
at once and how many wait is bounded, and what is beyond is refused by name rather than piled up.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from bittern.lorawan.radio import Reception
from bittern.network.deduplication import Deduplicator, Gathered
from bittern.network.events import FrameRefused
from bittern.network.journal import Journal
from bittern.network.ports import Clock
from bittern.types import Instant, Refusal

logger = logging.getLogger("bittern.network")

TICK_S = 0.005
"""Windows that end this close together are served together."""
BATCH = 64
"""Frames begun in one turn of the event loop. Behind, a long turn would make the next one longer,
and gateways, store and subscribers would each wait for it."""
TOLD_EVERY_S = 1.0
"""Refusals for want of room are counted one by one, but told once in this time."""


class Intake:
    """`receive` is called for every copy, synchronously; `run` is its task.

    Frames that wait are kept where they are gathered, at most `capacity` of them; of those that are
    being handled there are at most `in_flight_limit`.
    """

    def __init__(
        self,
        handle: Callable[[Gathered], Awaitable[None]],
        *,
        window_s: float,
        journal: Journal,
        now: Clock,
        capacity: int = 50_000,
        in_flight_limit: int = 2_000,
    ) -> None:
        self._handle = handle
        self._journal = journal
        self._now = now
        self._deduplicator = Deduplicator(window_s, capacity)
        self._in_flight: set[asyncio.Task[None]] = set()
        self._in_flight_limit = in_flight_limit
        self._arrived = asyncio.Event()
        self._told_at = Instant(0.0)

    def receive(self, phy_payload: bytes, reception: Reception) -> None:
        now = self._now()
        if not self._deduplicator.add(phy_payload, reception, now):
            self._refuse(reception, now)
        elif not self._arrived.is_set():
            self._arrived.set()

    async def run(self) -> None:
        """Until cancelled. What is gathered by then is still handled: it was received."""
        try:
            while True:
                await self._arrived.wait()
                while (due := self._deduplicator.next_timer()) is not None:
                    await asyncio.sleep(max(due - self._now(), TICK_S))
                    await self._begin_what_is_due()
                self._arrived.clear()
        finally:
            self._begin(self._deduplicator.flush())
            if self._in_flight:
                await asyncio.wait(self._in_flight)

    def statistics(self) -> dict[str, int]:
        return {
            "gathering": len(self._deduplicator),
            "in_flight": len(self._in_flight),
            "copies": self._deduplicator.copies,
            "late_copies": self._deduplicator.late_copies,
        }

    async def _begin_what_is_due(self) -> None:
        while frames := self._deduplicator.due(self._now(), BATCH):
            self._begin(frames)
            await asyncio.sleep(0)
            while len(self._in_flight) >= self._in_flight_limit:
                await asyncio.wait(self._in_flight, return_when=asyncio.FIRST_COMPLETED)

    def _begin(self, frames: list[Gathered]) -> None:
        for gathered in frames:
            task = asyncio.ensure_future(self._supervised(gathered))
            self._in_flight.add(task)
            task.add_done_callback(self._in_flight.discard)

    async def _supervised(self, gathered: Gathered) -> None:
        """A fault in handling one frame is ours and is told; it must not touch other frames."""
        try:
            await self._handle(gathered)
        except Exception:
            logger.exception("frame from gateway=%s not handled", gathered.best.gateway_eui)

    def _refuse(self, reception: Reception, now: Instant) -> None:
        if now - self._told_at < TOLD_EVERY_S:
            self._journal.count_refusal(Refusal.OVERLOADED)
            return
        self._told_at = now
        self._journal.record(
            FrameRefused(
                at=now,
                refusal=Refusal.OVERLOADED,
                reason=f"{len(self._deduplicator)} frames wait to be handled",
                gateway_eui=reception.gateway_eui,
            )
        )
