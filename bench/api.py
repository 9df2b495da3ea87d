"""``python -m bench.api``: calls of the AWS API on one core, and a long list page by page.

Requests are signed before the clock starts, by botocore's own signer, and go over connections that
are kept: the figures are of the server. The method: ``bench/README.md``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import msgspec
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from rich.console import Console
from rich.table import Table

from bench.fleet import Fleet
from bench.process import usage
from bench.run import BUILD, Site, cores, stop
from bench.statistics import percentile

TARGET_PER_CPU_S = 1000.0
PAGE = 250
MOST_GROWTH_MIB = 64.0
"""Of the server's memory while it lists all devices."""
ROUNDS = 5


class Calls(msgspec.Struct, frozen=True, kw_only=True):
    """One operation, many times."""

    operation: str
    calls: int
    per_second: float
    per_cpu_second: float
    """Of the server: what one core can do."""
    cpu_us: float
    latency_ms_p50: float
    latency_ms_p99: float


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """All devices, page by page."""

    devices: int
    pages: int
    cpu_ms_first: float
    """Median of the first tenth of the pages, likewise of the last: the same, or a page costs more
    the later it is."""
    cpu_ms_last: float
    rss_before_mib: float
    rss_after_mib: float


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """``build/api.json``."""

    calls: list[Calls]
    listing: Listing

    @property
    def passed(self) -> bool:
        growth = self.listing.rss_after_mib - self.listing.rss_before_mib
        fast = all(one.per_cpu_second >= TARGET_PER_CPU_S for one in self.calls)
        return fast and growth <= MOST_GROWTH_MIB


@dataclass(frozen=True, slots=True)
class Signer:
    """Makes requests as a client of AWS does, as they are on the wire."""

    endpoint: str
    credentials: Credentials

    def get(self, path: str, **query: str) -> bytes:
        request = AWSRequest("GET", f"{self.endpoint}{path}?{urlencode(query)}")
        SigV4Auth(self.credentials, "iotwireless", "us-east-1").add_auth(request)
        prepared = request.prepare()
        target = urlsplit(prepared.url)
        head = [f"GET {target.path}?{target.query} HTTP/1.1", f"Host: {target.netloc}"]
        head += [f"{name}: {_text(value)}" for name, value in prepared.headers.items()]
        return "\r\n".join([*head, "", ""]).encode()


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


class Connection:
    """Kept from one request to the next."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def to(cls, endpoint: str) -> Connection:
        target = urlsplit(endpoint)
        return cls(*await asyncio.open_connection(target.hostname, target.port))

    async def ask(self, request: bytes) -> bytes:
        """The body of the answer. Raises RuntimeError unless the status is 200."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines if line)
        body = await self._reader.readexactly(int(headers["content-length"]))
        if " 200 " not in status:
            raise RuntimeError(f"{status}: {body.decode()}")
        return body

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


async def calls(operation: str, server: int, endpoint: str, rounds: list[list[bytes]]) -> Calls:
    """Each round is shared by eight connections; the figures are of the median round."""
    connections = [await Connection.to(endpoint) for _ in range(8)]
    took: list[float] = []
    measured: list[tuple[float, float]] = []
    try:
        for requests in rounds:
            waiting, began, cpu = list(requests), time.monotonic(), usage(server).cpu_s
            await asyncio.gather(*(_work(one, waiting, took) for one in connections))
            elapsed, used = time.monotonic() - began, usage(server).cpu_s - cpu
            measured.append((used / len(requests), len(requests) / elapsed))
    finally:
        for connection in connections:
            await connection.close()
    cpu_s, per_second = sorted(measured)[len(measured) // 2]
    took.sort()
    return Calls(
        operation=operation,
        calls=sum(map(len, rounds)),
        per_second=per_second,
        per_cpu_second=1 / max(cpu_s, 1e-9),  # the kernel counts ticks
        cpu_us=1e6 * cpu_s,
        latency_ms_p50=1000 * percentile(took, 0.5),
        latency_ms_p99=1000 * percentile(took, 0.99),
    )


async def _work(connection: Connection, waiting: list[bytes], took: list[float]) -> None:
    while waiting:
        request, began = waiting.pop(), time.monotonic()
        await connection.ask(request)
        took.append(time.monotonic() - began)


async def listing(server: int, signer: Signer) -> Listing:
    """The token of a page is in the one before, so requests are signed on the way."""
    connection = await Connection.to(signer.endpoint)
    before, devices = usage(server), 0
    marks, token, more = [before.cpu_s], None, True
    while more:
        query = {"maxResults": str(PAGE)} | ({"nextToken": token} if token else {})
        page = json.loads(await connection.ask(signer.get("/wireless-devices", **query)))
        devices += len(page["WirelessDeviceList"])
        token = page.get("NextToken")
        more = token is not None
        marks.append(usage(server).cpu_s)
    await connection.close()
    tenth = max(1, (len(marks) - 1) // 10)
    return Listing(
        devices=devices,
        pages=len(marks) - 1,
        cpu_ms_first=1000 * (marks[tenth] - marks[0]) / tenth,
        cpu_ms_last=1000 * (marks[-1] - marks[-1 - tenth]) / tenth,
        rss_before_mib=before.rss_mib,
        rss_after_mib=usage(server).rss_mib,
    )


async def measure(server: int, signer: Signer, fleet: Fleet, each: int) -> Report:
    chosen = random.Random(fleet.seed)

    def a_device() -> str:
        return str(uuid.UUID(int=chosen.randrange(fleet.devices)))

    def gets(count: int) -> list[bytes]:
        made = (f"/wireless-devices/{a_device()}" for _ in range(count))
        return [signer.get(path, identifierType="WirelessDeviceId") for path in made]

    warm_up = await calls("warm-up", server, signer.endpoint, [gets(each // 10)])
    assert warm_up.calls
    made = await calls(
        "GetWirelessDevice", server, signer.endpoint, [gets(each) for _ in range(ROUNDS)]
    )
    return Report(calls=[made], listing=await listing(server, signer))


def access_key(site: Site) -> Credentials:
    command = [sys.executable, "-m", "bittern", "access-key", "add", "--json"]
    added = subprocess.run(
        [*command, f"--data-dir={site.data_dir}"],
        env=site.environment,
        stdout=subprocess.PIPE,
        check=True,
    )
    key = json.loads(added.stdout)
    return Credentials(key["id"], key["secret_access_key"])


def table(report: Report) -> Table:
    it = Table("", "figure", box=None)
    for one in report.calls:
        it.add_row(f"{one.operation}: calls per second and core", f"{one.per_cpu_second:,.0f}")
        it.add_row("  CPU of the server, us", f"{one.cpu_us:,.0f}")
        it.add_row("  calls per second", f"{one.per_second:,.0f}")
        it.add_row(
            "  latency p50 / p99, ms", f"{one.latency_ms_p50:.1f} / {one.latency_ms_p99:.1f}"
        )
    found = report.listing
    it.add_row("devices listed / pages", f"{found.devices:,} / {found.pages:,}")
    it.add_row(
        "  CPU ms a page, first / last", f"{found.cpu_ms_first:.1f} / {found.cpu_ms_last:.1f}"
    )
    it.add_row(
        "  memory before / after, MiB", f"{found.rss_before_mib:.0f} / {found.rss_after_mib:.0f}"
    )
    return it


def main(arguments: Sequence[str] | None = None) -> None:
    it = argparse.ArgumentParser(prog="python -m bench.api", description=__doc__)
    it.add_argument("--devices", type=int, default=100_000)
    it.add_argument("--calls", type=int, default=2000, help="of each of the rounds")
    options = it.parse_args(arguments)
    fleet = Fleet(devices=options.devices, gateways=1)
    BUILD.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="api.", dir=BUILD)).absolute()
    try:
        site = Site.prepared(folder, fleet)
        # What a core can do is asked, and not what one account may.
        site.environment["BITTERN_API__REQUESTS_PER_SECOND"] = "100000"
        signer = Signer(site.api, access_key(site))
        process = site.start(cores()[0])
        try:
            report = asyncio.run(measure(process.pid, signer, fleet, options.calls))
        finally:
            stop(process)
    finally:
        shutil.rmtree(folder)
    (BUILD / "api.json").write_bytes(msgspec.json.format(msgspec.json.encode(report)))
    Console().print(table(report))
    raise SystemExit(0 if report.passed else 1)


if __name__ == "__main__":
    main()
