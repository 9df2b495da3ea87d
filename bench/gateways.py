"""``python -m bench.gateways``: ten thousand gateways at one server, and what becomes of them.

Connects a herd over mutual TLS, sends uplinks through all of it, then stops the server, kills it,
and cuts the network, and waits each time until everybody is back. The method and what the figures
mean: ``bench/README.md``.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import uvloop
from rich.console import Console
from rich.table import Table

from bench.fleet import Fleet
from bench.frames import Load, arrivals
from bench.herd import Herd, Tally
from bench.ledger import Ledger
from bench.load import pump, subscriber, wait_for_the_rest
from bench.process import Usage, pin, usage
from bench.provision import TOPIC
from bench.run import BUILD, Site, cores, fsync_ms, refusals, stop
from bench.statistics import RunResult, percentile, summarize

OWN_FILES = 200
"""Descriptors of the generator beside those of its gateways."""
STORM_LIMIT_S = 300.0
DEDUPLICATION_S = 0.2
SETTLE_S = 3.0
"""After a storm, until what it left to be written is written."""


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """What it allows."""

    cores: int
    open_files: int
    """Hard limit of each process."""
    local_ports: int
    """For each source address towards the server."""
    source_addresses: int
    listen_backlog: int
    fsync_ms: float


class Storm(msgspec.Struct, frozen=True, kw_only=True):
    """All gateways connect, at first or again."""

    name: str
    gateways: int
    connected: int
    outage_s: float
    """From the first loss of a connection until the server listened again."""
    seconds: float
    """From then on, until the last gateway had its configuration."""
    median_s: float
    """The same of the median gateway."""
    per_second: float
    """Data connections, between the first and the last."""
    attempt_ms_p50: float
    attempt_ms_p99: float
    """Of one that succeeded: TCP, TLS, websocket, version, router_config."""
    handshakes: int
    resumed: int
    failures: dict[str, int]
    """What gateways met: attempts that came to nothing, by reason."""
    refused_handshakes: int
    """By the server's count."""
    refusals: int
    server_cpu_ms_per_connection: float
    server_core_share: float
    server_waited_share: float
    """Time in which the server was ready to run and something else had its core."""
    generator_core_share: float


class Steady(msgspec.Struct, frozen=True, kw_only=True):
    """Uplinks through all connections."""

    name: str
    result: RunResult
    refused: int
    server_cpu_us_per_uplink: float
    server_core_share: float
    server_waited_share: float
    generator_core_share: float
    rss_mib: float

    @property
    def lost(self) -> int:
        return self.result.lost - self.refused


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """``build/gateways.json``."""

    gateways: int
    resume: float
    machine: Machine
    rss_before_mib: float
    rss_connected_mib: float
    kib_per_connection: float
    idle_core_share: float
    """Of one core, while gateways only answer pings."""
    lost: int
    doubled: int
    storms: list[Storm]
    steady: list[Steady]

    @property
    def passed(self) -> bool:
        everybody = all(storm.connected == storm.gateways for storm in self.storms)
        return everybody and not self.lost and not self.doubled


def storm(
    name: str,
    tally: Tally,
    *,
    gateways: int,
    connected: int,
    lost_at: float,
    began: float,
    server: Share,
    generator: Share,
    failed: tuple[int, int],
) -> Storm:
    """``began``: when the server listened; ``failed``: handshakes and refusals by its own count."""
    after = sorted(at - began for at in tally.connected_at)
    took = sorted(tally.took_s)
    span = after[-1] - after[0] if after else 0.0
    return Storm(
        name=name,
        gateways=gateways,
        connected=connected,
        outage_s=began - lost_at,
        seconds=after[-1] if after else float("nan"),
        median_s=percentile(after, 0.5),
        per_second=(len(after) - 1) / span if span else 0.0,
        attempt_ms_p50=1000 * percentile(took, 0.5),
        attempt_ms_p99=1000 * percentile(took, 0.99),
        handshakes=tally.handshakes,
        resumed=tally.resumed,
        failures=dict(tally.failures.most_common()),
        refused_handshakes=failed[0],
        refusals=failed[1],
        server_cpu_ms_per_connection=1000 * server.cpu_s / max(len(after), 1),
        server_core_share=server.of_core,
        server_waited_share=server.waited,
        generator_core_share=generator.of_core,
    )


@dataclass(frozen=True, slots=True)
class Share:
    """What a process used meanwhile."""

    cpu_s: float
    waited_s: float
    elapsed_s: float

    @property
    def of_core(self) -> float:
        return self.cpu_s / self.elapsed_s if self.elapsed_s else 0.0

    @property
    def waited(self) -> float:
        return self.waited_s / self.elapsed_s if self.elapsed_s else 0.0


@dataclass(frozen=True, slots=True)
class Meter:
    """Of one process, since it was made."""

    pid: int
    began: float
    before: Usage

    @classmethod
    def of(cls, pid: int) -> Meter:
        return cls(pid, time.monotonic(), _usage(pid))

    def read(self) -> Share:
        now = _usage(self.pid)
        return Share(
            now.cpu_s - self.before.cpu_s,
            now.waited_s - self.before.waited_s,
            time.monotonic() - self.began,
        )


def _usage(pid: int) -> Usage:
    """The generator's children are the server and the subscriber: they are not its own work."""
    if pid != os.getpid():
        return usage(pid)
    own = resource.getrusage(resource.RUSAGE_SELF)
    return Usage(cpu_s=own.ru_utime + own.ru_stime, rss_mib=own.ru_maxrss / 1024)


def raise_file_limit() -> int:
    """To what the machine allows; the server inherits it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def machine(addresses: int, open_files: int, disk_ms: float) -> Machine:
    net = Path("/proc/sys/net")
    low, high = map(int, (net / "ipv4/ip_local_port_range").read_text().split())
    return Machine(
        cores=len(os.sched_getaffinity(0)),
        open_files=open_files,
        local_ports=high - low + 1,
        source_addresses=addresses,
        listen_backlog=int((net / "core/somaxconn").read_text()),
        fsync_ms=disk_ms,
    )


def figure(metrics: str, name: str) -> int:
    """Of a figure without labels, 0 where it is not there."""
    for line in metrics.splitlines():
        if line.startswith(f"{name} ") or line.startswith(f"{name}_total "):
            return int(float(line.rpartition(" ")[2]))
    return 0


class Soak:
    """One herd and one server after another."""

    def __init__(
        self, site: Site, fleet: Fleet, options: argparse.Namespace, core: set[int]
    ) -> None:
        self._site = site
        self._fleet = fleet
        self._options = options
        self._core = core
        self._herd = Herd(site.files, fleet, addresses=options.addresses, resume=options.resume)
        self._server: subprocess.Popen[str] | None = None
        self._next_fcnt = 0
        self._say: Callable[[str], None] = Console(stderr=True).print

    async def run(self, found: Machine) -> Report:
        options = self._options
        try:
            await self._start()
            before_mib = self._rss_mib()
            storms = [await self._first()]
            idle = await self._idle()
            connected_mib = self._rss_mib()
            steady = [await self._steady("connected")]
            for name, blow in self._blows():
                if name in options.storms:
                    storms.append(await self._blown(name, blow))
                    steady.append(await self._steady(f"after {name}"))
            await self._herd.end()
        finally:
            if self._server is not None:
                await asyncio.to_thread(stop, self._server)
        return Report(
            gateways=self._fleet.gateways,
            resume=options.resume,
            machine=found,
            rss_before_mib=before_mib,
            rss_connected_mib=connected_mib,
            kib_per_connection=1024 * (connected_mib - before_mib) / self._fleet.gateways,
            idle_core_share=idle.of_core,
            lost=sum(run.lost for run in steady),
            doubled=sum(run.result.doubled for run in steady),
            storms=storms,
            steady=steady,
        )

    # The server

    @property
    def _pid(self) -> int:
        assert self._server is not None
        return self._server.pid

    def _rss_mib(self) -> float:
        return usage(self._pid).rss_mib

    async def _start(self) -> None:
        self._server = await asyncio.to_thread(self._site.start, self._core)

    async def _metrics(self) -> str:
        def read() -> str:
            with urllib.request.urlopen(f"{self._site.api}/metrics") as answer:
                text: str = answer.read().decode()
                return text

        return await asyncio.to_thread(read)

    # Storms

    def _blows(self) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        return [("restart", self._restart), ("kill", self._kill), ("cut", self._cut)]

    async def _restart(self) -> None:
        assert self._server is not None
        await asyncio.to_thread(stop, self._server)
        await self._start()

    async def _kill(self) -> None:
        assert self._server is not None
        self._server.send_signal(signal.SIGKILL)
        await asyncio.to_thread(self._server.wait)
        await self._start()

    async def _cut(self) -> None:
        for gateway in self._herd.gateways:
            gateway.cut()

    async def _first(self) -> Storm:
        self._say(f"connecting {self._fleet.gateways:,} gateways …")

        async def start() -> None:
            self._herd.start()

        return await self._blown("first", start)

    async def _blown(self, name: str, blow: Callable[[], Awaitable[None]]) -> Storm:
        self._say(f"{name} …")
        self._herd.tally.clear()
        lost_at = time.monotonic()
        await blow()
        began, server, generator = time.monotonic(), Meter.of(self._pid), Meter.of(os.getpid())
        metrics = await self._metrics() if name in ("first", "cut") else ""
        await self._herd.all_connected(STORM_LIMIT_S)
        used = server.read(), generator.read()
        connected = self._herd.connected
        await asyncio.sleep(SETTLE_S)
        after = await self._metrics()
        handshakes = "bittern_lns_failed_handshakes"
        made = storm(
            name,
            self._herd.tally,
            gateways=self._fleet.gateways,
            connected=connected,
            lost_at=lost_at,
            began=began,
            server=used[0],
            generator=used[1],
            failed=(
                figure(after, handshakes) - figure(metrics, handshakes),
                refusals(after) - refusals(metrics),
            ),
        )
        self._say(f"  {made.connected:,} connected after {made.seconds:.1f} s")
        return made

    # Uplinks

    async def _idle(self) -> Share:
        self._say(f"nothing but pings for {self._options.idle:g} s …")
        meter = Meter.of(self._pid)
        await asyncio.sleep(self._options.idle)
        return meter.read()

    async def _steady(self, name: str) -> Steady:
        options, site = self._options, self._site
        self._say(f"{options.rate:,.0f} uplinks/s for {options.duration:g} s …")
        load = Load(
            fleet=self._fleet,
            uplinks=round(options.rate * options.duration),
            run=time.time_ns() // 1_000_000 & 0xFFFFFFFF,
            first_fcnt=self._next_fcnt,
        )
        self._next_fcnt = load.next_fcnt
        uplinks = await asyncio.to_thread(load.build)
        due = arrivals(options.rate, load.uplinks, load.seed)
        subscription = argparse.Namespace(
            mqtt=site.mqtt,
            topic=TOPIC,
            qos=1,
            username="bittern",
            password_file=site.data_dir / "mqtt.password",
            clean=False,
        )
        refused = refusals(await self._metrics())
        with contextlib.ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            ledger = Ledger.create(folder / "ledger", load.uplinks, load.run)
            stack.callback(ledger.close)
            stack.enter_context(subscriber(ledger, subscription))
            server, generator = Meter.of(self._pid), Meter.of(os.getpid())
            start = await pump(uplinks, due, self._herd.gateways, ledger)
            await wait_for_the_rest(ledger)
            used, own = server.read(), generator.read()
            result = summarize(
                ledger,
                offered_per_second=options.rate,
                due_at=[start + at for at in due],
                deduplication_s=DEDUPLICATION_S,
                warm_up_s=min(options.duration / 4, 5.0),
            )
        return Steady(
            name=name,
            result=result,
            refused=refusals(await self._metrics()) - refused,
            server_cpu_us_per_uplink=1e6 * used.cpu_s / max(result.sent - result.lost, 1),
            server_core_share=used.of_core,
            server_waited_share=used.waited,
            generator_core_share=own.of_core,
            rss_mib=self._rss_mib(),
        )


def storms_table(report: Report) -> Table:
    shown = Table(title=f"bittern: {report.gateways:,} gateways connect, {_resumed(report)}")
    shown.add_column("storm")
    for column in ("connected", "outage s", "all s", "median s", "per s", "attempt p50", "p99 ms"):
        shown.add_column(column, justify="right")
    for column in ("resumed", "failed", "CPU ms each", "core", "waited", "generator"):
        shown.add_column(column, justify="right")
    for one in report.storms:
        shown.add_row(
            one.name,
            f"{one.connected:,}",
            f"{one.outage_s:.1f}",
            f"{one.seconds:.1f}",
            f"{one.median_s:.1f}",
            f"{one.per_second:,.0f}",
            f"{one.attempt_ms_p50:,.0f}",
            f"{one.attempt_ms_p99:,.0f}",
            f"{100 * one.resumed / max(one.handshakes, 1):.0f} %",
            f"{one.refused_handshakes + one.refusals}",
            f"{one.server_cpu_ms_per_connection:.2f}",
            f"{100 * one.server_core_share:.0f} %",
            f"{100 * one.server_waited_share:.0f} %",
            f"{100 * one.generator_core_share:.0f} %",
        )
    return shown


def steady_table(report: Report) -> Table:
    shown = Table(title="uplinks through all of them")
    shown.add_column("when")
    for column in ("offered/s", "delivered/s", "lost", "refused", "doubled", "CPU µs/uplink"):
        shown.add_column(column, justify="right")
    for column in ("core", "waited", "p50 ms", "p99 ms", "RSS MiB"):
        shown.add_column(column, justify="right")
    for run in report.steady:
        shown.add_row(
            run.name,
            f"{run.result.offered_per_second:,.0f}",
            f"{run.result.uplinks_per_second:,.0f}",
            str(run.lost),
            str(run.refused),
            str(run.result.doubled),
            f"{run.server_cpu_us_per_uplink:.0f}",
            f"{100 * run.server_core_share:.0f} %",
            f"{100 * run.server_waited_share:.0f} %",
            f"{run.result.latency_ms_p50:.1f}",
            f"{run.result.latency_ms_p99:.1f}",
            f"{run.rss_mib:.0f}",
        )
    return shown


def summary(report: Report) -> str:
    found = report.machine
    return (
        f"{report.kib_per_connection:.0f} KiB for each connection "
        f"({report.rss_before_mib:.0f} to {report.rss_connected_mib:.0f} MiB), "
        f"{100 * report.idle_core_share:.1f} % of a core for pings; "
        f"{report.lost} uplinks lost, {report.doubled} doubled\n"
        f"the machine: {found.cores} cores, {found.open_files:,} open files for each process, "
        f"{found.local_ports:,} ports for each of {found.source_addresses} source addresses, "
        f"a backlog of {found.listen_backlog:,}, {found.fsync_ms:.2f} ms for a synchronous write"
    )


def _resumed(report: Report) -> str:
    return f"{100 * report.resume:.0f} % of them resume TLS sessions"


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else 150)
    open_files = raise_file_limit()
    if options.gateways + OWN_FILES > open_files:
        raise SystemExit(
            f"{options.gateways:,} gateways need {options.gateways + OWN_FILES:,} open files, "
            f"and {open_files:,} are allowed: ulimit -n"
        )
    BUILD.mkdir(exist_ok=True)
    fleet = Fleet(devices=options.devices or options.gateways, gateways=options.gateways)
    server_cores, load_cores = cores()
    folder = Path(tempfile.mkdtemp(prefix="gateways-", dir=BUILD)).absolute()
    try:
        found = machine(options.addresses, open_files, fsync_ms(folder))
        console.print(f"registering {fleet.devices:,} devices and {fleet.gateways:,} gateways …")
        site = Site.prepared(folder, fleet, "127.0.0.1")
        pin(0, load_cores)
        soak = Soak(site, fleet, options, server_cores)
        # What was built lives to the end.
        gc.disable()
        report = uvloop.run(soak.run(found))
        warnings = site.log.read_text()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    (BUILD / "gateways.json").write_bytes(msgspec.json.format(msgspec.json.encode(report)))
    if warnings:
        console.print(f"the server said:\n{warnings[:2000]}", markup=False)
    console.print(storms_table(report))
    for one in report.storms:
        if one.failures:
            told = ", ".join(f"{count:,} {reason}" for reason, count in one.failures.items())
            console.print(f"{one.name}: attempts that came to nothing: {told}", markup=False)
    console.print(steady_table(report))
    console.print(f"{summary(report)}; all figures in {BUILD / 'gateways.json'}")
    sys.exit(0 if report.passed else 1)


def parser() -> argparse.ArgumentParser:
    it = argparse.ArgumentParser(prog="python -m bench.gateways", description=__doc__)
    it.add_argument("--gateways", type=int, default=10_000)
    it.add_argument("--devices", type=int, help="as many as gateways")
    it.add_argument("--rate", type=float, default=2000, help="uplinks per second in all")
    it.add_argument("--duration", type=float, default=15, help="seconds of uplinks each time")
    it.add_argument("--idle", type=float, default=35, help="seconds of nothing but pings")
    it.add_argument("--addresses", type=int, default=8, help="source addresses, 127.0.0.1 and on")
    it.add_argument("--resume", type=float, default=0.5, help="part that resumes TLS sessions")
    it.add_argument(
        "--storms",
        nargs="*",
        choices=("restart", "kill", "cut"),
        default=["restart", "kill", "cut"],
        help="what comes after the first connecting",
    )
    return it


if __name__ == "__main__":
    main()
