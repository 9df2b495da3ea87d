"""What is to be done at its time: a downlink in its slot, a look whether a report has come.

`at` notes it, `run` does it: one timer for all, and a task for each, so that nothing waits for a
slow one. Tests have no task and call `fire`.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import Awaitable, Callable
from itertools import count

from bittern.errors import StoreError
from bittern.network.ports import Clock
from bittern.types import Instant

logger = logging.getLogger("bittern.network")

Action = Callable[[], Awaitable[None]]


class Entry:
    """Something noted; `cancel` strikes it off."""

    __slots__ = ("action", "at", "name")

    def __init__(self, at: Instant, name: str, action: Action) -> None:
        self.at = at
        self.name = name
        self.action: Action | None = action

    def cancel(self) -> None:
        self.action = None


class Agenda:
    """One for the whole server."""

    def __init__(self, now: Clock) -> None:
        self._now = now
        self._heap: list[tuple[Instant, int, Entry]] = []
        self._order = count()
        self._changed = asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return sum(entry.action is not None for _, _, entry in self._heap)

    def at(self, at: Instant, name: str, action: Action) -> Entry:
        """`name` is for the log, should it fail. What is noted for the past is done at once."""
        entry = Entry(at, name, action)
        heapq.heappush(self._heap, (at, next(self._order), entry))
        if self._heap[0][2] is entry:
            self._changed.set()
        return entry

    def soon(self, name: str, action: Action) -> Entry:
        return self.at(self._now(), name, action)

    def next_timer(self) -> Instant | None:
        while self._heap and self._heap[0][2].action is None:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    async def fire(self) -> None:
        """Do what is due, and what that makes due."""
        while due := self._start_due():
            await asyncio.wait(due)

    async def run(self) -> None:
        """Until cancelled; what is under way by then is finished."""
        try:
            while True:
                self._changed.clear()
                due = self.next_timer()
                wait_s = None if due is None else max(due - self._now(), 0.0)
                try:
                    async with asyncio.timeout(wait_s):
                        await self._changed.wait()
                except TimeoutError:
                    self._start_due()
        finally:
            if self._under_way:
                await asyncio.wait(self._under_way)

    def _start_due(self) -> list[asyncio.Task[None]]:
        started = []
        now = self._now()
        while (due := self.next_timer()) is not None and due <= now:
            entry = heapq.heappop(self._heap)[2]
            task = asyncio.create_task(_supervised(entry), name=entry.name)
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
            started.append(task)
        return started


async def _supervised(entry: Entry) -> None:
    """A fault in one is told; it must not touch the others."""
    try:
        if entry.action is not None:
            await entry.action()
    except StoreError as error:
        logger.error("task=%r reason=%r", entry.name, str(error))
    except Exception:
        logger.exception("task=%r failed", entry.name)
