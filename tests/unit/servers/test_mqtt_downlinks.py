"""From a topic to the queue, and answers below the topic."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from bittern.api.device_messages import Request
from bittern.api.errors import not_found
from bittern.errors import StoreUnavailable
from bittern.network.notifications import Notice
from bittern.servers.mqtt_downlinks import MqttDownlinks

MESSAGE = b'{"PayloadData": "AQ==", "FPort": 1, "ClientRequestToken": "t"}'
TOPIC = "site/devices/d1/down"


class Messages:
    """Queues in the order of its own; each message may be held up."""

    def __init__(self) -> None:
        self.queued: list[str] = []
        self.refusal: Exception | None = None
        self.held: asyncio.Event | None = None

    async def queue(self, name: str, request: Request) -> str:
        held, self.held = self.held, None
        if held is not None:
            await held.wait()
        if self.refusal is not None:
            raise self.refusal
        self.queued.append(f"{name} {request.payload_data}")
        return "m1"


class Counter:
    def __init__(self) -> None:
        self.messages = Messages()
        self.notices: list[Notice] = []
        self.done: list[str | None] = []
        self.downlinks = MqttDownlinks("site/devices")

    def take(self, topic: str = TOPIC, payload: bytes = MESSAGE) -> None:
        self.downlinks.take(topic, payload, self.done.append)

    async def settle(self) -> list[tuple[str, Any]]:
        for _ in range(20):
            await asyncio.sleep(0)
        return [(one.topics[0], json.loads(one.document)) for one in self.notices]

    def begin(self) -> None:
        self.downlinks.begin(self.messages, self.notices.append)


@pytest.mark.parametrize(
    ("topic", "wanted"),
    [
        ("site/devices/d1/down", True),
        ("site/devices/d1/down/accepted", False),
        ("site/devices/d1/up", False),
        ("site/devices/d1/d2/down", False),
        ("site/devices/down", False),
        ("site/devicesX/d1/down", False),
        ("other/devices/d1/down", False),
    ],
)
def test_only_the_topics_of_devices_are_wanted(topic: str, wanted: bool) -> None:
    assert MqttDownlinks("site/devices").wants(topic) is wanted


def test_an_external_broker_is_asked_for_these_topics() -> None:
    assert MqttDownlinks("site/devices").topic_filter == "site/devices/+/down"


async def test_a_message_is_acknowledged_when_it_is_queued() -> None:
    counter = Counter()
    counter.begin()
    async with counter.downlinks:
        counter.take()
        assert counter.done == []
        answers = await counter.settle()
    assert counter.done == [None]
    assert answers == [
        ("site/devices/d1/down/accepted", {"MessageId": "m1", "ClientRequestToken": "t"})
    ]
    assert counter.downlinks.statistics() == {"accepted": 1, "rejected": 0, "in_flight": 0}


async def test_what_comes_before_the_beginning_waits_for_it() -> None:
    counter = Counter()
    async with counter.downlinks:
        counter.take()
        assert await counter.settle() == []
        assert counter.done == []
        counter.begin()
        await counter.settle()
    assert counter.done == [None]


async def test_a_bad_message_is_answered_and_does_not_come_again() -> None:
    counter = Counter()
    counter.begin()
    async with counter.downlinks:
        counter.take(payload=b"{")
        [(topic, answer)] = await counter.settle()
    assert topic == "site/devices/d1/down/rejected"
    assert answer["Error"] == "ValidationException"
    assert "not understood" in answer["Message"]
    assert counter.done == [None]
    assert counter.downlinks.rejected == 1


async def test_a_refusal_says_which_message_it_is_of() -> None:
    counter = Counter()
    counter.begin()
    counter.messages.refusal = not_found("WirelessDevice", "d1")
    async with counter.downlinks:
        counter.take()
        [(_, answer)] = await counter.settle()
    assert answer["Error"] == "ResourceNotFoundException"
    assert answer["ClientRequestToken"] == "t"


async def test_a_store_that_is_away_keeps_the_message_at_its_sender() -> None:
    counter = Counter()
    counter.begin()
    counter.messages.refusal = StoreUnavailable("full")
    async with counter.downlinks:
        counter.take()
        assert await counter.settle() == []
    [failure] = counter.done
    assert "full" in str(failure)


async def test_an_error_of_our_own_is_told_and_holds_nothing_up(
    caplog: pytest.LogCaptureFixture,
) -> None:
    counter = Counter()
    counter.begin()
    counter.messages.refusal = RuntimeError("oops")
    async with counter.downlinks:
        counter.take()
        [(_, answer)] = await counter.settle()
    assert answer["Error"] == "InternalServerException"
    assert "oops" not in str(answer)
    assert "oops" in caplog.text
    assert counter.done == [None]


async def test_messages_to_one_topic_keep_their_order_and_others_do_not_wait() -> None:
    counter = Counter()
    counter.begin()
    gate = counter.messages.held = asyncio.Event()
    async with counter.downlinks:
        counter.take(payload=b'{"PayloadData": "first", "FPort": 1}')
        await counter.settle()
        counter.take(payload=b'{"PayloadData": "second", "FPort": 1}')
        counter.take("site/devices/d2/down", b'{"PayloadData": "other", "FPort": 1}')
        await counter.settle()
        assert counter.messages.queued == ["d2 other"]
        gate.set()
        await counter.settle()
    assert counter.messages.queued == ["d2 other", "d1 first", "d1 second"]


async def test_what_comes_after_the_end_is_not_acknowledged() -> None:
    counter = Counter()
    async with counter.downlinks:
        counter.take()
    counter.take()
    await counter.settle()
    assert counter.done == []
