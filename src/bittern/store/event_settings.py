"""Which events an account wants: notes of the kind ``events``, as the API writes and the network
reads them.

The note `DEFAULT` is of all resources of its account; the others are of one, by the name that it
has in its ARN: ``WirelessDevice/ID``, ``WirelessGateway/ID``.
"""

from __future__ import annotations

import msgspec

from bittern.store.notes import Note
from bittern.types import Instant

DEFAULT = "default"
DEVICE = "WirelessDevice"
GATEWAY = "WirelessGateway"


class EventDefaults(msgspec.Struct, frozen=True, kw_only=True):
    """What the configuration says: for accounts that have said nothing."""

    joins: bool = False
    connections: bool = True
    deliveries: bool = False
    """AWS's model has no way to ask for those of all devices; this has."""


INITIAL = EventDefaults()


class EventsOfAll(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """None: the account has not said, and the configuration decides."""

    join: bool | None = None
    connection_status: bool | None = None


class EventsOfOne(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Of a device or of a gateway, by the topics that name it in one way or the other."""

    join_by_eui: bool = False
    join_by_id: bool = False
    connection_by_eui: bool = False
    connection_by_id: bool = False
    delivery_by_id: bool = False


NOTHING = EventsOfOne()


def name_of(kind: str, identity: str) -> str:
    """Of the note of one resource; `kind` is `DEVICE` or `GATEWAY`."""
    return f"{kind}/{identity}"


def note_of(account: str, name: str, events: EventsOfAll | EventsOfOne, at: Instant) -> Note:
    body = msgspec.json.encode(events).decode()
    return Note(account=account, kind="events", name=name, at=at, body=body)


def events_of_all(note: Note | None) -> EventsOfAll:
    return EventsOfAll() if note is None else msgspec.json.decode(note.body, type=EventsOfAll)


def events_of_one(note: Note | None) -> EventsOfOne:
    return NOTHING if note is None else msgspec.json.decode(note.body, type=EventsOfOne)
