"""The load generator against a server that does nothing but pass payloads on."""

from __future__ import annotations

import argparse
import asyncio
import json
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trustme
from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server

from bench.fleet import Fleet, FleetDevice
from bench.frames import Load
from bench.ledger import Ledger
from bench.load import generate, parser, subscriber
from bench.statistics import RunResult, is_sustained
from bittern.lorawan.crypto import crypt_frm_payload

FLEET = Fleet(devices=20, gateways=3)
CONFIG = {"msgtype": "router_config", "DRs": [[12 - n, 125, 0] for n in range(6)]}


@dataclass
class PassingServer:
    """LNS and broker in one; leaves out and repeats what it is told to."""

    files: Path
    uri: str = ""
    mqtt: str = ""
    leave_out: int = 0
    repeat: int = 0
    taken: int = 0
    readers: list[asyncio.StreamWriter] = field(default_factory=list)
    devices: dict[int, FleetDevice] = field(default_factory=dict)

    def pass_on(self, told: dict) -> None:
        device = self.devices[told["DevAddr"]]
        payload = crypt_frm_payload(
            device.keys.app_s_key,
            bytes.fromhex(told["FRMPayload"]),
            device.dev_addr,
            told["FCnt"],
            uplink=True,
        )
        self.taken += 1
        times = 0 if self.taken <= self.leave_out else 1 + (self.taken <= self.repeat)
        message = json.dumps({"PayloadData": b64encode(payload).decode()}).encode()
        body = b"\x00\x01t" + b"\x00\x09" + message
        for writer in self.readers:
            writer.write((b"\x32" + bytes((len(body),)) + body) * times)

    async def broker(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(b"\x20\x02\x00\x00")
        await reader.read(1000)
        writer.write(b"\x90\x03\x00\x01\x01")
        self.readers.append(writer)
        while await reader.read(1000):
            pass
        writer.close()


class _Link(WSListener):
    def __init__(self, server: PassingServer) -> None:
        self._server = server

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is not WSMsgType.TEXT:
            return
        told = json.loads(frame.get_payload_as_utf8_text())
        match told.get("msgtype"):
            case None:
                answer = {"uri": f"{self._server.uri}/lns"}
                transport.send(WSMsgType.TEXT, json.dumps(answer).encode())
            case "version":
                transport.send(WSMsgType.TEXT, json.dumps(CONFIG).encode())
            case "updf":
                self._server.pass_on(told)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[PassingServer]:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    passing = PassingServer(tmp_path / "gateways")
    for index in range(FLEET.devices):
        device = FLEET.device(index)
        passing.devices[int(device.dev_addr)] = device

    def accept(request: WSUpgradeRequest) -> WSListener:
        return _Link(passing)

    lns = await ws_create_server(accept, "127.0.0.1", 0, ssl=context)
    broker = await asyncio.start_server(passing.broker, "127.0.0.1", 0)
    passing.uri = f"wss://localhost:{lns.sockets[0].getsockname()[1]}"
    passing.mqtt = f"127.0.0.1:{broker.sockets[0].getsockname()[1]}"
    for index in range(FLEET.gateways):
        home = passing.files / str(FLEET.gateway_eui(index))
        home.mkdir(parents=True)
        (home / "tc.uri").write_text(passing.uri)
        authority.cert_pem.write_to_path(home / "tc.trust")
    yield passing
    lns.close()
    broker.close()


def options(server: PassingServer) -> argparse.Namespace:
    where = ["--files", str(server.files), "--mqtt", server.mqtt, "--topic", "t"]
    what = ["--rate", "400", "--warm-up", "0.1", "--deduplication-ms", "0"]
    return parser().parse_args(where + what)


async def a_run(server: PassingServer, tmp_path: Path) -> RunResult:
    load = Load(fleet=FLEET, uplinks=200, run=5)
    ledger = Ledger.create(tmp_path / "ledger", load.uplinks, load.run)
    subscription = subscriber(ledger, options(server))
    await asyncio.to_thread(subscription.__enter__)
    try:
        return await generate(load, options(server), ledger)
    finally:
        await asyncio.to_thread(subscription.__exit__, None, None, None)
        ledger.close()


@pytest.mark.integration
async def test_what_is_sent_arrives_and_is_measured(server: PassingServer, tmp_path: Path) -> None:
    result = await a_run(server, tmp_path)
    assert (result.sent, result.lost, result.doubled, result.foreign) == (200, 0, 0, 0)
    assert 0 < result.latency_ms_p50 <= result.latency_ms_p99 < 1000
    assert result.sent_per_second == pytest.approx(400, rel=0.3)


@pytest.mark.integration
async def test_loss_and_repetition_are_noticed(
    server: PassingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.load.PATIENCE_S", 0.3)
    server.leave_out, server.repeat = 3, 10
    result = await a_run(server, tmp_path)
    assert (result.lost, result.doubled) == (3, 7)
    assert not is_sustained(result)
