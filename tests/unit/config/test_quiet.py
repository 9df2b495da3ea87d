"""What is told, and what is not told again."""

from __future__ import annotations

from bittern.config.quiet import MOST_KNOWN, MOST_TOLD, QUIET_S, Quiet
from bittern.types import Instant


def test_the_same_is_told_once_in_a_while() -> None:
    quiet = Quiet()
    told = [quiet.may_tell("x", Instant(second)) for second in range(3 * int(QUIET_S))]
    assert told.count(True) == 3
    assert quiet.may_tell("y", Instant(3 * QUIET_S - 1))


def test_what_is_different_each_time_has_an_end_too() -> None:
    quiet = Quiet()
    told = [quiet.may_tell(number, Instant(0.0)) for number in range(100_000)]
    assert told.count(True) == MOST_TOLD
    assert quiet.may_tell("later", Instant(QUIET_S))


def test_what_is_kept_in_mind_has_an_end() -> None:
    quiet = Quiet(quiet_s=1.0)
    for number in range(2 * MOST_KNOWN):
        quiet.may_tell(number, Instant(float(number)))
    assert len(quiet._told) == MOST_KNOWN
