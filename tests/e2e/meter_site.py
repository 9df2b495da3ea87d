"""A gateway and a meter, made by a script for AWS, and who listens to what its rule sends."""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiomqtt

from bittern.lorawan.versions import MacVersion
from bittern.simulator.air import Air, Hearing
from bittern.simulator.device import Otaa, SimulatedDevice
from bittern.simulator.gateway import SimulatedGateway
from bittern.simulator.regions import device_region
from bittern.testing.program import Program
from bittern.types import EUI64, AppKey, DevEUI, GatewayEUI, JoinEUI

sys.path.insert(0, str(Path(__file__).parent))
from cups_visit import visit_cups
from station_air import on_air

GATEWAY = GatewayEUI(EUI64.from_hex("0016c001ff000001"))
DEVICE = DevEUI(EUI64.from_hex("70b3d57ed0000001"))
JOIN_EUI = JoinEUI(EUI64.from_hex("70b3d57ed0ffff01"))
APP_KEY = "2b7e151628aed2a6abf7158809cf4f3c"
EVENTS = "$aws/iotwireless/events"
TOPIC = "plant/meters"


@dataclass
class Heard:
    """What the subscriber has heard and nobody has asked for yet."""

    messages: list[tuple[str, Any]] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            self.messages.append((str(message.topic), json.loads(message.payload)))
            self.news.set()

    async def on(self, topic: str, within_s: float = 30) -> Any:
        """The next one there."""
        async with asyncio.timeout(within_s):
            while True:
                for place, (name, document) in enumerate(self.messages):
                    if name == topic:
                        del self.messages[place]
                        return document
                self.news.clear()
                await self.news.wait()


@asynccontextmanager
async def subscriber(program: Program) -> AsyncIterator[Heard]:
    heard = Heard()
    async with aiomqtt.Client(
        "127.0.0.1",
        program.ports["MQTT"],
        username="bittern",
        password=(program.folder / "data" / "mqtt.password").read_text().strip(),
    ) as client:
        await client.subscribe([(TOPIC, 1), (f"{EVENTS}/#", 1)])
        listening = asyncio.create_task(heard.listen(client))
        try:
            yield heard
        finally:
            listening.cancel()
            await asyncio.wait([listening])


@asynccontextmanager
async def field_of(kind: str, home: Path) -> AsyncIterator[tuple[Air, Hearing]]:
    """The air, and what the gateway hears of it."""
    if kind == "genuine":
        async with on_air(home, "EU868", GATEWAY, DEVICE) as around:
            yield around.air, Hearing(around)
        return
    await visit_cups(home, GATEWAY)
    air = Air()
    async with SimulatedGateway(
        gateway_eui=GATEWAY, home=home, air=air, chance=random.Random(1)
    ) as gateway:
        await asyncio.wait_for(gateway.configured.wait(), 30)
        yield air, Hearing(gateway, rssi_dbm=-71, snr_db=8.5)


def meter() -> SimulatedDevice:
    return SimulatedDevice(
        dev_eui=DEVICE,
        activation=Otaa(join_eui=JOIN_EUI, app_key=AppKey.from_hex(APP_KEY)),
        version=MacVersion.LORAWAN_1_0_3,
        region=device_region("EU868"),
        chance=random.Random(1),
    )
