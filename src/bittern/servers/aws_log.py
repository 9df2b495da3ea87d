"""Write the log that AWS IoT Core for LoRaWAN writes, as far as accounts want its lines.

While every account wants errors alone, uplinks cost nothing for it: they are heard only when
somebody wants to be informed of them. What is heard is put in line, and one task writes it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable
from typing import Protocol

from bittern.errors import StoreError
from bittern.network.aws_log import Entry, entry_of, line_of
from bittern.network.directory import DeviceContext
from bittern.network.events import DownlinkSent, JoinAnswered, JoinReceived, NetworkEvent
from bittern.network.journal import Journal
from bittern.store.account_records import Account
from bittern.store.log_levels import (
    DEFAULT,
    LevelsOfAll,
    LogLevel,
    Resource,
    level_of_one,
    levels_of_all,
)
from bittern.store.notes import Note, NoteKind
from bittern.store.records import DEFAULT_ACCOUNT
from bittern.types import DevEUI, GatewayEUI

logger = logging.getLogger("bittern.servers.aws_log")

KEPT = 10_000
"""Lines that were not written yet; then further ones are dropped."""
LOOK_AGAIN_S = 30.0
"""Levels may be changed by other processes."""
PAGE = 250

Write = Callable[[bytes], None]
"""Given whole lines without their end; it must not raise."""


class LevelStore(Protocol):
    """What is used of the store."""

    async def accounts(self) -> list[Account]: ...
    async def notes(
        self, account: str, kind: NoteKind, after: str = "", limit: int = 250
    ) -> list[Note]: ...


class Registered(Protocol):
    """The directory."""

    async def device(self, dev_eui: DevEUI) -> DeviceContext | None: ...
    async def gateway(self, gateway_eui: GatewayEUI) -> _Owned | None: ...


class _Owned(Protocol):
    @property
    def account(self) -> str: ...
    @property
    def id(self) -> str: ...


class AwsLog:
    """A watcher of the journal; `run` is its task."""

    def __init__(
        self,
        store: LevelStore,
        directory: Registered,
        journal: Journal,
    ) -> None:
        self._store = store
        self._directory = directory
        self._journal = journal
        self._of_all: dict[str, LevelsOfAll] = {}
        self._of_one: dict[tuple[str, str], LogLevel] = {}
        self._waiting: deque[Entry] = deque()
        self._arrived = asyncio.Event()
        self._outdated = True
        self._informs = False
        self.written = self.dropped = 0

    def statistics(self) -> dict[str, int]:
        return {"written": self.written, "dropped": self.dropped}

    def changed(self) -> None:
        """An account has said what it wants."""
        self._outdated = True
        self._arrived.set()

    def listen(self, event: NetworkEvent) -> None:
        if not self._informs and isinstance(event, DownlinkSent | JoinReceived | JoinAnswered):
            return
        entry = entry_of(event)
        if entry is None:
            return
        if len(self._waiting) >= KEPT:
            self.dropped += 1
            return
        self._waiting.append(entry)
        self._arrived.set()

    async def run(self, write: Write) -> None:
        """Until cancelled."""
        with contextlib.ExitStack() as hearing:
            while True:
                try:
                    await self.turn(hearing, write)
                except StoreError as error:
                    logger.warning("lines are lost reason=%r", str(error))
                    await asyncio.sleep(1)
                if not await self._something_to_do():
                    self._outdated = True

    async def _something_to_do(self) -> bool:
        """False: nothing came for long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_AGAIN_S):
                await self._arrived.wait()
                return True
        return False

    async def turn(self, hearing: contextlib.ExitStack, write: Write) -> None:
        """Whatever there is to do now."""
        self._arrived.clear()
        if self._outdated:
            await self._look(hearing)
        while self._waiting:
            await self._tell(self._waiting.popleft(), write)

    async def _look(self, hearing: contextlib.ExitStack) -> None:
        """At what accounts want."""
        of_all: dict[str, LevelsOfAll] = {}
        of_one: dict[tuple[str, str], LogLevel] = {}
        self._outdated = False
        try:
            for account in {DEFAULT_ACCOUNT, *(one.id for one in await self._store.accounts())}:
                after = ""
                while notes := await self._store.notes(account, "logs", after, PAGE):
                    after = notes[-1].name
                    for note in notes:
                        if note.name == DEFAULT:
                            of_all[account] = levels_of_all(note)
                        else:
                            of_one[account, note.name] = level_of_one(note)
        except StoreError:
            self._outdated = True
            raise
        self._of_all, self._of_one = of_all, of_one
        self._informs = "INFO" in of_one.values() or any(one.inform for one in of_all.values())
        hearing.close()
        hear = self._journal.watching if self._informs else self._journal.listening
        hearing.enter_context(hear(self.listen))

    async def _tell(self, entry: Entry, write: Write) -> None:
        owned = await self._owner(entry)
        if owned is None:
            return
        resource: Resource = "WirelessGateway" if entry.is_gateway else "WirelessDevice"
        level = self._of_one.get((owned.account, f"{resource}/{owned.id}"))
        if level is None:
            level = self._of_all.get(owned.account, _UNSAID).of(resource, entry.event)
        if level in ("INFO", entry.level):
            write(line_of(entry, owned.id))
            self.written += 1

    async def _owner(self, entry: Entry) -> _Owned | None:
        if entry.is_gateway:
            return await self._directory.gateway(GatewayEUI(entry.of))
        context = await self._directory.device(DevEUI(entry.of))
        return None if context is None else context.device


_UNSAID = LevelsOfAll()
