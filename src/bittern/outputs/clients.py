"""Messages of programs: published like those of any MQTT client, to whichever broker there is.

What the embedded broker answers for is the same as to a client that waits for its acknowledgement,
and a retained message is on the disk. What an external broker keeps, it keeps to itself: we do not
subscribe there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol
from uuid import uuid4

import msgspec

from bittern.errors import DeliveryRejected, DeliveryUnavailable, MqttProtocolError
from bittern.outputs.broker.log import Retained
from bittern.outputs.broker.server import EmbeddedBroker
from bittern.outputs.broker.session import Receipt
from bittern.outputs.mqtt.output import MqttOutput
from bittern.outputs.mqtt.packets import Publish
from bittern.outputs.port import Message

ANSWER_S = 10.0
"""Time for whoever takes the message over to say so."""


class ClientMessage(msgspec.Struct, frozen=True, kw_only=True):
    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False


class Clients(Protocol):
    """A broker, as a client of it sees it."""

    async def publish(self, message: ClientMessage) -> None:
        """Raises `DeliveryRejected` for what it will never take, `DeliveryUnavailable` while it
        takes nothing."""
        ...

    @property
    def tells_retained(self) -> bool:
        """Whether the two below know what there is."""
        ...

    def retained(self, topic: str) -> Retained | None: ...
    def retained_page(self, after: str, limit: int) -> Sequence[Retained]:
        """Those of topics behind `after`, in order of topic."""
        ...


class EmbeddedClients:
    tells_retained = True

    def __init__(self, broker: EmbeddedBroker) -> None:
        self._broker = broker

    async def publish(self, message: ClientMessage) -> None:
        broker = self._broker
        if len(message.payload) + len(message.topic.encode()) >= broker.limits.packet_bytes:
            raise DeliveryRejected("larger than a packet of the broker may be")
        done: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        receipt = Receipt(lambda failure: None if done.done() else done.set_result(failure))
        self._hand_over(message, receipt)
        try:
            async with asyncio.timeout(ANSWER_S):
                failure = await done
        except TimeoutError:
            raise DeliveryUnavailable("the broker could not keep it in time") from None
        if failure is not None:
            raise DeliveryUnavailable(failure)

    def _hand_over(self, message: ClientMessage, receipt: Receipt) -> None:
        broker = self._broker
        published = Publish(message.topic, message.payload, message.qos, retain=message.retain)
        try:
            taken = broker.hub.publish_of_client(published, receipt, broker.now())
        except MqttProtocolError as error:
            raise DeliveryRejected(error.reason) from None
        if not taken:
            raise DeliveryRejected("clients publish nothing there")
        if message.retain:
            receipt.owe()
            broker.stored(receipt.discharge)
        receipt.discharge()
        broker.changed()
        if message.retain and message.payload and broker.hub.retained(message.topic) is None:
            raise DeliveryRejected("it went out, but there is no room to retain it")

    def retained(self, topic: str) -> Retained | None:
        return self._broker.hub.retained(topic)

    def retained_page(self, after: str, limit: int) -> Sequence[Retained]:
        return self._broker.hub.retained_page(after, limit)


class ExternalClients:
    tells_retained = False

    def __init__(self, output: MqttOutput) -> None:
        self._output = output

    async def publish(self, message: ClientMessage) -> None:
        """With quality of service 1, whatever is asked: so it is known to have come there."""
        sent = Message(message.topic, message.payload, str(uuid4()), retain=message.retain)
        try:
            async with asyncio.timeout(ANSWER_S):
                failures = await self._output.publish([sent])
        except TimeoutError:
            raise DeliveryUnavailable("the broker did not acknowledge in time") from None
        for failure in failures.values():
            raise failure

    def retained(self, topic: str) -> Retained | None:
        return None

    def retained_page(self, after: str, limit: int) -> Sequence[Retained]:
        return []


def clients_of(broker: EmbeddedBroker | MqttOutput) -> Clients:
    if isinstance(broker, EmbeddedBroker):
        return EmbeddedClients(broker)
    return ExternalClients(broker)
