"""Follow what any process changes in the registry, the command line for example."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from bittern.errors import ChangesTrimmed, StoreError
from bittern.store.ports.changes import ChangeFeed
from bittern.store.records import Change

logger = logging.getLogger("bittern.servers.changes")

CHANGE_POLL_S = 0.2
"""How soon a change takes effect."""

Follower = Callable[[list[Change]], None]


async def follow_changes(
    store: ChangeFeed, followers: Sequence[Follower], start_over: Callable[[], Awaitable[None]]
) -> None:
    """Tell every follower what any process has changed in the registry.

    Where more was changed than the store keeps, everything is read anew: `start_over`.
    """
    last = await store.last_change()
    while True:
        await asyncio.sleep(CHANGE_POLL_S)
        try:
            changes = await store.changes(last)
        except ChangesTrimmed:
            last = await store.last_change()
            logger.info("more was changed at once than is listed: all is read anew")
            await start_over()
            continue
        except StoreError as error:
            logger.error("changes cannot be read reason=%r", str(error))
            continue
        if changes:
            last = changes[-1].sequence
            for follow in followers:
                follow(changes)
