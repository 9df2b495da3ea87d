"""Our end of a connection to an external MQTT broker: publishing.

Usually with quality of service 1; by MQTT 3.1.1, or MQTT 5 where messages have properties.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import cast

import msgspec

from bittern.errors import DeliveryError, DeliveryRejected, DeliveryUnavailable, MqttProtocolError
from bittern.outputs.backoff import Backoff
from bittern.outputs.mqtt import v5
from bittern.outputs.mqtt.pace import Pace
from bittern.outputs.mqtt.packets import (
    DISCONNECT_BYTES,
    LEVEL_3_1_1,
    LEVEL_5,
    PINGREQ_BYTES,
    PUBACK,
    Connack,
    Connect,
    PacketStream,
    decode,
    encode_connect,
    encode_publish,
)
from bittern.outputs.port import Message

_PUBACK = PUBACK << 4
_PACKET_IDS = 65_535
_INCOMING_LIMIT = 64 * 1024
"""Nothing is subscribed to: the broker has little to say."""
WAIT_S = 15.0
"""At a broker that takes so many in a second: what would wait longer is put off, not given up."""

REFUSALS = {
    1: "it does not speak MQTT 3.1.1",
    2: "it does not accept the client identifier",
    3: "it is not available",
    4: "bad user name or password",
    5: "not authorized",
}
"""Return codes of CONNACK (MQTT 3.1.1, 3.2.2.3)."""


class MqttSettings(msgspec.Struct, frozen=True, kw_only=True):
    host: str
    port: int
    client_id: str
    username: str | None = None
    password: bytes | None = None
    tls: ssl.SSLContext | None = None
    keep_alive_s: int = 30
    connect_s: float = 10.0
    """Time for a connection, TLS and login."""
    under_way: int = 1000
    """Messages that the broker has not acknowledged; AWS IoT Core takes 100."""
    per_s: int = 0
    """Messages in a second, or 0: as many as there are. AWS IoT Core drops what is more."""
    blamed: int = 5
    """When the broker has closed the connection so many times in a row over the same message, it
    is rejected: a broker has no other way to say that it does not take a topic or a size."""
    backoff: Backoff = Backoff()
    level: int = LEVEL_3_1_1
    """Of the protocol: `LEVEL_3_1_1` or `LEVEL_5`."""
    qos: int = 1
    """0: a message has arrived when it is written; what a lost connection takes along is lost."""
    properties: Callable[[Message], bytes] = v5.no_properties
    """Of a message, encoded; only MQTT 5 has them."""

    def __repr__(self) -> str:
        return f"MqttSettings({self.host}:{self.port}, client_id={self.client_id!r})"


class Batch:
    """Messages that are reported on together; `done` when the fate of each is known."""

    __slots__ = ("_left", "done", "failures", "messages")

    def __init__(self, messages: Sequence[Message]) -> None:
        self.messages = messages
        self._left = len(messages)
        self.failures: dict[int, DeliveryError] = {}
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def settle(self, place: int, failure: DeliveryError | None) -> None:
        if failure is not None:
            self.failures[place] = failure
        self._left -= 1
        if not self._left and not self.done.done():
            self.done.set_result(None)


class MqttConnection(asyncio.Protocol):
    """One connection to the broker, from its login to its loss."""

    def __init__(self, settings: MqttSettings) -> None:
        self._settings = settings
        self._stream = PacketStream(_INCOMING_LIMIT)
        self._transport: asyncio.Transport | None = None
        self._waiting: deque[tuple[Batch, int]] = deque()
        self._under_way: dict[int, tuple[Batch, int]] = {}
        self._next_id = 0
        self._pinger: asyncio.TimerHandle | None = None
        self._pinged = False
        self._paused = False
        self._pace = Pace(settings.per_s) if settings.per_s else None
        self._paced: asyncio.TimerHandle | None = None
        self._innocent = False
        """The broker has closed the connection, and says that no message is why."""
        self._room = settings.under_way
        self._largest = 0
        """Bytes of a packet that the broker takes, or 0: it did not say."""
        self.decided = asyncio.Event()
        """The broker has accepted the login, or the connection is lost."""
        self.accepted = False
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.oldest: str | None = None
        """Identity of the message that the broker acknowledges next, at the loss."""
        self.acknowledged = 0

    @property
    def under_way(self) -> int:
        return len(self._under_way) + len(self._waiting)

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's own transports do what asyncio.Transport says, without being one.
        self._transport = cast(asyncio.Transport, transport)
        settings = self._settings
        connect = Connect(
            client_id=settings.client_id,
            keep_alive_s=settings.keep_alive_s,
            username=settings.username,
            password=settings.password,
        )
        encode = v5.encode_connect if settings.level == LEVEL_5 else encode_connect
        self._transport.write(encode(connect))

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._fill()

    def data_received(self, data: bytes) -> None:
        try:
            for first, body in self._stream.feed(data):
                if first == _PUBACK and len(body) == 2:
                    self._acknowledge(body[0] << 8 | body[1])
                else:
                    self._other(first, body)
        except MqttProtocolError as error:
            self.abort(f"the broker broke the protocol: {error.reason}")
        self._fill()

    def connection_lost(self, error: Exception | None) -> None:
        self._lose("connection closed by the broker" if error is None else str(error))

    # Publishing

    def publish(self, batch: Batch, places: Iterable[int]) -> None:
        """Those of the batch that are at `places`, in their order."""
        self._waiting.extend((batch, place) for place in places)
        if self._pace is not None:
            self._put_off(int(self._settings.per_s * WAIT_S))
        self._fill()

    def _put_off(self, most: int) -> None:
        while len(self._waiting) > most:
            batch, place = self._waiting.pop()
            batch.settle(place, DeliveryUnavailable("the broker takes so many in a second"))

    def abort(self, reason: str) -> None:
        self._lose(reason)
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """In good order."""
        if self._transport is not None and not self.lost.done():
            self._transport.write(DISCONNECT_BYTES)
            self._transport.close()
        self._lose("closed")

    def _fill(self) -> None:
        frames: list[bytes] = []
        while self._may_send():
            batch, place = self._waiting.popleft()
            packet_id = self._free_id() if self._settings.qos else 0
            frame = self._frame(batch.messages[place], packet_id)
            if self._largest and len(frame) > self._largest:
                batch.settle(place, DeliveryRejected(f"the broker takes {self._largest} bytes"))
                continue
            frames.append(frame)
            if packet_id:
                self._next_id = packet_id
                self._under_way[packet_id] = (batch, place)
            else:
                self.acknowledged += 1
                batch.settle(place, None)
        if frames and self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"".join(frames))

    def _may_send(self) -> bool:
        if not self._waiting or len(self._under_way) >= self._room or self._paused:
            return False
        if self._pace is None:
            return True
        loop = asyncio.get_running_loop()
        wait_s = self._pace.take(loop.time())
        if wait_s and (self._paced is None or self._paced.when() <= loop.time()):
            self._paced = loop.call_later(wait_s, self._fill)
        return not wait_s

    def _frame(self, message: Message, packet_id: int) -> bytes:
        settings, topic = self._settings, message.topic.encode()
        payload = message.payload
        if settings.level == LEVEL_5:
            # Properties stand where the payload begins.
            payload = settings.properties(message) + payload
        return encode_publish(
            topic, payload, qos=settings.qos, packet_id=packet_id, retain=message.retain
        )

    def _free_id(self) -> int:
        packet_id = self._next_id % _PACKET_IDS + 1
        while packet_id in self._under_way:
            packet_id = packet_id % _PACKET_IDS + 1
        return packet_id

    def _acknowledge(self, packet_id: int, failure: DeliveryError | None = None) -> None:
        found = self._under_way.pop(packet_id, None)
        if found is not None:
            self.acknowledged += failure is None
            found[0].settle(found[1], failure)

    def _other(self, first: int, body: bytes) -> None:
        if self._settings.level == LEVEL_5:
            self._other_5(v5.decode(first, body))
            return
        packet = decode(first, body)
        self._pinged = False
        if isinstance(packet, Connack) and not self.accepted:
            refusal = REFUSALS.get(packet.code, f"return code {packet.code}")
            self._answered(refusal if packet.code else None)

    def _other_5(self, packet: v5.Packet) -> None:
        self._pinged = False
        match packet:
            case v5.Connack() if not self.accepted:
                self._room = min(self._room, packet.receive_maximum)
                self._largest = packet.maximum_packet_size
                self._answered(packet.refusal(self._settings.qos))
            case v5.Puback():
                self._acknowledge(packet.packet_id, packet.failure())
            case v5.Disconnect():
                self._innocent = packet.is_over_no_message
                self.abort(f"connection closed by the broker: {packet.reason}")
            case _:
                pass

    def _answered(self, refusal: str | None) -> None:
        """The login is decided."""
        if refusal is not None:
            self.abort(f"the broker refused the login: {refusal}")
            return
        self.accepted = True
        self.decided.set()
        self._ping_later()

    def _ping(self) -> None:
        if self._transport is None or self.lost.done():
            return
        if self._pinged:
            self.abort("the broker does not answer")
            return
        self._pinged = True
        self._transport.write(PINGREQ_BYTES)
        self._ping_later()

    def _ping_later(self) -> None:
        delay_s = self._settings.keep_alive_s / 2
        self._pinger = asyncio.get_running_loop().call_later(delay_s, self._ping)

    def _lose(self, reason: str) -> None:
        if self.lost.done():
            return
        self.lost.set_result(reason)
        self.decided.set()
        for timer in (self._pinger, self._paced):
            if timer is not None:
                timer.cancel()
        unsettled = [*self._under_way.values(), *self._waiting]
        if self._under_way and not self._innocent:
            batch, place = unsettled[0]
            self.oldest = batch.messages[place].message_id
        self._under_way.clear()
        self._waiting.clear()
        failure = DeliveryUnavailable(reason)
        for batch, place in unsettled:
            batch.settle(place, failure)
