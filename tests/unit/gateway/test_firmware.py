"""Update tasks: from the first request until the new version shows, or never does."""

from __future__ import annotations

from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bittern.gateway.cups import CupsAnswer, encode, read_answer
from bittern.gateway.firmware import (
    AFTER_GIVING,
    FINAL,
    TIME_TO_UPDATE_S,
    Definition,
    Status,
    Step,
    Task,
    Version,
    check_definition,
    failed,
    matches,
    postponed,
    signature_segment,
    step,
)
from bittern.types import Instant

NOW = Instant(1_763_690_000.0)
KEY = 0x12345678
OLD = Version(package="1.0", model="linux", station="2.0.5(rpi/std) 2021-03-09 03:45:09")
NEW = Version(package="1.1", model="linux", station="2.0.6(rpi/std) 2022-04-01 00:00:00")
DEFINITION = Definition(current=OLD, update=NEW, key_crc=KEY)
STATUSES: tuple[Status, ...] = get_args(Status)


def stepped(
    status: Status,
    reported: Version = OLD,
    *,
    key_crcs: tuple[int, ...] = (1, KEY),
    ago_s: float = TIME_TO_UPDATE_S,
    definition: Definition = DEFINITION,
) -> Step:
    task = Task(status=status, changed_at=Instant(NOW - ago_s))
    return step(task, definition, reported=reported, key_crcs=key_crcs, now=NOW)


@pytest.mark.parametrize(
    ("pattern", "meant"),
    [
        (Version(), True),
        (OLD, True),
        (Version(package="1.0"), True),
        (Version(model="linux", station=OLD.station), True),
        (Version(package="1"), False),
        (Version(package="1.0", model="corecell"), False),
        (Version(station="2.0.5"), False),
    ],
)
def test_what_is_empty_in_a_pattern_is_any(pattern: Version, meant: bool) -> None:
    assert matches(OLD, pattern) is meant


def test_a_version_that_is_named_is_not_met_by_silence() -> None:
    assert not matches(Version(), Version(package="1.0"))


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("PENDING", Step(status="IN_PROGRESS", give=True)),
        ("IN_PROGRESS", "FIRST_RETRY"),
        ("FIRST_RETRY", "SECOND_RETRY"),
        ("SECOND_RETRY", "FAILED"),
    ],
)
def test_a_gateway_that_stays_as_it_was_is_given_the_image_three_times(
    status: Status, expected: Step | Status
) -> None:
    done = stepped(status)
    if isinstance(expected, Step):
        assert done == expected
    else:
        assert (done.status, done.give) == (expected, expected != "FAILED")
        assert "still runs package '1.0', model 'linux', station '2.0.5(rpi/std)" in done.reason


@pytest.mark.parametrize("status", [one for one in STATUSES if one not in FINAL])
def test_a_gateway_that_reports_the_new_version_has_completed(status: Status) -> None:
    assert stepped(status, NEW, key_crcs=(), ago_s=1) == Step(status="COMPLETED")


@pytest.mark.parametrize("status", sorted(FINAL))
@pytest.mark.parametrize("reported", [OLD, NEW, Version()])
def test_what_has_ended_stays(status: Status, reported: Version) -> None:
    task = Task(status=status, reason="told then", changed_at=Instant(0))
    assert step(task, DEFINITION, reported=reported, key_crcs=(KEY,), now=NOW) == Step(
        status=status, reason="told then"
    )


@pytest.mark.parametrize("status", [one for one in AFTER_GIVING if one != "PENDING"])
def test_an_image_is_given_time_to_do_its_work(status: Status) -> None:
    done = stepped(status, ago_s=TIME_TO_UPDATE_S - 1)
    assert done == Step(status=status, reason="the gateway was given the image 599 s ago")


def test_a_clock_set_back_does_not_stop_an_update() -> None:
    assert stepped("IN_PROGRESS", ago_s=-3600).give


def test_another_version_waits_before_the_image_and_fails_after_it() -> None:
    other = Version(package="0.9", model="linux")
    waiting, ended = stepped("PENDING", other), stepped("IN_PROGRESS", other)
    assert (waiting.status, waiting.give) == ("PENDING", False)
    assert (ended.status, ended.give) == ("FAILED", False)
    assert waiting.reason == ended.reason
    assert waiting.reason.startswith("the gateway runs package '0.9', model 'linux'; the update is")


@pytest.mark.parametrize(("key_crcs", "has"), [((), "it has none"), ((1, 2), "it has 1, 2")])
def test_a_gateway_without_the_key_is_given_no_image(key_crcs: tuple[int, ...], has: str) -> None:
    done = stepped("PENDING", key_crcs=key_crcs)
    assert (done.status, done.give) == ("FAILED", False)
    assert f"no key with CRC {KEY}" in done.reason
    assert has in done.reason


def test_an_image_that_cannot_be_had_leaves_the_task_as_it_was() -> None:
    task = Task(status="FIRST_RETRY", changed_at=NOW)
    assert postponed(task, "store away") == Step(status="FIRST_RETRY", reason="store away")
    assert failed("signature does not fit") == Step(
        status="FAILED", reason="signature does not fit"
    )


@given(st.lists(st.sampled_from([OLD, NEW, Version(package="0.9")]), max_size=12))
def test_every_course_of_events_gives_the_image_three_times_at_most(reports: list[Version]) -> None:
    task, given = Task(changed_at=NOW), 0
    for hour, reported in enumerate(reports, 1):
        now = Instant(NOW + 3600 * hour)
        done = step(task, DEFINITION, reported=reported, key_crcs=(KEY,), now=now)
        assert task.status not in FINAL or done.status == task.status
        assert not done.give or reported == OLD
        given += done.give
        task = Task(status=done.status, reason=done.reason, changed_at=now)
    assert given <= 3
    if NEW in reports:
        assert task.status in FINAL


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (dict(update=Version()), "nothing would tell"),
        (dict(update=OLD), "already"),
        (dict(update=Version(model="linux")), "already"),
        (dict(key_crc=0), "1 to 4294967295"),
        (dict(key_crc=2**32), "1 to 4294967295"),
    ],
)
def test_a_definition_that_leads_nowhere_is_refused(
    changes: dict[str, object], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        check_definition(msgspec.structs.replace(DEFINITION, **changes))


def test_definitions_that_lead_somewhere_are_taken() -> None:
    check_definition(DEFINITION)
    check_definition(Definition(current=Version(), update=NEW, key_crc=KEY))


def test_a_signature_goes_with_the_crc_of_its_key() -> None:
    segment = signature_segment(KEY, b"s" * 71)
    assert segment == b"\x78\x56\x34\x12" + b"s" * 71
    answer = CupsAnswer(signature=segment)
    assert read_answer(encode(answer, b"image")) == (answer, b"image")


@pytest.mark.parametrize("size", [0, 3, 129])
def test_a_signature_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="4 to 128"):
        signature_segment(KEY, bytes(size))


def test_any_version_says_so() -> None:
    assert str(Version()) == "any version"
