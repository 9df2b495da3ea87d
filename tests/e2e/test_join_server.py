"""Root keys in one process, the network in another, over mutual TLS."""

from __future__ import annotations

import asyncio
import json
import random
import ssl
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest

from bittern.lorawan.versions import MacVersion
from bittern.simulator.air import Air, Hearing
from bittern.simulator.device import Joined, Otaa, SimulatedDevice
from bittern.simulator.gateway import SimulatedGateway
from bittern.simulator.regions import device_region
from bittern.testing.program import Program, free_ports
from bittern.types import EUI64, AppKey, DevEUI, GatewayEUI, JoinEUI, NwkKey

pytestmark = pytest.mark.e2e

GATEWAY = GatewayEUI(EUI64.from_hex("0016c001ff000001"))
JOIN_EUI = JoinEUI(EUI64.from_hex("70b3d57ed0ffff01"))
APP_KEY, NWK_KEY = AppKey(b"root application"), NwkKey(b"root network key")
OF_1_0_3, OF_1_1 = DevEUI(EUI64.from_int(0x103)), DevEUI(EUI64.from_int(0x110))


def simulated(dev_eui: DevEUI, version: MacVersion) -> SimulatedDevice:
    nwk_key = NWK_KEY if version is MacVersion.LORAWAN_1_1 else None
    return SimulatedDevice(
        dev_eui=dev_eui,
        activation=Otaa(join_eui=JOIN_EUI, app_key=APP_KEY, nwk_key=nwk_key),
        version=version,
        region=device_region("EU868"),
        chance=random.Random(int(dev_eui)),
    )


def both() -> dict[str, SimulatedDevice]:
    return {
        "1.0.3": simulated(OF_1_0_3, MacVersion.LORAWAN_1_0_3),
        "1.1": simulated(OF_1_1, MacVersion.LORAWAN_1_1),
    }


class Site:
    """A join server and a network, each in its folder, as an operator sets them up."""

    def __init__(self, folder: Path) -> None:
        (self.port,) = free_ports(1)
        self.uri = f"https://localhost:{self.port}"
        for name in ("js", "net"):
            (folder / name).mkdir()
        self.join_server = Program(folder / "js", JOIN_SERVER__PORT=str(self.port))
        self.network = Program(folder / "net", JOIN_SERVER__URI=self.uri)
        self.network_dir = folder / "net" / "data"
        self.devices = both()

    async def set_up(self) -> None:
        folder = self.network_dir / "join-server"
        self.fingerprint = (
            await self.join_server.run("join-server", "network", "add", "000000", "--out", folder)
        ).strip()
        for version, device in self.devices.items():
            named = (str(device.dev_eui), "--version", version, "--join-eui", str(JOIN_EUI))
            keys = ["--app-key", b"root application".hex()]
            if version == "1.1":
                keys += ["--nwk-key", b"root network key".hex()]
            await self.join_server.run("join-server", "device", "add", *named, *keys)
            await self.network.run("device", "add", *named, "--join-server")
        await self.network.run(
            *("gateway", "add", str(GATEWAY), "--files", self.network.folder / "gateway"),
            *("--uri", f"wss://localhost:{self.network.ports['LNS']}"),
        )

    @asynccontextmanager
    async def gateway(self, air: Air) -> AsyncIterator[SimulatedGateway]:
        async with SimulatedGateway(
            gateway_eui=GATEWAY,
            home=self.network.folder / "gateway",
            air=air,
            chance=random.Random(1),
        ) as gateway:
            await asyncio.wait_for(gateway.configured.wait(), 30)
            yield gateway


@pytest.fixture
async def site(tmp_path: Path) -> Site:
    site = Site(tmp_path)
    await site.set_up()
    return site


async def joined(device: SimulatedDevice, gateway: SimulatedGateway, air: Air) -> Joined | None:
    device.join_request()
    try:
        answer = await air.exchange(device, [Hearing(gateway)])
    except TimeoutError:
        return None
    return answer if isinstance(answer, Joined) else None


@asynccontextmanager
async def messages(program: Program) -> AsyncIterator[asyncio.Queue[dict[str, object]]]:
    """What the default destination is given."""
    loop, queue = asyncio.get_running_loop(), asyncio.Queue[dict[str, object]]()
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    password = (program.folder / "data" / "mqtt.password").read_text().strip()
    client.username_pw_set("bittern", password)
    subscribed = asyncio.Event()
    client.on_connect = lambda one, *_: one.subscribe("bittern/uplink", qos=1)
    client.on_subscribe = lambda *_: loop.call_soon_threadsafe(subscribed.set)
    client.on_message = lambda _c, _d, message: loop.call_soon_threadsafe(
        queue.put_nowait, json.loads(message.payload)
    )
    client.connect("127.0.0.1", program.ports["MQTT"])
    client.loop_start()
    try:
        await asyncio.wait_for(subscribed.wait(), 10)
        yield queue
    finally:
        client.disconnect()
        client.loop_stop()


async def test_devices_join_by_a_process_that_alone_has_their_root_keys(site: Site) -> None:
    air = Air()
    async with (
        site.join_server.serving("join-server", "serve"),
        site.network.serving(),
        messages(site.network) as delivered,
        site.gateway(air) as gateway,
    ):
        for device in site.devices.values():
            assert isinstance(await joined(device, gateway, air), Joined)
            device.uplink(b"hello", fport=1)
            air.send(device, [Hearing(gateway)])
            told = await asyncio.wait_for(delivered.get(), 15)
            assert told["PayloadData"] == "aGVsbG8="
        home = await site.network.json(
            "join-server", "ask", str(OF_1_1), "--join-eui", str(JOIN_EUI)
        )
        assert home == {"dev_eui": str(OF_1_1), "home_net_id": "000000"}
    assert air.complaints == []
    shown = await site.join_server.json("join-server", "device", "show", str(OF_1_0_3))
    assert shown["joins"] == 1
    assert_holds_no_root_key(site.network_dir)
    assert_holds_no_root_key(site.join_server.folder / "data")  # sealed there


def assert_holds_no_root_key(folder: Path) -> None:
    """Neither as bytes nor as text, in any file of a data directory."""
    read = 0
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            read += len(content)
            for key in (b"root application", b"root network key"):
                for form in (key, key.hex().encode(), key.hex().upper().encode()):
                    assert form not in content, path
    assert read > 10_000


async def test_a_device_joins_when_its_join_server_is_back(site: Site) -> None:
    air, device = Air(), site.devices["1.0.3"]
    async with site.network.serving(), site.gateway(air) as gateway:
        assert await joined(device, gateway, air) is None
        await site.network.until_logged("join_server_unavailable")
        assert f"{site.uri} does not answer" in site.network.log
        async with site.join_server.serving("join-server", "serve"):
            assert isinstance(await joined(device, gateway, air), Joined)
    assert air.complaints == []


async def test_other_certificates_than_those_it_has_issued_are_refused(
    site: Site, tmp_path: Path
) -> None:
    """None at all, and one of another authority, by TLS; one that was removed, by its Result."""
    own = site.network_dir / "join-server"
    other = Program(tmp_path / "js", DATA_DIR=str(tmp_path / "other"))
    await other.run("join-server", "network", "add", "000000", "--out", tmp_path / "stranger")
    async with site.join_server.serving("join-server", "serve"):
        assert (await asyncio.to_thread(asked, site.uri, own, own))["ResultCode"] == "Success"
        for shown in (None, tmp_path / "stranger"):
            with pytest.raises((OSError, ssl.SSLError)):
                await asyncio.to_thread(asked, site.uri, own, shown)
        await site.join_server.run("join-server", "network", "remove", site.fingerprint)
        result = await asyncio.to_thread(asked, site.uri, own, own)
        assert result["ResultCode"] == "UnknownSender"
        await site.join_server.until_logged("certificate_missing")


def asked(uri: str, trusted: Path, shown: Path | None) -> dict[str, str]:
    """The result of a HomeNSReq."""
    context = ssl.create_default_context(cafile=trusted / "ca.crt")
    if shown is not None:
        context.load_cert_chain(shown / "client.crt", shown / "client.key")
    body = {
        "ProtocolVersion": "1.1",
        "SenderID": "000000",
        "ReceiverID": str(JOIN_EUI),
        "TransactionID": 7,
        "MessageType": "HomeNSReq",
        "DevEUI": str(OF_1_1),
    }
    request = urllib.request.Request(uri, json.dumps(body).encode(), method="POST")
    with urllib.request.urlopen(request, timeout=10, context=context) as answer:
        result: dict[str, str] = json.loads(answer.read())["Result"]
    return result
