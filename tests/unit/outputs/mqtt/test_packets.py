"""Against the bytes of the specification, against paho's encoder, and against any bytes."""

from __future__ import annotations

import contextlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bittern.errors import MqttProtocolError
from bittern.outputs.mqtt import packets as mqtt
from bittern.outputs.mqtt.packets import (
    Acknowledgement,
    Connack,
    Connect,
    PacketStream,
    Publish,
    Signal,
    Suback,
    Subscribe,
    UnknownLevel,
    Unsubscribe,
    Will,
    decode,
)


def decoded(data: bytes) -> object:
    ((first, body),) = PacketStream(1 << 28).feed(data)
    return decode(first, body)


FULL_CONNECT = Connect(
    client_id="meter",
    clean_session=False,
    keep_alive_s=10,
    username="bittern",
    password=b"secret",
    will=Will("gone/ü", b"\0\1", qos=1, retain=True),
)


@pytest.mark.parametrize(
    ("data", "packet"),
    [
        # 3.1.2.12: the variable header of the example, with an empty payload field each.
        (
            "101c00044d51545404ce000a000000016100016200036279740003707764",
            Connect(
                client_id="",
                clean_session=True,
                keep_alive_s=10,
                username="byt",
                password=b"pwd",
                will=Will("a", b"b", qos=1),
            ),
        ),
        # 3.8.3: a/b with 1, c/d with 2.
        ("820e000a0003612f62010003632f6402", Subscribe(10, (("a/b", 1), ("c/d", 2)))),
        # 3.3.2.3: topic a/b, packet identifier 10.
        ("32070003612f62000a", Publish("a/b", b"", 1, 10)),
        # 3.10.3
        ("a20c000a0003612f620003632f64", Unsubscribe(10, ("a/b", "c/d"))),
        # 3.9.3
        ("90050001000280", Suback(1, b"\0\2\x80")),
        ("20020105", Connack(True, 5)),
        ("62020007", Acknowledgement(mqtt.PUBREL, 7)),
        ("b0020007", Acknowledgement(mqtt.UNSUBACK, 7)),
        ("c000", Signal(mqtt.PINGREQ)),
        ("d000", Signal(mqtt.PINGRESP)),
        ("e000", Signal(mqtt.DISCONNECT)),
        ("3d050001610001", Publish("a", b"", 2, 1, retain=True, dup=True)),
        ("100c00044d5154540502003c0000", UnknownLevel(5)),
        ("100e00064d51497364700302003c0000", UnknownLevel(3)),
    ],
)
def test_bytes_become_the_packet(data: str, packet: object) -> None:
    assert decoded(bytes.fromhex(data)) == packet


def test_every_packet_is_read_as_it_was_written() -> None:
    assert decoded(mqtt.encode_connect(FULL_CONNECT)) == FULL_CONNECT
    plain = Connect(client_id="x")
    assert decoded(mqtt.encode_connect(plain)) == plain
    assert decoded(mqtt.encode_connack(5, session_present=True)) == Connack(True, 5)
    subscribe = Subscribe(9, (("a/#", 1), ("ü", 0)))
    assert decoded(mqtt.encode_subscribe(subscribe)) == subscribe
    unsubscribe = Unsubscribe(9, ("a/#", "ü"))
    assert decoded(mqtt.encode_unsubscribe(unsubscribe)) == unsubscribe
    assert decoded(mqtt.encode_suback(9, b"\1\x80")) == Suback(9, b"\1\x80")
    for kind in (mqtt.PUBACK, mqtt.PUBREC, mqtt.PUBREL, mqtt.PUBCOMP, mqtt.UNSUBACK):
        assert decoded(mqtt.encode_acknowledgement(kind, 513)) == Acknowledgement(kind, 513)
    assert decoded(mqtt.PINGREQ_BYTES) == Signal(mqtt.PINGREQ)
    assert decoded(mqtt.PINGRESP_BYTES) == Signal(mqtt.PINGRESP)
    assert decoded(mqtt.DISCONNECT_BYTES) == Signal(mqtt.DISCONNECT)


@pytest.mark.parametrize("size", [0, 100, 124, 125, 126, 127, 16_380, 16_384, 2_097_152])
@pytest.mark.parametrize("qos", [0, 1])
def test_message_of_any_length_is_read_as_it_was_written(size: int, qos: int) -> None:
    message = Publish("a", b"x" * size, qos, 300 if qos else 0, retain=True, dup=bool(qos))
    encoded = mqtt.encode_publish(
        b"a", message.payload, qos=qos, packet_id=300, retain=True, dup=bool(qos)
    )
    assert decoded(encoded) == message


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("0000", "packet type 0"),
        ("f000", "packet type 15"),
        ("36030001610001", "quality of service 3"),
        ("3003000561", "ends within a field"),
        ("32050001610000", "packet identifier 0"),
        ("30040002c328", "not UTF-8"),
        ("300400026100", "null character"),
        ("8006000100016100", "flags"),
        ("82020001", "without a topic filter"),
        ("8206000100016103", "quality of service 3"),
        ("a2020001", "without a topic filter"),
        ("c00100", "left over"),
        ("4003000100", "left over"),
        ("40020000", "packet identifier 0"),
        ("100c00044d5154580402003c0000", "not of MQTT"),
        ("100c00044d5154540403003c0000", "reserved flag"),
        ("100c00044d5154540442003c0000", "without a user name"),
        ("100c00044d515454040a003c0000", "will flags without a will"),
        ("100c00044d515454041e003c0000", "quality of service 3"),
    ],
)
def test_malformed_packet_says_what_is_wrong(data: str, reason: str) -> None:
    with pytest.raises(MqttProtocolError, match=reason):
        decoded(bytes.fromhex(data))


def test_packet_beyond_the_limit_is_refused_before_it_has_come() -> None:
    assert PacketStream(100).feed(b"\x30\x64") == []
    with pytest.raises(MqttProtocolError, match="limit is 100"):
        PacketStream(100).feed(b"\x30\x65")


def test_length_of_five_bytes_is_refused() -> None:
    with pytest.raises(MqttProtocolError, match="four bytes"):
        PacketStream(1 << 30).feed(b"\x30\xff\xff\xff\xff\x01")


@given(
    messages=st.lists(st.binary(max_size=300), max_size=6),
    cuts=st.lists(st.integers(0, 2000), max_size=6),
)
def test_packets_are_found_however_the_stream_is_cut(
    messages: list[bytes], cuts: list[int]
) -> None:
    data = b"".join(mqtt.encode_publish(b"t", payload) for payload in messages)
    stream = PacketStream(1000)
    places = sorted({0, *(cut % (len(data) + 1) for cut in cuts), len(data)})
    packets = [
        decode(*packet)
        for start, end in itertools.pairwise(places)
        for packet in stream.feed(data[start:end])
    ]
    assert packets == [Publish("t", payload) for payload in messages]


@given(st.integers(0, 255), st.binary(max_size=60))
def test_any_bytes_decode_or_break_the_protocol(first: int, body: bytes) -> None:
    with contextlib.suppress(MqttProtocolError):
        decode(first, body)


@given(st.binary(max_size=200))
def test_any_stream_is_cut_or_breaks_the_protocol(data: bytes) -> None:
    with contextlib.suppress(MqttProtocolError):
        PacketStream(150).feed(data)


def test_connect_does_not_print_its_password() -> None:
    assert "secret" not in repr(FULL_CONNECT)
