"""What the soak makes of what it saw; the connections themselves are its own run."""

from __future__ import annotations

import io
import os
import resource
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from bench import gateways
from bench.gateways import (
    Machine,
    Meter,
    Report,
    Share,
    Steady,
    Storm,
    figure,
    machine,
    main,
    parser,
    raise_file_limit,
    steady_table,
    storm,
    storms_table,
    summary,
)
from bench.herd import Tally
from bench.process import Usage
from bench.statistics import RunResult


def a_storm(connected: int = 4) -> Storm:
    tally = Tally(
        connected_at=[102.0, 101.0, 104.0, 103.0],
        took_s=[0.4, 0.1, 0.3, 0.2],
        handshakes=8,
        resumed=2,
    )
    tally.failures["connection refused"] += 3
    return storm(
        "restart",
        tally,
        gateways=4,
        connected=connected,
        lost_at=98.5,
        began=100.0,
        server=Share(cpu_s=0.02, waited_s=0.4, elapsed_s=4.0),
        generator=Share(cpu_s=0.01, waited_s=0.0, elapsed_s=4.0),
        failed=(1, 2),
    )


def a_run(lost: int = 0, refused: int = 0, doubled: int = 0) -> Steady:
    result = RunResult(
        offered_per_second=2000,
        sent_per_second=2000,
        uplinks_per_second=1999,
        sent=1000,
        lost=lost,
        doubled=doubled,
        foreign=0,
        latency_ms_p50=5.0,
        latency_ms_p99=20.0,
        latency_ms_max=30.0,
        generator_lag_ms_max=1.0,
        backlog=20,
    )
    return Steady(
        name="connected",
        result=result,
        refused=refused,
        server_cpu_us_per_uplink=200.0,
        server_core_share=0.4,
        server_waited_share=0.0,
        generator_core_share=0.2,
        rss_mib=700.0,
    )


def a_report(storms: list[Storm], steady: list[Steady]) -> Report:
    return Report(
        gateways=4,
        resume=0.5,
        machine=Machine(
            cores=2,
            open_files=20_000,
            local_ports=28_232,
            source_addresses=8,
            listen_backlog=4096,
            fsync_ms=0.1,
        ),
        rss_before_mib=90.0,
        rss_connected_mib=700.0,
        kib_per_connection=62.5,
        idle_core_share=0.01,
        lost=sum(run.lost for run in steady),
        doubled=sum(run.result.doubled for run in steady),
        storms=storms,
        steady=steady,
    )


def test_a_storm_is_told_from_when_the_server_listened() -> None:
    told = a_storm()
    assert (told.outage_s, told.seconds, told.median_s) == (1.5, 4.0, 2.0)
    assert told.per_second == 1.0
    assert (told.attempt_ms_p50, told.attempt_ms_p99) == (200.0, 400.0)
    assert told.server_cpu_ms_per_connection == pytest.approx(5.0)
    assert (told.server_core_share, told.server_waited_share) == (0.005, 0.1)
    assert (told.refused_handshakes, told.refusals) == (1, 2)
    assert told.failures == {"connection refused": 3}


def test_a_storm_that_nobody_survived_is_told_too() -> None:
    nothing = Share(0.0, 0.0, 0.0)
    told = storm(
        "kill",
        Tally(),
        gateways=4,
        connected=0,
        lost_at=0.0,
        began=1.0,
        server=nothing,
        generator=nothing,
        failed=(0, 0),
    )
    assert told.per_second == told.server_core_share == told.server_waited_share == 0.0
    assert not a_report([told], [a_run()]).passed


@pytest.mark.parametrize(
    "connected, run, passed",
    [
        (4, a_run(), True),
        (3, a_run(), False),
        (4, a_run(lost=1), False),
        (4, a_run(lost=1, refused=1), True),
        (4, a_run(doubled=1), False),
    ],
)
def test_it_passes_when_all_are_back_and_nothing_is_lost(
    connected: int, run: Steady, passed: bool
) -> None:
    assert a_report([a_storm(connected)], [run]).passed is passed


def test_tables_tell_every_storm_and_every_run() -> None:
    report = a_report([a_storm()], [a_run()])
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(storms_table(report), steady_table(report))
    shown = console.export_text()
    for word in ("restart", "connected", "25 %", "1,999", "200"):
        assert word in shown
    assert "62 KiB for each connection (90 to 700 MiB)" in summary(report)
    assert "20,000 open files" in summary(report)


def test_the_report_is_read_back_as_it_was_written() -> None:
    report = a_report([a_storm()], [a_run()])
    assert msgspec.json.decode(msgspec.json.encode(report), type=Report) == report


def test_figures_without_labels_are_read_from_metrics() -> None:
    metrics = "# HELP a b\nbittern_lns_failed_handshakes_total 3.0\nbittern_lns_connections 7.0\n"
    assert figure(metrics, "bittern_lns_failed_handshakes") == 3
    assert figure(metrics, "bittern_lns_connections") == 7
    assert figure(metrics, "bittern_lns") == 0


def test_what_was_used_meanwhile_is_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    used = iter([Usage(cpu_s=5.0, rss_mib=1.0, waited_s=1.0), Usage(7.5, 1.0, 1.5)])
    clock = iter([100.0, 110.0])
    monkeypatch.setattr(gateways, "usage", lambda _: next(used))
    monkeypatch.setattr(gateways.time, "monotonic", lambda: next(clock))
    share = Meter.of(os.getpid() + 1).read()
    assert (share.cpu_s, share.waited_s, share.elapsed_s) == (2.5, 0.5, 10.0)
    assert (share.of_core, share.waited) == (0.25, 0.05)


def test_the_generator_counts_itself_without_its_children(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(_: int) -> Usage:
        raise AssertionError("the children are not its own work")

    monkeypatch.setattr(gateways, "usage", never)
    assert Meter.of(os.getpid()).read().cpu_s >= 0.0


def test_the_machine_says_what_it_allows() -> None:
    found = machine(8, 20_000, 0.1)
    assert found.local_ports > 1000
    assert found.listen_backlog > 0
    assert (found.source_addresses, found.open_files) == (8, 20_000)


def test_more_gateways_than_files_are_refused_before_anything_is_begun(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        allowed = raise_file_limit()
        with pytest.raises(SystemExit, match="open files"):
            main(["--gateways", str(allowed)])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert list(tmp_path.iterdir()) == []


def test_storms_may_be_left_out() -> None:
    assert parser().parse_args(["--storms"]).storms == []
    assert parser().parse_args([]).storms == ["restart", "kill", "cut"]
