"""The embedded broker's memory on disk: durable sessions, what they are owed, retained messages.

A small SQLite file of its own, so that a subscriber who is away for days does not keep the outbox
full. It is synchronous; `broker.py` calls it in one thread. Payloads are sealed as in the store.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from bittern.errors import SchemaTooNew, SealBroken, StoreUnavailable
from bittern.outputs.broker.sealed import of_message, of_retained
from bittern.outputs.broker.session import Entry
from bittern.outputs.port import Sealer
from bittern.types import Instant

logger = logging.getLogger(__name__)

VERSION = 2
_SCHEMAS = ("log.sql", "log_2.sql")
"""Each makes its version of the one before."""


class LogLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What a client that is away may leave on the disk. Beyond, its oldest messages go."""

    messages: int = 100_000
    bytes: int = 256 * 1024 * 1024
    expiry_s: float = 7 * 86_400.0
    """A durable session whose client has been away for so long ends."""


class LoggedSession(msgspec.Struct, frozen=True):
    client_id: str
    username: str
    seen_at: Instant
    next_number: int
    subscriptions: tuple[tuple[str, int], ...]


class Retained(msgspec.Struct, frozen=True):
    topic: str
    payload: bytes
    qos: int
    at: Instant = Instant(0.0)
    """When it was published; 0 where the log is older than this field."""


class Changes(msgspec.Struct):
    """One transaction. What ended ends before anything else is stored."""

    ended: set[str] = set()
    sessions: dict[str, tuple[str, Instant]] = {}
    """By client: the user, and when the client was seen."""
    subscriptions: dict[tuple[str, str], int | None] = {}
    """By client and topic filter: what was granted. None: no longer subscribed."""
    retained: dict[str, Retained] = {}
    """By topic. An empty payload: no longer retained."""
    entries: list[tuple[str, Sequence[Entry]]] = []
    acked: list[tuple[str, Sequence[int]]] = []

    def forget(self, client_id: str) -> None:
        """Its session ended after these changes."""
        self.sessions.pop(client_id, None)
        for key in [key for key in self.subscriptions if key[0] == client_id]:
            del self.subscriptions[key]

    def and_then(self, later: Changes) -> Changes:
        """Both, but messages: those were refused."""
        for client_id in later.ended:
            self.forget(client_id)
        return Changes(
            ended=self.ended | later.ended,
            sessions=self.sessions | later.sessions,
            subscriptions=self.subscriptions | later.subscriptions,
            retained=self.retained | later.retained,
        )


class SessionLog:
    """Every method may raise `StoreUnavailable`; then nothing of the call was stored."""

    def __init__(self, path: Path, sealer: Sealer, limits: LogLimits | None = None) -> None:
        self._path = path
        self._sealer = sealer
        self._limits = limits or LogLimits()
        self._database: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        """Raises `SchemaTooNew`."""
        try:
            # Made by us, lest it be readable by others for a moment. What is there is not opened:
            # to close it would drop the locks of other connections of this process.
            with suppress(FileExistsError):
                os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
            self._database = sqlite3.connect(
                self._path, isolation_level=None, check_same_thread=False
            )
            self._prepare(self._database)
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise StoreUnavailable(f"{self._path}: {error}") from error
        except SchemaTooNew:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        database, self._database = self._database, None
        if database is not None:
            database.close()

    def load(self, now: Instant) -> tuple[list[LoggedSession], list[Retained]]:
        """Everything but the messages. Sessions past their time end here."""
        expired = now - self._limits.expiry_s
        with _Transaction(self._open) as database:
            database.execute("DELETE FROM session WHERE seen_at < ?", (expired,))
            sessions = [
                LoggedSession(client_id, username, seen_at, next_number, self._filters(client_id))
                for client_id, username, seen_at, next_number in database.execute(
                    "SELECT client_id, username, seen_at,"
                    " (SELECT coalesce(max(number) + 1, 0) FROM message"
                    "  WHERE message.client_id = session.client_id) FROM session"
                ).fetchall()
            ]
            retained = [
                Retained(topic, payload, qos, at)
                for topic, sealed, qos, at in database.execute(
                    "SELECT topic, payload, qos, at FROM retained"
                )
                if (payload := self._opened(sealed, of_retained(topic))) is not None
            ]
        return sessions, retained

    def write(self, changes: Changes) -> dict[str, int]:
        """One transaction. Returns how many of the oldest messages each client lost by it."""
        with _Transaction(self._open) as database:
            database.executemany(
                "DELETE FROM session WHERE client_id = ?", [(c,) for c in changes.ended]
            )
            database.executemany(
                "INSERT INTO session (client_id, username, seen_at) VALUES (?, ?, ?)"
                " ON CONFLICT (client_id) DO UPDATE"
                " SET username = excluded.username, seen_at = excluded.seen_at",
                [(client_id, *seen) for client_id, seen in changes.sessions.items()],
            )
            self._subscribe(changes.subscriptions)
            for client_id, numbers in changes.acked:
                database.executemany(
                    "DELETE FROM message WHERE client_id = ? AND number = ?",
                    [(client_id, number) for number in numbers],
                )
            lost = {c: self._append(c, entries) for c, entries in changes.entries if entries}
            for retained in changes.retained.values():
                self._retain(retained)
        return {client_id: count for client_id, count in lost.items() if count}

    def page(self, client_id: str, after: int, limit: int) -> list[Entry]:
        """What the client has not acknowledged, after a number, in order. It is shorter only where
        there is no more, whatever is left out because it does not open."""
        found: list[Entry] = []
        with _Transaction(self._open) as database:
            while (wanted := limit - len(found)) > 0:
                rows = database.execute(
                    "SELECT number, topic, payload, retain FROM message"
                    " WHERE client_id = ? AND number > ? ORDER BY number LIMIT ?",
                    (client_id, after, wanted),
                ).fetchall()
                found += self._entries(client_id, rows)
                if len(rows) < wanted:
                    break
                after = rows[-1][0]
        return found

    def _entries(
        self, client_id: str, rows: Iterable[tuple[int, bytes, bytes, int]]
    ) -> Iterator[Entry]:
        for number, topic, sealed, retain in rows:
            payload = self._opened(sealed, of_message(client_id, number, topic))
            if payload is not None:
                yield Entry(number, topic, payload, retain=bool(retain))

    def _opened(self, sealed: bytes, place: tuple[str, str]) -> bytes | None:
        """None: somebody has changed the file. It is told, and the others are sent as ever."""
        try:
            return self._sealer.open(sealed, *place)
        except SealBroken as error:
            logger.error("%s: left out; it was changed on the disk, or moved", error)
            return None

    @property
    def _open(self) -> sqlite3.Connection:
        if self._database is None:
            raise StoreUnavailable(f"{self._path}: closed")
        return self._database

    def _prepare(self, database: sqlite3.Connection) -> None:
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "busy_timeout = 5000",
        ):
            database.execute(f"PRAGMA {pragma}")
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise SchemaTooNew(version, VERSION)
        for number in range(version, VERSION):
            schema = files("bittern.outputs.broker").joinpath(_SCHEMAS[number]).read_text()
            database.executescript(f"BEGIN IMMEDIATE; {schema} COMMIT;")

    def _filters(self, client_id: str) -> tuple[tuple[str, int], ...]:
        rows = self._open.execute(
            "SELECT filter, qos FROM subscription WHERE client_id = ?", (client_id,)
        )
        return tuple(rows.fetchall())

    def _subscribe(self, subscriptions: Mapping[tuple[str, str], int | None]) -> None:
        for (client_id, topic_filter), qos in subscriptions.items():
            if qos is None:
                self._open.execute(
                    "DELETE FROM subscription WHERE client_id = ? AND filter = ?",
                    (client_id, topic_filter),
                )
            else:
                self._open.execute(
                    "INSERT OR REPLACE INTO subscription (client_id, filter, qos) VALUES (?, ?, ?)",
                    (client_id, topic_filter, qos),
                )

    def _append(self, client_id: str, entries: Iterable[Entry]) -> int:
        def seal(entry: Entry) -> bytes:
            place, _ = of_message(client_id, entry.number, entry.topic)
            return self._sealer.seal(entry.payload, place)

        self._open.executemany(
            "INSERT OR IGNORE INTO message (client_id, number, topic, payload, retain)"
            " VALUES (?, ?, ?, ?, ?)",
            [(client_id, e.number, e.topic, seal(e), e.retain) for e in entries],
        )
        return self._trim(client_id)

    def _trim(self, client_id: str) -> int:
        """Bounded, for a client may never come back. The oldest go first."""
        (messages, size) = self._open.execute(
            "SELECT messages, bytes FROM session WHERE client_id = ?", (client_id,)
        ).fetchone()
        lost = 0
        while messages and (messages > self._limits.messages or size > self._limits.bytes):
            part = max(1, messages - self._limits.messages, messages // 100)
            self._open.execute(
                "DELETE FROM message WHERE (client_id, number) IN"
                " (SELECT client_id, number FROM message"
                "  WHERE client_id = ? ORDER BY number LIMIT ?)",
                (client_id, part),
            )
            lost += part
            (messages, size) = self._open.execute(
                "SELECT messages, bytes FROM session WHERE client_id = ?", (client_id,)
            ).fetchone()
        return lost

    def _retain(self, retained: Retained) -> None:
        if retained.payload:
            sealed = self._sealer.seal(retained.payload, of_retained(retained.topic)[0])
            self._open.execute(
                "INSERT OR REPLACE INTO retained (topic, payload, qos, at) VALUES (?, ?, ?, ?)",
                (retained.topic, sealed, retained.qos, retained.at),
            )
        else:
            self._open.execute("DELETE FROM retained WHERE topic = ?", (retained.topic,))


class _Transaction:
    """All or nothing; SQLite's errors become `StoreUnavailable`."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def __enter__(self) -> sqlite3.Connection:
        try:
            self._database.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise StoreUnavailable(str(error)) from error
        return self._database

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._database.execute("COMMIT" if error is None else "ROLLBACK")
        except sqlite3.Error as failure:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise StoreUnavailable(str(failure)) from failure
        if isinstance(error, sqlite3.Error):
            raise StoreUnavailable(str(error)) from error
