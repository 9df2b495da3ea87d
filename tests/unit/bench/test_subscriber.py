from __future__ import annotations

import pytest

from bench.subscriber import Reader, connect, subscribe

CONNACK = b"\x20\x02\x00\x00"
SUBACK = b"\x90\x03\x00\x01\x01"


def a_publish(message: bytes, qos: int = 1, packet_id: int = 5, topic: bytes = b"t/x") -> bytes:
    body = len(topic).to_bytes(2, "big") + topic
    body += packet_id.to_bytes(2, "big") + message if qos else message
    length, size = b"", len(body)
    while True:
        size, low = divmod(size, 128)
        length += bytes((low | (0x80 if size else 0),))
        if not size:
            return bytes((0x30 | qos << 1,)) + length + body


def a_reader() -> tuple[Reader, list[bytes]]:
    messages: list[bytes] = []
    return Reader("t/x", 1, messages.append), messages


def test_connect_and_subscribe_are_as_specified() -> None:
    assert connect("abc") == b"\x10\x0f\x00\x04MQTT\x04\x02\x00\x3c\x00\x03abc"
    assert connect("abc", "u", "p", durable=True) == (
        b"\x10\x15\x00\x04MQTT\x04\xc0\x00\x3c\x00\x03abc\x00\x01u\x00\x01p"
    )
    assert subscribe("t/x", 1) == b"\x82\x08\x00\x01\x00\x03t/x\x01"


def test_subscribes_when_connected() -> None:
    reader, _ = a_reader()
    assert reader.receive(CONNACK) == subscribe("t/x", 1)
    assert not reader.subscribed
    assert reader.receive(SUBACK) == b""
    assert reader.subscribed


def test_messages_are_taken_and_acknowledged() -> None:
    reader, messages = a_reader()
    answer = reader.receive(a_publish(b"one", packet_id=7) + a_publish(b"two", qos=0))
    assert messages == [b"one", b"two"]
    assert answer == b"\x40\x02\x00\x07"


@pytest.mark.parametrize("size", [0, 100, 200, 20_000])
def test_bytes_may_come_in_any_pieces(size: int) -> None:
    stream = b"".join(a_publish(bytes((i,)) * size, packet_id=i) for i in range(1, 4))
    step = max(1, len(stream) // 97)
    reader, messages = a_reader()
    answers = [reader.receive(stream[i : i + step]) for i in range(0, len(stream), step)]
    assert messages == [bytes((i,)) * size for i in range(1, 4)]
    assert b"".join(answers) == b"".join(b"\x40\x02\x00" + bytes((i,)) for i in range(1, 4))


@pytest.mark.parametrize(
    ("packet", "reason"),
    [
        (b"\x20\x02\x00\x05", "refuses the connection: 5"),
        (b"\x90\x03\x00\x01\x80", "refuses the subscription to t/x"),
        (b"\x30\xff\xff\xff\xff\xff", "five bytes"),
    ],
)
def test_refusal_of_the_broker_is_an_error(packet: bytes, reason: str) -> None:
    reader, _ = a_reader()
    with pytest.raises(ConnectionError, match=reason):
        reader.receive(packet)
