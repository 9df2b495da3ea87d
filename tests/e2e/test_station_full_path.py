"""The whole path with a genuine Basics Station: the command line sets everything up, a device joins
over the air, ten uplinks reach an MQTT subscriber, and a confirmed downlink comes back in RX1, or
in class C the moment it is queued. EU868 stands for regions with default channels, US915 and AU915
for those with masks, and AS923-1 for those that the station is told under another name.

Runs where BITTERN_STATION_BIN names a binary (version 2.0.6, variant ``testsim``).
"""

from __future__ import annotations

import asyncio
import base64
import json
import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from bittern.lorawan.versions import MacVersion
from bittern.simulator.air import Hearing
from bittern.simulator.device import (
    DownlinkReceived,
    Joined,
    Otaa,
    Received,
    SimulatedDevice,
)
from bittern.simulator.regions import device_region
from bittern.testing.genuine_station import VARIABLE, station_binary
from bittern.testing.program import Program
from bittern.types import EUI64, AppKey, DevEUI, GatewayEUI, JoinEUI, NwkKey

sys.path.insert(0, str(Path(__file__).parent))
from station_air import on_air

BINARY = station_binary()

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.station,
    pytest.mark.skipif(BINARY is None, reason=f"{VARIABLE} names no Basics Station"),
]

GATEWAY = GatewayEUI(EUI64.from_hex("0016c001ff000001"))
DEVICE = DevEUI(EUI64.from_hex("00afee7cf5ed6f1e"))
JOIN_EUI = JoinEUI(EUI64.from_hex("70b3d57ed00000dc"))
APP_KEY = "2b7e151628aed2a6abf7158809cf4f3c"
NWK_KEY = "3c4fcf098815f7aba6d2ae2816157e2b"


@asynccontextmanager
async def subscriber(program: Program) -> AsyncIterator[aiomqtt.Client]:
    async with aiomqtt.Client(
        "127.0.0.1",
        program.ports["MQTT"],
        username="bittern",
        password=(program.folder / "data" / "mqtt.password").read_text().strip(),
    ) as client:
        await client.subscribe("bittern/uplink", qos=1)
        yield client


def customary_sub_bands(region_name: str) -> tuple[int, ...]:
    """What ``gateway add`` chooses where a plan has more channels than a gateway."""
    return (2,) if device_region(region_name).kind == "fixed" else ()


async def next_uplink(messages: AsyncIterator[aiomqtt.Message]) -> dict[str, Any]:
    message = await asyncio.wait_for(anext(messages), 20)
    assert isinstance(message.payload, bytes)
    document = json.loads(message.payload)
    assert isinstance(document, dict)
    return document


def payload_of(document: dict[str, Any]) -> bytes:
    return base64.b64decode(document["PayloadData"])


@pytest.mark.parametrize(
    ("region_name", "version"),
    [
        ("EU868", "1.0.3"),
        ("US915", "1.0.4"),
        ("EU868", "1.1"),
        ("AU915", "1.0.4"),
        ("AS923-1", "1.0.3"),
    ],
)
async def test_join_ten_uplinks_and_a_confirmed_downlink(
    tmp_path: Path, region_name: str, version: str
) -> None:
    program, home = Program(tmp_path), tmp_path / "gateway"
    is_1_1 = version == "1.1"
    await program.run("gateway", "add", str(GATEWAY), "--region", region_name, "--files", str(home))
    keys = ["--app-key", APP_KEY, *(["--nwk-key", NWK_KEY] if is_1_1 else [])]
    device_add = ["device", "add", str(DEVICE), "--join-eui", str(JOIN_EUI), *keys]
    await program.run(*device_add, "--version", version, "--region", region_name)
    device = SimulatedDevice(
        dev_eui=DEVICE,
        activation=Otaa(
            join_eui=JOIN_EUI,
            app_key=AppKey.from_hex(APP_KEY),
            nwk_key=NwkKey.from_hex(NWK_KEY) if is_1_1 else None,
        ),
        version=MacVersion.parse(version),
        region=device_region(region_name),
        chance=random.Random(1),
        sub_bands=customary_sub_bands(region_name),
    )
    async with program.serving(), subscriber(program) as client:
        messages = client.messages.__aiter__()
        async with on_air(home, region_name, GATEWAY, DEVICE) as around:
            antenna = [Hearing(around)]

            device.join_request()
            joined = await around.air.exchange(device, antenna)
            assert isinstance(joined, Joined)
            [join_accept] = around.sent
            assert join_accept.start_us == around.ended_us + 5_000_000

            for number in range(10):
                payload = f"reading {number}".encode()
                device.uplink(payload, fport=5)
                await around.air.exchange(device, antenna)
                document = await next_uplink(messages)
                assert payload_of(document) == payload
                metadata = document["WirelessMetadata"]["LoRaWAN"]
                assert metadata["DevEui"] == str(DEVICE)
                assert metadata["FCnt"] == number
                assert metadata["FPort"] == 5
                assert metadata["Gateways"][0]["GatewayEui"] == str(GATEWAY)

            send = ["device", "send", str(DEVICE), "--fport", "9", "--text", "open the valve"]
            await program.run(*send, "--confirmed")
            around.sent.clear()
            device.uplink(b"anything?", fport=5)
            received = await around.air.exchange(device, antenna)
            assert isinstance(received, DownlinkReceived)
            assert (received.payload, received.fport) == (b"open the valve", 9)
            assert received.confirmed
            [transmission] = around.sent
            rx1 = device.windows()[0]
            assert transmission.frequency_hz == rx1.frequency_hz
            assert transmission.spreading_factor == rx1.modulation.spreading_factor
            assert transmission.start_us == around.ended_us + rx1.delay_s * 1_000_000

            device.uplink(b"done", fport=5)  # with the ACK
            await around.air.exchange(device, antenna)
            assert json.loads(await program.run("device", "queue", str(DEVICE), "--json")) == []
            assert around.air.complaints == []


@pytest.mark.parametrize(
    ("region_name", "station_region"),
    [
        ("EU868", None),
        ("US915", None),
        ("AU915", None),
        ("AS923-1", None),
        ("AS923-1", "AS923-1"),  # a station that listens before it talks
    ],
)
async def test_class_c_gets_a_message_the_moment_it_is_queued(
    tmp_path: Path, region_name: str, station_region: str | None
) -> None:
    """The station puts it on air at once: RX2 alone, no uplink to refer to."""
    program, home = Program(tmp_path), tmp_path / "gateway"
    gateway_add = ["gateway", "add", str(GATEWAY), "--region", region_name, "--files", str(home)]
    told = [] if station_region is None else ["--station-region", station_region]
    await program.run(*gateway_add, *told)
    device_add = ["device", "add", str(DEVICE), "--join-eui", str(JOIN_EUI), "--app-key", APP_KEY]
    await program.run(*device_add, "--version", "1.0.3", "--region", region_name, "--class", "C")
    device = SimulatedDevice(
        dev_eui=DEVICE,
        activation=Otaa(join_eui=JOIN_EUI, app_key=AppKey.from_hex(APP_KEY)),
        version=MacVersion.LORAWAN_1_0_3,
        region=device_region(region_name),
        chance=random.Random(1),
        sub_bands=customary_sub_bands(region_name),
        device_class="C",
    )
    async with (
        program.serving(),
        subscriber(program) as client,
        on_air(home, region_name, GATEWAY, DEVICE) as around,
    ):
        messages = client.messages.__aiter__()
        antenna, received = [Hearing(around)], asyncio.Queue[Received]()
        around.air.on_received = lambda _, got: received.put_nowait(got)
        device.join_request()
        assert isinstance(await around.air.exchange(device, antenna), Joined)
        received.get_nowait()
        device.uplink(b"here I am", fport=5)
        await around.air.exchange(device, antenna)
        assert payload_of(await next_uplink(messages)) == b"here I am"
        while not received.empty():
            received.get_nowait()

        around.sent.clear()
        send = ["device", "send", str(DEVICE), "--fport", "9", "--text", "open the valve"]
        await program.run(*send, "--confirmed")
        queued_us = around.radio.clock_us
        got = await asyncio.wait_for(received.get(), 20)
        assert isinstance(got, DownlinkReceived)
        assert (got.payload, got.fport, got.confirmed) == (b"open the valve", 9, True)
        [transmission] = around.sent
        rx2 = device.radio.rx2_window()
        assert transmission.frequency_hz == rx2.frequency_hz
        assert transmission.spreading_factor == rx2.modulation.spreading_factor
        assert transmission.bandwidth_khz == rx2.modulation.bandwidth_khz
        assert transmission.inverted
        assert transmission.start_us - queued_us < 1_000_000

        device.uplink(b"it is open", fport=5)  # with the ACK
        await around.air.exchange(device, antenna)
        assert payload_of(await next_uplink(messages)) == b"it is open"
        assert json.loads(await program.run("device", "queue", str(DEVICE), "--json")) == []
        assert around.air.complaints == []
