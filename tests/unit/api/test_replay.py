from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bittern.api.errors import INVALID_SIGNATURE, ApiError
from bittern.api.replay import REPEAT_S, Replays
from bittern.api.sigv4 import Claim, read_claim
from bittern.types import Instant

sys.path.insert(0, str(Path(__file__).parent))
from oracle import NOW, operation_of, signed

CLAIM = read_claim(signed(operation_of("DeleteDestination"), {"Name": "d"}))


def another(number: int, signed_at: float = NOW) -> Claim:
    return replace(CLAIM, signature=f"{number:064x}", signed_at=Instant(signed_at))


def later(seconds: float) -> Instant:
    return Instant(NOW + seconds)


def test_two_equal_calls_of_one_second_have_one_signature_and_both_pass() -> None:
    replays = Replays()
    for delay in (0, 0.5, REPEAT_S):
        replays.admit(CLAIM, later(delay))


def test_what_was_recorded_is_refused_seconds_later() -> None:
    replays = Replays()
    replays.admit(CLAIM, later(0))
    for delay in (REPEAT_S + 0.1, 299):
        with pytest.raises(ApiError) as refused:
            replays.admit(CLAIM, later(delay))
        assert refused.value.code == INVALID_SIGNATURE


def test_repeating_it_does_not_prolong_its_time() -> None:
    replays = Replays()
    for delay in (0, 4):
        replays.admit(CLAIM, later(delay))
    with pytest.raises(ApiError):
        replays.admit(CLAIM, later(8))


def test_a_signature_is_forgotten_when_its_time_is_over_anyway() -> None:
    replays = Replays()
    for number in range(10):
        replays.admit(another(number), later(0))
    replays.admit(another(11, NOW + 400), later(400))
    assert len(replays) == 1


def test_the_memory_is_bounded_and_the_oldest_go_first() -> None:
    replays = Replays(limit=3)
    for number in range(5):
        replays.admit(another(number), later(number))
    assert len(replays) == 3
    replays.admit(another(0), later(20))
    with pytest.raises(ApiError):
        replays.admit(another(4), later(20))
