"""Which events are wanted."""

from __future__ import annotations

from bittern.network.event_settings import EventSettings
from bittern.network.notifications import EVERYWHERE, Scope
from bittern.store.event_settings import EventDefaults, EventsOfAll, EventsOfOne, note_of
from bittern.testing.examples import NOW

NORTH, SOUTH = "111122223333", "444455556666"


def put(
    settings: EventSettings, name: str, events: EventsOfAll | EventsOfOne, account: str = NORTH
) -> None:
    settings.put(account, name, note_of(account, name, events, NOW))


def test_the_configuration_decides_where_nothing_was_said() -> None:
    settings = EventSettings(EventDefaults(joins=False, connections=True, deliveries=True))
    assert settings.joins(NORTH, "d") == Scope()
    assert settings.connections(NORTH, "g") == EVERYWHERE
    assert settings.deliveries(NORTH, "d") == EVERYWHERE
    assert not EventSettings(EventDefaults(connections=False)).connections(NORTH, "g")


def test_what_an_account_says_of_all_decides_for_it_alone() -> None:
    settings = EventSettings(EventDefaults())
    put(settings, "default", EventsOfAll(join=True, connection_status=False))
    assert settings.joins(NORTH, "d") == EVERYWHERE
    assert not settings.connections(NORTH, "g")
    assert not settings.joins(SOUTH, "d")
    assert settings.connections(SOUTH, "g") == EVERYWHERE
    settings.put(NORTH, "default", None)
    assert not settings.joins(NORTH, "d")


def test_one_resource_is_told_by_the_names_that_were_asked_for() -> None:
    settings = EventSettings(EventDefaults(connections=False))
    put(settings, "WirelessDevice/d", EventsOfOne(join_by_eui=True, delivery_by_id=True))
    put(settings, "WirelessGateway/d", EventsOfOne(connection_by_id=True))
    assert settings.joins(NORTH, "d") == Scope(by_eui=True)
    assert settings.deliveries(NORTH, "d") == Scope(by_id=True)
    assert settings.any_deliveries
    assert settings.connections(NORTH, "d") == Scope(by_id=True)
    assert not settings.joins(SOUTH, "d")
    settings.put(NORTH, "WirelessDevice/d", None)
    assert not settings.joins(NORTH, "d")
    assert not settings.any_deliveries


def test_what_was_said_of_one_takes_nothing_away() -> None:
    settings = EventSettings(EventDefaults(joins=True))
    put(settings, "WirelessDevice/d", EventsOfOne(join_by_eui=True))
    assert settings.joins(NORTH, "d") == EVERYWHERE


def test_what_is_cleared_is_as_if_never_said() -> None:
    settings = EventSettings(EventDefaults())
    put(settings, "default", EventsOfAll(join=True))
    put(settings, "WirelessDevice/d", EventsOfOne(delivery_by_id=True))
    settings.clear()
    assert not settings.joins(NORTH, "d")
    assert not settings.deliveries(NORTH, "d")
