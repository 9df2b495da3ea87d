"""``make bench``: a fresh server on a core of its own, and the highest rate that it sustains.

The method and what the figures mean: ``bench/README.md``.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

import msgspec
from rich.console import Console
from rich.table import Table

from bench.fleet import Fleet
from bench.process import pin, usage
from bench.provision import TOPIC, provision
from bench.statistics import RunResult, is_sustained
from bittern.config import load as load_configuration
from bittern.testing.program import free_ports

TARGET_PER_SECOND = 5000.0
STEP_UP = 1.2
STEP_DOWN = 0.8
BUILD = Path("build")


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One run with what the server used for it."""

    result: RunResult
    server_cpu_us_per_uplink: float
    server_cpu_share: float
    """Of one core, while uplinks came in."""
    server_waited_share: float
    """How much of that time the server was ready to run and something else had its core. More than
    a few per cent: the figures are those of a busy machine."""
    rss_mib: float
    refused: int
    """By the server, by name and count, as it was overloaded."""
    copies: int
    sustained: bool

    @property
    def lost(self) -> int:
        """Neither delivered nor refused: the server took it and it is gone."""
        return self.result.lost - self.refused


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """``build/bench.json``. The figures at the top are those of the highest sustained rate."""

    uplinks_per_second: float
    server_cpu_us_per_uplink: float
    latency_ms_p50: float
    latency_ms_p99: float
    rss_mib: float
    lost: int
    doubled: int
    target_per_second: float
    target_sustained: bool
    devices: int
    gateways: int
    devices_per_dev_addr: int
    fsync_ms: float
    """Median time of a small synchronous write where the database lies."""
    runs: list[Measured]


@dataclass(slots=True)
class Server:
    """A running ``bittern serve`` and what was registered with it."""

    process: subprocess.Popen[str]
    files: Path
    data_dir: Path
    mqtt: str
    api: str
    next_fcnt: int = 0

    @property
    def pid(self) -> int:
        return self.process.pid

    def refused(self) -> int:
        """How many frames it has refused so far, by its own count."""
        with urllib.request.urlopen(f"{self.api}/metrics") as answer:
            return refusals(answer.read().decode())


def refusals(metrics: str) -> int:
    """The sum over all reasons."""
    lines = [line for line in metrics.splitlines() if line.startswith("bittern_refusals_total{")]
    return sum(int(float(line.rpartition(" ")[2])) for line in lines)


def cores() -> tuple[set[int], set[int]]:
    """One for the server, the others for the load; all of one if there is only one."""
    available = sorted(os.sched_getaffinity(0))
    return {available[0]}, set(available[1:]) or {available[0]}


@dataclass(frozen=True, slots=True)
class Site:
    """A data directory with a fleet registered in it, and where its server listens."""

    folder: Path
    environment: dict[str, str]

    @classmethod
    def prepared(cls, folder: Path, fleet: Fleet, lns_host: str = "localhost") -> Self:
        """``lns_host``: the name by which gateways find the server."""
        names = ("LNS", "API", "CUPS", "MQTT")
        numbers = zip(names, free_ports(len(names)), strict=True)
        ports = {f"BITTERN_{name}__PORT": str(port) for name, port in numbers}
        site = cls(folder, os.environ | ports | {"BITTERN_LOG__LEVEL": "warning"})
        configuration = msgspec.structs.replace(
            load_configuration(None, site.environment), data_dir=site.data_dir
        )
        uri = f"wss://{lns_host}:{ports['BITTERN_LNS__PORT']}"
        asyncio.run(provision(configuration, fleet, site.files, uri))
        return site

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    @property
    def files(self) -> Path:
        return self.folder / "gateways"

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    @property
    def mqtt(self) -> str:
        return f"127.0.0.1:{self.environment['BITTERN_MQTT__PORT']}"

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.environment['BITTERN_API__PORT']}"

    def start(self, core: set[int]) -> subprocess.Popen[str]:
        """The server on its core, ready. Raises ``SystemExit`` with what it says if it is not."""
        command = [
            sys.executable,
            "-m",
            "bittern",
            "serve",
            "--json",
            f"--data-dir={self.data_dir}",
        ]
        with self.log.open("a") as log:
            process = subprocess.Popen(
                command,
                env=self.environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                preexec_fn=lambda: pin(0, core),  # noqa: PLW1509 - no thread runs yet
            )
        assert process.stdout is not None
        if not process.stdout.readline():
            stop(process)
            raise SystemExit(f"the server does not start:\n{self.log.read_text()}")
        return process


@contextlib.contextmanager
def serving(folder: Path, fleet: Fleet, core: set[int]) -> Iterator[Server]:
    """A fresh data directory, the fleet registered, and the server on its core."""
    site = Site.prepared(folder, fleet)
    process = site.start(core)
    try:
        yield Server(process, site.files, site.data_dir, site.mqtt, site.api)
    finally:
        stop(process)


def stop(process: subprocess.Popen[str]) -> None:
    """In order, if it can."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def measure(
    server: Server, fleet: Fleet, options: argparse.Namespace, rate: float, copies: int = 1
) -> Measured:
    """One run of the generator, in a process of its own."""
    command = [
        *(sys.executable, "-m", "bench.load", f"--files={server.files}"),
        *(f"--rate={rate}", f"--duration={options.duration}", f"--warm-up={options.warm_up}"),
        *(f"--devices={fleet.devices}", f"--gateways={fleet.gateways}"),
        *(f"--devices-per-dev-addr={fleet.devices_per_dev_addr}", f"--seed={fleet.seed}"),
        *(f"--copies={copies}", f"--first-fcnt={server.next_fcnt}"),
        *(f"--mqtt={server.mqtt}", f"--topic={TOPIC}", "--username=bittern"),
        f"--password-file={server.data_dir / 'mqtt.password'}",
        *(["--clean"] if options.clean else []),
    ]
    refused = server.refused()
    server.next_fcnt += -(-round(rate * options.duration) // fleet.devices)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as generator:
        assert generator.stdout is not None and generator.stderr is not None
        _wait_for(generator.stderr, "sending")
        before, began = usage(server.pid), time.monotonic()
        output = generator.stdout.read()
        after = usage(server.pid)
        complaints = generator.stderr.read()
    if generator.returncode:
        raise SystemExit(f"the generator failed:\n{complaints}")
    if complaints:
        print(complaints, file=sys.stderr)
    result = msgspec.json.decode(output, type=RunResult)
    cpu_s, elapsed_s = after.cpu_s - before.cpu_s, time.monotonic() - began
    return Measured(
        result=result,
        server_cpu_us_per_uplink=1e6 * cpu_s / max(result.sent - result.lost, 1),
        server_cpu_share=cpu_s / elapsed_s,
        server_waited_share=(after.waited_s - before.waited_s) / elapsed_s,
        rss_mib=after.rss_mib,
        refused=server.refused() - refused,
        copies=copies,
        sustained=is_sustained(result),
    )


def _wait_for(lines: IO[str], wanted: str) -> None:
    seen = []
    for line in lines:
        if line.strip() == wanted:
            return
        seen.append(line)
    raise SystemExit(f"the generator failed:\n{''.join(seen)}")


def warm(server: Server, fleet: Fleet, options: argparse.Namespace) -> None:
    """Every device sends once, at a third of the rate: a server that runs knows its devices."""
    rate = options.rate / 3
    gentle = argparse.Namespace(**vars(options) | {"duration": fleet.devices / rate, "warm_up": 0})
    measure(server, fleet, gentle, rate)


def find_sustained(
    server: Server, fleet: Fleet, options: argparse.Namespace, console: Console
) -> list[Measured]:
    """From the target up while it is sustained, or down until it is."""
    runs: list[Measured] = []
    rate = options.rate
    for _ in range(options.steps):
        console.print(f"offering {rate:,.0f} uplinks/s for {options.duration:g} s …")
        runs.append(measure(server, fleet, options, rate))
        if runs[-1].sustained != runs[0].sustained:
            break
        rate *= STEP_UP if runs[-1].sustained else STEP_DOWN
    if options.copies > 1:
        best = max((run for run in runs if run.sustained), key=_offered, default=None)
        rate = TARGET_PER_SECOND / options.copies if best is None else _offered(best) / 2
        console.print(f"offering {rate:,.0f} uplinks/s by {options.copies} gateways each …")
        runs.append(measure(server, fleet, options, rate, options.copies))
    return runs


def _offered(run: Measured) -> float:
    return run.result.offered_per_second


def report(runs: list[Measured], fleet: Fleet, target: float, fsync_ms: float) -> Report:
    """The best of the runs with one copy; nothing sustained is reported as nothing per second."""
    single = [run for run in runs if run.copies == 1]
    sustained = [run for run in single if run.sustained]
    best = max(sustained, key=_offered) if sustained else min(single, key=_offered)
    return Report(
        uplinks_per_second=best.result.uplinks_per_second if sustained else 0.0,
        server_cpu_us_per_uplink=best.server_cpu_us_per_uplink,
        latency_ms_p50=best.result.latency_ms_p50,
        latency_ms_p99=best.result.latency_ms_p99,
        rss_mib=max(run.rss_mib for run in runs),
        lost=sum(run.lost for run in runs),
        doubled=sum(run.result.doubled for run in runs),
        target_per_second=target,
        target_sustained=any(_offered(run) >= target for run in sustained),
        devices=fleet.devices,
        gateways=fleet.gateways,
        devices_per_dev_addr=fleet.devices_per_dev_addr,
        fsync_ms=fsync_ms,
        runs=runs,
    )


def table(summary: Report) -> Table:
    shown = Table(title=f"bittern: {summary.devices:,} devices, {summary.gateways} gateways")
    for column in ("offered/s", "copies", "delivered/s", "CPU µs/uplink", "core", "waited"):
        shown.add_column(column, justify="right")
    for column in ("p50 ms", "p99 ms", "RSS MiB", "refused", "lost", "doubled"):
        shown.add_column(column, justify="right")
    shown.add_column("sustained")
    for run in summary.runs:
        result = run.result
        shown.add_row(
            f"{result.offered_per_second:,.0f}",
            str(run.copies),
            f"{result.uplinks_per_second:,.0f}",
            f"{run.server_cpu_us_per_uplink:.0f}",
            f"{100 * run.server_cpu_share:.0f} %",
            f"{100 * run.server_waited_share:.0f} %",
            f"{result.latency_ms_p50:.1f}",
            f"{result.latency_ms_p99:.1f}",
            f"{run.rss_mib:.0f}",
            str(run.refused),
            str(run.lost),
            str(result.doubled),
            "yes" if run.sustained else "no",
        )
    return shown


def fsync_ms(folder: Path, times: int = 50) -> float:
    """How long this disk takes to keep 4 KiB: most of what a small transaction waits for."""
    took = []
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        for _ in range(times):
            file.write(bytes(4096))
            file.flush()
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - began)
    return 1000 * sorted(took)[times // 2]


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else 120)
    BUILD.mkdir(exist_ok=True)
    fleet = Fleet(
        devices=options.devices,
        gateways=options.gateways,
        devices_per_dev_addr=options.devices_per_dev_addr,
    )
    server_cores, load_cores = cores()
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=BUILD)).absolute()
    try:
        disk_ms = fsync_ms(folder)
        console.print(f"registering {fleet.devices:,} devices and {fleet.gateways} gateways …")
        with serving(folder, fleet, server_cores) as server:
            pin(0, load_cores)
            if not options.cold:
                warm(server, fleet, options)
            runs = find_sustained(server, fleet, options, console)
        warnings = (folder / "server.log").read_text()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    summary = report(runs, fleet, options.rate, disk_ms)
    (BUILD / "bench.json").write_bytes(msgspec.json.format(msgspec.json.encode(summary)))
    if warnings:
        console.print(f"the server said:\n{warnings[:2000]}", markup=False)
    console.print(table(summary))
    console.print(
        f"{summary.uplinks_per_second:,.0f} uplinks/s sustained, "
        f"a synchronous write takes {disk_ms:.2f} ms; all figures in {BUILD / 'bench.json'}"
    )
    sys.exit(0 if not summary.lost and not summary.doubled else 1)


def parser() -> argparse.ArgumentParser:
    it = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    it.add_argument("--rate", type=float, default=TARGET_PER_SECOND, help="where to begin")
    it.add_argument("--steps", type=int, default=5, help="rates to try at most")
    it.add_argument("--duration", type=float, default=20, help="seconds for each rate")
    it.add_argument("--warm-up", type=float, default=5, help="seconds of them that do not count")
    it.add_argument("--devices", type=int, default=10_000)
    it.add_argument("--gateways", type=int, default=50)
    it.add_argument("--devices-per-dev-addr", type=int, default=1)
    it.add_argument("--copies", type=int, default=3, help="of a last run; 1 leaves it out")
    it.add_argument("--cold", action="store_true", help="begin with a server that knows nobody")
    it.add_argument("--clean", action="store_true", help="a subscription that the broker forgets")
    return it


if __name__ == "__main__":
    main()
