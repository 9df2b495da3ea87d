"""MQTT 3.1.1 control packets to and from bytes (OASIS MQTT Version 3.1.1, sections 2 and 3).

Pure. Both ends use it: our client of an external broker, and the embedded broker. Decoding raises
only `MqttProtocolError`.
"""

from __future__ import annotations

from enum import IntEnum

import msgspec

from bittern.errors import MqttProtocolError

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = range(1, 8)
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT = range(8, 15)

LEVEL_3_1_1 = 4
LEVEL_5 = 5

NOT_GRANTED = 0x80
"""Return code of a subscription that was refused (3.9.3)."""


class ConnectCode(IntEnum):
    """3.2.2.3."""

    ACCEPTED = 0
    UNACCEPTABLE_LEVEL = 1
    IDENTIFIER_REJECTED = 2
    SERVER_UNAVAILABLE = 3
    BAD_CREDENTIALS = 4
    NOT_AUTHORIZED = 5


class Will(msgspec.Struct, frozen=True):
    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False


class Connect(msgspec.Struct, frozen=True, kw_only=True):
    client_id: str
    clean_session: bool = True
    keep_alive_s: int = 0
    username: str | None = None
    password: bytes | None = None
    will: Will | None = None

    def __repr__(self) -> str:
        return f"Connect({self.client_id!r}, username={self.username!r})"


class UnknownLevel(msgspec.Struct, frozen=True):
    """A CONNECT of another version of MQTT."""

    level: int


class Connack(msgspec.Struct, frozen=True):
    session_present: bool
    code: int


class Publish(msgspec.Struct, frozen=True):
    topic: str
    payload: bytes
    qos: int = 0
    packet_id: int = 0
    retain: bool = False
    dup: bool = False


class Acknowledgement(msgspec.Struct, frozen=True):
    """PUBACK, PUBREC, PUBREL, PUBCOMP or UNSUBACK, by `kind`."""

    kind: int
    packet_id: int


class Subscribe(msgspec.Struct, frozen=True):
    packet_id: int
    requests: tuple[tuple[str, int], ...]
    """Topic filters, each with the quality of service asked for."""


class Suback(msgspec.Struct, frozen=True):
    packet_id: int
    codes: bytes


class Unsubscribe(msgspec.Struct, frozen=True):
    packet_id: int
    filters: tuple[str, ...]


class Signal(msgspec.Struct, frozen=True):
    """PINGREQ, PINGRESP or DISCONNECT, by `kind`."""

    kind: int


Packet = (
    Connect
    | UnknownLevel
    | Connack
    | Publish
    | Acknowledgement
    | Subscribe
    | Suback
    | Unsubscribe
    | Signal
)

PINGREQ_BYTES = bytes((PINGREQ << 4, 0))
PINGRESP_BYTES = bytes((PINGRESP << 4, 0))
DISCONNECT_BYTES = bytes((DISCONNECT << 4, 0))
UNSUPPORTED_VERSION_5 = bytes((CONNACK << 4, 3, 0, 0x84, 0))
"""What a client of MQTT 5 understands as "unsupported protocol version" (MQTT 5, 3.2)."""

_FLAGS = {PUBREL: 2, SUBSCRIBE: 2, UNSUBSCRIBE: 2}
"""Fixed header flags; 0 where not named, any for PUBLISH (table 2.2)."""


class PacketStream:
    """Cuts a stream of bytes into packets: the first byte of each, and what follows its length."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._buffer = b""

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Raises `MqttProtocolError` when a packet is going to have more than `limit` bytes."""
        buffer = self._buffer + data if self._buffer else data
        packets: list[tuple[int, bytes]] = []
        at, end = 0, len(buffer)
        while end - at >= 2:
            length = buffer[at + 1]
            body = at + 2
            if length > 0x7F:
                found = self._long_length(buffer, at + 1)
                if found is None:
                    break
                length, body = found
            if length > self.limit:
                raise MqttProtocolError(f"packet of {length} bytes; the limit is {self.limit}")
            if body + length > end:
                break
            packets.append((buffer[at], buffer[body : body + length]))
            at = body + length
        self._buffer = buffer[at:]
        return packets

    @staticmethod
    def _long_length(buffer: bytes, at: int) -> tuple[int, int] | None:
        """A remaining length of two to four bytes (2.2.3), and where it ends."""
        length = 0
        for place in range(4):
            if at + place >= len(buffer):
                return None
            byte = buffer[at + place]
            length |= (byte & 0x7F) << (7 * place)
            if byte < 0x80:
                return length, at + place + 1
        raise MqttProtocolError("a remaining length of more than four bytes")


class _Reader:
    """The fields of one packet, in order."""

    __slots__ = ("_at", "_body")

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def take(self, count: int) -> bytes:
        start = self._at
        self._at += count
        if self._at > len(self._body):
            raise MqttProtocolError("a packet ends within a field")
        return self._body[start : self._at]

    def byte(self) -> int:
        return self.take(1)[0]

    def number(self) -> int:
        return int.from_bytes(self.take(2), "big")

    def packet_id(self) -> int:
        packet_id = self.number()
        if not packet_id:
            raise MqttProtocolError("packet identifier 0")
        return packet_id

    def binary(self) -> bytes:
        return self.take(self.number())

    def text(self) -> str:
        """UTF-8 without U+0000 (1.5.3)."""
        try:
            text = self.binary().decode()
        except UnicodeDecodeError:
            raise MqttProtocolError("text that is not UTF-8") from None
        if "\0" in text:
            raise MqttProtocolError("text with a null character")
        return text

    def rest(self) -> bytes:
        return self.take(len(self._body) - self._at)

    def more(self) -> bool:
        return self._at < len(self._body)

    def end(self) -> None:
        if self.more():
            raise MqttProtocolError("a packet has bytes left over")


def decode(first: int, body: bytes) -> Packet:
    kind, flags = first >> 4, first & 0x0F
    if kind == PUBLISH:
        return _decode_publish(flags, body)
    if flags != _FLAGS.get(kind, 0):
        raise MqttProtocolError(f"packet type {kind} with flags {flags:#x}")
    reader = _Reader(body)
    packet = _decode(kind, reader)
    reader.end()
    return packet


def _decode(kind: int, reader: _Reader) -> Packet:
    if kind in (PUBACK, PUBREC, PUBREL, PUBCOMP, UNSUBACK):
        return Acknowledgement(kind, reader.packet_id())
    if kind in (PINGREQ, PINGRESP, DISCONNECT):
        return Signal(kind)
    if kind == CONNECT:
        return _decode_connect(reader)
    if kind == CONNACK:
        return Connack(bool(reader.byte() & 1), reader.byte())
    if kind == SUBSCRIBE:
        return _decode_subscribe(reader)
    if kind == UNSUBSCRIBE:
        return _decode_unsubscribe(reader)
    if kind == SUBACK:
        return Suback(reader.packet_id(), reader.rest())
    raise MqttProtocolError(f"packet type {kind}")


def _decode_publish(flags: int, body: bytes) -> Publish:
    qos = (flags >> 1) & 3
    if qos == 3:
        raise MqttProtocolError("quality of service 3")
    reader = _Reader(body)
    topic = reader.text()
    packet_id = reader.packet_id() if qos else 0
    return Publish(topic, reader.rest(), qos, packet_id, bool(flags & 1), bool(flags & 8))


def _decode_connect(reader: _Reader) -> Connect | UnknownLevel:
    name, level = reader.binary(), reader.byte()
    if level != LEVEL_3_1_1 or name != b"MQTT":
        if name not in (b"MQTT", b"MQIsdp"):
            raise MqttProtocolError("a CONNECT that is not of MQTT")
        reader.rest()
        return UnknownLevel(level)
    flags = reader.byte()
    if flags & 0x01:
        raise MqttProtocolError("the reserved flag of CONNECT is set")
    keep_alive_s = reader.number()
    client_id = reader.text()
    will = _decode_will(flags, reader)
    if flags & 0x40 and not flags & 0x80:
        raise MqttProtocolError("a password without a user name")
    return Connect(
        client_id=client_id,
        clean_session=bool(flags & 0x02),
        keep_alive_s=keep_alive_s,
        will=will,
        username=reader.text() if flags & 0x80 else None,
        password=reader.binary() if flags & 0x40 else None,
    )


def _decode_will(flags: int, reader: _Reader) -> Will | None:
    qos, retain = (flags >> 3) & 3, bool(flags & 0x20)
    if not flags & 0x04:
        if qos or retain:
            raise MqttProtocolError("will flags without a will")
        return None
    if qos == 3:
        raise MqttProtocolError("quality of service 3")
    return Will(reader.text(), reader.binary(), qos, retain)


def _decode_subscribe(reader: _Reader) -> Subscribe:
    packet_id = reader.packet_id()
    requests: list[tuple[str, int]] = []
    while reader.more():
        topic_filter, qos = reader.text(), reader.byte()
        if qos > 2:
            raise MqttProtocolError(f"quality of service {qos}")
        requests.append((topic_filter, qos))
    if not requests:
        raise MqttProtocolError("a SUBSCRIBE without a topic filter")
    return Subscribe(packet_id, tuple(requests))


def _decode_unsubscribe(reader: _Reader) -> Unsubscribe:
    packet_id = reader.packet_id()
    filters: list[str] = []
    while reader.more():
        filters.append(reader.text())
    if not filters:
        raise MqttProtocolError("an UNSUBSCRIBE without a topic filter")
    return Unsubscribe(packet_id, tuple(filters))


def _packet(first: int, body: bytes) -> bytes:
    return _header(first, len(body)) + body


def _header(first: int, length: int) -> bytes:
    """2.2: most packets are shorter than 16 KiB."""
    if length < 0x80:
        return bytes((first, length))
    if length < 0x4000:
        return bytes((first, length & 0x7F | 0x80, length >> 7))
    header = bytearray((first,))
    while length > 0x7F:
        header.append(length & 0x7F | 0x80)
        length >>= 7
    header.append(length)
    return bytes(header)


def _binary(value: bytes) -> bytes:
    return len(value).to_bytes(2, "big") + value


def encode_connect(connect: Connect) -> bytes:
    flags = 0x02 if connect.clean_session else 0
    payload = _binary(connect.client_id.encode())
    will = connect.will
    if will is not None:
        flags |= 0x04 | will.qos << 3 | (0x20 if will.retain else 0)
        payload += _binary(will.topic.encode()) + _binary(will.payload)
    if connect.username is not None:
        flags |= 0x80
        payload += _binary(connect.username.encode())
    if connect.password is not None:
        flags |= 0x40
        payload += _binary(connect.password)
    fixed = b"\x00\x04MQTT" + bytes((LEVEL_3_1_1, flags))
    return _packet(CONNECT << 4, fixed + connect.keep_alive_s.to_bytes(2, "big") + payload)


def encode_connack(code: int, *, session_present: bool = False) -> bytes:
    return bytes((CONNACK << 4, 2, session_present, code))


def encode_publish(
    topic: bytes,
    payload: bytes,
    *,
    qos: int = 0,
    packet_id: int = 0,
    retain: bool = False,
    dup: bool = False,
) -> bytes:
    """`topic` in UTF-8: encoded once, it is published many times."""
    first = PUBLISH << 4 | qos << 1 | (1 if retain else 0) | (8 if dup else 0)
    number = packet_id.to_bytes(2, "big") if qos else b""
    size = len(topic)
    header = _header(first, 2 + size + len(number) + len(payload))
    return b"".join((header, size.to_bytes(2, "big"), topic, number, payload))


def encode_acknowledgement(kind: int, packet_id: int) -> bytes:
    return bytes((kind << 4 | _FLAGS.get(kind, 0), 2, packet_id >> 8, packet_id & 0xFF))


def encode_subscribe(subscribe: Subscribe) -> bytes:
    body = subscribe.packet_id.to_bytes(2, "big")
    for topic_filter, qos in subscribe.requests:
        body += _binary(topic_filter.encode()) + bytes((qos,))
    return _packet(SUBSCRIBE << 4 | 2, body)


def encode_suback(packet_id: int, codes: bytes) -> bytes:
    return _packet(SUBACK << 4, packet_id.to_bytes(2, "big") + codes)


def encode_unsubscribe(unsubscribe: Unsubscribe) -> bytes:
    body = unsubscribe.packet_id.to_bytes(2, "big")
    for topic_filter in unsubscribe.filters:
        body += _binary(topic_filter.encode())
    return _packet(UNSUBSCRIBE << 4 | 2, body)
