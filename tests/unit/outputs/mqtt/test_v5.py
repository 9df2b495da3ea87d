from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties as PahoProperties

from bittern.errors import DeliveryRejected, DeliveryUnavailable, MqttProtocolError
from bittern.outputs.mqtt.packets import Connect
from bittern.outputs.mqtt.v5 import (
    Connack,
    Disconnect,
    Other,
    Properties,
    Puback,
    decode,
    encode_connect,
    no_properties,
)


def test_connect_is_as_the_specification_has_it() -> None:
    connect = Connect(client_id="a", keep_alive_s=30, username="u", password=b"p")
    assert encode_connect(connect) == (
        b"\x10\x14\x00\x04MQTT\x05\xc2\x00\x1e\x00\x00\x01a\x00\x01u\x00\x01p"
    )


def test_another_implementation_reads_our_properties() -> None:
    encoded = Properties(
        utf8=True,
        expiry_s=60,
        content_type="application/json",
        response_topic="answer",
        correlation=b"\x00\x01",
        user=(("a", "b"), ("a", "ü" * 100)),
    ).encode()
    read = PahoProperties(PacketTypes.PUBLISH)
    _, length = read.unpack(encoded)
    assert length == len(encoded)
    assert read.PayloadFormatIndicator == 1
    assert read.MessageExpiryInterval == 60
    assert read.ContentType == "application/json"
    assert read.ResponseTopic == "answer"
    assert read.CorrelationData == b"\x00\x01"
    assert read.UserProperty == [("a", "b"), ("a", "ü" * 100)]


def test_no_properties_are_one_byte() -> None:
    assert no_properties(None) == Properties().encode() == b"\0"


@pytest.mark.parametrize("text", ["x" * 65_536, "a\0b"])
def test_text_that_does_not_fit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"65535|null"):
        Properties(content_type=text).encode()


def test_limits_of_the_broker_are_read() -> None:
    told = PahoProperties(PacketTypes.CONNACK)
    told.ReceiveMaximum = 100
    told.MaximumPacketSize = 131_072
    told.MaximumQoS = 1
    told.AssignedClientIdentifier = "x"
    told.UserProperty = ("a", "b")
    found = decode(0x20, b"\0\0" + told.pack())
    assert isinstance(found, Connack)
    assert (found.receive_maximum, found.maximum_packet_size) == (100, 131_072)
    assert found.refusal(1) is None
    assert found.refusal(2) == "it does not take this quality of service"


def test_refused_login_is_told() -> None:
    told = PahoProperties(PacketTypes.CONNACK)
    told.ReasonString = "go away"
    found = decode(0x20, b"\0\x87" + told.pack())
    assert isinstance(found, Connack)
    assert found.refusal(1) == "not authorized ('go away')"


def test_acknowledgement_without_reason_is_success() -> None:
    assert decode(0x40, b"\0\x07") == Puback(7, 0, "reason code 0x00")
    found = decode(0x40, b"\0\x07\x10")
    assert isinstance(found, Puback)
    assert found.failure() is None


def test_what_may_pass_is_tried_again_and_what_may_not_is_rejected() -> None:
    quota, topic = decode(0x40, b"\0\x07\x97\0"), decode(0x40, b"\0\x07\x90")
    assert isinstance(quota, Puback)
    assert isinstance(quota.failure(), DeliveryUnavailable)
    assert isinstance(topic, Puback)
    assert isinstance(topic.failure(), DeliveryRejected)


def test_disconnect_says_why() -> None:
    assert decode(0xE0, b"\x8b\0") == Disconnect(0x8B, "it shuts down")
    assert decode(0xD0, b"") == Other(13)


@pytest.mark.parametrize(
    "body", [b"\0", b"\0\0\x05", b"\0\0\x01\x7f", b"\0\0\x02\x1f\x00", b"\0\0\xff\xff\xff\xff\x01"]
)
def test_broken_packets_are_refused(body: bytes) -> None:
    with pytest.raises(MqttProtocolError):
        decode(0x20, body)


@given(st.sampled_from([0x20, 0x40, 0xE0]), st.binary(max_size=40))
def test_decoding_raises_nothing_else(first: int, body: bytes) -> None:
    with contextlib.suppress(MqttProtocolError):
        decode(first, body)
