"""Which events are wanted, in memory: asked for each event, and never from the store.

The configuration says what is told where an account has said nothing. What an account has said of
all its resources decides for them; what it has said of one adds to it.
"""

from __future__ import annotations

from bittern.network.notifications import EVERYWHERE, Scope
from bittern.store.event_settings import (
    DEFAULT,
    DEVICE,
    GATEWAY,
    NOTHING,
    EventDefaults,
    EventsOfAll,
    EventsOfOne,
    events_of_all,
    events_of_one,
    name_of,
)
from bittern.store.notes import Note


class EventSettings:
    """Of all accounts."""

    def __init__(self, defaults: EventDefaults) -> None:
        self._defaults = defaults
        self._of_all: dict[str, EventsOfAll] = {}
        self._of_one: dict[tuple[str, str], EventsOfOne] = {}
        self._with_deliveries: set[tuple[str, str]] = set()

    def put(self, account: str, name: str, note: Note | None) -> None:
        """What the note of this name says now; None: there is none."""
        if name == DEFAULT:
            self._of_all[account] = events_of_all(note)
            return
        key, events = (account, name), events_of_one(note)
        self._of_one.pop(key, None)
        self._with_deliveries.discard(key)
        if events != NOTHING:
            self._of_one[key] = events
        if events.delivery_by_id:
            self._with_deliveries.add(key)

    def clear(self) -> None:
        self._of_all.clear()
        self._of_one.clear()
        self._with_deliveries.clear()

    def joins(self, account: str, device_id: str) -> Scope:
        if _decided(self._said(account).join, self._defaults.joins):
            return EVERYWHERE
        one = self._one(account, DEVICE, device_id)
        return Scope(by_eui=one.join_by_eui, by_id=one.join_by_id)

    def connections(self, account: str, gateway_id: str) -> Scope:
        if _decided(self._said(account).connection_status, self._defaults.connections):
            return EVERYWHERE
        one = self._one(account, GATEWAY, gateway_id)
        return Scope(by_eui=one.connection_by_eui, by_id=one.connection_by_id)

    @property
    def any_deliveries(self) -> bool:
        """Whether what becomes of messages is wanted of any device at all."""
        return self._defaults.deliveries or bool(self._with_deliveries)

    def deliveries(self, account: str, device_id: str) -> Scope:
        """AWS's model has no way to ask for those of all devices."""
        if self._defaults.deliveries:
            return EVERYWHERE
        return Scope(by_id=self._one(account, DEVICE, device_id).delivery_by_id)

    def _said(self, account: str) -> EventsOfAll:
        return self._of_all.get(account) or EventsOfAll()

    def _one(self, account: str, kind: str, identity: str) -> EventsOfOne:
        return self._of_one.get((account, name_of(kind, identity)), NOTHING)


def _decided(said: bool | None, default: bool) -> bool:
    return default if said is None else said
