"""Which output and which topic a destination stands for."""

from __future__ import annotations

from typing import Protocol

from bittern.errors import DeliveryRejected
from bittern.outputs.port import Destinations, Output

MAXIMUM_TOPIC_BYTES = 65_535
"""MQTT 3.1.1, 1.5.3."""


class Route:
    """A destination, resolved. The dispatcher refreshes `topic` when the destination changes."""

    __slots__ = ("output", "topic")

    def __init__(self, output: Output, topic: str) -> None:
        self.output = output
        self.topic = topic


class Router(Protocol):
    async def route(self, account: str, destination: str) -> Route:
        """Raises `DeliveryRejected` when messages to this destination can go nowhere, and
        `StoreError` when that could not be found out."""
        ...


class DestinationRouter:
    """`MqttTopic` destinations are published to the one broker."""

    def __init__(self, destinations: Destinations, mqtt: Output) -> None:
        self._destinations = destinations
        self._mqtt = mqtt

    async def route(self, account: str, destination: str) -> Route:
        found = await self._destinations.destination(account, destination)
        if found is None:
            raise DeliveryRejected(f"no destination {destination!r}")
        if found.expression_type != "MqttTopic":
            raise DeliveryRejected(f"destination {destination!r}: no rule {found.expression!r}")
        return Route(self._mqtt, checked_topic(found.expression))


def checked_topic(text: str) -> str:
    """A name that a message can be published to (MQTT 3.1.1, 4.7.3); else `DeliveryRejected`."""
    if not text:
        raise DeliveryRejected("the topic is empty")
    if not text.isprintable():
        raise DeliveryRejected(f"topic {text!r} has a character that does not print")
    if "+" in text or "#" in text:
        raise DeliveryRejected(f"topic {text!r} has a wildcard; only subscriptions may")
    if len(text.encode()) > MAXIMUM_TOPIC_BYTES:
        raise DeliveryRejected(f"the topic is longer than {MAXIMUM_TOPIC_BYTES} bytes")
    return text
