from __future__ import annotations

import pytest

from bittern.network.allowance import Allowance, Buckets
from bittern.types import Instant


@pytest.fixture
def buckets() -> Buckets[str]:
    return Buckets[str](Allowance(burst=2, per_second=0.5))


def test_there_is_a_burst_and_then_one_at_a_time(buckets: Buckets[str]) -> None:
    assert [buckets.take("a", Instant(0.0)) for _ in range(3)] == [True, True, False]
    assert not buckets.take("a", Instant(1.9))
    assert buckets.take("a", Instant(2.0))
    assert not buckets.take("a", Instant(2.0))


def test_one_does_not_use_up_what_another_may(buckets: Buckets[str]) -> None:
    for _ in range(5):
        buckets.take("a", Instant(0.0))
    assert buckets.take("b", Instant(0.0))


def test_who_is_refused_does_not_wait_the_longer_for_it(buckets: Buckets[str]) -> None:
    for _ in range(2):
        buckets.take("a", Instant(0.0))
    assert not any(buckets.take("a", Instant(n / 10)) for n in range(20))
    assert buckets.take("a", Instant(2.0))


def test_nobody_saves_up_more_than_a_burst(buckets: Buckets[str]) -> None:
    buckets.take("a", Instant(0.0))
    assert [buckets.take("a", Instant(1000.0)) for _ in range(3)] == [True, True, False]


def test_whoever_has_been_quiet_is_forgotten(buckets: Buckets[str]) -> None:
    for number in range(100):
        buckets.take(str(number), Instant(0.0))
    assert len(buckets) == 100
    buckets.take("a", Instant(4.0))
    assert len(buckets) == 1


def test_whoever_was_there_just_now_is_not(buckets: Buckets[str]) -> None:
    buckets.take("a", Instant(0.0))
    buckets.take("b", Instant(0.0))
    buckets.take("a", Instant(3.0))
    buckets.take("c", Instant(5.0))
    assert len(buckets) == 2
