from __future__ import annotations

from bittern.outputs.backoff import Backoff


def test_delays_double_up_to_the_ceiling() -> None:
    backoff = Backoff(first_s=1.0, ceiling_s=10.0)
    delays = [backoff.delay_s(n, lambda: 1.0) for n in range(1, 7)]
    assert delays == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


def test_half_of_each_delay_is_left_to_chance() -> None:
    backoff = Backoff(first_s=4.0, ceiling_s=10.0)
    assert backoff.delay_s(1, lambda: 0.0) == 2.0
    assert backoff.delay_s(1, lambda: 0.5) == 3.0


def test_attempts_without_end_do_not_overflow() -> None:
    assert Backoff().delay_s(1_000_000, lambda: 1.0) == 60.0
