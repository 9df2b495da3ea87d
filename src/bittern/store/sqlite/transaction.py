"""One write transaction: statements by name, the change feed and the head of the outbox."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from typing import Any

from bittern.errors import Conflict, NotFound
from bittern.keys.ring import Vault
from bittern.store.codec import Row
from bittern.store.records import ChangeKind
from bittern.store.statements import load_statements

STATEMENTS = load_statements(files("bittern.store.sqlite") / "queries.sql")

Parameters = Sequence[Any]


class Transaction:
    """From BEGIN to COMMIT, on the writer's thread."""

    def __init__(self, connection: sqlite3.Connection, changes_kept: int, vault: Vault) -> None:
        self.vault = vault
        self._connection = connection
        self._changes_kept = changes_kept
        self._changed = False
        self._head: tuple[int, int] | None = None
        self._head_before: tuple[int, int] | None = None

    def execute(self, name: str, parameters: Parameters = ()) -> int:
        """How many rows a statement changed."""
        return self._connection.execute(STATEMENTS[name], parameters).rowcount

    def execute_each(self, name: str, rows: list[Row]) -> bool:
        """Once for each of `rows`, if every time one row is changed; else the transaction begins
        anew: this is the first that it does, and a savepoint would copy every page it touches."""
        if self._connection.executemany(STATEMENTS[name], rows).rowcount == len(rows):
            return True
        self._connection.execute("ROLLBACK")
        self._connection.execute("BEGIN IMMEDIATE")
        return False

    def row(self, name: str, parameters: Parameters) -> Row | None:
        found: Row | None = self._connection.execute(STATEMENTS[name], parameters).fetchone()
        return found

    def exists(self, name: str, parameters: Parameters) -> bool:
        return self.row(name, parameters) is not None

    def require_new(self, name: str, key: Parameters, kind: str, identity: object) -> None:
        """Raises `Conflict` if a statement finds something."""
        if self.exists(name, key):
            raise Conflict(kind, str(identity))

    def require_there(self, name: str, key: Parameters, kind: str, identity: object) -> None:
        """Raises `NotFound` if a statement finds nothing."""
        if not self.exists(name, key):
            raise NotFound(kind, str(identity))

    def execute_on(self, name: str, parameters: Parameters, kind: str, identity: object) -> None:
        """Raises `NotFound` if a statement changed nothing."""
        if not self.execute(name, parameters):
            raise NotFound(kind, str(identity))

    def change(self, kind: ChangeKind, identity: object) -> None:
        """Every process hears of it, once the transaction is committed."""
        self.execute("insert_change", (kind, str(identity)))
        self._changed = True

    def owe(self, deliveries: list[Row]) -> int:
        """Store deliveries; returns the sequence of the first, the others follow it."""
        last, owed = self._outbox_head()
        rows = [(sequence, *row) for sequence, row in enumerate(deliveries, last + 1)]
        self._connection.executemany(STATEMENTS["insert_delivery"], rows)
        self._head = last + len(deliveries), owed + len(deliveries)
        return last + 1

    def number(self, count: int, *, kept: int) -> int:
        """The first of so many sequences of the outbox, which will hold `kept` rows more."""
        last, owed = self._outbox_head()
        self._head = last + count, owed + kept
        return last + 1

    def execute_many(self, name: str, rows: list[Row]) -> None:
        """Once for each of `rows`."""
        self._connection.executemany(STATEMENTS[name], rows)

    def rows(self, name: str, parameters: Parameters) -> list[Row]:
        return self._connection.execute(STATEMENTS[name], parameters).fetchall()

    def strike_off(self, sequences: list[int]) -> None:
        struck = self.execute("delete_delivered", (str(sequences),))
        last, owed = self._outbox_head()
        self._head = last, owed - struck

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """A part that is undone alone if it raises."""
        head, changed = self._head, self._changed
        self._connection.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            # An error like a full disk has ended the whole transaction already.
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK TO part")
                self._connection.execute("RELEASE part")
            self._head, self._changed = head, changed
            raise
        self._connection.execute("RELEASE part")

    def finish(self) -> None:
        """What is written once, however many calls the transaction holds."""
        if self._head != self._head_before:
            self.execute("move_outbox_head", self._outbox_head())
        if self._changed:
            self.execute("trim_changes", (self._changes_kept,))

    def _outbox_head(self) -> tuple[int, int]:
        if self._head is None:
            last, owed = self.row("outbox_head", ()) or (0, 0)
            self._head = self._head_before = (last, owed)
        return self._head
