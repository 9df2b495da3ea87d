"""A note and its row."""

from __future__ import annotations

from bittern.store.notes import Note, note_from_row, note_to_row
from bittern.testing.examples import NOW

NOTE = Note(kind="tags", name="Destination/plant", at=NOW, body='{"a":"b"}')


def test_a_note_survives_its_row() -> None:
    assert note_from_row(note_to_row(NOTE)) == NOTE
