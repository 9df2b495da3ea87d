from __future__ import annotations

from pathlib import Path

import pytest

from bench import micro
from bench.fleet import Fleet
from bench.micro import clocked, measure


def test_best_round_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0, 9.0, 10.0, 13.0, 20.0, 24.0])
    monkeypatch.setattr(micro.time, "perf_counter", lambda: next(times))
    assert clocked(1_000_000, [lambda: None] * 3) == 3.0


async def test_every_step_works_and_takes_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(micro, "FLEET", Fleet(devices=20, gateways=1))
    steps = await measure(tmp_path)
    assert len(steps) == 8
    assert all(microseconds > 0 for _, microseconds in steps)
