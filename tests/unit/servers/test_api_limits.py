from __future__ import annotations

import pytest

from bittern.network.allowance import Buckets
from bittern.servers.api_limits import BURST, MOST_ADDRESSES, Failures, Room, account_allowance
from bittern.types import Instant

NOW = Instant(1_700_000_000.0)


def failing(address: str, times: int, per_minute: float = 60.0) -> Failures:
    failures = Failures(per_minute)
    for _ in range(times):
        failures.count(address, NOW)
    return failures


def test_a_few_failures_are_free() -> None:
    assert failing("192.0.2.1", 0).wait_s("192.0.2.1", NOW) == 0.0
    assert failing("192.0.2.1", BURST).wait_s("192.0.2.1", NOW) == 0.0


def test_an_address_that_goes_on_failing_is_not_listened_to_for_a_while() -> None:
    failures = failing("192.0.2.1", BURST + 3)
    assert failures.wait_s("192.0.2.1", NOW) == pytest.approx(3.0)
    assert failures.wait_s("192.0.2.1", Instant(NOW + 3.0)) == 0.0


def test_another_address_is_listened_to() -> None:
    assert failing("192.0.2.1", 1000).wait_s("192.0.2.2", NOW) == 0.0


def test_failures_are_forgotten_in_time() -> None:
    failures = failing("192.0.2.1", 5)
    assert failures.wait_s("192.0.2.1", Instant(NOW + 5.0)) == 0.0
    assert len(failures) == 0


@pytest.mark.parametrize(
    ("one", "other", "the_same"),
    [
        ("2001:db8::1", "2001:db8::2:3", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("not an address", "not an address", True),
    ],
)
def test_a_subscriber_of_ipv6_is_one_address(one: str, other: str, the_same: bool) -> None:
    assert (failing(one, 1000).wait_s(other, NOW) > 0) is the_same


def test_the_memory_is_bounded() -> None:
    failures = Failures(60.0)
    for number in range(MOST_ADDRESSES + 10):
        failures.count(f"host {number}", NOW)
    assert len(failures) == MOST_ADDRESSES


def test_room_is_taken_and_given_back() -> None:
    room = Room(10)
    with room.take(6) as first, room.take(5) as second, room.take(4) as third:
        assert (first, second, third) == (True, False, True)
        assert room.taken == 10
    assert room.taken == 0
    with pytest.raises(ZeroDivisionError), room.take(10):
        raise ZeroDivisionError
    assert room.taken == 0


def test_an_account_may_ask_much_at_once_and_less_in_the_long_run() -> None:
    buckets = Buckets[str](account_allowance(10.0))
    taken = [buckets.take("123456789012", Instant(0.0)) for _ in range(1000)]
    assert taken.count(True) == 50
    assert buckets.take("210987654321", Instant(0.0))
    later = [buckets.take("123456789012", Instant(1.0)) for _ in range(1000)]
    assert later.count(True) == 10
