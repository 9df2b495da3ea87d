"""The broker, and what is taken from it: messages to devices."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec

from bittern.config.settings import Mqtt
from bittern.outputs.broker.server import EmbeddedBroker
from bittern.outputs.mqtt.output import MqttOutput, mqtt_settings
from bittern.outputs.mqtt.subscriber import MqttSubscriber
from bittern.servers.mqtt_downlinks import MqttDownlinks


def takes_downlinks(mqtt: Mqtt) -> bool:
    """Where nothing is said: from the users of the embedded broker."""
    return mqtt.url is None if mqtt.downlinks is None else mqtt.downlinks


@asynccontextmanager
async def downlinks_of(
    broker: EmbeddedBroker | MqttOutput, mqtt: Mqtt
) -> AsyncIterator[MqttDownlinks]:
    """The broker is at work inside. Whatever it brings waits until `begin`, and is acknowledged
    then: nothing comes too early."""
    downlinks = MqttDownlinks(mqtt.downlink_prefix)
    async with AsyncExitStack() as stack:
        if takes_downlinks(mqtt) and isinstance(broker, EmbeddedBroker):
            broker.hub.hand_over_to(downlinks)
        await stack.enter_async_context(broker)
        await stack.enter_async_context(downlinks)
        if takes_downlinks(mqtt) and isinstance(broker, MqttOutput):
            await stack.enter_async_context(_subscriber(mqtt, downlinks))
        yield downlinks


def _subscriber(mqtt: Mqtt, downlinks: MqttDownlinks) -> MqttSubscriber:
    """By a client identifier of its own: it has a session of its own."""
    settings = mqtt_settings(mqtt)
    named = msgspec.structs.replace(settings, client_id=f"{settings.client_id}-downlinks")
    return MqttSubscriber(named, downlinks.topic_filter, downlinks, random.random)
