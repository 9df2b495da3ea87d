"""Rotation in a running server: a new data key seals as soon as it is there, and what older ones
have sealed is sealed anew beside everything else."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bittern.config import Configuration
from bittern.errors import ConfigurationError, SealingError, StoreError
from bittern.installation import opened_keychain, sealed_things
from bittern.keys.data_keys import leaving
from bittern.keys.keychain import Keychain
from bittern.keys.resealing import Resealing
from bittern.keys.ring import KeyRing
from bittern.network.ports import Clock
from bittern.servers.background import task
from bittern.store.records import Change

logger = logging.getLogger("bittern.keys")

PAUSE_S = 0.02
"""Between two steps: frames go first."""
RETIRED_POLL_S = 10.0
LEFT_POLL_S = 3600.0
"""What does not open was told; somebody may have put it right."""


class KeyKeeper:
    """Follows what any process changes in the table of data keys."""

    def __init__(self, keychain: Keychain, resealing: Resealing) -> None:
        self.keychain = keychain
        self._resealing = resealing
        self._changed = asyncio.Event()

    @property
    def ring(self) -> KeyRing:
        return self.keychain.ring

    def follow(self, changes: list[Change]) -> None:
        if any(change.kind == "data_key" for change in changes):
            self.start_over()

    def start_over(self) -> None:
        self._changed.set()

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            self._changed.clear()
            try:
                await self.turn()
            except (StoreError, SealingError, ConfigurationError, OSError) as error:
                logger.error("data keys stay as they are reason=%r", str(error))
            await self._wait()

    async def turn(self) -> None:
        """Take in what has changed, and bring everything under the key that seals."""
        await self.keychain.refresh()
        if await self.keychain.activate_coming():
            logger.info("data key id=%d seals from now on", self.keychain.ring.sealing_id)
        if leaving(self.keychain.keys):
            await self._resealing.run(PAUSE_S)
            await self._resealing.settle()

    async def _wait(self) -> None:
        left = leaving(self.keychain.keys)
        seconds = None if not left else LEFT_POLL_S
        if any(key.state == "retired" for key in left):
            seconds = RETIRED_POLL_S
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            pass


@asynccontextmanager
async def keys_of(configuration: Configuration, now: Clock) -> AsyncIterator[KeyKeeper]:
    """The data keys of a server, kept while it runs. Raises as `opened_keychain`."""
    async with opened_keychain(configuration, now()) as keychain:
        resealing = Resealing(keychain, sealed_things(configuration), now)
        keeper = KeyKeeper(keychain, resealing)
        async with task(keeper.run(), "keep the data keys"):
            yield keeper
