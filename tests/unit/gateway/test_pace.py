"""A gateway may send so much, and is asked to wait when it sends more."""

from __future__ import annotations

import pytest

from bittern.gateway.pace import BURST_S, Pace
from bittern.types import Instant

NOW = 1_763_690_000.0


def taken(pace: Pace, count: int, *, every_s: float, start: float = NOW) -> list[float]:
    return [pace.take(Instant(start + index * every_s)) for index in range(count)]


def test_at_its_rate_a_gateway_never_waits() -> None:
    assert set(taken(Pace(100.0), 10_000, every_s=0.01)) == {0.0}


def test_what_was_kept_for_ten_seconds_may_come_at_once() -> None:
    pace = Pace(100.0)
    assert set(taken(pace, int(100 * BURST_S) - 1, every_s=0.0)) == {0.0}
    assert pace.take(Instant(NOW + 0.5)) == 0.0


def test_beyond_that_it_waits_until_it_is_at_its_rate_again() -> None:
    pace = Pace(100.0)
    pauses = taken(pace, int(100 * BURST_S) + 100, every_s=0.0)
    assert pauses[-1] == pytest.approx(2.0, abs=0.001)
    after = NOW + pauses[-1]
    assert pace.take(Instant(after)) == 0.0


def test_twice_the_rate_comes_through_at_the_rate() -> None:
    pace, now, sent = Pace(100.0), NOW, 0
    while now < NOW + 100:
        pause = pace.take(Instant(now))
        sent += 1
        now += 0.005 + pause
    assert sent == pytest.approx(100 * (100 + BURST_S), rel=0.02)
