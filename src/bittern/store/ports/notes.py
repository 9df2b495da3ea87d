"""Small documents beside the records."""

from __future__ import annotations

from typing import Protocol

from bittern.store.notes import Note, NoteExchange, NoteKind
from bittern.types import Instant


class NoteStore(Protocol):
    """Small documents beside the records, by account, kind and name."""

    async def note(self, account: str, kind: NoteKind, name: str) -> Note | None: ...
    async def notes(
        self, account: str, kind: NoteKind, after: str = "", limit: int = 250
    ) -> list[Note]:
        """In order of name, those behind `after`."""
        ...

    async def put_notes(self, *notes: Note) -> None:
        """Each in place of an earlier one; all or none. `Conflict` where one is too new."""
        ...

    async def exchange_notes(self, *exchanges: NoteExchange) -> None:
        """All or none: `Conflict` for the first note that is not as it was. One whose body stays
        is only looked at."""
        ...

    async def remove_note(self, account: str, kind: NoteKind, name: str) -> bool:
        """Whether there was one."""
        ...

    async def trim_notes(self, kind: NoteKind, before: Instant) -> int:
        """Remove those that were written earlier; how many."""
        ...
