"""Our end of a connection to an external MQTT broker: taking messages, with quality of service 1.

The session at the broker is durable, so that it keeps what comes while we are away; a message is
acknowledged when it is taken over, and comes again until then. What the broker retains is no
message of now, and is passed over.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from types import TracebackType
from typing import Self, cast

from bittern.errors import MqttProtocolError
from bittern.outputs.backoff import Chance
from bittern.outputs.mqtt.client import REFUSALS, MqttSettings
from bittern.outputs.mqtt.packets import (
    DISCONNECT_BYTES,
    NOT_GRANTED,
    PINGREQ_BYTES,
    PUBACK,
    Connack,
    Connect,
    Packet,
    PacketStream,
    Publish,
    Suback,
    Subscribe,
    decode,
    encode_acknowledgement,
    encode_connect,
    encode_subscribe,
)
from bittern.outputs.port import Health, Intake

log = logging.getLogger(__name__)

LARGEST = 1024 * 1024
"""Bytes of a message; a broker that sends a longer one is disconnected."""
SUBSCRIPTION_ID = 1
UNDER_WAY = 1000
"""Messages that are not taken over yet; above, the broker is not read any more."""


class _Connection(asyncio.Protocol):
    """From its login to its loss."""

    def __init__(self, settings: MqttSettings, topic_filter: str, intake: Intake) -> None:
        self._settings = settings
        self._topic_filter = topic_filter
        self._intake = intake
        self._stream = PacketStream(LARGEST)
        self._transport: asyncio.Transport | None = None
        self._pinger: asyncio.TimerHandle | None = None
        self._pinged = False
        self.subscribed = asyncio.Event()
        """Or lost."""
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.taken = 0
        self._under_way = 0

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's own transports do what asyncio.Transport says, without being one.
        self._transport = cast(asyncio.Transport, transport)
        settings = self._settings
        self._send(
            encode_connect(
                Connect(
                    client_id=settings.client_id,
                    clean_session=False,
                    keep_alive_s=settings.keep_alive_s,
                    username=settings.username,
                    password=settings.password,
                )
            )
        )

    def data_received(self, data: bytes) -> None:
        try:
            for first, body in self._stream.feed(data):
                self._pinged = False
                self._received(decode(first, body))
        except MqttProtocolError as error:
            self.abort(f"the broker broke the protocol: {error.reason}")

    def connection_lost(self, error: Exception | None) -> None:
        self._lose("connection closed by the broker" if error is None else str(error))

    # What the broker says

    def _received(self, packet: Packet) -> None:
        match packet:
            case Connack(code=0):
                wanted = Subscribe(SUBSCRIPTION_ID, ((self._topic_filter, 1),))
                self._send(encode_subscribe(wanted))
                self._ping_later()
            case Connack(code=code):
                self.abort(f"the broker refused the login: {REFUSALS.get(code, code)}")
            case Suback(codes=codes) if NOT_GRANTED in codes:
                self.abort(f"the broker does not grant a subscription to {self._topic_filter}")
            case Suback():
                self.subscribed.set()
            case Publish():
                self._take(packet)
            case _:
                pass

    def _take(self, message: Publish) -> None:
        packet_id = message.packet_id if message.qos else None
        if message.retain or not self._intake.wants(message.topic):
            self._acknowledge(packet_id)
            return

        def done(failure: str | None) -> None:
            self._count(-1)
            if failure is None:
                self.taken += 1
                self._acknowledge(packet_id)
            else:
                # It is sent again to the next connection, and to none before.
                self.abort(f"a message cannot be kept: {failure}")

        self._count(1)
        self._intake.take(message.topic, message.payload, done)

    def _count(self, change: int) -> None:
        before, self._under_way = self._under_way, self._under_way + change
        if self._transport is None or self._transport.is_closing():
            return
        if max(before, self._under_way) == UNDER_WAY:
            if change > 0:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    def _acknowledge(self, packet_id: int | None) -> None:
        if packet_id is not None:
            self._send(encode_acknowledgement(PUBACK, packet_id))

    def _send(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    # Keeping alive, and the end

    def _ping_later(self) -> None:
        delay_s = self._settings.keep_alive_s / 2
        self._pinger = asyncio.get_running_loop().call_later(delay_s, self._ping)

    def _ping(self) -> None:
        if self._pinged:
            self.abort("the broker does not answer")
            return
        self._pinged = True
        self._send(PINGREQ_BYTES)
        self._ping_later()

    def abort(self, reason: str) -> None:
        self._lose(reason)
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """In good order."""
        self._send(DISCONNECT_BYTES)
        if self._transport is not None:
            self._transport.close()
        self._lose("closed")

    def _lose(self, reason: str) -> None:
        if self._pinger is not None:
            self._pinger.cancel()
        if not self.lost.done():
            self.lost.set_result(reason)
        self.subscribed.set()


class MqttSubscriber:
    """An async context manager: inside, it is subscribed whenever the broker is there."""

    def __init__(
        self, settings: MqttSettings, topic_filter: str, intake: Intake, chance: Chance
    ) -> None:
        self._settings = settings
        self._topic_filter = topic_filter
        self._intake = intake
        self._chance = chance
        self._task: asyncio.Task[None] | None = None
        self._connection: _Connection | None = None
        self._reason = "not connected yet"
        self._taken = 0

    async def __aenter__(self) -> Self:
        """Does not wait for the broker."""
        self._task = asyncio.create_task(self._stay_subscribed(), name="mqtt subscriber")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def health(self) -> Health:
        if self._connection is None:
            return Health(False, self._reason)
        return Health(True, f"subscribed to {self._topic_filter}")

    def statistics(self) -> Mapping[str, int]:
        connection = self._connection
        return {
            "subscribed": int(connection is not None),
            "taken": self._taken + (connection.taken if connection is not None else 0),
        }

    async def _stay_subscribed(self) -> None:
        attempts = 0
        while True:
            connection = _Connection(self._settings, self._topic_filter, self._intake)
            try:
                await self._connect(connection)
                attempts = 0 if self._connection is not None else attempts
                self._reason = await asyncio.shield(connection.lost)
            except asyncio.CancelledError:
                connection.close()
                raise
            finally:
                self._connection = None
                self._taken += connection.taken
            attempts += 1
            delay_s = self._settings.backoff.delay_s(attempts, self._chance)
            log.warning("mqtt subscriber lost reason=%r retry_s=%.1f", self._reason, delay_s)
            await asyncio.sleep(delay_s)

    async def _connect(self, connection: _Connection) -> None:
        """Returns when the subscription is granted, or the connection is lost again."""
        settings = self._settings
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(settings.connect_s):
                await loop.create_connection(
                    lambda: connection, settings.host, settings.port, ssl=settings.tls
                )
                await connection.subscribed.wait()
        except TimeoutError:
            connection.abort(f"no subscription within {settings.connect_s:g} s")
        except OSError as error:
            connection.abort(error.strerror or str(error) or type(error).__name__)
        if not connection.lost.done():
            self._connection = connection
            log.info("mqtt subscriber topics=%s", self._topic_filter)
