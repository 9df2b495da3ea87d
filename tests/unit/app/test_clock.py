from __future__ import annotations

import time

import pytest

from bittern.app.clock import steady_utc


def test_the_clock_does_not_go_back() -> None:
    now = steady_utc()
    readings = [now() for _ in range(1000)]
    assert readings == sorted(readings)


def test_a_clock_that_is_set_does_not_move_what_is_under_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = steady_utc()
    before = now()
    assert abs(before - time.time()) < 1
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert 0 <= now() - before < 1
