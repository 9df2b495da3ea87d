"""What it does as a store is in `tests/unit/store/test_notes.py`."""

from __future__ import annotations

from bittern.store.notes import Note
from bittern.testing.examples import NOW
from bittern.testing.memory_notes import MemoryNotes


async def test_the_condition_of_a_note_is_not_kept() -> None:
    notes = MemoryNotes()
    await notes.put_notes(Note(kind="logs", name="x", at=NOW, body="{}", only_if_older_than=NOW))
    found = await notes.note("000000000000", "logs", "x")
    assert found is not None
    assert found.only_if_older_than is None
