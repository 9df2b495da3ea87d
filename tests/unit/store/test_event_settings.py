"""What notes say of events."""

from __future__ import annotations

from bittern.store.event_settings import (
    NOTHING,
    EventsOfAll,
    EventsOfOne,
    events_of_all,
    events_of_one,
    name_of,
    note_of,
)
from bittern.testing.examples import NOW


def test_what_was_set_is_read_again() -> None:
    of_all, of_one = EventsOfAll(join=False), EventsOfOne(join_by_id=True)
    assert events_of_all(note_of("0", "default", of_all, NOW)) == of_all
    assert events_of_one(note_of("0", name_of("WirelessDevice", "x"), of_one, NOW)) == of_one


def test_where_nothing_was_said_nothing_is_wanted() -> None:
    assert events_of_all(None) == EventsOfAll(join=None, connection_status=None)
    assert events_of_one(None) == NOTHING
