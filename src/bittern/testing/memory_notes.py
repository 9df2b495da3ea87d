"""The port of notes in memory: a part of `MemoryStore`."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bittern.errors import Conflict
from bittern.store.notes import Note, NoteExchange, NoteKind
from bittern.store.records import ChangeKind
from bittern.types import Instant


class MemoryNotes:
    """What `MemoryStore` has of notes."""

    def __init__(self) -> None:
        self._notes: dict[tuple[str, str, str], Note] = {}

    async def note(self, account: str, kind: NoteKind, name: str) -> Note | None:
        return self._notes.get((account, kind, name))

    async def notes(
        self, account: str, kind: NoteKind, after: str = "", limit: int = 250
    ) -> list[Note]:
        keys = sorted(key for key in self._notes if key[:2] == (account, kind) and key[2] > after)
        return [self._notes[key] for key in keys[:limit]]

    async def put_notes(self, *notes: Note) -> None:
        self._require_older(notes)
        self._keep_notes(notes)

    async def exchange_notes(self, *exchanges: NoteExchange) -> None:
        notes = dict(self._notes)
        for one in exchanges:
            key = one.account, one.kind, one.name
            there = notes.get(key)
            if (None if there is None else there.body) != one.before:
                raise Conflict(one.kind, one.name, "is not what it was")
            if one.after is None:
                notes.pop(key, None)
            elif one.after != one.before:
                notes[key] = Note(
                    account=one.account, kind=one.kind, name=one.name, at=one.at, body=one.after
                )
        self._notes = notes

    async def remove_note(self, account: str, kind: NoteKind, name: str) -> bool:
        removed = self._notes.pop((account, kind, name), None) is not None
        if removed and kind == "events":
            self._change(kind, f"{account}/{name}")
        return removed

    async def trim_notes(self, kind: NoteKind, before: Instant) -> int:
        old = [key for key, one in self._notes.items() if one.kind == kind and one.at < before]
        for key in old:
            del self._notes[key]
        return len(old)

    def _require_older(self, notes: Sequence[Note]) -> None:
        for note in notes:
            earlier = self._notes.get((note.account, note.kind, note.name))
            since = note.only_if_older_than
            if since is not None and earlier is not None and earlier.at >= since:
                raise Conflict(note.kind, note.name)

    def _keep_notes(self, notes: Sequence[Note]) -> None:
        for note in notes:
            kept = msgspec.structs.replace(note, only_if_older_than=None)
            self._notes[note.account, note.kind, note.name] = kept
            if note.kind == "events":
                self._change(note.kind, f"{note.account}/{note.name}")

    def _change(self, kind: ChangeKind, identity: object) -> None:
        """Of `MemoryStore`."""
        raise NotImplementedError
