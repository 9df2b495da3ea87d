"""What notes do on every engine is in `tests/unit/store/test_notes.py`."""

from __future__ import annotations

from bittern.store.notes import Note
from bittern.store.protocol import Store
from bittern.testing.examples import NOW

NOTE = Note(kind="logs", name="x", at=NOW, body="{}")


async def test_a_note_that_changes_is_no_second_row(sqlite: Store) -> None:
    await sqlite.put_notes(NOTE, NOTE)
    assert await sqlite.notes(NOTE.account, "logs") == [NOTE]
