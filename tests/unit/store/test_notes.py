"""What is told of notes."""

from __future__ import annotations

from bittern.store.notes import Note
from bittern.store.protocol import Store
from bittern.testing.examples import NOW

NOTE = Note(kind="tags", name="Destination/plant", at=NOW, body='{"a":"b"}')


async def test_a_note_of_events_is_told_in_the_change_feed(store: Store) -> None:
    note = Note(kind="events", name="WirelessDevice/x", at=NOW, body="{}")
    await store.put_notes(note, NOTE)
    await store.remove_note(note.account, "events", note.name)
    await store.remove_note(note.account, "events", note.name)
    await store.remove_note(NOTE.account, NOTE.kind, NOTE.name)
    told = [(one.kind, one.identity) for one in await store.changes(0)]
    assert told == [("events", "000000000000/WirelessDevice/x")] * 2
