"""Taking messages from a broker that does what each test says, over loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from bittern.outputs.backoff import Backoff
from bittern.outputs.mqtt import packets as mqtt
from bittern.outputs.mqtt import subscriber as module
from bittern.outputs.mqtt.client import MqttSettings
from bittern.outputs.mqtt.packets import (
    NOT_GRANTED,
    Acknowledgement,
    Connect,
    PacketStream,
    Subscribe,
    decode,
    encode_publish,
)
from bittern.outputs.mqtt.subscriber import MqttSubscriber

FILTER = "in/+/down"
TOPIC = b"in/d1/down"


class ScriptedBroker:
    def __init__(self) -> None:
        self.code = 0
        self.granted = 1
        self.connects: list[Connect] = []
        self.filters: list[str] = []
        self.acknowledged: list[int] = []
        self.writer: asyncio.StreamWriter | None = None
        self.server: asyncio.Server | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        stream, self.writer = PacketStream(1 << 20), writer
        while data := await reader.read(65_536):
            for first, body in stream.feed(data):
                match decode(first, body):
                    case Connect() as connect:
                        self.connects.append(connect)
                        writer.write(mqtt.encode_connack(self.code))
                    case Subscribe(packet_id, requests):
                        self.filters += [text for text, _ in requests]
                        writer.write(mqtt.encode_suback(packet_id, bytes((self.granted,))))
                    case Acknowledgement(_, packet_id):
                        self.acknowledged.append(packet_id)
        writer.close()

    def send(self, payload: bytes, packet_id: int, *, topic: bytes = TOPIC, retain: bool) -> None:
        assert self.writer is not None
        frame = encode_publish(topic, payload, qos=1, packet_id=packet_id, retain=retain)
        self.writer.write(frame)


class Taker:
    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.held: list[Callable[[str | None], None]] = []

    def wants(self, topic: str) -> bool:
        return topic.startswith("in/")

    def take(self, topic: str, payload: bytes, done: Callable[[str | None], None]) -> None:
        self.taken.append(payload)
        self.held.append(done)


@pytest.fixture
async def broker() -> AsyncIterator[ScriptedBroker]:
    made = ScriptedBroker()
    made.server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    yield made
    made.server.close()
    if made.writer is not None:
        made.writer.close()


@asynccontextmanager
async def subscribing(broker: ScriptedBroker, taker: Taker) -> AsyncIterator[MqttSubscriber]:
    assert broker.server is not None
    settings = MqttSettings(
        host="127.0.0.1",
        port=broker.server.sockets[0].getsockname()[1],
        client_id="us",
        username="user",
        password=b"secret",
        backoff=Backoff(first_s=0.0, ceiling_s=0.0),
    )
    async with MqttSubscriber(settings, FILTER, taker, lambda: 0.0) as subscriber:
        yield subscriber


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not true():
            await asyncio.sleep(0.005)


async def test_it_has_a_durable_session_and_one_subscription(broker: ScriptedBroker) -> None:
    async with subscribing(broker, Taker()) as subscriber:
        assert not subscriber.health().working
        await until(lambda: subscriber.health().working)
        [connect] = broker.connects
        assert not connect.clean_session
        assert (connect.client_id, connect.username, connect.password) == ("us", "user", b"secret")
        assert broker.filters == [FILTER]
        assert subscriber.statistics() == {"subscribed": 1, "taken": 0}


async def test_a_message_is_acknowledged_when_it_is_taken_over(broker: ScriptedBroker) -> None:
    taker = Taker()
    async with subscribing(broker, taker) as subscriber:
        await until(lambda: subscriber.health().working)
        broker.send(b"1", 5, retain=False)
        await until(lambda: taker.taken == [b"1"])
        assert broker.acknowledged == []
        taker.held[0](None)
        await until(lambda: broker.acknowledged == [5])
        assert subscriber.statistics()["taken"] == 1


async def test_a_message_that_cannot_be_kept_ends_the_connection(broker: ScriptedBroker) -> None:
    taker = Taker()
    async with subscribing(broker, taker) as subscriber:
        await until(lambda: subscriber.health().working)
        broker.send(b"1", 5, retain=False)
        await until(lambda: bool(taker.held))
        taker.held[0]("no room")
        await until(lambda: len(broker.connects) == 2)
        assert broker.acknowledged == []


async def test_what_is_retained_or_not_wanted_is_passed_over(broker: ScriptedBroker) -> None:
    taker = Taker()
    async with subscribing(broker, taker) as subscriber:
        await until(lambda: subscriber.health().working)
        broker.send(b"old", 5, retain=True)
        broker.send(b"other", 6, topic=b"out", retain=False)
        await until(lambda: broker.acknowledged == [5, 6])
        assert taker.taken == []


async def test_a_broker_is_not_read_while_too_much_is_under_way(
    broker: ScriptedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "UNDER_WAY", 2)
    taker = Taker()
    async with subscribing(broker, taker) as subscriber:
        await until(lambda: subscriber.health().working)
        for number in (1, 2):
            broker.send(b"%d" % number, number, retain=False)
        await until(lambda: len(taker.taken) == 2)
        broker.send(b"3", 3, retain=False)
        await asyncio.sleep(0.05)
        assert taker.taken == [b"1", b"2"]
        taker.held[0](None)
        await until(lambda: len(taker.taken) == 3)


async def test_a_broker_that_went_away_is_subscribed_to_again(broker: ScriptedBroker) -> None:
    async with subscribing(broker, Taker()) as subscriber:
        await until(lambda: subscriber.health().working)
        assert broker.writer is not None
        broker.writer.close()
        await until(lambda: len(broker.filters) == 2)


async def test_a_refusal_is_told_and_tried_again(broker: ScriptedBroker) -> None:
    broker.code = 5
    async with subscribing(broker, Taker()) as subscriber:
        await until(lambda: len(broker.connects) >= 2)
        assert "not authorized" in subscriber.health().detail
    broker.code, broker.granted = 0, NOT_GRANTED
    async with subscribing(broker, Taker()) as subscriber:
        await until(lambda: "does not grant" in subscriber.health().detail)
