"""What MQTT 5 adds to the packets of a client that publishes (OASIS MQTT Version 5.0).

Pure. Decoding raises only `MqttProtocolError`.
"""

from __future__ import annotations

import msgspec

from bittern.errors import (
    DeliveryError,
    DeliveryRejected,
    DeliveryUnavailable,
    MqttProtocolError,
)
from bittern.outputs.mqtt.packets import CONNACK, DISCONNECT, LEVEL_5, PUBACK, Connect
from bittern.outputs.mqtt.packets import encode_connect as encode_connect_3

REASONS = {
    0x80: "unspecified error",
    0x81: "malformed packet",
    0x82: "protocol error",
    0x83: "the broker does not take it",
    0x84: "it does not speak MQTT 5",
    0x85: "it does not accept the client identifier",
    0x86: "bad user name or password",
    0x87: "not authorized",
    0x88: "it is not available",
    0x89: "it is busy",
    0x8A: "banned",
    0x8B: "it shuts down",
    0x8C: "bad authentication method",
    0x8D: "keep alive timeout",
    0x8E: "another client took over the session",
    0x90: "it does not accept the topic",
    0x91: "packet identifier in use",
    0x93: "more under way than it takes",
    0x95: "packet too large",
    0x96: "too many messages",
    0x97: "quota exceeded",
    0x98: "administrative action",
    0x99: "the payload is not in the format that was named",
    0x9B: "it does not take this quality of service",
    0x9C: "use another server",
    0x9D: "the server has moved",
    0x9F: "too many connections",
    0xA0: "longest connection time",
}
"""Reason codes that are errors (2.4)."""

_PASSING = frozenset({0x80, 0x83, 0x88, 0x89, 0x91, 0x93, 0x96, 0x97})
"""Of an acknowledgement: trying again may help."""

_OF_THE_BROKER = frozenset({0x00, 0x88, 0x89, 0x8B, 0x8D, 0x8E, 0x96, 0x98, 0x9C, 0x9D, 0x9F, 0xA0})
"""Of a connection that the broker closes: it has its own reason, or the client's ways are it."""

PAYLOAD_FORMAT, EXPIRY, CONTENT_TYPE, RESPONSE_TOPIC, CORRELATION = 0x01, 0x02, 0x03, 0x08, 0x09
REASON_STRING, RECEIVE_MAXIMUM, MAXIMUM_QOS, USER_PROPERTY = 0x1F, 0x21, 0x24, 0x26
MAXIMUM_PACKET_SIZE = 0x27

_SIZES = {
    **dict.fromkeys((0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2A), 1),
    **dict.fromkeys((0x13, 0x21, 0x22, 0x23), 2),
    **dict.fromkeys((0x02, 0x11, 0x18, 0x27), 4),
}
"""Bytes of the properties that are numbers (2.2.2.2)."""
_STRINGS = frozenset({0x03, 0x08, 0x09, 0x12, 0x15, 0x16, 0x1A, 0x1C, 0x1F})


class Properties(msgspec.Struct, frozen=True, kw_only=True):
    """Of a message (3.3.2.3)."""

    utf8: bool | None = None
    """Payload format indicator: whether the payload is text."""
    expiry_s: int | None = None
    content_type: str | None = None
    response_topic: str | None = None
    correlation: bytes | None = None
    user: tuple[tuple[str, str], ...] = ()

    def encode(self) -> bytes:
        """With their length before them. Text has at most 65,535 bytes: else `ValueError`."""
        body = bytearray()
        if self.utf8 is not None:
            body += bytes((PAYLOAD_FORMAT, self.utf8))
        if self.expiry_s is not None:
            body += bytes((EXPIRY,)) + self.expiry_s.to_bytes(4, "big")
        if self.content_type is not None:
            body += bytes((CONTENT_TYPE,)) + _text(self.content_type)
        if self.response_topic is not None:
            body += bytes((RESPONSE_TOPIC,)) + _text(self.response_topic)
        if self.correlation is not None:
            body += bytes((CORRELATION,)) + _binary(self.correlation)
        for key, value in self.user:
            body += bytes((USER_PROPERTY,)) + _text(key) + _text(value)
        return _variable(len(body)) + bytes(body)


def no_properties(message: object) -> bytes:
    return b"\0"


def _binary(value: bytes) -> bytes:
    if len(value) > 0xFFFF:
        raise ValueError("longer than 65535 bytes")
    return len(value).to_bytes(2, "big") + value


def _text(value: str) -> bytes:
    if "\0" in value:
        raise ValueError("text with a null character")
    return _binary(value.encode())


def _variable(number: int) -> bytes:
    """1.5.5."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


class Connack(msgspec.Struct, frozen=True, kw_only=True):
    code: int
    reason: str
    receive_maximum: int = 65_535
    maximum_packet_size: int = 0
    maximum_qos: int = 2

    def refusal(self, qos: int) -> str | None:
        """Why we cannot publish there."""
        if self.code >= 0x80:
            return self.reason
        if qos > self.maximum_qos:
            return REASONS[0x9B]
        return None


class Puback(msgspec.Struct, frozen=True):
    packet_id: int
    code: int
    reason: str

    def failure(self) -> DeliveryError | None:
        if self.code < 0x80:
            return None
        told = f"the broker answers: {self.reason}"
        return DeliveryUnavailable(told) if self.code in _PASSING else DeliveryRejected(told)


class Disconnect(msgspec.Struct, frozen=True):
    code: int
    reason: str

    @property
    def is_over_no_message(self) -> bool:
        return self.code in _OF_THE_BROKER


class Other(msgspec.Struct, frozen=True):
    kind: int


Packet = Connack | Puback | Disconnect | Other


def encode_connect(connect: Connect) -> bytes:
    """Without a will. A session that ends with its connection needs no property."""
    packet = bytearray(encode_connect_3(connect))
    # The variable header has a fixed size: behind it come the properties, here none (3.1.2).
    at = packet.index(b"\x00\x04MQTT")
    body = bytes(packet[at : at + 6]) + bytes((LEVEL_5,)) + bytes(packet[at + 7 : at + 10])
    body += b"\0" + bytes(packet[at + 10 :])
    return bytes(packet[:1]) + _variable(len(body)) + body


def decode(first: int, body: bytes) -> Packet:
    """A packet that a broker sends to a client that subscribes to nothing."""
    kind, reader = first >> 4, _Reader(body)
    if kind == CONNACK:
        reader.number(1)
        return _connack(reader.number(1), reader.properties())
    if kind == PUBACK:
        packet_id = reader.number(2)
        return Puback(packet_id, *_reason(reader))
    if kind == DISCONNECT:
        return Disconnect(*_reason(reader))
    return Other(kind)


def _connack(code: int, properties: dict[int, int | bytes]) -> Connack:
    def number(name: int, otherwise: int) -> int:
        value = properties.get(name, otherwise)
        return value if isinstance(value, int) else otherwise

    return Connack(
        code=code,
        reason=_told(code, properties),
        receive_maximum=number(RECEIVE_MAXIMUM, 65_535) or 1,
        maximum_packet_size=number(MAXIMUM_PACKET_SIZE, 0),
        maximum_qos=number(MAXIMUM_QOS, 2),
    )


def _reason(reader: _Reader) -> tuple[int, str]:
    """Code and properties may be left out when there is nothing to say (3.4.2.1, 3.14.2.1)."""
    code = reader.number(1) if reader.more() else 0
    properties = reader.properties() if reader.more() else {}
    return code, _told(code, properties)


def _told(code: int, properties: dict[int, int | bytes]) -> str:
    text = REASONS.get(code, f"reason code {code:#04x}")
    said = properties.get(REASON_STRING)
    if isinstance(said, bytes) and said:
        text += f" ({said[:200].decode(errors='replace')!r})"
    return text


class _Reader:
    """The fields of one packet, in order."""

    __slots__ = ("_at", "_body")

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def more(self) -> bool:
        return self._at < len(self._body)

    def take(self, count: int) -> bytes:
        start = self._at
        self._at += count
        if self._at > len(self._body):
            raise MqttProtocolError("a packet ends within a field")
        return self._body[start : self._at]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def variable(self) -> int:
        value = 0
        for place in range(4):
            byte = self.number(1)
            value |= (byte & 0x7F) << (7 * place)
            if byte < 0x80:
                return value
        raise MqttProtocolError("a length of more than four bytes")

    def properties(self) -> dict[int, int | bytes]:
        """Numbers and strings; of user properties nothing is wanted."""
        end = self.variable() + self._at
        if end > len(self._body):
            raise MqttProtocolError("a packet ends within its properties")
        found: dict[int, int | bytes] = {}
        while self._at < end:
            name = self.variable()
            if name in _SIZES:
                found[name] = self.number(_SIZES[name])
            elif name in _STRINGS:
                found[name] = self.take(self.number(2))
            elif name == USER_PROPERTY:
                self.take(self.number(2))
                self.take(self.number(2))
            elif name == 0x0B:
                self.variable()
            else:
                raise MqttProtocolError(f"property {name:#04x}")
        return found
