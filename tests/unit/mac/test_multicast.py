from __future__ import annotations

from typing import get_args

import pytest

from bittern.mac.multicast import (
    AFTER,
    FIRST_MEMBER_STATUS,
    SET_UP,
    TIMEOUTS_S,
    DlClass,
    GroupStatus,
    MemberStatus,
    MulticastSession,
    current,
    group_status,
    period_problem,
    removed_at_once,
    start_problem,
    timeout_problem,
    timeout_told,
)
from bittern.types import Instant

START = Instant(10_000.0)
SESSION = MulticastSession(data_rate=0, frequency_hz=869_525_000, start_at=START, timeout_s=256)


@pytest.mark.parametrize(
    ("now", "status"),
    [
        (0, "Session_Attempting"),
        (START - 1, "Session_Attempting"),
        (START, "In_Session"),
        (START + 255, "In_Session"),
        (START + 256, "Pending"),
    ],
)
def test_the_clock_moves_a_group(now: float, status: GroupStatus) -> None:
    assert group_status(SESSION, Instant(now)) == status
    assert (current(SESSION, Instant(now)) is None) == (status == "Pending")


def test_a_group_without_a_session_is_pending() -> None:
    assert group_status(None, START) == "Pending"
    assert current(None, START) is None


def test_a_firmware_update_is_a_session_of_the_group() -> None:
    assert group_status(None, START, update_waits=True) == "Session_Attempting"
    assert group_status(None, START, update_runs=True) == "In_Session"
    assert group_status(SESSION, Instant(0), update_runs=True) == "In_Session"
    assert group_status(SESSION, START, update_waits=True) == "In_Session"


@pytest.mark.parametrize("session", [None, SESSION])
def test_a_group_that_is_removed_is_nothing_else(session: MulticastSession | None) -> None:
    told = group_status(session, START, update_waits=True, update_runs=True, removing=True)
    assert told == "Delete_Waiting"


def test_every_status_of_a_device_is_reached_and_left() -> None:
    statuses = set(get_args(MemberStatus))
    assert AFTER.keys() == statuses
    reached = {FIRST_MEMBER_STATUS}
    while more := {one for status in reached for one in AFTER[status]} - reached:
        reached |= more
    assert reached == statuses


def test_a_device_is_set_up_before_it_is_in_a_session() -> None:
    for status, following in AFTER.items():
        if status not in SET_UP:
            assert following & SET_UP <= {"Multicast_Setup_Ready"}
    assert {one for status in SET_UP for one in AFTER[status]} <= SET_UP


@pytest.mark.parametrize(
    ("ahead_s", "fits"),
    [(1799.9, False), (1800, True), (48 * 3600, True), (48 * 3600 + 0.1, False), (-1, False)],
)
def test_a_session_starts_in_half_an_hour_to_two_days(ahead_s: float, fits: bool) -> None:
    assert (start_problem(Instant(START + ahead_s), START) is None) == fits


def test_a_session_of_class_c_is_shorter() -> None:
    assert timeout_problem(172_800, "ClassB") is None
    assert timeout_problem(64_800, "ClassC") is None
    assert timeout_problem(64_801, "ClassC") == (
        "Member must be at most 64800 seconds in a group of ClassC"
    )


@pytest.mark.parametrize(
    ("timeout_s", "dl_class", "told_s"),
    [
        (60, "ClassC", 64),
        (64, "ClassC", 64),
        (65, "ClassC", 128),
        (32_768, "ClassC", 32_768),
        (64_800, "ClassC", 32_768),
        (60, "ClassB", 128),
        (129, "ClassB", 256),
        (172_800, "ClassB", 131_072),
    ],
)
def test_a_device_is_told_a_power_of_two(timeout_s: int, dl_class: DlClass, told_s: int) -> None:
    assert timeout_told(timeout_s, dl_class) == told_s
    assert told_s in TIMEOUTS_S[dl_class]


def test_ping_slots_are_of_class_b_and_a_power_of_two() -> None:
    for dl_class in get_args(DlClass):
        assert period_problem(None, dl_class) is None
    assert period_problem(32, "ClassB") is None
    assert period_problem(4096, "ClassB") is None
    assert period_problem(33, "ClassB") == (
        "Member must be one of 32, 64, 128, 256, 512, 1024, 2048, 4096"
    )
    assert period_problem(32, "ClassC") == "Member must be absent in a group of ClassC"


def test_a_group_whose_keys_no_device_has_goes_at_once() -> None:
    assert removed_at_once(0)
    assert not removed_at_once(1)
