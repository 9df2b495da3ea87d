"""Sealing everything anew under the active key, in steps so small that nobody waits for them.

Each step is a transaction of its own, and what it finds decides what it does: cut short at any
moment, the rotation goes on where it was.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Protocol

from bittern.errors import SealBroken, StoreUnavailable
from bittern.keys.keychain import Keychain
from bittern.keys.ring import KeyRing
from bittern.keys.rotation import GRACE_S, IN_THE_CLEAR, Counts, moves, together
from bittern.types import Instant

logger = logging.getLogger("bittern.keys")

_Key = int | str | None
AT_ONCE = 100
"""Values of a step: a few milliseconds."""


class Sealed(Protocol):
    """Something that holds sealed values. Synchronous: used in a thread, one at a time. Each may
    raise `StoreUnavailable`."""

    def count(self) -> Counts: ...

    def reseal(self, ring: KeyRing, limit: int) -> int:
        """Seal some values anew, and return how many were looked at; 0: all have been since
        it last returned 0. One that does not open is told and left as it is."""
        ...


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """`place` names the place of a value, now and formerly, by the columns of `identity`."""

    table: str
    column: str
    identity: tuple[str, ...]
    place: Callable[..., tuple[str, str | None]]
    key: str = "rowid"
    """Orders the rows, and finds one again."""


class SealedTables:
    """The sealed columns of one SQLite database, on a connection of its own for each step."""

    def __init__(
        self, connect: Callable[[], sqlite3.Connection], columns: Sequence[SealedColumn]
    ) -> None:
        self._connect = connect
        self._columns = columns
        self._at: tuple[int, _Key] = 0, None
        """Which column, and behind which of its rows."""

    def count(self) -> Counts:
        with self._connected() as connection:
            return together(_count(connection, column) for column in self._columns)

    def reseal(self, ring: KeyRing, limit: int) -> int:
        with self._connected() as connection:
            while self._at[0] < len(self._columns):
                number, after = self._at
                column = self._columns[number]
                rows = _behind(connection, column, after, ring.sealing_id, limit)
                if rows:
                    _reseal(connection, column, rows, ring)
                    self._at = number, rows[-1]
                    return len(rows)
                self._at = number + 1, None
        self._at = 0, None
        return 0

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(self._connect()) as connection:
                yield connection
        except sqlite3.Error as error:
            raise StoreUnavailable(str(error)) from error


def _count(connection: sqlite3.Connection, column: SealedColumn) -> Counts:
    # Names of our own, nobody else's.
    head = f"substr({column.column}, 1, 1)"
    found = connection.execute(
        f"SELECT {head}, count(*) FROM {column.table}"  # nosec B608
        f" WHERE {column.column} IS NOT NULL GROUP BY {head}"
    ).fetchall()
    return together(
        {one[0] if isinstance(one, bytes) and one else IN_THE_CLEAR: number}
        for one, number in found
    )


def _behind(
    connection: sqlite3.Connection, column: SealedColumn, after: _Key, active: int, limit: int
) -> list[_Key]:
    """Before the transaction: looking through a large table must not hold up who writes."""
    found = connection.execute(
        f"SELECT {column.key} FROM {column.table}"  # nosec B608
        f" WHERE (?1 IS NULL OR {column.key} > ?1) AND substr({column.column}, 1, 1) <> ?2"
        f" ORDER BY {column.key} LIMIT ?3",
        (after, bytes([active]), limit),
    )
    return [key for (key,) in found.fetchall()]


def _reseal(
    connection: sqlite3.Connection, column: SealedColumn, rows: list[_Key], ring: KeyRing
) -> None:
    names = ", ".join((*column.identity, column.column))
    connection.execute("BEGIN IMMEDIATE")
    try:
        for key in rows:
            row = connection.execute(
                f"SELECT {names} FROM {column.table} WHERE {column.key} = ?",  # nosec B608
                (key,),
            ).fetchone()
            if row is None:
                continue  # gone meanwhile
            anew = _anew(column, row, ring)
            if anew is not None:
                connection.execute(
                    f"UPDATE {column.table} SET {column.column} = ?"  # nosec B608
                    f" WHERE {column.key} = ?",
                    (anew, key),
                )
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _anew(column: SealedColumn, row: tuple[object, ...], ring: KeyRing) -> bytes | None:
    """None: there is nothing to do, or nothing that can be done."""
    *identity, value = row
    now, formerly = column.place(*identity)
    if isinstance(value, str):
        return ring.seal(value.encode(), now)
    if not isinstance(value, bytes) or value[:1] == bytes([ring.sealing_id]):
        return None
    try:
        return ring.seal(ring.open(value, now, formerly), now)
    except SealBroken as error:
        logger.error("%s: left as it is; it was changed on the disk, or moved", error)
        return None


class Resealing:
    """Brings everything that `sealed` holds under the active key of a keychain."""

    def __init__(
        self, keychain: Keychain, sealed: Sequence[Sealed], now: Callable[[], Instant]
    ) -> None:
        self._keychain = keychain
        self._sealed = sealed
        self._now = now
        self._retired_at: dict[int, Instant] = {}

    async def counts(self) -> Counts:
        return together([await asyncio.to_thread(one.count) for one in self._sealed])

    async def run(
        self, pause_s: float = 0.0, told: Callable[[int], None] = lambda values: None
    ) -> None:
        """Once through everything. `told` hears of each step."""
        for one in self._sealed:
            while looked_at := await asyncio.to_thread(one.reseal, self._keychain.ring, AT_ONCE):
                told(looked_at)
                await asyncio.sleep(pause_s)

    async def settle(self, grace_s: float = GRACE_S) -> Counts:
        """Retire, remove or bring back keys, by what is found sealed under each. `grace_s` may be
        0 where no program can be slow to hear of it."""
        counts, now = await self.counts(), self._now()
        for key in self._keychain.keys:
            if key.state == "retired":
                self._retired_at.setdefault(key.id, now)
            else:
                self._retired_at.pop(key.id, None)
        for move in moves(self._keychain.keys, counts, self._retired_at, now, grace_s):
            logger.info("data key id=%d is %s", move.key_id, move.after or "removed")
            if move.after is None:
                await self._keychain.remove(move.key_id)
                self._retired_at.pop(move.key_id, None)
            else:
                await self._keychain.move(move.key_id, move.before, move.after)
        return counts
