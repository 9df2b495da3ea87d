"""The disk budget on a real database: what goes, in which order, and who is told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import pytest

from bittern.errors import DeliveryUnavailable
from bittern.keys.ring import KeyRing
from bittern.outputs.backoff import Backoff
from bittern.outputs.bounds import DispatchSettings
from bittern.outputs.dispatch import Dispatcher
from bittern.outputs.port import Failures, Health, Message
from bittern.outputs.retention import ACCEPT_BELOW, Limits, Retention
from bittern.outputs.routing import DestinationRouter
from bittern.store.ports.sessions import Deliver
from bittern.store.rule_records import DeadLetterFilter
from bittern.store.sqlite import SqliteStore
from bittern.testing.examples import NOW, activated, dead_letter, delivery, next_session
from bittern.types import Instant

DOCUMENT = bytes(32 << 10)
LETTERS = 40
ROOM = 3 << 20
"""What the budget leaves above an empty database."""


class Broker:
    """It is away until the test says otherwise."""

    name = "mqtt"

    def __init__(self) -> None:
        self.away = True
        self.received: list[str] = []

    async def publish(self, messages: Sequence[Message]) -> Failures:
        if self.away:
            raise DeliveryUnavailable("connection refused")
        self.received += [one.message_id for one in messages]
        return {}

    def health(self) -> Health:
        return Health(not self.away, "")

    def statistics(self) -> Mapping[str, int]:
        return {}


class Site:
    """A store, what it owes, and the means to make it owe more."""

    def __init__(self, store: SqliteStore, retention: Retention, dispatcher: Dispatcher) -> None:
        self.store = store
        self.retention = retention
        self.dispatcher = dispatcher
        self.accepted: list[str] = []

    async def uplink(self) -> None:
        """As the network accepts one: not while the dispatcher is full."""
        assert not self.dispatcher.is_full
        [before] = await self.store.sessions_of(delivery(0).dev_eui)
        message = delivery(len(self.accepted), document=DOCUMENT)
        await self.store.advance(before, next_session(before), Deliver(message))
        self.accepted.append(message.message_id)

    async def letters(self) -> list[int]:
        return [one.owed_as for one in await self.store.dead_letters(DeadLetterFilter())]


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
async def site(tmp_path: Path, broker: Broker) -> AsyncIterator[Site]:
    store = SqliteStore(tmp_path / "db", KeyRing({1: bytes(range(32))}), group_commit_s=0)
    await store.open()
    await activated(store)
    used = (await store.delivery_usage()).bytes_used
    limits = Limits(dead_letter_s=3600, dead_letter_bytes=1 << 30, budget_bytes=used + ROOM)
    retention = Retention(store, limits, lambda: NOW)
    dispatcher = Dispatcher(
        store,
        DestinationRouter(store, broker, store, lambda _: pytest.fail("no action")),  # type: ignore[arg-type]
        now=lambda: Instant(NOW),
        chance=lambda: 0.0,
        retention=retention,
        settings=DispatchSettings(backoff=Backoff(first_s=0.01, ceiling_s=0.01), drain_s=20),
    )
    yield Site(store, retention, dispatcher)
    await store.close()


async def test_dead_letters_go_before_messages_are_refused_and_nothing_accepted_is_lost(
    site: Site, broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    store, retention = site.store, site.retention
    kept = [dead_letter(number, document=DOCUMENT) for number in range(1, LETTERS + 1)]
    await store.settle(letters=kept)
    await retention.enforce()
    assert (len(await site.letters()), retention.is_full) == (LETTERS, False)

    # First the dead letters go, the oldest first, while messages are taken as ever.
    while len(await site.letters()) > LETTERS // 2:
        await site.uplink()
        await retention.enforce()
        left = await site.letters()
        assert left == list(range(LETTERS - len(left) + 1, LETTERS + 1))
        assert site.dispatcher.health().working
    assert "dead_letters_dropped=" in caplog.text
    assert len(site.accepted) > 10

    # Then, when there are none, messages are refused, and everybody is told.
    while not site.dispatcher.is_full:
        await site.uplink()
        await retention.enforce()
    assert await site.letters() == []
    [told] = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert f"owed={len(site.accepted)} the disk budget is reached" in told.getMessage()
    health = site.dispatcher.health()
    assert not health.working
    assert "messages refused" in health.detail
    assert retention.statistics()["full"] == 1
    assert await store.owed_count() == len(site.accepted)
    assert (await store.delivery_usage()).bytes_used > retention.statistics()["budget_bytes"]

    # Sessions and the queue go on meanwhile: a frame without a message is accepted.
    [before] = await store.sessions_of(delivery(0).dev_eui)
    assert await store.advance(before, next_session(before)) is None

    # When outputs have taken what is owed there is room again.
    broker.away = False
    async with site.dispatcher, asyncio.timeout(20):
        while await store.owed_count():
            await asyncio.sleep(0.05)
    assert broker.received == site.accepted
    assert await store.owed_count() == 0
    await retention.enforce()
    assert not site.dispatcher.is_full
    assert site.dispatcher.health().working
    usage = await store.delivery_usage()
    assert usage.bytes_used < retention.statistics()["budget_bytes"] * ACCEPT_BELOW
    await site.uplink()
