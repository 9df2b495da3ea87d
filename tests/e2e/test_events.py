"""A whole server over TLS: a device joins and is told of; a message to it is published by MQTT and
followed from the queue to its acknowledgement by a subscriber."""

from __future__ import annotations

import asyncio
import base64
import json
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiomqtt
import msgspec
import pytest

from bittern.app import Addresses, running
from bittern.cli.demo import cast
from bittern.config import Configuration, load
from bittern.config.layout import Layout
from bittern.installation import opened_store
from bittern.simulator.air import Air, Hearing
from bittern.simulator.device import DownlinkReceived, Received, SimulatedDevice
from bittern.simulator.gateway import SimulatedGateway
from bittern.store.codec_records import CodecRecord
from bittern.store.event_settings import EventsOfAll, EventsOfOne, note_of
from bittern.store.protocol import Store
from bittern.store.records import DEFAULT_ACCOUNT, Device
from bittern.types import Instant

pytestmark = pytest.mark.e2e

NOW = Instant(time.time())
GATEWAY, PART = cast.GATEWAYS[0], cast.DEVICES[0]
EVENTS = "$aws/iotwireless/events"
SCRIPT = """
function encodeDownlink(input) {
  if (input.data.valve === undefined) return { errors: ["no valve"] };
  return { bytes: [input.data.valve === "open" ? 1 : 0], fPort: 7 };
}
"""


class Field:
    """A server, a gateway, a device that is within its reach, and a subscriber."""

    def __init__(self, store: Store, device: SimulatedDevice, gateway: SimulatedGateway) -> None:
        self.store = store
        self.device = device
        self.air = gateway._air
        self.hearing = Hearing(gateway, -70, 8.0)
        self.heard: list[tuple[str, Any]] = []
        self.news = asyncio.Event()

    async def exchange(self) -> Received | None:
        return await self.air.exchange(self.device, [self.hearing])

    async def told(self, topic: str) -> Any:
        """What was said there, once it is."""
        async with asyncio.timeout(20):
            while True:
                for place, (name, document) in enumerate(self.heard):
                    if name == topic:
                        del self.heard[place]
                        return document
                self.news.clear()
                await self.news.wait()

    async def listen(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            self.heard.append((str(message.topic), json.loads(message.payload)))
            self.news.set()

    async def record(self) -> Device:
        found = await self.store.device(PART.dev_eui)
        assert found is not None
        return found


def client_of(configuration: Configuration, addresses: Addresses) -> aiomqtt.Client:
    return aiomqtt.Client(
        "127.0.0.1",
        urlsplit(addresses.mqtt).port or 0,
        username="bittern",
        password=Layout(configuration.data_dir).mqtt_password.read_text().strip(),
    )


@asynccontextmanager
async def field(tmp_path: Path) -> AsyncIterator[tuple[Field, aiomqtt.Client]]:
    ports = {f"BITTERN_{name}__PORT": "0" for name in ("API", "LNS", "MQTT", "CUPS")}
    settings = msgspec.structs.replace(load(None, ports), data_dir=tmp_path / "data")
    chance = random.Random(3)
    async with running(settings) as addresses, opened_store(settings, NOW) as store:
        home = settings.data_dir / "gateways" / GATEWAY.name
        await cast.register_gateway(
            store, settings, GATEWAY, folder=home, uri=addresses.lns, now=NOW
        )
        device = await cast.register_device(store, PART, chance, NOW)
        gateway = SimulatedGateway(gateway_eui=GATEWAY.eui, home=home, air=Air(), chance=chance)
        made = Field(store, device, gateway)
        async with client_of(settings, addresses) as client:
            await client.subscribe([(f"{EVENTS}/#", 1), ("bittern/devices/+/down/+", 1)])
            listening = asyncio.create_task(made.listen(client))
            try:
                async with gateway, asyncio.timeout(60):
                    await gateway.configured.wait()
                    yield made, client
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)


def of_device(event: str, kind: str, device_id: str | None = None) -> str:
    topic = f"{EVENTS}/{event}/{kind}/lorawan/wireless_devices"
    return topic if device_id is None else f"{topic}/wireless_device_id/{device_id}"


async def wanted(site: Field) -> Device:
    """Joins of all, messages of one: as the API keeps it."""
    record = await site.record()
    of_all = EventsOfAll(join=True)
    of_one = EventsOfOne(delivery_by_id=True)
    await site.store.put_notes(
        note_of(DEFAULT_ACCOUNT, "default", of_all, NOW),
        note_of(DEFAULT_ACCOUNT, f"WirelessDevice/{record.id}", of_one, NOW),
    )
    await asyncio.sleep(0.5)  # the feed of changes is asked five times a second
    return record


async def joined(site: Field) -> None:
    site.device.join_request()
    await site.exchange()
    assert site.device.session is not None


async def test_a_join_and_a_message_are_told_step_by_step(tmp_path: Path) -> None:
    async with field(tmp_path) as (site, client):
        connected = f"{EVENTS}/connection_status/connected/lorawan/wireless_gateways"
        assert (await site.told(connected))["LoRaWAN"] == {"GatewayEui": str(GATEWAY.eui)}
        record = await wanted(site)
        await joined(site)
        asked = await site.told(of_device("join", "join_req_received"))
        assert asked["WirelessDeviceId"] == record.id
        accepted = await site.told(of_device("join", "join_accepted", record.id))
        assert site.device.session is not None
        assert accepted["LoRaWAN"]["DevAddr"] == str(site.device.session.dev_addr)

        topic = f"bittern/devices/{PART.dev_eui}/down"
        message = {
            "PayloadData": base64.b64encode(b"open").decode(),
            "FPort": 5,
            "TransmitMode": 1,
            "ClientRequestToken": "first",
        }
        await client.publish(topic, json.dumps(message), qos=1)
        # It is acknowledged to its publisher when it is in the store, and not before.
        [stored] = await site.store.queued(PART.dev_eui)
        assert (stored.payload, stored.fport, stored.confirmed) == (b"open", 5, True)
        answer = await site.told(f"{topic}/accepted")
        assert answer == {"MessageId": stored.message_id, "ClientRequestToken": "first"}
        queued = await site.told(of_device("message_delivery_status", "queued", record.id))
        assert queued["MessageId"] == stored.message_id

        site.device.uplink(b"hello", fport=2)
        received = await site.exchange()
        assert isinstance(received, DownlinkReceived)
        assert (received.payload, received.fport) == (b"open", 5)
        sent = await site.told(of_device("message_delivery_status", "sent", record.id))
        assert sent["LoRaWAN"] == {
            "DevEui": str(PART.dev_eui),
            "FPort": 5,
            "FCnt": received.fcnt,
            "GatewayEui": str(GATEWAY.eui),
        }
        site.device.uplink(b"again", fport=2)
        await site.exchange()
        status = of_device("message_delivery_status", "acknowledged", record.id)
        assert (await site.told(status))["MessageId"] == stored.message_id
        assert await site.store.queued(PART.dev_eui) == []
        assert all("failed" not in name for name, _ in site.heard)


async def test_a_message_that_is_purged_or_wrong_is_answered(tmp_path: Path) -> None:
    async with field(tmp_path) as (site, client):
        record = await wanted(site)
        topic = f"bittern/devices/{record.id}/down"
        for message, why in (
            (b"{", "not understood"),
            (b'{"PayloadData": "!", "FPort": 1}', "payloadData"),
            (b'{"PayloadData": "AQ=="}', "fPort"),
            (b'{"Object": {"valve": "open"}}', "no codec"),
        ):
            await client.publish(topic, message, qos=1)
            rejected = await site.told(f"{topic}/rejected")
            assert why in rejected["Message"]
        await client.publish("bittern/devices/nobody/down", b'{"PayloadData": "AQ==", "FPort": 1}')
        rejected = await site.told("bittern/devices/nobody/down/rejected")
        assert rejected["Error"] == "ResourceNotFoundException"

        await client.publish(topic, b'{"PayloadData": "AQ==", "FPort": 1}', qos=1)
        await site.told(of_device("message_delivery_status", "queued", record.id))
        await site.store.unqueue(PART.dev_eui)
        failed = await site.told(of_device("message_delivery_status", "failed", record.id))
        assert failed["Reason"] == "Removed"


async def test_an_object_becomes_bytes_by_the_codec_of_the_device(tmp_path: Path) -> None:
    async with field(tmp_path) as (site, client):
        record = await site.record()
        await site.store.add_codec(CodecRecord(name="valve", script=SCRIPT, created_at=NOW))
        profile = await site.store.device_profile(record.device_profile_id)
        assert profile is not None
        valves = msgspec.structs.replace(profile, id="valves", codec="valve")
        await site.store.add_device_profile(valves)
        await site.store.replace_device(
            msgspec.structs.replace(record, device_profile_id=valves.id)
        )
        topic = f"bittern/devices/{record.id}/down"
        await client.publish(topic, b'{"Object": {"valve": "open"}}', qos=1)
        [stored] = await site.store.queued(PART.dev_eui)
        assert (stored.payload, stored.fport) == (b"\x01", 7)
        await client.publish(topic, b'{"Object": {"door": "open"}}', qos=1)
        assert "no valve" in (await site.told(f"{topic}/rejected"))["Message"]
