"""Notices reach the broker, also one that is away for a while."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping

from bittern.errors import DeliveryError, DeliveryRejected, DeliveryUnavailable
from bittern.network.notifications import Notice
from bittern.outputs.backoff import Backoff
from bittern.outputs.port import Message
from bittern.servers import notifier as module
from bittern.servers.notifier import Notifier


class Broker:
    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.away = 0
        self.refused = ""

    async def publish(self, messages: list[Message]) -> Mapping[int, DeliveryError]:
        await asyncio.sleep(0)
        if self.away:
            self.away -= 1
            raise DeliveryUnavailable("away")
        self.messages += messages
        return {
            place: DeliveryRejected("no")
            for place, message in enumerate(messages)
            if message.topic == self.refused
        }

    async def received(self, count: int) -> list[str]:
        while len(self.messages) < count:
            await asyncio.sleep(0)
        return [message.topic for message in self.messages]


@contextlib.asynccontextmanager
async def notifying(broker: Broker) -> AsyncIterator[Notifier]:
    notifier = Notifier(broker, chance=lambda: 0.0, backoff=Backoff(first_s=0.0, ceiling_s=0.0))
    task = asyncio.create_task(notifier.run())
    try:
        yield notifier
    finally:
        task.cancel()


async def test_notices_are_published_in_order() -> None:
    broker = Broker()
    async with notifying(broker) as notifier:
        notifier.tell(Notice(("a", "b"), b"{}"))
        notifier.tell(Notice(("c",), b"{}"))
        assert await broker.received(3) == ["a", "b", "c"]


async def test_a_broker_that_is_away_gets_them_when_it_is_back() -> None:
    broker = Broker()
    broker.away = 3
    async with notifying(broker) as notifier:
        notifier.tell(Notice(("a",), b"{}"))
        assert await broker.received(1) == ["a"]
    assert broker.away == 0


async def test_what_the_broker_does_not_want_holds_nothing_up() -> None:
    broker = Broker()
    broker.refused = "a"
    async with notifying(broker) as notifier:
        notifier.tell(Notice(("a",), b"{}"))
        notifier.tell(Notice(("b",), b"{}"))
        assert await broker.received(2) == ["a", "b"]


async def test_of_too_many_the_oldest_are_dropped_and_counted() -> None:
    broker = Broker()
    async with notifying(broker) as notifier:
        for number in range(module.KEPT + 5):
            notifier.tell(Notice((str(number),), b"{}"))
        assert notifier.dropped == 5
        assert (await broker.received(1))[0] == "5"
