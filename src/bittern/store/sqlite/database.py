"""The connections to one database file, and which thread uses which.

- The writer's connection belongs to the thread of the group commit.
- `read` uses a connection on the event loop: a look-up by key takes microseconds, a hop to another
  thread takes longer. Readers of a write-ahead log never wait for the writer.
- `read_aside` uses a third connection on a thread of its own, for what may be long.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from bittern.errors import SealBroken, StoreUnavailable
from bittern.keys.ring import Vault
from bittern.store import attribution
from bittern.store.codec import Row
from bittern.store.group_commit import GroupCommit
from bittern.store.sqlite.audit import with_attribution
from bittern.store.sqlite.connections import (
    connect_reader,
    connect_writer,
    make_private,
    unavailable_if_broken,
)
from bittern.store.sqlite.migrations import known_migrations, migrate
from bittern.store.sqlite.transaction import STATEMENTS, Parameters, Transaction
from bittern.store.sqlite.writer import Call, Write, Writer

BUSY_TIMEOUT_S = 5.0
"""How long a write waits for that of another process."""
READ_TIMEOUT_S = 0.5
"""Readers wait only while another process repairs the log after a crash."""

MOST_BROKEN = 1000
"""Places known to have been told of."""

logger = logging.getLogger("bittern.store")

T = TypeVar("T")


class Database:
    """Opened and closed on the event loop that uses it."""

    def __init__(
        self, path: Path, vault: Vault, group_commit_s: float, most_waiting: int, changes_kept: int
    ) -> None:
        self.path = path
        self.vault = vault
        self._group_commit_s = group_commit_s
        self._most_waiting = most_waiting
        self._changes_kept = changes_kept
        self._connections: list[sqlite3.Connection] = []
        self._broken: set[str] = set()

    async def open(self) -> None:
        try:
            await asyncio.to_thread(self._connect)
        except (sqlite3.Error, OSError) as error:
            raise StoreUnavailable(str(error)) from error
        self._aside = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store-reader")
        writer = Writer(self._connections[0], self._changes_kept, self.vault)
        self.group_commit: GroupCommit[Call] = GroupCommit(
            writer.commit,
            window_s=self._group_commit_s,
            most_waiting=self._most_waiting,
            rest=writer.rest,
        )
        self.group_commit.open()

    async def close(self) -> None:
        if not self._connections:
            return
        await self.group_commit.close()
        await asyncio.to_thread(self._aside.shutdown)
        await asyncio.to_thread(self._disconnect)

    def submit(self, call: Call) -> asyncio.Future[Any]:
        return self.group_commit.submit(call)

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """What `work` returns or raises, when it is committed; the audit log has by whom."""
        whose = attribution.current()
        work, record = with_attribution(work, whose, self.vault)
        if whose is None or record is None:
            outcome: T = await self.submit(Write(work))
            return outcome
        try:
            outcome = await self.submit(Write(work))
        except Exception:
            whose.give_back(record)
            raise
        whose.is_added = True
        return outcome

    def read(self, name: str, parameters: Parameters = ()) -> list[Row]:
        with unavailable_if_broken():
            return self._open(1).execute(STATEMENTS[name], parameters).fetchall()

    def read_one(self, name: str, parameters: Parameters, decode: Callable[[Row], T]) -> T | None:
        rows = self.read(name, parameters)
        return decode(rows[0]) if rows else None

    async def read_aside(
        self, name: str, parameters: Parameters, decode: Callable[[Row], T]
    ) -> list[T]:
        """Rows, decoded on the other thread too; without those that do not open (`opened`)."""
        return await asyncio.get_running_loop().run_in_executor(
            self._aside, self._read_aside, name, parameters, decode
        )

    def _read_aside(self, name: str, parameters: Parameters, decode: Callable[[Row], T]) -> list[T]:
        with unavailable_if_broken():
            rows = self._open(2).execute(STATEMENTS[name], parameters).fetchall()
        return list(self.opened(rows, decode))

    async def read_page_aside(
        self, name: str, key: Parameters, bounds: tuple[int, int], decode: Callable[[Row], T]
    ) -> list[T]:
        """A page behind a sequence, by `bounds`: that and how many. It is shorter only where there
        is no more, however many rows are left out; their sequence is their first column."""
        return await asyncio.get_running_loop().run_in_executor(
            self._aside, self._read_page, name, key, bounds, decode
        )

    def _read_page(
        self, name: str, key: Parameters, bounds: tuple[int, int], decode: Callable[[Row], T]
    ) -> list[T]:
        found: list[T] = []
        after, limit = bounds
        while (wanted := limit - len(found)) > 0:
            with unavailable_if_broken():
                rows = self._open(2).execute(STATEMENTS[name], (*key, after, wanted)).fetchall()
            found += self.opened(rows, decode)
            if len(rows) < wanted:
                break
            after = rows[-1][0]
        return found

    def opened(self, rows: list[Row], decode: Callable[[Row], T]) -> Iterator[T]:
        """Without the rows in which a sealed value does not open: somebody has changed the file.
        That is told, once for each, and the others are served as ever."""
        for row in rows:
            try:
                yield decode(row)
            except SealBroken as error:
                self._tell(error)

    def _tell(self, error: SealBroken) -> None:
        if error.where in self._broken:
            return
        if len(self._broken) >= MOST_BROKEN:
            self._broken.clear()
        self._broken.add(error.where)
        logger.error("%s: the row is left out; it was changed on the disk, or moved", error)

    def _open(self, number: int) -> sqlite3.Connection:
        if not self._connections:
            raise StoreUnavailable("it is closed")
        return self._connections[number]

    def _connect(self) -> None:
        make_private(self.path)
        try:
            self._connections.append(connect_writer(self.path, BUSY_TIMEOUT_S))
            migrate(self._connections[0], known_migrations())
            self._connections += [connect_reader(self.path, READ_TIMEOUT_S) for _ in range(2)]
        except BaseException:
            self._disconnect()
            raise

    def _disconnect(self) -> None:
        """The writer last: closing the last connection moves the log into the database."""
        while self._connections:
            self._connections.pop().close()
