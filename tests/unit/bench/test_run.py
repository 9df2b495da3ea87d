from __future__ import annotations

import argparse
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from bench import run
from bench.fleet import Fleet
from bench.run import Measured, Report, find_sustained, fsync_ms, refusals, report, table
from bench.statistics import RunResult, is_sustained

FLEET = Fleet(devices=10, gateways=2)


def a_run(
    offered: float, *, limit: float = 1e9, copies: int = 1, refused: int = 0, **changes
) -> Measured:
    """By a server that manages `limit` per second."""
    result = RunResult(
        offered_per_second=offered,
        sent_per_second=offered,
        uplinks_per_second=min(offered, limit),
        sent=1000,
        lost=0,
        doubled=0,
        foreign=0,
        latency_ms_p50=5.0,
        latency_ms_p99=20.0 if offered <= limit else 5000.0,
        latency_ms_max=30.0,
        generator_lag_ms_max=1.0,
        backlog=20,
    )
    result = msgspec.structs.replace(result, **changes)
    return Measured(
        result=result,
        server_cpu_us_per_uplink=100.0,
        server_cpu_share=0.5,
        server_waited_share=0.01,
        rss_mib=200.0 + offered / 1000,
        refused=refused,
        copies=copies,
        sustained=is_sustained(result),
    )


def sweep(monkeypatch: pytest.MonkeyPatch, limit: float, **options) -> list[Measured]:
    def measure(server, fleet, options, rate, copies=1) -> Measured:
        return a_run(rate, limit=limit, copies=copies)

    monkeypatch.setattr(run, "measure", measure)
    given = argparse.Namespace(
        **({"rate": 5000.0, "steps": 4, "copies": 1, "duration": 1} | options)
    )
    console = Console(quiet=True)
    return find_sustained(None, FLEET, given, console)  # type: ignore[arg-type]


def offered(runs: list[Measured]) -> list[float]:
    return [round(one.result.offered_per_second) for one in runs]


def test_rate_goes_up_until_it_is_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = sweep(monkeypatch, limit=6500)
    assert offered(runs) == [5000, 6000, 7200]
    assert [one.sustained for one in runs] == [True, True, False]


def test_rate_goes_down_until_it_is_sustained(monkeypatch: pytest.MonkeyPatch) -> None:
    assert offered(sweep(monkeypatch, limit=3500)) == [5000, 4000, 3200]


def test_steps_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(sweep(monkeypatch, limit=1, steps=3)) == 3


def test_last_run_has_copies_at_half_the_sustained_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = sweep(monkeypatch, limit=5500, copies=3)
    assert (offered(runs)[-1], runs[-1].copies) == (2500, 3)


def test_every_device_sends_once_before_the_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[float, float]] = []
    monkeypatch.setattr(
        run,
        "measure",
        lambda server, fleet, options, rate: asked.append((rate, options.duration * rate)),
    )
    run.warm(None, FLEET, argparse.Namespace(rate=300.0, duration=20))  # type: ignore[arg-type]
    assert asked == [(100.0, pytest.approx(10.0))]


def test_report_is_of_the_highest_sustained_rate() -> None:
    runs = [a_run(5000), a_run(6000), a_run(7200, limit=6500), a_run(2500, copies=3)]
    summary = report(runs, FLEET, 5000.0, 0.2)
    assert (summary.uplinks_per_second, summary.target_sustained) == (6000.0, True)
    assert summary.rss_mib == 207.2


def test_nothing_sustained_is_reported_as_nothing() -> None:
    summary = report([a_run(5000, limit=1), a_run(4000, limit=1)], FLEET, 5000.0, 0.2)
    assert (summary.uplinks_per_second, summary.target_sustained) == (0.0, False)
    assert summary.latency_ms_p99 == 5000.0


def test_losses_of_every_run_count() -> None:
    runs = [a_run(5000, lost=2), a_run(4000, doubled=1), a_run(3200)]
    summary = report(runs, FLEET, 5000.0, 0.2)
    assert (summary.lost, summary.doubled) == (2, 1)


def test_what_the_server_refused_is_not_lost_but_not_sustained_either() -> None:
    overloaded = a_run(5000, lost=300, refused=300)
    assert (overloaded.lost, overloaded.sustained) == (0, False)


def test_refusals_are_read_from_the_metrics() -> None:
    metrics = """# TYPE bittern_refusals_total counter
bittern_refusals_total{refusal="overloaded"} 30597.0
bittern_refusals_total{refusal="mic_mismatch"} 2.0
bittern_events_total{event="uplink"} 9.0
"""
    assert refusals(metrics) == 30599


def test_report_has_what_is_asked_of_it() -> None:
    wanted = {"uplinks_per_second", "server_cpu_us_per_uplink", "latency_ms_p50"}
    wanted |= {"latency_ms_p99", "rss_mib", "lost", "doubled"}
    assert wanted <= {field.name for field in msgspec.structs.fields(Report)}


def test_table_has_a_row_for_each_run() -> None:
    shown = table(report([a_run(5000), a_run(6000)], FLEET, 5000.0, 0.2))
    assert shown.row_count == 2


def test_disk_is_measured(tmp_path: Path) -> None:
    assert fsync_ms(tmp_path, times=3) > 0
    assert list(tmp_path.iterdir()) == []
