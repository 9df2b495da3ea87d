"""The port of notes on SQLite."""

from __future__ import annotations

from collections.abc import Sequence

from bittern.errors import Conflict
from bittern.store.note_codec import note_from_row, note_to_row
from bittern.store.notes import Note, NoteExchange, NoteKind
from bittern.store.sqlite.database import Database
from bittern.store.sqlite.transaction import Transaction
from bittern.types import Instant


class SqliteNotes:
    _database: Database

    async def note(self, account: str, kind: NoteKind, name: str) -> Note | None:
        vault = self._database.vault
        return self._database.read_one(
            "note", (account, kind, name), lambda row: note_from_row(row, vault)
        )

    async def notes(
        self, account: str, kind: NoteKind, after: str = "", limit: int = 250
    ) -> list[Note]:
        vault = self._database.vault
        return await self._database.read_aside(
            "notes", (account, kind, after, limit), lambda row: note_from_row(row, vault)
        )

    async def put_notes(self, *notes: Note) -> None:
        await self._database.write(lambda transaction: keep_notes(transaction, notes))

    async def exchange_notes(self, *exchanges: NoteExchange) -> None:
        def work(transaction: Transaction) -> None:
            for one in exchanges:
                _exchange(transaction, one)

        await self._database.write(work)

    async def remove_note(self, account: str, kind: NoteKind, name: str) -> bool:
        def work(transaction: Transaction) -> int:
            removed = transaction.execute("delete_note", (account, kind, name))
            if removed and kind == "events":
                transaction.change(kind, f"{account}/{name}")
            return removed

        return bool(await self._database.write(work))

    async def trim_notes(self, kind: NoteKind, before: Instant) -> int:
        return await self._database.write(
            lambda transaction: transaction.execute("delete_old_notes", (kind, before))
        )


def keep_notes(transaction: Transaction, notes: Sequence[Note]) -> None:
    """With whatever else the transaction does."""
    for note in notes:
        row = note_to_row(note, transaction.vault)
        if note.only_if_older_than is not None and transaction.exists(
            "note_since", (*row[:3], note.only_if_older_than)
        ):
            raise Conflict(note.kind, note.name)
        transaction.execute("put_note", row)
        if note.kind == "events":
            transaction.change(note.kind, f"{note.account}/{note.name}")


def _exchange(transaction: Transaction, one: NoteExchange) -> None:
    key = one.account, one.kind, one.name
    row = transaction.row("note", key)
    if (None if row is None else note_from_row(row, transaction.vault).body) != one.before:
        raise Conflict(one.kind, one.name, "is not what it was")
    if one.after is None:
        transaction.execute("delete_note", key)
    elif one.after != one.before:
        note = Note(account=one.account, kind=one.kind, name=one.name, at=one.at, body=one.after)
        transaction.execute("put_note", note_to_row(note, transaction.vault))
