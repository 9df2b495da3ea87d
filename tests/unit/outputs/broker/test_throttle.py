from __future__ import annotations

import pytest

from bittern.outputs.broker.throttle import LoginThrottle, ThrottleLimits
from bittern.types import Instant

LIMITS = ThrottleLimits(free=2, first_s=1.0, ceiling_s=8.0, forgotten_s=100.0, remembered=50)
NOW = Instant(1000.0)


@pytest.fixture
def throttle() -> LoginThrottle:
    return LoginThrottle(LIMITS)


def guess(throttle: LoginThrottle, times: int, address: str = "a", name: str = "u") -> None:
    for _ in range(times):
        throttle.wrong(address, name, NOW)


def test_some_mistakes_are_free(throttle: LoginThrottle) -> None:
    guess(throttle, 2)
    assert throttle.wait_s("a", "u", NOW) == 0


def test_each_further_one_doubles_the_wait_up_to_its_ceiling(throttle: LoginThrottle) -> None:
    guess(throttle, 2)
    waits = []
    for _ in range(5):
        throttle.wrong("a", "u", NOW)
        waits.append(throttle.wait_s("a", "u", NOW))
    assert waits == [1, 2, 4, 8, 8]
    assert throttle.wait_s("a", "u", Instant(NOW + 5)) == 3
    assert throttle.wait_s("a", "u", Instant(NOW + 8)) == 0


def test_one_address_that_tries_many_users_waits_for_all_of_them(throttle: LoginThrottle) -> None:
    for name in "xyz":
        throttle.wrong("a", name, NOW)
    assert throttle.wait_s("a", "another", NOW) == 1
    assert throttle.wait_s("b", "another", NOW) == 0


def test_many_addresses_that_try_one_user_wait_for_each_other(throttle: LoginThrottle) -> None:
    for address in "xyz":
        throttle.wrong(address, "u", NOW)
    assert throttle.wait_s("another", "u", NOW) == 1


def test_who_has_logged_in_from_there_is_not_locked_out_by_others(throttle: LoginThrottle) -> None:
    throttle.right("home", "u")
    guess(throttle, 9, "elsewhere", "u")
    guess(throttle, 9, "home", "other")
    assert throttle.wait_s("home", "u", NOW) == 0
    guess(throttle, 3, "home", "u")
    assert throttle.wait_s("home", "u", NOW) == 1


def test_right_password_starts_its_tally_again(throttle: LoginThrottle) -> None:
    guess(throttle, 2)
    throttle.right("a", "u")
    guess(throttle, 2)
    assert throttle.wait_s("a", "u", NOW) == 0


def test_quiet_time_is_forgiven(throttle: LoginThrottle) -> None:
    guess(throttle, 9)
    throttle.wrong("a", "u", Instant(NOW + 101))
    assert throttle.wait_s("a", "u", Instant(NOW + 101)) == 0


def test_memory_is_bounded(throttle: LoginThrottle) -> None:
    for number in range(500):
        throttle.wrong(f"a{number}", f"u{number}", NOW)
        throttle.right(f"a{number}", f"u{number}")
    assert len(throttle._tallies) <= 50
    assert len(throttle._welcome) == 50


@pytest.mark.parametrize(
    ("other", "waits"),
    [("2001:db8:1:2::9", True), ("2001:db8:1:3::1", False), ("192.0.2.1", False)],
)
def test_address_of_ipv6_counts_as_its_network(
    throttle: LoginThrottle, other: str, waits: bool
) -> None:
    guess(throttle, 9, "2001:db8:1:2::1", "u")
    assert (throttle.wait_s(other, "another", NOW) > 0) is waits
