from __future__ import annotations

import math
from pathlib import Path

import msgspec
import pytest

from bench.ledger import Ledger
from bench.statistics import RunResult, is_sustained, percentile, summarize


def a_result(**changes) -> RunResult:
    good = RunResult(
        offered_per_second=100.0,
        sent_per_second=100.0,
        uplinks_per_second=100.0,
        sent=1000,
        lost=0,
        doubled=0,
        foreign=0,
        latency_ms_p50=5.0,
        latency_ms_p99=20.0,
        latency_ms_max=30.0,
        generator_lag_ms_max=1.0,
        backlog=20,
    )
    return msgspec.structs.replace(good, **changes)


@pytest.mark.parametrize(
    ("share", "expected"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.0, 1), (0.001, 1), (0.995, 100)]
)
def test_percentile_is_a_value_that_was_measured(share: float, expected: int) -> None:
    assert percentile(range(1, 101), share) == expected


def test_percentile_of_nothing_is_not_a_number() -> None:
    assert math.isnan(percentile([], 0.5))


def test_run_is_summarized(tmp_path: Path) -> None:
    ledger = Ledger.create(tmp_path / "ledger", 5, run=1)
    for number in range(5):
        ledger.sent_at[number] = 100.0 + number
    for number, at in ((0, 100.9), (1, 101.25), (2, 102.26), (3, 103.27), (3, 103.9)):
        ledger.arrived((1, number), at)
    result = summarize(
        ledger,
        offered_per_second=1.0,
        due_at=[99.99 + number for number in range(5)],
        deduplication_s=0.2,
        warm_up_s=1.0,
    )
    ledger.close()
    assert (result.sent, result.lost, result.doubled) == (5, 1, 1)
    assert result.latency_ms_p50 == pytest.approx(60.0)
    assert result.latency_ms_max == pytest.approx(70.0)
    assert result.sent_per_second == pytest.approx(1.0)
    assert result.uplinks_per_second == pytest.approx(2 / 2.02)
    assert result.generator_lag_ms_max == pytest.approx(10.0)
    assert result.backlog == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"lost": 1},
        {"doubled": 1},
        {"latency_ms_p99": 1001.0},
        {"latency_ms_p99": float("nan")},
        {"sent_per_second": 97.0},
    ],
)
def test_rate_is_not_sustained_if(changes) -> None:
    assert is_sustained(a_result())
    assert not is_sustained(a_result(**changes))
