"""The table of data keys, on a connection of its own: it is read before anything can be sealed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from bittern.errors import Conflict, StoreUnavailable
from bittern.keys.data_keys import DataKey, State
from bittern.store.sqlite.connections import connect_writer, make_private, unavailable_if_broken
from bittern.store.sqlite.migrations import known_migrations, migrate
from bittern.store.sqlite.transaction import STATEMENTS, Parameters
from bittern.types import Instant

BUSY_TIMEOUT_S = 5.0
CHANGE = "data_key"


class SqliteDataKeys:
    """A `DataKeyTable`. Entered, it makes or migrates the schema; raises `StoreUnavailable` and
    `SchemaTooNew`. One thread at a time may use it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        try:
            make_private(self._path)
            self._connection = connect_writer(self._path, BUSY_TIMEOUT_S)
            migrate(self._connection, known_migrations())
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise StoreUnavailable(str(error)) from error
        except BaseException:
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
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def all(self) -> list[DataKey]:
        with unavailable_if_broken():
            rows = self._open.execute(STATEMENTS["data_keys"]).fetchall()
        return [
            DataKey(
                sequence=sequence,
                id=key_id,
                provider=provider,
                wrapped=wrapped,
                created_at=Instant(created_at),
                state=state,
                earlier=bool(earlier),
            )
            for sequence, key_id, provider, wrapped, created_at, state, earlier in rows
        ]

    def begin(self, keys: Sequence[DataKey]) -> bool:
        with self._transaction():
            if self.all():
                return False
            for key in keys:
                self._insert(key)
        return True

    def add(self, key: DataKey) -> None:
        with self._transaction():
            if any(key.id == other.id for other in self.all()):
                raise Conflict("data key", str(key.id))
            self._insert(key)

    def activate(self, key_id: int) -> None:
        with self._transaction():
            self._execute("stand_down_data_keys", (key_id,))
            self._execute("set_data_key_state", ("active", key_id, "opening"))
            self._tell(key_id)

    def set_state(self, key_id: int, before: State, after: State) -> bool:
        with self._transaction():
            changed = self._execute("set_data_key_state", (after, key_id, before))
            if changed:
                self._tell(key_id)
        return bool(changed)

    def remove(self, key_id: int) -> bool:
        with self._transaction():
            removed = self._execute("delete_data_key", (key_id,))
            if removed:
                self._tell(key_id)
        return bool(removed)

    def rewrap(self, before: Sequence[DataKey], after: Sequence[DataKey]) -> None:
        with self._transaction():
            if self.all() != list(before):
                raise Conflict("data keys", "of this directory", "were changed meanwhile")
            for key in after:
                self._execute("rewrap_data_key", (key.provider, key.wrapped, key.sequence))

    @property
    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StoreUnavailable("it is closed")
        return self._connection

    def _insert(self, key: DataKey) -> None:
        row = key.id, key.provider, key.wrapped, key.created_at, key.state, key.earlier
        self._execute("insert_data_key", row)
        self._tell(key.id)

    def _tell(self, key_id: int) -> None:
        self._execute("insert_change", (CHANGE, str(key_id)))

    def _execute(self, name: str, parameters: Parameters) -> int:
        return self._open.execute(STATEMENTS[name], parameters).rowcount

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with unavailable_if_broken():
            self._open.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._open.execute("COMMIT")
            finally:
                if self._open.in_transaction:
                    self._open.execute("ROLLBACK")
