"""Work that goes on beside the connections, supervised: its faults are told by name."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager

from bittern.errors import StoreError

logger = logging.getLogger("bittern.servers.background")


class Background:
    """Work that nobody waits for; its faults are told by name. Short work is finished at the end,
    what is repeated is cancelled."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._repeated: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Background:
        return self

    async def __aexit__(self, *_: object) -> None:
        for repeated in self._repeated:
            repeated.cancel()
        while self._tasks | self._repeated:
            await asyncio.wait(self._tasks | self._repeated)

    def start(self, work: Coroutine[None, None, None], name: str) -> None:
        self._keep(self._tasks, asyncio.create_task(supervised(work, name), name=name))

    def repeat(self, work: Callable[[], object], s: float, name: str) -> None:
        """Call `work` every `s` seconds, and await what it returns if that can be awaited."""

        async def once() -> None:
            done = work()
            if inspect.isawaitable(done):
                await done

        async def repeatedly() -> None:
            while True:
                await asyncio.sleep(s)
                await supervised(once(), name)

        self._keep(self._repeated, asyncio.create_task(repeatedly(), name=name))

    @staticmethod
    def _keep(tasks: set[asyncio.Task[None]], made: asyncio.Task[None]) -> None:
        tasks.add(made)
        made.add_done_callback(tasks.discard)


@asynccontextmanager
async def task(work: Coroutine[None, None, None], name: str) -> AsyncIterator[None]:
    """Run `work` inside this context, and cancel it at the end."""
    running_task = asyncio.create_task(supervised(work, name), name=name)
    await asyncio.sleep(0)  # a task that is cancelled before it began leaves its work unawaited
    try:
        yield
    finally:
        running_task.cancel()
        await asyncio.wait([running_task])


async def supervised(work: Coroutine[None, None, None], name: str) -> None:
    try:
        await work
    except StoreError as error:
        logger.error("task=%r reason=%r", name, str(error))
    except Exception:
        logger.exception("task=%r failed", name)
