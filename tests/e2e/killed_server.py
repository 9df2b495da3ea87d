"""`bittern serve` in a process that is killed, and what the store accepted meanwhile.

What was accepted is not asked of the server: a trigger in its database notes every message in the
very transaction that accepts the frame.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import socket
import sqlite3
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import paho.mqtt.client as mqtt

from bittern.lorawan.crypto import SessionKeys
from bittern.lorawan.versions import MacVersion
from bittern.simulator.air import Air, Hearing
from bittern.simulator.device import Abp, SimulatedDevice
from bittern.simulator.gateway import SimulatedGateway
from bittern.simulator.regions import device_region
from bittern.types import EUI64, DevAddr, DevEUI, GatewayEUI

GATEWAYS = [GatewayEUI(EUI64.from_int(0x0016C001FF000001 + n)) for n in range(2)]
NWK_S_KEY, APP_S_KEY = "11" * 16, "22" * 16
PAUSE_S = 0.1
"""Between two uplinks of one device."""

NOTE_WHAT_IS_ACCEPTED = """
CREATE TABLE accepted (message_id TEXT, dev_eui BLOB);
CREATE TRIGGER note_accepted AFTER INSERT ON outbox
BEGIN INSERT INTO accepted VALUES (new.message_id, new.dev_eui); END;
"""


@dataclass
class Server:
    """`bittern serve` in a process that can be killed."""

    folder: Path
    process: asyncio.subprocess.Process | None = None
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, port in zip(("LNS", "CUPS", "MQTT", "API"), free_ports(4), strict=True):
            self.environment[f"BITTERN_{name}__PORT"] = str(port)
        self.environment["BITTERN_DATA_DIR"] = str(self.folder / "data")
        self.environment["BITTERN_NETWORK__DEDUPLICATION_WINDOW_MS"] = "50"
        self.environment["BITTERN_LOG__LEVEL"] = "error"

    @property
    def database(self) -> Path:
        return self.folder / "data" / "bittern.db"

    async def command(self, *arguments: str) -> None:
        process = await self._spawn(*arguments, stdout=asyncio.subprocess.DEVNULL)
        assert await process.wait() == 0, arguments

    async def start(self) -> None:
        self.process = await self._spawn("serve", stdout=asyncio.subprocess.PIPE)
        assert self.process.stdout is not None
        assert await asyncio.wait_for(self.process.stdout.readline(), 30), "it did not start"

    async def end(self, by: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(by)
        return await asyncio.wait_for(self.process.wait(), 30)

    async def _spawn(self, *arguments: str, stdout: int) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bittern", *arguments),
            env=os.environ | self.environment,
            cwd=self.folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=stdout,
        )


class Subscriber:
    """A durable session: what it has not acknowledged is owed to it, whatever happens."""

    def __init__(self, server: Server, topic: str) -> None:
        self.received: dict[str, tuple[str, int]] = {}
        self.copies = 0
        password = (server.folder / "data" / "mqtt.password").read_text().strip()
        self._client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2, client_id=f"witness of {topic}", clean_session=False
        )
        self._client.username_pw_set("bittern", password)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_: client.subscribe(topic, qos=1)
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", int(server.environment["BITTERN_MQTT__PORT"]))

    @contextmanager
    def listening(self) -> Iterator[None]:
        self._client.loop_start()
        try:
            yield
        finally:
            self._client.disconnect()
            self._client.loop_stop()

    def _on_message(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        told = json.loads(message.payload)
        lorawan = told["WirelessMetadata"]["LoRaWAN"]
        self.copies += told["MessageId"] in self.received
        self.received[told["MessageId"]] = (lorawan["DevEui"], lorawan["FCnt"])


@asynccontextmanager
async def uplinks_under_way(
    folder: Path, devices: list[SimulatedDevice], air: Air
) -> AsyncIterator[None]:
    """Each device sends, heard by all gateways, which connect again whenever the server is back."""
    async with AsyncExitStack() as stack:
        gateways = [
            await stack.enter_async_context(
                SimulatedGateway(
                    gateway_eui=eui,
                    home=folder / str(eui),
                    air=air,
                    chance=random.Random(int(eui)),
                    pause=lambda s: asyncio.sleep(min(s, 0.3)),
                )
            )
            for eui in GATEWAYS
        ]
        sending = [asyncio.create_task(send(device, gateways, air)) for device in devices]
        try:
            yield
        finally:
            for task in sending:
                task.cancel()
            await asyncio.gather(*sending, return_exceptions=True)


def simulated(number: int) -> SimulatedDevice:
    keys = SessionKeys.of_1_0(bytes.fromhex(NWK_S_KEY), bytes.fromhex(APP_S_KEY))
    return SimulatedDevice(
        dev_eui=DevEUI(EUI64.from_int(0x70B3D57ED0000001 + number)),
        activation=Abp(dev_addr=DevAddr.from_int(0x01000001 + number), keys=keys),
        version=MacVersion.LORAWAN_1_0_3,
        region=device_region("EU868"),
        chance=random.Random(number),
    )


async def register(server: Server, devices: list[SimulatedDevice]) -> None:
    for eui in GATEWAYS:
        await server.command("gateway", "add", str(eui), "--files", str(server.folder / str(eui)))
    for device in devices:
        assert isinstance(device.activation, Abp)
        await server.command(
            *("device", "add", str(device.dev_eui), "--dev-addr", str(device.activation.dev_addr)),
            *("--nwk-s-key", NWK_S_KEY, "--app-s-key", APP_S_KEY),
        )
    await server.start()  # the broker's password is made now
    await server.end(signal.SIGTERM)
    with sqlite3.connect(server.database) as database:
        database.executescript(NOTE_WHAT_IS_ACCEPTED)
    database.close()


async def send(device: SimulatedDevice, gateways: list[SimulatedGateway], air: Air) -> None:
    """Every third uplink asks for an acknowledgement, so that downlink counters move too."""
    hearings = [Hearing(gateway) for gateway in gateways]
    number = 0
    while True:
        device.uplink(number.to_bytes(4, "big"), fport=1, confirmed=number % 3 == 0)
        air.send(device, hearings)
        number += 1
        await asyncio.sleep(PAUSE_S)


async def accepted_more(server: Server, count: int) -> None:
    """Until so many more frames were accepted."""
    goal = len(accepted_messages(server)) + count
    async with asyncio.timeout(60):
        while len(accepted_messages(server)) < goal:
            await asyncio.sleep(0.1)


async def nothing_under_way(server: Server) -> None:
    """Until the last frames have left their window: the count stands still for a second."""
    count = -1
    while count != len(accepted_messages(server)):
        count = len(accepted_messages(server))
        await asyncio.sleep(1.0)


def accepted_messages(server: Server) -> list[str]:
    return [row[0] for row in rows(server, "SELECT message_id FROM accepted")]


def rows(server: Server, query: str) -> list[tuple]:
    database = sqlite3.connect(server.database, timeout=10)
    try:
        return database.execute(query).fetchall()
    finally:
        database.close()


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
