"""What tells of events, and whom."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bittern.config import Configuration
from bittern.config.settings import Mqtt
from bittern.network.core import Network
from bittern.network.event_settings import EventSettings
from bittern.servers.background import task
from bittern.servers.event_desk import EventDesk
from bittern.servers.notifier import Notifier, Publisher
from bittern.store.event_settings import EventDefaults
from bittern.store.protocol import Store


def event_defaults(mqtt: Mqtt) -> EventDefaults:
    """What is told where an account has said nothing."""
    return EventDefaults(
        joins=mqtt.join_events,
        connections=mqtt.connection_events,
        deliveries=mqtt.delivery_events,
    )


@asynccontextmanager
async def events_of(
    configuration: Configuration, store: Store, network: Network, broker: Publisher
) -> AsyncIterator[tuple[EventDesk, Notifier]]:
    """Both at work. The desk hears of the network, and is to be told of gateways and changes; what
    it tells the notifier publishes."""
    notifier = Notifier(broker, chance=random.random)
    desk = EventDesk(
        store,
        network.directory,
        EventSettings(event_defaults(configuration.mqtt)),
        notifier.tell,
        net_id=configuration.network.net_id,
        now=network.now,
        randomness=random.SystemRandom(),
        later=asyncio.get_running_loop().call_later,
    )
    async with task(notifier.run(), "publish notices"), task(desk.run(), "tell of events"):
        with network.journal.listening(desk.listen):
            yield desk, notifier
