"""The gateway against a server of its own, over TLS on the loopback."""

from __future__ import annotations

import asyncio
import json
import random
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trustme
from picows import (
    WSCloseCode,
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    ws_create_server,
)

from bittern.lorawan.crypto import SessionKeys, data_down_mic
from bittern.lorawan.frame import DataDown, MType
from bittern.lorawan.versions import MacVersion
from bittern.simulator.air import Air, Hearing
from bittern.simulator.device import Abp, SimulatedDevice
from bittern.simulator.gateway import SimulatedGateway
from bittern.simulator.regions import EU868
from bittern.types import EUI64, DevAddr, DevEUI, GatewayEUI

EUI = GatewayEUI(EUI64.from_hex("0016c001ff000001"))
DEV_EUI = DevEUI(EUI64.from_hex("0004a30b001c0530"))
DEV_ADDR = DevAddr.from_hex("26011b2c")
KEYS = SessionKeys.of_1_0(bytes([1] * 16), bytes([2] * 16))
CONFIG = {
    "msgtype": "router_config",
    "hwspec": "sx1301/1",
    "sx1301_conf": [{}],
    "region": "EU868",
    "freq_range": [863_000_000, 870_000_000],
    "DRs": [[12, 125, 0], [11, 125, 0], [10, 125, 0], [9, 125, 0], [8, 125, 0], [7, 125, 0]],
    "upchannels": [[868_100_000, 0, 5], [868_300_000, 0, 5], [868_500_000, 0, 5]],
}


@dataclass
class FakeServer:
    """Answers discovery and ``version``; keeps what else it hears."""

    home: Path
    discovery: dict[str, str] = field(default_factory=dict)
    uri: str = ""
    paths: list[str] = field(default_factory=list)
    heard: asyncio.Queue[dict] = field(default_factory=asyncio.Queue)
    connections: asyncio.Queue[WSTransport] = field(default_factory=asyncio.Queue)

    def accept(self, request: WSUpgradeRequest) -> WSListener:
        path = request.path.decode()
        self.paths.append(path)
        return _Discovery(self) if path == "/router-info" else _Data(self)


class _Discovery(WSListener):
    def __init__(self, server: FakeServer) -> None:
        self._server = server

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.TEXT:
            request = json.loads(frame.get_payload_as_utf8_text())
            answer = self._server.discovery or {**request, "uri": self._server.uri + "/lns"}
            transport.send(WSMsgType.TEXT, json.dumps(answer).encode())


class _Data(WSListener):
    def __init__(self, server: FakeServer) -> None:
        self._server = server

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is not WSMsgType.TEXT:
            return
        message = json.loads(frame.get_payload_as_utf8_text())
        if message["msgtype"] == "version":
            transport.send(WSMsgType.TEXT, json.dumps(CONFIG).encode())
            self._server.connections.put_nowait(transport)
        else:
            self._server.heard.put_nowait(message)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[FakeServer]:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    fake = FakeServer(tmp_path)
    listening = await ws_create_server(fake.accept, "127.0.0.1", 0, ssl=context)
    fake.uri = f"wss://localhost:{listening.sockets[0].getsockname()[1]}"
    issued = authority.issue_cert("gateway.example.org")
    (tmp_path / "tc.uri").write_text(fake.uri)
    authority.cert_pem.write_to_path(tmp_path / "tc.trust")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "tc.crt")
    issued.private_key_pem.write_to_path(tmp_path / "tc.key")
    yield fake
    listening.close()
    await listening.wait_closed()


@dataclass
class Pauses:
    """Counts how long the gateway would wait, and does not."""

    waited_s: list[float] = field(default_factory=list)

    async def __call__(self, seconds: float) -> None:
        self.waited_s.append(seconds)
        await asyncio.sleep(0.001)


def a_gateway(server: FakeServer, air: Air | None = None, **options) -> SimulatedGateway:
    return SimulatedGateway(
        gateway_eui=EUI,
        home=server.home,
        air=air or Air(),
        chance=random.Random(1),
        **{"pause": Pauses(), **options},
    )


def a_class_c_device() -> SimulatedDevice:
    return SimulatedDevice(
        dev_eui=DEV_EUI,
        activation=Abp(dev_addr=DEV_ADDR, keys=KEYS),
        version=MacVersion.LORAWAN_1_0_3,
        region=EU868,
        chance=random.Random(1),
        device_class="C",
    )


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)


async def test_gateway_finds_its_server_and_forwards(server: FakeServer) -> None:
    air, device = Air(), a_class_c_device()
    async with a_gateway(server, air) as gateway, asyncio.timeout(5):
        await gateway.configured.wait()
        device.uplink(b"hello", 1)
        air.send(device, [Hearing(gateway, -70, 8.0)])
        heard = await server.heard.get()
        assert (heard["msgtype"], heard["DR"], heard["upinfo"]["rssi"]) == ("updf", 5, -70)
    assert server.paths == ["/router-info", "/lns"]


async def test_downlink_reaches_the_device_and_is_reported(server: FakeServer) -> None:
    air, device = Air(), a_class_c_device()
    received: list[object] = []
    air.on_received = lambda _, what: received.append(what)
    air.add(device)
    async with a_gateway(server, air), asyncio.timeout(5):
        transport = await server.connections.get()
        message = DataDown(MType.UNCONFIRMED_DATA_DOWN, DEV_ADDR).to_bytes()[:-4]
        phy = message + data_down_mic(KEYS.s_nwk_s_int_key, message, DEV_ADDR, 0)
        dnmsg = {
            "msgtype": "dnmsg",
            "DevEui": DEV_EUI.hex("-"),
            "dC": 2,
            "diid": 5,
            "pdu": phy.hex(),
            "RX2DR": 0,
            "RX2Freq": 869_525_000,
        }
        transport.send(WSMsgType.TEXT, json.dumps(dnmsg).encode())
        report = await server.heard.get()
    assert (report["msgtype"], report["diid"], report["Freq"]) == ("dntxed", 5, 869_525_000)
    assert len(received) == 1
    assert air.complaints == []


async def test_rejection_is_kept_and_discovery_tried_again(server: FakeServer) -> None:
    server.discovery = {"error": "no such gateway"}
    pauses = Pauses()
    async with a_gateway(server, pause=pauses) as gateway:
        await until(lambda: len(pauses.waited_s) >= 4)
        assert gateway.rejection == "no such gateway"
        assert not gateway.configured.is_set()
    assert pauses.waited_s[:4] == [0, 10, 20, 30]


async def test_broken_connection_is_resumed_at_the_same_uri(server: FakeServer) -> None:
    pauses = Pauses()
    async with a_gateway(server, pause=pauses) as gateway, asyncio.timeout(5):
        first = await server.connections.get()
        first.send_close(WSCloseCode.GOING_AWAY)
        first.disconnect()
        await server.connections.get()
        await gateway.configured.wait()
    assert pauses.waited_s == [0, 1]
    assert server.paths == ["/router-info", "/lns", "/lns"]


async def test_discovery_comes_again_when_the_server_stays_away(server: FakeServer) -> None:
    pauses = Pauses()
    async with a_gateway(server, pause=pauses) as gateway, asyncio.timeout(5):
        first = await server.connections.get()
        (server.home / "tc.trust").write_bytes(trustme.CA().cert_pem.bytes())
        first.disconnect(graceful=False)
        await until(lambda: len(pauses.waited_s) >= 9)
        assert not gateway.configured.is_set()
    assert pauses.waited_s[:9] == [0, 1, 2, 4, 8, 16, 0, 10, 20]


async def test_fragmented_message_breaks_the_connection(server: FakeServer) -> None:
    async with a_gateway(server), asyncio.timeout(5):
        first = await server.connections.get()
        first.send(WSMsgType.TEXT, b"{}", fin=False)
        await first.wait_disconnected()
        await server.connections.get()


async def test_server_of_another_name_is_not_trusted(server: FakeServer) -> None:
    (server.home / "tc.uri").write_text(server.uri.replace("localhost", "127.0.0.1"))
    pauses = Pauses()
    async with a_gateway(server, pause=pauses):
        await until(lambda: len(pauses.waited_s) >= 2)
    assert server.connections.empty()
    assert server.heard.empty()


async def test_time_is_asked_for(server: FakeServer) -> None:
    async with a_gateway(server, pps=True), asyncio.timeout(5):
        asked = await server.heard.get()
        assert asked["msgtype"] == "timesync"
