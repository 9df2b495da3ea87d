from __future__ import annotations

import asyncio

import msgspec

from bittern.app.events import event_defaults, events_of
from bittern.config import Configuration
from bittern.network.core import Network, NetworkSettings
from bittern.network.events import JoinReceived
from bittern.network.gateways import Gateways
from bittern.network.randomness import BlockRandomness
from bittern.outputs.port import NO_FAILURES, Failures, Message
from bittern.store.event_settings import INITIAL, EventDefaults
from bittern.testing import examples
from bittern.testing.memory_store import MemoryStore


def test_the_configuration_decides_at_first(configuration: Configuration) -> None:
    assert event_defaults(configuration.mqtt) == INITIAL
    other = msgspec.structs.replace(
        configuration.mqtt, connection_events=False, join_events=True, delivery_events=True
    )
    assert event_defaults(other) == EventDefaults(connections=False, joins=True, deliveries=True)


class Broker:
    def __init__(self) -> None:
        self.published: asyncio.Queue[Message] = asyncio.Queue()

    async def publish(self, messages: list[Message]) -> Failures:
        for message in messages:
            self.published.put_nowait(message)
        return NO_FAILURES


async def test_what_happens_in_the_network_reaches_the_broker(configuration: Configuration) -> None:
    store, broker = MemoryStore(), Broker()
    await examples.register(store)
    network = Network(
        NetworkSettings(net_id=configuration.network.net_id),
        store=store,
        gateways=Gateways(),
        outbox=None,  # type: ignore[arg-type]
        now=lambda: examples.NOW,
        randomness=BlockRandomness(bytes),
    )
    mqtt = msgspec.structs.replace(configuration.mqtt, join_events=True)
    wanted = msgspec.structs.replace(configuration, mqtt=mqtt)
    async with events_of(wanted, store, network, broker) as (desk, notifier):
        network.journal.record(
            JoinReceived(
                at=examples.NOW, dev_eui=examples.DEV_EUI, gateway_eui=examples.GATEWAY_EUI
            )
        )
        message = await broker.published.get()
        assert desk.statistics() == {"queued": 0, "dropped": 0}
        assert notifier.statistics()["dropped"] == 0
    assert message.topic.endswith("/join/join_req_received/lorawan/wireless_devices")
