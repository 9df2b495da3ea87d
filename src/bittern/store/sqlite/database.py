"""The connections to one database file, and which thread uses which.

- The writer's connection belongs to the thread of the group commit.
- `read` uses a connection on the event loop: a look-up by key takes microseconds, a hop to another
  thread takes longer. Readers of a write-ahead log never wait for the writer.
- `read_aside` uses a third connection on a thread of its own, for what may be long.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from bittern.errors import StoreUnavailable
from bittern.keys.ring import Vault
from bittern.store.codec import Row
from bittern.store.group_commit import GroupCommit
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
        """What `work` returns or raises, when it is committed."""
        outcome: T = await self.submit(Write(work))
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
        """Rows, decoded on the other thread too."""
        return await asyncio.get_running_loop().run_in_executor(
            self._aside, self._read_aside, name, parameters, decode
        )

    def _read_aside(self, name: str, parameters: Parameters, decode: Callable[[Row], T]) -> list[T]:
        with unavailable_if_broken():
            rows = self._open(2).execute(STATEMENTS[name], parameters).fetchall()
        return [decode(row) for row in rows]

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
