"""Transcripts: what the client sends, and what the broker says."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from bittern.errors import DeliveryUnavailable
from bittern.outputs.mqtt import packets as mqtt
from bittern.outputs.mqtt.client import Batch, MqttConnection, MqttSettings
from bittern.outputs.mqtt.packets import Connect, PacketStream, Publish, Signal, decode
from bittern.outputs.port import Message

SETTINGS = MqttSettings(
    host="broker.example",
    port=1883,
    client_id="bittern",
    username="lns",
    password=b"secret",
    under_way=3,
)


class FakeTransport(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closing = True

    def abort(self) -> None:
        self.closing = True

    def sent(self) -> list[object]:
        data, self.written = self.written, b""
        return [decode(first, body) for first, body in PacketStream(1 << 20).feed(data)]


@pytest.fixture
async def transport() -> FakeTransport:
    return FakeTransport()


@pytest.fixture
async def connection(transport: FakeTransport) -> MqttConnection:
    connection = MqttConnection(SETTINGS)
    connection.connection_made(transport)
    return connection


@pytest.fixture
async def accepted(connection: MqttConnection, transport: FakeTransport) -> MqttConnection:
    transport.sent()
    connection.data_received(mqtt.encode_connack(0))
    assert connection.accepted
    return connection


def batch(*numbers: int) -> Batch:
    return Batch([Message("t", b"%d" % number, f"m{number}") for number in numbers])


def puback(*packet_ids: int) -> bytes:
    return b"".join(mqtt.encode_acknowledgement(mqtt.PUBACK, number) for number in packet_ids)


async def test_login_comes_first(connection: MqttConnection, transport: FakeTransport) -> None:
    assert transport.sent() == [
        Connect(client_id="bittern", keep_alive_s=30, username="lns", password=b"secret")
    ]
    assert not connection.decided.is_set()


@pytest.mark.parametrize(
    ("code", "word"), [(4, "bad user name or password"), (5, "not authorized"), (99, "99")]
)
async def test_refused_login_ends_with_its_reason(
    connection: MqttConnection, transport: FakeTransport, code: int, word: str
) -> None:
    connection.data_received(mqtt.encode_connack(code))
    assert connection.decided.is_set()
    assert not connection.accepted
    assert word in connection.lost.result()
    assert transport.closing


async def test_a_message_that_is_to_be_retained_says_so(
    accepted: MqttConnection, transport: FakeTransport
) -> None:
    accepted.publish(Batch([Message("t", b"1", retain=True)]), [0])
    assert transport.sent() == [Publish("t", b"1", 1, 1, retain=True)]


async def test_message_is_delivered_at_its_acknowledgement(
    accepted: MqttConnection, transport: FakeTransport
) -> None:
    one = batch(1, 2)
    accepted.publish(one, range(2))
    assert transport.sent() == [Publish("t", b"1", 1, 1), Publish("t", b"2", 1, 2)]
    accepted.data_received(puback(2))
    assert not one.done.done()
    accepted.data_received(puback(1, 1, 9))
    assert one.done.done()
    assert one.failures == {}
    assert accepted.acknowledged == 2


async def test_no_more_than_the_limit_is_under_way(
    accepted: MqttConnection, transport: FakeTransport
) -> None:
    accepted.publish(batch(1, 2, 3, 4, 5), range(5))
    assert len(transport.sent()) == 3
    accepted.data_received(puback(1, 2))
    assert transport.sent() == [Publish("t", b"4", 1, 4), Publish("t", b"5", 1, 5)]
    assert accepted.under_way == 3


async def test_at_a_broker_that_counts_what_is_too_much_is_put_off(
    transport: FakeTransport,
) -> None:
    counted = MqttConnection(msgspec.structs.replace(SETTINGS, per_s=2, under_way=100))
    counted.connection_made(transport)
    transport.sent()
    counted.data_received(mqtt.encode_connack(0))
    one = batch(*range(40))
    counted.publish(one, range(40))
    assert len(transport.sent()) == 1
    assert counted.under_way == 30
    # The rest of a batch: of no device a later message goes before an earlier one.
    assert sorted(one.failures) == list(range(30, 40))
    assert all(isinstance(failure, DeliveryUnavailable) for failure in one.failures.values())
    counted.close()


async def test_packet_identifiers_in_use_are_passed_over(
    accepted: MqttConnection, transport: FakeTransport
) -> None:
    accepted.publish(batch(1), range(1))
    accepted._next_id = 65_534
    accepted.publish(batch(2, 3), range(2))
    packets = transport.sent()
    assert [packet.packet_id for packet in packets if isinstance(packet, Publish)] == [1, 65_535, 2]


async def test_only_the_chosen_places_are_published(
    accepted: MqttConnection, transport: FakeTransport
) -> None:
    accepted.publish(batch(1, 2, 3), [0, 2])
    assert transport.sent() == [Publish("t", b"1", 1, 1), Publish("t", b"3", 1, 2)]


async def test_lost_connection_fails_what_is_not_acknowledged(accepted: MqttConnection) -> None:
    one = batch(1, 2, 3, 4)
    accepted.publish(one, range(4))
    accepted.data_received(puback(1))
    accepted.connection_lost(ConnectionResetError("reset by peer"))
    assert one.done.done()
    assert {place: failure.reason for place, failure in one.failures.items()} == {
        1: "reset by peer",
        2: "reset by peer",
        3: "reset by peer",
    }
    assert all(isinstance(failure, DeliveryUnavailable) for failure in one.failures.values())
    assert accepted.oldest == "m2"
    assert accepted.under_way == 0


async def test_broker_that_breaks_the_protocol_is_left(
    accepted: MqttConnection, transport: FakeTransport
) -> None:
    accepted.data_received(b"\x00\x00")
    assert "broke the protocol" in accepted.lost.result()
    assert transport.closing


async def test_broker_that_does_not_answer_a_ping_is_left(
    accepted: MqttConnection, transport: FakeTransport
) -> None:
    accepted._ping()
    assert transport.sent() == [Signal(mqtt.PINGREQ)]
    accepted.data_received(mqtt.PINGRESP_BYTES)
    accepted._ping()
    assert not accepted.lost.done()
    accepted._ping()
    assert accepted.lost.result() == "the broker does not answer"


async def test_connection_is_closed_in_good_order(
    accepted: MqttConnection, transport: FakeTransport
) -> None:
    accepted.close()
    assert transport.sent() == [Signal(mqtt.DISCONNECT)]
    assert transport.closing
    accepted._ping()
    assert transport.sent() == []


def test_settings_do_not_print_the_password() -> None:
    assert "secret" not in repr(SETTINGS)


@pytest.mark.parametrize(("code", "suspect"), [(0x8E, None), (0x8B, None), (0x95, "m1")])
async def test_a_message_is_not_suspect_when_the_broker_says_another_reason(
    transport: FakeTransport, code: int, suspect: str | None
) -> None:
    connection = MqttConnection(msgspec.structs.replace(SETTINGS, level=mqtt.LEVEL_5))
    connection.connection_made(transport)
    connection.data_received(b"\x20\x03\0\0\0")
    connection.publish(batch(1), range(1))
    connection.data_received(bytes((0xE0, 2, code, 0)))
    assert connection.lost.done()
    assert connection.oldest == suspect
