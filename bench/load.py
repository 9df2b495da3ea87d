"""The load generator: gateways over TLS websockets, ABP devices with frames made beforehand.

``python -m bench.load --files DIR --rate 5000 --duration 20 --mqtt 127.0.0.1:1883 --topic T``

``DIR`` holds one folder for each gateway, named by its EUI, with ``tc.uri tc.trust tc.crt tc.key``;
``bench.provision`` makes it and registers the devices. Uplinks leave at random moments and whether
or not the server keeps up, as devices would send them.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import msgspec
import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from bench.fleet import Fleet
from bench.frames import BANDWIDTH_KHZ, DATA_RATE, SPREADING_FACTOR, Copy, Load, arrivals
from bench.ledger import Ledger
from bench.statistics import RunResult, summarize
from bench.subscriber import add_options, as_arguments
from bittern.simulator.credentials import Credentials, check_server_name
from bittern.simulator.station import Station
from bittern.types import EUI64, GatewayEUI

TICK_S = 0.001
PATIENCE_S = 10.0
"""How long nothing may arrive before the rest counts as lost."""


class Sends(Protocol):
    """What is asked of a gateway while uplinks are sent."""

    def send(self, message: bytes) -> None: ...


class _Listener(WSListener):
    def __init__(self, on_message: Callable[[dict[str, Any]], None]) -> None:
        self._on_message = on_message

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.TEXT:
            self._on_message(msgspec.json.decode(frame.get_payload_as_bytes()))
        elif frame.msg_type is WSMsgType.CLOSE:
            transport.disconnect()


class LoadGateway:
    """A gateway that only sends."""

    def __init__(self, station: Station, credentials: Credentials) -> None:
        self._station = station
        self._credentials = credentials
        self._tls = credentials.tls() if credentials.uri.startswith("wss") else None
        self._answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.downlinks = 0

    async def connect(self) -> None:
        """Discovery, version, router_config. Raises ``SystemExit`` with what the server says."""
        discovery = await self._open(f"{self._credentials.uri}/router-info")
        discovery.send(WSMsgType.TEXT, self._station.discovery_request().encode())
        answer = await self._answers.get()
        uri = self._station.read_discovery(msgspec.json.encode(answer).decode())
        discovery.disconnect()
        self._transport = await self._open(uri)
        self._transport.send(WSMsgType.TEXT, self._station.version().encode())
        config = await self._answers.get()
        row = config.get("DRs", [])[DATA_RATE][:2]
        if row != [SPREADING_FACTOR, BANDWIDTH_KHZ]:
            raise SystemExit(f"data rate {DATA_RATE} is {row}: the gateway is not of EU868")

    async def _open(self, uri: str) -> WSTransport:
        transport, _ = await ws_connect(
            lambda: _Listener(self._take), uri, ssl_context=self._tls, max_redirects=0
        )
        if self._tls is not None:
            certificate = transport.underlying_transport.get_extra_info("peercert")
            check_server_name(certificate, uri.split("/")[2].rpartition(":")[0])
        return transport

    def _take(self, message: dict[str, Any]) -> None:
        if message.get("msgtype") == "dnmsg":
            self.downlinks += 1
        else:
            self._answers.put_nowait(message)

    def send(self, message: bytes) -> None:
        self._transport.send(WSMsgType.TEXT, message)

    @property
    def is_connected(self) -> bool:
        return not self._transport.is_disconnected

    def close(self) -> None:
        self._transport.disconnect()


async def connect_all(files: Path, fleet: Fleet, only: int | None = None) -> list[LoadGateway]:
    """The fleet's gateways, ten at a time."""
    gateways = [_gateway(files, fleet.gateway_eui(i)) for i in range(only or fleet.gateways)]
    limit = asyncio.Semaphore(10)

    async def connect(gateway: LoadGateway) -> None:
        async with limit, asyncio.timeout(30):
            await gateway.connect()

    await asyncio.gather(*(connect(gateway) for gateway in gateways))
    return gateways


def _gateway(files: Path, gateway_eui: GatewayEUI) -> LoadGateway:
    station = Station(GatewayEUI(EUI64(gateway_eui)), random.Random(int(gateway_eui)))
    return LoadGateway(station, Credentials.read(files / str(gateway_eui)))


async def pump(
    uplinks: Sequence[tuple[Copy, ...]],
    due: Sequence[float],
    gateways: Sequence[Sends],
    ledger: Ledger,
) -> float:
    """Send every uplink when it is due, and return when the first one was."""
    sent_at, clock = ledger.sent_at, time.monotonic
    count, number = len(uplinks), 0
    start = clock() + 0.05
    while number < count:
        now = clock() - start
        while number < count and due[number] <= now:
            sent_at[number] = clock()
            for copy in uplinks[number]:
                gateways[copy.gateway].send(copy.message)
            number += 1
        if number < count:
            await asyncio.sleep(max(due[number] - now, TICK_S))
    return start


async def wait_for_the_rest(ledger: Ledger) -> None:
    """Until all have arrived, or none has for a while."""
    received, since = -1, time.monotonic()
    while ledger.received < ledger.uplinks and time.monotonic() - since < PATIENCE_S:
        if ledger.received != received:
            received, since = ledger.received, time.monotonic()
        await asyncio.sleep(0.05)


@contextmanager
def subscriber(ledger: Ledger, options: argparse.Namespace) -> Iterator[None]:
    """The counting process, subscribed."""
    command = [sys.executable, "-m", "bench.subscriber", f"--ledger={ledger.path}"]
    with subprocess.Popen(
        command + as_arguments(options), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        try:
            if process.stdout.readline() != "ready\n":
                raise ConnectionError(f"no subscription at the broker {options.mqtt}")
            yield
        finally:
            process.stdin.close()


async def generate(load: Load, options: argparse.Namespace, ledger: Ledger) -> RunResult:
    uplinks = load.build()
    due = arrivals(options.rate, load.uplinks, load.seed)
    gateways = await connect_all(options.files, load.fleet)
    print("sending", file=sys.stderr, flush=True)
    start = await pump(uplinks, due, gateways, ledger)
    await wait_for_the_rest(ledger)
    gone = sum(not gateway.is_connected for gateway in gateways)
    if gone:
        print(f"{gone} gateways were disconnected", file=sys.stderr)
    for gateway in gateways:
        gateway.close()
    return summarize(
        ledger,
        offered_per_second=options.rate,
        due_at=[start + at for at in due],
        deduplication_s=options.deduplication_ms / 1000,
        warm_up_s=options.warm_up,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    fleet = Fleet(
        devices=options.devices,
        gateways=options.gateways,
        devices_per_dev_addr=options.devices_per_dev_addr,
        seed=options.seed,
    )
    load = Load(
        fleet=fleet,
        uplinks=round(options.rate * options.duration),
        run=time.time_ns() // 1_000_000 & 0xFFFFFFFF,
        first_fcnt=options.first_fcnt,
        copies=options.copies,
        payload_size=options.payload,
        seed=options.seed,
    )
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger.create(Path(folder) / "ledger", load.uplinks, load.run)
        with subscriber(ledger, options):
            # What was built lives to the end: collecting it again and again is no part of a load.
            gc.disable()
            result = uvloop.run(generate(load, options, ledger))
        ledger.close()
    print(msgspec.json.format(msgspec.json.encode(result)).decode())


def parser() -> argparse.ArgumentParser:
    it = argparse.ArgumentParser(prog="python -m bench.load", description=__doc__)
    it.add_argument("--files", type=Path, required=True, help="folder of the gateways' folders")
    it.add_argument("--rate", type=float, default=5000, help="uplinks per second")
    it.add_argument("--duration", type=float, default=20, help="seconds")
    it.add_argument("--gateways", type=int, default=50)
    it.add_argument("--devices", type=int, default=10_000)
    it.add_argument("--devices-per-dev-addr", type=int, default=1)
    it.add_argument("--copies", type=int, default=1, help="gateways that hear each uplink")
    it.add_argument("--payload", type=int, default=16, help="bytes, at least 8")
    it.add_argument("--first-fcnt", type=int, default=0)
    it.add_argument("--seed", type=int, default=1)
    it.add_argument("--deduplication-ms", type=float, default=200, help="the server's window")
    it.add_argument("--warm-up", type=float, default=3, help="seconds that do not count")
    add_options(it)
    return it


if __name__ == "__main__":
    main()
