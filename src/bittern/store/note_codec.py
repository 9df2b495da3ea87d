"""Notes to and from what a database keeps, in the manner of `codec`."""

from __future__ import annotations

from bittern.keys.ring import Vault
from bittern.store import places
from bittern.store.codec import Row
from bittern.store.notes import Note
from bittern.types import Instant

# Notes: account, kind, name, at, body (sealed)


def note_to_row(note: Note, vault: Vault) -> Row:
    place = places.of_note(note.account, note.kind, note.name)
    sealed = vault.seal(note.body.encode(), place.now)
    return note.account, note.kind, note.name, note.at, sealed


def note_from_row(row: Row, vault: Vault) -> Note:
    account, kind, name, at, body = row
    if isinstance(body, bytes):  # an earlier version wrote text
        body = vault.open(body, *places.of_note(account, kind, name)).decode()
    return Note(account=account, kind=kind, name=name, at=Instant(at), body=body)
